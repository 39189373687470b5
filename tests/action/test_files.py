"""What the files of the action say of each other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action" / "action.yml").read_text())
SCRIPT = (ROOT / "action" / "run.py").read_text()


def steps() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ACTION["runs"]["steps"]
    return found


def test_every_input_reaches_the_script() -> None:
    (environment,) = [step["env"] for step in steps() if step.get("id") == "credlens"]
    named = {f"INPUT_{name.upper().replace('-', '_')}": "${{ inputs.%s }}" % name for name in ACTION["inputs"]}  # noqa: UP031
    assert environment == named
    read = {f"INPUT_{name}" for name in re.findall(r'(?:setting|words)\("([A-Z_]+)"\)', SCRIPT)} | {
        "INPUT_SARIF",
        "INPUT_ANNOTATIONS",
    }
    assert read == set(environment)


def test_no_expression_is_in_a_script() -> None:
    for step in steps():
        assert "${{" not in step.get("run", "")
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            for step in job["steps"]:
                assert "${{" not in step.get("run", ""), (path, step)


def test_every_output_and_input_is_on_the_page() -> None:
    page = (ROOT / "docs" / "ci.md").read_text()
    for name in [*ACTION["inputs"], *ACTION["outputs"]]:
        assert f"| `{name}` |" in page, name


def test_the_page_names_the_version_of_the_repository() -> None:
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
    page = (ROOT / "docs" / "ci.md").read_text()
    assert set(re.findall(r"(?:credlens==|action@v|rev: v)([0-9.]+)", page)) == {version}
