"""The pytest plugin (entry point `pytest11`): fixtures that provide a sandbox.

Loading it imports nothing but pytest, which is loaded anyway. The first test that uses a fixture
starts the one server of the run; it is reset for every test.
"""

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sinch_wrapper.sandbox import Server, Settings
    from sinch_wrapper.testing._kit import AsyncSandbox, Sandbox


_MARKER = "sinch_sandbox(**settings): settings of sinch_wrapper.sandbox.Settings for this test"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture(scope="session")
def sinch_sandbox_server() -> "Iterator[Server]":
    """The one server of the run; use `sinch_sandbox` instead, which resets it for each test."""
    from sinch_wrapper.sandbox import Server

    with Server() as server:
        yield server


@pytest.fixture
def fresh_sinch_sandbox_server(
    request: pytest.FixtureRequest,
    sinch_sandbox_server: "Server",
    monkeypatch: pytest.MonkeyPatch,
) -> "Server":
    """The server after a reset, and the environment in which every client finds it."""
    marker = request.node.get_closest_marker("sinch_sandbox")
    server = sinch_sandbox_server
    server.reset(settings_of(marker))
    variables = {
        "SINCH_SANDBOX_URL": server.url,
        "SINCH_PROJECT_ID": server.settings.project_id,
        "SINCH_KEY_ID": server.settings.key_id,
        "SINCH_KEY_SECRET": server.settings.key_secret,
        "SINCH_WRAPPER_TESTING": "1",
        **dict.fromkeys(("NO_PROXY", "no_proxy"), _direct(os.environ)),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return server


def _direct(environment: "Mapping[str, str]") -> str:
    """Return the value of NO_PROXY with which loopback is reached directly."""
    given = environment.get("no_proxy") or environment.get("NO_PROXY", "")
    return ",".join(filter(None, (given, "127.0.0.1,localhost,::1")))


def settings_of(marker: pytest.Mark | None) -> "Settings":
    """Return the settings that *marker* asks for; raises TypeError or ValueError."""
    from sinch_wrapper.sandbox import Settings

    if marker is not None and marker.args:
        raise TypeError(
            "pytest.mark.sinch_sandbox takes keyword arguments only: sinch_sandbox(seed=1)"
        )
    given: dict[str, Any] = {} if marker is None else dict(marker.kwargs)
    # As fast as the machine: a test that is about a rate sets it.
    return Settings(**{"request_rate": 1e6, "callback_rate": 1e6, **given})


@pytest.fixture
def sinch_sandbox(fresh_sinch_sandbox_server: "Server") -> "Iterator[Sandbox]":
    """A new sandbox for code that uses `Sinch`."""
    from sinch_wrapper.testing._kit import Sandbox

    sandbox = Sandbox(fresh_sinch_sandbox_server)
    yield sandbox
    sandbox.close()


@pytest.fixture
def async_sinch_sandbox(fresh_sinch_sandbox_server: "Server") -> "Iterator[AsyncSandbox]":
    """A new sandbox for code that uses `AsyncSinch`."""
    from sinch_wrapper.testing._kit import AsyncSandbox

    sandbox = AsyncSandbox(fresh_sinch_sandbox_server)
    yield sandbox
    sandbox.close()
