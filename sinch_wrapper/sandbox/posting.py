"""One POST of a callback: what is sent, with which credentials, and whether it was taken."""

import ssl
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sinch_wrapper.sandbox.codec import decode
from sinch_wrapper.sandbox.shapes import Json

if TYPE_CHECKING:
    import httpx  # noqa: TID251 (the sandbox shares no code with the client)
else:
    try:
        import httpx2 as httpx  # noqa: TID251 (as above; the faster one)
    except ImportError:
        import httpx  # noqa: TID251 (as above)

_FAILURES = (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a callback goes, its signing secret, and the OAuth2 credentials the receiver wants."""

    url: str
    secret: str = field(default="", repr=False)
    credentials: Json | None = field(default=None, repr=False)


def is_local(url: str) -> bool:
    """Say whether *url* leads to this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or host.endswith(".localhost") or ip_address(host).is_loopback
    except ValueError:
        return False


class Poster:
    """Posts callbacks, *connections* at once; with a token where the webhook asks for one.

    Each has a transport to itself: the pool of one client looks at all its connections whenever a
    request comes or goes.
    """

    def __init__(self, connections: int, timeout: float) -> None:
        self._lanes = [_lane() for _ in range(connections)]
        self._free = list(self._lanes)
        self._extensions = {"timeout": httpx.Timeout(timeout).as_dict()}
        self._tokens: dict[tuple[str, str], tuple[str, float]] = {}
        self._client = httpx.AsyncClient(timeout=timeout, verify=_tls(), trust_env=False)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        for lane in self._lanes:
            await lane.aclose()

    async def post(self, target: Target, body: bytes, headers: dict[str, str], now: float) -> bool:
        """Say whether *target* answered *body* with a success."""
        lane = self._free.pop()
        try:
            if target.credentials:
                token = await self._token(target.credentials, now)
                headers = headers | {"authorization": f"Bearer {token}"}
            request = httpx.Request(
                "POST", target.url, content=body, headers=headers, extensions=self._extensions
            )
            answer = await lane.handle_async_request(request)
            try:
                await answer.aread()
            finally:
                await answer.aclose()
        except _FAILURES:
            return False
        finally:
            self._free.append(lane)
        return answer.is_success

    async def _token(self, credentials: Json, now: float) -> str:
        # The client credentials of a webhook.
        key = credentials["endpoint"], credentials["client_id"]
        token, expiry = self._tokens.get(key, ("", 0.0))
        if expiry <= now:
            answer = await self._client.post(credentials["endpoint"], **_grant(credentials))
            granted = decode(answer.raise_for_status().content)
            token, expiry = granted["access_token"], now + float(granted["expires_in"])
            self._tokens[key] = token, expiry
        return token


def _grant(credentials: Json) -> Json:
    pair = credentials["client_id"], credentials["client_secret"]
    form = {"grant_type": "client_credentials"}
    form |= {name: credentials[name] for name in ("scope", "response_type") if name in credentials}
    if credentials.get("token_request_type") == "FORM":
        return {"data": form | dict(zip(("client_id", "client_secret"), pair, strict=True))}
    return {"data": form, "auth": pair}


def _lane() -> httpx.AsyncHTTPTransport:
    # A target may change, so that the connection to the last one need not be closed first.
    limits = httpx.Limits(max_connections=2, max_keepalive_connections=2)
    return httpx.AsyncHTTPTransport(verify=_tls(), limits=limits, trust_env=False)


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes longer than starting a whole sandbox.
    return ssl.create_default_context()
