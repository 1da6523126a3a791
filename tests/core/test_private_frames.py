"""No traceback that shows locals shows what was passed: every call that refuses an argument."""

import inspect
import pprint
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import sinch_batch_api
import sinch_conversation_api
import sinch_template_api
from rich.pretty import pretty_repr

from sinch_wrapper import Endpoints, Recipient, RetryPolicy, SinchError, messages, pages, paginate
from sinch_wrapper._http import httpx
from sinch_wrapper.parameters import check_parameters, mismatches
from tests.core.test_arguments import CLIENTS, MESSAGES
from tests.helpers.arguments import PublicCall
from tests.helpers.core import CONNECTED, KEY_SECRET, Flavour, Server
from tests.helpers.fault_server import raw, serving
from tests.helpers.planted import PHONE, TEXT, leaks, printed, shown

PLANTED = (TEXT, int(PHONE), [TEXT, int(PHONE)], {TEXT: PHONE})
# What else there is takes numbers and names of regions, which are no secrets.
HIDING = ("Sinch", "AsyncSinch", "AccessKey", "AccessToken", "Endpoints", "Endpoints.sandbox")
CALLS = [*MESSAGES, *(call for call in CLIENTS if call.name in HIDING)]


def refusals(call: PublicCall) -> Iterable[BaseException]:
    """What *call* raises when each option in turn is planted, and with an unknown one."""
    names = inspect.signature(call.call).parameters
    positional = [name for name, each in names.items() if each.kind is each.POSITIONAL_ONLY]
    changes: list[dict[str, object]] = [dict.fromkeys([*call.options, "no_such_option"], TEXT)]
    changes += [{option: value} for option in call.options for value in PLANTED]
    for change in changes:
        given = {**call.right, **change}
        first = [given[name] for name in positional if name in given]
        named = {name: one for name, one in given.items() if name not in positional}
        try:
            call.call(*first, **named)
        except (ValueError, TypeError, SinchError) as error:
            yield error


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_refused_arguments_show_in_no_frame(call: PublicCall) -> None:
    """Builders, recipients, endpoints and parameters: any option, any value."""
    found = list(refusals(call))
    assert found
    assert [] == [line for error in found for line in leaks(printed(error))]


WRONG: dict[str, Callable[[], object]] = {
    "sms": lambda: Recipient.sms(int(PHONE)),  # type: ignore[arg-type]
    "identities": lambda: Recipient.identities([("SMS", PHONE), ("RCS", " ")]),
    "identities of one": lambda: Recipient.identities([(PHONE, TEXT, TEXT)]),  # type: ignore[list-item]
    "text": lambda: messages.text(TEXT, foo=1),  # type: ignore[call-arg]
    "text with agent": lambda: messages.text(TEXT, agent=5),  # type: ignore[arg-type]
    "choice": lambda: messages.choice(TEXT, [TEXT, 5]),  # type: ignore[list-item]
    "location": lambda: messages.location(TEXT, 555, 5, label=TEXT),
    "contact": lambda: messages.contact_info(TEXT, [PHONE, 5]),  # type: ignore[list-item]
    "card": lambda: messages.card(TEXT, media=5),  # type: ignore[arg-type]
    "list": lambda: messages.list_message(TEXT, [{"title": TEXT}]),
    "endpoints": lambda: Endpoints(*[f"https://u:{KEY_SECRET}@h"] * 4),
    "sandbox": lambda: Endpoints.sandbox(f"http://u:{KEY_SECRET}@h"),
    "parameter": lambda: check_parameters(f"{TEXT} ${{a}}", {"b": PHONE}, recipient=1),
    "mismatches": lambda: mismatches(frozenset("a"), [PHONE]),  # type: ignore[arg-type]
    "pages": lambda: pages(PHONE, TEXT, a=TEXT),  # type: ignore[call-overload]
    "paginate": lambda: paginate(5, TEXT, body={"a": PHONE}),  # type: ignore[call-overload]
}


@pytest.mark.parametrize("name", WRONG)
def test_mistake_shows_nothing_of_the_rest(name: str) -> None:
    """One mistake does not show the arguments beside it, nor itself."""
    with pytest.raises((ValueError, TypeError, SinchError)) as caught:
        WRONG[name]()
    assert leaks(printed(caught.value)) == []


