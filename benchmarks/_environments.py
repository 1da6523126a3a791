"""The environments that the peers run in: made by uv, thrown away at the end."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

__all__ = ["ROOT", "Environments", "clean_variables", "make_environment"]

ROOT: Final = Path(__file__).parent.parent

# What each environment holds; "." is this checkout.
_CONTENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "base": ("-e", "."),
    "fast": ("-e", ".[fast,aiohttp]"),
    "sinch": ("sinch==2.3.0",),
    "others": ("openai==3.57.0", "twilio==9.13.0"),
}
_MARKS: Final[Mapping[str, str]] = {
    "base": "httpx",
    "fast": "httpx2",
    "sinch": "sinch",
    "others": "twilio",
}


def clean_variables(**more: str) -> dict[str, str]:
    """The environment variables for a measured process: none that would change what it does."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SINCH_", "PYTHON")) and not name.lower().endswith("_proxy")
    }
    return {**kept, "PYTHONPATH": str(ROOT), **more}


class Environments(contextlib.AbstractContextManager["Environments"]):
    """Finds the Python of an environment, and makes the environment when it is first asked for.

    With *here* the running interpreter stands for all, and what it lacks is left out.
    """

    def __init__(self, *, here: bool) -> None:
        self._here = here
        self._folder: Path | None = None

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="benchmarks-"))
        return self

    def __exit__(self, *error: object) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder)

    def python(self, name: str) -> str | None:
        """The interpreter of the environment *name*, or None when it is left out."""
        if self._here:
            return sys.executable if importlib.util.find_spec(_MARKS[name]) is not None else None
        if self._folder is None:
            raise RuntimeError("use Environments in a with block")
        place = self._folder / name
        if not place.exists():
            return make_environment(place, *_CONTENTS[name])
        return _python_of(place)


def make_environment(place: Path, *contents: str) -> str:
    """Make the environment *place* with *contents*, and return its interpreter."""
    _uv("venv", "--python", sys.executable, str(place))
    _uv("pip", "install", "--python", _python_of(place), *contents)
    return _python_of(place)


def _python_of(place: Path) -> str:
    return str(place / "bin" / "python")


def _uv(*arguments: str) -> None:
    program = shutil.which("uv")
    if program is None:
        raise SystemExit("benchmarks: uv is not installed; install it, or use --quick")
    subprocess.run([program, "--quiet", *arguments], cwd=ROOT, check=True)
