"""A stand-in for the three APIs and their token endpoint, for demos, tests and benchmarks."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sinch_wrapper.sandbox.app import create_app
    from sinch_wrapper.sandbox.faults import FaultRule, parse_fault
    from sinch_wrapper.sandbox.server import BackgroundServer, Server, serve
    from sinch_wrapper.sandbox.settings import Settings

__all__ = [
    "BackgroundServer",
    "FaultRule",
    "Server",
    "Settings",
    "create_app",
    "parse_fault",
    "serve",
]

_HOMES = {
    "BackgroundServer": "server",
    "FaultRule": "faults",
    "Server": "server",
    "Settings": "settings",
    "create_app": "app",
    "parse_fault": "faults",
    "serve": "server",
}


def __getattr__(name: str) -> object:
    """Load *name* when it is first asked for (PEP 562), so that the import stays cheap."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
