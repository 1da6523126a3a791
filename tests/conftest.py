"""Where the shared fixtures come from, and how the tests are spread over processes."""

from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["tests.helpers.core", "tests.helpers.sandbox"]

# A machine that is busy with something else makes no example fail.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

HERE = Path(__file__).parent
# No HTTP library is part of what these folders test.
ONCE = {HERE / "codegen", HERE / "drift", HERE / "project"}


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Run single files and tests in one process: workers take seconds to start."""
    files = [argument for argument in config.args if ".py" in argument]
    return 0 if files and files == config.args and len(files) < 4 else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what knows no HTTP library."""
    for item in items:
        if item.path.parent in ONCE:
            item.add_marker(pytest.mark.once)
