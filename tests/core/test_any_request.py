"""Requests to operations that have no method, and what a sent message certainly has."""

import inspect
import json
import logging
import subprocess
import sys
import typing
from typing import Any

import pytest
from sinch_conversation_api.models import SendMessageResponse

import sinch_wrapper
from sinch_wrapper import (
    APIResponseValidationError,
    AsyncSinch,
    NotFoundError,
    RateLimitError,
    Recipient,
    Region,
    RetryPolicy,
    SentMessage,
    Sinch,
    text,
)
from sinch_wrapper._http import httpx
from sinch_wrapper.messages import CHANNELS
from sinch_wrapper.regions import RegionName
from tests.helpers.core import PROJECT, Flavour, Server

APPS = "/v1/projects/{project_id}/apps"
PHONE = "+46700000001"


def ok(content: object = None) -> httpx.Response:
    """A response of JSON, or an empty one."""
    return httpx.Response(200) if content is None else httpx.Response(200, json=content)


@pytest.mark.parametrize(
    ("api", "host"),
    [
        ("conversation", "eu.conversation.api.sinch.com"),
        ("batch", "eu.conversationbatch.api.sinch.com"),
        ("templates", "eu.template.api.sinch.com"),
    ],
)
def test_request_goes_to_the_api_with_token_query_and_body(
    flavour: Flavour, api: str, host: str
) -> None:
    """The project stands in the path, the token in the header; the response is read as JSON."""
    server = Server(ok({"novel": [1]}))
    sinch = flavour.client(server)
    params = {"page_size": 2, "flag": True, "left_out": None, "ids": ["a", "b"]}
    response = flavour.run(sinch.request("POST", APPS, api=api, params=params, body={"name": "n"}))
    (request,) = server.requests
    assert f"https://{host}/v1/projects/{PROJECT}/apps" == str(request.url).partition("?")[0]
    assert "page_size=2&flag=true&ids=a&ids=b" == request.url.query.decode()
    assert {"name": "n"} == json.loads(request.content)
    assert ["token-1"] == server.tokens_used
    assert (200, {"novel": [1]}) == (response.status_code, response.parsed)


def test_empty_response_is_none(flavour: Flavour) -> None:
    """An operation without content has nothing to read, which is no error."""
    assert flavour.run(flavour.client(Server(ok())).request("DELETE", APPS)).parsed is None


def test_request_is_repeated_by_its_method_and_has_the_errors_of_all(flavour: Flavour) -> None:
    """A GET is repeated after 502, a POST is not; the error names no path."""
    lost = httpx.Response(502)
    server = Server(lost, ok({}))
    policy = RetryPolicy(retry_deadline=5)
    flavour.run(flavour.client(server, retry=policy).request("GET", APPS))
    assert len(server.requests) == 2
    server = Server(lost, ok({}))
    with pytest.raises(sinch_wrapper.InternalServerError):
        flavour.run(flavour.client(server).request("POST", APPS))
    assert len(server.requests) == 1
    for status, kind in ((404, NotFoundError), (429, RateLimitError)):
        sinch = flavour.client(Server(httpx.Response(status)), retry=RetryPolicy(attempts=1))
        with pytest.raises(kind, match=r"^GET request failed at eu\.conversation") as caught:
            flavour.run(sinch.request("GET", "/v1/contacts/planted"))
        assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        *("", "v1/apps", "https://evil.example/v1", "/v1/../token", "/v1/%2E%2e/x", "/."),
        *("/v1/apps?x=1", "/v1/apps#x", "/v1/a b", "/v1/ä", "/v1/{app_id}", "/v1/%", "/v1/a\n"),
        "/v1\\x",
    ],
)
def test_path_that_would_lead_elsewhere_is_refused(flavour: Flavour, path: str) -> None:
    """Nothing but an encoded path is sent."""
    server = Server(ok({}))
    sinch = flavour.client(server)
    with pytest.raises(ValueError, match=r"^path= must"):
        flavour.run(sinch.request("GET", path))
    assert server.requests == []


def test_path_cannot_name_another_host(flavour: Flavour) -> None:
    """What reads like a host is a path of the API."""
    server = Server(ok({}))
    flavour.run(flavour.client(server).request("GET", "//user@evil.example/v1"))
    assert ["eu.conversation.api.sinch.com"] == [each.url.host for each in server.requests]


