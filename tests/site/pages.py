"""What pages have: fenced blocks, code in the text, and tables."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
# The pages that were written for the site; Rust tests check the others.
PAGES = ["index.md", "recipes.md", "coming-from.md", "json-schemas.md"]


class Block(NamedTuple):
    place: str
    language: str
    text: str


def blocks(name):
    """The fenced blocks of a page, also those in lists."""
    found, indent, language, lines, start = [], "", None, [], 0
    for number, line in enumerate((DOCS / name).read_text().split("\n"), 1):
        fence = re.match(r"( *)```(.*)", line)
        if fence and language is None:
            indent, language, lines, start = fence[1], fence[2].split(" ")[0], [], number
        elif fence:
            found.append(Block(f"{name}:{start}", language, "\n".join(lines) + "\n"))
            language = None
        elif language is not None:
            lines.append(line.removeprefix(indent))
    return found


def tables(name):
    """The rows of a page's tables, without their headers, each as a list of cells."""
    text = (DOCS / name).read_text().split("\n")
    rows = [re.split(r"(?<!\\)\|", line.strip("|")) for line in text if line.startswith("| ") or line.startswith("|-")]
    return [[cell.strip() for cell in row] for row in rows]


def code(name):
    """The code spans of a page outside of its blocks."""
    text = re.sub(r"^ *```.*?^ *```", "", (DOCS / name).read_text(), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", text)
