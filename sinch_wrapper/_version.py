"""The version of this package. Import it inside functions: it is read from the disk."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

_START, _END = "sinch_wrapper-", ".dist-info"


def _installed() -> str:
    """The version, as the folder with the metadata of this package has it in its name.

    importlib.metadata finds the same folder, at a tenth of what a first message costs; it is
    asked when there is none, as in a zip file.
    """
    for place in sys.path:
        with suppress(OSError):
            for found in Path(place).glob(f"{_START}*{_END}"):
                return found.name.removeprefix(_START).removesuffix(_END)
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("sinch-wrapper")
    except PackageNotFoundError:
        return "0"


__version__: Final = _installed()
"""The installed version; `0` when the package runs from a folder without being installed."""
