#!/usr/bin/env python3
"""Measures credlens against peers and against the limits of the machine: the same files and rules, whole
processes, interleaved runs, medians.

    python3 benches/peers/run.py                    everything, into docs/performance.md
    python3 benches/peers/run.py --sizes 5k,50k     only the small files, leaving the page unchanged
    python3 benches/peers/run.py --only count,write --peers duckdb,mawk
    python3 benches/peers/run.py --page-from results.json

Builds the release binary and the generator unless --binary and --synth name them, installs the peers of the
requirements files (pinned versions) into virtual environments in the work directory, compiles two small C programs,
generates the files, and stops if any two tools disagree about a count. Writes results.json and tables.md to the
work directory.
"""

import argparse
import hashlib
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import time

import rules

HERE = pathlib.Path(__file__).resolve().parent
REPO = HERE.parent.parent
PAGE = REPO / "docs" / "performance.md"
SIZES = {"5k": 5_000, "50k": 50_000, "1M": 1_000_000, "10M": 10_000_000}
# One account each: Cloud Custodian and Prowler identify users by name alone.
ONE_ACCOUNT = ("5k", "50k")
STEPS = ("count", "write", "many", "start", "memory", "packed", "threads")
ENVIRONMENTS = {"duckdb": "tables", "polars": "tables", "pandas": "tables", "c7n": "c7n", "prowler": "prowler"}
PEERS = (*ENVIRONMENTS, "mawk", "dictreader")
AS_OF = ["--as-of", rules.AS_OF, "--fail-on", "never", "--quiet"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPO / "target"))
    parser.add_argument("--work", type=pathlib.Path, default=target / "peers", help="directory for files and peers")
    parser.add_argument("--binary", type=pathlib.Path, default=os.environ.get("CREDLENS"), help="a release build of credlens")
    parser.add_argument("--synth", type=pathlib.Path, help="a build of the example `synth`")
    parser.add_argument("--split", type=pathlib.Path, help="a build of the example `split`; without one its row is left out")
    parser.add_argument("--sizes", default=",".join(SIZES), help="some of " + ",".join(SIZES))
    parser.add_argument("--only", default=",".join(STEPS), help="some of " + ",".join(STEPS))
    parser.add_argument("--peers", default=",".join(PEERS), help="some of " + ",".join(PEERS))
    parser.add_argument("--rounds", type=int, default=5, help="runs of each command; slow commands run less often")
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--page", action="store_true", help="fill docs/performance.md even if only some sizes or steps were chosen")
    parser.add_argument("--page-from", type=pathlib.Path, help="only fill docs/performance.md from these results")
    given = parser.parse_args()
    for name, known in (("sizes", SIZES), ("only", STEPS), ("peers", PEERS)):
        chosen = [word for word in getattr(given, name).split(",") if word]
        unknown = set(chosen) - set(known)
        if unknown:
            parser.error(f"--{name}: {', '.join(sorted(unknown))} is not one of {', '.join(known)}")
        setattr(given, name, [word for word in known if word in chosen])
    given.work = given.work.resolve()
    return given


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def call(command, **how):
    return subprocess.run([str(word) for word in command], check=True, **how)


def text_of(command):
    try:
        return call(command, capture_output=True, text=True, cwd=REPO).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


# Preparation


