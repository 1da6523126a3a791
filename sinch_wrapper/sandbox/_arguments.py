"""Checks of arguments: another kind of value raises TypeError, one out of range ValueError.

A message names the option and what it must be. It never quotes the value, which may be a secret.
"""

import math
import sys
from collections.abc import Collection

_LARGEST = sys.float_info.max


def wrong_kind(option: str, wanted: str, value: object) -> TypeError:
    """Return the error for a *value* of another kind than the *wanted* one."""
    kind = "None" if value is None else type(value).__name__
    return TypeError(f"{option}= must be {wanted}, not {kind}")


def check_kind(option: str, value: object, kind: type | tuple[type, ...], wanted: str) -> None:
    """Check for an instance of *kind*, which the error calls *wanted*."""
    if not isinstance(value, kind):
        raise wrong_kind(option, wanted, value)


def check_text(option: str, value: object) -> None:
    """Check for a string that is not blank."""
    if not isinstance(value, str):
        raise wrong_kind(option, "a string", value)
    if not value.strip():
        raise ValueError(f"{option}= must not be empty")


def check_optional_text(option: str, value: object) -> None:
    """Check for a string or None."""
    check_kind(option, value, (str, type(None)), "a string or None")


def check_flag(option: str, value: object) -> None:
    """Check for True or False."""
    check_kind(option, value, bool, "True or False")


def check_choice(option: str, value: object, choices: Collection[str]) -> None:
    """Check for one of *choices*."""
    wanted = f"one of {', '.join(choices)}"
    check_kind(option, value, str, wanted)
    if value not in choices:
        raise ValueError(f"{option}= must be {wanted}")


def check_whole(option: str, value: object, least: float = 1, most: float | None = None) -> None:
    """Check for a whole number from *least* to *most*; a bool is not a number."""
    wanted = f"a whole number{_range(least, most)}"
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_kind(option, wanted, value)
    if value < least or (most is not None and value > most):
        raise ValueError(f"{option}= must be {wanted}")


def check_real(option: str, value: object, wanted: str) -> float:
    """Check for a number, which the error calls *wanted*, and return it; a bool is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_kind(option, wanted, value)
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise ValueError(f"{option}= must be {wanted}, and not as large as this")
    return value


def check_number(
    option: str, value: object, least: float = 0, most: float | None = None, *, zero: bool = True
) -> None:
    """Check for a finite number from *least* to *most*, with *zero* or without it."""
    wanted = f"a finite number{_range(least, most) if zero else ' above 0'}"
    given = check_real(option, value, wanted)
    if not (max(least, -_LARGEST) <= given <= (_LARGEST if most is None else most)) or not (
        zero or given
    ):
        raise ValueError(f"{option}= must be {wanted}")


def check_positive(option: str, value: object) -> None:
    """Check for a finite number above 0."""
    check_number(option, value, zero=False)


def check_share(option: str, value: object) -> None:
    """Check for a share, from 0 to 1."""
    check_number(option, value, 0, 1)


def _range(least: float, most: float | None) -> str:
    if most is None:
        return "" if least == -math.inf else f", {least:g} or more"
    return f" from {least:g} to {most:.12g}"
