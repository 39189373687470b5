"""What mkdocs needs to build the pages of docs/ as they are, so that they also read well in the repository."""

import posixpath
import re
from pathlib import Path

from mkdocs.plugins import get_plugin_logger

log = get_plugin_logger("site")

# A link, its target and its anchor; not an image, not an address.
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>[^)#:\s]+)(?P<anchor>#[^)\s]*)?\)")
CELL = re.compile(r"<t[dh]\b.*?</t[dh]>", re.DOTALL)
FENCE = re.compile(r"^```(?P<language>[\w-]+) (?P<words>.+)$")


def on_config(config):
    """Fills in the pages of a folder: `rules/*` is all of docs/rules."""
    for section in config.nav:
        for title, entries in section.items():
            section[title] = [filled_in(entry, Path(config.docs_dir)) for entry in entries]
    return config


def filled_in(entry, docs):
    if not isinstance(entry, dict):
        return entry
    ((title, pattern),) = entry.items()
    if not pattern.endswith("/*"):
        return entry
    folder = pattern.removesuffix("/*")
    names = sorted(path.name for path in (docs / folder).glob("*.md") if path.name != "README.md")
    pages = [{name.removesuffix(".md"): f"{folder}/{name}"} for name in names]
    return {title: [f"{folder}/README.md", *pages]}


def on_page_markdown(markdown, page, config, files):
    """Links that leave docs/ lead to the repository. Fences have one word, where tests read more."""
    lines, fenced = [], False
    for line in markdown.split("\n"):
        if line.startswith("```"):
            fenced = not fenced
            line = FENCE.sub(one_word, line)
        elif not fenced:
            line = LINK.sub(lambda link: to_repository(link, page, config), line)
        lines.append(line)
    return "\n".join(lines)


def one_word(fence):
    """The words behind the language are for tests (tests/cli/cookbook.rs); a file name becomes a title."""
    files = [word for word in fence["words"].split(" ") if "." in word]
    return f"```{fence['language']}" + "".join(f' title="{file}"' for file in files[:1])


def to_repository(link, page, config):
    folder = posixpath.dirname(page.file.src_uri)
    target = posixpath.normpath(posixpath.join("docs", folder, link["target"]))
    if target.startswith("docs/"):
        return link[0]
    file = Path(config.config_file_path).parent / target
    if target.startswith("..") or not file.exists():
        log.warning("%s has a link to %s, which is not in the repository", page.file.src_uri, link["target"])
        return link[0]
    kind = "tree" if file.is_dir() else "blob"
    return f"[{link['text']}]({config.repo_url.rstrip('/')}/{kind}/main/{target}{link['anchor'] or ''})"


def on_page_content(html, page, config, files):
    r"""In a table, GitHub reads `\|` in code as `|`; the library for tables leaves the backslash."""
    return CELL.sub(lambda cell: cell[0].replace(r"\|", "|"), html)


def on_post_page(output, page, config):
    return without_stars(output)


def on_post_template(output_content, template_name, config):
    return without_stars(output_content)


def without_stars(html):
    """The theme's script would ask GitHub for the number of stars: pages fetch nothing from other hosts."""
    return html.replace('data-md-component="source"', "")
