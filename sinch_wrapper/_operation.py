"""What a session takes and gives: operations in, responses out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

__all__ = ["OperationLike", "Response"]

T_co = TypeVar("T_co", covariant=True)


class OperationLike(Protocol[T_co]):
    """One call of an API as a value; the generated packages build them."""

    @property
    def id(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def params(self) -> Mapping[str, str | list[str]]: ...
    @property
    def json(self) -> object: ...
    @property
    def load(self) -> Callable[[object], T_co] | None: ...


@dataclass(frozen=True, slots=True)
class Response(Generic[T_co]):
    """A 2xx: the status, headers and raw body beside the *parsed* value.

    *parsed* is None for operations without content. Only the status shows in the repr.
    """

    status_code: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    parsed: T_co = field(repr=False)
