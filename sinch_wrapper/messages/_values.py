"""Immutable JSON objects whose repr shows their kind and nothing else."""

from collections.abc import Iterable, Mapping
from typing import NoReturn, Self


def _frozen(value: object) -> object:
    if isinstance(value, Value | Items):
        return value
    if isinstance(value, Mapping):
        return Value("object", value)
    if isinstance(value, list | tuple):
        return Items(value)
    return value


class _Fixed:
    """The common part of both kinds: they refuse to change, and a copy is the value itself."""

    __slots__ = ()

    def refuse(self, *_: object, **__: object) -> NoReturn:
        """Raise TypeError, in place of every method that would change something."""
        message = f"{self!r} cannot be changed: build another one"
        raise TypeError(message)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


class Items(_Fixed, list[object]):
    """A JSON array that cannot be changed; equal to the list of the same items."""

    __slots__ = ()

    def __init__(self, items: Iterable[object]) -> None:
        super().__init__(_frozen(item) for item in items)

    def __repr__(self) -> str:
        return f"<{len(self)} items>"

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _Fixed.refuse
    append = extend = insert = remove = pop = clear = sort = reverse = _Fixed.refuse

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (list(self),)


class Value(_Fixed, dict[str, object]):
    """A JSON object that cannot be changed, down to its last list.

    A dict, because JSON libraries write dicts fastest. It holds phone numbers and message text,
    so only its *kind* is shown.
    """

    __slots__ = ("kind",)

    kind: str

    def __init__(self, kind: str, content: Mapping[str, object]) -> None:
        super().__init__({str(key): _frozen(value) for key, value in content.items()})
        object.__setattr__(self, "kind", kind)

    def __repr__(self) -> str:
        return f"<{self.kind}>"

    __setitem__ = __delitem__ = __ior__ = __setattr__ = __delattr__ = _Fixed.refuse
    clear = pop = popitem = setdefault = update = _Fixed.refuse

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.kind, dict(self))


def compact(**fields: object) -> dict[str, object]:
    """The *fields* that are given, in order; None and empty objects count as not given."""
    return {name: value for name, value in fields.items() if value is not None and value != {}}
