"""`python -m credlens ARGUMENTS` is `credlens ARGUMENTS`."""

import os
import subprocess
import sys

from . import Error, find_program

# What a shell says of a program that it does not find.
NOT_FOUND = 127


def main() -> None:
    """Become the program, or on Windows, which cannot, run it and end as it does."""
    try:
        command = [find_program(), *sys.argv[1:]]
        if os.name == "nt":
            sys.exit(subprocess.run(command, check=False).returncode)  # noqa: S603 a list, not a shell
        os.execvp(command[0], command)  # noqa: S606 the same
    except (Error, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(NOT_FOUND)


if __name__ == "__main__":
    main()
