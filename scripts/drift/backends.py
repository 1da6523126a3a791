"""The two comparers behind one function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from codegen.document import Node, Refused
from drift import compare, redocly
from drift.change import Change

NAMES = ("auto", "python", "redocly")


@dataclass(frozen=True, slots=True)
class Compared:
    """The changes, the comparer that found them, and why it was not the other one."""

    changes: list[Change]
    backend: str
    note: str = ""


def comparer(name: str, *, network: bool) -> Callable[[Node, Node], Compared]:
    """
    A function that compares two documents.

    Args:
        name: ``python``, ``redocly``, or ``auto``: Redocly where it can be had, else Python.
        network: whether Redocly may be fetched; without it ``auto`` means Python.

    The function raises: Refused when the documents cannot be compared.
    """
    if name == "auto":
        name = "preferred" if network and redocly.is_available() else "python"

    def run(base: Node, revision: Node) -> Compared:
        if name == "python":
            return Compared(compare.compare(base, revision), "python")
        try:
            return Compared(redocly.compare(base, revision), "redocly")
        except Refused as refused:
            if name == "redocly":
                raise
            note = f"compared in Python, for {refused.place} {refused.problem}"
            return Compared(compare.compare(base, revision), "python", note)

    return run
