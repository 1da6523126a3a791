"""Which API and region a request is for: by path prefix, or by the real host names."""

from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from sinch_wrapper.sandbox.documents import PACKAGES, document

AUTH = "auth"


@dataclass(frozen=True, slots=True)
class Address:
    """The API of a request, its region, and its path in the document of the API."""

    api: str
    region: str
    path: str


@cache
def hosts() -> dict[str, tuple[str, str]]:
    """Return API and region by host name, as the servers of the documents name them.

    The token endpoint is the host of its own that the documents name; it has no region.
    """
    found = {}
    for api in PACKAGES:
        for server in document(api)["servers"]:
            for region in server["variables"]["region"]["enum"]:
                host = urlsplit(server["url"].replace("{region}", region)).hostname or ""
                found[host] = (str(api), region)
    return found | {urlsplit(token_url()).hostname or "": (AUTH, "")}


@cache
def regions() -> tuple[str, ...]:
    """Return the regions of the documents."""
    return tuple(dict.fromkeys(region for _, region in hosts().values() if region))


@cache
def token_url() -> str:
    """Return the URL of the token endpoint, as the documents name it."""
    schemes = document("conversation")["components"]["securitySchemes"]
    url: str = schemes["oAuth2"]["flows"]["clientCredentials"]["tokenUrl"]
    return url


def find_address(host: str, path: str, region: str) -> Address | None:
    """Return the address of a request for *path* with the header `Host` *host*.

    By host: `eu.conversation.api.sinch.com`, `auth.sinch.com`, whatever the port. By prefix:
    `/conversation/...` in *region*, or with another one `/eu/conversation/...`; `/auth/...`.
    """
    known = hosts().get(host.partition(":")[0].lower())
    if known is not None:
        return Address(known[0], known[1] or region, path)
    first, _, rest = path.lstrip("/").partition("/")
    if first in regions():
        region = first
        first, _, rest = rest.partition("/")
    if first == AUTH or first in PACKAGES:
        return Address(first, region, f"/{rest}")
    return None
