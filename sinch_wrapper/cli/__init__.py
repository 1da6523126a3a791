"""The command `sinch-wrapper` (extra: cli)."""

import sys
from collections.abc import Sequence

__all__ = ["main"]

_EXTRA = frozenset({"click", "jsonschema_rs", "rich", "sqlalchemy", "starlette", "uvicorn"})
_HINT = 'sinch-wrapper: the command needs more packages: pip install "sinch-wrapper[cli]"'


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with *arguments*, else those of the process, and return its exit code."""
    try:
        from sinch_wrapper.cli._app import run

        return run(arguments)
    except ModuleNotFoundError as error:
        # A part that names its own extra keeps the module that is missing as the cause.
        missing = error.__cause__ if isinstance(error.__cause__, ModuleNotFoundError) else error
        if (missing.name or "").partition(".")[0] not in _EXTRA:
            raise
        sys.stderr.write(f"{_HINT}\n")
        return 1
