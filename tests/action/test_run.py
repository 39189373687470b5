"""The script of the action, run as a runner runs it: a process with variables, files for outputs and for the summary."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "action" / "run.py"
COOKBOOK = ROOT / "fixtures" / "cookbook"
DEMO = ROOT / "fixtures" / "demo"


@dataclass
class Ran:
    status: int
    log: str
    outputs: dict[str, str]
    summary: str

    def commands(self) -> list[str]:
        """The lines of the log that a runner would take for commands."""
        found, stopped = [], None
        for line in map(str.strip, self.log.splitlines()):
            if stopped is not None:
                stopped = None if line == f"::{stopped}::" else stopped
            elif line.startswith("::stop-commands::"):
                stopped = line.removeprefix("::stop-commands::")
                assert re.fullmatch("[0-9a-f]{32}", stopped)
            elif line.startswith("::") or "##[" in line:
                found.append(line)
        assert stopped is None, "commands stay off"
        return found


Run = Callable[..., Ran]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A checkout with the reports of the cookbook."""
    return shutil.copytree(COOKBOOK, tmp_path / "workspace")


@pytest.fixture
def run(tmp_path: Path, workspace: Path) -> Run:
    def step(*, program: str | None = None, **inputs: str) -> Ran:
        files = {name: tmp_path / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.unlink(missing_ok=True)
        environment = {name: os.environ[name] for name in ("PATH", "CREDLENS")}
        environment |= {name: str(file) for name, file in files.items()}
        environment |= {f"INPUT_{name.upper()}": value for name, value in inputs.items()}
        environment |= {"GITHUB_WORKSPACE": str(workspace), "RUNNER_TEMP": str(tmp_path / "temp"), "GITHUB_ACTIONS": "true"}
        if program is not None:
            environment["CREDLENS"] = program
        ran = subprocess.run(
            [sys.executable, SCRIPT],
            cwd=workspace,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        text = files["GITHUB_OUTPUT"].read_text() if files["GITHUB_OUTPUT"].exists() else ""
        outputs = dict(line.split("=", 1) for line in text.splitlines())
        summary = files["GITHUB_STEP_SUMMARY"].read_text() if files["GITHUB_STEP_SUMMARY"].exists() else ""
        return Ran(ran.returncode, ran.stdout, outputs, summary)

    return step


def rules_of(path: str) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = json.loads(Path(path).read_text())["rules"]
    return rules


def test_counts_summary_and_status(run: Run) -> None:
    ran = run(inputs=str(DEMO))
    assert ran.status == 1
    rules = rules_of(ran.outputs["findings"])
    for count in ("failed", "undetermined", "suppressed"):
        assert int(ran.outputs[count]) == sum(rule[count] for rule in rules)
    assert ran.outputs["status"] == "1"
    assert ran.summary.startswith("# IAM credential report: 32 failed (5 critical, 8 high, 12 medium, 7 low)")
    assert "opened" not in ran.outputs
    assert "sarif" not in ran.outputs
    assert "etl-nightly" in ran.summary
    assert "etl-nightly" not in ran.log, "the log has counts, and no names"
    assert ran.commands() == []


def test_fail_on_and_arguments(run: Run, workspace: Path) -> None:
    assert run(inputs=str(DEMO), fail_on="never").status == 0
    ran = run(inputs=str(DEMO), arguments="--rule 'root-*' --set root-recently-used.window=1", fail_on="critical")
    assert ran.status == 1
    assert {rule["id"].split("-")[0] for rule in rules_of(ran.outputs["findings"])} == {"root"}
    (workspace / "my rules.gsl").write_text("# Everyone is alice\nIamUser should have name = 'alice'\n")
    ran = run(inputs=str(DEMO), arguments="--rules-from 'my rules.gsl'\n--rule '*alice*'")
    assert ran.status == 2
    ran = run(inputs=str(DEMO), arguments="--rules-from 'my rules.gsl'\n--rule 'my*'")
    assert [rule["tested"] for rule in rules_of(ran.outputs["findings"])] == [45]


def test_several_inputs_and_names_with_blanks(run: Run, workspace: Path) -> None:
    shutil.copy(workspace / "reports/2026-06-01/111122223333.csv", workspace / "one report.csv")
    ran = run(inputs="\n  one report.csv\nreports/2026-06-01/444455556666.csv\n\n", fail_on="never")
    assert ran.status == 0
    assert len(json.loads(Path(ran.outputs["findings"]).read_text())["inputs"]) == 2


def test_a_baseline_is_compared(run: Run) -> None:
    old, new = "reports/2026-05-01", "reports/2026-06-01"
    ran = run(inputs=new, baseline=old, fail_on="never")
    assert ran.status == 0
    assert (ran.outputs["opened"], ran.outputs["resolved"]) == ("6", "4")
    assert "# IAM credential reports: what changed" in ran.summary
    assert ran.summary.startswith("# IAM credential report: ")
    assert run(inputs=new, baseline=old, fail_on="never", diff_arguments="--fail-on-new high").status == 1
    several = "\n".join(f"{new}/{account}.csv" for account in ("111122223333", "444455556666"))
    ran = run(inputs=several, baseline=old, fail_on="never")
    assert (ran.status, ran.outputs["opened"]) == (0, "6")


def test_a_comparison_that_fails(run: Run) -> None:
    ran = run(inputs="reports/2026-05-01", baseline="reports/2026-06-01")
    assert ran.status == 2
    assert "`credlens diff` ended with status 2" in ran.summary
    assert int(ran.outputs["failed"]) > 0


def test_the_cache_has_the_reports_of_the_last_run(run: Run, tmp_path: Path) -> None:
    first = run(inputs="reports/2026-05-01", cache="nightly", fail_on="never")
    assert (first.status, first.outputs["store"]) == (0, "true")
    assert "opened" not in first.outputs
    assert "No earlier reports are in the cache" in first.summary
    second = run(inputs="reports/2026-06-01", cache="nightly", fail_on="never")
    assert (second.outputs["opened"], second.outputs["resolved"]) == ("6", "4")
    third = run(inputs="reports/2026-06-01", cache="nightly", fail_on="never")
    assert (third.outputs["opened"], third.outputs["resolved"]) == ("0", "0")
    assert (tmp_path / "temp/credlens-earlier/below/reports/2026-06-01/111122223333.csv").exists()


def test_an_incomplete_run_leaves_the_cache(run: Run, tmp_path: Path) -> None:
    run(inputs="reports/2026-05-01", cache="nightly")
    ran = run(inputs="reports/2026-06-01\nmissing.csv", cache="nightly")
    assert ran.status == 4
    assert "store" not in ran.outputs
    assert (tmp_path / "temp/credlens-earlier/below/reports/2026-05-01").exists()


def test_undated_files_in_the_cache(run: Run, workspace: Path) -> None:
    shutil.copy(workspace / "reports/2026-05-01/111122223333.csv", workspace / "latest.csv")
    assert run(inputs="latest.csv", cache="nightly", fail_on="never").status == 0
    shutil.copy(workspace / "reports/2026-06-01/111122223333.csv", workspace / "latest.csv")
    ran = run(inputs="latest.csv", cache="nightly", fail_on="never")
    assert ran.status == 0
    assert int(ran.outputs["opened"]) > 0


def test_sarif_and_annotations(run: Run) -> None:
    ran = run(inputs="reports/2026-06-01/111122223333.csv", sarif="true", annotations="true", fail_on="never")
    sarif = json.loads(Path(ran.outputs["sarif"]).read_text())
    assert sarif["runs"][0]["results"]
    assert {command.split(" ")[0] for command in ran.commands()} <= {"::error", "::warning", "::notice"}
    assert ran.commands()


def test_the_live_account_is_fetched_first(run: Run, tmp_path: Path) -> None:
    """A stand-in for `credlens fetch`, which needs AWS: the reports that it saves are scanned and compared."""
    program = tmp_path / "program"
    program.write_text(f"""#!/bin/sh
if [ "$1" = fetch ]; then
    printf '%s\\n' "$@" >"{tmp_path}/asked"
    cp "$DAY"/*.csv "${{2#--output=}}"
    exit 4
fi
exec "{os.environ["CREDLENS"]}" "$@"
""")
    program.chmod(0o755)
    path = program.read_text().replace("$DAY", "reports/2026-06-01")
    program.write_text(path)
    ran = run(program=str(program), aws_arguments="--org --role-name 'My Role'", cache="nightly")
    assert (tmp_path / "asked").read_text().splitlines()[2:] == ["--org", "--role-name", "My Role"]
    assert ran.status == 4, "some accounts failed"
    assert int(ran.outputs["failed"]) > 0
    assert "store" not in ran.outputs
    program.write_text(path.replace("exit 4", "exit 0"))
    assert run(program=str(program), cache="nightly").outputs["store"] == "true"
    program.write_text("#!/bin/sh\necho 'error: no credentials' >&2\nexit 3\n")
    ran = run(program=str(program))
    assert (ran.status, ran.outputs["status"]) == (3, "3")
    assert "error: no credentials" in ran.log
    assert ran.summary == "`credlens fetch` ended with status 3; the log has the reason.\n"


@pytest.mark.parametrize(
    ("inputs", "status", "words"),
    [
        ({"inputs": "missing.csv"}, 3, "missing.csv"),
        ({"inputs": "reports", "arguments": "--no-such-option"}, 2, "--no-such-option"),
        ({"inputs": "reports", "arguments": "--rule 'open"}, 2, "arguments: No closing quotation"),
        ({"inputs": "reports", "arguments": "-- x"}, 2, "arguments: -- is not an option"),
        ({"inputs": "reports", "aws_arguments": "--org"}, 2, "aws-arguments are for the live account"),
        ({"inputs": "reports", "baseline": "x", "cache": "x"}, 2, "not both"),
        ({"inputs": "reports", "cache": "a b"}, 2, "cache: a name of letters"),
        ({"inputs": "reports", "sarif": "yes"}, 2, "sarif: true or false"),
        ({"inputs": "reports", "fail_on": "worst"}, 2, "worst"),
        ({"inputs": "s3://bucket/x", "cache": "x"}, 2, "need reports as files"),
    ],
)
def test_errors(run: Run, inputs: dict[str, str], status: int, words: str) -> None:
    ran = run(**inputs)
    assert ran.status == status
    assert words in ran.log


def test_hostile_names_are_neither_commands_nor_outputs(run: Run, workspace: Path) -> None:
    header, _root, alice, *_ = (ROOT / "fixtures/csv.csv").read_text().splitlines(keepends=True)
    names = [
        "::error::x",
        "::set-output name=failed::0",
        "##[add-mask]x",
        "a%0Afailed=0",
        "</td><script>",
        "`$(id)`",
        "::add-path::/x",
    ]
    rows = [alice.replace("alice", name).replace(",true,true,", ",false,true,") for name in names]
    (workspace / "2026-11-21.csv").write_text(header + "".join(rows))
    ran = run(inputs="2026-11-21.csv", arguments="--format table --limit 0 -v", annotations="true", sarif="true")
    assert ran.status == 1
    assert "::error::x" in ran.log, "the table is in the log"
    assert not [command for command in ran.commands() if not re.match("::(error|warning|notice) title=", command)]
    assert set(ran.outputs) == {"status", "failed", "undetermined", "suppressed", "findings", "sarif"}
    assert int(ran.outputs["failed"]) >= len(names)
    assert "<script>" not in ran.summary.replace("`</td><script>`", "")


def test_hostile_inputs_are_arguments(run: Run, workspace: Path) -> None:
    ran = run(inputs="$(touch injected)\n--help\n`touch injected`; touch injected", arguments="--user '$(touch injected)'")
    assert ran.status == 3
    assert not (workspace / "injected").exists()


def test_a_long_summary_is_cut_at_a_line(run: Run, workspace: Path) -> None:
    header, _root, alice, _robot = (ROOT / "fixtures/csv.csv").read_text().splitlines(keepends=True)
    users = 12_000
    rows = [alice.replace("alice", f"ä{number:05}").replace(",true,true,", ",false,true,") for number in range(users)]
    (workspace / "2026-11-21.csv").write_text(header + "".join(rows))
    ran = run(inputs="2026-11-21.csv", arguments="--limit 0 --rule console-user-without-mfa")
    assert int(ran.outputs["failed"]) == users
    content = ran.summary.encode()
    assert 1000 * 1024 - 2000 < len(content) <= 1000 * 1024
    *shown, blank, last = ran.summary.splitlines()
    left = re.match(r"([\d,]+) more lines do not fit into a step summary", last)
    assert left
    assert blank == ""
    whole = (workspace.parent / "temp/credlens/scan.md").read_text().splitlines()
    assert shown == whole[: len(shown)]
    assert int(left[1].replace(",", "")) == len(whole) - len(shown)


def wheel(path: Path) -> Path:
    """A wheel whose program is a script: what installs it is tested here, what is in the real one by tests/wheel/run."""
    name = "credlens-9.9.9"
    files = {
        f"{name}.data/scripts/credlens": f"#!/bin/sh\necho installed\nexec '{os.environ['CREDLENS']}' \"$@\"\n",
        f"{name}.dist-info/METADATA": "Metadata-Version: 2.1\nName: credlens\nVersion: 9.9.9\n",
        f"{name}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{name}.dist-info/RECORD": "",
    }
    path.mkdir()
    with zipfile.ZipFile(path / f"{name}-py3-none-any.whl", "w") as file:
        for inside, text in files.items():
            information = zipfile.ZipInfo(inside)
            information.external_attr = 0o100755 << 16
            file.writestr(information, text)
    return path / f"{name}-py3-none-any.whl"


def test_a_wheel_is_installed(run: Run, tmp_path: Path) -> None:
    ran = run(program="", wheel=str(wheel(tmp_path / "wheels")), inputs=str(DEMO), fail_on="never")
    assert ran.status == 0
    assert "installed" in ran.log
    ran = run(program="", wheel="no-such.whl", inputs=str(DEMO))
    assert ran.status == 2
    assert "could not be installed" in ran.log
    for version in ("1.0 --index-url=x", "../x", "-r/etc/passwd"):
        assert "not a version" in run(program="", version=version, inputs=str(DEMO)).log


def test_the_default_version_is_that_of_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    import run as script  # noqa: PLC0415 only this test reads the script as a module

    assert f'\nversion = "{script.own_version()}"\n' in (ROOT / "Cargo.toml").read_text()


def test_the_cache_has_reports_and_nothing_else(run: Run, workspace: Path, tmp_path: Path) -> None:
    """Not the token of a checkout, not what a link leads to; and a link in a circle ends nothing."""
    (workspace / ".git").mkdir()
    (workspace / ".git" / "config").write_text("AUTHORIZATION: basic SECRET")
    (workspace / "reports" / "notes.txt").symlink_to("/etc/passwd")
    (workspace / "reports" / "loop").symlink_to(".")
    ran = run(inputs=".", cache="nightly")
    assert ran.status in (0, 1, 4), ran.log
    stored = [path for path in (tmp_path / "temp" / "credlens-earlier").rglob("*") if not path.is_dir()]
    assert ran.outputs.get("store") != "true" or stored
    assert all(path.suffix in (".csv", ".json") and not path.is_symlink() for path in stored), stored
    assert "Traceback" not in ran.log


def test_nothing_of_the_checkout_is_run(run: Run, workspace: Path, tmp_path: Path) -> None:
    for name in ("venv.py", "pip/__init__.py", "ensurepip.py"):
        (workspace / name).parent.mkdir(exist_ok=True)
        (workspace / name).write_text(f"open({str(tmp_path / 'hijacked')!r}, 'w')")
    ran = run(program="", inputs="reports", wheel="missing.whl")
    assert (ran.status, ran.outputs) == (2, {"status": "2"})
    assert not (tmp_path / "hijacked").exists()


@pytest.mark.parametrize("arguments", ["--help", "--version", "'unclosed"])
def test_arguments_that_evaluate_nothing_are_usage_errors(run: Run, arguments: str) -> None:
    ran = run(inputs="reports", arguments=arguments)
    assert ran.status == 2
    assert ran.outputs["status"] == "2"
    assert "Traceback" not in ran.log


def test_the_cache_has_files_of_several_reports(run: Run, workspace: Path, tmp_path: Path) -> None:
    """The program calls them `both.csv#1` and `both.csv#2`, and archived reports likewise."""
    days = workspace / "reports" / "2026-06-01"
    both = "".join((days / f"{account}.csv").read_text() for account in ("111122223333", "444455556666"))
    (workspace / "both-2026-06-01.csv").write_text(both)
    ran = run(inputs="both-2026-06-01.csv", cache="nightly")
    assert (ran.status, ran.outputs["store"]) == (1, "true")
    stored = tmp_path / "temp" / "credlens-earlier" / "below" / "both-2026-06-01.csv"
    assert stored.read_text() == both
    again = run(inputs="both-2026-06-01.csv", cache="nightly")
    assert "The reports are the same as in the last run." in again.summary


def test_an_archive_is_stored_and_compared(run: Run, workspace: Path) -> None:
    program = os.environ["CREDLENS"]
    if subprocess.run([program, "archive", "--help"], capture_output=True, check=False).returncode != 0:
        pytest.skip("a program without archives")

    def add(day: str) -> None:
        subprocess.run([program, "archive", "add", "archive", f"reports/{day}"], cwd=workspace, check=True, capture_output=True)

    add("2026-05-01")
    assert run(inputs="archive", cache="nightly").outputs["store"] == "true"
    add("2026-06-01")
    ran = run(inputs="archive", cache="nightly")
    # As docs/cookbook.md shows of these two days.
    assert (ran.outputs["opened"], ran.outputs["resolved"]) == ("6", "4"), ran.log
