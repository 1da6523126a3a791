"""What the scripts have in common as commands."""

from __future__ import annotations

import argparse
import io
import math
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def seconds(text: str) -> float:
    """A time limit as an argument.

    Raises: argparse.ArgumentTypeError unless it is a number above 0.
    """
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return found


def place(text: str) -> str:
    """A file or an address as an argument.

    Raises: argparse.ArgumentTypeError when it is empty.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("name a file or an address")
    return text


def reason(error: OSError) -> str:
    """What is to be said of a file that cannot be read or written."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}; check the path, its permissions and the space left"


def be_printable() -> None:
    """Let what a terminal cannot show be escaped; a document may hold any character."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
