"""The body of a request: read within its limit, and of a type that is understood."""

from starlette.requests import Request

from sinch_wrapper.sandbox.errors import Refusal

_JSON = "application/json"
_CHARSETS = {"utf-8", "utf8", "us-ascii"}


async def read_body(request: Request, limit: int) -> bytes | None:
    """Read the whole body; None when it is longer than *limit* bytes.

    Also what is too long is read to its end, so that the caller gets to hear the answer.
    """
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
    return None if size > limit else b"".join(chunks)


def require_json(request: Request, body: bytes | None) -> bytes:
    """Return *body*.

    Raises: Refusal 413 for one that was too long, 415 for one that does not say it is JSON in
    UTF-8 as it stands.
    """
    if body is None:
        raise Refusal(413, "The request body is too large")
    if not body:
        return body
    kind, _, rest = request.headers.get("content-type", _JSON).partition(";")
    _, _, charset = rest.partition("charset=")
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    plain = not charset or charset.strip().strip('"').lower() in _CHARSETS
    if kind.strip().lower() != _JSON or not plain or coding != "identity":
        raise Refusal(415, "The request body must be application/json in UTF-8, not compressed")
    return body
