"""The style sheet of the report as a page: the figures' palettes, both themes, paper and phones."""

from __future__ import annotations

from vif.domains import DOMAINS
from vif.figures.style import DARK, LIGHT, Palette

FORMULA_COLOUR = "formula"
COLOURS = ("llm1", *(domain.value for domain in DOMAINS))
"""Of the subjects in turn, apart from the formula: the names of the variables that hold them."""


def _colours(palette: Palette) -> str:
    domains = "".join(f"--{domain.value}:{palette.domains[domain]};" for domain in DOMAINS)
    return (
        f"--llm1:{palette.llm1};--formula:{palette.formula};--text:{palette.text};--page:{palette.background};{domains}"
    )


_LIGHT = f"{_colours(LIGHT)}--soft:#59627A;--line:#DDE1EA;--faint:#F4F5F9;--good:#00664A;--bad:#B3261E;--bar:#D3D8E4"
_DARK = f"{_colours(DARK)}--soft:#A3ACC2;--line:#313748;--faint:#1B1F2B;--good:#52DDB0;--bad:#FF9C94;--bar:#3D4559"

_RULES = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;background:var(--page)}
body{margin:0 auto;padding:3rem 1.5rem 4rem;max-width:66rem;color:var(--text);background:var(--page);
 font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif;
 font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
h1{font-size:clamp(1.5rem,1.1rem + 1.9vw,2.25rem);line-height:1.22;letter-spacing:-.015em;font-weight:650;
 margin:.4rem 0 1.1rem;text-wrap:balance}
h2{font-size:1.35rem;letter-spacing:-.01em;font-weight:650;margin:3.5rem 0 .4rem;text-wrap:balance}
h3{font-size:1rem;font-weight:650;margin:0}
p{margin:.4rem 0;max-width:46rem}
.soft{color:var(--soft)}.small{font-size:.86rem}
.eyebrow{color:var(--soft);font-size:.86rem;margin:0}
.facts{display:flex;flex-wrap:wrap;gap:.4rem 2.2rem;margin:1.4rem 0 0;padding:0;list-style:none}
.facts b{display:block;font-size:1.25rem;font-weight:650;line-height:1.3}
.facts li{color:var(--soft);font-size:.86rem}.facts b{color:var(--text)}
.notice{border-left:4px solid var(--bad);background:var(--faint);padding:.7rem 1rem;margin:1.2rem 0;max-width:none}
.scores{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:1rem;margin:1.6rem 0 0;padding:0;
 list-style:none}
.scores li{border:1px solid var(--line);border-radius:.6rem;padding:.9rem 1.1rem;break-inside:avoid}
.scores p{margin:.15rem 0 0}
.good{color:var(--good)}.bad{color:var(--bad)}
.verdict{font-weight:650;white-space:nowrap}
table{border-collapse:collapse;width:100%;margin:1rem 0 0}
th,td{text-align:left;vertical-align:top;padding:.6rem .9rem .6rem 0;border-bottom:1px solid var(--line)}
thead th{font-size:.86rem;font-weight:650;vertical-align:bottom;border-bottom:2px solid var(--line)}
tbody th{font-weight:600;width:36%}tbody th p{font-weight:400;margin:.1rem 0 0;max-width:30rem}
tr{break-inside:avoid}
.wide{overflow-x:auto}.wide td{min-width:8.6rem}
.wide .asked{white-space:nowrap;min-width:0}
td b{font-weight:650}
svg{display:block;max-width:100%;overflow:visible}
svg text{fill:var(--soft);font-family:inherit}
.mark{display:inline-block;width:.85em;height:.85em;vertical-align:-.06em;margin-right:.4em}
.meter{width:8.5rem;height:.9rem;margin:.25rem 0}
.rule{stroke:var(--line);stroke-width:1}.bar{fill:var(--bar)}.aim{stroke:var(--text);stroke-width:1.5}
.whisker{stroke:currentColor;stroke-width:1.6;stroke-linecap:round;fill:none}
.grid{stroke:var(--line);stroke-width:1;fill:none}
.front{stroke:var(--soft);stroke-width:1.5;stroke-dasharray:2 4;fill:none}
.picture{width:100%;max-width:42rem;height:auto;margin:1rem 0 0}
.picture text{font-size:13px;paint-order:stroke;stroke:var(--page);stroke-width:4px;stroke-linejoin:round}
.picture .label{fill:var(--text);font-weight:600;font-size:13px}
.forest{width:15rem;height:1.5rem}
.key{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;margin:.8rem 0 0;padding:0;list-style:none;font-size:.9rem}
.key svg{display:inline-block}.key .swatch{width:1.6em;height:.7em;vertical-align:0;margin-right:.4em}
.case{border-top:1px solid var(--line);padding:1.1rem 0 1.2rem;break-inside:avoid}
.case header{display:flex;flex-wrap:wrap;gap:.1rem .9rem;align-items:baseline}
.message{font-size:1.02rem;margin:.3rem 0 .6rem;white-space:pre-wrap;max-width:none}
.strips{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:.6rem 1.4rem}
.strips svg{width:100%;height:auto}.strips text{font-size:11px;font-weight:600}
.faults{margin:.7rem 0 0;padding:0;list-style:none;font-size:.92rem}
.faults li{margin:.15rem 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.4rem;margin:1rem 0 0}
dt{color:var(--soft)}dd{margin:0}
pre{background:var(--faint);border:1px solid var(--line);border-radius:.5rem;padding:.8rem 1rem;margin:1rem 0 0;
 white-space:pre-wrap;font:.88rem/1.5 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media screen and (max-width:44rem){
 body{padding:1.6rem 1rem 3rem}h2{margin-top:2.6rem}
 .strips{grid-template-columns:repeat(2,minmax(0,1fr))}
 .stacked thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
 .stacked,.stacked tbody,.stacked tr,.stacked th,.stacked td{display:block;width:auto}
 .stacked tbody tr{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:.3rem 1.2rem;padding:.9rem 0;
  border-bottom:1px solid var(--line)}
 .stacked th,.stacked .asked{grid-column:1/-1}
 .stacked th,.stacked td{border:0;padding:.15rem 0}
 .stacked td[data-of]::before{content:attr(data-of);display:block;color:var(--soft);font-size:.86rem}
 .stacked td:empty{display:none}
 .wide td{min-width:0}.picture text,.picture .label{font-size:17px}.strips text{font-size:14px}
 dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}
}
@media print{
 @page{margin:16mm 14mm}
 html{font-size:9.5pt}body{padding:0;max-width:none}.wide{overflow:visible}h2{break-after:avoid;margin-top:1.8rem}
 .bar,.notice,pre{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""


def style_sheet() -> str:
    """All of it, without anything from elsewhere."""
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{_DARK}}}}}"
    classes = [f".of-{name}{{color:var(--{name})}}" for name in (*COLOURS, FORMULA_COLOUR)]
    names = [f"svg text.of-{domain.value}{{fill:var(--{domain.value})}}" for domain in DOMAINS]
    return "".join([f":root{{color-scheme:light dark;{_LIGHT}}}", dark, *classes, _RULES, *names])
