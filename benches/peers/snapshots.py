#!/usr/bin/env python3
"""Measures archive, trend and diff against DuckDB, and fills in the table of docs/archive.md.

    cargo build --release --no-default-features --features cli,archive --bin credlens --example synth
    python3 benches/peers/snapshots.py --python PYTHON

PYTHON needs duckdb and pytz as in tests/engines/requirements.txt. The script generates a year of daily reports of an
account with 10,000 users who change from day to day, and two reports of a million users of which a twentieth differ.
It reports medians of whole processes in interleaved rounds; run it on an otherwise idle machine.
"""

import argparse
import datetime
import json
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
DAYS = 365
LAST = datetime.date(2026, 5, 31)

# The figures that `trend` counts per snapshot, as far as SQL can express them, and the ages of keys.
COUNTS = """
WITH reports AS (SELECT * FROM read_parquet('{archive}/*/*.parquet'))
SELECT as_of, count(*) AS users,
  count(*) FILTER (password_enabled) AS console_users,
  count(*) FILTER (password_enabled AND mfa_active) AS console_users_with_mfa,
  count(*) FILTER (access_key_1_active) + count(*) FILTER (access_key_2_active) AS active_keys,
  {over},
  {unused} AS unused_credentials,
  count(*) FILTER (user_creation_time < as_of - INTERVAL 90 DAY
    AND coalesce(password_last_used, TIMESTAMPTZ '0001-01-01') <= as_of - INTERVAL 90 DAY
    AND coalesce(access_key_1_last_used_date, TIMESTAMPTZ '0001-01-01') <= as_of - INTERVAL 90 DAY
    AND coalesce(access_key_2_last_used_date, TIMESTAMPTZ '0001-01-01') <= as_of - INTERVAL 90 DAY) AS dormant,
  count(*) FILTER (user_name = '<root_account>' AND password_last_used > as_of - INTERVAL 90 DAY) AS root_used,
  count(*) FILTER (access_key_1_active AND access_key_2_active) AS two_keys
FROM reports GROUP BY as_of ORDER BY as_of;
WITH reports AS (SELECT * FROM read_parquet('{archive}/*/*.parquet')),
  ages AS (
    SELECT as_of, epoch(as_of) - epoch(access_key_1_last_rotated) AS age FROM reports WHERE access_key_1_active
    UNION ALL
    SELECT as_of, epoch(as_of) - epoch(access_key_2_last_rotated) FROM reports WHERE access_key_2_active)
SELECT as_of, quantile_disc(age, 0.5), quantile_disc(age, 0.9), max(age) FROM ages GROUP BY as_of ORDER BY as_of
"""


def query(archive):
    def slots(condition):
        return " + ".join(f"count(*) FILTER ({condition.format(key=f'access_key_{slot}')})" for slot in (1, 2))

    over = ",\n  ".join(
        slots("{key}_active AND {key}_last_rotated < as_of - INTERVAL %d DAY" % days) + f" AS over_{days}"
        for days in (90, 180, 365)
    )
    password = "coalesce(password_last_used, password_last_changed) <= as_of - INTERVAL 90 DAY"
    key = "{key}_active AND coalesce({key}_last_used_date, {key}_last_rotated) <= as_of - INTERVAL 90 DAY"
    unused = f"count(*) FILTER (password_enabled AND {password}) + " + slots(key)
    return COUNTS.format(archive=archive, over=over, unused=unused)


RUN = """
import json, sys, time
import duckdb
duckdb.sql("SET TimeZone = 'UTC'")
start = time.perf_counter()
rows = [duckdb.sql(statement).fetchall() for statement in sys.stdin.read().split(";")]
print(json.dumps([len(rows[0]), [list(map(int, row[1:4])) for row in rows[0]], time.perf_counter() - start]))
"""


# What DuckDB takes to copy the same reports into one Parquet file.
COPY = """
import duckdb, os, sys
reports, file = sys.argv[1:]
duckdb.sql(
    f"COPY (SELECT * FROM read_csv('{reports}/*.csv', filename = true, nullstr = 'N/A')) "
    f"TO '{file}' (FORMAT parquet, COMPRESSION zstd)"
)
"""


