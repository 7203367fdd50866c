"""The picture of the packages and of what imports what, from the real imports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from typing import NamedTuple

import grimp


class Group(NamedTuple):
    """Modules that are one thing to a reader, with a few words. `place` is the middle of its box and the row."""

    modules: tuple[str, ...]
    place: tuple[int, int]
    what: str


GROUPS: Mapping[str, Group] = {
    "pages": Group(("pages",), (176, 0), "widgets, layout"),
    "command line": Group(
        ("cli", "cli_common", "cli_dashboard", "cli_eval", "cli_report", "cli_run", "cli_store"), (690, 0), "vif …"
    ),
    "backup": Group(("backup",), (600, 1), "all as one file"),
    "load": Group(("load",), (770, 1), "vif load"),
    "review": Group(("review",), (176, 2), "blind judgement"),
    "api": Group(("api", "connection", "scripting"), (440, 2), "one interaction"),
    "evaluation": Group(("evaluation",), (176, 3), "how well models read"),
    "figures": Group(("figures",), (86, 4), "Plotly, from data"),
    "store": Group(("store",), (262, 4), "what lasts"),
    "recognition": Group(("recognition", "attribution"), (434, 4), "LLM #1"),
    "response": Group(("response",), (606, 4), "LLM #2"),
    "telemetry": Group(("telemetry",), (774, 4), "whoever looks on"),
    "interaction": Group(("interaction", "events"), (330, 5), "what is given back"),
    "llm": Group(("llm", "config", "catalogue"), (600, 5), "models, settings"),
    "flow": Group(
        (
            *("flow", "flow_json", "prompt", "interfaces", "qualities", "wording", "oscillation", "boundaries"),
            *("domains", "notebook", "watch"),
        ),
        (330, 6),
        "the seven stages",
    ),
    "state": Group(("state", "identity", "percentiles"), (600, 6), "shared state, roles"),
    "statistics": Group(("statistics", "spreadsheet"), (176, 6), "numbers"),
    "errors": Group(("errors",), (434, 7), "what is raised"),
}

_WIDTH, _BOX, _TALL, _ROW = 860, 148, 46, 92


@cache
def _imports() -> dict[str, frozenset[str]]:
    """What each module at the top of `vif`, and `pages`, imports directly; imports for types only left out."""
    graph = grimp.build_graph("vif", "pages", exclude_type_checking_imports=True, cache_dir=None)

    def top(module: str) -> str:
        parts = module.split(".")
        return parts[0] if parts[0] == "pages" else ".".join(parts[1:2])

    found: dict[str, set[str]] = {}
    for module in graph.modules:
        into = found.setdefault(top(module), set())
        into.update(top(other) for other in graph.find_modules_directly_imported_by(module))
    # `vif.VifApi` and the other public names are found when they are first used, which no reader of imports sees.
    found["pages"].add("api")
    return {module: frozenset(others - {module, ""}) for module, others in found.items() if module}


def modules() -> frozenset[str]:
    """Every module at the top of `vif`, and `pages`."""
    return frozenset(_imports())


def imports() -> dict[str, frozenset[str]]:
    """What each group imports directly."""
    home = {module: name for name, group in GROUPS.items() for module in group.modules}
    return {
        name: frozenset(home[other] for module in group.modules for other in _imports()[module]) - {name}
        for name, group in GROUPS.items()
    }


def reached(name: str, direct: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """All that a group imports, directly or through others. Raises RecursionError when imports go in a circle."""
    return frozenset(direct[name]).union(*(reached(other, direct) for other in direct[name]))


def arrows() -> list[tuple[str, str]]:
    """The imports to draw: those that do not follow from others."""
    direct = imports()
    return [
        (name, other)
        for name, others in direct.items()
        for other in sorted(others)
        if not any(other in reached(between, direct) for between in others - {other})
    ]


def picture() -> str:
    """The drawing as SVG, in colours for light pages and dark ones."""
    places = {name: (x, 12 + row * _ROW) for name, (_, (x, row), _) in GROUPS.items()}
    parts = []
    for name, other in arrows():
        (x, y), (to_x, to_y) = places[name], places[other]
        start, end = y + _TALL, to_y - 4
        bend = max(24, (end - start) / 2)
        parts.append(f'<path d="M{x} {start}C{x} {start + bend:g} {to_x} {end - bend:g} {to_x} {end}"/>')
    boxes = []
    for name, (x, y) in places.items():
        title = ", ".join(GROUPS[name].modules)
        boxes.append(
            f"<g><title>{escape(title)}</title>"
            f'<rect x="{x - _BOX / 2:g}" y="{y}" width="{_BOX}" height="{_TALL}" rx="8"/>'
            f'<text x="{x}" y="{y + 20}" class="name">{escape(name)}</text>'
            f'<text x="{x}" y="{y + 36}">{escape(GROUPS[name].what)}</text></g>'
        )
    height = (max(group.place[1] for group in GROUPS.values()) + 1) * _ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        'font-size="12" role="img" aria-label="Packages from pages at the top to errors at the bottom; arrows lead '
        'from who imports to what is imported, and all lead down">\n<style>'
        "text{fill:#556;text-anchor:middle}.name{font-size:14px;font-weight:600;fill:#223}"
        "rect{fill:#f4f5fb;stroke:#8a90b8}path{fill:none;stroke:#7a80a8;stroke-width:1.3;marker-end:url(#end)}"
        "@media (prefers-color-scheme:dark){text{fill:#b8bcd0}.name{fill:#eef}rect{fill:#23263a;stroke:#6a70a0}"
        "path{stroke:#8a90c0}}</style>\n"
        '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 1L7 4L0 7" style="marker-end:none"/></marker></defs>\n'
        + "\n".join([*parts, *boxes])
        + "\n</svg>\n"
    )
