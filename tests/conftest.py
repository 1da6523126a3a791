"""Where the shared fixtures come from, and how the tests are spread over processes."""

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["tests.helpers.core", "tests.helpers.sandbox", "tests.helpers.postgres"]

# A machine that is busy with something else makes no example fail.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

HERE = Path(__file__).parent
BYTECODE = HERE.parent / ".pytest_cache" / "bytecode"
# No HTTP library is part of what these folders test.
ONCE = {HERE / "codegen", HERE / "drift", HERE / "project"}

if sys.dont_write_bytecode:
    # Each of some hundred processes would compile everything again. It may not be written beside
    # the sources, so it goes where pytest keeps what it has.
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(BYTECODE)
    del os.environ["PYTHONDONTWRITEBYTECODE"]
    os.environ["PYTHONPYCACHEPREFIX"] = str(BYTECODE)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell lets what it runs in the background ignore it, and programs of tests would as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run single files in one process, and much with one worker more than there are cores.

    Workers take seconds to start. A third of the time of a test is waiting.
    """
    files = [argument for argument in config.args if ".py" in argument]
    if files and files == config.args and len(files) < 4:
        return 0
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what knows no HTTP library."""
    for item in items:
        if item.path.parent in ONCE:
            item.add_marker(pytest.mark.once)
