"""Which program is run, and `python -m credlens`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import credlens

PACKAGE = Path(credlens.__file__).parent
INSTALLED = Path(sysconfig.get_path("scripts"), "credlens").exists()


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PYTHONPATH", "CREDLENS", "PYTHONDONTWRITEBYTECODE") if name in os.environ}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env={**kept, **environment}, check=False)


def script(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {path}\n")
    path.chmod(0o755)
    return path


FIND = "import credlens; print(credlens.find_program())"


@pytest.mark.skipif(INSTALLED, reason="the program of the installed wheel comes first")
def test_the_order_of_search(tmp_path: Path) -> None:
    on_path = script(tmp_path / "path" / "credlens")
    search = {"PATH": str(on_path.parent), "PYTHONUSERBASE": str(tmp_path / "user"), "CREDLENS": ""}
    assert python("-c", FIND, **search).stdout.strip() == str(on_path)
    of_user = script(tmp_path / "user" / "bin" / "credlens")
    assert python("-c", FIND, **search).stdout.strip() == str(of_user)
    shutil.copytree(PACKAGE, tmp_path / "target" / "credlens")
    in_target = script(tmp_path / "target" / "bin" / "credlens")
    search["PYTHONPATH"] = str(tmp_path / "target")
    assert python("-c", FIND, **search).stdout.strip() == str(in_target)
    in_target.chmod(0o644)
    assert python("-c", FIND, **search).stdout.strip() == str(of_user)
    search["CREDLENS"] = "named"
    assert python("-c", FIND, **search).stdout.strip() == "named"


@pytest.mark.skipif(INSTALLED, reason="the program of the installed wheel is there")
def test_no_program(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "target" / "credlens")
    bare = {"PATH": "", "CREDLENS": "", "PYTHONPATH": str(tmp_path / "target"), "PYTHONUSERBASE": str(tmp_path)}
    ran = python("-m", "credlens", "--version", **bare)
    assert (ran.returncode, ran.stdout) == (127, "")
    assert ran.stderr.startswith("error: the program credlens was not found")


def test_python_m_is_the_program(tmp_path: Path, demo: Path) -> None:
    program = subprocess.run([credlens.find_program(), "--version"], capture_output=True, text=True, check=True)
    assert python("-m", "credlens", "--version").stdout == program.stdout
    assert python("-m", "credlens", "scan", str(demo), "--format=names").returncode == 2
    assert python("-m", "credlens", "scan", str(demo), "--format=ndjson").returncode == 1
    assert python("-m", "credlens", "scan", str(tmp_path / "none.csv")).returncode == 3


def test_the_module_has_no_dependencies() -> None:
    code = "import sys; before = set(sys.modules); import credlens; print(*{m.split('.')[0] for m in set(sys.modules) - before})"
    loaded = {name for name in python("-c", code).stdout.split() if not name.startswith("_sysconfigdata")}
    assert "credlens" in loaded
    assert loaded <= {*sys.stdlib_module_names, "credlens"}
