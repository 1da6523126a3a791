"""What this machine reaches without the client: a proxy, and the URL of a webhook."""

import http.client
import socket
import urllib.error
import urllib.request
from typing import Final
from urllib.parse import urlsplit

_PATIENCE: Final = 10.0


def proxy_of(url: str) -> str | None:
    """The proxy that the environment names for *url*; None for none."""
    parts = urlsplit(url)
    known = urllib.request.getproxies()
    proxy = known.get(parts.scheme) or known.get("all")
    return None if urllib.request.proxy_bypass(parts.hostname or "") else proxy


def proxy_address(proxy: str) -> tuple[str, int] | None:
    """Host and port of a *proxy*, without its user and password; None when it is not a URL."""
    try:
        to = urlsplit(proxy)
        return to.hostname or "", to.port or (443 if to.scheme == "https" else 80)
    except ValueError:
        return None


def connection_fault(address: tuple[str, int]) -> str | None:
    """Why nothing can be connected to at *address*; None when something can."""
    try:
        socket.create_connection(address, timeout=_PATIENCE).close()
    except OSError as error:
        return error.strerror or type(error).__name__
    return None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: object) -> None:
        """Follow none: callbacks are not followed either."""


def status_of(url: str) -> int | str:
    """The status that a GET of *url* gives, or in words why there is none."""
    if not url.startswith(("http://", "https://")):
        return "it is not an http or https URL"
    try:
        with urllib.request.build_opener(_NoRedirect).open(url, timeout=_PATIENCE) as response:
            status: int = response.status
            return status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except urllib.error.URLError as error:
        return getattr(error.reason, "strerror", None) or type(error.reason).__name__
    except (OSError, ValueError, http.client.HTTPException) as error:
        return type(error).__name__
