"""The choice of the HTTP library."""

import os
import subprocess
import sys

import pytest

from sinch_wrapper._http import HTTP_VARIABLE, httpx, load_http_library
from sinch_wrapper.errors import ConfigurationError

CHOICE = "from sinch_wrapper._http import httpx; print(httpx.__name__)"


def run(code: str, forced: str | None) -> subprocess.CompletedProcess[str]:
    """Run *code* in a fresh interpreter."""
    environment = {name: value for name, value in os.environ.items() if name != HTTP_VARIABLE}
    if forced is not None:
        environment[HTTP_VARIABLE] = forced
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["httpx", "httpx2"])
def test_http_library_is_the_forced_one(name: str) -> None:
    """The variable forces either library."""
    assert f"{name}\n" == run(CHOICE, name).stdout


@pytest.mark.parametrize("variable", [None, "", "aiohttp"])
def test_http_library_prefers_httpx2(variable: str | None) -> None:
    """When nothing forces one of the two, httpx2 wins when it is installed.

    An empty variable is how shells and containers unset one; aiohttp is for connections alone.
    """
    assert run(CHOICE, variable).stdout == "httpx2\n"


def test_http_library_refuses_other_names_without_quoting_them() -> None:
    """Another value names the variable, and does not repeat what may be a secret."""
    with pytest.raises(ConfigurationError, match=HTTP_VARIABLE) as caught:
        load_http_library("planted-key-secret")
    assert "planted" not in str(caught.value)


def test_http_library_names_the_variable_when_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forced library that is not installed is a configuration error."""
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(ConfigurationError, match=f"{HTTP_VARIABLE}=httpx2"):
        load_http_library("httpx2")
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(ConfigurationError, match=f"{HTTP_VARIABLE}=aiohttp: it is not installed"):
        load_http_library("aiohttp")


def test_http_library_falls_back_to_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without httpx2, httpx is used."""
    monkeypatch.setitem(sys.modules, "httpx2", None)
    assert load_http_library(None).__name__ == "httpx"


def test_http_library_of_this_run_is_the_one_asked_for() -> None:
    """The suite runs on the library that the variable forces."""
    forced = os.environ.get(HTTP_VARIABLE)
    assert httpx.__name__ == ("httpx" if forced == "httpx" else "httpx2")
