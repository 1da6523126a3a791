"""A web shop that writes once per order, however often the page is sent, and after any crash.

uvicorn outbox_in_a_web_shop:shop --app-dir examples
curl -X POST http://127.0.0.1:8000/orders/17/shipped -d '{"phone": "+46700000001"}'
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sinch_wrapper import AsyncSinch, Recipient, text


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
    """One client and one outbox for all requests."""
    async with AsyncSinch() as sinch, sinch.outbox("shop.db") as outbox:
        app.state.outbox = outbox
        yield


async def shipped(request: Request) -> JSONResponse:
    """Write to the customer; the number of the order is the key of the message."""
    order = request.path_params["order"]
    body = await request.json()
    result = await request.app.state.outbox.send(
        key=f"shipped-{order}",
        app_id=os.environ["SINCH_APP_ID"],
        to=Recipient.sms(body["phone"]),
        message=text(f"Order {order} has left"),
        wait=5,
    )
    return JSONResponse({"order": order, "state": result.state, "batch": result.batch_id})


shop = Starlette(
    routes=[Route("/orders/{order:int}/shipped", shipped, methods=["POST"])], lifespan=lifespan
)
