"""Iterating over list operations of the generated clients."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import pytest

from sinch_wrapper import SinchError, pages, paginate
from sinch_wrapper._http import httpx
from tests.helpers.core import Flavour, SyncFlavour


class Listing:
    """A server that returns scripted pages and records the requests."""

    def __init__(self, *responses: object) -> None:
        self.responses = list(responses)
        self.queries: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Return the next page."""
        if request.url.path.endswith("/oauth2/token"):
            return httpx.Response(200, json={"access_token": "t"})
        queries: dict[str, Any] = dict(request.url.params)
        if request.content:
            queries.update(json.loads(request.content))
        self.queries.append(queries)
        response = self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]
        return httpx.Response(200, json=response)


def collect(flavour: Flavour, iterator: Any) -> list[Any]:
    """Exhaust *iterator*."""
    if isinstance(iterator, Iterator):
        assert flavour.name == "sync"
        return list(iterator)
    assert isinstance(iterator, AsyncIterator)

    async def exhaust() -> list[Any]:
        return [item async for item in iterator]

    return flavour.run(exhaust())  # type: ignore[no-any-return]


def contacts(*ids: str, token: str | None = None) -> dict[str, object]:
    """Write a page of contacts."""
    return {"contacts": [{"id": item} for item in ids], "next_page_token": token}


def test_items_of_all_pages_come_in_order(flavour: Flavour) -> None:
    """The token of each page requests the next one, with the same other arguments."""
    server = Listing(
        contacts("1", "2", token="t1"), contacts("3", token="t2"), contacts("4", token="")
    )
    method = flavour.client(server).conversation.contact.list_contacts
    items = collect(flavour, paginate(method, page_size=2))
    assert [item.id for item in items] == ["1", "2", "3", "4"]
    assert server.queries == [
        {"page_size": "2"},
        {"page_size": "2", "page_token": "t1"},
        {"page_size": "2", "page_token": "t2"},
    ]


def test_nothing_is_asked_before_iterating(flavour: Flavour) -> None:
    """Pages are fetched when they are needed, not sooner."""
    server = Listing(contacts("1"))
    paginate(flavour.client(server).conversation.contact.list_contacts)
    assert server.queries == []


def test_token_in_the_body_is_turned_there(flavour: Flavour) -> None:
    """One operation takes its token in the request body; mapping and model both do."""
    from sinch_conversation_api.models import ListMessagesByChannelIdentityRequest

    plain = {"channel_identities": ["1"], "page_size": 1}
    for body in (plain, ListMessagesByChannelIdentityRequest.from_dict(plain)):
        server = Listing(
            {"messages": [{"id": "a"}], "next_page_token": "t1"}, {"messages": [{"id": "b"}]}
        )
        method = flavour.client(server).conversation.messages.list_messages_by_channel_identity
        items = collect(flavour, paginate(method, body=body))
        assert [item.id for item in items] == ["a", "b"]
        assert [plain, {**plain, "page_token": "t1"}] == server.queries
    assert plain == {"channel_identities": ["1"], "page_size": 1}


def test_operation_without_paging_gives_one_page(flavour: Flavour) -> None:
    """Apps and templates come in one page; path arguments pass through."""
    server = Listing({"apps": [{"id": "a"}], "webhooks": [{"id": "w"}], "translations": []})
    client = flavour.client(server)
    assert [app.id for app in collect(flavour, paginate(client.conversation.app.list_apps))] == [
        "a"
    ]
    webhooks = collect(flavour, paginate(client.conversation.webhooks.list_webhooks, "app-1"))
    assert [webhook.id for webhook in webhooks] == ["w"]
    method = client.templates.templates_v2.list_translations
    assert collect(flavour, paginate(method, "t1")) == []


def test_plain_list_is_one_page(flavour: Flavour) -> None:
    """The status of batches by metadata is a bare list."""
    server = Listing([{"batch_id": "b"}])
    method = flavour.client(server).batch.messages.get_batch_statuses_by_metadata
    items = collect(flavour, paginate(method, metadata_key="k", metadata_value="v"))
    assert len(items) == 1


def test_empty_page_with_a_token_goes_on(flavour: Flavour) -> None:
    """A filter may leave a page empty, or without its list, before the last one."""
    server = Listing(contacts(token="t1"), {"next_page_token": "t2"}, contacts("9"))
    method = flavour.client(server).conversation.contact.list_contacts
    assert [item.id for item in collect(flavour, paginate(method))] == ["9"]


