"""Keyword arguments as options, and the settings of a working directory."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import credlens
from credlens._options import arguments

EAST = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"rules": ["a", "b*"], "rule": "c"}, ["--rule=a", "--rule=b*", "--rule=c"]),
        ({"all_snapshots": True, "fix": False, "by": None}, ["--all-snapshots"]),
        ({"set": {"r.max_age": 60, "q.window": "7"}}, ["--set=r.max_age=60", "--set=q.window=7"]),
        ({"sort": "-age", "threads": 0}, ["--sort=-age", "--threads=0"]),
        ({"rules_from": Path("rules/my own")}, ["--rules-from=rules/my own"]),
        ({"due_within": timedelta(days=14)}, ["--due-within=1209600s"]),
        ({"as_of": datetime(2026, 1, 1, 5, 30, 0, 9, EAST)}, ["--as-of=2026-01-01T00:00:00Z"]),
        ({"as_of": date(2026, 1, 1)}, ["--as-of=2026-01-01"]),
        ({"user": ("--help; rm -rf $HOME",)}, ["--user=--help; rm -rf $HOME"]),
        ({"status": []}, []),
    ],
)
def test_arguments(options: dict[str, Any], expected: list[str]) -> None:
    assert arguments(options) == expected


@pytest.mark.parametrize("value", [datetime(2026, 1, 1), 1.5, b"x", object(), [True], {"a": None}])
def test_values_that_are_no_option(value: Any) -> None:
    with pytest.raises(credlens.Error, match=r"^as_of: "):
        arguments({"as_of": value})


def test_options_reach_the_program(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.gsl").write_text("# Everyone is alice\nIamUser should have name = 'alice'\n")
    assessment = credlens.scan(demo, rules=["mine-1", "access-key-unused"], rules_from="mine.gsl", account="444455556666")
    assert {rule["id"] for rule in assessment.rules} == {"mine-1", "access-key-unused"}
    assert {finding.account for finding in assessment.findings} == {"444455556666"}
    few = credlens.scan(demo, rules="access-key-unused", set={"access-key-unused.max_idle": 1})
    many = credlens.scan(demo, rules="access-key-unused", set={"access-key-unused.max_idle": 900})
    assert few.tally.failed > many.tally.failed


def test_owners_and_several_statuses(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "owners.csv").write_text("user,owner\n*,platform@example.com\n")
    assessment = credlens.scan(demo, owners="owners.csv", status=["fail", "pass"], by="owner")
    assert {finding.owner for finding in assessment.findings} == {"platform@example.com"}
    assert {finding.status for finding in assessment.findings} == {"fail", "pass"}
    assert assessment.document["ranking"]["by"] == "owner"


def test_another_format_goes_to_a_file(demo: Path, tmp_path: Path) -> None:
    assessment = credlens.scan(demo, format=f"csv={tmp_path / 'out.csv'}")
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 1 + len(assessment.findings)


def test_settings_of_the_working_directory_apply_as_to_the_program(demo: Path, tmp_path: Path) -> None:
    every = credlens.scan(demo)
    assert "settings" not in {diagnostic["code"] for diagnostic in every.diagnostics}
    (tmp_path / "credlens.toml").write_text('rule = ["root-*"]\nformat = ["table"]\n')
    few = credlens.scan(demo)
    assert {finding.rule.split("-")[0] for finding in few.findings} == {"root"}
    assert "settings" in {diagnostic["code"] for diagnostic in few.diagnostics}
    assert credlens.scan(demo, config="/dev/null").findings == every.findings
