"""Where a job or a suppression list is, as a command line has it: a file, or an address."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import parse_qs, urlsplit

import click

from sinch_wrapper.errors import BulkArgumentError

if TYPE_CHECKING:
    from sinch_wrapper.bulk import JobURL, ListURL

JobPlace: TypeAlias = "Path | JobURL"
ListPlace: TypeAlias = "Path | ListURL"


class _Place(click.Path):
    """A file; or the address of something in PostgreSQL, which *kind* names."""

    def __init__(self, kind: str) -> None:
        super().__init__(path_type=Path)
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 (of click)
        """The path, JobURL or ListURL that *value* means."""
        if not isinstance(value, str) or "://" not in value:
            return super().convert(value, param, ctx)
        from sinch_wrapper import bulk

        kind: type[JobURL | ListURL] = getattr(bulk, self._kind)
        try:
            return kind.read(value)
        except BulkArgumentError as error:
            self.fail(str(error), param, ctx)


class _JobOrDatabase(_Place):
    """A job; or a string, the address of a whole database."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 (of click)
        """The path or JobURL that *value* means; the address itself when it names no job."""
        if isinstance(value, str) and "://" in value:
            names = parse_qs(urlsplit(value).query, keep_blank_values=True)
            if "job" not in names:
                return value
        return super().convert(value, param, ctx)


JOB: Final = _Place("JobURL")
JOB_OR_DATABASE: Final = _JobOrDatabase("JobURL")
LIST: Final = _Place("ListURL")
