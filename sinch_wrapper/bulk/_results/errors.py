"""The errors of jobs that end before their end."""

from sinch_wrapper.bulk._results.report import Report
from sinch_wrapper.errors import BulkError

__all__ = ["BulkInterruptedError", "BulkStoppedError"]


class BulkInterruptedError(BulkError):
    """A job was stopped while its recipients were still being read, so nothing was sent.

    The same call starts it again from the beginning.
    """


class BulkStoppedError(BulkError):
    """The API gave an answer that every other request would get too, such as 401 or 403.

    Or it refused the first requests for what all have in common, such as the message: those are
    rejected. When the job is resumed in spite of it, the next ones are tried.

    Nothing is lost: *report* says what was accepted, and the job can be resumed. The answer
    itself is the cause of this error.
    """

    def __init__(self, line: str, report: Report | None = None) -> None:
        super().__init__(line)
        self.report = report

    def __reduce__(self) -> tuple[object, ...]:
        # A report belongs to its process.
        return type(self), self.args
