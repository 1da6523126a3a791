"""The connections of tasks that aiohttp makes; it is imported with the first request."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar, Final

from sinch_wrapper._http import AIOHTTP, httpx, is_aiohttp_forced
from sinch_wrapper._transport.pool import AsyncPooledTransport, AsyncPools
from sinch_wrapper.errors import ConfigurationError

if TYPE_CHECKING:
    from sinch_wrapper._transport.aiohttp_pool import AiohttpPool

_NO_PROXY: Final = "the proxy cannot be used: check proxy= or HTTPS_PROXY (aiohttp knows no SOCKS)"


class AiohttpTransport(AsyncPools["AiohttpPool"], httpx.AsyncBaseTransport):
    """Sends each request of tasks through the pool of its proxy.

    Raises (while sending): ConfigurationError for a proxy or certificates that cannot be used.
    """

    _unusable_proxy: ClassVar[str] = _NO_PROXY

    def _open(self, scheme: str, proxy: str | None) -> "AiohttpPool":
        from sinch_wrapper._transport.aiohttp_pool import AiohttpPool

        if proxy is not None and not proxy.lower().startswith("http"):
            raise ValueError
        tls, via = self._route(scheme, proxy)
        tunnels = scheme == "https"
        return AiohttpPool(tls, via, self._connections, self._largest, tunnels=tunnels)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request*."""
        return await (await self._opened(request)).handle_async_request(request)

    async def aclose(self) -> None:
        """Close all pools."""
        for pool in list(self._pools.values()):
            await pool.aclose()


def async_pool(http: str | None) -> type[AsyncPooledTransport | AiohttpTransport]:
    """The transport for tasks that http= or the environment asks for.

    Raises: ConfigurationError when aiohttp is not installed.
    """
    if http is None and not is_aiohttp_forced():
        return AsyncPooledTransport
    if find_spec(AIOHTTP) is None:
        raise ConfigurationError("http= needs aiohttp: install sinch-wrapper[aiohttp]")
    return AiohttpTransport
