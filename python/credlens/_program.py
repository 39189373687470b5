"""Finds the program and runs it: a list of arguments, never a shell; bytes in memory, never a temporary file."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sysconfig
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union, cast

_Bytes = Union[bytes, bytearray, memoryview]
_Input = Union[str, "os.PathLike[str]", _Bytes]

_BYTES = (bytes, bytearray, memoryview)
_SINGLE = (str, os.PathLike, *_BYTES)

Inputs = Union[_Input, Iterable[_Input]]
"""A path, the bytes of a report in any shape that the program reads, or several of these."""

_STANDARD = 2  # the highest descriptor of a standard stream

# Clean, and findings at or above --fail-on; 4 is partial.
_DONE = (0, 1, 4)


class Error(Exception):
    """What is wrong, in the words of the program.

    `status` is its exit status (2 usage, rule or configuration error; 3 no input could be evaluated; 5 an output could not be
    written), the negative number of the signal that ended it, or None if it did not run.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Run:
    """What a run of the program left: its JSON, and what it wrote to standard error."""

    program: str
    status: int
    document: dict[str, Any]
    messages: str


# At import, since sysconfig fills its tables without a lock, and threads may make the first calls.
_NAME = "credlens" + (sysconfig.get_config_var("EXE") or "")
_FOLDERS = [
    # pip install --target, and layers of AWS Lambda.
    Path(__file__).resolve().parents[1] / "bin",
    Path(sysconfig.get_path("scripts")),
    # pip install --user.
    Path(sysconfig.get_path("scripts", f"{os.name}_user")),
]


def find_program() -> str:
    """The path of the program: that in the variable CREDLENS, else the one installed with this module, else the one on PATH."""
    named = os.environ.get("CREDLENS")
    if named:
        return named
    for path in (folder / _NAME for folder in _FOLDERS):
        if path.is_file() and os.access(path, os.X_OK):
            return str(path)
    on_path = shutil.which("credlens")
    if on_path is None:
        raise Error("the program credlens was not found: install the package again, or name it in CREDLENS")
    return on_path


def run(arguments: list[str], inputs: Inputs | None) -> Run:
    """Run the program on these inputs. Whatever is not a whole document is an error, so that no result is clean by accident."""
    program = find_program()
    with ExitStack() as stack:
        given = _Given(inputs, stack)
        done: subprocess.CompletedProcess[bytes]
        try:
            done = subprocess.run(  # noqa: S603 a list, not a shell
                [program, *arguments, *given.arguments],
                stdin=given.stdin,
                input=given.content,
                pass_fds=given.files,
                # Messages are text, whatever the settings of the terminal.
                env={**os.environ, "NO_COLOR": "1"},
                capture_output=True,
                check=False,
            )
        except (OSError, ValueError) as error:
            raise Error(f"{program} could not be run: {error}") from error
    messages = given.renamed(done.stderr.decode("utf-8", "replace").strip())
    if done.returncode not in _DONE:
        raise Error(_words(program, done.returncode, messages), done.returncode)
    try:
        document = json.loads(done.stdout)
    except ValueError as error:
        cut_off = f"{program} did not write a whole JSON document: {error}\n{messages}"
        raise Error(cut_off.rstrip(), done.returncode) from error
    try:
        given.rename_paths(document)
    except (AttributeError, KeyError, TypeError) as error:
        raise Error(f"the JSON of {program} is of an unknown shape: {error!r}", done.returncode) from error
    return Run(program, done.returncode, document, messages)


def _words(program: str, status: int, messages: str) -> str:
    if status >= 0:
        return messages or f"{program} ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = str(-status)
    return f"{program} was ended by signal {name}\n{messages}".rstrip()


class _Given:
    """Inputs as arguments, and how their bytes reach the program."""

    def __init__(self, inputs: Inputs | None, stack: ExitStack) -> None:
        self.arguments: list[str] = []
        self.stdin: int | None = subprocess.DEVNULL
        self.content: bytes | None = None
        self.files: list[int] = []
        self._names: dict[str, str] = {}
        if inputs is None:
            return
        several = [inputs] if isinstance(inputs, _SINGLE) else _several(inputs)
        if not several:
            raise Error("no inputs: an empty list is not the live account, which is None")
        # After `--`, no path is an option.
        self.arguments.append("--")
        through_stdin = sum(isinstance(entry, _BYTES) for entry in several) == 1 and "-" not in several
        if "-" in several:
            self.stdin = None
        for number, entry in enumerate(several):
            if not isinstance(entry, _BYTES):
                self.arguments.append(_path(entry))
            elif through_stdin:
                self.arguments.append("-")
                self.stdin, self.content = None, bytes(entry)
            else:
                self._add_file_in_memory(number, bytes(cast("bytes", entry)), stack)

    def _add_file_in_memory(self, number: int, content: bytes, stack: ExitStack) -> None:
        """One input of several. The program reads each twice, to find the newest snapshot of an account: it cannot be a pipe."""
        if not hasattr(os, "memfd_create"):
            raise Error("several inputs as bytes need Linux: write them to files, or call once for each")
        import fcntl  # noqa: PLC0415 Windows does not have it

        descriptor = os.memfd_create("credlens")
        if descriptor <= _STANDARD:
            # A daemon has closed its standard streams: the program must not take this file for one of them.
            low, descriptor = descriptor, fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _STANDARD + 1)
            os.close(low)
        file = stack.enter_context(os.fdopen(descriptor, "wb"))
        file.write(content)
        file.flush()
        path = f"/proc/self/fd/{file.fileno()}"
        self.arguments.append(path)
        self.files.append(file.fileno())
        self._names[path] = f"inputs[{number}]"

    def renamed(self, text: str) -> str:
        """The text with inputs in memory called by their number, such as `inputs[1]`."""
        return re.sub(r"/proc/self/fd/\d+", lambda path: self._names.get(path[0], path[0]), text)

    def rename_paths(self, document: dict[str, Any]) -> None:
        """The same in the fields that name an input, and in no text of a report."""
        if not self._names:
            return
        records = [*document.get("findings", []), *document.get("items", [])]
        for place in [record["source"] for record in records] + document.get("inputs", []):
            place["path"] = self._names.get(place["path"], place["path"])
        for diagnostic in document.get("diagnostics", []):
            diagnostic["path"] = self._names.get(diagnostic["path"], diagnostic["path"])
            diagnostic["message"] = self.renamed(diagnostic["message"])


def _several(inputs: object) -> list[_Input]:
    """Several inputs; not the lines of a file, the keys of a mapping or what cannot be several."""
    kind = type(inputs).__name__
    if hasattr(inputs, "read"):
        raise Error(f"an input is a path or bytes, not {kind}: pass what its read() gives")
    if isinstance(inputs, Mapping) or not isinstance(inputs, Iterable):
        raise Error(f"an input is a path or bytes, or several of them, not {kind}")
    return list(cast("Iterable[_Input]", inputs))


def _path(entry: object) -> str:
    if isinstance(entry, str) and "\n" in entry:
        raise Error("an input that is text is a path; give the text of a report as bytes: text.encode()")
    try:
        return os.fsdecode(cast("str | os.PathLike[str]", entry))
    except TypeError as error:
        raise Error(f"an input is a path or bytes, not {type(entry).__name__}") from error
