"""Checks of arguments, in one place for all parts.

Each check returns the value, so a call of it can replace the value. A value of the wrong
kind raises TypeError, one that is out of range ValueError; *error* is raised instead of both, for
parts that promise an exception of their own. The text names the option and what it must be. It
never quotes the value, which may be a phone number, a message or a secret.
"""

import json
import os
import re
import sys
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeAlias, TypeGuard, TypeVar

T = TypeVar("T")
FunctionT = TypeVar("FunctionT", bound=Callable[..., object])
Error: TypeAlias = type[Exception] | None

# Modules between a caller and the place of a warning.
_BETWEEN: Final = {
    *("sinch_wrapper", "sinch_batch_api", "sinch_conversation_api", "sinch_template_api"),
    *("asyncio", "concurrent", "threading"),
}
_LARGEST: Final = sys.float_info.max
# google.protobuf.Duration as JSON.
_DURATION: Final = re.compile(r"[0-9]+(\.[0-9]{1,9})?s")


def wrong_kind(option: str, wanted: str, value: object, error: Error = None) -> Exception:
    """The exception for a *value* that is not of the *wanted* kind."""
    kind = "None" if value is None else type(value).__name__
    return (error or TypeError)(f"{option}= must be {wanted}, not {kind}")


def out_of_range(option: str, wanted: str, error: Error = None) -> Exception:
    """The exception for a value of the right kind that is not what is *wanted*."""
    return (error or ValueError)(f"{option}= must be {wanted}")


# Numbers


def is_number(value: object) -> TypeGuard[float]:
    """Whether *value* is a finite number; a bool is not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_LARGEST <= value <= _LARGEST


def is_whole(value: object) -> TypeGuard[int]:
    """Whether *value* is an integer; a bool is not."""
    return isinstance(value, int) and not isinstance(value, bool)


def whole(
    option: str, value: object, least: int = 1, most: int | None = None, *, error: Error = None
) -> int:
    """Check for a whole number from *least* to *most*."""
    wanted = f"a whole number{_range(least, most)}"
    if not is_whole(value):
        raise wrong_kind(option, wanted, value, error)
    if value < least or (most is not None and value > most):
        raise out_of_range(option, wanted, error)
    return value


def number(  # noqa: PLR0913 (keyword-only, each with a default)
    option: str,
    value: object,
    least: float = 0,
    most: float = _LARGEST,
    *,
    above: bool = False,
    unit: str = "",
    error: Error = None,
) -> float:
    """Check for a finite number from *least* (or *above* it) to *most*, in *unit*."""
    wanted = (f"a number of {unit}" if unit else "a number") + _range(
        least, None if most >= _LARGEST else most, above=above
    )
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_kind(option, wanted, value, error)
    if not least <= value <= most or (above and value == least):
        raise out_of_range(option, wanted, error)
    return value


seconds = partial(number, unit="seconds")
"""number() in seconds."""


def _range(least: float, most: float | None, *, above: bool = False) -> str:
    if above:
        return f" above {_digits(least)}" + ("" if most is None else f", up to {_digits(most)}")
    if most is None:
        return f", {_digits(least)} or more"
    return f" from {_digits(least)} to {_digits(most)}"


def _digits(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:g}"


# Other values


def boolean(option: str, value: object, *, error: Error = None) -> bool:
    """Check for True or False."""
    if not isinstance(value, bool):
        raise wrong_kind(option, "True or False", value, error)
    return value


def string(option: str, value: object, *, error: Error = None) -> str:
    """Check for a string that is not blank."""
    if not isinstance(value, str):
        raise wrong_kind(option, "a string", value, error)
    if not value.strip():
        raise (error or ValueError)(f"{option}= must not be empty")
    return value


def one_of(option: str, value: object, choices: Collection[str], *, error: Error = None) -> str:
    """Check for one of the strings *choices*."""
    *others, last = (f'"{choice}"' for choice in choices)
    wanted = f"{', '.join(others)} or {last}" if others else last
    if not isinstance(value, str):
        raise wrong_kind(option, wanted, value, error)
    if value not in choices:
        raise out_of_range(option, wanted, error)
    return value


def channel(option: str, value: object, known: Collection[str], *, error: Error = None) -> str:
    """Check the name of a channel, and write it as the API does.

    A name that is nearly one of the *known* is a slip; any other may be one that the API adds.
    """
    name = string(option, value, error=error).strip().upper()
    if name not in known:
        from difflib import get_close_matches

        if near := get_close_matches(name, known, 1, 0.8):
            raise out_of_range(option, f"a channel: did you mean {near[0]}?", error)
    return name


def timestamp(option: str, value: object, *, error: Error = None) -> datetime:
    """Check for a datetime with a time zone."""
    wanted = "a datetime with a time zone, such as datetime.now(UTC)"
    if not isinstance(value, datetime):
        raise wrong_kind(option, wanted, value, error)
    if value.utcoffset() is None:
        raise out_of_range(option, wanted, error)
    return value


def path(option: str, value: object, *, error: Error = None) -> Path:
    """Check for the path of a file, a string or a Path."""
    given = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(given, str):
        raise wrong_kind(option, "a path", value, error)
    if not given.strip() or "\0" in given:
        raise out_of_range(option, "a path that is not empty", error)
    return Path(given)


def instance(
    option: str, value: object, kind: type[T], wanted: str | None = None, *, error: Error = None
) -> T:
    """Check for an instance of *kind*, called *wanted* in the error."""
    if not isinstance(value, kind):
        raise wrong_kind(option, wanted or f"a {kind.__name__}", value, error)
    return value


def function(
    option: str, value: FunctionT, wanted: str = "a function", *, error: Error = None
) -> FunctionT:
    """Check for something that can be called."""
    if not callable(value):
        raise wrong_kind(option, wanted, value, error)
    return value


# Collections


def items(
    option: str, value: object, *, may_be_empty: bool = False, error: Error = None
) -> list[object]:
    """Check for an iterable and read it; strings, bytes and mappings are not lists."""
    if isinstance(value, str | bytes | bytearray | Mapping) or not isinstance(value, Iterable):
        raise wrong_kind(option, "a list", value, error)
    found = list(value)
    if not found and not may_be_empty:
        raise (error or ValueError)(f"{option}= must not be empty")
    return found


def strings(option: str, value: object, *, error: Error = None) -> Sequence[str]:
    """Check for a list or tuple of strings, none of them blank."""
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise wrong_kind(option, "a list of strings", value, error)
    if not all(item.strip() for item in value):
        raise out_of_range(option, "a list of strings that are not empty", error)
    return value


def mapping(
    option: str,
    value: object,
    wanted: str = "a mapping with strings as keys",
    *,
    values: type = object,
    error: Error = None,
) -> Mapping[str, object]:
    """Check for a mapping from strings to *values*, called *wanted* in the error."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise wrong_kind(option, wanted, value, error)
    if values is not object and not all(isinstance(item, values) for item in value.values()):
        raise wrong_kind(option, wanted, value, error)
    return value


