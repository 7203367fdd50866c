"""Text cells that a spreadsheet must not take for formulas, and back again.

A cell that begins with = + - @, a tab or a line end is a formula to Excel, LibreOffice or Google Sheets, and a formula
can fetch addresses and start programs (OWASP, CSV Injection). Such a cell gets an apostrophe in front, the sign for
"this is text". One that begins with an apostrophe gets another, so that nothing is lost: `restored` undoes it.
Numbers are written as numbers, not through here.
"""

from __future__ import annotations

_MEANS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are = + - @ in full width, which some versions of Excel read alike."""

_MARK = "'"


def neutralised(text: str) -> str:
    """The text as a cell that is shown and never carried out. `restored` gives the text again."""
    return _MARK + text if text.startswith((*_MEANS_A_FORMULA, _MARK)) else text


def restored(cell: str) -> str:
    """The text that `neutralised` made this cell of; any other cell as it is."""
    rest = cell.removeprefix(_MARK)
    return rest if rest != cell and rest.startswith((*_MEANS_A_FORMULA, _MARK)) else cell