class Tools:
    """The paths of all programs that are run."""

    def __init__(self, given):
        self.given = given
        self.work = given.work
        self.work.mkdir(parents=True, exist_ok=True)
        self.credlens, self.synth, self.split = self.ours()
        for name in ("measure", "newlines"):
            compiler = os.environ.get("CC", "cc")
            call([compiler, "-O3", "-pthread", "-o", self.work / name, HERE / f"{name}.c"])
        self.peers = [peer for peer in given.peers if self.has(peer)]
        self.pythons = {kind: self.environment(kind) for kind in self.kinds()}
        self.rule_files()

    def ours(self):
        given = self.given
        if not given.binary or not given.synth:
            say("building credlens, synth and split")
            call(["cargo", "build", "--release", "--locked", "--bin", "credlens", "--examples"], cwd=REPO)
        release = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPO / "target")) / "release"
        split = given.split or (release / "examples" / "split")
        if not split.exists():
            say("example `split` not found: its row is left out")
            split = None
        # A copy, so that a build during the measurement changes nothing.
        binary = self.work / "credlens"
        shutil.copy2(given.binary or release / "credlens", binary)
        return binary, given.synth or release / "examples" / "synth", split

    def has(self, peer):
        if peer != "mawk" or shutil.which("mawk"):
            return True
        say("mawk not found: trying to install it")
        subprocess.run(["apt-get", "install", "-y", "mawk"], stdout=subprocess.DEVNULL)
        return shutil.which("mawk") is not None

    def kinds(self):
        kinds = {ENVIRONMENTS[peer] for peer in self.peers if peer in ENVIRONMENTS}
        return sorted(kinds)

    def environment(self, kind):
        wanted = (HERE / f"requirements-{kind}.txt").read_text()
        folder = self.work / f"venv-{kind}"
        installed = folder / "installed.txt"
        python = folder / "bin" / "python"
        if not installed.exists() or installed.read_text() != wanted:
            say(f"installing {', '.join(wanted.split())}")
            call([sys.executable, "-m", "venv", "--clear", folder])
            call([python, "-m", "pip", "install", "--quiet", "-r", HERE / f"requirements-{kind}.txt"])
            installed.write_text(wanted)
        return python

    def rule_files(self):
        (self.work / "six.gsl").write_text(rules.gsl())
        # Prowler fails ages of more than 90 whole days, that is, from 91 days on.
        (self.work / "whole.gsl").write_text(rules.gsl((91 * 86_400 - 1, "seconds")))
        (self.work / "six.awk").write_text(rules.awk())

    def peer(self, name, *words):
        return [self.pythons[ENVIRONMENTS[name.removeprefix("start-").split("-")[0]]], HERE / "peers.py", name, *words]


def generate(tools, size, users_per_account=5_000):
    users = SIZES[size]
    if size in ONE_ACCOUNT:
        users_per_account = users
    path = tools.work / f"{size}-{users_per_account}-{tools.given.seed}.csv"
    if not path.exists():
        say(f"generating {path.name}")
        part = path.with_suffix(".part")
        with open(part, "wb") as file:
            call(
                [tools.synth, "--users", users, "--users-per-account", users_per_account, "--seed", tools.given.seed],
                stdout=file,
            )
        part.rename(path)
    return path


def small_reports(tools, whole):
    """One file for each account of a report."""
    folder = whole.with_suffix("")
    done = whole.with_suffix(".cut")
    if not done.exists():
        say(f"cutting {whole.name} into one file per account")
        shutil.rmtree(folder, ignore_errors=True)
        with open(whole, "rb") as file:
            header = file.readline()
            records, number = [], 0

            def write():
                path = folder / f"{number // 100:03}" / f"{number:05}.csv"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(header + b"".join(records).rstrip(b"\n"))

            for line in file:
                if line.startswith(rules.ROOT.encode()) and records:
                    write()
                    number += 1
                    records.clear()
                records.append(line)
            write()
        done.write_text("")
    return folder


# Measuring


