"""What a command says when it fails: a line for people, a JSON object for programs, a code."""

import re
from dataclasses import dataclass, field
from typing import Final

import click

from sinch_wrapper.cli._exit_codes import ExitCode
from sinch_wrapper.errors import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    SinchError,
)

_COMMAND: Final = "sinch-wrapper"
# A server may put anything there.
_STATUS: Final = re.compile(r"[A-Za-z_]{1,64}")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the *command* failed: its exit *code*, the *line* to show, and *facts* for programs."""

    code: ExitCode
    line: str
    error: str
    command: str = _COMMAND
    facts: dict[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The failure as one JSON object; a fact that does not apply is null or empty."""
        nothing = {"code": None, "status": None, "outcome": None, "request_id": None, "attempts": 0}
        known = {"error": self.error, "exit_code": int(self.code), "message": self.line}
        return {**known, **nothing, "field_violations": [], **self.facts}


def failure_of(error: BaseException) -> Failure:
    """What to say of *error*, which ended a command."""
    name = type(error).__name__
    match error:
        case click.UsageError():
            command = error.ctx.command_path if error.ctx else _COMMAND
            message = error.format_message()
            end = "" if message.endswith((".", "?")) else "."
            return Failure(
                ExitCode.USAGE, f"{message}{end} See {command} --help", "UsageError", command
            )
        case click.ClickException():
            return Failure(ExitCode(error.exit_code), error.format_message(), name)
        case SinchError():
            return Failure(_code(error), str(error), name, facts=_facts(error))
    return Failure(ExitCode.INTERRUPTED, "interrupted", "Interrupted")


def unwritten(error: OSError) -> Failure:
    """What to say of a command that may have worked, but whose input or output failed."""
    line = f"reading or writing failed: {error.strerror}"
    return Failure(ExitCode.UNKNOWN, line, type(error).__name__)


def _code(error: SinchError) -> ExitCode:
    if isinstance(error, APIResponseValidationError):
        return ExitCode.UNKNOWN
    if isinstance(error, APIConnectionError) and error.outcome == "unknown":
        return ExitCode.UNKNOWN
    return ExitCode.FAILED


def _facts(error: SinchError) -> dict[str, object]:
    match error:
        case APIStatusError():
            from sinch_wrapper.errors import safe_request_id

            return {
                "code": error.status_code,
                "status": error.status if _STATUS.fullmatch(error.status) else None,
                "request_id": safe_request_id(error.response.headers),
                "attempts": error.attempts,
                "field_violations": [
                    {"field": each.field, "description": each.description}
                    for each in error.safe_violations
                ],
            }
        case APIResponseValidationError():
            return {"code": error.status_code, "outcome": "accepted", "attempts": error.attempts}
        case APIConnectionError():
            return {"outcome": error.outcome, "attempts": error.attempts}
    return {}
