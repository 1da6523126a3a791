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
    """Posts callbacks over a pool of connections; with a token where the webhook asks for one."""

    def __init__(self, connections: int, timeout: float) -> None:
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._client = httpx.AsyncClient(
            timeout=timeout, limits=limits, verify=_tls(), trust_env=False
        )
        self._tokens: dict[tuple[str, str], tuple[str, float]] = {}

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def post(self, target: Target, body: bytes, headers: dict[str, str], now: float) -> bool:
        """Say whether *target* answered *body* with a success."""
        try:
            if target.credentials:
                token = await self._token(target.credentials, now)
                headers = headers | {"authorization": f"Bearer {token}"}
            answer = await self._client.post(target.url, content=body, headers=headers)
        except _FAILURES:
            return False
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


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes longer than starting a whole sandbox.
    return ssl.create_default_context()
