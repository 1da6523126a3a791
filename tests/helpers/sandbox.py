"""A running sandbox, a plain HTTP client for it, and an inbox for its callbacks."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sinch_wrapper._http import httpx

if TYPE_CHECKING:
    from sinch_wrapper.callbacks import Event
    from sinch_wrapper.sandbox import Server

SECRET = "inbox-secret"
PATIENCE = 60
START = 1_800_000_000.0


class Api:
    """The sandbox over plain HTTP, authenticated with the key."""

    def __init__(self, server: "Server") -> None:
        self.server = server
        self.settings = server.settings
        self.url = server.url
        auth = (self.settings.key_id, self.settings.key_secret)
        self.http = httpx.Client(base_url=server.url, auth=auth, trust_env=False, timeout=PATIENCE)

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call *path*, in which `~` stands for the project."""
        project = f"/projects/{self.settings.project_id}"
        return self.http.request(method, path.replace("/~", project), **options)

    def ok(self, method: str, path: str, **options: Any) -> Any:
        """Call *path*, which must succeed, and return the decoded response."""
        response = self(method, path, **options)
        assert response.status_code == 200, response.text
        return response.json()

    def app(self, **fields: Any) -> str:
        """Create an app and return its id."""
        body = {"display_name": "Test", "channel_credentials": []} | fields
        app_id: str = self.ok("POST", "/conversation/v1/~/apps", json=body)["id"]
        return app_id

    def webhook(self, app_id: str, target: str, *triggers: str, **fields: Any) -> str:
        """Register a webhook and return its id."""
        body = {"app_id": app_id, "target": target, "target_type": "HTTP", "secret": SECRET}
        body |= {"triggers": list(triggers)} | fields
        webhook_id: str = self.ok("POST", "/conversation/v1/~/webhooks", json=body)["id"]
        return webhook_id

    def send(self, app_id: str, identity: str = "+46700000001", **fields: Any) -> str:
        """Send a text message and return its id."""
        body = {"app_id": app_id, "recipient": sms(identity), "message": text("Hi")} | fields
        sent = self.ok("POST", "/conversation/v1/~/messages:send", json=body)
        message_id: str = sent["message_id"]
        return message_id

    def batch(self, app_id: str, rows: list[Any], **fields: Any) -> str:
        """Send a batch and return its id."""
        body = {"app_id": app_id, "message": text("Hi ${name}"), "recipient_and_params": rows}
        batch_id: str = self.ok("POST", "/batch/v1/~/messages", json=body | fields)["batch_id"]
        return batch_id


@dataclass
class Inbox:
    """Collects the events that reach a callback receiver."""

    url: str = ""
    events: "list[Event]" = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    async def take(self, event: "Event") -> None:
        """Keep *event*."""
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait(self, count: int) -> "list[Event]":
        """Wait until *count* events have arrived."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.events) >= count, PATIENCE)
        assert count == len(self.events), [event.kind for event in self.events]
        return self.events

    def wait_for(self, wanted: "Callable[[Event], bool]") -> "Event":
        """Wait for the first event that is *wanted*."""
        with self._changed:
            found = self._changed.wait_for(lambda: [*filter(wanted, self.events)], PATIENCE)
        assert found, [event.kind for event in self.events]
        return found[0]


def sms(identity: str) -> dict[str, Any]:
    """Return a recipient by phone number."""
    return {"identified_by": {"channel_identities": [{"channel": "SMS", "identity": identity}]}}


def text(words: str) -> dict[str, Any]:
    """Return a text message."""
    return {"text_message": {"text": words}}


def row(identity: str, **parameters: str) -> dict[str, Any]:
    """Return a recipient of a batch with its parameters."""
    return {"recipient": sms(identity), "parameters": parameters}


def eventually(happened: Callable[[], bool]) -> None:
    """Wait until *happened*, at most a minute."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "condition not met in time"
        time.sleep(0.002)


StartSandbox = Callable[..., Api]
RunCli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def start_sandbox() -> Iterator[StartSandbox]:
    """Start a sandbox with settings of the test's own."""
    from sinch_wrapper.sandbox import Server, Settings

    with ExitStack() as stack:

        def start(**settings: Any) -> Api:
            api = Api(stack.enter_context(Server(Settings(**settings))))
            stack.callback(api.http.close)
            return api

        yield start


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """One sandbox for the tests of a module, each of which creates its own apps."""
    from sinch_wrapper.sandbox import Server, Settings

    with Server(Settings(request_rate=1e6, callback_rate=1e6)) as server:
        shared = Api(server)
        yield shared
        shared.http.close()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A callback receiver on loopback."""
    from sinch_wrapper.callbacks import receiver
    from sinch_wrapper.sandbox import BackgroundServer

    box = Inbox()
    app = receiver(SECRET, store=":memory:")
    app.on()(box.take)
    with BackgroundServer(app) as server:
        box.url = server.url
        yield box


@pytest.fixture
def run_cli(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> RunCli:
    """Run the command in a clean environment; returns exit code, stdout and stderr."""
    from sinch_wrapper.cli import main

    for name in ("PROJECT_ID", "KEY_ID", "KEY_SECRET", "REGION", "SANDBOX_URL", "WRAPPER_PROFILE"):
        monkeypatch.delenv(f"SINCH_{name}", raising=False)
    # Not the profiles of whoever runs the tests.
    monkeypatch.setenv("SINCH_WRAPPER_CONFIG_DIR", str(tmp_path / "settings"))

    def call(*words: str, api: Api | None = None, **environment: str) -> tuple[int, str, str]:
        if api is not None:
            environment |= environment_of(api)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        code = main(words)
        out, err = capsys.readouterr()
        return code, out, err

    return call


def environment_of(api: Api) -> dict[str, str]:
    """Return the environment in which the command uses this sandbox."""
    return {
        "SINCH_SANDBOX_URL": api.url,
        "SINCH_PROJECT_ID": api.settings.project_id,
        "SINCH_KEY_ID": api.settings.key_id,
        "SINCH_KEY_SECRET": api.settings.key_secret,
    }
