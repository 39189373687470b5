"""The step of the action: installs credlens, runs `scan` and `diff`, and writes the step summary and the outputs.

Everything comes in through the environment: INPUT_… has the inputs of action.yml, GITHUB_… and RUNNER_TEMP are the runner's. With
CREDLENS, the path of a program, nothing is installed. Needs nothing but Python 3.9.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

# GitHub refuses a step summary of more than 1,024 KiB.
SUMMARY_BYTES = 1000 * 1024

# Exit statuses, the one that counts first: docs/outputs.md, and README.md of the project.
USAGE, NO_INPUT, PARTIAL = 2, 3, 4
PRECEDENCE = [USAGE, 5, NO_INPUT, PARTIAL, 1, 0]


def main() -> None:
    temp = Path(os.environ["RUNNER_TEMP"])
    # Only the user of this step can read the reports.
    os.umask(0o077)
    work = temp / "credlens"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    step = Step(install(work), work, earlier=temp / "credlens-earlier")
    step.check_inputs()
    inputs, fetched = step.inputs()
    scanned = step.scan(inputs)
    compared = step.compare(inputs)
    step.store(complete=PARTIAL not in (fetched, scanned) and scanned in (0, 1))
    step.write_summary()
    status = min((fetched, scanned, compared), key=rank)
    step.output(status=status)
    sys.exit(status)


def rank(status: int) -> int:
    """Signals and what is unknown come first."""
    return PRECEDENCE.index(status) if status in PRECEDENCE else -1


def setting(name: str) -> str:
    return os.environ.get(f"INPUT_{name}", "").strip()


def fail(message: str) -> NoReturn:
    """End with a usage error. Messages are ours: they repeat no text of a report."""
    escaped = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::error title=credlens::{escaped}", flush=True)
    with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as file:
        file.write(f"status={USAGE}\n")
    sys.exit(USAGE)


def words(name: str) -> list[str]:
    """An input as words, split as a shell does, without variables and patterns."""
    try:
        split = shlex.split(setting(name))
    except ValueError as error:
        fail(f"{name.lower().replace('_', '-')}: {error}")
    if "--" in split:
        fail(f"{name.lower().replace('_', '-')}: -- is not an option; reports are given in inputs")
    return split


# --- Installing ---


def install(work: Path) -> str:
    """The path of the program, in an environment of its own."""
    if os.environ.get("CREDLENS"):
        return os.environ["CREDLENS"]
    wheel, version = setting("WHEEL"), setting("VERSION")
    if wheel and version:
        fail("give a version or a wheel, not both")
    if wheel:
        wanted = str(Path(wheel).resolve())
    else:
        version = version or own_version()
        if not re.fullmatch(r"[0-9][0-9A-Za-z.]*", version):
            fail("version: not a version such as 0.2.0")
        wanted = f"credlens=={version}"
    venv = work / "venv"
    # Isolated, and not in the checkout: its venv.py or pip/ would be run, with the keys of the workflow.
    pip = [str(venv / "bin" / "python"), "-I", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    for command in ([sys.executable, "-I", "-m", "venv", str(venv)], [*pip, "--only-binary=:all:", "--no-deps", wanted]):
        if subprocess.run(command, check=False, cwd=work).returncode != 0:  # noqa: S603 a list, not a shell
            fail(f"credlens could not be installed: {shlex.join(command)} failed")
    program = venv / "bin" / "credlens"
    if not program.is_file():
        fail(f"credlens could not be installed: {wanted} does not have it")
    return str(program)


def own_version() -> str:
    """That of the repository of this action, in the state that the workflow names."""
    manifest = (Path(__file__).resolve().parents[1] / "Cargo.toml").read_text(encoding="utf-8")
    found = re.search(r'^version = "([^"]+)"$', manifest, re.MULTILINE)
    if found is None:
        fail("version: Cargo.toml does not say it")
    return found[1]


# --- Running ---


class Step:
    """One run: the program, its files below RUNNER_TEMP, and the parts of the summary."""

    def __init__(self, program: str, work: Path, *, earlier: Path) -> None:
        self.program = program
        self.work = work
        self.earlier = earlier
        self.summary: list[str] = []

    def check_inputs(self) -> None:
        for name in ("SARIF", "ANNOTATIONS"):
            if setting(name) not in ("true", "false", ""):
                fail(f"{name.lower()}: true or false")
        if setting("CACHE") and setting("BASELINE"):
            fail("give a baseline or a cache, not both")
        if not re.fullmatch(r"[A-Za-z0-9._-]*", setting("CACHE")):
            fail("cache: a name of letters, digits, dots, - and _")
        self.arguments, self.diff_arguments = words("ARGUMENTS"), words("DIFF_ARGUMENTS")
        self.aws_arguments = words("AWS_ARGUMENTS")

    def inputs(self) -> tuple[list[str], int]:
        """The reports, and the status of fetching them. Those of live accounts are saved, so that they can be compared."""
        given = [line.strip() for line in setting("INPUTS").splitlines() if line.strip()]
        if given:
            if self.aws_arguments:
                fail("aws-arguments are for the live account, and inputs are given")
            if any("://" in name for name in given) and (setting("CACHE") or (setting("BASELINE") and len(given) > 1)):
                fail("cache, and a baseline for several inputs, need reports as files and directories")
            return given, 0
        reports = self.work / "reports"
        reports.mkdir()
        status = self.run("fetch", f"--output={reports}", *self.aws_arguments)
        if status not in (0, PARTIAL):
            self.give_up("fetch", status)
        return [str(reports)], status

    def scan(self, inputs: Sequence[str]) -> int:
        """Findings as JSON, Markdown and, if asked for, SARIF; the counts go to the log, where names of users do not belong."""
        findings, log = self.work / "findings.json", self.work / "log.txt"
        sarif, annotations = self.work / "findings.sarif", self.work / "annotations.txt"
        options = [f"--format=json={findings}", f"--format=markdown={self.work / 'scan.md'}", f"--format=summary={log}"]
        if setting("SARIF") == "true":
            options.append(f"--format=sarif={sarif}")
        if setting("ANNOTATIONS") == "true":
            options.append(f"--format=github={annotations}")
        if setting("FAIL_ON"):
            options.append(f"--fail-on={setting('FAIL_ON')}")
        status = self.run("scan", *options, *self.arguments, "--", *inputs, shown=log)
        if status not in (0, 1, PARTIAL):
            self.give_up("scan", status)
        if not findings.exists():
            fail("arguments: with these, `credlens scan` evaluates nothing")
        rules = json.loads(findings.read_text(encoding="utf-8"))["rules"]
        self.output(findings=findings)
        for count in ("failed", "undetermined", "suppressed"):
            self.output(**{count: sum(rule[count] for rule in rules)})
        if sarif.exists():
            self.output(sarif=sarif)
        if annotations.exists():
            # The program has escaped them: no name in a report begins a command.
            print(annotations.read_text(encoding="utf-8"), end="", flush=True)
        self.summary.append((self.work / "scan.md").read_text(encoding="utf-8"))
        return status

    def compare(self, inputs: Sequence[str]) -> int:
        """What changed since the baseline, or since the reports in the cache."""
        old = setting("BASELINE")
        if not old and not setting("CACHE"):
            return 0
        reports = self.reports()
        new = inputs[0] if len(inputs) == 1 else str(self.copy(reports, self.work / "together"))
        if setting("CACHE"):
            if not self.earlier.is_dir():
                self.summary.append("No earlier reports are in the cache: the next run is compared with these.\n")
                return 0
            if contents(self.earlier) == contents(*reports):
                self.output(opened=0, resolved=0)
                self.summary.append("The reports are the same as in the last run.\n")
                return 0
            # Two files are compared even if nothing dates them.
            old_file = only_file(self.earlier)
            new_file = reports[0] if len(reports) == 1 else None
            old, new = (str(old_file), str(new_file)) if old_file and new_file else (str(self.earlier), new)
        changes = self.work / "changes.json"
        options = [f"--format=json={changes}", f"--format=markdown={self.work / 'diff.md'}"]
        status = self.run("diff", *options, *self.diff_arguments, "--", old, new)
        if status not in (0, 1):
            self.summary.append(f"`credlens diff` ended with status {status}; the log has the reason.\n")
            return status
        document: dict[str, Any] = json.loads(changes.read_text(encoding="utf-8"))
        for count in ("opened", "resolved"):
            self.output(**{count: len(document["findings"][count])})
        self.summary.append((self.work / "diff.md").read_text(encoding="utf-8"))
        return status

    def store(self, *, complete: bool) -> None:
        """The reports of this run, for the cache. An incomplete run leaves the earlier ones, so that no account is lost."""
        if setting("CACHE") and complete:
            shutil.rmtree(self.earlier, ignore_errors=True)
            self.copy(self.reports(), self.earlier)
            self.output(store="true")

    def reports(self) -> list[Path]:
        """The files that were evaluated, and those of details beside them; nothing else that is below the inputs."""
        document = json.loads((self.work / "findings.json").read_text(encoding="utf-8"))
        found = {file_of(entry["path"]) for entry in document["inputs"]}
        details = {path.with_name(path.name.split(".")[0] + ".details.json") for path in found}
        return sorted(path for path in found | details if path.is_file() and not path.is_symlink())

    def copy(self, reports: Sequence[Path], folder: Path) -> Path:
        """Copies under their own paths, which may have the date."""
        for path in reports:
            is_below = not path.is_absolute() and ".." not in path.parts
            parts = ("below", *path.parts) if is_below else ("elsewhere", *path.resolve().parts[1:])
            target = folder.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        return folder

    def run(self, *arguments: str, shown: Path | None = None) -> int:
        """Run the program with the runner's commands switched off: names in reports are not trusted. One stream, since of two
        the runner may read the second after the commands are on again."""
        token = secrets.token_hex(16)
        print(f"::stop-commands::{token}", flush=True)
        try:
            status = subprocess.run([self.program, *arguments], stderr=subprocess.STDOUT, check=False).returncode  # noqa: S603
            if shown is not None and shown.exists():
                print(shown.read_text(encoding="utf-8"), flush=True)
        except OSError as error:
            print(error, flush=True)
            status = USAGE
        finally:
            print(f"\n::{token}::", flush=True)
        # A signal, as a shell says it.
        return status if status >= 0 else 128 - status

    def give_up(self, command: str, status: int) -> NoReturn:
        self.summary.append(f"`credlens {command}` ended with status {status}; the log has the reason.\n")
        self.write_summary()
        self.output(status=status)
        print(f"::error title=credlens::credlens {command} ended with status {status}", flush=True)
        sys.exit(status)

    def output(self, **values: object) -> None:
        """Numbers, and paths below RUNNER_TEMP: no value has a line end."""
        with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in values.items())

    def write_summary(self) -> None:
        path = Path(os.environ["GITHUB_STEP_SUMMARY"])
        before = path.stat().st_size if path.exists() else 0
        with path.open("ab") as file:
            file.write(cut("\n".join(self.summary), SUMMARY_BYTES - before))


def file_of(path: str) -> Path:
    """`reports.csv` of `reports.csv#2`, the second report in it; unless a file has that name."""
    return Path(path) if Path(path).is_file() else Path(re.sub(r"#[0-9]+$", "", path))


def files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(below for below in path.rglob("*") if below.is_file())


def only_file(path: Path) -> Path | None:
    found = files(path)
    return found[0] if len(found) == 1 else None


def contents(*paths: Path) -> list[tuple[str, str]]:
    """Names and hashes of all files."""
    found = [file for path in paths for file in files(path)]
    return sorted((file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in found)


def cut(text: str, limit: int) -> bytes:
    """The text as bytes, at most so many: whole lines, and a sentence that counts the others."""
    content = text.encode()
    if len(content) <= limit:
        return content
    lines = content.splitlines(keepends=True)

    def closing(left: int) -> bytes:
        return (
            f"\n{left:,} more lines do not fit into a step summary; the output `findings` is the path of all findings.\n".encode()
        )

    size, kept = len(closing(len(lines))), 0
    while size + len(lines[kept]) <= limit:
        size += len(lines[kept])
        kept += 1
    return b"".join(lines[:kept]) + closing(len(lines) - kept)


if __name__ == "__main__":
    main()
