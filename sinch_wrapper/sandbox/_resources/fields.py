"""Partial updates, and the checks of fields that several resources share."""

from typing import Any

from sinch_wrapper.sandbox._errors import invalid
from sinch_wrapper.sandbox._ids import is_ulid
from sinch_wrapper.sandbox._json import Json, unix_seconds
from sinch_wrapper.sandbox._store import RegionStore


def patched(old: Json, new: Json, mask: list[str] | None, *, fixed: tuple[str, ...] = ()) -> Json:
    """Return *old* with the fields of *mask* from *new*; a masked field missing in *new* goes.

    Without a mask every field of *new* is taken. Fields in *fixed* never change.
    """
    changes = {key: value for key, value in new.items() if key not in fixed}
    if not mask:
        return old | changes
    result = old
    for path in mask:
        if path.split(".")[0] not in fixed:
            result = _with_path(result, changes, path.split("."))
    return result


def _with_path(old: Json, new: Json, path: list[str]) -> Json:
    head, *rest = path
    kept = {key: value for key, value in old.items() if key != head}
    if head not in new:
        return kept
    if not rest:
        return kept | {head: new[head]}
    if not isinstance(new[head], dict):
        raise invalid("update_mask", "A path leads through a field that is not an object.")
    inner: Any = old.get(head, {})
    return kept | {head: _with_path(inner, new[head], rest)}


def app_of(store: RegionStore, app_id: str) -> Json:
    """Return the app of a request body; raises Refusal 400 when malformed, 404 when unknown."""
    if not is_ulid(app_id):
        raise invalid("app_id", "Must be a ULID of 26 characters.")
    return store.app(app_id)


def moment(fields: Json, name: str) -> float | None:
    """Return the time *name* of *fields* in Unix seconds, None when it is missing.

    Raises: Refusal 400.
    """
    if name not in fields:
        return None
    try:
        return unix_seconds(fields[name])
    except ValueError:
        raise invalid(name, "Must be an RFC 3339 time.") from None
