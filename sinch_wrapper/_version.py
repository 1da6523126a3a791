"""The version of this package, from its metadata."""

from functools import cache

__all__ = ["package_version"]


@cache
def package_version() -> str:
    """The installed version; `0` when the package runs from a folder without being installed."""
    from importlib.metadata import PackageNotFoundError, version  # 5 ms of every start-up

    try:
        return version("sinch-wrapper")
    except PackageNotFoundError:
        return "0"
