"""Who may talk to the sandbox: programs that name it rightly, and no page of another site.

A browser on the same machine reaches the sandbox, too. A site whose name is made to point to
127.0.0.1 (DNS rebinding) would pass it off as its own, so the header `Host` must be a name of the
sandbox. A page can also post blindly to another origin, so a request with the header `Origin` of
another one is refused.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address

from starlette.requests import Request

from sinch_wrapper.sandbox._documents import hosts
from sinch_wrapper.sandbox._errors import Refusal

_AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[^\s:/?#@\[\]\\]+?)\.?)(?::\d*)?")
_REMEDY = "--allow-host, or allow_hosts of Settings, allows it"


def check_door(request: Request, allowed: Sequence[str], listening: str) -> None:
    """Raise Refusal 403 for a request to another host name, or from a page of another origin.

    Args:
        request: any request.
        allowed: host names that are served as well, and whose pages may call.
        listening: the address that the server listens on.

    """
    headers, named = request.headers, tuple(allowed)
    host, server = headers.get("host", "").lower(), request.scope.get("server") or ("", 0)
    # In a test without sockets the server is known by the name of the request's URL.
    if not _is_served(host, (*named, str(server[0])), listening):
        raise Refusal(403, f"The sandbox is not served under this host name: {_REMEDY}")
    for origin in headers.getlist("origin"):
        if not _is_own_page(origin.lower(), host, named):
            raise Refusal(403, f"A page of another origin must not call the sandbox: {_REMEDY}")


def is_this_machine(name: str) -> bool:
    """Say whether the host *name* means this machine, whatever a name server says."""
    return name == "localhost" or name.endswith(".localhost") or _is_address(name, "is_loopback")


def is_host_name(text: str) -> bool:
    """Say whether *text* is a host name or an address, without port, scheme and brackets."""
    return _is_address(text) or (text != "" and text.lower() == _name_of(text.lower()))


# Cached, because it is asked of every request.
@lru_cache(maxsize=256)
def _is_served(host: str, allowed: tuple[str, ...], listening: str) -> bool:
    name = _name_of(host)
    if name in hosts() or is_this_machine(name) or name in map(str.lower, (*allowed, listening)):
        return True
    # An address in figures is not a name that could be made to point elsewhere.
    return _is_address(listening, "is_unspecified") and _is_address(name)


def _is_own_page(origin: str, host: str, allowed: tuple[str, ...]) -> bool:
    scheme, _, authority = origin.partition("://")
    return scheme in {"http", "https"} and (
        authority == host or _name_of(authority) in map(str.lower, allowed)
    )


def _name_of(authority: str) -> str:
    """Return the host name in *authority*, without port and brackets; empty when it has none."""
    found = _AUTHORITY.fullmatch(authority)
    return (found["v6"] or found["name"]) if found else ""


def _is_address(name: str, quality: str = "version") -> bool:
    try:
        return bool(getattr(ip_address(name), quality))
    except ValueError:
        return False
