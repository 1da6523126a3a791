"""The access key, and what is checked of it before any request."""

from dataclasses import dataclass, field

from sinch_wrapper.errors import ConfigurationError

__all__ = ["Credentials"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key of the Sinch dashboard; neither half shows in the repr.

    Raises: ConfigurationError for characters that no key has.
    """

    key_id: str = field(repr=False)
    key_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        for name, value in (("key_id", self.key_id), ("key_secret", self.key_secret)):
            if not value.isascii() or not value.isprintable() or " " in value:
                message = f"{name} holds a space or a character that no key has: copy it again"
                raise ConfigurationError(message)
