"""The files of a release page from the wheels of all platforms: programs, their bills of material, and SHA256SUMS.

Arguments: the directory of the wheels, and the one to write. The program is that of the wheel, byte for byte.
"""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("LICENSE", "README.md", "CHANGELOG.md")

# Parts of the tags of wheels.
PLATFORMS = {
    "manylinux_2_17_x86_64": "linux-x86_64",
    "manylinux_2_17_aarch64": "linux-aarch64",
    "macosx_x86_64": "macos-x86_64",
    "macosx_arm64": "macos-aarch64",
    "win_amd64": "windows-x86_64",
}


def main(wheels: Path, release: Path) -> None:
    release.mkdir()
    seen: set[str] = set()
    for path in sorted(wheels.glob("*.whl")):
        _name, version, _python, _abi, tag = path.stem.split("-")
        platform = platform_of(tag)
        seen.add(platform)
        with zipfile.ZipFile(path) as wheel:
            (program,) = (name for name in wheel.namelist() if ".data/scripts/" in name)
            (sbom,) = (name for name in wheel.namelist() if name.endswith(".cyclonedx.json"))
            (release / f"credlens-{platform}.cyclonedx.json").write_bytes(wheel.read(sbom))
            files = {Path(program).name: wheel.read(program), **{name: (ROOT / name).read_bytes() for name in DOCUMENTS}}
        pack(release, f"credlens-{version}-{platform}", files)
    missing = set(PLATFORMS.values()) - seen
    if missing:
        sys.exit(f"no wheel for {', '.join(sorted(missing))}")
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(release.iterdir())]
    (release / "SHA256SUMS").write_text("".join(sums))


def platform_of(tag: str) -> str:
    """Of `macosx_11_0_arm64` as well, whatever version of macOS it names."""
    parts = tag.split(".")
    if parts[0].startswith("macosx_"):
        parts = ["macosx_" + parts[0].split("_", 3)[3]]
    for part in parts:
        if part in PLATFORMS:
            return PLATFORMS[part]
    sys.exit(f"unknown platform: {tag}")


def pack(release: Path, name: str, files: dict[str, bytes]) -> None:
    if name.endswith("windows-x86_64"):
        with zipfile.ZipFile(release / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for file, content in files.items():
                archive.writestr(f"{name}/{file}", content)
        return
    with tarfile.open(release / f"{name}.tar.gz", "w:gz") as archive:
        for file, content in files.items():
            information = tarfile.TarInfo(f"{name}/{file}")
            information.size, information.mode = len(content), 0o755 if file == "credlens" else 0o644
            archive.addfile(information, io.BytesIO(content))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
