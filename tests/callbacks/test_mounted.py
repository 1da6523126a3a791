"""The receiver works inside other apps, and the pure functions inside other frameworks."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from sinch_wrapper.callbacks import Event, Receiver
from tests.helpers.callbacks import SECRET, eventually, make_body, memory, post, serving


async def home(_request: Request) -> PlainTextResponse:
    """A page of the other app."""
    return PlainTextResponse("home")


def in_fastapi(app: Receiver) -> Any:
    """As documented: the receiver's lifespan is the app's."""
    outer = FastAPI(lifespan=app.lifespan)
    outer.add_route("/", home)
    outer.mount("/sinch", app)
    return outer


def in_starlette(app: Receiver) -> Any:
    """An app with a lifespan of its own, in which the receiver is entered."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with app:
            yield

    return Starlette(routes=[Route("/", home), Mount("/sinch", app)], lifespan=lifespan)


@pytest.mark.parametrize("mount", [in_fastapi, in_starlette])
def test_receiver_is_mounted(mount: Any) -> None:
    """Callbacks, their handlers and health work below the path; so does the other app."""
    app, taken = memory(), []

    @app.on()
    async def take(event: Event) -> None:
        taken.append(event.body)

    body = make_body()
    with serving(mount(app)) as client:
        assert 200 == post(client, body, "/sinch/").status_code
        assert 401 == client.post("/sinch/", content=body).status_code
        assert 200 == client.get("/sinch/health").status_code
        assert "home" == client.get("/").text
        eventually(lambda: taken)
    assert [body] == taken


def test_receiver_serves_again_after_it_ended(tmp_path: Any) -> None:
    """A receiver can be served twice in a row; its file is closed in between."""
    path = tmp_path / "callbacks.db"
    app = Receiver(SECRET, store=path)
    for _ in range(2):
        with serving(app) as client:
            assert 200 == post(client, make_body()).status_code
        connection = sqlite3.connect(path)
        connection.execute("BEGIN EXCLUSIVE")
        connection.close()
