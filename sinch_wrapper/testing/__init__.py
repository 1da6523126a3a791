"""Test kit: the sandbox as pytest fixtures, with a hold on faults, time and what was accepted.

`sinch_sandbox` and `async_sinch_sandbox` are fixtures of the pytest plugin
`sinch_wrapper.testing.plugin`, which pytest finds by itself.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sinch_wrapper.testing.kit import AsyncSandbox, Received, Sandbox

__all__ = ["AsyncSandbox", "Received", "Sandbox"]


def __getattr__(name: str) -> object:
    """Load *name* when it is first asked for (PEP 562): pytest imports this in every project."""
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.kit"), name)