def test_sent_message_has_an_id(flavour: Flavour) -> None:
    """What send() returns is the documented response, whose id is a string."""
    content = {"message_id": "M1", "accepted_time": "2026-01-01T00:00:00Z", "novel": 1}
    sinch = flavour.client(Server(ok(content)))
    sent = flavour.run(sinch.send(app_id="A", to=Recipient.sms(PHONE), message=text("Hi")))
    assert isinstance(sent, SentMessage)
    assert isinstance(sent, SendMessageResponse)
    assert ("M1", content) == (sent.message_id, sent.to_dict())
    assert "M1" not in repr(sent)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"message_id": ""},
        {"message_id": None},
        {"message_id": 5},
        {"messageId": "M1"},
        [],
        "M1",
    ],
)
def test_accepted_without_an_id_is_an_error_of_its_own(flavour: Flavour, content: object) -> None:
    """A 2xx without an id was accepted, is not repeated, and the caller is told."""
    server = Server(ok(content))
    sinch, to = flavour.client(server), Recipient.sms(PHONE)
    with pytest.raises(APIResponseValidationError, match=r"accepted.*do not repeat") as caught:
        flavour.run(sinch.send(app_id="A", to=to, message=text("Hi")))
    assert len(server.requests) == 1
    assert caught.value.status_code == 200


@pytest.mark.parametrize("kind", [Sinch, AsyncSinch])
def test_wrong_keywords_name_the_public_class(kind: Any) -> None:
    """A TypeError about arguments names the class that the caller wrote, and no private one."""
    sinch = kind(project_id="p", key_id="k", key_secret="s", region="eu")
    for call in (kind, sinch.with_options):
        with pytest.raises(TypeError, match=rf"^{kind.__name__}\.\w+\(\).*'regoin'"):
            call(regoin="eu")


@pytest.mark.parametrize("channel", CHANNELS)
def test_channels_are_methods_that_tools_understand(channel: str) -> None:
    """Each channel is a method with a parameter, a result and words of its own."""
    method = getattr(Recipient, channel.lower())
    signature = inspect.signature(method)
    assert ["identity"] == list(signature.parameters)
    assert channel in (method.__doc__ or "")
    with pytest.raises(TypeError, match=rf"^Recipient\.{channel.lower()}\(\)"):
        method()
    assert channel in repr(method(PHONE))


def test_names_of_regions_are_those_of_the_type() -> None:
    """What a type checker accepts is what the client accepts."""
    assert [*typing.get_args(RegionName)] == [*Region]


CALL = """
import logging
{setup}
from sinch_wrapper import Recipient, Sinch, text
from sinch_wrapper._http import httpx
def respond(request):
    token = {{"access_token": "planted-token", "expires_in": 3600}}
    is_token = "oauth2" in str(request.url)
    return httpx.Response(200, json=token if is_token else {{"message_id": "M1"}})
sinch = Sinch(project_id="p", key_id="k", key_secret="planted", region="eu",
    transport=httpx.MockTransport(respond))
sinch.send(app_id="A", to=Recipient.sms("+46700000001"), message=text("planted text"))
"""


@pytest.mark.parametrize(
    ("level", "setup", "lines"),
    [
        ("debug", "", 2), ("DEBUG ", "", 2), ("info", "", 0), ("", "", 0), ("loud", "", 0),
        ("debug", "logging.basicConfig(level=logging.DEBUG)", 2),
    ],
)  # fmt: skip
def test_variable_shows_the_log_once_and_no_data(level: str, setup: str, lines: int) -> None:
    """SINCH_WRAPPER_LOG shows each attempt, also of tokens, with no secret, number or text."""
    done = subprocess.run(
        [sys.executable, "-c", CALL.format(setup=setup)],
        env={"SINCH_WRAPPER_LOG": level}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    shown = [each for each in done.stderr.splitlines() if "200 on attempt 1" in each]
    assert lines == len(shown)
    assert ("SINCH_WRAPPER_LOG must be one of debug" in done.stderr) == (level == "loud")
    assert not [each for each in ("planted", "46700", "Bearer") if each in done.stderr]
    assert logging.getLogger("sinch_wrapper").level == logging.NOTSET
