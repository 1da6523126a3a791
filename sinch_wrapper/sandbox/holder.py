"""The sandbox of a server: it may be replaced by a fresh one while the server runs."""

import asyncio

from sinch_wrapper.sandbox.hub import Hub
from sinch_wrapper.sandbox.settings import Settings


class Holder:
    """Holds the hub that serves, and puts a new one in its place on a reset."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.hub = Hub(settings)
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start the hub on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self.hub.start()

    async def reset(self, settings: Settings | None = None) -> None:
        """Forget everything and begin anew, with other *settings* or those of the start."""
        old, self.hub = self.hub, Hub(settings or self.settings)
        self.hub.start()
        await old.aclose()

    def reset_from_outside(self, settings: Settings | None = None) -> None:
        """Reset from another thread than that of the server, and wait until it is done."""
        if self._loop is None:
            self.hub = Hub(settings or self.settings)
        else:
            asyncio.run_coroutine_threadsafe(self.reset(settings), self._loop).result()

    async def aclose(self) -> None:
        """End all work and close all connections."""
        self._loop = None
        await self.hub.aclose()