def string_mapping(option: str, value: object, *, error: Error = None) -> Mapping[str, object]:
    """Check for a mapping from strings to strings."""
    return mapping(option, value, "a mapping from strings to strings", values=str, error=error)


def no_unknown(
    call: str, given: Iterable[str], known: Collection[str], *, error: Error = None
) -> None:
    """Check that *call* has every option that is *given*."""
    unknown = [name for name in given if name not in known]
    if unknown:
        fault = f"{call} has no option {min(unknown)!r}; it takes {', '.join(known)}"
        raise (error or TypeError)(fault)


# What is sent


def app_id(value: object, *, error: Error = None) -> str:
    """Check the id of an app."""
    return string("app_id", value, error=error)


def content(option: str, value: object, hint: str, *, error: Error = None) -> Mapping[str, object]:
    """Check for a mapping that is not empty, such as a message; *hint* says how to make one."""
    if not isinstance(value, Mapping):
        raise wrong_kind(option, hint, value, error)
    if not value:
        raise (error or ValueError)(f"{option}= must not be empty: it must be {hint}")
    return value


def message(value: object, *, error: Error = None) -> Mapping[str, object]:
    """Check a message: what a builder made, or a mapping of the same shape."""
    return content("message", value, "a message, such as text(...)", error=error)


def ttl(option: str, value: object, *, error: Error = None) -> str:
    """Check a time to live, and write it as the API reads it, such as `"10s"`."""
    wanted = 'seconds, a timedelta or a string such as "10s"'
    if isinstance(value, str):
        if not _DURATION.fullmatch(value):
            raise out_of_range(option, wanted, error)
        return value
    given = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise wrong_kind(option, wanted, value, error)
    if not 1 <= given <= _LARGEST:
        raise out_of_range(option, "1 second or more", error)
    return f"{int(given)}s"


def metadata(option: str, value: object, *, error: Error = None) -> str:
    """Check metadata that the API takes as a string; a mapping is written as JSON."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        raise wrong_kind(option, "a string or a mapping", value, error)
    try:
        return json.dumps(dict(value), separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as fault:
        kind = TypeError if isinstance(fault, TypeError) else ValueError
    raise (error or kind)(f"{option}= holds a value that JSON cannot express")


def _any_string(option: str, value: object, *, error: Error = None) -> str:
    return instance(option, value, str, "a string", error=error)


class _Check(Protocol):
    def __call__(self, option: str, value: object, /, *, error: Error = None) -> object: ...


# The optional fields of messages:send and of a batch. Enums are open: the API adds values.
_REQUEST_FIELDS: Final[Mapping[str, _Check]] = {
    "callback_url": _any_string,
    "channel_priority_order": strings,
    "channel_properties": string_mapping,
    "message_metadata": metadata,
    "conversation_metadata": mapping,
    "queue": _any_string,
    "ttl": ttl,
    "processing_strategy": _any_string,
    "correlation_id": _any_string,
    "conversation_metadata_update_strategy": _any_string,
    "message_content_type": _any_string,
}


def request_field(name: str, value: object, *, error: Error = None) -> object:
    """Check the optional field *name* of a request, and return it as the API takes it."""
    return _REQUEST_FIELDS[name](name, value, error=error)


def deprecated(text: str) -> None:
    """Warn whoever called the library, not a line of the library; nobody in a thread of its own."""
    frame = sys._getframe(1)  # noqa: SLF001 - the standard way to the caller, as in warnings
    while (module := str(frame.f_globals.get("__name__"))).partition(".")[0] in _BETWEEN:
        # The command says it in words of its own.
        if frame.f_back is None or module.startswith(("sinch_wrapper.cli", "threading")):
            return
        frame = frame.f_back
    warnings.warn_explicit(
        text, DeprecationWarning, frame.f_code.co_filename, frame.f_lineno, module
    )


def counted(count: int, noun: str) -> str:
    """*count* and its *noun*: `1 row`, `2 rows`, `0 batches`."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun}{'es' if noun.endswith('ch') else 's'}"
