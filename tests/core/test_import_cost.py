"""The packages that an import loads, each in a fresh interpreter."""

import subprocess
import sys

import pytest

from sinch_wrapper._http import httpx

HEAVY = {"httpx", "httpx2", "attrs", "authlib", "sqlalchemy", "click", "rich", "starlette"}
# httpx brings its own command line along when click and rich are installed.
HTTP = {"httpx", "httpx2"} | ({"click", "rich"} if httpx.__name__ == "httpx" else set())
HEAVY_CLIENT = HEAVY - HTTP
GENERATED = {
    *("sinch_api_types", "sinch_conversation_api", "sinch_batch_api", "sinch_template_api"),
}
CLIENT = (
    "from sinch_wrapper import Sinch; "
    "s = Sinch(project_id='p', key_id='k', key_secret='s', region='eu')"
)


def loaded(code: str) -> set[str]:
    """Run *code* and list the top-level packages that are loaded then."""
    report = "import sys; print(*{m.split('.')[0] for m in sys.modules})"
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{code}; {report}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(result.stdout.split())


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import sinch_wrapper", HEAVY | GENERATED | {"asyncio", "json", "orjson"}),
        ("from sinch_wrapper import SinchError, Region, text", HEAVY | GENERATED | {"asyncio"}),
        ("from sinch_wrapper import Sinch", HEAVY_CLIENT | GENERATED),
        (CLIENT, HEAVY_CLIENT | GENERATED),
        (f"{CLIENT}; s.conversation.messages", {"sinch_batch_api", "authlib"}),
    ],
)
def test_import_loads_only_what_is_used(code: str, absent: set[str]) -> None:
    """No optional or heavy package is loaded before it is needed."""
    assert set() == loaded(code) & absent


def test_generated_models_are_not_loaded_by_the_client() -> None:
    """Making a client and a resource loads no model."""
    code = f"{CLIENT}; s.conversation.messages; import sys; "
    check = "assert not [m for m in sys.modules if m.startswith('sinch_conversation_api.models.')]"
    subprocess.run([sys.executable, "-c", code + check], check=True)


def test_constructor_opens_no_file() -> None:
    """No certificate bundle, no socket: nothing is opened before the first request."""
    code = (
        "import sys; from sinch_wrapper import Sinch, AsyncSinch; opened = []; "
        "sys.addaudithook(lambda e, a: opened.append((e, a)) "
        "if e == 'open' or e.startswith(('socket', 'ssl')) else None); "
        "o = dict(project_id='p', key_id='k', key_secret='s', region='eu'); "
        "Sinch(**o); AsyncSinch(**o); assert not opened, opened"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
