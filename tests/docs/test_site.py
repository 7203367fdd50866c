"""The documentation as a site: built without a warning, complete, and asking nobody else for anything."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import dev

FETCHED = {
    *(("script", "src"), ("img", "src"), ("img", "srcset"), ("iframe", "src"), ("source", "src"), ("source", "srcset")),
    *(("video", "src"), ("audio", "src"), ("embed", "src"), ("object", "data"), ("link", "href"), ("form", "action")),
}
"""What makes a browser ask for something before anybody clicks."""

_IN_CSS = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")


class Page(HTMLParser):
    """What a page fetches, where its links lead, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)
        self.fetched += [a or b for a, b in _IN_CSS.findall("".join(re.findall(r"<style.*?</style>", text, re.DOTALL)))]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if (tag, name) in FETCHED and value:
                self.fetched.append(value)
            elif (tag, name) == ("a", "href") and value:
                self.links.append(value)
            elif name == "id" and value:
                self.anchors.add(value)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    target = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [str(part) for part in dev.site_command(sys.executable, target)],
        check=False,
        cwd=dev.ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr == ""
    return target


def pages(site: Path) -> Iterator[tuple[Path, Page]]:
    for path in sorted(site.rglob("*.html")):
        yield path, Page(path.read_text("utf-8"))


def is_foreign(address: str) -> bool:
    return bool(urlsplit(address).netloc)


def test_every_page_of_docs_is_in_it_and_in_its_contents(site: Path) -> None:
    sources = {path.relative_to(dev.ROOT / "docs").with_suffix(".html") for path in (dev.ROOT / "docs").rglob("*.md")}
    built = {path.relative_to(site) for path in site.rglob("*.html")}
    assert sources <= built
    listed = {unquote(link.partition("#")[0]) for link in Page((site / "index.html").read_text("utf-8")).links}
    assert {path.as_posix() for path in sources} - listed - {"index.html"} == set()


def test_readme_is_on_its_first_page_with_links_that_lead_into_the_site(site: Path) -> None:
    text = (site / "index.html").read_text("utf-8")
    assert "See how a language model reads a message." in text
    assert "docs/" not in {link.partition("#")[0][:5] for link in Page(text).links}
    assert "_images/explore-light.png" in text


def test_it_asks_no_other_host_for_anything(site: Path) -> None:
    found = {(path.name, address) for path, page in pages(site) for address in page.fetched if is_foreign(address)}
    for path in site.rglob("*.css"):
        addresses = [a or b for a, b in _IN_CSS.findall(path.read_text("utf-8"))]
        found |= {(path.name, address) for address in addresses if is_foreign(address)}
    assert found == set()


def test_what_fetches_from_another_host_would_be_found() -> None:
    page = Page(
        '<img src="//a.example/x.png"><style>@import "https://b.example/f.css"; a{background:url(x.png)}</style>'
    )
    assert [address for address in page.fetched if is_foreign(address)] == [
        "//a.example/x.png",
        "https://b.example/f.css",
    ]


def test_every_link_within_it_leads_somewhere(site: Path) -> None:
    found = dict(pages(site))
    nowhere = []
    for path, page in found.items():
        for link in page.links:
            file, _, anchor = unquote(link).partition("#")
            target = (path.parent / file).resolve() if file else path
            if is_foreign(link) or link.startswith("mailto:"):
                continue
            if not target.exists() or (anchor and target in found and anchor not in found[target].anchors):
                nowhere.append((path.name, link))
    assert nowhere == []
