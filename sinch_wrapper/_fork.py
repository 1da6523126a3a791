"""Objects to renew in the child of a fork, such as locks that another thread may have held."""

import os
from collections.abc import Callable
from typing import Protocol
from weakref import WeakSet


class _Renewable(Protocol):
    @property
    def after_fork(self) -> Callable[[], None]: ...


_living: WeakSet[_Renewable] = WeakSet()


def renew_after_fork(thing: _Renewable) -> None:
    """Call `thing.after_fork()` in every forked child for as long as *thing* lives."""
    _living.add(thing)


def _renew_all() -> None:
    for thing in list(_living):
        thing.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
