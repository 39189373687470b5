"""Runs one peer on one file: `python peers.py NAME REPORT [OUTPUT]`. Prints its counts as JSON, or writes its
findings to OUTPUT. Each peer imports only what it needs, because startup is part of the measured time."""

import json
import sys

import rules


def starting(module):
    """Imports the peer and does nothing: measures its startup."""
    __import__(module)
    return {}


def duckdb_relation(path):
    columns = {column: "VARCHAR" for column in rules.COLUMNS}
    columns |= dict.fromkeys(rules.FLAGS, "BOOLEAN") | dict.fromkeys(rules.TIMES, "TIMESTAMP")
    return f"read_csv('{path}', header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', " \
           f"nullstr = {rules.ABSENT}, columns = {columns})"


def duckdb_count(path):
    import duckdb

    counts = ", ".join(f"count(*) FILTER (WHERE {test})" for test in rules.sql().values())
    row = duckdb.sql(f"SELECT {counts} FROM {duckdb_relation(path)}").fetchall()[0]
    return dict(zip(rules.RULES, row))


def duckdb_ndjson(path, output, order):
    """Writes (user, arn, rule) of every finding. DuckDB uses both threads only if the order may change."""
    import duckdb

    duckdb.sql(f"SET preserve_insertion_order = {order}")
    cases = ", ".join(f"CASE WHEN {test} THEN '{rule}' END" for rule, test in rules.sql().items())
    findings = f'SELECT "user", arn, unnest([{cases}]) AS rule FROM {duckdb_relation(path)}'
    query = f'SELECT "user", arn, rule FROM ({findings}) WHERE rule IS NOT NULL'
    duckdb.sql(f"COPY ({query}) TO '{output}' (FORMAT json)")
    return {}


def polars_expressions(time):
    import polars as pl
    from functools import reduce

    def atom(kind, column=None):
        return {
            "user": lambda: pl.col("user") != rules.ROOT,
            "root": lambda: pl.col("user") == rules.ROOT,
            "true": lambda: pl.col(column) == "true",
            "false": lambda: pl.col(column) == "false",
            "before": lambda: time(pl.col(column)),
        }[kind]()

    def test(terms):
        return reduce(
            lambda any_, term: any_ | term,
            [reduce(lambda all_, one: all_ & one, [atom(*part) for part in term]) for term in terms],
        )

    return [test(terms).sum().alias(rule) for rule, terms in rules.RULES.items()]


def polars_count(path, typed):
    import datetime

    import polars as pl

    if typed:
        cutoff = datetime.datetime.fromisoformat(rules.CUTOFF.removesuffix("Z"))

        def time(cell):
            return cell.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False) < cutoff
    else:

        def time(cell):
            return cell < rules.CUTOFF

    scan = pl.scan_csv(path, infer_schema=False, null_values=rules.ABSENT)
    frame = scan.select(polars_expressions(time)).collect(engine="streaming")
    return {rule: int(frame[rule][0]) for rule in rules.RULES}


def pandas_count(path):
    import operator
    from functools import reduce

    import pandas as pd

    wanted = ["user", *rules.FLAGS, *rules.TIMES]
    frame = pd.read_csv(path, usecols=wanted, dtype=str, keep_default_na=False, na_values=rules.ABSENT)
    for column in rules.TIMES:
        frame[column] = pd.to_datetime(frame[column], format="%Y-%m-%dT%H:%M:%SZ")
    cutoff = pd.Timestamp(rules.CUTOFF.removesuffix("Z"))

    def atom(kind, column=None):
        return {
            "user": lambda: frame["user"] != rules.ROOT,
            "root": lambda: frame["user"] == rules.ROOT,
            "true": lambda: frame[column] == "true",
            "false": lambda: frame[column] == "false",
            "before": lambda: frame[column] < cutoff,
        }[kind]()

    def test(terms):
        return reduce(operator.or_, [reduce(operator.and_, [atom(*part) for part in term]) for term in terms])

    return {rule: int(test(terms).sum()) for rule, terms in rules.RULES.items()}