def drift(random_, lines, day):
    """Simulates a day: some keys are replaced, some passwords and keys used, some MFA activated or deactivated."""
    stamp = datetime.datetime.combine(day, datetime.time(8)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for _ in range(len(lines) // 50):
        row = lines[random_.randrange(1, len(lines))]
        what = random_.randrange(5)
        if what == 0 and row[8] == "true":
            row[9], row[10], row[11], row[12] = stamp, "N/A", "N/A", "N/A"
        elif what == 1 and row[3] == "true":
            row[4] = stamp
        elif what == 2 and row[8] == "true":
            row[10] = stamp
        elif what == 3 and row[3] == "true" and random_.randrange(8) == 0:
            row[7] = "false" if row[7] == "true" else "true"
        elif what == 4 and row[8] == "true" and random_.randrange(4) == 0:
            row[8] = "false"


def synth(args, users, seed):
    path = os.path.join(args.work, f"synth-{users}-{seed}.csv")
    if not os.path.exists(path):
        with open(path, "wb") as out:
            subprocess.run([args.synth, "--users", str(users), "--seed", str(seed)], stdout=out, check=True)
    return path


def read(path):
    with open(path) as file:
        header, *rows = file.read().splitlines()
    # The few quoted names would need a CSV reader; they are left out.
    return header, [row.split(",") for row in rows if '"' not in row]


def write(path, header, rows):
    with open(path, "w") as out:
        out.write("\n".join([header, *(",".join(row) for row in rows)]))


def year(args):
    directory = os.path.join(args.work, "year")
    if not os.path.isdir(directory):
        os.makedirs(directory)
        random_ = random.Random(7)
        header, rows = read(synth(args, 10_000, 7))
        # One account: a single row of root, and all users.
        root = rows[0]
        account = root[1].split(":")[4]
        rows = [root] + [row for row in rows if not row[1].endswith(":root")]
        for row in rows:
            row[1] = re.sub(r"::\d+:", f"::{account}:", row[1])
        # Two accounts can have users of the same name; one account cannot, so only one of them is kept.
        rows = list({row[1]: row for row in rows}.values())
        for number in range(DAYS):
            day = LAST + datetime.timedelta(days=number)
            drift(random_, rows, day)
            write(os.path.join(directory, f"{day}.csv"), header, rows)
    return directory


def pair(args):
    old = synth(args, 1_000_000, 8)
    new = os.path.join(args.work, "million-later.csv")
    if not os.path.exists(new):
        random_ = random.Random(8)
        header, rows = read(old)
        for _ in range(3):
            drift(random_, rows, LAST + datetime.timedelta(days=30))
        del rows[5_000::50_000]
        write(new, header, rows)
    return old, new


class Process:
    def __init__(self, name, command, stdin=None, codes=(0, 1)):
        self.name, self.command, self.stdin, self.codes = name, command, stdin, codes
        self.walls, self.cpus, self.peak, self.out = [], [], 0, b""

    def once(self):
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            ["/usr/bin/time", "-f", "%M", *self.command], input=self.stdin, capture_output=True, check=False
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode not in self.codes:
            sys.exit(f"{self.command} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
        self.walls.append(time.perf_counter() - start)
        self.cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        self.peak = max(self.peak, int(done.stderr.split()[-1]))
        self.out = done.stdout

    @property
    def wall(self):
        return statistics.median(self.walls)

    @property
    def cpu(self):
        return statistics.median(self.cpus)


def interleave(rounds, *processes):
    for _ in range(rounds):
        for process in processes:
            process.once()


def size_of(directory):
    return sum(os.path.getsize(os.path.join(path, name)) for path, _, names in os.walk(directory) for name in names)


def archives(args, reports):
    """An archive as added and a compacted copy of it, what making them took, and what DuckDB's copy took."""
    credlens = args.binary
    added, compacted = (os.path.join(args.work, name) for name in ("archive", "compacted"))
    file = os.path.join(args.work, "duckdb.parquet")
    add = Process("archive add: 365 reports of 10,000 users", [credlens, "archive", "add", added, reports, "--quiet"])
    copy = Process("DuckDB, a copy of them as one Parquet file", [args.python, "-c", COPY, reports, file])
    compact = Process("archive compact", [credlens, "archive", "compact", compacted, "--quiet"])
    for _ in range(3):
        shutil.rmtree(added, ignore_errors=True)
        shutil.rmtree(compacted, ignore_errors=True)
        add.once()
        copy.once()
        shutil.copytree(added, compacted)
        compact.once()
    return added, compacted, os.path.getsize(file), (add, copy, compact)


def measure(args):
    reports = year(args)
    archive, compacted, duck_size, making = archives(args, reports)
    credlens = args.binary
    size, compacted_size, csv = size_of(archive), size_of(compacted), size_of(reports)
    verify = Process("archive verify", [credlens, "archive", "verify", archive])
    places = (("the archive", archive), ("the compacted one", compacted), ("the CSVs", reports))

    def reading(what, arguments, tail):
        return [Process(f"{what} of {name}", [credlens, *arguments, path, *tail]) for name, path in places]

    summary = ("--format", "summary", "--quiet")
    scans = reading("scan (the newest)", ("scan",), summary)
    all_scans = reading("scan --all-snapshots", ("scan",), ("--all-snapshots", *summary))
    trends = reading("trend", ("trend",), ("--format", "json", "--quiet"))
    trend = trends[0]
    duck = Process("DuckDB, the counts of trend", [args.python, "-c", RUN], query(archive).encode())
    interleave(args.rounds, verify, *scans, *all_scans, *trends, duck)
    points = json.loads(trend.out)["snapshots"]
    count, rows, inside = json.loads(duck.out)
    names = ("users", "console_users", "console_users_with_mfa")
    ours = [[point[name] for name in names] for point in points]
    # Root's password is `not_supported` or a flag, so the two may differ by root.
    if count != DAYS or any(abs(a - b) > 1 for one, other in zip(ours, rows) for a, b in zip(one, other)):
        sys.exit("DuckDB's counts differ")
    old, new = pair(args)
    diffs = []
    for form in ("table", "json"):
        scanned = Process(f"scan of 1 M users, {form}", [credlens, "scan", old, "--as-of", "2026-06-01", "--format", form])
        compared = Process(
            f"diff of two reports of 1 M users, {form}",
            [credlens, "diff", old, new, "--old-as-of", "2026-06-01", "--new-as-of", "2026-07-01", "--format", form],
        )
        interleave(args.rounds, scanned, compared)
        diffs += [scanned, compared]
    all_ = [*making, verify, *scans, *all_scans, *trends, duck, *diffs]
    lines = ["", "| what | wall | CPU | peak memory |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| {p.name} | {p.wall:.2f} s | {p.cpu:.2f} s | {p.peak / 1024:.0f} MiB |" for p in all_]
    users = DAYS * len(open(os.path.join(reports, f"{LAST}.csv")).readlines()) - DAYS
    lines += [
        "",
        f"The archive takes {size / users:.1f} bytes a user and snapshot, the CSVs {csv / users:.1f}: 1 to {csv / size:.2f}. "
        f"Compacted, it takes {compacted_size / users:.1f} bytes, DuckDB's copy {duck_size / users:.1f}. "
        f"`archive add` takes {making[0].wall / making[1].wall:.2f} times as long as DuckDB's copy. Of the time of the CSVs, a "
        f"scan of the newest snapshot takes {ratio(scans, 0):.2f} (compacted {ratio(scans, 1):.2f}), one of all "
        f"{ratio(all_scans, 0):.2f} ({ratio(all_scans, 1):.2f}), trend {ratio(trends, 0):.2f} ({ratio(trends, 1):.2f}). Trend of the "
        f"archive takes {trend.wall / duck.wall:.2f} of DuckDB's time, of which {inside:.2f} s are its queries. "
        f"Diff takes {diffs[1].wall / diffs[0].wall:.1f} times as long as a scan for a table, {diffs[3].wall / diffs[2].wall:.1f} times for JSON.",
        "",
    ]
    return "\n".join(lines)


def ratio(processes, at):
    """The time of a process to that of the last one, in which the CSVs are read."""
    return processes[at].wall / processes[-1].wall


def fill(page, text):
    with open(page) as file:
        content = file.read()
    begin, end = "<!-- figures: archive -->", "<!-- end: archive -->"
    head, rest = content.split(begin)
    tail = rest.split(end)[1]
    with open(page, "w") as file:
        file.write(f"{head}{begin}\n{text}\n{end}{tail}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.path.join(ROOT, "target/release/credlens"))
    parser.add_argument("--synth", default=os.path.join(ROOT, "target/release/examples/synth"))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--work", default=os.path.join(ROOT, "target/snapshots"))
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    text = measure(args)
    print(text)
    fill(os.path.join(ROOT, "docs/archive.md"), text)


main()
