"""Whatever arrives, the sandbox responds as documented and never fails itself."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from sinch_wrapper.sandbox._validation import response_violations
from tests.helpers.sandbox import Api
from tests.helpers.sandbox_requests import REQUESTS, SPECS, make, no_arguments

ROUNDS = 12
VALUES: list[Any] = [
    *(None, True, 0, -1, 10**30, 1.5, "", "x", "${", "${}", "\x00", "é\ud83d", [], {}, [None]),
    *("2026-06-30T23:59:60Z", "2026-01-01t00:00:00z", "0001-01-01T00:00:00+23:59"),
    *({"": ""}, {"a": {}}, "A" * 5000),
]
QUERIES = ["", "x", "-1", "9" * 20, "true", "2026-06-30T23:59:60Z", "a.b.c", ",", "YQ==", "é"]


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        items = [*(value.items() if isinstance(value, dict) else enumerate(value))]
    for key, inner in items:
        yield (*path, key)
        yield from _paths(inner, (*path, key))


def _mutated(body: Any, rng: random.Random) -> Any:
    body = copy.deepcopy(body)
    *way, last = rng.choice([*_paths(body)])
    target = body
    for step in way:
        target = target[step]
    if rng.random() < 0.3:
        del target[last]
    else:
        target[last] = rng.choice(VALUES)
    return body


@pytest.mark.parametrize("operation_id", SPECS)
def test_spoiled_request_never_breaks_the_sandbox(api: Api, operation_id: str) -> None:
    """Requests with one thing changed get a documented refusal, or a response that conforms."""
    rng = random.Random(operation_id)  # noqa: S311 (repeatable)
    spec = SPECS[operation_id]
    names = [each["name"] for each in spec.parameters_in("query")]
    made = make(api, needs_settings=operation_id != "ProjectSettings_CreateSettings")
    sound = REQUESTS.get(operation_id, no_arguments)(made)
    for _ in range(ROUNDS if sound or names else 1):
        request = dict(sound)
        if names and rng.random() < 0.5:
            request["params"] = {rng.choice(names): rng.choice(QUERIES)}
        if "json" in request:
            request["content"] = json.dumps(_mutated(request.pop("json"), rng))
        response = api(spec.method, f"/{spec.api}{spec.path.format(**made)}", **request)

        assert response.status_code in {200, 400, 404, 409}, request
        if response.status_code == 200:
            assert response_violations(spec, response.json()) == []
