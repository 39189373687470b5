"""Errors in the words of the program, and that nothing but a whole document is a result."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import credlens

Fake = Callable[[str], None]

CLEAN: dict[str, object] = {
    "schema": "credlens.assessment/v1",
    "findings": [],
    "as_of": None,
    "inputs": [],
    "rules": [],
    "compliance": [],
    "diagnostics": [],
}


def clean(**changes: object) -> str:
    return f"cat <<'END'\n{json.dumps({**CLEAN, **changes})}\nEND"


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ({"no_such_option": 1}, 2, r"unexpected argument '--no-such-option' found"),
        ({"rules": "no-such-rule"}, 2, r"unknown rule 'no-such-rule'"),
        ({"as_of": "yesterday"}, 2, r"not a valid time"),
        ({"set": {"access-key-unused.max_idle": 0}}, 2, r"max_idle"),
        ({"user": "no-such-user"}, 3, r"no-such-user|no user"),
        ({"format": "csv=/no-such-directory/out.csv"}, 5, r"/no-such-directory/out\.csv"),
        ({"format": "table"}, 2, r"two formats go to standard output"),
    ],
)
def test_errors_are_the_words_of_the_program(options: dict[str, object], status: int, words: str, demo: Path) -> None:
    with pytest.raises(credlens.Error, match=words) as raised:
        credlens.scan(demo, **options)  # type: ignore[arg-type]
    assert raised.value.status == status


@pytest.mark.parametrize("content", [b"", b"not a report", b"\x1f\x8b\x08cut", b'{"State": "STARTED"}'])
def test_no_input_is_an_error(content: bytes) -> None:
    with pytest.raises(credlens.Error, match=r"error: -") as raised:
        credlens.scan(content)
    assert raised.value.status == 3


def test_names_in_errors_are_escaped() -> None:
    with pytest.raises(credlens.Error) as raised:
        credlens.scan("\x1b[2Jevil.csv")
    assert "\x1b" not in str(raised.value)


def test_messages_have_no_colours(monkeypatch: pytest.MonkeyPatch, demo: Path, tmp_path: Path) -> None:
    monkeypatch.setenv("CLICOLOR_FORCE", "1")
    (tmp_path / "credlens.toml").write_text('color = "always"\n')
    for options in ({"no_such_option": 1}, {"rules": "no-such-rule"}):
        with pytest.raises(credlens.Error) as raised:
            credlens.scan(demo, **options)
        assert "\x1b" not in str(raised.value)
    with pytest.warns(credlens.PartialWarning) as warned:
        assert "\x1b" not in credlens.scan([demo, "missing.csv"]).messages
    assert "\x1b" not in str(warned[0].message)


def test_partial_results_warn(demo: Path) -> None:
    with pytest.warns(credlens.PartialWarning, match=r"missing\.csv") as warned:
        assessment = credlens.scan([demo, "missing.csv"])
    assert assessment.partial
    assert assessment.findings
    assert warned[0].filename == __file__
    with pytest.warns(credlens.PartialWarning, match=r"inputs\[1\]"):
        keys = credlens.list_keys([(demo / "444455556666_20260601T000000Z.csv").read_bytes(), b"", b"cut"])
    assert keys.partial


def test_a_document_cut_off_anywhere_is_an_error(fake: Fake, demo: Path, tmp_path: Path) -> None:
    whole = subprocess.run([credlens.find_program(), "scan", demo, "--format=json"], capture_output=True, check=False).stdout
    cut = tmp_path / "cut.json"
    fake(f"cat '{cut}'")
    ends = [0, 1, *[at for at in range(len(whole) - 2) if whole[at : at + 1] == b"\n"]]
    for end in ends[:: max(1, len(ends) // 20)]:
        cut.write_bytes(whole[:end])
        with pytest.raises(credlens.Error, match="did not write a whole JSON document"):
            credlens.scan(demo)
    cut.write_bytes(whole)
    assert credlens.scan(demo).findings


@pytest.mark.parametrize("signal", ["KILL", "TERM", "SEGV"])
def test_a_signal_is_an_error_even_behind_a_clean_document(fake: Fake, signal: str) -> None:
    fake(f"{clean()}\necho 'note: nearly done' >&2\nkill -{signal} $$")
    with pytest.raises(credlens.Error, match=f"ended by signal SIG{signal}\nnote: nearly done") as raised:
        credlens.scan(b"x")
    assert raised.value.status is not None
    assert raised.value.status < 0


@pytest.mark.parametrize("status", [2, 3, 5, 101, 130, 143])
def test_every_other_status_is_an_error_even_behind_a_clean_document(fake: Fake, status: int) -> None:
    fake(f"{clean()}\nexit {status}")
    with pytest.raises(credlens.Error, match=f"ended with status {status}") as raised:
        credlens.scan(b"x")
    assert raised.value.status == status


@pytest.mark.parametrize(
    "script",
    [
        "true",
        "echo 'credlens 9.9.9'",
        "echo '[]'",
        "echo '{}'",
        "echo null",
        "printf '\\377\\376'",
        clean(schema="credlens.assessment/v2"),
        clean(schema="credlens.list/v1"),
        clean(findings=[{"id": "1"}]),
        clean(findings=[3]),
        clean(rules=[{"id": "r"}]),
        clean(findings=None),
    ],
)
def test_what_is_not_an_assessment_is_an_error(fake: Fake, script: str) -> None:
    fake(script)
    with pytest.raises(credlens.Error, match=r"JSON"):
        credlens.scan(b"x")
    with pytest.raises(credlens.Error, match=r"JSON"):
        credlens.scan([b"x", b"y"])


def test_fields_of_a_later_program_are_kept_in_the_document(fake: Fake, demo: Path) -> None:
    source = {"path": "-", "row": 1, "later": 1}
    known = credlens.scan(demo).document["findings"][0]
    fake(clean(findings=[{**known, "source": source, "later": 2}], later=3))
    assessment = credlens.scan(b"x")
    assert assessment.findings[0].source == credlens.Source("-", 1)
    assert assessment.document["findings"][0]["later"] == 2
    assert assessment.document["later"] == 3


def test_a_program_that_reads_nothing_or_cannot_run(fake: Fake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake("exec <&-\necho 'error: busy' >&2\nexit 3")
    with pytest.raises(credlens.Error, match=r"^error: busy$"):
        credlens.scan(b"x" * 10_000_000)
    for path in (tmp_path, tmp_path / "none"):
        monkeypatch.setenv("CREDLENS", str(path))
        with pytest.raises(credlens.Error, match="could not be run") as raised:
            credlens.scan(b"x")
        assert raised.value.status is None
