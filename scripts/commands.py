"""What the scripts share as commands: argument types, messages for failures, output."""

from __future__ import annotations

import argparse
import io
import math
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def seconds(text: str) -> float:
    """Parse a time limit.

    Raises: argparse.ArgumentTypeError unless it is a number above 0.
    """
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return found


def place(text: str) -> str:
    """Parse a file name or an address.

    Raises: argparse.ArgumentTypeError when it is empty.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("name a file or an address")
    return text


def reason(error: OSError) -> str:
    """The message for a file that cannot be read or written."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}; check the path, its permissions and the space left"


def be_printable() -> None:
    """Escape characters that the terminal cannot show; a document can contain any."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
