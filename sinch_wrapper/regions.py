"""Regions and the base URLs of the APIs in them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn, TypeGuard
from urllib.parse import urlsplit

from sinch_wrapper.errors import ConfigurationError

__all__ = ["Endpoints", "Region"]

_TOKEN_URL: Final = "https://auth.sinch.com/oauth2/token"  # noqa: S105 (a URL)


class Region(StrEnum):
    """The regions of the Conversation API; an app lives in the one where it was created."""

    US = "us"
    EU = "eu"
    BR = "br"

    @classmethod
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


def _checked(name: str, url: object) -> str:
    if not _is_base_url(url):
        message = f"endpoints.{name} must be an http or https URL without query and user"
        raise ConfigurationError(message)
    return url.rstrip("/")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The URL of the token endpoint (*auth*) and the base URLs of the three APIs.

    Raises: ConfigurationError for anything but an http or https URL.
    """

    auth: str
    conversation: str
    batch: str
    template: str

    def __post_init__(self) -> None:
        for name in self.__slots__:
            object.__setattr__(self, name, _checked(name, getattr(self, name)))

    @classmethod
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
    def sandbox(cls, base: str) -> "Endpoints":
        """One server for all: each API under its own prefix, because two of them share paths.

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
        )
