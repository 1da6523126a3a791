"""Every option of the sandbox and the test kit, given another kind of value, is named."""

import asyncio
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import pytest

import sinch_wrapper.sandbox
import sinch_wrapper.testing
from sinch_wrapper.sandbox import (
    BackgroundServer,
    Clock,
    FaultRule,
    Server,
    Settings,
    create_app,
    parse_fault,
    serve,
)
from sinch_wrapper.testing import AsyncSandbox, Received, Sandbox
from sinch_wrapper.testing import plugin as testing_plugin
from tests.helpers.arguments import public_calls

TEXT: list[Any] = [None, 7, b"x", ["x"], "", " \n"]
OPTIONAL_TEXT: list[Any] = [7, b"x", ["x"]]
FLAG: list[Any] = [None, 1, "yes"]
HUGE = 10**400
NUMBER: list[Any] = [None, True, "1", [1], math.nan, math.inf, -1, HUGE]
POSITIVE: list[Any] = [*NUMBER, 0]
WHOLE: list[Any] = [None, True, "1", 1.5, 0, -1]
SHARE: list[Any] = [*NUMBER, 1.1]
PORT: list[Any] = [None, True, "8080", 1.5, -1, 65536, HUGE]
TIME: list[Any] = ["now", True, -1, math.nan, 1e15, HUGE]
RULES: list[Any] = [None, "*:503", ["*:503"], (7,)]
OTHER: list[Any] = [{}, "settings", 7]
FUNCTION: list[Any] = [None, 7, "look"]

SETTINGS: dict[str, list[Any]] = {
    **dict.fromkeys(("project_id", "key_id", "key_secret", "app_id"), TEXT),
    "region": [*TEXT, "mars"],
    "start": [*TEXT, "full"],
    "error_shape": [*TEXT, "round"],
    **dict.fromkeys(("drain_rate", "request_rate", "callback_rate", "callback_timeout"), POSITIVE),
    **dict.fromkeys(("token_lifetime", "callback_backoff", "callback_delay"), NUMBER),
    **dict.fromkeys(("queue_limit", "message_limit", "ledger_limit", "body_limit"), WHOLE),
    **dict.fromkeys(("callback_attempts", "callback_workers"), WHOLE),
    **dict.fromkeys(("callback_duplicates", "callback_disorder"), SHARE),
    **dict.fromkeys(("remote_callbacks", "frozen"), FLAG),
    "allow_hosts": [None, "localhost", (7,), ("",), ("a:1",), ("http://a",), ("a/b",)],
    "faults": RULES,
    "seed": [None, True, "1", 1.5],
    "now": TIME,
    "callback_signature": [*TEXT, "old"],
}
RULE: dict[str, list[Any]] = {
    "operation": [*TEXT, "Messages_SendMesage"],
    "kind": [*TEXT, "explode"],
    "rate": SHARE,
    "status": [None, "503", 5.5, False, 99, 600],
    "seconds": [None, True, "1", math.nan, math.inf, -1, HUGE],
    "retry_after": OPTIONAL_TEXT,
    "calls": [1, "1", [1, 2], (1,), (0, 1), (3, 2), ("1", 2), (1, 2.5), (True, 2)],
    "body": OPTIONAL_TEXT,
    "headers": [None, "a: b", [("a", "b")], {"a": 1}, {1: "a"}],
}
ADDRESS: dict[str, list[Any]] = {"host": TEXT, "port": PORT}
SERVER: dict[str, list[Any]] = ADDRESS | {"settings": OTHER, "tls": FLAG}
ODD_FIELDS: dict[str, list[Any]] = {
    "index": [None, True, "1", 1.5],
    "message": [None, "x", [("a", 1)]],
}
RECEIVED: dict[str, list[Any]] = {
    each.name: ODD_FIELDS.get(each.name, [None, 7, b"x"]) for each in fields(Received)
}
SOUND: dict[str, Any] = dict.fromkeys(RECEIVED, "x") | {"index": 0, "message": {}}


def _rule(**options: Any) -> FaultRule:
    return FaultRule(**{"operation": "*", "kind": "slow"} | options)


def _background(**options: Any) -> BackgroundServer:
    return BackgroundServer(**{"app": create_app()} | options)


def _sleep(**options: Any) -> None:
    asyncio.run(Clock().sleep(**options))


