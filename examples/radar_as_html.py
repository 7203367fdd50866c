"""The radar of LLM #1 over the Rust formula as a page of its own, which needs no network and no server.

python radar_as_html.py "What does this poem mean?" poem.html
"""

import sys

import vif
from vif.figures import describe_radar, difference_in_words, radar

message = sys.argv[1] if len(sys.argv) > 1 else "What does it feel like to understand something deeply?"
path = sys.argv[2] if len(sys.argv) > 2 else "radar.html"

reading = vif.read(message)
formula = reading.formula.domains.model_dump()

print(f"LLM #1 {difference_in_words(reading.domains, formula)}.")
print(describe_radar(formula, reading.domains))
radar(formula, reading.domains).write_html(path)
print(f"written to {path}")
