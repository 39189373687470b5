"""The site, and the snippets of the pages that were written for it."""

import contextlib
import io
import json
import logging
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml
from mkdocs.commands.build import build
from mkdocs.config import load_config

import pages

CREDLENS = os.environ["CREDLENS"]


class Site(unittest.TestCase):
    def test_what_is_broken_is_found(self):
        """Each of these is a warning, which --strict makes an error."""
        broken = {
            "missing.md": ("[a](nowhere.md)", "nowhere.md"),
            "anchor.md": ("[a](cli.md#no-such-heading)", "no-such-heading"),
            "outside.md": ("[a](../no-such-file.md)", "not in the repository"),
            "above.md": ("[a](../../etc/passwd)", "not in the repository"),
        }
        with tempfile.TemporaryDirectory() as work:
            docs = Path(work) / "docs"
            shutil.copytree(pages.DOCS, docs)
            for name, (text, _) in broken.items():
                (docs / name).write_text(f"# A page\n\n{text}\n")
            log, said = logging.getLogger("mkdocs"), io.StringIO()
            handler = logging.StreamHandler(said)
            log.addHandler(handler)
            with contextlib.redirect_stderr(io.StringIO()):
                config = load_config(str(pages.ROOT / "mkdocs.yml"), docs_dir=str(docs), site_dir=f"{work}/site")
                build(config)
            log.removeHandler(handler)
        for name, (_, message) in broken.items():
            lines = [line for line in said.getvalue().split("\n") if name in line and message in line]
            self.assertTrue(lines, f"{name}: {said.getvalue()}")
        not_in_nav = said.getvalue().split("not included in the")[1]
        self.assertIn("missing.md", not_in_nav)

    def test_pages_load_nothing_from_other_hosts(self):
        loaded = re.compile(r'<(?:script|img|iframe|source)[^>]* src="https?:|<link[^>]* href="https?:')
        site = Path(os.environ["SITE"])
        found = [str(page) for page in site.rglob("*.html") if loaded.search(page.read_text())]
        self.assertEqual(found, [])
        asks = [str(page) for page in site.rglob("*.html") if 'data-md-component="source"' in page.read_text()]
        self.assertEqual(asks, [], "the theme's script asks GitHub for stars where this is")

    def test_links_out_of_docs_lead_to_the_repository(self):
        links = re.findall(r'href="([^"]*)"', (Path(os.environ["SITE"]) / "recipes/index.html").read_text())
        self.assertIn("https://github.com/credlens/credlens/blob/main/examples/lambda/handler.py", links)
        links = re.findall(r'href="([^"]*)"', (Path(os.environ["SITE"]) / "coming-from/index.html").read_text())
        self.assertIn("https://github.com/credlens/credlens/tree/main/fixtures/demo", links)

    def test_the_words_behind_a_language_are_no_text(self):
        for page in Path(os.environ["SITE"]).rglob("*.html"):
            outside = re.sub(r"<(pre|code)\b.*?</\1>", "", page.read_text(), flags=re.DOTALL)
            self.assertNotIn("```", outside, page)


class Snippets(unittest.TestCase):
    def test_json_and_yaml_can_be_read(self):
        for block in all_blocks():
            with self.subTest(block.place):
                if block.language == "json":
                    json.loads(block.text)
                if block.language == "yaml":
                    self.assertIsInstance(yaml.safe_load(block.text), dict)

    def test_shell_passes_shellcheck(self):
        for place, shell, text in scripts():
            with self.subTest(place):
                if not text.startswith("#!"):
                    text = f"#!/usr/bin/env {shell}\n{text}"
                run = subprocess.run(["shellcheck", "--norc", "-"], input=text, capture_output=True, text=True)
                self.assertEqual(run.returncode, 0, run.stdout)

    def test_every_option_is_in_the_reference(self):
        help_of = reference()
        count = 0
        for place, command in commands():
            words = command[1:]
            name = next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in help_of), None)
            with self.subTest(place, command=command):
                self.assertIsNotNone(name, "no such command")
                options = {word.split("=")[0] for word in words if re.match(r"--\w", word)}
                known = set(re.findall(r"--[a-z][a-z-]+", help_of[name])) | {"--help", "--version"}
                self.assertLessEqual(options, known)
                count += 1
        self.assertGreater(count, 50)


