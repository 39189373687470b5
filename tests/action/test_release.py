"""The files of a release page, from small wheels with the names that maturin gives."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".github" / "release" / "programs.py"

TAGS = {
    "manylinux_2_17_x86_64.manylinux2014_x86_64": "linux-x86_64",
    "manylinux_2_17_aarch64.manylinux2014_aarch64": "linux-aarch64",
    "macosx_10_12_x86_64": "macos-x86_64",
    "macosx_11_0_arm64": "macos-aarch64",
    "win_amd64": "windows-x86_64",
}


def wheels(folder: Path, tags: list[str]) -> Path:
    folder.mkdir()
    for tag in tags:
        with zipfile.ZipFile(folder / f"credlens-1.2.3-py3-none-{tag}.whl", "w") as wheel:
            wheel.writestr("credlens/__init__.py", "")
            program = "credlens.exe" if tag == "win_amd64" else "credlens"
            wheel.writestr(f"credlens-1.2.3.data/scripts/{program}", f"program of {tag}")
            wheel.writestr("credlens-1.2.3.dist-info/sboms/credlens.cyclonedx.json", "{}")
    return folder


def test_programs_and_checksums(tmp_path: Path) -> None:
    folder, release = wheels(tmp_path / "wheels", list(TAGS)), tmp_path / "release"
    subprocess.run([sys.executable, SCRIPT, folder, release], check=True)
    for tag, platform in TAGS.items():
        name = f"credlens-1.2.3-{platform}"
        if platform == "windows-x86_64":
            with zipfile.ZipFile(release / f"{name}.zip") as archive:
                assert archive.read(f"{name}/credlens.exe") == f"program of {tag}".encode()
            continue
        with tarfile.open(release / f"{name}.tar.gz") as archive:
            program = archive.getmember(f"{name}/credlens")
            assert program.mode == 0o755
            content = archive.extractfile(program)
            assert content is not None
            assert content.read() == f"program of {tag}".encode()
            assert f"{name}/LICENSE" in archive.getnames()
    ran = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=release, stdout=subprocess.PIPE, check=True)
    assert len(ran.stdout.splitlines()) == len(list(release.iterdir())) - 1 == 2 * len(TAGS)


def test_a_missing_or_unknown_platform_is_an_error(tmp_path: Path) -> None:
    few = wheels(tmp_path / "few", ["win_amd64"])
    ran = subprocess.run([sys.executable, SCRIPT, few, tmp_path / "a"], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "no wheel for linux-aarch64, linux-x86_64" in ran.stderr
    other = wheels(tmp_path / "other", ["musllinux_1_2_x86_64"])
    ran = subprocess.run([sys.executable, SCRIPT, other, tmp_path / "b"], capture_output=True, text=True, check=False)
    assert "unknown platform: musllinux_1_2_x86_64" in ran.stderr