@pytest.mark.parametrize("tokens", [["t1"], ["t1", "t2", "t1", "t3"]])
def test_repeated_token_stops_with_an_error(flavour: Flavour, tokens: list[str]) -> None:
    """A server that repeats a page token ends the iteration with an error."""
    server = Listing(*(contacts(token=token) for token in tokens))
    method = flavour.client(server).conversation.contact.list_contacts
    with pytest.raises(SinchError, match="list_contacts returned a page token twice"):
        collect(flavour, paginate(method))
    assert len(server.queries) <= 4


def test_iteration_can_start_at_a_token(flavour: Flavour) -> None:
    """A caller may start with the token of a later page."""
    server = Listing(contacts("3"))
    method = flavour.client(server).conversation.contact.list_contacts
    collect(flavour, paginate(method, page_token="t7"))
    assert server.queries == [{"page_token": "t7"}]


def test_pages_keep_what_stands_beside_the_items(flavour: Flavour) -> None:
    """`pages` yields each response as a whole."""
    server = Listing(
        {"conversations": [], "total_size": 7, "next_page_token": "t"}, {"total_size": 7}
    )
    method = flavour.client(server).conversation.conversation.list_conversations
    assert [page.total_size for page in collect(flavour, pages(method, only_active=True))] == [7, 7]


def test_other_operations_are_refused(flavour: Flavour) -> None:
    """An operation whose response has no single list raises."""
    client = flavour.client(Listing({"message_id": "m"}))
    body = {"app_id": "A", "recipient": {}, "message": {}}
    with pytest.raises(TypeError, match="send_message is not a list operation"):
        collect(flavour, paginate(client.conversation.messages.send_message, body=body))


def test_misshapen_list_is_ours(flavour: Flavour) -> None:
    """An object where the list should be does not iterate over its keys."""
    client = flavour.client(Listing({"contacts": {"id": "1"}}))
    with pytest.raises(SinchError, match="contacts in the response is not a list"):
        collect(flavour, paginate(client.conversation.contact.list_contacts))


def test_token_that_cannot_be_passed_on_is_told() -> None:
    """A list is never cut short silently."""

    def list_things() -> list[int]:
        return [1]

    class Page(list[int]):
        next_page_token = "t"

    def list_more() -> Page:
        return Page([2])

    assert list(paginate(list_things)) == [1]
    with pytest.raises(TypeError, match="more pages, but list_more takes no page_token="):
        list(pages(list_more))


def test_detailed_twins_have_all_their_pages(flavour: Flavour) -> None:
    """The token is found in the value beside status and headers."""
    server = Listing(contacts("1", token="t1"), contacts("2"))
    method = flavour.client(server).conversation.contact.list_contacts_detailed
    found = collect(flavour, pages(method, page_size=1))
    assert [page.parsed.contacts[0].id for page in found] == ["1", "2"]
    server.responses = [contacts("1", token="t1"), contacts("2")]
    assert [item.id for item in collect(flavour, paginate(method))] == ["1", "2"]


def test_functions_around_a_method_take_the_token() -> None:
    """A function that passes keywords on receives the token too."""
    flavour = SyncFlavour()
    server = Listing(contacts("1", token="t1"), contacts("2"))
    method = flavour.client(server).conversation.contact.list_contacts

    def logged(**options: Any) -> Any:
        return method(**options)

    assert len(list(pages(logged, page_size=1))) == 2
    assert server.queries[1] == {"page_size": "1", "page_token": "t1"}


def test_hidden_coroutine_function_is_told() -> None:
    """A function that returns a coroutine without being asynchronous raises, without a warning."""

    async def list_things() -> list[int]:
        return [1]

    with pytest.raises(TypeError, match="pass the async method, not a wrapper"):
        list(cast("Any", pages(lambda: list_things())))  # noqa: PLW0108 (it hides the kind)


def test_unfit_body_is_the_callers_mistake() -> None:
    """A body that cannot be copied with another token raises."""

    class Page(list[int]):
        next_page_token = "t"

    def list_things(*, body: object) -> Page:
        del body
        return Page([1])

    with pytest.raises(TypeError, match="body= must be a mapping or a model, not int"):
        list(paginate(list_things, body=5))