class Run:
    """A command, and the results of its runs."""

    def __init__(self, name, command, output=None, stdin=None, most=None):
        self.name = name
        self.command = [str(word) for word in command]
        self.output = output
        self.stdin = stdin
        self.most = most
        self.runs = []
        self.printed = ""

    def once(self, tools):
        if self.output:
            self.output.unlink(missing_ok=True)
        result = tools.work / "measured"
        feeder = subprocess.Popen(["cat", str(self.stdin)], stdout=subprocess.PIPE) if self.stdin else None
        done = subprocess.run(
            [str(tools.work / "measure"), str(result), *self.command],
            stdin=feeder.stdout if feeder else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if feeder:
            feeder.stdout.close()
            feeder.wait()
        if done.returncode == 0:
            wall, user, system, peak, status = result.read_text().split()
        if done.returncode != 0 or int(status) != 0:
            sys.exit(f"{self.name} failed: {' '.join(self.command)}\n{done.stderr[-2_000:]}")
        self.printed = done.stdout
        self.runs.append((float(wall), float(user) + float(system), int(peak) / 1024))

    def figures(self):
        wall, cpu, peak = (statistics.median(column) for column in zip(*self.runs))
        walls = [run[0] for run in self.runs]
        return {"wall": wall, "cpu": cpu, "peak": peak, "least": min(walls), "most": max(walls), "runs": len(walls)}


def interleave(tools, runs, rounds):
    """Runs every command once per round, so that a slow minute of the machine affects all of them."""
    for at in range(rounds):
        for run in runs:
            if run.most is None or at < run.most:
                run.once(tools)
    return {run.name: run.figures() for run in runs}


def warm(path):
    with open(path, "rb") as file:
        while file.read(1 << 22):
            pass


def rounds_for(tools, size):
    return {"10M": min(tools.given.rounds, 3)}.get(size, tools.given.rounds)


def scan(tools, path, *words):
    return [tools.credlens, "scan", path, *AS_OF, *words]


def our_counts(tools, path, file="six"):
    """The counts of our six rules."""
    words = ["--format", "json", "--min-severity", "critical"]
    six = ["--rules-from", tools.work / f"{file}.gsl", "--rule", f"{file}-*"]
    document = call(scan(tools, path, *words, *six), capture_output=True, text=True).stdout
    failed = {rule["id"]: rule["failed"] for rule in json.loads(document)["rules"]}
    return {rule: failed[f"{file}-{at}"] for at, rule in enumerate(rules.RULES, 1)}


def must_agree(name, counts, ours):
    if isinstance(counts, dict) and "keys-old" in counts:
        ours = {"keys-old": ours["key-1-old"] + ours["key-2-old"]} | {
            rule: count for rule, count in ours.items() if rule not in ("key-1-old", "key-2-old")
        }
    if counts != ours:
        sys.exit(f"{name} counts {counts}, credlens counts {ours}")


def count(tools, results):
    """Counting with six rules, with our default rules, and the lower limits; all sizes."""
    results["counts"], results["count"], results["bytes"] = {}, {}, {}
    for size in tools.given.sizes:
        path = generate(tools, size)
        warm(path)
        say(f"counting, {size}")
        six = ["--rules-from", tools.work / "six.gsl", "--rule", "six-*"]
        runs = [
            Run("credlens, default rules", scan(tools, path, "--format", "summary")),
            Run("credlens, six rules", scan(tools, path, "--format", "summary", *six)),
        ]
        limits = [
            Run(f"newlines, {way}, {threads} thread{'s' if threads > 1 else ''}",
                [tools.work / "newlines", way, threads, path])
            for way in ("mapped", "streamed")
            for threads in (1, 2)
        ]
        splits = [
            Run(f"our split alone, {threads} thread{'s' if threads > 1 else ''}",
                [tools.split, "--threads", threads, path])
            for threads in (1, 2)
            if tools.split
        ]
        one_thread = Run("credlens, default rules, 1 thread", scan(tools, path, "--format", "summary", "--threads", 1))
        peers = peers_counting(tools, size, path)
        starts = [
            Run(f"start of {peer}", tools.peer(f"start-{peer}", path), most=3)
            for peer in ("duckdb", "polars", "pandas", "c7n")
            if peer in tools.peers and size == tools.given.sizes[0]
        ]
        results["count"][size] = interleave(
            tools, [*runs, one_thread, *limits, *splits, *peers, *starts], rounds_for(tools, size)
        )
        ours = our_counts(tools, path)
        for run in peers:
            reference = our_counts(tools, path, "whole") if run.name == "Prowler" else ours
            must_agree(f"{run.name} at {size}", json.loads(run.printed), reference)
        records = SIZES[size]
        for run in limits:
            must_agree(run.name, json.loads(run.printed)["newlines"], records)
        for run in splits:
            must_agree(run.name, int(run.printed), records)
        results["counts"][size] = ours
        results["bytes"][size] = path.stat().st_size
        if "prowler" in tools.peers and size == "5k":
            results["counts"]["5k, whole days"] = our_counts(tools, path, "whole")


def peers_counting(tools, size, path):
    table = {
        "duckdb": [("DuckDB, typed", "duckdb", SIZES, None)],
        "polars": [
            ("Polars, streaming, typed", "polars", SIZES, None),
            ("Polars, streaming, text compared", "polars-text", SIZES, None),
        ],
        "pandas": [("pandas", "pandas", ("5k", "50k", "1M"), 3)],
        "c7n": [("Cloud Custodian", "c7n", ONE_ACCOUNT, 3)],
        "prowler": [("Prowler", "prowler", ("5k",), 3)],
    }
    runs = []
    for peer in tools.peers:
        for name, word, sizes, most in table.get(peer, ()):
            if size in sizes:
                runs.append(Run(name, tools.peer(word, path), most=most))
    if "mawk" in tools.peers:
        runs.append(Run("mawk", ["mawk", "-f", tools.work / "six.awk", path]))
    if "dictreader" in tools.peers and size != "10M":
        runs.append(Run("csv.DictReader", [sys.executable, HERE / "peers.py", "dictreader", path], most=3))
    return runs


def lines(path):
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 22), b""))


