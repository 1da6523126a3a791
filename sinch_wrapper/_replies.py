"""From the HTTP library's response to the Reply that an error keeps."""

from sinch_wrapper._http import httpx
from sinch_wrapper.errors import Headers, Reply

__all__ = ["reply_from"]


def reply_from(response: httpx.Response) -> Reply:
    """What errors keep of *response*, whose body has been read."""
    return Reply(
        response.status_code, Headers(response.headers.multi_items()), bytes(response.content)
    )
