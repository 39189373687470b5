"""Checks the wheel and the source distribution beside it, and uses the wheel where there is no Rust.

Arguments: an empty directory, the wheel. The tools (uv, pipx) are those of the environment that runs this.
"""

from __future__ import annotations

import email.message
import email.parser
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.prefix) / "bin"

WHEEL_BYTES = 30_000_000
SDIST_BYTES = 3_000_000
SECONDS = 60
GLIBC = (2, 17)
# Of manylinux_2_17 those that a program may need: https://peps.python.org/pep-0599/
LIBRARIES = {"ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0", "librt.so.1"}
# The findings of fixtures/demo, as README.md shows them.
FINDINGS = 32


def main(work: Path, wheel: Path) -> None:
    version = check_wheel(wheel)
    sdist = wheel.parent / f"credlens-{version}.tar.gz"
    if sdist.exists():
        check_sdist(sdist, version)
    else:
        print(f"no source distribution beside {wheel.name}: not checked")
    place = Place(work)
    check_installed(place, wheel, version)
    check_tools(place, wheel, version)
    check_other_installations(place, wheel)
    check_module(place)


# --- What is in the files ---


def check_wheel(path: Path) -> str:
    """The version in its metadata."""
    version = path.name.split("-")[1]
    # manylinux2014 is another name of manylinux_2_17, which old versions of pip know.
    *rest, tags = path.name.removesuffix(".whl").split("-")
    assert rest == ["credlens", version, "py3", "none"], path.name
    assert set(tags.split(".")) == {"manylinux_2_17_x86_64", "manylinux2014_x86_64"}, path.name
    assert f'\nversion = "{version}"\n' in (ROOT / "Cargo.toml").read_text()
    assert path.stat().st_size < WHEEL_BYTES, path.stat().st_size
    info, scripts = f"credlens-{version}.dist-info", f"credlens-{version}.data/scripts"
    module = {f"credlens/{file.name}" for file in (ROOT / "python" / "credlens").iterdir() if file.is_file()}
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        other = {
            f"{info}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "licenses/LICENSE", "sboms/credlens.cyclonedx.json")
        }
        assert names == module | other | {f"{scripts}/credlens"}, names
        assert wheel.getinfo(f"{scripts}/credlens").external_attr >> 16 & 0o111, "the program cannot be executed"
        check_metadata(email.parser.BytesParser().parsebytes(wheel.read(f"{info}/METADATA")), version)
        check_sbom(wheel.read(f"{info}/sboms/credlens.cyclonedx.json"), version)
        with wheel.open(f"{scripts}/credlens") as program:
            check_program(ELFFile(program))
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")
    return version


def check_metadata(metadata: email.message.Message, version: str) -> None:
    assert metadata["Version"] == version
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.9"
    assert metadata.get_all("Requires-Dist") is None, "the module has no dependencies"
    text = metadata.get_payload()
    assert isinstance(text, str)
    assert "](docs/" not in text, "PyPI does not follow links of the repository"


def check_sbom(content: bytes, version: str) -> None:
    sbom = json.loads(content)
    assert sbom["bomFormat"] == "CycloneDX"
    assert sbom["metadata"]["component"]["name"] == "credlens"
    assert sbom["metadata"]["component"]["version"] == version
    components = {component["name"] for component in sbom["components"]}
    # One crate of each feature, and one of neither.
    assert {"aws-sdk-iam", "polars", "serde_json"} <= components, "not all features"


def check_program(program: ELFFile) -> None:
    """It runs with the glibc of manylinux_2_17, whatever this machine has, and is stripped."""
    needed: set[str] = set()
    highest = (0, 0)
    for section in program.iter_sections():
        assert not section.name.startswith(".debug"), f"not stripped: {section.name}"
        assert section.name != ".symtab", "not stripped"
        if isinstance(section, GNUVerNeedSection):
            for _library, versions in section.iter_versions():
                names = [version.name for version in versions]
                glibc = [name.removeprefix("GLIBC_") for name in names if name.startswith("GLIBC_")]
                highest = max([highest, *((int(major), int(minor)) for major, minor, *_ in (name.split(".") for name in glibc))])
        if isinstance(section, DynamicSection):
            needed = {vars(tag)["needed"] for tag in section.iter_tags() if tag.entry.d_tag == "DT_NEEDED"}
    assert (2, 0) < highest <= GLIBC, f"needs GLIBC_{highest[0]}.{highest[1]}"
    assert needed <= LIBRARIES, needed - LIBRARIES
    print(f"the program needs GLIBC_{highest[0]}.{highest[1]} and {', '.join(sorted(needed))}")


