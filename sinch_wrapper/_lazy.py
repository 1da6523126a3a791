"""Names of a package that are loaded on first use (PEP 562), for all parts.

An import of the package then costs nothing, and a part whose optional dependencies are missing
says what to install. It imports nothing of this package, so every part may use it.
"""

import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extra:
    """The optional dependencies of a part: its name, its modules, and the error without them."""

    part: str
    name: str
    modules: frozenset[str]
    error: Callable[[str], Exception] = ModuleNotFoundError

    def missing(self) -> Exception:
        """The exception that says what to install."""
        return self.error(
            f'{self.part} needs more packages: pip install "sinch-wrapper[{self.name}]"'
        )


def lazy(
    package: str,
    homes: Mapping[str, tuple[str, ...]],
    *,
    modules: tuple[str, ...] = (),
    extra: Extra | None = None,
) -> Callable[[str], object]:
    """The `__getattr__` of *package*, for names that are defined in its modules.

    homes: module -> the names in it.
    modules: modules that are names themselves.
    extra: the optional dependencies of all of them.

    Raises: AttributeError for any other name; the error of *extra* when it is not installed.
    """
    home_of = {name: module for module, names in homes.items() for name in names}

    def load(name: str) -> object:
        if name not in home_of and name not in modules:
            message = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(message)
        try:
            module = importlib.import_module(f"{package}.{home_of.get(name, name)}")
        except ModuleNotFoundError as error:
            if extra is None or (error.name or "").partition(".")[0] not in extra.modules:
                raise
            raise extra.missing() from error
        value: object = getattr(module, name) if name in home_of else module
        setattr(sys.modules[package], name, value)
        return value

    return load