def dictreader_count(path):
    import csv

    lines = "".join(f"    if {rules.python(rule)}: counts[{rule!r}] += 1\n" for rule in rules.RULES)
    known = {}
    exec(f"def count(rows, counts):\n  for row in rows:\n{lines}", known)
    counts = dict.fromkeys(rules.RULES, 0)
    with open(path, newline="", encoding="utf-8") as file:
        known["count"](csv.DictReader(file), counts)
    return counts


def frozen(now):
    """A replacement for the module `datetime` in which the time is always `now`."""
    import datetime
    import types

    class Frozen(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return now if tz else now.replace(tzinfo=None)

    module = types.ModuleType("datetime")
    module.__dict__.update(vars(datetime))
    module.datetime = Frozen
    return module


def as_of():
    import datetime

    return datetime.datetime.fromisoformat(rules.AS_OF.replace("Z", "+00:00"))


def names(path):
    """(name, ARN, creation time) of every row, root included."""
    import csv

    with open(path, newline="", encoding="utf-8") as file:
        return [(row[0], row[1], row[2]) for row in csv.reader(file)][1:]


def c7n_count(path):
    """Cloud Custodian's own policies and filters, with the report given and no call to AWS. Filters on keys
    select users and note the keys that match all filters; the counts per key come from these notes."""
    from c7n.config import Config
    from c7n.filters import core
    from c7n.loader import PolicyLoader
    from c7n.resources import load_resources

    load_resources(("aws.iam-user", "aws.account"))
    from c7n.resources import iam

    core.datetime = frozen(as_of())
    with open(path, encoding="utf-8") as file:
        text = file.read()
    iam.CredentialReport.fetch_credential_report = lambda self: text

    def credential(key, **how):
        return {"type": "credential", "key": key} | how

    def active():
        return credential("access_keys.active", value=True)

    def older(key):
        return credential(key, value_type="age", value=rules.DAYS, op="gt")

    console = credential("password_enabled", value=True)
    policies = {
        "keys-old": ("aws.iam-user", [active(), older("access_keys.last_rotated")]),
        "two-active-keys": ("aws.iam-user", [active()]),
        "key-unused": ("aws.iam-user", [active(), older("access_keys.last_used_date")]),
        "console-without-mfa": ("aws.iam-user", [console, credential("mfa_active", value=False)]),
        "password-unused": ("aws.iam-user", [console, older("password_last_used")]),
        "root-key-active": ("aws.account", [active()]),
    }
    loader = PolicyLoader(Config.empty(region="us-east-1", account_id="123456789012", cache="memory", cache_period=60))
    data = {
        "policies": [
            {"name": name, "resource": resource, "filters": filters} for name, (resource, filters) in policies.items()
        ]
    }
    loaded = loader.load_data(data, "memory://", validate=False)
    users = [user for user in names(path) if user[0] != rules.ROOT]
    counts = {}
    for policy in loaded:
        if policy.resource_type == "aws.account":
            resources = [{"account_id": "123456789012", "account_name": "one"}]
        else:
            resources = [{"UserName": user, "Arn": arn} for user, arn, _ in users]
        found = policy.resource_manager.filter_resources(resources)
        keys = [len(resource.get("c7n:matched-keys", ())) for resource in found]
        counts[policy.name] = {
            "keys-old": sum(keys),
            "two-active-keys": sum(count == 2 for count in keys),
            "key-unused": sum(count > 0 for count in keys),
        }.get(policy.name, len(found))
    return counts


PEERS = {
    "duckdb": duckdb_count,
    "duckdb-ndjson": lambda path, output: duckdb_ndjson(path, output, "true"),
    "duckdb-ndjson-any-order": lambda path, output: duckdb_ndjson(path, output, "false"),
    "polars": lambda path: polars_count(path, typed=True),
    "polars-text": lambda path: polars_count(path, typed=False),
    "pandas": pandas_count,
    "dictreader": dictreader_count,
    "c7n": c7n_count,
    "start-duckdb": lambda path: starting("duckdb"),
    "start-polars": lambda path: starting("polars"),
    "start-pandas": lambda path: starting("pandas"),
    "start-c7n": lambda path: starting("c7n.resources.iam"),
}

if __name__ == "__main__":
    peer, *arguments = sys.argv[1:]
    if peer == "prowler":
        import prowler_checks

        print(json.dumps(prowler_checks.count(*arguments)))
    else:
        print(json.dumps(PEERS[peer](*arguments)))
