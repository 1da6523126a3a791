"""The version of this package. Import it inside functions: reading the metadata takes 5 ms."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final


def _installed() -> str:
    try:
        return version("sinch-wrapper")
    except PackageNotFoundError:
        return "0"


__version__: Final = _installed()
"""The installed version; `0` when the package runs from a folder without being installed."""
