"""From an operation to the request on the wire."""

from functools import cache
from typing import TypeVar

from sinch_wrapper._call import Call, SealedRequest
from sinch_wrapper._http import httpx
from sinch_wrapper._json import encode
from sinch_wrapper._operation import OperationLike
from sinch_wrapper._version import package_version
from sinch_wrapper.errors import SinchError

__all__ = ["build_request"]

T = TypeVar("T")


@cache
def _common_headers() -> dict[str, str]:
    library = f"{httpx.__name__}/{httpx.__version__}"
    return {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": f"sinch-wrapper/{package_version()} {library}",
    }


def build_request(operation: OperationLike[T], base_url: str, call: Call) -> httpx.Request:
    """Build the request of *operation* at the API of *base_url*.

    Raises: TypeError or ValueError for a body that JSON cannot express, SinchError for a URL
    that cannot be.
    """
    made = _build(operation, base_url, call)
    if isinstance(made, httpx.Request):
        return made
    # Raised here, where no local holds the body or the path.
    raise made


def _build(
    operation: OperationLike[T], base_url: str, call: Call
) -> httpx.Request | SinchError | TypeError | ValueError:
    headers, content = dict(_common_headers()), None
    if operation.json is not None:
        try:
            content = encode(operation.json)
        except (TypeError, ValueError, RecursionError) as error:
            return _unfit(operation.id, error)
        headers["Content-Type"] = "application/json"
    try:
        return SealedRequest(
            operation.method,
            base_url + operation.path,
            params=dict(operation.params) or None,
            headers=headers,
            content=content,
            extensions=call.extensions,
        )
    except (httpx.InvalidURL, UnicodeError):
        return SinchError(
            f"{operation.id} was not sent: its URL is malformed; check ids and endpoints="
        )


def _unfit(name: str, error: Exception) -> TypeError | ValueError:
    # orjson puts the exception of our own hook below one that says less.
    error = error.__cause__ if isinstance(error.__cause__, TypeError | ValueError) else error
    kind = TypeError if isinstance(error, TypeError) else ValueError
    # The text of a UnicodeError quotes the value.
    reason = "a text in it is no Unicode" if isinstance(error, UnicodeError) else str(error)
    return kind(f"{name} was not sent, for its body cannot be written as JSON: {reason}")
