"""Where the shared fixtures come from, and how the tests are spread over processes."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # has no types

pytest_plugins = ["tests.helpers.core", "tests.helpers.sandbox", "tests.helpers.postgres"]

# A machine that is busy with something else makes no example fail.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

HERE = Path(__file__).parent
BYTECODE = HERE.parent / ".pytest_cache" / "bytecode"
# Files whose tests share what takes long to set up: a browser, the site, what type checkers know.
TOGETHER = {"test_report_page.py", "test_site.py", "test_typing.py"}
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


class OneByOne(LoadScopeScheduling):  # type: ignore[misc]  # as above
    """Hands out one test after the other, and a file of those above to one worker.

    The groups of pytest-xdist 3.8 do nothing with pytest 9.2, which has other ids.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if Path(file).name in TOGETHER else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneByOne | None:
    """Hand out slow tests one by one; of thousands of short ones workers take their shares."""
    return OneByOne(config, log) if config.option.markexpr == "slow" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what knows no HTTP library."""
    for item in items:
        if item.path.parent in ONCE:
            item.add_marker(pytest.mark.once)
