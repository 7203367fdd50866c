"""What every wrapper around a `ChatModel` has in common: it is one itself, so wrappers can be stacked in any order."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from vif.llm.protocol import ChatModel, Completion, Preparable, Provider, Request, account_of, identity_of


class Wrapper:
    """Passes everything on; a subclass changes what it is there for."""

    def __init__(self, inner: ChatModel) -> None:
        self._inner = inner

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._inner!r})"

    @property
    def provider(self) -> Provider:
        return self._inner.provider

    @property
    def model(self) -> str:
        return self._inner.model

    @property
    def identity(self) -> str:
        return identity_of(self._inner)

    @property
    def account(self) -> str:
        return account_of(self._inner)

    async def complete(self, request: Request) -> Completion:
        return await self._inner.complete(request)

    def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        return self._inner.stream(request)

    async def prepare(self) -> None:
        if isinstance(self._inner, Preparable):
            await self._inner.prepare()

    async def aclose(self) -> None:
        await self._inner.aclose()
