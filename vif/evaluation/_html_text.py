"""What the report as a page is written with: text that stays text, sections, tables."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from vif.evaluation._html_pictures import Reader, legend_mark
from vif.evaluation.shown import plain


def text(shown: str, longest: int | None = None) -> str:
    return escape(plain(shown, longest))


def foreign(shown: str, longest: int | None = None) -> str:
    """Text that others wrote, in whatever direction it runs; what stands around it keeps its own."""
    return f"<bdi>{text(shown, longest)}</bdi>"


def named(shown: str) -> str:
    return foreign(shown, 120)


def reader_name(reader: Reader) -> str:
    return f"{legend_mark(reader)}{foreign(reader.name)}"


def listed(names: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join(filter(None, [", ".join(map(foreign, names[:-1])), foreign(names[-1])]))


def section(title: str, introduction: str, body: str) -> str:
    """`introduction` and `body` are HTML."""
    return f'<section>\n<h2>{text(title)}</h2>\n<p class="soft">{introduction}</p>\n{body}\n</section>'


def table(heads: Sequence[str], rows: Sequence[str]) -> str:
    """`heads` are HTML, `rows` whole rows of it. On a phone the cells of a row stand below each other."""
    columns = "".join(f'<th scope="col">{head}</th>' for head in heads)
    return (
        f'<div class="wide"><table class="stacked"><thead><tr>{columns}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
