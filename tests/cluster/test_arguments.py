"""Every public option of a cluster refuses values of other kinds, and names itself."""

from collections.abc import Mapping

import pytest

from sinch_wrapper import Sinch, cluster, text
from tests.bulk.test_arguments import ITEMS, JOB_OPTIONS, RUN, SECONDS, SEND
from tests.helpers.arguments import PublicCall, public_calls
from tests.helpers.core import KEY_ID, KEY_SECRET, PROJECT

pytestmark = pytest.mark.once

# Nobody listens there: what is opened fails with an error of its own.
URL = "postgresql://127.0.0.1:1/none"
SINCH = Sinch(project_id=PROJECT, key_id=KEY_ID, key_secret=KEY_SECRET, region="eu")
# Neither are for workers, whatever they are.
ELSEWHERE = {"concurrency": "", "deadline": "none"}
GIVEN = {**ELSEWHERE, "client": "", "job": "", "wait": "true"}
RIGHT = {"client": SINCH, "job": f"{URL}?job=a"}
CALLS = [
    PublicCall(
        "send",
        cluster.send,
        {**SEND, **JOB_OPTIONS, **GIVEN, "recipients": ITEMS},
        {**RIGHT, "app_id": "A", "message": text("Hi"), "recipients": [], "prices": {"46": 1}},
    ),
    PublicCall("resume", cluster.resume, {**RUN, **GIVEN}, RIGHT),
    PublicCall("stop", cluster.stop, {"job": "", "patience": SECONDS}, {"job": RIGHT["job"]}),
    PublicCall("prepare", cluster.prepare, {"address": ""}),
    PublicCall(
        "work",
        cluster.work,
        {
            "client": "", "url": "", "concurrency": "", "lease": "whole fraction",
            "limits": "none", "stop": "none", "say": "function",
        },
        {"client": SINCH, "url": URL},
    ),
    PublicCall(
        "rate_limiter",
        cluster.rate_limiter,
        {"url": "", "project_id": "string", "limits": "none"},
        {"url": URL, "project_id": PROJECT},
    ),
    PublicCall("status", cluster.status, {"url": "", "lease": "whole fraction"}, {"url": URL}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "option"),
    [(call, option) for call in CALLS for option in call.options],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_wrong_kinds_are_refused_by_name(call: PublicCall, option: str) -> None:
    """Before anything is opened, with an error that names the option and quotes nothing."""
    assert [] == call.faults(option)


def test_every_option_has_a_row() -> None:
    """A new option of a call is noticed."""
    rows: Mapping[str, set[str]] = {call.name: set(call.options) for call in CALLS}
    found = public_calls(cluster)
    assert rows == {name: found[name] for name in rows}
    # Values that are read, and what runs in tests of its own.
    assert {"observe"} == {name for name in found.keys() - rows.keys() if name.islower()}
