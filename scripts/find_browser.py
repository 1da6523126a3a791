"""Print where a Chromium is, for .ci/run; the tests of pages and the pictures use the same one.

Exit code 1 when there is none.
"""

from __future__ import annotations

import shutil
import sys
from typing import Final

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find_browser() -> str | None:
    """The path of the first Chromium or Chrome on the path; None without one."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


if __name__ == "__main__":
    found = find_browser()
    print(found or "")
    sys.exit(found is None)
