"""Lists, page by page."""

import base64
from collections.abc import Iterable
from typing import TypeVar

from sinch_wrapper.sandbox.errors import invalid
from sinch_wrapper.sandbox.shapes import Json

Value = TypeVar("Value")

DEFAULT_PAGE = 10
_MAX_PAGE = 1000


def page(
    rows: Iterable[tuple[str, Value]],
    query: Json,
    *,
    newest_first: bool = False,
    at_most: int = _MAX_PAGE,
) -> tuple[list[Value], str]:
    """Return one page of *rows* by `page_size` and `page_token`, and the token of the next.

    The token holds the last key shown, so that changes between two pages shift nothing.
    Keys sort by creation. The token of the last page is empty. A larger size than *at_most*
    counts as that.

    Raises: Refusal 400 for a negative size or a token that is not ours.
    """
    size = query.get("page_size", 0)
    if size < 0:
        raise invalid("page_size", "Must not be negative.")
    size = min(size or DEFAULT_PAGE, at_most)
    after = _read_token(query.get("page_token", ""))
    ordered = sorted(rows, key=lambda row: row[0], reverse=newest_first)
    if after:
        ordered = [(key, v) for key, v in ordered if (key < after if newest_first else key > after)]
    shown = ordered[:size]
    token = _write_token(shown[-1][0]) if len(ordered) > size else ""
    return [value for _, value in shown], token


def next_page(token: str) -> Json:
    """Return the field that leads to the next page, nothing on the last one."""
    return {"next_page_token": token} if token else {}


def _write_token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise invalid("page_token", "Not a token of this list.") from None