SENDS: dict[str, dict[str, Any]] = {
    "to": {"to": PHONE, "message": messages.text(TEXT)},
    "message": {"to": {"contact_id": PHONE}, "message": TEXT},
    "ttl": {"to": {"contact_id": PHONE}, "message": {"text_message": TEXT}, "ttl": -1},
    "unknown": {"to": {"contact_id": PHONE}, "message": {"text_message": TEXT}, "ttk": PHONE},
    "metadata": {
        "to": Recipient.sms(PHONE), "message": {"a": TEXT}, "message_metadata": {"a": {TEXT}},
    },
    "url": {"to": Recipient.sms(PHONE), "message": {"a": TEXT}, "callback_url": 5},
}  # fmt: skip


@pytest.mark.parametrize("name", SENDS)
def test_refused_send_shows_nothing(flavour: Flavour, name: str) -> None:
    """The frame of send() contains neither the recipient nor the message when it refuses them."""
    client = flavour.client(Server())
    with pytest.raises((ValueError, TypeError)) as caught:
        flavour.run(client.send(app_id="A", **SENDS[name]))
    assert leaks(printed(caught.value)) == []


class Page:
    """A page of somebody's own function, whose representation shows everything."""

    next_page_token = "t"

    def __repr__(self) -> str:
        return f"Page({PHONE}, {TEXT})"


@pytest.mark.parametrize("walk", [pages, paginate])
@pytest.mark.parametrize("body", [None, TEXT])
def test_failing_pages_show_no_page(flavour: Flavour, walk: Any, body: object) -> None:
    """A page that cannot be used, or cannot be gone on from, is in no frame of ours."""

    def method(**_: object) -> Page:
        return Page()

    async def async_method(**_: object) -> Page:
        return Page()

    used = method if flavour.name == "sync" else async_method
    iterator = walk(used, **({} if body is None else {"body": body}))

    async def exhaust() -> list[object]:
        return [item async for item in iterator]

    with pytest.raises((TypeError, SinchError)) as caught:
        list(iterator) if flavour.name == "sync" else flavour.run(exhaust())
    assert leaks(printed(caught.value)) == []


@CONNECTED
def test_reason_of_a_proxy_is_sealed(flavour: Flavour) -> None:
    """What a proxy says beside its status reaches neither the error nor its cause."""
    refusal = raw(f"HTTP/1.1 407 {TEXT} {PHONE}\r\nContent-Length: 0\r\n\r\n".encode())
    with serving(refusal) as proxy:
        client = flavour.client(
            Server(), transport=None, proxy=proxy.url, retry=RetryPolicy(attempts=1)
        )
        with pytest.raises(SinchError) as caught:
            flavour.run(client.conversation.app.list_apps())
        flavour.close(client)
    assert "ProxyError" in str(caught.value)
    assert type(caught.value.__cause__) is httpx.ProxyError
    assert leaks(printed(caught.value)) == []


def filled(model: Any) -> Any:
    """A *model* all of whose fields and one more are planted, as far as it takes strings."""
    made = object.__new__(model)
    for name in getattr(model, "__slots__", ()):
        if not name.startswith("__"):
            object.__setattr__(made, name, {} if name == "additional_properties" else PHONE)
    made.additional_properties = {"extra": TEXT}
    return made


def all_models() -> list[Any]:
    """The models of all packages."""
    packages = (sinch_batch_api, sinch_conversation_api, sinch_template_api)
    found = []
    for package in packages:
        from importlib import import_module

        models = import_module(f"{package.__name__}.models")
        kinds = [getattr(models, name) for name in models.__all__]
        found += [kind for kind in kinds if hasattr(kind, "__attrs_attrs__")]
    return found


def test_no_printer_shows_the_values_of_a_model() -> None:
    """Neither Python's printers nor rich, alone, in a list or in a mapping."""
    models = all_models()
    assert len(models) > 300
    for kind in models:
        one = filled(kind)
        views = [*shown(one), *shown([one]), *shown({"a": one}), pprint.pformat([one] * 9)]
        assert leaks("\n".join(views)) == [], kind
        assert "extra" in pretty_repr(one)
