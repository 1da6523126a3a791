"""A stand-in for the three APIs and their token endpoint, for demos, tests and benchmarks.

Everything else is proven on it, so it shares no code with the client: not the signing of
callbacks, not the reading of JSON, not the host names. What it knows comes from the OpenAPI
documents, which it reads as data, and from the documented behaviour; a mistake of the client
therefore meets something that does not make the same one. For its own requests (callbacks) it
uses the HTTP library as it is.
"""

from typing import TYPE_CHECKING

from sinch_wrapper._lazy import Extra, lazy

if TYPE_CHECKING:
    from sinch_wrapper.sandbox._app import create_app
    from sinch_wrapper.sandbox._clock import Clock
    from sinch_wrapper.sandbox._documents import OperationSpec, all_operations
    from sinch_wrapper.sandbox._faults import FaultRule, parse_fault
    from sinch_wrapper.sandbox._http_server import BackgroundServer
    from sinch_wrapper.sandbox._server import Server, serve
    from sinch_wrapper.sandbox._settings import Settings

__all__ = [
    "BackgroundServer",
    "Clock",
    "FaultRule",
    "OperationSpec",
    "Server",
    "Settings",
    "all_operations",
    "create_app",
    "parse_fault",
    "serve",
]

__getattr__ = lazy(
    __name__,
    {
        "_app": ("create_app",),
        "_clock": ("Clock",),
        "_documents": ("OperationSpec", "all_operations"),
        "_faults": ("FaultRule", "parse_fault"),
        "_http_server": ("BackgroundServer",),
        "_server": ("Server", "serve"),
        "_settings": ("Settings",),
    },
    extra=Extra("the sandbox", "sandbox", frozenset({"jsonschema_rs", "starlette", "uvicorn"})),
)