def write(tools, results):
    """Every finding to a file."""
    results["write"] = {}
    for size in [size for size in tools.given.sizes if size in ("50k", "1M")]:
        path = generate(tools, size)
        warm(path)
        say(f"writing findings, {size}")
        six = ["--rules-from", tools.work / "six.gsl", "--rule", "six-*"]

        def output(name):
            return tools.work / f"out-{name}"

        runs = [
            Run(name, scan(tools, path, "--format", f"{form}={output(word)}", *words), output(word))
            for name, word, form, words in [
                ("credlens, NDJSON, default rules, evidence", "default.ndjson", "ndjson", []),
                ("credlens, NDJSON, six rules, evidence", "six.ndjson", "ndjson", six),
                ("credlens, CSV, default rules, evidence", "default.csv", "csv", []),
            ]
        ]
        if "duckdb" in tools.peers:
            for name, word in [
                ("DuckDB, NDJSON of (user, arn, rule), in order", "duckdb-ndjson"),
                ("DuckDB, NDJSON of (user, arn, rule), any order", "duckdb-ndjson-any-order"),
            ]:
                target = output(f"{word}.json")
                runs.append(Run(name, tools.peer(word, path, target), target))
        figures = interleave(tools, runs, rounds_for(tools, size))
        for run in runs:
            written = lines(run.output) - ("CSV" in run.name)
            figures[run.name] |= {"findings": written, "written": run.output.stat().st_size}
            run.output.unlink()
        sixes = {name: figures[name]["findings"] for name in figures if "six rules" in name or "DuckDB" in name}
        expected = sum(our_counts(tools, path).values())
        for name, findings in sixes.items():
            must_agree(name, findings, expected)
        results["write"][size] = figures


def many(tools, results):
    """Ten thousand small reports against one file of the same rows."""
    if "1M" not in tools.given.sizes:
        return
    whole = generate(tools, "1M", 100)
    folder = small_reports(tools, whole)
    say("10,000 small reports")
    warm(whole)
    runs = [
        Run("one file of 1 M users", scan(tools, whole, "--format", "summary")),
        Run("10,000 files of 100 users", scan(tools, folder, "--format", "summary")),
        Run("reading the 10,000 files (`cat`)", ["sh", "-c", f"find '{folder}' -type f -exec cat {{}} + > /dev/null"]),
    ]
    results["many"] = interleave(tools, runs, tools.given.rounds)
    one, other = (
        json.loads(call(scan(tools, path, "--format", "json", "--min-severity", "critical", "--status", "suppressed"),
                        capture_output=True, text=True).stdout)["rules"]
        for path in (whole, folder)
    )
    must_agree("10,000 files", [rule["failed"] for rule in other], [rule["failed"] for rule in one])


def start(tools, results):
    """Startup, and a report of realistic size."""
    path = generate(tools, "5k")
    warm(path)
    say("startup")
    runs = [
        Run("`credlens --version`", [tools.credlens, "--version"]),
        Run("5,000 users, summary", scan(tools, path, "--format", "summary")),
        Run("5,000 users, table", scan(tools, path, "--format", "table")),
        Run("`true` (the minimum cost of a process)", ["true"]),
    ]
    results["start"] = interleave(tools, runs, 10 * tools.given.rounds)


