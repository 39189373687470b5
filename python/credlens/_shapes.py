"""The results, read from `credlens.assessment/v1` and `credlens.list/v1`; docs/schemas has the meaning of each field.

Fields of a later version of the program that are not here are in `document`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

_WORST_FIRST = ("critical", "high", "medium", "low", "informational")

_Record = TypeVar("_Record", "Finding", "Item", "Source")


@dataclass(frozen=True)
class Source:
    """Where a user is: the input, and the data row from 1."""

    path: str
    row: int | None = None


@dataclass(frozen=True)
class Finding:
    """One verdict of a rule on a user or credential. Times are RFC 3339 in UTC."""

    def __hash__(self) -> int:
        return hash((self.id, self.status))

    id: str
    rule: str
    title: str
    status: str
    severity: str
    account: str | None
    account_name: str | None
    user: str | None
    arn: str | None
    credential: str | None
    as_of: str
    message: str
    source: Source
    access_key_id: str | None = None
    access_key_description: str | None = None
    owner: str | None = None
    due_at: str | None = None
    parameters: dict[str, int] = field(default_factory=dict[str, int])
    evidence: dict[str, str] = field(default_factory=dict[str, str])
    requirements: list[str] = field(default_factory=list[str])
    related_requirements: list[str] = field(default_factory=list[str])
    suppression: dict[str, Any] | None = None
    fix: dict[str, Any] | None = None


@dataclass(frozen=True)
class Item:
    """A user, access key or signing certificate of a list. Days are whole days gone by; None is unknown, or does not apply."""

    account: str | None
    account_name: str | None
    user: str | None
    path: str | None
    arn: str | None
    user_created: str | None
    credential: str | None
    active: bool | None
    created: str | None
    age_days: int | None
    last_used: str | None
    idle_days: int | None
    last_used_region: str | None
    last_used_service: str | None
    password_enabled: bool | None
    mfa_active: bool | None
    findings: int
    severity: str | None
    as_of: str
    source: Source
    access_key_id: str | None = None
    access_key_description: str | None = None
    owner: str | None = None
    due_at: str | None = None


@dataclass(frozen=True)
class Tally:
    """How many verdicts there are of each status, shown or not; `failed_by_severity` has the failed ones, the worst first."""

    failed: int
    undetermined: int
    suppressed: int
    passed: int
    due: int
    failed_by_severity: dict[str, int]


@dataclass(frozen=True)
class Assessment:
    """The findings of a run, in the order of inputs, rows and rules.

    `partial` says that some inputs or accounts failed. `messages` is what the program wrote to standard error, `document` is its
    JSON as a whole. Its repr, which notebooks show, has the counts and no findings.
    """

    SCHEMA: ClassVar[str] = "credlens.assessment/v1"

    findings: list[Finding] = field(repr=False)
    tally: Tally
    as_of: str | None
    inputs: list[dict[str, Any]] = field(repr=False)
    rules: list[dict[str, Any]] = field(repr=False)
    compliance: list[dict[str, Any]] = field(repr=False)
    diagnostics: list[dict[str, Any]] = field(repr=False)
    partial: bool
    messages: str
    document: dict[str, Any] = field(repr=False)

    @classmethod
    def read(cls, document: dict[str, Any], *, partial: bool, messages: str) -> Assessment:
        """From the JSON of `credlens scan`."""
        _check(document, cls.SCHEMA)
        return cls(
            findings=[_record(Finding, finding) for finding in document["findings"]],
            tally=_tally(document["rules"]),
            as_of=document["as_of"],
            inputs=document["inputs"],
            rules=document["rules"],
            compliance=document["compliance"],
            diagnostics=document["diagnostics"],
            partial=partial,
            messages=messages,
            document=document,
        )


class Listing(list[Item]):
    """The lines of a list. `unknown` counts those left out, because cells are unknown that `where` needs."""

    SCHEMA: ClassVar[str] = "credlens.list/v1"

    unknown: int
    as_of: str | None
    inputs: list[dict[str, Any]]
    diagnostics: list[dict[str, Any]]
    partial: bool
    messages: str
    document: dict[str, Any]

    @classmethod
    def read(cls, document: dict[str, Any], *, partial: bool, messages: str) -> Listing:
        """From the JSON of `credlens list`."""
        _check(document, cls.SCHEMA)
        listing = cls(_record(Item, item) for item in document["items"])
        listing.unknown = document["unknown"]
        listing.as_of = document["as_of"]
        listing.inputs = document["inputs"]
        listing.diagnostics = document["diagnostics"]
        listing.partial = partial
        listing.messages = messages
        listing.document = document
        return listing


def _check(document: Mapping[str, Any], schema: str) -> None:
    if document["schema"] != schema:
        raise ValueError(document["schema"])


def _record(shape: type[_Record], record: Mapping[str, Any]) -> _Record:
    known = {entry.name: record[entry.name] for entry in dataclasses.fields(shape) if entry.name in record}
    if "source" in known:
        known["source"] = _record(Source, known["source"])
    return shape(**known)


def _tally(rules: list[dict[str, Any]]) -> Tally:
    by_severity = dict.fromkeys(_WORST_FIRST, 0)
    for rule in rules:
        by_severity[rule["severity"]] = by_severity.get(rule["severity"], 0) + rule["failed"]

    def total(status: str) -> int:
        return sum(rule.get(status) or 0 for rule in rules)

    return Tally(
        failed=total("failed"),
        undetermined=total("undetermined"),
        suppressed=total("suppressed"),
        passed=total("passed"),
        due=total("due"),
        failed_by_severity={severity: failed for severity, failed in by_severity.items() if failed},
    )
