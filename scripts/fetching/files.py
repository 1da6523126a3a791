"""Replacing a file in one step, so that nobody ever reads half of one."""

from __future__ import annotations

import os
from pathlib import Path


def put(path: Path, content: bytes) -> None:
    """Write a file that is the old one or the new one at any moment, also after a crash.

    What a crash leaves behind is one hidden file beside it, which the next call writes over.

    Raises: OSError; then the old file is there.
    """
    new = path.with_name(f".{path.name}.new")
    try:
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
