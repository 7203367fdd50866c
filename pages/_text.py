"""Foreign text on a page: what users and models wrote must not become markup that does something.

The server's Content-Security-Policy is the second fence: even an image that got through would not be fetched.
"""

from __future__ import annotations

import re

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_FENCE = re.compile(r"\s*(?:[-*+>]\s+|\d+[.)]\s+)*(`{3,}|~{3,})(.*)")
_CODE_SPAN = re.compile(r"(?<![`\\])(`+)(?!`)([^\n]+?)(?<!`)\1(?!`)")
_DIAGRAM = re.compile(r"(?im)^([\s>*+\-\d.)]*(?:`{3,}|~{3,})\s*)mermaid\b")
_CERTAIN_IMAGE = re.compile(r"!(?=\[[^\n]*\][(\[])")
_WEB = r"(?:https?://|mailto:)"
_LINK = re.compile(
    rf"(\\*)(\](?=\((?!\s*<?(?:{_WEB}|#)))"  # [words](address)
    rf"|\](?=:\s*(?:$|<?(?!{_WEB}|#)\S*:))"  # [words]: address
    rf"|<(?!{_WEB})(?=[A-Za-z][\w+.-]*:))",  # <address>
    re.IGNORECASE,
)
"""Where a link ends or begins whose address is neither of the web nor of mail: `javascript:` runs, a path is ours."""
_LIVE = re.compile(r"(\\*)(\$|!(?=\[)|:(?=[A-Za-z][\w-]*\[))")


def plain(text: str, longest: int | None = None) -> str:
    """Markdown that shows `text` as it is, on one line; cut to `longest` characters when that is given."""
    flat = " ".join(text.split())
    if longest is not None and len(flat) > longest:
        flat = flat[: longest - 1].rstrip() + "…"
    return _PUNCTUATION.sub(r"\\\1", flat)


def harmless(markdown: str) -> str:
    """A model's Markdown without images, formulas, diagrams and this page's own directives; code stays as it is.

    Of links only those to the web and to mail stay.

    What looks like an image is taken out of code as well: where code ends is the browser's decision, not ours.
    """
    lines: list[str] = []
    fence = ""
    for line in _DIAGRAM.sub(r"\1text", markdown).split("\n"):
        match = _FENCE.match(line)
        if fence:
            lines.append(line)
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
        elif match and "`" not in match[2]:
            lines.append(line)
            fence = match[1]
        else:
            lines.append(_without_markup(line))
    return _CERTAIN_IMAGE.sub(r"!\\", "\n".join(lines))


def _without_markup(line: str) -> str:
    parts: list[str] = []
    end = 0
    for code in _CODE_SPAN.finditer(line):
        parts += (_made_harmless(line[end : code.start()]), code[0])
        end = code.end()
    return "".join((*parts, _made_harmless(line[end:])))


def _made_harmless(text: str) -> str:
    return _LIVE.sub(_escaped, _LINK.sub(_escaped, text))


def _escaped(match: re.Match[str]) -> str:
    if match[2] == "!":
        return f"{match[1]}!\\"  # the bracket after it is escaped: neither an image nor a link
    return match[0] if len(match[1]) % 2 else f"{match[1]}\\{match[2]}"
