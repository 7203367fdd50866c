"""A fallback ladder of your own, and which errors there are to handle.

LLM #1 is a server of one's own that happens to be down; the embedded model stands in for it, and the Rust formula would
stand in for that. Nothing of LLM #1 is ever an error, unless you ask for it.

    python ladder_and_errors.py
"""

import vif

down = vif.Access(local_base_url="http://127.0.0.1:9/v1")  # keys would stand here too, or in the environment
ladder = vif.DualLlmConfig(
    llm1_provider=vif.Provider.LOCAL,
    llm1_model="my-model",
    llm1_max_retries=0,
    llm1_timeout_ms=2_000,
    llm1_embedded=True,  # the rung after my-model
    llm2_max_tokens=30,
)

interaction = vif.ask("How do I implement quicksort?", using=vif.connect(ladder, down))
print(interaction.recognition.in_words)
for attempt in interaction.recognition.attempts:
    print(f"  {attempt.provider}:{attempt.model} {attempt.outcome}")
if interaction.response and interaction.response.error:  # LLM #2's failures are data: the reading is still there
    print(f"no reply: {interaction.response.error}")

strict = ladder.with_(llm1_embedded=False, fallback_to_formula=False)
try:
    vif.read("How do I implement quicksort?", using=vif.connect(strict, down))
except vif.RecognitionError as error:
    print(f"nobody could read it ({error.reason})")

try:
    vif.DualLlmConfig(llm1_timeout_ms=-1)
except vif.ConfigError as error:
    print(f"a setting that cannot work: {error}")

try:
    vif.ask("Hello", autonomy=1.5, using="offline")
except vif.InputError as error:
    print(f"an argument outside its range: {error}")
