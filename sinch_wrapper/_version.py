"""The version of this package: that of pyproject.toml, for reading the metadata takes 5 ms."""

from typing import Final

__version__: Final = "0.1.0"
"""The version of this package, by semantic versioning."""
