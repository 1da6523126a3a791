"""What is kept of an HTTP response: status, headers without secrets, content."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Headers", "Reply"]

_SECRET: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "set-cookie2"}
)


class Headers(Mapping[str, str]):
    """Response headers, read-only, found whatever the case of the name.

    Cookies and authorization are left out; repeated headers are joined by a comma.
    """

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        values: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            if key not in _SECRET:
                values[key] = f"{values[key]}, {value}" if key in values else value
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Headers {', '.join(self._values)}>"


@dataclass(frozen=True, slots=True, eq=True)
class Reply:
    """A response as an error keeps it: the same before and after pickling.

    *content* is the decoded body in full; neither it nor the headers show in the repr, for
    both may hold phone numbers or message text.
    """

    status_code: int
    headers: Headers = field(default_factory=Headers, repr=False)
    content: bytes = field(default=b"", repr=False)
