"""The examples of docs/python.md: each is executed in a copy of fixtures/cookbook, and what it prints is what the page says.

They share their names, as the cells of a notebook do. UPDATE=1 rewrites what they print.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import types
import warnings
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from conftest import FIXTURES, ROOT

PAGE = ROOT / "docs" / "python.md"


class Iam:
    """The two calls of boto3 that the page makes."""

    def __init__(self) -> None:
        self.states = ["STARTED", "COMPLETE"]

    def generate_credential_report(self) -> dict[str, Any]:
        return {"State": self.states.pop(0)}

    def get_credential_report(self) -> dict[str, Any]:
        content = Path("reports/2026-06-01/777788889999.csv").read_bytes()
        return {"Content": content, "GeneratedTime": datetime(2026, 6, 1, tzinfo=timezone.utc), "ReportFormat": "text/csv"}


def parts(text: str) -> list[str]:
    """Prose and blocks of the page by turns, each block without its fences."""
    found = [""]
    for line in text.splitlines(keepends=True):
        if line.startswith("```") and len(found) % 2 == 1:
            found[-1] += line
            found.append("")
        elif line == "```\n":
            found.append(line)
        else:
            found[-1] += line
    return found


def test_the_examples_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(FIXTURES / "cookbook", tmp_path, dirs_exist_ok=True)
    monkeypatch.setitem(sys.modules, "boto3", types.SimpleNamespace(client=lambda _: Iam()))
    monkeypatch.setattr("time.sleep", lambda _: None)
    names: dict[str, Any] = {}
    page = parts(PAGE.read_text(encoding="utf-8"))
    printed = ""
    executed = 0
    shown = list(page)
    with warnings.catch_warnings():
        for at in range(1, len(page), 2):
            if page[at - 1].endswith("```python\n"):
                assert printed == "", f"the page does not say what is printed before: {page[at]}"
                out = io.StringIO()
                with contextlib.redirect_stdout(out):
                    exec(compile(page[at], str(PAGE), "exec"), names)
                printed = out.getvalue()
                executed += 1
            elif page[at - 1].endswith("```text\n"):
                shown[at], printed = printed, ""
    if os.environ.get("UPDATE"):
        PAGE.write_text("".join(shown), encoding="utf-8")
    assert "".join(shown) == PAGE.read_text(encoding="utf-8"), "UPDATE=1 rewrites the page"
    assert executed > 5
    answer = names["handler"]({}, None)
    assert list(answer["failed"]) == ["critical", "high", "medium"]
    assert answer["users"] == ["<root_account>", "ext-mallory", "ext-oscar"]