def check_sdist(path: Path, version: str) -> None:
    assert path.stat().st_size < SDIST_BYTES, path.stat().st_size
    with tarfile.open(path) as sdist:
        names = {name.removeprefix(f"credlens-{version}/") for name in sdist.getnames()}
    for folder in ("rules", "frameworks", "python/credlens", "src"):
        files = {str(file.relative_to(ROOT)) for file in (ROOT / folder).rglob("*") if file.is_file()}
        missing = {file for file in files - names if "__pycache__" not in file}
        assert not missing, missing
    assert {"Cargo.toml", "Cargo.lock", "LICENSE", "PKG-INFO", "build.rs", "pyproject.toml", "python/README.md"} <= names
    left_out = (".ci", ".github", "action", "benches", "docs", "fixtures", "python/tests", "tests")
    assert not [name for name in names if name.startswith(tuple(f"{folder}/" for folder in left_out))]
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")


# --- What the wheel does ---


class Place:
    """An environment with nothing but the wheel, and a PATH without Rust."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.bin = work / "empty" / "bin"
        self.environment = {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "HOME": str(work / "home"),
            "LANG": "C.UTF-8",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIPX_HOME": str(work / "pipx"),
            "PIPX_DEFAULT_PYTHON": str(self.bin / "python"),
            "UV_CACHE_DIR": str(work / "uv"),
            "UV_PYTHON": str(self.bin / "python"),
            "UV_PYTHON_DOWNLOADS": "never",
            "PYTHONDONTWRITEBYTECODE": "1",
            # Where a machine reaches its registry by other than the defaults.
            **{name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.endswith("_proxy")},
        }
        (work / "home").mkdir()
        for tool in ("cargo", "rustc"):
            assert shutil.which(tool, path=self.environment["PATH"]) is None, f"{tool} is on the PATH"
        subprocess.run([sys.executable, "-m", "venv", work / "empty"], check=True)

    def run(self, *command: str | Path, statuses: Sequence[int] = (0,), **environment: str) -> str:
        """What a command prints, in a directory without settings."""
        ran = subprocess.run(
            command, cwd=self.work, env={**self.environment, **environment}, stdout=subprocess.PIPE, text=True, check=False
        )
        assert ran.returncode in statuses, (command, ran.returncode)
        return ran.stdout


def check_installed(place: Place, wheel: Path, version: str) -> None:
    place.run(place.bin / "pip", "install", "--quiet", "--no-index", wheel)
    assert place.run("credlens", "--version") == f"credlens {version}\n"
    assert place.run("python", "-m", "credlens", "--version") == f"credlens {version}\n"
    assert place.run("python", "-c", "import credlens; print(credlens.find_program())").strip() == str(place.bin / "credlens")
    for command in ("fetch", "archive"):
        assert place.run("credlens", command, "--help"), f"built without {command}"
    begun = time.monotonic()
    found = place.run("credlens", "scan", ROOT / "fixtures" / "demo", "--format=ndjson", statuses=(1,))
    assert len(found.splitlines()) == FINDINGS
    assert time.monotonic() - begun < SECONDS


def check_tools(place: Place, wheel: Path, version: str) -> None:
    """uvx and pipx, neither of which asks an index."""
    expected = f"credlens {version}\n"
    assert place.run(TOOLS / "uvx", "--offline", "--from", wheel, "credlens", "--version") == expected
    options = ["--skip-maintenance", "--no-path-check", "--pip-args=--no-index"]
    assert place.run(TOOLS / "pipx", "run", *options, "--spec", wheel, "credlens", "--version") == expected


def check_other_installations(place: Place, wheel: Path) -> None:
    """pip install --target, as for AWS Lambda, and --user: the module finds the program that came with it."""
    find = ["-c", "import credlens; print(credlens.find_program())"]
    base = str(Path(sys.base_prefix) / "bin" / "python3")
    target, user = place.work / "target", place.work / "user"
    place.run(place.bin / "pip", "install", "--quiet", "--no-index", "--target", target, wheel)
    assert place.run(base, *find, PYTHONPATH=str(target)).strip() == str(target / "bin" / "credlens")
    options = ["--quiet", "--no-index", "--user", "--break-system-packages", "--no-warn-script-location"]
    place.run(base, "-m", "pip", "install", *options, wheel, PYTHONUSERBASE=str(user))
    assert place.run(base, *find, PYTHONUSERBASE=str(user)).strip() == str(user / "bin" / "credlens")


def check_module(place: Place) -> None:
    """The tests of the module, on what the wheel installed."""
    pinned = (ROOT / "tests" / "python" / "requirements.txt").read_text().splitlines()
    place.run(place.bin / "pip", "install", "--quiet", *(line for line in pinned if line.startswith(("pandas", "pytest"))))
    options = [
        "--quiet",
        "-p",
        "no:cacheprovider",
        f"--rootdir={ROOT}",
        "-c",
        str(ROOT / "pyproject.toml"),
        str(ROOT / "python" / "tests"),
    ]
    print(place.run(place.bin / "python", "-m", "pytest", *options), end="")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
