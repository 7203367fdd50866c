"""How a message is read: four domains and six boundaries, LLM #1 next to the Rust formula.

    python read_a_message.py "What does this poem mean?"

Without a key the embedded model reads; with OPENAI_API_KEY or ANTHROPIC_API_KEY one of theirs does.
"""

import sys

import vif

message = " ".join(sys.argv[1:]) or "How do I implement quicksort?"
reading = vif.read(message)

print(f"“{message}”, {reading.recognition.in_words}\n")
for domain in vif.DOMAINS:
    activation, formula = reading.domains.get(domain, 0.0), getattr(reading.formula.domains, domain)
    print(f"{domain.label:<14} {activation:.2f} {'█' * round(20 * activation):<20}  formula {formula:.2f}")
for boundary in reading.boundaries:
    print(f"{boundary.name:<14} {boundary.permeability:.2f} {boundary.status}")
