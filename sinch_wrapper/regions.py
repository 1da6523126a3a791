"""Regions and the base URLs of the APIs in them."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import Final, Literal, NoReturn, TypeAlias, TypeGuard
from urllib.parse import urlsplit

from sinch_wrapper import _validate
from sinch_wrapper._forget import forgetting
from sinch_wrapper.errors import ConfigurationError

__all__ = ["Endpoints", "Region", "RegionName"]

_TOKEN_URL: Final = "https://auth.sinch.com/oauth2/token"  # noqa: S105 (a URL)


RegionName: TypeAlias = Literal["us", "eu", "br"]
"""The names of the regions, for type checkers; `Region(name)` takes any string."""


class Region(StrEnum):
    """The regions of the Conversation API; an app lives in the one where it was created."""

    US = "us"
    EU = "eu"
    BR = "br"

    @classmethod
    @forgetting
    def parse(cls, name: str) -> "Region":
        """Find the region by its name, in any case.

        Raises: ConfigurationError that lists the valid names.
        """
        try:
            return cls(str(name).strip().lower())
        except ValueError as error:
            fault = ConfigurationError(str(error))
        raise fault

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        # The message of the standard library would quote the value.
        del value
        message = f"unknown region: set region= or SINCH_REGION to one of {', '.join(cls)}"
        raise ValueError(message)


def is_this_machine(host: str) -> bool:
    """Whether *host* is localhost or an address of the loopback network."""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_base_url(url: object) -> TypeGuard[str]:
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    sound = sound and not (parts.query or parts.fragment or parts.username or parts.password)
    return sound and url.isascii() and not any(char <= " " for char in url)


def _is_readable_on_the_way(url: str) -> bool:
    """Whether others can read what is sent to *url*: plain HTTP to another host than this one."""
    parts = urlsplit(url)
    return parts.scheme != "https" and not is_this_machine(parts.hostname or "")


def _checked(name: str, url: object, *, allow_http: bool) -> str:
    if not _is_base_url(url):
        message = f"endpoints.{name} must be an http or https URL without query and user"
        raise ConfigurationError(message)
    if not allow_http and _is_readable_on_the_way(url):
        message = (
            f"endpoints.{name} is plain http:// to another host, which would show the access key "
            "and all messages to everybody on the way: use https://, or "
            "Endpoints(..., allow_http=True) in a network of your own"
        )
        raise ConfigurationError(message)
    return url.rstrip("/")


@dataclass(frozen=True, slots=True, init=False)
class Endpoints:
    """The URL of the token endpoint (*auth*), the bases of *conversation*, *batch* and *template*.

    Plain http:// is for this machine: to another host *allow_http* has to ask for it.

    Raises: ConfigurationError for anything but an http or https URL.
    """

    auth: str
    conversation: str
    batch: str
    template: str

    @forgetting
    def __init__(
        self, auth: str, conversation: str, batch: str, template: str, *, allow_http: bool = False
    ) -> None:
        _validate.boolean("allow_http", allow_http, error=ConfigurationError)
        for name, url in zip(self.__slots__, (auth, conversation, batch, template), strict=True):
            object.__setattr__(self, name, _checked(name, url, allow_http=allow_http))

    @classmethod
    @forgetting
    def for_region(cls, region: Region | str) -> "Endpoints":
        """The public hosts of *region*; the token endpoint is the same for all.

        Raises: ConfigurationError for an unknown region.
        """
        name = Region.parse(region)
        return cls(
            auth=_TOKEN_URL,
            conversation=f"https://{name}.conversation.api.sinch.com",
            batch=f"https://{name}.conversationbatch.api.sinch.com",
            template=f"https://{name}.template.api.sinch.com",
        )

    @classmethod
    @forgetting
    def sandbox(cls, base: str, *, allow_http: bool = False) -> "Endpoints":
        """One server for all: each API under its own prefix, because two of them share paths.

        Plain http:// is for this machine: to another host *allow_http* has to ask for it.

        Raises: ConfigurationError when *base* is not an http or https URL.
        """
        root = base.strip().rstrip("/") if isinstance(base, str) else base
        if not _is_base_url(root):
            message = (
                "invalid sandbox URL: expected something like http://127.0.0.1:8787; "
                "check SINCH_SANDBOX_URL or Endpoints.sandbox(base=...)"
            )
            raise ConfigurationError(message)
        return cls(
            auth=f"{root}/auth/oauth2/token",
            conversation=f"{root}/conversation",
            batch=f"{root}/batch",
            template=f"{root}/template",
            allow_http=allow_http,
        )