def memory(tools, results):
    """Peak memory by size, from a file and from a pipe."""
    results["memory"] = {}
    for size in [size for size in tools.given.sizes if size != "5k"]:
        path = generate(tools, size)
        warm(path)
        say(f"memory, {size}")
        output = tools.work / "out-memory.ndjson"
        runs = [
            Run("file, summary", scan(tools, path, "--format", "summary")),
            Run("standard input, summary", scan(tools, "-", "--format", "summary"), stdin=path),
        ]
        if size != "10M":
            runs += [
                Run("file, NDJSON", scan(tools, path, "--format", f"ndjson={output}"), output),
                Run("standard input, NDJSON", scan(tools, "-", "--format", f"ndjson={output}"), output, stdin=path),
            ]
        results["memory"][size] = interleave(tools, runs, min(tools.given.rounds, 3))
        output.unlink(missing_ok=True)


def packed(tools, results):
    """Compressed input against plain input, and against unpacking alone."""
    size = "1M" if "1M" in tools.given.sizes else tools.given.sizes[-1]
    path = generate(tools, size)
    runs = [Run("plain", scan(tools, path, "--format", "summary"))]
    for tool, suffix, level in (("gzip", ".gz", "-6"), ("zstd", ".zst", "-3")):
        if not shutil.which(tool):
            say(f"{tool} not found: left out")
            continue
        small = path.with_name(path.name + suffix)
        if not small.exists():
            with open(small, "wb") as file:
                call([tool, level, "-c", path], stdout=file)
        warm(small)
        runs.append(Run(tool, scan(tools, small, "--format", "summary")))
        runs.append(Run(f"{tool}, unpacking alone", ["sh", "-c", f"{tool} -dc '{small}' > /dev/null"]))
    warm(path)
    say(f"compressed input, {size}")
    results["packed"] = {"size": size, "runs": interleave(tools, runs, tools.given.rounds)}


def threads(tools, results):
    """The output is byte for byte the same at any number of threads."""
    results["threads"] = {}
    for size in [size for size in tools.given.sizes if size != "10M"]:
        path = generate(tools, size)
        say(f"threads, {size}")
        sums = {}
        for form in ("ndjson", "csv", "json", "summary"):
            for number in (1, 2, 7):
                command = scan(tools, path, "--format", form, "--threads", number)
                with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE) as process:
                    digest = hashlib.file_digest(process.stdout, "sha256").hexdigest()
                sums.setdefault(form, set()).add(digest)
        different = [form for form, digests in sums.items() if len(digests) > 1]
        if different:
            sys.exit(f"{', '.join(different)} depends on the number of threads at {size}")
        results["threads"][size] = sorted(sums)


# Tables


def machine():
    facts = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    flags = [flag for flag in ("avx2", "avx512bw") if flag in facts.get("flags", "").split()]
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": facts.get("model name") or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "instructions": flags,
        "memory GiB": round(pages / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def table(header, rows):
    cells = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in cells)


def seconds(value):
    return f"{value * 1_000:.1f} ms" if value < 0.1 else f"{value:.3f} s" if value < 10 else f"{value:.1f} s"


def times(value):
    return f"{value:.2f}" if value < 20 else f"{value:,.0f}"


def tables(results):
    """The Markdown of each table, by the name of its markers."""
    by_name = {"machine": machine_table(results)}
    if "count" in results:
        for size, figures in results["count"].items():
            by_name[f"count-{size}"] = count_table(results, size, figures)
        by_name["growth"] = growth_table(results)
        by_name["agree"] = agree_table(results)
    if "write" in results:
        by_name["write"] = "\n\n".join(write_table(size, figures) for size, figures in results["write"].items())
    if "many" in results:
        figures = results["many"]
        base = figures["one file of 1 M users"]["wall"]
        by_name["many"] = plain_table(figures, base, "one file = 1")
    if "start" in results:
        by_name["start"] = plain_table(results["start"])
    if "memory" in results:
        ways = list(dict.fromkeys(way for figures in results["memory"].values() for way in figures))
        rows = [
            [size, *(f"{figures[way]['peak']:.0f} MiB" if way in figures else "–" for way in ways)]
            for size, figures in results["memory"].items()
        ]
        by_name["memory"] = table(["users", *ways], rows)
    if "packed" in results:
        figures = results["packed"]["runs"]
        by_name["packed"] = plain_table(figures, figures["plain"]["wall"], "plain = 1")
    if "threads" in results:
        forms = ", ".join(next(iter(results["threads"].values()), []))
        sizes = ", ".join(results["threads"])
        by_name["threads"] = f"{forms} at {sizes} users: the output is byte for byte the same with 1, 2 and 7 threads."
    by_name["targets"] = target_table(results)
    return {name: text for name, text in by_name.items() if text}


