"""Changes of an official document, seen through the overlays that generated code is made with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from drift.change import Change, Kind, merged

_SECTION = 2


def through_overlays(
    changes: Collection[Change], ours: Collection[Change], targets: Collection[str]
) -> list[Change]:
    """The changes of a document, weighed by what they change for its users with the overlays.

    Where an overlay has said so all the time, the change is neutral. Where one says otherwise no
    more, because its target is gone, there is a change that the document alone does not show.

    Args:
        changes: of the document as it is published.
        ours: of the document with its overlays.
        targets: pointers of what the overlays target.
    """
    known, seen = ([one.pointer for one in given] for given in (ours, changes))
    # An action that only adds to a whole section says nothing about what stands there.
    targets = [one for one in targets if one.count("/") > _SECTION]
    weighed = [
        replace(one, kind=Kind.NEUTRAL, text=f"{one.text} (as an overlay says already)")
        if one.kind and _is_near(one.pointer, targets) and not _is_near(one.pointer, known)
        else one
        for one in changes
    ]
    more = [
        replace(one, text=f"{one.text} (where an overlay said otherwise)")
        for one in ours
        if one.kind and not _is_near(one.pointer, seen)
    ]
    return merged([*weighed, *more])


def _is_near(pointer: str, others: Collection[str]) -> bool:
    """Tell whether one of some places is this one, contains it, lies in it or beside it."""
    parent = pointer.rpartition("/")[0]
    # Of a whole section nothing is beside: #/components/schemas/A says nothing about B.
    beside = parent if parent.count("/") > _SECTION else pointer
    return any(
        pointer == one or pointer.startswith(f"{one}/") or f"{one}/".startswith(f"{beside}/")
        for one in others
    )
