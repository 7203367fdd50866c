"""The documentation as a site: `make docs`. The pages stay plain Markdown that reads well without it."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

import vif

HERE = Path(__file__).resolve().parent

project = "VIF dashboard"
version = release = vif.__version__
language = "en"
extensions = ["myst_parser"]
exclude_patterns = ["images"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # README's title comes below the site's

html_theme = "furo"
html_title = project
html_favicon = "../pages/vif.svg"
html_copy_source = False
html_show_copyright = False
html_last_updated_fmt = None

_UP = re.compile(r"\[([^\]]+)\]\((\.\./[^)#]+)[^)]*\)")
_LINK = re.compile(r"^[-*] \[[^\]]+\]\(([\w/.-]+)\.md\)", re.MULTILINE)


def _complete(_app: Sphinx, page: str, source: list[str]) -> None:
    """Make the lists of `index.md` the site's contents, and put README below them.

    Written as directives in the page they would be noise for whoever reads it where the code is.
    """
    if page != "index":
        folder = (HERE / page).parent
        # What is not part of the site is only named there.
        source[0] = _UP.sub(
            lambda link: link[0] if (folder / link[2]).resolve().is_relative_to(HERE) else link[1], source[0]
        )
        return
    listed: set[str] = set()
    trees = []
    for section in source[0].split("\n## ")[1:]:
        pages = _LINK.findall(section)
        listed.update(pages)
        trees.append((section.splitlines()[0], pages))
    every = {path.relative_to(HERE).with_suffix("").as_posix() for path in HERE.rglob("*.md")}
    if left := sorted(every - listed - {"index"}):
        trees.append(("More", left))
    for caption, pages in trees:
        source[0] += "\n".join(("\n\n```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```\n"))
    source[0] += "\n```{include} ../README.md\n:relative-docs: docs/\n:relative-images:\n:heading-offset: 1\n```\n"


def setup(app: Sphinx) -> None:
    app.connect("source-read", _complete)
