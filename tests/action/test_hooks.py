"""The hooks of pre-commit in a repository with rules: those of .pre-commit-hooks.yaml, and those of docs/ci.md with the wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from test_run import wheel

ROOT = Path(__file__).parents[2]

RULE = """title = "Contractors have no console password"
severity = "high"
message = "this contractor has a console password"
why = "They sign in through the identity provider."
logic = "IamUser where name like 'ext-%' should not have passwordEnabled"

[fix]
console = "Disable the password."

[[example]]
name = "a contractor with a password"
verdict = "{verdict}"
cells = {{ user = "ext-bob", password_enabled = "true" }}
"""


class Repository:
    def __init__(self, path: Path, environment: dict[str, str]) -> None:
        self.path = path
        self.environment = environment
        path.mkdir()
        self.git("init", "--quiet")

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
        ran = subprocess.run(
            ["git", *identity, *arguments], cwd=self.path, env=self.environment, capture_output=True, text=True, check=True
        )
        return ran.stdout.strip()

    def write(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(exist_ok=True)
        (self.path / name).write_text(text)
        self.git("add", name)

    def hooks(self) -> tuple[int, str]:
        ran = subprocess.run(
            ["pre-commit", "run", "--all-files", "--color=never"],
            cwd=self.path,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return ran.returncode, ran.stdout


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "credlens").symlink_to(os.environ["CREDLENS"])
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.endswith("_proxy")}
    home = {"HOME": str(tmp_path), "PRE_COMMIT_HOME": str(tmp_path / "hooks"), "GIT_CONFIG_NOSYSTEM": "1"}
    return {**kept, **home, "PATH": f"{bin_}:{os.environ['PATH']}", "CREDLENS": os.environ["CREDLENS"]}


def check(repository: Repository) -> None:
    """The hooks pass, then fail on an example, then on an error."""
    repository.write("rules/contractors.toml", RULE.format(verdict="fail"))
    status, log = repository.hooks()
    assert status == 0, log
    assert log.count("Passed") == 2
    repository.write("rules/contractors.toml", RULE.format(verdict="pass"))
    status, log = repository.hooks()
    assert status == 1
    assert (log.count("Passed"), log.count("Failed")) == (1, 1)
    assert "a contractor with a password" in log
    repository.write("rules/contractors.toml", RULE.format(verdict="fail").replace("passwordEnabled", "passwordEnable"))
    status, log = repository.hooks()
    assert status == 1
    assert "rules/contractors.toml" in log
    assert "passwordEnable" in log


def test_the_hooks_of_the_repository(tmp_path: Path, environment: dict[str, str]) -> None:
    hooks = Repository(tmp_path / "credlens", environment)
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks.path)
    hooks.git("add", "--all")
    hooks.git("commit", "--quiet", "--message=hooks")
    rules = Repository(tmp_path / "rules", environment)
    ids = re.findall(r"^- id: (\S+)$", (ROOT / ".pre-commit-hooks.yaml").read_text(), re.MULTILINE)
    used = "".join(f"      - id: {name}\n" for name in ids)
    rules.write(
        ".pre-commit-config.yaml",
        f"repos:\n  - repo: {hooks.path}\n    rev: {hooks.git('rev-parse', 'HEAD')}\n    hooks:\n{used}",
    )
    check(rules)


def test_the_hooks_of_the_page(tmp_path: Path, environment: dict[str, str]) -> None:
    """The wheel in an environment of pre-commit's own; here it comes from a directory, and has another version."""
    environment["PIP_FIND_LINKS"] = str(wheel(tmp_path / "wheels").parent)
    page = (ROOT / "docs" / "ci.md").read_text()
    (configuration,) = re.findall(r"```yaml\n(repos:\n.*?)```", page, re.DOTALL)
    rules = Repository(tmp_path / "rules", environment)
    rules.write(".pre-commit-config.yaml", re.sub(r"credlens==[0-9.]+", "credlens==9.9.9", configuration))
    check(rules)