def _sleep_until(**options: Any) -> None:
    asyncio.run(Clock().sleep_until(**options))


# What needs a running server has tests of its own, below.
OF_A_SERVER = {
    "Server.reset",
    "Server.play",
    *(
        f"{kit}.{name}"
        for kit in ("Sandbox", "AsyncSandbox")
        for name in ("advance", "eventually", "say", "opt_out", "opt_in", "webhook_to")
    ),
}
# Each call, and values that its options do not take.
CALLS: dict[str, tuple[Callable[..., object], dict[str, list[Any]]]] = {
    "Settings": (Settings, SETTINGS),
    "FaultRule": (_rule, RULE),
    "parse_fault": (parse_fault, {"text": [None, 7, b"*:503", ["*:503"]]}),
    "Clock": (Clock, {"start": TIME, "frozen": FLAG, "source": FUNCTION}),
    "Clock.advance": (
        Clock().advance,
        {"seconds": [None, True, "1", math.nan, math.inf, -1, 1e15, HUGE]},
    ),
    "Clock.sleep": (_sleep, {"seconds": [None, True, "1", HUGE]}),
    "Clock.sleep_until": (_sleep_until, {"due": [None, True, "1", HUGE]}),
    "create_app": (create_app, {"settings": OTHER}),
    "Server": (Server, SERVER),
    "serve": (serve, SERVER),
    "BackgroundServer": (
        _background,
        ADDRESS | {"app": [None, 7, "app"], "tls": [True, "cert.pem"], "dated": FLAG},
    ),
    "Received": (lambda **options: Received(**SOUND | options), RECEIVED),
    "Sandbox": (Sandbox, {"server": [None, "http://127.0.0.1", Settings()]}),
    "AsyncSandbox": (AsyncSandbox, {"server": [None, "http://127.0.0.1"]}),
}
CASES = [
    pytest.param(name, option, value, id=f"{name}-{option}-{value!r:.20}")
    for name, (_, options) in CALLS.items()
    for option, values in options.items()
    for value in values
]


def _free_descriptor() -> int:
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)
    return descriptor


@pytest.mark.parametrize(("name", "option", "value"), CASES)
def test_option_of_another_kind_is_named(name: str, option: str, value: object) -> None:
    """TypeError or ValueError names the option, and no file or socket is left open."""
    before = _free_descriptor()

    with pytest.raises((TypeError, ValueError), match=_named(name, option)):
        CALLS[name][0](**{option: value})

    assert before == _free_descriptor()


def _named(name: str, option: str) -> str:
    # Two options are named by what is wrong with them.
    messages = {
        ("FaultRule", "operation"): "operation",
        ("Clock.advance", "seconds"): "seconds=",
    }
    return messages.get((name, option), f"{option}= must")


