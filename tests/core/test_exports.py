"""The names of the package; a change here is a change of the public API."""

import importlib.metadata
import logging
import pickle
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import sinch_wrapper

ROOT = Path(__file__).parents[2]
NAMES = [
    "APIConnectionError", "APIResponseValidationError", "APIStatusError", "APITimeoutError",
    "AccessKey", "AccessToken", "AsyncSinch", "AuthenticationError", "BadRequestError",
    "BulkArgumentError", "BulkError",
    "CallbackError", "CallbackParseError", "ConfigurationError", "ConflictError", "Endpoints",
    "InternalServerError", "NotFoundError", "ParameterError", "PermissionDeniedError",
    "RateLimitError", "RateLimiter", "RateLimits", "Recipient", "Region", "RetryPolicy",
    "SentMessage", "SignatureError", "Sinch", "SinchError", "UNSET", "Unset", "__version__", "card",
    "carousel", "choice", "contact_info", "json_default", "list_message", "location", "media",
    "pages", "paginate", "template", "template_reference", "text",
]  # fmt: skip


def test_all_is_pinned_and_sorted() -> None:
    """The public names are exactly these."""
    assert sorted(NAMES) == sorted(sinch_wrapper.__all__)
    assert len(set(sinch_wrapper.__all__)) == len(sinch_wrapper.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_loads(name: str) -> None:
    """Each public name exists, is listed by dir(), and is documented."""
    thing = getattr(sinch_wrapper, name)
    assert name in dir(sinch_wrapper)
    assert isinstance(thing, str) or thing.__doc__


def test_submodules_load_when_asked_for() -> None:
    """After `import sinch_wrapper` its modules can be used."""
    code = "import sinch_wrapper as s; print(s.callbacks.parse, s.errors.RawResponse)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (0, b"") == (result.returncode, result.stderr)


def test_dir_lists_public_names_only() -> None:
    """Completion offers public names only."""
    shown = [name for name in dir(sinch_wrapper) if not name.startswith("__")]
    assert not [name for name in shown if name.startswith("_")]
    assert {"importlib", "logging", "TYPE_CHECKING"}.isdisjoint(shown)


def test_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name is an AttributeError in spite of lazy loading."""
    with pytest.raises(AttributeError, match="Snich"):
        sinch_wrapper.Snich  # noqa: B018


def test_values_can_be_pickled() -> None:
    """Values that users pass to workers survive pickling."""
    for value in (
        sinch_wrapper.RetryPolicy(attempts=2),
        sinch_wrapper.RateLimits(burst=3),
        sinch_wrapper.Endpoints.for_region("eu"),
        sinch_wrapper.Region.BR,
    ):
        assert value == pickle.loads(pickle.dumps(value))  # noqa: S301


def test_version_is_that_of_the_project() -> None:
    """The package says the version that is released, and that is installed here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = importlib.metadata.version("sinch-wrapper")
    assert sinch_wrapper.__version__ == project["version"] == installed


def test_logger_is_silent_by_default() -> None:
    """The library logs nothing unless logging is set up."""
    handlers = logging.getLogger("sinch_wrapper").handlers
    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)
