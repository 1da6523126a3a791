"""Generated requests against all three documents: no server error, nothing undocumented.

Short by default; the variable `SANDBOX_FUZZ_EXAMPLES=200` makes it long.
"""

import base64
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper.sandbox import Server, Settings
from sinch_wrapper.sandbox._documents import PACKAGES, document
from tests.helpers.sandbox import Api

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("schemathesis") is None,
        reason="schemathesis is not installed: it is in the group dev",
    ),
]

LONG = "SANDBOX_FUZZ_EXAMPLES" in os.environ
EXAMPLES = os.environ.get("SANDBOX_FUZZ_EXAMPLES", "3")
PHASES = "examples,coverage,fuzzing" if LONG else "examples,fuzzing"
# The overview pages document the first five for every operation, HTTP the others.
COMMON = ("400", "401", "403", "404", "429", "405", "413", "415")
ERROR = {
    "description": "A refusal.",
    "content": {"application/json": {"schema": {"type": "object"}}},
}
REQUESTS = ("Request", "QueryCapability")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


@pytest.fixture
def furnished() -> Iterator[Api]:
    """A furnished sandbox without limits."""
    with Server(Settings(start="sample", request_rate=1e9, callback_rate=1e9)) as server:
        api = Api(server)
        yield api
        api.http.close()


def _known(api: Api) -> dict[str, str]:
    """Return an existing id of each kind, so that requests get past the look-ups."""
    conversation = "/conversation/v1/~"
    apps = api.ok("GET", f"{conversation}/apps")["apps"]
    people = api.ok("GET", f"{conversation}/contacts")["contacts"]
    link = {"contact_id": people[0]["id"]}
    open_ones = api.ok("GET", f"{conversation}/conversations", params=link)["conversations"]
    return {
        "project_id": api.settings.project_id,
        "app_id": apps[-1]["id"],
        "contact_id": people[0]["id"],
        "conversation_id": open_ones[0]["id"],
        "template_id": "welcome",
    }


def _ready(node: Any, known: dict[str, str]) -> Any:
    """Return a document with the common errors in it, and ids that exist."""
    if isinstance(node, list):
        return [_ready(each, known) for each in node]
    if not isinstance(node, dict):
        return node
    ready = {key: _ready(value, known) for key, value in node.items()}
    if "operationId" in node and "responses" in node:
        ready["responses"] = dict.fromkeys(COMMON, ERROR) | ready["responses"]
    if node.get("in") == "path" and node.get("name") in known:
        ready["schema"] = {"type": "string", "enum": [known[node["name"]]]}
    return ready


def _prepared(root: Any, known: dict[str, str]) -> Any:
    """Return a document whose requests are about an app that exists."""
    ready = _ready(root, known)
    for name, schema in ready["components"]["schemas"].items():
        # In requests alone: a response shows the app id of any other request.
        if name.endswith(REQUESTS) and "app_id" in schema.get("properties", {}):
            schema["properties"]["app_id"] = {"type": "string", "enum": [known["app_id"]]}
    _widen(ready["components"]["schemas"])
    return ready


def _widen(schemas: Any) -> None:
    """Allow what the API writes and the documents do not list (see docs/testing.md)."""
    if "ContactLanguage" in schemas:
        schemas["ContactLanguage"]["enum"].append("UNSPECIFIED")
    if "DeliveryReportBasedFallback" in schemas:
        fallback = schemas["DeliveryReportBasedFallback"]["properties"]
        del fallback["delivery_report_waiting_time"]["minimum"]
        hook = schemas["Webhook"]["properties"]
        hook["client_credentials"] = {"nullable": True, "allOf": [hook["client_credentials"]]}


@pytest.mark.timeout(3600)
# What one request deletes is missing for the others, so deletions have a run of their own.
@pytest.mark.parametrize("methods", ["--exclude-method", "--include-method"])
@pytest.mark.parametrize("name", PACKAGES)
def test_generated_requests_get_documented_responses(
    furnished: Api, tmp_path: Path, name: Any, methods: str
) -> None:
    """Sound and spoiled requests get a documented status and a body that fits it."""
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(_prepared(document(name), _known(furnished))), encoding="utf-8")
    pair = f"{furnished.settings.key_id}:{furnished.settings.key_secret}"
    key = f"Basic {base64.b64encode(pair.encode()).decode()}"
    command = [
        *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
        *(
            "run",
            str(file),
            "--url",
            f"{furnished.url}/{name}",
            "--header",
            f"Authorization: {key}",
        ),
        *("--checks", ",".join(CHECKS), "--max-examples", EXAMPLES, "--seed", "1"),
        *("--phases", PHASES, "--generation-database", "none", "--no-color"),
        *(methods, "DELETE"),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
