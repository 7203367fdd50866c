"""A store that is opened when it is first used, in a thread: nobody waits for it who has nothing to keep yet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from vif.errors import ConfigError
from vif.store.errors import StoreError
from vif.store.waiting import outcome

if TYPE_CHECKING:
    from pydantic import SecretStr

    from vif.interaction import Interaction
    from vif.store.store import Store


class LaterStore:
    """Keeps interactions in a store that is not open yet. One object serves any number of event loops."""

    def __init__(self, open_it: Callable[[], Store]) -> None:
        self._open = open_it
        self._lock = threading.Lock()
        self._opening: Future[Store] | None = None

    def begin(self) -> Future[Store]:
        """Begin to open it, without waiting for that; after a failure, once more."""
        with self._lock:
            opening = self._opening
            if opening is None or (opening.done() and opening.exception() is not None):
                opening = self._opening = Future()
                threading.Thread(target=self._carry_out, args=(opening,), name="vif-store-open", daemon=True).start()
        return opening

    async def store(self) -> Store:
        """The store itself, open. Raises ConfigError when it cannot be opened; the next call tries again."""
        return await outcome(self.begin())

    async def prepare(self) -> None:
        """Open it now."""
        await self.store()

    async def save(
        self, interaction: Interaction, *, session: str | None = None, conversation: str | None = None
    ) -> None:
        """As `Store.save`. Raises StoreError, also when it cannot be opened."""
        try:
            store = await self.store()
        except ConfigError as error:
            raise StoreError(str(error)) from None
        await store.save(interaction, session=session, conversation=conversation)

    def close(self) -> None:
        """Finish what is being written. Blocks; calling it twice is harmless."""
        with self._lock:
            opening, self._opening = self._opening, None
        if opening is not None and opening.exception() is None:
            opening.result().close()

    def _carry_out(self, opening: Future[Store]) -> None:
        try:
            opening.set_result(self._open())
        except BaseException as error:  # noqa: BLE001  # whoever waits gets it
            opening.set_exception(error)


def open_later(url: SecretStr | str | None = None, *, retention_days: float | None = None) -> LaterStore:
    """The store at `url`, or this user's own, opened when it is first needed. The rest as for `Store`."""

    def open_it() -> Store:
        from vif.store.store import open_store

        return open_store(url, retention_days=retention_days)

    return LaterStore(open_it)
