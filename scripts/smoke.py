"""Import an installed wheel the way a user does, and say what came with it."""

from __future__ import annotations

import importlib
import sys
from importlib.resources import files

PACKAGES = ("sinch_conversation_api", "sinch_batch_api", "sinch_template_api")


def main() -> int:
    """Check that the wheel is whole.

    Returns: 0 when every package imports, carries its document and its typing marker.
    """
    wrapper = importlib.import_module("sinch_wrapper")
    for name in wrapper.__all__:
        getattr(wrapper, name)
    for name in ("sinch_wrapper", *PACKAGES):
        root = files(importlib.import_module(name))
        wanted = ["py.typed"] + (["openapi.json"] if name in PACKAGES else [])
        for item in wanted:
            if not (root / item).is_file():
                print(f"smoke: {name} lacks {item}", file=sys.stderr)
                return 1
    print(f"sinch-wrapper {wrapper.__version__}: {len(wrapper.__all__)} public names, wheel whole")
    return 0


if __name__ == "__main__":
    sys.exit(main())
