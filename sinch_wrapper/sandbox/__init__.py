"""A stand-in for the three APIs and their token endpoint, for demos, tests and benchmarks.

Everything else is proven on it, so it shares no code with the client: not the signing of
callbacks, not the reading of JSON, not the host names. What it knows comes from the OpenAPI
documents, which it reads as data, and from the documented behaviour; a mistake of the client
therefore meets something that does not make the same one. For its own requests (callbacks) it
uses the HTTP library as it is.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sinch_wrapper.sandbox.app import create_app
    from sinch_wrapper.sandbox.clock import Clock
    from sinch_wrapper.sandbox.faults import FaultRule, parse_fault
    from sinch_wrapper.sandbox.http_server import BackgroundServer
    from sinch_wrapper.sandbox.server import Server, serve
    from sinch_wrapper.sandbox.settings import Settings

__all__ = [
    "BackgroundServer",
    "Clock",
    "FaultRule",
    "Server",
    "Settings",
    "create_app",
    "parse_fault",
    "serve",
]

_HOMES = {
    "BackgroundServer": "http_server",
    "Clock": "clock",
    "FaultRule": "faults",
    "Server": "server",
    "Settings": "settings",
    "create_app": "app",
    "parse_fault": "faults",
    "serve": "server",
}
_EXTRA = frozenset({"jsonschema_rs", "starlette", "uvicorn"})


def __getattr__(name: str) -> object:
    """Load *name* when it is first asked for (PEP 562), so that the import stays cheap."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f"{__name__}.{_HOMES[name]}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        hint = 'the sandbox needs more packages: pip install "sinch-wrapper[cli]"'
        raise ModuleNotFoundError(hint, name=error.name) from error
    return getattr(module, name)
