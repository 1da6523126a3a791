"""The pytest plugin: fixtures, isolation, the marker, and what it costs when nobody asks."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sinch_wrapper import AsyncSinch, InternalServerError, Recipient, RetryPolicy, Sinch, text
from sinch_wrapper.sandbox import Server, Settings
from sinch_wrapper.testing import AsyncSandbox, Sandbox

TO = Recipient.sms("+46700000001")
RUN = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]


def _pytest(folder: Path, tests: str, *words: str) -> subprocess.CompletedProcess[str]:
    file = folder / "test_users.py"
    file.write_text(tests, encoding="utf-8")
    # The other plugins of this environment take seconds to load.
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [*RUN, "-p", "sinch_wrapper.testing.plugin", *words, str(file)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment,
    )


WITHOUT = """
import sys

sys.modules["starlette"] = None

def test_needs_it(sinch_sandbox):
    pass
"""


def test_missing_extra_is_named(tmp_path: Path) -> None:
    """With the client alone installed, the fixtures say what they need."""
    result = _pytest(tmp_path, WITHOUT)
    assert 'the sandbox needs more packages: pip install "sinch-wrapper[sandbox]"' in result.stdout


ISOLATED = """
import os
import pytest
from sinch_wrapper import Recipient, Sinch, text

TO = Recipient.sms("+46700000001")

@pytest.mark.parametrize("number", [1, 2])
def test_each_test_finds_it_new(sinch_sandbox, number):
    assert sinch_sandbox.received() == []
    assert os.environ["SINCH_WRAPPER_TESTING"] == "1"
    sinch_sandbox.fault("App_*:503")
    with Sinch() as sinch:
        sinch.send(app_id=sinch_sandbox.app_id, to=TO, message=text("Hi"))
    assert len(sinch_sandbox.received()) == 1

@pytest.mark.sinch_sandbox(start="empty", frozen=True)
def test_marker_sets_it_up(sinch_sandbox):
    assert sinch_sandbox.client().conversation.app.list_apps().apps == []
    assert sinch_sandbox.server.clock.frozen

def test_async_and_sync_share_the_server(sinch_sandbox, async_sinch_sandbox):
    assert sinch_sandbox.url == async_sinch_sandbox.url == os.environ["SINCH_SANDBOX_URL"]

def test_without_the_fixture_the_environment_is_untouched():
    assert "SINCH_SANDBOX_URL" not in os.environ
"""


def test_fixtures_hand_out_a_new_sandbox_to_each_test(tmp_path: Path) -> None:
    """Nothing of one test is left in the next, with strict markers and warnings as errors."""
    result = _pytest(tmp_path, ISOLATED, "--strict-markers")

    assert "5 passed" in result.stdout, result.stdout


def test_plugin_that_nobody_uses_loads_nothing(tmp_path: Path) -> None:
    """A run without the fixtures has loaded neither client, nor server, nor HTTP library."""
    heavy = ("httpx", "httpx2", "starlette", "uvicorn", "attrs", "authlib", "jsonschema_rs")
    tests = f"""
import sys

def test_nothing_is_loaded():
    assert not [name for name in sys.modules if name.partition(".")[0] in {heavy}]
    mine = [name for name in sys.modules if name.startswith("sinch_")]
    assert sorted(mine) == [
        "sinch_wrapper",
        "sinch_wrapper._lazy",
        "sinch_wrapper._version",
        "sinch_wrapper.testing",
        "sinch_wrapper.testing.plugin",
    ]
"""
    result = _pytest(tmp_path, tests)

    assert 0 == result.returncode, result.stdout


def test_clients_of_the_kit_never_sleep(sinch_sandbox: Sandbox) -> None:
    """A server that asks for an hour costs no time, and the attempts are those of the policy."""
    sinch_sandbox.fault("Messages_SendMessage:503=3600:#1-3", "App_ListApps:503")
    sinch_sandbox.client().send(app_id=sinch_sandbox.app_id, to=TO, message=text("Hi"))
    with pytest.raises(InternalServerError) as caught:
        sinch_sandbox.client().conversation.app.list_apps()
    sinch_sandbox.clear_faults()
    sinch_sandbox.client().conversation.app.list_apps()

    assert RetryPolicy().attempts == caught.value.attempts


def test_async_kit_has_the_same_names() -> None:
    """The twins differ in what is awaited."""

    def names(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")} - {"close"}

    async def use(sandbox: AsyncSandbox) -> int:
        async with sandbox.client() as sinch:
            assert isinstance(sinch, AsyncSinch)
            await sinch.send(app_id=sandbox.app_id, to=TO, message=text("Hi"))
        await sandbox.eventually(lambda: sandbox.received()[0].outcome == "DELIVERED")
        with pytest.raises(AssertionError):
            await sandbox.eventually(lambda: False, patience=0)
        return len(sandbox.received())

    assert names(Sandbox) == names(AsyncSandbox)
    with Server() as server:
        assert 1 == asyncio.run(use(AsyncSandbox(server)))


def test_kit_moves_the_time() -> None:
    """The time of the kit is that of the sandbox."""
    with Server(Settings(now=1_800_000_000, frozen=True)) as server:
        sandbox = Sandbox(server)
        sandbox.advance(60)

        assert "2027-01-15T08:01:00+00:00" == sandbox.now.isoformat()
        with pytest.raises(AssertionError):
            sandbox.eventually(lambda: False, patience=0)


def test_received_shows_no_number() -> None:
    """The repr names the outcome, not the recipient."""
    with Server() as server:
        sandbox = Sandbox(server)
        client = sandbox.client()
        assert isinstance(client, Sinch)
        client.send(app_id=sandbox.app_id, to=TO, message=text("Hi"))
        shown = repr(sandbox.received())
        sandbox.close()

    assert "+467" not in shown
    assert "Messages_SendMessage" in shown
