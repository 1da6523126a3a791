"""All items of a list operation, page by page, for every operation and its kind of paging."""

import inspect
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
)
from typing import Final, ParamSpec, TypeVar, cast, overload

from sinch_wrapper import _validate
from sinch_wrapper._forget import forgetting
from sinch_wrapper._request import Response
from sinch_wrapper.errors import SinchError

__all__ = ["pages", "paginate"]

P = ParamSpec("P")
Page = TypeVar("Page")
Item = TypeVar("Item")

_TOKEN: Final = "page_token"  # noqa: S105 (the name of a parameter)
_NEXT: Final = "next_page_token"


@overload
def pages(  # type: ignore[overload-overlap]  # an awaitable is an object too
    method: Callable[P, Awaitable[Page]], /, *args: P.args, **kwargs: P.kwargs
) -> AsyncIterator[Page]: ...
@overload
def pages(method: Callable[P, Page], /, *args: P.args, **kwargs: P.kwargs) -> Iterator[Page]: ...
@forgetting
def pages(method: Callable[..., object], /, *args: object, **kwargs: object) -> object:
    """Yield the pages of a list operation, each as *method* returns it.

    *method* is any generated list method or its `_detailed` twin, of either client, or a function
    that passes keywords on to one; *args* and the keywords are passed to it. The iterator is
    asynchronous when *method* is. Operations without paging give one page.

    Raises: TypeError when *method* cannot be called. While iterating: SinchError when the server
    returns a page token twice, TypeError when *method* cannot take the token of the next page, and
    everything that *method* raises.
    """
    pager = _Pager(method, args, kwargs)
    return _async_pages(pager) if inspect.iscoroutinefunction(method) else _pages(pager)


@overload
def paginate(  # type: ignore[overload-overlap]  # an awaitable is an object too
    method: Callable[P, Awaitable[Iterable[Item]]], /, *args: P.args, **kwargs: P.kwargs
) -> AsyncIterator[Item]: ...
@overload
def paginate(
    method: Callable[P, Iterable[Item]], /, *args: P.args, **kwargs: P.kwargs
) -> Iterator[Item]: ...
@overload
def paginate(  # type: ignore[overload-overlap]  # an awaitable is an object too
    method: Callable[P, Awaitable[object]], /, *args: P.args, **kwargs: P.kwargs
) -> AsyncIterator[object]: ...
@overload
def paginate(
    method: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
) -> Iterator[object]: ...
@forgetting
def paginate(method: Callable[..., object], /, *args: object, **kwargs: object) -> object:
    """Yield the items of all pages of a list operation: contacts, apps, messages and so on.

    *method* is any generated list method or its `_detailed` twin, of either client, or a function
    that passes keywords on to one; *args* and the keywords are passed to it. The iterator is
    asynchronous when *method* is. A page's items are its only list.

    Raises: TypeError when *method* cannot be called. While iterating: SinchError when the server
    returns a page token twice, TypeError when the response has no list or *method* cannot take the
    token of the next page, and everything that *method* raises.
    """
    pager = _Pager(method, args, kwargs)
    return _async_items(pager) if inspect.iscoroutinefunction(method) else _items(pager)


class _Pager:
    """Calls a list operation, for one page after the other.

    It keeps the page, which may contain personal data, out of the variables of those who call it.
    """

    def __init__(
        self,
        method: Callable[..., object],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> None:
        _validate.function(
            "method", method, "a list operation, such as sinch.conversation.app.list_apps"
        )
        self.name = getattr(method, "__name__", "the operation")
        self._method = method
        self._args = args
        self._kwargs = dict(kwargs)
        self._seen: set[str] = set()
        self._page: object = None
        parameters = inspect.signature(method).parameters
        self._takes_token = _TOKEN in parameters or any(
            each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values()
        )

    def call(self) -> object:
        """Request the page that is next; its result may have to be awaited."""
        return self._method(*self._args, **self._kwargs)

    def take(self, page: object) -> object:
        """Keep *page*, which becomes the page, and return it."""
        self._page = page
        return page

    def call_blocking(self) -> object:
        """Request the page that is next, with a method that is not asynchronous."""
        page = self.call()
        if inspect.iscoroutine(page):
            page.close()
            message = f"{self.name} returned an awaitable; pass the async method, not a wrapper"
            raise TypeError(message)
        return self.take(page)

    def items(self) -> Iterable[object]:
        """The items of the page."""
        return _items_of(self._page, self.name)

    def advance(self) -> bool:
        """Go on to the next page; False when there is none."""
        token = getattr(_parsed(self._page), _NEXT, None)
        if not isinstance(token, str) or not token:
            return False
        if token in self._seen:
            message = f"{self.name} returned a page token twice; stopped to avoid an endless loop"
            raise SinchError(message)
        self._seen.add(token)
        if "body" in self._kwargs:
            self._kwargs["body"] = {**_as_mapping(self._kwargs["body"]), _TOKEN: token}
        elif self._takes_token:
            self._kwargs[_TOKEN] = token
        else:
            message = f"there are more pages, but {self.name} takes no {_TOKEN}="
            raise TypeError(message)
        return True


def _parsed(page: object) -> object:
    """The value in *page*, which a `_detailed` twin returns with status and headers."""
    return page.parsed if isinstance(page, Response) else page


@forgetting
def _as_mapping(body: object) -> Mapping[str, object]:
    if isinstance(body, Mapping):
        return body
    to_dict = getattr(body, "to_dict", None)
    if to_dict is None:
        raise _validate.wrong_kind("body", "a mapping or a model", body)
    return cast("Mapping[str, object]", to_dict())


@forgetting
def _items_of(page: object, name: str) -> Iterable[object]:
    page = _parsed(page)
    if isinstance(page, list):
        return page
    # The annotations distinguish a list that is absent from a response that has none.
    lists = [
        field.name
        for field in getattr(type(page), "__attrs_attrs__", ())
        if str(field.type).startswith("list[")
    ]
    if len(lists) != 1:
        message = f"{name} is not a list operation: its response has {len(lists)} lists, expected 1"
        raise TypeError(message)
    items = getattr(page, lists[0])
    if not items:
        return ()
    if not isinstance(items, list):
        message = f"{name}: {lists[0]} in the response is not a list"
        raise SinchError(message)
    return items


def _pages(pager: _Pager) -> Iterator[object]:
    more = True
    while more:
        yield pager.call_blocking()
        more = pager.advance()


async def _async_pages(pager: _Pager) -> AsyncIterator[object]:
    more = True
    while more:
        yield pager.take(await cast("Awaitable[object]", pager.call()))
        more = pager.advance()


def _items(pager: _Pager) -> Iterator[object]:
    more = True
    while more:
        pager.call_blocking()
        yield from pager.items()
        more = pager.advance()


async def _async_items(pager: _Pager) -> AsyncIterator[object]:
    more = True
    while more:
        pager.take(await cast("Awaitable[object]", pager.call()))
        for item in pager.items():
            yield item
        # Not for a traceback that shows locals.
        item = None
        more = pager.advance()
