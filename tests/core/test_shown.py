"""What a log shows of a request: where it went, and no identity, text or secret of it."""

from urllib.parse import quote

import pytest

from sinch_wrapper._http import httpx
from sinch_wrapper._transport.shown import shown_request, shown_request_id
from sinch_wrapper.sandbox import all_operations
from tests.helpers.planted import PHONE

PROJECT = "f0e1d2c3-aaaa-bbbb-cccc-000000000000"
APP = "01J0SANDB0X0APP00000000000"
IDENTITIES = (PHONE, PHONE[1:], "ada.lovelace", "ada@example.com", "Ada", "1" * 30, "0046700000001")


@pytest.mark.parametrize("identity", IDENTITIES)
def test_no_operation_shows_an_identity(identity: str) -> None:
    """Wherever in path or query an identity stands, it is hidden; the literal words are shown."""
    for spec in all_operations():
        names = [each["name"] for each in spec.parameters_in("path")]
        values = dict.fromkeys(names, quote(identity, safe="")) | {"project_id": PROJECT}
        query = {each["name"]: identity for each in spec.parameters_in("query")}
        url = f"https://eu.conversation.api.sinch.com{spec.path.format(**values)}"
        shown = shown_request(httpx.Request(spec.method, url, params=query or None))

        expected = spec.path.format(**(dict.fromkeys(names, "<hidden>") | {"project_id": PROJECT}))
        # An action that follows an identity is part of what is hidden.
        if "}:" in spec.path:
            expected = expected.partition("<hidden>:")[0] + "<hidden>"
        more = f"?{'&'.join(query)}" if query else ""
        assert f"{spec.method} {expected}{more}" == shown


def test_ids_of_the_api_are_shown() -> None:
    """Who looks for a fault needs the ids, with and without the name of an action."""
    base = f"https://h.example/conversation/v1/projects/{PROJECT}"
    request = httpx.Request("POST", f"{base}/contacts/{APP}:merge?x=1&+46700000001=y&x=2")
    expected = f"POST /conversation/v1/projects/{PROJECT}/contacts/{APP}:merge?x&<hidden>"
    assert expected == shown_request(request)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [({}, ""), ({"x-request-id": "r-1"}, ", request id r-1"), ({"x-request-id": PHONE}, "")],
)
def test_request_ids_are_shown_when_they_look_like_one(
    headers: dict[str, str], expected: str
) -> None:
    """A server that answers with a number as request id does not put it into the log."""
    assert expected == shown_request_id(httpx.Response(200, headers=headers))
