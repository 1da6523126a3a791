"""What counts as a number in an option: neither a text nor a truth value."""

import math
from typing import TypeGuard

__all__ = ["is_number", "is_whole"]


def is_number(value: object) -> TypeGuard[float]:
    """Whether *value* is a number; infinity is one, NaN is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or not math.isnan(value)


def is_whole(value: object) -> TypeGuard[int]:
    """Whether *value* is an integer."""
    return isinstance(value, int) and not isinstance(value, bool)
