"""What a log may show of a request: no identity, no text, no secret."""

import re
from itertools import pairwise
from typing import Final
from urllib.parse import parse_qsl

from sinch_wrapper._http import httpx
from sinch_wrapper._request import raw_response

# The words in the paths of the APIs, and of the sandbox.
_WORDS: Final = re.compile(
    r"(?:v\d\w*|auth|oauth2|token|conversation|batch|batches|template|templates|translations|projects"
    r"|apps|webhooks|contacts|conversations|messages|events|consents|identities|capability|settings)"
    r"(?::[A-Za-z-]+)?"
)
# An id that the API gave, perhaps with the name of an action; no phone number looks like one.
_ID: Final = re.compile(r"(?=[^:]*[A-Za-z][^:]*[A-Za-z])[0-9A-Za-z-]{20,40}(?::[a-z-]+)?")
_NAME: Final = re.compile(r"[A-Za-z_]{1,40}")
_HIDDEN: Final = "<hidden>"


def shown_request(request: httpx.Request) -> str:
    """Method, path and names of the query; of the path, words, the project and ids of the API."""
    *_, path = request.url.raw_path.partition(b"/")
    steps, _, query = path.decode("ascii", "replace").partition("?")
    before = ["", *steps.split("/")]
    shown = [
        step if _is_harmless(step) or last == "projects" else _HIDDEN
        for last, step in pairwise(before)
    ]
    names = [name if _NAME.fullmatch(name) else _HIDDEN for name, _ in parse_qsl(query)]
    more = f"?{'&'.join(dict.fromkeys(names))}" if names else ""
    return f"{request.method} /{'/'.join(shown)}{more}"


def _is_harmless(step: str) -> bool:
    return not step or bool(_WORDS.fullmatch(step) or _ID.fullmatch(step))


def shown_request_id(response: httpx.Response) -> str:
    """`, request id ...`, or nothing when there is none or it looks like a number."""
    from sinch_wrapper.errors import safe_request_id

    found = safe_request_id(raw_response(response).headers)
    return f", request id {found}" if found else ""
