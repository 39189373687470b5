"""What scan and the lists return, compared with the program's own output and with the schemas."""

from __future__ import annotations

import dataclasses
import json
import pickle
import subprocess
from pathlib import Path
from typing import Any

import pandas
import pytest
from conftest import FIXTURES, ROOT

import credlens


def properties(schema: str, shape: str) -> set[str]:
    document: dict[str, Any] = json.loads((ROOT / "docs" / "schemas" / schema).read_text())
    return set(document.get("$defs", {}).get(shape, document)["properties"]) - {"schema"}


@pytest.mark.parametrize(
    ("shape", "schema"),
    [(credlens.Finding, "finding.v1.json"), (credlens.Item, "list.v1.json"), (credlens.Source, "finding.v1.json")],
)
def test_fields_are_those_of_the_schema(shape: Any, schema: str) -> None:
    name = {"Finding": "-", "Item": "ListItem"}.get(shape.__name__, shape.__name__)
    assert {field.name for field in dataclasses.fields(shape)} == properties(schema, name)


def test_findings_are_those_of_the_program(demo: Path) -> None:
    assessment = credlens.scan(demo)
    ran = subprocess.run([credlens.find_program(), "scan", demo, "--format=ndjson"], capture_output=True, check=False)
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [finding.id for finding in assessment.findings] == [line["id"] for line in lines]
    for finding, line in zip(assessment.findings, lines):
        del line["schema"]
        assert dataclasses.asdict(finding) == {"due_at": None, "fix": None, **line}


def test_the_tally_counts_what_is_not_shown(demo: Path) -> None:
    whole = credlens.scan(demo)
    assert whole.tally.failed == len(whole.findings) == sum(whole.tally.failed_by_severity.values())
    thin = credlens.scan(demo, min_severity="critical", status="fail")
    assert {finding.severity for finding in thin.findings} == {"critical"}
    assert thin.tally == whole.tally
    assert whole.tally.failed_by_severity["critical"] == len(thin.findings)
    assert whole.as_of == "2026-06-01T00:00:00Z"
    assert not whole.partial
    assert whole.document["evidence"]["version"]
    assert "failed=32" in repr(whole)
    assert len(repr(whole)) < 1000


def test_findings_at_or_above_fail_on_are_not_an_error(demo: Path) -> None:
    assert credlens.scan(demo).findings == credlens.scan(demo, fail_on="never").findings


def test_due_suppressed_and_passed_verdicts(demo: Path, tmp_path: Path) -> None:
    rules = "[[suppress]]\nrule = 'access-key-unused'\nreason = 'until the move'\n"
    (tmp_path / "accepted.toml").write_text(rules)
    assessment = credlens.scan(demo, due_within="60d", status="all", suppressions=tmp_path / "accepted.toml", fix=True)
    by_status = {status: [it for it in assessment.findings if it.status == status] for status in ("due", "suppressed", "pass")}
    assert len(by_status["due"]) == assessment.tally.due > 0
    assert all(finding.due_at for finding in by_status["due"])
    assert len(by_status["suppressed"]) == assessment.tally.suppressed > 0
    assert by_status["suppressed"][0].suppression == {"reason": "until the move", "expires": None, "ticket": None}
    assert len(by_status["pass"]) + len(by_status["due"]) >= assessment.tally.passed > 0
    assert any(finding.fix and finding.fix["steps"] for finding in assessment.findings)


def test_frameworks_have_outcomes(demo: Path) -> None:
    assessment = credlens.scan(demo, framework="cis-aws-5.0")
    assert assessment.compliance[0]["framework"] == "cis-aws-5.0"
    assert any(finding.requirements for finding in assessment.findings)


def test_lists_of_users_keys_and_certificates(demo: Path) -> None:
    users = credlens.list_users(demo, where="passwordEnabled and not mfaActive")
    assert users
    assert all(user.password_enabled and user.mfa_active is False and user.credential is None for user in users)
    keys = credlens.list_keys(demo, sort="-age")
    ages = [key.age_days for key in keys if key.age_days is not None]
    assert ages == sorted(ages, reverse=True)
    assert {key.credential for key in keys} == {"access_key_1", "access_key_2"}
    certificates = credlens.list_certificates(demo)
    assert {certificate.credential for certificate in certificates} <= {"cert_1", "cert_2"}
    assert certificates.as_of == "2026-06-01T00:00:00Z"


def test_a_list_counts_the_lines_it_cannot_place() -> None:
    content = b"user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active\n"
    content += b"alice,arn:aws:iam::111122223333:user/alice,2024-01-01T00:00:00Z,true,perhaps,false\n"
    content += b"bob,arn:aws:iam::111122223333:user/bob,2024-01-01T00:00:00Z,true,false,false\n"
    users = credlens.list_users(content, where="not mfaActive")
    assert [user.user for user in users] == ["bob"]
    assert users.unknown == 1
    assert "not-listed" in {diagnostic["code"] for diagnostic in users.diagnostics} or "not-listed" in users.messages


def test_hostile_names_are_text_of_their_own() -> None:
    for path in sorted((FIXTURES / "hostile").glob("*names.csv")):
        for user in credlens.list_users(path):
            assert isinstance(user.user, str)
        assert credlens.scan(path.read_bytes(), status="all").findings


def test_results_make_data_frames(demo: Path) -> None:
    frame = pandas.DataFrame(credlens.list_keys(demo))
    assert frame["age_days"].max() > 2000
    findings = pandas.DataFrame(credlens.scan(demo).findings)
    assert set(findings["severity"]) == {"critical", "high", "medium", "low"}


def test_results_and_errors_can_be_pickled(demo: Path) -> None:
    assessment = credlens.scan(demo)
    assert pickle.loads(pickle.dumps(assessment)) == assessment
    keys = credlens.list_keys(demo)
    copied = pickle.loads(pickle.dumps(keys))
    assert (copied, copied.as_of) == (keys, keys.as_of)
    error = pickle.loads(pickle.dumps(credlens.Error("words", 3)))
    assert (str(error), error.status) == ("words", 3)
