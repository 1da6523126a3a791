"""Failures that show no variables: tools print those of each function that an exception passed.

Numbers, texts and secrets are in the variables of functions that work with them. The lines of a
traceback stay; what the functions of this library held does not.
"""

import contextlib
import inspect
import types
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar, cast

from sinch_wrapper.errors import SinchError

P = ParamSpec("P")
T = TypeVar("T")

_OURS: Final = __name__.partition(".")[0]


def forgetting(function: Callable[P, T]) -> Callable[P, T]:
    """Make *function*, of any kind, forget its variables and those of its callees when it fails."""
    if inspect.iscoroutinefunction(function):
        return cast("Callable[P, T]", _awaited(function))
    if inspect.isgeneratorfunction(function):
        return cast("Callable[P, T]", _generated(function))

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            _forget(error)
            raise

    return call


def forgetting_methods(kind: type[T]) -> type[T]:
    """Make all public methods of the class *kind* forgetting."""
    for name, function in list(vars(kind).items()):
        if not name.startswith("_") and inspect.isfunction(function):
            setattr(kind, name, forgetting(function))
    return kind


def _awaited(function: Callable[P, Any]) -> Callable[P, Any]:
    @wraps(function)
    async def call(*args: P.args, **kwargs: P.kwargs) -> object:
        try:
            return await function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            _forget(error)
            raise

    return call


def _generated(function: Callable[P, Any]) -> Callable[P, Any]:
    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Iterator[object]:
        try:
            yield from function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            _forget(error)
            raise

    return call


def _forget(error: BaseException) -> None:
    """Clear the functions that *error* passed; of an error of others, only our own."""
    everything = isinstance(error, SinchError)
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        _clear(link.__traceback__, everything=everything)
        if isinstance(link, UnicodeError) and everything:
            link.args = ()
            if isinstance(link, UnicodeEncodeError):
                link.object = ""
            elif isinstance(link, UnicodeDecodeError):
                link.object = b""
        if link.__suppress_context__:
            link.__context__ = None
        link = link.__cause__ or link.__context__


def _clear(trace: types.TracebackType | None, *, everything: bool) -> None:
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        if everything or name.partition(".")[0] == _OURS:
            # One that is running, our caller for example, cannot be cleared.
            with contextlib.suppress(RuntimeError):
                trace.tb_frame.clear()
        trace = trace.tb_next
