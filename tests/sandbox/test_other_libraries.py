"""The test kit beside libraries that stop the time or bring an event loop of their own.

They are no dependencies; the nightly job has them, and so has a run by
`uv run --with uvloop --with freezegun --with time-machine pytest` with this file.
"""

import subprocess
import sys
from contextlib import AbstractContextManager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sinch_wrapper import Recipient, Sinch, text
from sinch_wrapper.testing import Sandbox

FROZEN = "2026-01-01 12:00"
# An event loop policy is of the whole process, so this has one of its own.
LOOPS = """
import asyncio, sys
import uvloop
from sinch_wrapper import APIConnectionError, APIStatusError, Recipient, RetryPolicy, text
from sinch_wrapper.sandbox import Server
from sinch_wrapper.testing import Sandbox

if sys.argv[1] == "policy":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
with Server() as server:
    sandbox = Sandbox(server)
    sinch = sandbox.client(retry=RetryPolicy(attempts=1))
    for kind in ("drop", "reset", "half", "drop-before", "reset-before"):
        sandbox.clear_faults()
        sandbox.fault(f"Messages_SendMessage:{kind}")
        try:
            sinch.send(app_id=sandbox.app_id, to=Recipient.sms("+46700000001"), message=text("Hi"))
        except APIConnectionError as error:
            print(kind, error.outcome)
    print(len(sandbox.received()))
    sandbox.close()
"""


def _frozen(library: str) -> AbstractContextManager[Any]:
    module = pytest.importorskip(library)
    if library == "freezegun":
        return module.freeze_time(FROZEN)  # type: ignore[no-any-return]  # without types here
    return module.travel(FROZEN, tick=False)  # type: ignore[no-any-return]  # as above


@pytest.mark.parametrize("library", ["freezegun", "time_machine"])
def test_kit_works_while_the_time_stands_still(sinch_sandbox: Sandbox, library: str) -> None:
    """Messages are delivered, callbacks arrive, and waiting in vain comes to its end."""
    came: list[bytes] = []

    async def take(request: Request) -> Response:
        came.append(await request.body())
        return Response()

    with _frozen(library):
        sinch_sandbox.webhook_to(Starlette(routes=[Route("/", take, methods=["POST"])]))
        with Sinch() as sinch:
            to = Recipient.sms("+46700000001")
            sinch.send(app_id=sinch_sandbox.app_id, to=to, message=text("Hi"))
        sinch_sandbox.eventually(lambda: "DELIVERED" == sinch_sandbox.received()[0].outcome)
        sinch_sandbox.say(from_="+46700000001", text="Hello")
        sinch_sandbox.eventually(lambda: len(came) >= 3)
        with pytest.raises(AssertionError, match=r"0\.1 s"):
            sinch_sandbox.eventually(lambda: False, patience=0.1)


@pytest.mark.parametrize("how", ["installed", "policy"])
def test_faults_are_the_same_with_uvloop(how: str) -> None:
    """Connections break, and no request that was accepted is answered with a 500."""
    pytest.importorskip("uvloop")
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOOPS, how],
        capture_output=True,
        text=True,
        check=False,
    )

    kinds = ("drop", "reset", "half", "drop-before", "reset-before")
    assert [*(f"{kind} unknown" for kind in kinds), "3"] == result.stdout.splitlines()
