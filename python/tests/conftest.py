"""What the tests share: the reports of fixtures/, programs that misbehave, and a working directory without settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"


@pytest.fixture(autouse=True)
def _no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credlens.toml of the caller's directory would change the results."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def demo() -> Path:
    """Two accounts, dated in their names."""
    return FIXTURES / "demo"


@pytest.fixture
def report() -> bytes:
    """One account of three users, without a date."""
    return (FIXTURES / "csv.csv").read_bytes()


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make CREDLENS a shell script."""

    def use(script: str) -> None:
        path = tmp_path / "fake"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("CREDLENS", str(path))

    return use
