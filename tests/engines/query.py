"""Runs statements by an engine, and prints the rows of the last one as JSON: query.py duckdb|spark < statements"""

import json
import os
import sys


def duckdb(statements):
    import duckdb

    for statement in statements:
        rows = duckdb.sql(statement)
    return rows.fetchall()


def spark(statements):
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.warehouse.dir": os.path.join(os.getcwd(), "warehouse"),
    }
    builder = SparkSession.builder.master("local[1]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    for statement in statements:
        rows = session.sql(statement)
    return [tuple(row) for row in rows.collect()]


statements = [part.strip() for part in sys.stdin.read().split(";") if part.strip()]
engine = {"duckdb": duckdb, "spark": spark}[sys.argv[1]]
json.dump([[str(cell) for cell in row] for row in engine(statements)], sys.stdout)