def test_table_has_every_option_of_every_public_call() -> None:
    """A new option, or a new public call, must be added to the table."""
    public = public_calls(sinch_wrapper.sandbox, sinch_wrapper.testing)
    # A value that the sandbox returns.
    returned = {"OperationSpec", "OperationSpec.parameters_in", "OperationSpec.resolved"}
    table = {name: set(options) for name, (_, options) in CALLS.items()}

    assert {n: options for n, options in public.items() if n not in returned | OF_A_SERVER} == table
    assert OF_A_SERVER <= public.keys()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server for the calls of a running sandbox."""
    with Server() as running:
        yield running


@pytest.mark.parametrize("settings", OTHER)
def test_reset_takes_settings_alone(server: Server, settings: Any) -> None:
    """Anything else leaves the sandbox as it was."""
    before = server.clock

    with pytest.raises(TypeError, match="settings= must be Settings"):
        server.reset(settings)

    assert before is server.clock


@pytest.mark.parametrize("rule", [None, 7, "*:503"])
def test_rules_in_force_are_fault_rules(server: Server, rule: Any) -> None:
    """A rule in its text form is read with parse_fault first."""
    with pytest.raises(TypeError, match="rule= must be a FaultRule"):
        server.faults.add(rule)
    with pytest.raises(TypeError, match="rules= must be a FaultRule"):
        server.faults.replace([rule])

    assert [] == server.faults.rules


@pytest.mark.parametrize("rule", [None, 7, b"*:503", ["*:503"], parse_fault("*:503")])
def test_kit_takes_rules_as_strings(server: Server, rule: Any) -> None:
    """Another kind of rule is a TypeError, and none of the rules is added."""
    with pytest.raises(TypeError, match="rules= must be strings"):
        Sandbox(server).fault("*:504", rule)

    assert [] == server.faults.rules


def test_kit_adds_all_rules_or_none(server: Server) -> None:
    """A misspelt rule leaves the sound ones out, too."""
    with pytest.raises(ValueError, match="unknown operation"):
        Sandbox(server).fault("*:504", "Mesages_*:503")

    assert [] == server.faults.rules


@pytest.mark.parametrize("seconds", [None, True, "1", -1, math.nan, HUGE])
def test_kit_moves_the_time_by_a_number(server: Server, seconds: Any) -> None:
    """Anything else is refused by name."""
    with pytest.raises((TypeError, ValueError), match="seconds="):
        Sandbox(server).advance(seconds)


@pytest.mark.parametrize(
    ("option", "value"),
    [*(("look", each) for each in FUNCTION), *(("patience", each) for each in NUMBER)],
)
def test_kit_waits_for_a_function(server: Server, option: str, value: Any) -> None:
    """The kits name the option that they cannot wait with."""
    options: dict[str, Any] = {"look": lambda: True, "patience": 1} | {option: value}

    with pytest.raises((TypeError, ValueError), match=f"{option}= must"):
        Sandbox(server).eventually(**options)
    with pytest.raises((TypeError, ValueError), match=f"{option}= must"):
        asyncio.run(AsyncSandbox(server).eventually(**options))


PLAYED: dict[str, dict[str, list[Any]]] = {
    "say": {
        "from_": TEXT,
        "text": ["", 7],
        "message": ["", 7, [("a", 1)]],
        "channel": [7, "SMOKE", ""],
        "to": [7],
        "app_id": [7, "?"],
    },
    "opt_out": {"identity": TEXT, "channel": [7, "SMOKE"], "app_id": [7, "?"]},
    "opt_in": {"identity": TEXT, "channel": [7, "SMOKE"], "app_id": [7, "?"]},
    "webhook_to": {
        "app": [None, 7, "", "nonsense"],
        "secret": TEXT,
        "path": TEXT,
        "app_id": [7, "?"],
    },
}
SOUND_PARTS: dict[str, dict[str, Any]] = {
    "say": {"from_": "+46700000001", "text": "Hi"},
    "opt_out": {"identity": "+46700000001"},
    "opt_in": {"identity": "+46700000001"},
    "webhook_to": {"app": "http://127.0.0.1:9/"},
}


@pytest.mark.parametrize("kit", [Sandbox, AsyncSandbox])
@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        (name, option, value)
        for name, options in PLAYED.items()
        for option, values in options.items()
        for value in values
    ],
)
def test_kit_plays_no_part_with_another_kind_of_value(
    server: Server, kit: Any, name: str, option: str, value: Any
) -> None:
    """The option is named, or the app that is not there, and nothing is sent."""
    before = dict(server.ledger.callbacks)
    given = SOUND_PARTS[name] | {option: value}
    if option == "message":
        given["text"] = None

    named = f"{option}(=|:) ?(must|Must|Give)|target: |App not|app_id"
    with pytest.raises((TypeError, ValueError), match=named):
        getattr(kit(server), name)(**given)

    assert before == dict(server.ledger.callbacks)


@pytest.mark.parametrize(("path", "fields"), [(7, {}), ("/reset", {}), ("/inbound", None)])
def test_server_plays_known_parts_with_fields(server: Server, path: Any, fields: Any) -> None:
    """Anything else is named."""
    with pytest.raises((TypeError, ValueError), match=r"(path|fields)= must"):
        server.play(path, fields)


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        (pytest.mark.sinch_sandbox(7), "keyword arguments only"),
        (pytest.mark.sinch_sandbox(speed=7), "speed"),
        (pytest.mark.sinch_sandbox(seed="7"), "seed= must"),
        (pytest.mark.sinch_sandbox(frozen=1), "frozen= must"),
    ],
)
def test_marker_takes_settings_by_name(mark: pytest.MarkDecorator, message: str) -> None:
    """A wrong option of the marker is named before the test runs."""
    with pytest.raises((TypeError, ValueError), match=message):
        testing_plugin.settings_of(mark.mark)
