"""A call of an operation as a line for curl; secrets are variables of the shell."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import quote, urlencode

PROJECT: Final = "-SINCH-PROJECT-ID-"
"""Stands for the id of the project while a call is made."""
_SECRET: Final = re.compile(r"secret|password|(?<!page_)(?<!flow_)token$|(?:api|aes|sender)_key$")
_MARK: Final = re.compile(r"\0(\w+)\0")
_VARIABLE: Final = "\0SINCH_PROJECT_ID\0"


def is_secret(name: str) -> bool:
    """Whether the field *name* of a body holds a secret."""
    return bool(_SECRET.search(name))


class Sendable(Protocol):
    """A call as a value, as the generated packages make it."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def params(self) -> Mapping[str, str | list[str]]: ...
    @property
    def json(self) -> object: ...


class Recorded(Exception):  # noqa: N818 (no mistake: it ends a call before it is sent)
    """Carries the call that would have been sent."""

    def __init__(self, operation: Sendable) -> None:
        super().__init__()
        self.operation = operation


class Recorder:
    """Takes the place of a session: it sends nothing."""

    def request(self, operation: Sendable, /) -> object:
        """Raise Recorded with *operation*."""
        raise Recorded(operation)


@dataclass(slots=True)
class _Secrets:
    """The variables that stand for the secrets of a body."""

    names: list[str] = field(default_factory=list)

    def hidden(self, value: object, name: str = "") -> object:
        """*value* with a mark in the place of each secret in it."""
        if isinstance(value, Mapping):
            return {key: self.hidden(each, str(key)) for key, each in value.items()}
        if isinstance(value, list):
            return [self.hidden(each, name) for each in value]
        if not isinstance(value, str) or not is_secret(name):
            return value
        variable = "BODY_" + re.sub(r"\W", "_", name).upper()
        again = sum(each == variable or each.startswith(f"{variable}_") for each in self.names)
        self.names.append(f"{variable}_{again + 1}" if again else variable)
        return f"\0{self.names[-1]}\0"


def curl_line(
    operation: Sendable, base_url: str, project_id: str | None
) -> tuple[str, tuple[str, ...]]:
    """The line that sends *operation*, and the variables in it.

    Where *project_id* is None, it is a variable as well.
    """
    secrets, project = _Secrets(), quote(project_id, safe="") if project_id else _VARIABLE
    path = operation.path.replace(PROJECT, project)
    query = f"?{urlencode(operation.params, doseq=True)}" if operation.params else ""
    words = ["curl", "-X", operation.method, _quoted(f"{base_url}{path}{query}")]
    words += ["-H", '"Authorization: Bearer $SINCH_TOKEN"']
    if operation.json is not None:
        body = json.dumps(secrets.hidden(operation.json), default=str)
        words += ["-H", "'Content-Type: application/json'"]
        words += ["--data-raw", _quoted(body.replace("\\u0000", "\0"))]
    return " ".join(words), ("SINCH_TOKEN", *secrets.names)


def _quoted(text: str) -> str:
    """*text* as one word of a shell, with its variables outside the quotes that end it."""
    inside = text.replace("'", "'\\''")
    return _MARK.sub(r"""'"$\1"'""", f"'{inside}'")