def machine_table(results):
    facts = results["machine"]
    rows = [
        ["date", results["taken"]],
        ["commit", f"{results['commit']}, {results['version']}"],
        ["machine", f"{facts['cores']} cores, {facts['processor']} ({', '.join(facts['instructions']) or 'plain'}), "
                    f"{facts['memory GiB']} GiB, {facts['system']}"],
        ["peers", ", ".join([*results["peers"], f"Python {facts['python']}"])],
        ["files", f"`synth --seed {results['seed']}`; page cache warm"],
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def count_table(results, size, figures):
    base = figures["credlens, default rules"]["wall"]
    rows = []
    for name, row in figures.items():
        if name.startswith("start of"):
            continue
        rows.append([
            name, seconds(row["wall"]), f"{seconds(row['least'])}–{seconds(row['most'])}", seconds(row["cpu"]),
            f"{row['peak']:.0f} MiB", times(row["wall"] / base),
        ])
    megabytes = results["bytes"][size] / 1e6
    head = f"{SIZES[size]:,} users, {megabytes:,.1f} MB"
    text = table([head, "wall", "min–max", "CPU", "peak memory", "ours = 1"], rows)
    starts = [f"{name.removeprefix('start of ')} {seconds(row['wall'])}"
              for name, row in figures.items() if name.startswith("start of")]
    return text + (f"\n\nOf which startup alone takes: {', '.join(starts)}." if starts else "")


def growth_table(results):
    names = list(dict.fromkeys(name for figures in results["count"].values() for name in figures
                               if not name.startswith("start of")))
    sizes = list(results["count"])
    rows = []
    for name in names:
        walls = [results["count"][size].get(name, {}).get("wall") for size in sizes]
        rows.append([name, *(f"{wall / SIZES[size] * 1e9:,.0f}" if wall else "–" for wall, size in zip(walls, sizes))])
    return table(["ns per user, wall", *sizes], rows)


def agree_table(results):
    sizes = list(results["counts"])
    rows = [[rule, *(f"{results['counts'][size][rule]:,}" for size in sizes)] for rule in rules.RULES]
    return table(["count, the same for all tools", *sizes], rows)


def write_table(size, figures):
    base = figures["credlens, NDJSON, default rules, evidence"]
    per = base["wall"] / base["findings"]
    rows = [
        [name, f"{row['findings']:,}", f"{row['written'] / 1e6:,.0f} MB", seconds(row["wall"]), seconds(row["cpu"]),
         f"{row['peak']:.0f} MiB", f"{row['wall'] / row['findings'] * 1e9:,.0f} ns",
         times(row["wall"] / row["findings"] / per)]
        for name, row in figures.items()
    ]
    head = f"{SIZES[size]:,} users"
    return table([head, "findings", "written", "wall", "CPU", "peak memory", "per finding", "ours = 1"], rows)


def plain_table(figures, base=None, against=None):
    rows = []
    for name, row in figures.items():
        cells = [name, seconds(row["wall"]), f"{seconds(row['least'])}–{seconds(row['most'])}", seconds(row["cpu"]),
                 f"{row['peak']:.0f} MiB"]
        rows.append(cells + ([times(row["wall"] / base)] if base else []))
    return table(["", "wall", "min–max", "CPU", "peak memory", *([against] if base else [])], rows)


def target_table(results):
    """The performance targets, and the measured results."""
    rows = []

    def wall(size, name):
        return results.get("count", {}).get(size, {}).get(name, {}).get("wall")

    def ratio(text, wanted, above, below, at_least=True):
        if above and below:
            got = above / below
            met = got >= wanted if at_least else got <= wanted
            bound = "at least" if at_least else "at most"
            rows.append([text, f"{bound} {wanted}", times(got), "yes" if met else "**no**"])

    def most(text, wanted, got, unit):
        if got is not None:
            rows.append([text, f"under {wanted} {unit}", f"{got:.1f} {unit}", "yes" if got < wanted else "**no**"])

    ours, newlines = "credlens, default rules", "newlines, mapped, 2 threads"
    for size, wanted in (("1M", 5), ("10M", 4.5)):
        ratio(f"{size}: DuckDB's time / ours", wanted, wall(size, "DuckDB, typed"), wall(size, ours))
    ratio("1M: our time / that of a newline count, mapped, two threads", 4, wall("1M", ours), wall("1M", newlines), False)
    figures = results.get("write", {}).get("1M", {})
    per = {name: row["wall"] / row["findings"] for name, row in figures.items()}
    fastest = [name for name in per if name.startswith("DuckDB")]
    if fastest:
        ratio("1M: time per finding as NDJSON, DuckDB's faster way / ours", 2, min(per[name] for name in fastest),
              per["credlens, NDJSON, default rules, evidence"])
    ratio("50k: Cloud Custodian's time / ours, six rules", 500, wall("50k", "Cloud Custodian"),
          wall("50k", "credlens, six rules"))
    peaks = [row["peak"] for figures in results.get("memory", {}).values() for row in figures.values()]
    most("peak memory, any size, file or standard input, counting or writing", 64, max(peaks, default=None), "MiB")
    ratio("time at 10M / 10 times the time at 1M", 1.1, wall("10M", ours), 10 * (wall("1M", ours) or 0), False)
    begun = results.get("start", {})
    for name, wanted in (("5,000 users, summary", 15), ("`credlens --version`", 8)):
        most(name, wanted, begun[name]["wall"] * 1_000 if name in begun else None, "ms")
    figures = results.get("many", {})
    if figures:
        ratio("time for 10,000 files of 100 users / one file", 1, figures["10,000 files of 100 users"]["wall"],
              figures["one file of 1 M users"]["wall"], False)
    return table(["what", "target", "measured", "met"], rows) if rows else ""


def fill(page, by_name):
    """Puts each table between its markers; markers without a table keep their content."""
    text = page.read_text()
    for name, content in by_name.items():
        begin, end = f"<!-- figures: {name} -->", f"<!-- end: {name} -->"
        if begin not in text:
            continue
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n\n{content}\n\n{end}{after}"
    page.write_text(text)
    say(f"filled {page.relative_to(REPO)}")


def main():
    given = arguments()
    if given.page_from:
        fill(PAGE, tables(json.loads(given.page_from.read_text())))
        return
    tools = Tools(given)
    requirements = [line for kind in tools.kinds() for line in
                    (HERE / f"requirements-{kind}.txt").read_text().split()]
    changed = " (with changes)" if text_of(["git", "status", "--porcelain", "src", "Cargo.lock"]) else ""
    results = {
        "taken": time.strftime("%Y-%m-%d"),
        "commit": text_of(["git", "rev-parse", "--short=12", "HEAD"]) + changed,
        "version": text_of([tools.credlens, "--version"]),
        "machine": machine(),
        "peers": [line.replace("==", " ") for line in requirements],
        "seed": given.seed,
    }
    began = time.monotonic()
    for step in given.only:
        globals()[step](tools, results)
        (tools.work / "results.json").write_text(json.dumps(results, indent=1))
    by_name = tables(results)
    text = "\n\n".join(f"## {name}\n\n{content}" for name, content in by_name.items())
    (tools.work / "tables.md").write_text(text + "\n")
    print(text)
    say(f"done in {time.monotonic() - began:.0f} s; {tools.work / 'results.json'}")
    everything = given.only == list(STEPS) and given.sizes == list(SIZES) and given.peers == list(PEERS)
    if given.page or everything:
        fill(PAGE, by_name)


if __name__ == "__main__":
    main()