class ComingFrom(unittest.TestCase):
    def test_every_command_runs(self):
        run = [command for place, command in commands() if place.startswith("coming-from") and runs(command)]
        self.assertGreater(len(run), 35)
        with tempfile.TemporaryDirectory() as work:
            shutil.copytree(pages.ROOT / "fixtures", f"{work}/fixtures")
            for command in run:
                with self.subTest(command=command):
                    done = subprocess.run([CREDLENS, *command[1:]], cwd=work, capture_output=True, text=True)
                    self.assertIn(done.returncode, (0, 1), done.stderr)
                    self.assertNotIn("error", done.stderr)
                    outputs = [word.split("=")[1] for word in command if re.fullmatch(r"[a-z]+=[\w.-]+", word)]
                    for name in outputs:
                        if "." in name:
                            self.assertTrue((Path(work) / name).stat().st_size > 0, name)
                    if not outputs:
                        self.assertTrue(done.stdout)

    def test_names_select_what_the_page_says(self):
        known = json.loads(output("rules", "list", "--format", "json"))
        known = known if isinstance(known, list) else known["rules"]
        aliases = {name for rule in known for name in rule["aliases"]}
        rows = [row for row in pages.tables("coming-from.md") if row[0].strip("`") in aliases]
        self.assertGreater(len(rows), 25)
        for name, selects, _ in rows:
            with self.subTest(name):
                document = json.loads(output("scan", "fixtures/demo", "--rule", name.strip("`"), "--format", "json"))
                found = {rule["id"]: rule["parameters"] for rule in document["rules"]}
                said = {}
                for rule, numbers in re.findall(r"`([a-z-]+)`(?: \(([^)]*)\))?", selects):
                    pairs = (pair.split(" ") for pair in numbers.split(", ") if pair)
                    said[rule] = {parameter: int(value) for parameter, value in pairs}
                self.assertEqual(said, found)


def output(*arguments):
    return subprocess.run([CREDLENS, *arguments], cwd=pages.ROOT, capture_output=True, text=True).stdout


def all_blocks():
    return [block for name in pages.PAGES for block in pages.blocks(name)]


def scripts():
    """The place, shell and text of each script: blocks of sh, and what the steps of a workflow run."""
    for block in all_blocks():
        if block.language == "sh":
            yield block.place, "sh", block.text
        elif block.language == "yaml":
            document = yaml.safe_load(block.text)
            for job in document.get("jobs", {}).values():
                for step in job["steps"]:
                    if "run" in step:
                        # GitHub fills in ${{ … }} before the shell sees it.
                        yield block.place, "bash", re.sub(r"\$\{\{.*?\}\}", "filled-in", step["run"])
            for phase in document.get("phases", {}).values():
                for line in phase["commands"]:
                    yield block.place, "sh", line


def commands():
    """The place and the words of each command of credlens, in scripts and in the text."""
    texts = [(place, text.replace("\\\n", " ")) for place, _, text in scripts()]
    for name in pages.PAGES:
        texts += [(name, span) for span in pages.code(name) if span.startswith("credlens ")]
    for place, text in texts:
        for line in text.split("\n"):
            for words in simple_commands(line):
                if words[:1] == ["uvx"] or words[:2] == ["python", "-m"]:
                    words = words[words.index("credlens") :]
                if words[:1] == ["credlens"]:
                    yield place, words


def simple_commands(line):
    """The simple commands of a line of shell, each as its words."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = []
    for word in lexer:
        if set(word) <= set("|&;()<>"):
            # The number of a redirected stream is not an argument.
            yield words[:-1] if words and words[-1].isdigit() and ">" in word else words
            words = []
        else:
            words.append(word)
    yield words


def reference():
    """The help of each command, as docs/cli.md has it."""
    parts = re.split(r"^## credlens ?", (pages.DOCS / "cli.md").read_text(), flags=re.MULTILINE)[1:]
    return {part.split("\n")[0]: part for part in parts}


def runs(command):
    """Whether a command can be run on the demo; the others need AWS or only name a command."""
    return "fixtures/demo" in command or command[1] in ("rules", "frameworks")
