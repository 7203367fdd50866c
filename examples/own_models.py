"""Models of your own, in both roles: any object with these members is one; nothing has to be inherited.

As LLM #1 it answers with the JSON of the contract, which is checked as any provider's; as LLM #2 with text.

    python own_models.py
"""

import json
from collections.abc import AsyncGenerator

import vif
from vif.boundaries import permeability_between, status_of

WORDS = {"CD": ("implement", "code"), "SD": ("why", "explain"), "CuD": ("poem", "culture"), "ED": ("feel", "tired")}


class Keywords:
    """Reads by keywords. Everything after stage 2 works with it as with a language model."""

    provider, model = vif.Provider.LOCAL, "keywords"

    async def complete(self, request: vif.Request) -> vif.Completion:
        text = request.turns[-1].text.lower()
        domains = {name: 0.9 if any(word in text for word in words) else 0.2 for name, words in WORDS.items()}
        boundaries = {}
        for name in vif.BOUNDARY_NAMES:
            first, second = name.split("-")
            permeability = permeability_between(domains[first], domains[second])
            boundaries[name] = {"permeability": permeability, "status": status_of(permeability)}
        answer = {"reasoning": "Words I know.", "domains": domains, "boundaries": boundaries, "patterns": ["keywords"]}
        return vif.Completion(json.dumps(answer), self.model, vif.Finish.STOP)

    async def stream(self, request: vif.Request) -> AsyncGenerator[str | vif.Completion, None]:
        reply = f"You gave me {len(request.turns[-1].text):,} characters of structured prompt."
        yield reply
        yield vif.Completion(reply, self.model, vif.Finish.STOP)

    async def aclose(self) -> None:
        """There is nothing to release."""


api = vif.VifApi.with_dual_llm(Keywords(), Keywords())
interaction = vif.ask("What does it feel like to implement this?", using=api)
print(interaction)
print(interaction.reply)
