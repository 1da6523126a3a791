"""From the error of a request to what it says about each of its recipients; pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

__all__ = ["Fault", "Faults", "read_faults"]

_INDEX: Final = re.compile(r"^(?:\w+)(?:\[(\d+)\]|\.(\d+)(?=\.|$))\.?(.*)$")
_LISTS: Final = ("recipient_and_params", "recipientAndParams", "contact", "consent")
_PARAMETER: Final = re.compile(r"^parameters[.\[]['\"]?([^'\"\]]+)")
_METADATA: Final = re.compile(r"^(message_metadata|conversation_metadata)[.\[]['\"]?([^'\"\]]+)")
_IDENTITY: Final = re.compile(r"^recipient\.identified_by\.channel_identities(?:\[|\.)(\d+)")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why one recipient was refused: a code, the server's text, and the column it is about."""

    reason: str
    detail: str = field(default="", repr=False)
    column: str = ""


Columns: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of a request by position, and the one of all other recipients."""

    named: Mapping[int, Fault]
    others: Fault

    def of(self, position: int) -> Fault:
        """The fault of the recipient at *position*."""
        return self.named.get(position, self.others)


def read_faults(error: str | None, columns: Columns) -> Faults:
    """Read the error of a refused request, as the journal holds it."""
    known = json.loads(error) if error else {}
    named: dict[int, Fault] = {}
    rest = str(known.get("line", ""))
    status = str(known.get("status") or "NOT_ACCEPTED")
    for path, description in known.get("violations", ()):
        found = _INDEX.match(path)
        if found is None or not path.startswith(_LISTS):
            rest = f"{path}: {description}"
            continue
        index = int(found[1] or found[2])
        named.setdefault(index, Fault(status, description, _column(found[3], columns)))
    if named:
        return Faults(named, Fault("NOT_SENT", "another recipient of the request was refused"))
    return Faults({}, Fault(status, rest))


def _column(path: str, columns: Columns) -> str:
    """The column that *path*, below one recipient, was read from; else the path itself."""
    if found := _PARAMETER.match(path):
        return _mapped(columns.get("parameters"), found[1])
    if found := _METADATA.match(path):
        return _mapped(columns.get(found[1]), found[2])
    if found := _IDENTITY.match(path):
        names = list(to) if isinstance(to := columns.get("to"), Mapping) else []
        at = int(found[1])
        return names[at] if at < len(names) else path
    return path


def _mapped(names: object, name: str) -> str:
    return str(names.get(name, name)) if isinstance(names, Mapping) else name
