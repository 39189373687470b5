"""Runs the commands of docs/formats.md as they stand, on the demo and the cookbook's reports. `aws` and `gh` are stand-ins that refuse
what their services would refuse to read. Arguments: credlens, an empty directory."""

import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent.parent

AWS = """#!/usr/bin/env python3
import json, sys
if sys.argv[1:3] == ["sts", "assume-role"]:
    print("key\\tsecret\\ttoken")
else:
    path = next(it for it in sys.argv if it.startswith("file://"))
    request = json.load(open(path.removeprefix("file://")))
    print(len(request["Findings"]), 0, sep="\\t")
"""
GH = """#!/usr/bin/env python3
import base64, gzip, json, sys
text = next(it for it in sys.argv if it.startswith("sarif=")).removeprefix("sarif=")
print(len(json.loads(gzip.decompress(base64.b64decode(text)))["runs"][0]["results"]), "results")
"""


def place(work, program):
    """A directory with what the commands name, and the programs that they call."""
    shutil.copytree(ROOT / "fixtures/demo", work / "reports")
    shutil.copy(next((ROOT / "fixtures/demo").glob("1*.csv")), work / "report.csv")
    for day in ("2026-05-01", "2026-06-01"):
        shutil.copytree(ROOT / "fixtures/cookbook/reports" / day, work / day)
    programs = work / "bin"
    programs.mkdir()
    (programs / "credlens").symlink_to(program)
    for name, text in (("aws", AWS), ("gh", GH)):
        (programs / name).write_text(text)
        (programs / name).chmod(stat.S_IRWXU)
    # What `gh` is given names a commit.
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run(["git", "init", "--quiet"], cwd=work, check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "x"], cwd=work, check=True)
    return programs


def main():
    program, work = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    programs = place(work, program)
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(work)}
    text = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 6, len(blocks)
    for block in blocks:
        done = subprocess.run(["bash", "-uc", block], cwd=work, env=env, capture_output=True, text=True)
        # What says that something failed is the last command of some; errors of shells and programs say so.
        assert done.returncode in (0, 1), (block, done)
        assert not re.search(r"error|not found|No such|Traceback|parse", done.stderr), (block, done.stderr)
        written = re.findall(r"--format \w+=(\S+)", block)
        assert all((work / path).stat().st_size > 100 for path in written), block
        assert done.stdout.strip() or written, block
    print(f"{len(blocks)} recipes of docs/formats.md ran")


main()
