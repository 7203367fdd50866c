"""What users and models wrote is shown, and does nothing else."""

from __future__ import annotations

import pytest

from pages._text import harmless, plain

HOSTILE = "$x$ <script> ![](http://evil/x.png)"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (HOSTILE, r"\$x\$ <script> !\[](http://evil/x.png)"),
        ("![a][b]\n\n[b]: http://evil/x.png", "!\\[a][b]\n\n[b]: http://evil/x.png"),
        ("![a\nb](http://evil/x.png)", "!\\[a\nb](http://evil/x.png)"),
        (r"\![a](b)", r"\!\[a\](b)"),
        (r"costs \$5, or \\$6", r"costs \$5, or \\\$6"),
        (":red[alarm] and :green-badge[LLM #1]", r"\:red[alarm] and \:green-badge[LLM #1]"),
        (r"\:red[alarm], \\:red[alarm]", r"\:red[alarm], \\\:red[alarm]"),
        ("```mermaid\ngraph\n```", "```text\ngraph\n```"),
        ("> ~~~ Mermaid\n> graph\n> ~~~", "> ~~~ text\n> graph\n> ~~~"),
        ("`![](http://evil/x.png)`", r"`!\[](http://evil/x.png)`"),
        ("` ` ![](http://evil/x.png) `", r"` ` !\[](http://evil/x.png) `"),
        ("```\n![](http://evil/x.png)\n```", "```\n!\\[](http://evil/x.png)\n```"),
    ],
)
def test_a_reply_brings_no_image_formula_diagram_or_directive(written: str, shown: str) -> None:
    assert harmless(written) == shown


@pytest.mark.parametrize(
    "written",
    [
        "# Title\n\n- **bold** and [a link](https://example.org)\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        "```bash\necho $HOME | awk '{print $1}'\n```",
        "1. first\n\n   ```rust\n   let v = vec![1, 2];\n   ```\n2. second",
        "`$x` and ``a ` $b`` stay",
        "see http://example.org:8000/a and 10:30, note: this",
    ],
)
def test_ordinary_markdown_and_code_stay_as_they_are(written: str) -> None:
    assert harmless(written) == written


def test_markup_after_a_code_block_is_still_taken_out() -> None:
    assert harmless("```\n$a\n```\n$b and ```not a fence``` $c") == "```\n$a\n```\n\\$b and ```not a fence``` \\$c"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[b](javascript:alert(1)) [d](<JavaScript:x>)", r"[b\](javascript:alert(1)) [d\](\<JavaScript:x>)"),
        ("[c]( java&#115;cript:x) [e](/admin)", r"[c\]( java&#115;cript:x) [e\](/admin)"),
        ("[f]: data:text/html,x", r"[f\]: data:text/html,x"),
        ("<javascript:alert(1)//@x>", r"\<javascript:alert(1)//@x>"),
        ("[r]:\n  javascript:x", "[r\\]:\n  javascript:x"),
        (r"[x\](javascript:x) [x\\](javascript:x)", r"[x\](javascript:x) [x\\\](javascript:x)"),
    ],
)
def test_a_link_leads_to_the_web_or_to_mail_or_is_none(written: str, shown: str) -> None:
    assert harmless(written) == shown


def test_links_to_the_web_and_to_mail_stay() -> None:
    links = "[a](https://x.org) [b]( <http://x.org>) [m](mailto:a@b.org) [t](#part) <https://x.org> <me@x.org>"
    assert harmless(links) == links
    assert harmless("[f]: https://x.org") == "[f]: https://x.org"


def test_a_line_of_foreign_text_shows_every_character_as_it_is() -> None:
    assert plain("a *b*\n$c$ :red[d]") == r"a \*b\* \$c\$ \:red\[d\]"
    assert plain(HOSTILE) == r"\$x\$ \<script\> \!\[\]\(http\:\/\/evil\/x\.png\)"


def test_a_line_can_be_cut() -> None:
    assert plain("word " * 10, longest=10) == "word word…"
    assert plain("word", longest=4) == "word"
