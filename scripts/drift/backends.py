"""The two comparers behind one function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from codegen.document import Node, Refused
from drift import compare, redocly
from drift.change import Change
from drift.npm import USUAL, Patience, is_available

NAMES = ("auto", "python", "redocly")


@dataclass(frozen=True, slots=True)
class Compared:
    """The changes, the comparer that found them, and why it was not the other one."""

    changes: list[Change]
    backend: str
    note: str = ""


def comparer(
    name: str, *, network: bool, patience: Patience = USUAL
) -> Callable[[Node, Node], Compared]:
    """A function that compares two documents.

    Args:
        name: ``python``, ``redocly``, or ``auto``: Redocly where it can be had, else Python.
        network: whether Redocly may be fetched; without it ``auto`` means Python.
        patience: how long to wait for Redocly.

    The function raises: Refused when the documents cannot be compared.
    """
    failed = name == "python" or (name == "auto" and not (network and is_available()))

    def run(base: Node, revision: Node) -> Compared:
        nonlocal failed
        note = ""
        if not failed:
            try:
                return Compared(redocly.compare(base, revision, patience), "redocly")
            except Refused as refused:
                if name == "redocly":
                    raise
                # Said and tried once: it would fail the next document in the same way.
                failed, note = True, f"compared in Python, for {refused.place} {refused.problem}"
        return Compared(compare.compare(base, revision), "python", note)

    return run
