"""The examples at the end of each help, whole, so that they can be copied."""

from collections.abc import Iterator
from typing import Final

_WIDTH: Final = 78


def examples(*lines: str) -> str:
    """The epilog of a command with these examples, each without the name of the program."""
    title = "Example" if len(lines) == 1 else "Examples"
    # What click leaves as it is begins with this sign.
    found = ["\b", f"{title}:"]
    for line in lines:
        found += wrapped(f"sinch-wrapper {line}")
    return "\n".join([*found, ""])


def wrapped(line: str) -> Iterator[str]:
    """*line* with a backslash before the option that a terminal has no room for."""
    first, *rest = line.split(" --")
    current = f"  {first}"
    for each in rest:
        if len(current) + len(each) + 5 > _WIDTH:
            yield f"{current} \\"
            current = f"      --{each}"
        else:
            current += f" --{each}"
    yield current
