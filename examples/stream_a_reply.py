"""A conversation of two messages, each reply written as it arrives, with what it took at the end.

python stream_a_reply.py
"""

import vif
from vif.events import Finished, Recognised, ReplyDelta, ReplyFailed

config = vif.load_config(llm2_max_tokens=60)  # short replies; the models are what your keys allow

previous: vif.Interaction | None = None
for message in ("Explain quantum entanglement simply.", "What does that feel like to physicists?"):
    print(f"\n> {message}")
    for event in vif.stream(message, previous=previous, using=config):
        match event:
            case Recognised(reading, recognition):
                strongest = max(reading.domains, key=lambda name: reading.domains[name])
                print(f"[{recognition.in_words}: mostly {vif.Domain(strongest).label.lower()}]")
            case ReplyDelta(text):
                print(text, end="", flush=True)
            case ReplyFailed(why):
                print(f"LLM #2 failed: {why}")
            case Finished(interaction):
                previous = interaction
                print(f"\n[{interaction.timings_ms.total:.0f} ms, {interaction.developmental_stage}]")
