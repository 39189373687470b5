"""Inputs: paths and bytes, one and several, in a place where no file can be written."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from conftest import FIXTURES

import credlens

OTHER = (FIXTURES / "demo" / "444455556666_20260601T000000Z.csv").read_bytes()
AS_OF = "2026-06-01"


def ids(assessment: credlens.Assessment) -> set[str]:
    return {finding.id for finding in assessment.findings}


def test_bytes_give_what_their_file_gives(report: bytes, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(report)
    expected = ids(credlens.scan(path, as_of=AS_OF))
    assert expected
    for content in (report, bytearray(report), gzip.compress(report)):
        assessment = credlens.scan(content, as_of=AS_OF)
        assert ids(assessment) == expected
        assert {finding.source.path for finding in assessment.findings} == {"-"}


@pytest.mark.parametrize("name", ["cli-json.json", "base64.txt", "utf-16.csv", "csv.csv.zst", "cli-yaml.yaml"])
def test_bytes_of_every_shape(name: str, report: bytes) -> None:
    assert ids(credlens.scan((FIXTURES / name).read_bytes(), as_of=AS_OF)) == ids(credlens.scan(report, as_of=AS_OF))


def test_several_accounts_as_bytes_are_one_assessment(report: bytes) -> None:
    apart = ids(credlens.scan(report, as_of=AS_OF)) | ids(credlens.scan(OTHER, as_of=AS_OF))
    assessment = credlens.scan([gzip.compress(report), OTHER], as_of=AS_OF)
    assert ids(assessment) == apart
    assert [it["path"] for it in assessment.inputs] == ["inputs[0]", "inputs[1]"]
    assert {finding.source.path for finding in assessment.findings} == {"inputs[0]", "inputs[1]"}
    assert not [file for file in os.listdir("/proc/self/fd") if "memfd" in _link(file)]


def _link(file: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{file}")
    except OSError:
        return ""


def test_two_snapshots_of_an_account_as_bytes_count_once(report: bytes) -> None:
    assessment = credlens.scan([report, report], as_of=AS_OF)
    assert len(assessment.findings) == len(credlens.scan(report, as_of=AS_OF).findings)
    assert "snapshots-left-out" in assessment.messages


def test_bytes_beside_paths(report: bytes, demo: Path) -> None:
    assessment = credlens.scan([report, demo / "444455556666_20260601T000000Z.csv"], as_of=AS_OF)
    assert [it["users"] for it in assessment.inputs] == [3, 4]
    assert assessment.inputs[0]["path"] == "-"


def test_a_report_cannot_rename_an_input(report: bytes) -> None:
    """A cell that looks like the path of an input in memory stays as it is."""
    name = b"/proc/self/fd/3"
    hostile = report.replace(b"alice", name)
    users = credlens.list_users([hostile, OTHER], as_of=AS_OF)
    assert name.decode() in {user.user for user in users}
    assert {user.source.path for user in users} == {"inputs[0]", "inputs[1]"}


def test_an_iterator_of_paths(demo: Path) -> None:
    assert ids(credlens.scan(demo.glob("*.csv"))) == ids(credlens.scan(str(demo)))


def test_a_path_that_looks_like_an_option(report: bytes, tmp_path: Path) -> None:
    (tmp_path / "--help").write_bytes(report)
    assert credlens.scan("--help", as_of=AS_OF).findings
    assert credlens.list_users(Path("--help"), as_of=AS_OF)


def test_an_empty_list_is_not_the_live_account() -> None:
    with pytest.raises(credlens.Error, match="no inputs") as raised:
        credlens.scan(Path().glob("*.csv"))
    assert raised.value.status is None


def test_text_and_other_objects_are_refused(report: bytes) -> None:
    with pytest.raises(credlens.Error, match="as bytes"):
        credlens.scan(report.decode())
    with pytest.raises(credlens.Error, match="a path or bytes, not int"):
        credlens.scan([report, 3])  # type: ignore[list-item]
    with pytest.raises(credlens.Error, match="could not be run"):
        credlens.scan("nul\0.csv")


def test_as_of_of_the_response_of_boto3(report: bytes) -> None:
    generated = datetime(2026, 6, 1, 2, 3, 4, 567, timezone.utc)
    assert credlens.scan(report, as_of=generated).as_of == "2026-06-01T02:03:04Z"


def test_standard_input_of_the_process(report: bytes) -> None:
    code = "import credlens; print(credlens.scan('-', as_of='2026-06-01').tally.failed)"
    ran = subprocess.run([sys.executable, "-c", code], input=report, capture_output=True, check=True)
    assert int(ran.stdout) == credlens.scan(report, as_of=AS_OF).tally.failed


READ_ONLY = """
import os, sys
import credlens
content = sys.stdin.buffer.read()
single = credlens.scan(content, as_of="2026-06-01")
several = credlens.scan([content, content], as_of="2026-06-01", threads=1)
try:
    open("file", "w")
except OSError:
    print(single.tally.failed, several.tally.failed, len(credlens.list_users(content)))
"""

NO_FILES = """
import resource, sys
import credlens
content = sys.stdin.buffer.read()
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
print(credlens.scan(content, as_of="2026-06-01").tally.failed, len(credlens.list_keys(content)))
"""


def test_nothing_is_written_on_a_read_only_file_system(report: bytes) -> None:
    """As in AWS Lambda. In /proc not even root can create a file; without a limit for files, none can get content."""
    temporary = set(os.listdir(tempfile.gettempdir()))
    nowhere = {**os.environ, "TMPDIR": "/proc/none", "HOME": "/proc/none", "PYTHONDONTWRITEBYTECODE": "1"}
    for code, expected in ((READ_ONLY, b"3 3 3\n"), (NO_FILES, b"3 3\n")):
        ran = subprocess.run(
            [sys.executable, "-c", code], input=report, cwd="/proc", env=nowhere, capture_output=True, check=False
        )
        assert (ran.stdout, ran.stderr) == (expected, b"")
    assert not [name for name in set(os.listdir(tempfile.gettempdir())) - temporary if "credlens" in name]


def test_a_large_report_as_bytes(report: bytes) -> None:
    """More than any pipe holds, in and out."""
    header, _root, alice, robot = report.splitlines(keepends=True)
    users = 20_000
    rows = [alice.replace(b"alice", b"alice-%d" % n) + robot.replace(b"build-robot", b"robot-%d" % n) for n in range(users)]
    assessment = credlens.scan(header + b"".join(rows), as_of="2026-11-21")
    assert len({finding.user for finding in assessment.findings}) == users
    assert assessment.inputs[0]["users"] == 2 * users


@pytest.mark.parametrize("inputs", [io.BytesIO(b"user\n"), {"a": 1}, 5, [5]])
def test_what_is_no_input_is_an_error(inputs: Any) -> None:
    with pytest.raises(credlens.Error, match="an input is a path or bytes"):
        credlens.scan(inputs)


def test_first_calls_in_several_threads() -> None:
    """In a process of its own, since sysconfig keeps what it found."""
    code = "import threading, credlens; [threading.Thread(target=credlens.find_program).start() for _ in range(16)]"
    for _ in range(5):
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert ran.stderr == ""
