"""What the package offers, and what importing it loads."""

import subprocess
import sys

import pytest

from sinch_wrapper import callbacks

HEAVY = "{'sqlalchemy', 'starlette', 'uvicorn', 'asyncio', 'httpx'}"
GENERATED = "('sinch_conversation_api.models', 'sinch_conversation_api.api')"


def run(code: str) -> str:
    """The output of *code* in another process."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


def test_pure_functions_load_nothing_heavy() -> None:
    """Verifying and reading need no web framework, no database, no generated model."""
    code = (
        "from sinch_wrapper.callbacks import parse, read_event, batch_ref, settle; import sys;"
        "event = read_event(b'{\"message\":{}}'); batch_ref(event); event.metadata;"
        f"print(*[m for m in sys.modules if m.partition('.')[0] in {HEAVY}"
        f" or m.startswith({GENERATED})])"
    )
    assert "" == run(code)


@pytest.mark.parametrize("missing", ["starlette", "sqlalchemy"])
def test_missing_extra_is_named(missing: str) -> None:
    """Without the extra the receiver says how to install it."""
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from sinch_wrapper import CallbackError, callbacks\n"
        "try: callbacks.receiver\n"
        "except CallbackError as error: print(error)\n"
    )
    assert run(code).endswith('pip install "sinch-wrapper[receiver]"')


def test_receiver_loads_no_bulk_sending() -> None:
    """Imports go one way: the receiver does not load bulk sending."""
    code = (
        "from sinch_wrapper.callbacks import Receiver; import sys; print('sinch_wrapper.bulk' in "
    )
    assert "False" == run(f"{code}sys.modules)")


@pytest.mark.parametrize("name", callbacks.__all__)
def test_every_name_exists(name: str) -> None:
    """Each listed name can be imported, and is documented."""
    thing = getattr(callbacks, name)
    assert isinstance(thing, float) or thing.__doc__


def test_unknown_name_is_an_attribute_error() -> None:
    """Lazy loading does not hide spelling mistakes."""
    with pytest.raises(AttributeError, match="reciever"):
        callbacks.reciever  # noqa: B018
