"""What counts as a number in an option: neither a text nor a truth value."""

import math
from typing import TypeGuard


def is_number(value: object) -> TypeGuard[float]:
    """Whether *value* is a number; infinity is one, NaN is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or not math.isnan(value)


def is_whole(value: object) -> TypeGuard[int]:
    """Whether *value* is an integer."""
    return isinstance(value, int) and not isinstance(value, bool)


def counted(count: int, noun: str) -> str:
    """*count* and its *noun*: `1 row`, `2 rows`, `0 batches`."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun}{'es' if noun.endswith('ch') else 's'}"
