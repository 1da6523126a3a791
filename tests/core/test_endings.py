"""Operations that the API ends on a known day: a warning before it, a refusal from it on."""

import warnings
from datetime import date
from typing import Any

import pytest
from sinch_batch_api.api.messages.send_batch import send_batch
from sinch_batch_api.api.messages.send_batch_v1_beta import send_batch_v1_beta

from sinch_wrapper import ConfigurationError, RetryPolicy, _validate
from sinch_wrapper._http import httpx
from sinch_wrapper.bulk import _job_spec
from tests.helpers.core import Flavour, Server

SINCH = "https://eu.conversationbatch.api.sinch.com"
OTHER = "https://batch.example.test"
BEFORE, AFTER = date(2026, 12, 15), date(2026, 12, 16)
BODY: dict[str, object] = {"app_id": "A"}


def session(flavour: Flavour, server: Server, base_url: str, today: date) -> Any:
    """A session at a server on a day."""
    made = flavour.session(server)
    return type(made)(
        made._http_client,  # noqa: SLF001 - the same connection, on another day
        base_url,
        timeout=10.0,
        retry=RetryPolicy(),
        today=lambda: today,
    )


def answering() -> Server:
    """A server that takes every batch."""
    return Server(httpx.Response(200, json={"batch_id": "B"}))


def test_operation_that_will_end_warns_and_is_sent(flavour: Flavour) -> None:
    """The warning names the day and the way out, and the line of whoever called."""
    server = answering()
    operation = send_batch_v1_beta("p", body=BODY)
    expected = "Batch_SendBatchV1Beta ends on 2026-12-16: use Batch_SendBatch"
    with pytest.warns(DeprecationWarning, match=expected) as caught:
        response = flavour.run(session(flavour, server, SINCH, BEFORE).request(operation))
    assert "B" == response.parsed.batch_id
    assert 1 == len(server.requests)
    assert not any("sinch_wrapper/" in one.filename for one in caught)


def test_operation_that_has_ended_is_refused_before_anything_leaves(flavour: Flavour) -> None:
    """From the day on, and without a warning."""
    server = answering()
    operation = send_batch_v1_beta("p", body=BODY)
    with pytest.raises(ConfigurationError, match="it ended on 2026-12-16; use Batch_SendBatch"):
        flavour.run(session(flavour, server, SINCH, AFTER).request(operation))
    assert [] == server.requests


@pytest.mark.parametrize(
    ("base_url", "beta"), [(OTHER, True), ("http://127.0.0.1:8974", True), (SINCH, False)]
)
def test_other_servers_and_other_operations_have_no_end(
    flavour: Flavour,
    base_url: str,
    beta: bool,  # noqa: FBT001 - a table
) -> None:
    """Neither a server named by endpoints= nor an operation without an end is touched."""
    server = answering()
    operation = (send_batch_v1_beta if beta else send_batch)("p", body=BODY)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flavour.run(session(flavour, server, base_url, AFTER).request(operation))
    assert 1 == len(server.requests)


def test_bulk_names_the_day_of_the_operation() -> None:
    """What bulk sending says is what the document says."""
    ends = send_batch_v1_beta("p", body=BODY).ends
    assert {"v1beta": ends} == _job_spec._ENDS  # noqa: SLF001 - the table


def test_thread_of_the_library_warns_nobody() -> None:
    """A warning is for the line that called the library; in a worker there is none."""
    code = "from threading import Thread\nt = Thread(target=f, args=('x',))\nt.start()\nt.join()\n"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(code, {"f": _validate.deprecated, "__name__": "user"})  # noqa: S102 - another module
    assert [] == caught
