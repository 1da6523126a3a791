"""Import an installed wheel as a user does, and check that nothing is missing."""

from __future__ import annotations

import importlib
import sys
from importlib.resources import files

PACKAGES = ("sinch_conversation_api", "sinch_batch_api", "sinch_template_api")


def main() -> int:
    """Import every package and look for its data files.

    Returns: 0 when every package imports and has its document and its typing marker, else 1.
    """
    wrapper = importlib.import_module("sinch_wrapper")
    for name in wrapper.__all__:
        getattr(wrapper, name)
    for name in ("sinch_wrapper", "sinch_api_types", *PACKAGES):
        root = files(importlib.import_module(name))
        wanted = ["py.typed"] + (["openapi.json"] if name in PACKAGES else [])
        for item in wanted:
            if not (root / item).is_file():
                print(f"smoke: {name} lacks {item}", file=sys.stderr)
                return 1
    print(
        f"sinch-wrapper {wrapper.__version__}: {len(wrapper.__all__)} public names, wheel complete"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
