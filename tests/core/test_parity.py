"""The sync and the async half have the same names, parameters and operations."""

import inspect
from typing import Any

import pytest
import sinch_batch_api
import sinch_conversation_api
import sinch_template_api
from sinch_conversation_api.models import SendMessageRequest

from sinch_wrapper import AsyncSinch, Sinch
from sinch_wrapper._send_body import SendMessageFields
from sinch_wrapper._session import AsyncSession, Session
from sinch_wrapper._transport.http_client import AsyncHTTPClient, HTTPClient
from sinch_wrapper._transport.pool import (
    AsyncConnectionPool,
    AsyncPooledTransport,
    ConnectionPool,
    PooledTransport,
)
from sinch_wrapper._transport.retrying import AsyncRetryingTransport, RetryingTransport

TWINS = [
    (Sinch, AsyncSinch),
    (Session, AsyncSession),
    (HTTPClient, AsyncHTTPClient),
    (RetryingTransport, AsyncRetryingTransport),
    (PooledTransport, AsyncPooledTransport),
    (ConnectionPool, AsyncConnectionPool),
]
RENAMED = {"aclose": "close", "handle_async_request": "handle_request"}


def public(kind: type) -> dict[str, Any]:
    """Collect the public members that *kind* or a base of ours defines."""
    found: dict[str, Any] = {}
    for base in kind.__mro__:
        if base.__module__.startswith("sinch_"):
            for name, member in vars(base).items():
                if not name.startswith("_") and name != "after_fork":
                    found.setdefault(RENAMED.get(name, name), member)
    return found


@pytest.mark.parametrize(("sync", "twin"), TWINS, ids=lambda kind: kind.__name__)
def test_twins_have_the_same_names_and_parameters(sync: type, twin: type) -> None:
    """Names, parameters and defaults are equal; only awaiting differs."""
    assert public(sync).keys() == public(twin).keys()
    for name, member in public(sync).items():
        if callable(member):
            ours, theirs = inspect.signature(member), inspect.signature(public(twin)[name])
            assert list(ours.parameters) == list(theirs.parameters)
            assert [item.default for item in ours.parameters.values()] == [
                item.default for item in theirs.parameters.values()
            ]


def test_constructors_take_the_same_options() -> None:
    """The options are those of the documentation, keyword-only."""
    signature = inspect.signature(Sinch)
    assert signature == inspect.signature(AsyncSinch)
    assert list(signature.parameters) == [
        "project_id", "key_id", "key_secret", "region", "auth", "endpoints", "timeout", "retry",
        "limits", "proxy", "connections", "telemetry", "attempt_timeout", "max_response_size",
            "tls", "http", "transport",
    ]  # fmt: skip
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    assert {inspect.Parameter.KEYWORD_ONLY} == kinds


def test_send_takes_every_field_of_the_operation() -> None:
    """`send()` has exactly the optional fields of messages:send."""
    fields = {field.name for field in SendMessageRequest.__attrs_attrs__}
    rest = {"app_id", "message", "recipient", "additional_properties"}
    assert fields - rest == set(SendMessageFields.__annotations__)


@pytest.mark.parametrize("package", [sinch_conversation_api, sinch_batch_api, sinch_template_api])
def test_generated_twins_have_the_same_operations(package: Any) -> None:
    """Each tag has the same methods in both clients, with the same parameters."""
    session: Any = object()
    sync, twin = package.Client(session, "p"), package.AsyncClient(session, "p")
    tags = public(type(sync)).keys()
    assert tags == public(type(twin)).keys()
    for tag in tags:
        ours, theirs = public(type(getattr(sync, tag))), public(type(getattr(twin, tag)))
        assert ours.keys() == theirs.keys()
        for name, method in ours.items():
            assert inspect.iscoroutinefunction(theirs[name])
            assert not inspect.iscoroutinefunction(method)
            assert list(inspect.signature(method).parameters) == list(
                inspect.signature(theirs[name]).parameters
            )
