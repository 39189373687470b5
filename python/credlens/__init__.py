"""Audits AWS IAM credential reports with the program credlens: see docs/python.md.

Each call runs the program once and reads its JSON. Keyword arguments are its options: `due_within="14d"` is `--due-within=14d`.
"""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

from ._options import Option, arguments
from ._program import Error, Inputs, find_program, run
from ._shapes import Assessment, Finding, Item, Listing, Source, Tally

__all__ = [
    "Assessment",
    "Error",
    "Finding",
    "Inputs",
    "Item",
    "Listing",
    "Option",
    "PartialWarning",
    "Source",
    "Tally",
    "find_program",
    "list_certificates",
    "list_keys",
    "list_users",
    "scan",
]

_PARTIAL = 4

_Result = TypeVar("_Result", Assessment, Listing)


class PartialWarning(UserWarning):
    """Some inputs or accounts failed, and the result is of the others. The text is what the program says about it."""


def scan(inputs: Inputs | None = None, **options: Option) -> Assessment:
    """Evaluate credential reports: `credlens scan`.

    `inputs` is a path, the bytes of a report, or several of them; None is the live account of your AWS credentials. Findings
    are not an error. Raises `Error` in the words of the program; warns with `PartialWarning` if some of the inputs failed.
    """
    return _call(Assessment, ["scan"], inputs, options)


def list_users(inputs: Inputs | None = None, **options: Option) -> Listing:
    """List users with their ages and findings: `credlens list users`. Inputs and errors are those of `scan`."""
    return _call(Listing, ["list", "users"], inputs, options)


def list_keys(inputs: Inputs | None = None, **options: Option) -> Listing:
    """List access keys with their ages and findings: `credlens list keys`. Inputs and errors are those of `scan`."""
    return _call(Listing, ["list", "keys"], inputs, options)


def list_certificates(inputs: Inputs | None = None, **options: Option) -> Listing:
    """List signing certificates: `credlens list certificates`. Inputs and errors are those of `scan`."""
    return _call(Listing, ["list", "certificates"], inputs, options)


def _call(result: type[_Result], command: list[str], inputs: Inputs | None, options: dict[str, Any]) -> _Result:
    ran = run([*command, "--format=json", "--color=never", *arguments(options)], inputs)
    partial = ran.status == _PARTIAL
    try:
        read = result.read(ran.document, partial=partial, messages=ran.messages)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Error(f"the JSON of {ran.program} is not {result.SCHEMA}: {error!r}", ran.status) from error
    if partial:
        warnings.warn(PartialWarning(ran.messages or "some inputs or accounts failed"), stacklevel=3)
    return read
