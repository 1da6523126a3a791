"""Update the exact versions in pyproject.toml to those that uv resolves."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_BEGIN = "constraint-dependencies = ["


def main(arguments: list[str] | None = None) -> int:
    """Write the constraint list, and with --upgrade also the == pins of the groups.

    Returns: 0 when pyproject.toml has the resolved versions (with --check: had them), else 1.
    """
    parser = argparse.ArgumentParser(prog="update_pins.py", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="compare only; exit with 1 if different"
    )
    parser.add_argument("--upgrade", action="store_true", help="use the newest versions")
    options = parser.parse_args(arguments)
    path = _ROOT / "pyproject.toml"
    before = path.read_text(encoding="utf-8")
    text = _without_pins(before) if options.upgrade else before
    path.write_text(text, encoding="utf-8")
    try:
        upgrade = ["--upgrade"] if options.upgrade else []
        subprocess.run(["uv", "lock", "--quiet", *upgrade], cwd=_ROOT, check=True)  # noqa: S607 - the user's uv
        after = pinned(text, locked((_ROOT / "uv.lock").read_text(encoding="utf-8")))
    except (OSError, subprocess.CalledProcessError) as error:
        path.write_text(before, encoding="utf-8")
        print(f"update_pins: uv could not resolve ({error})", file=sys.stderr)
        return 1
    path.write_text(before if options.check else after, encoding="utf-8")
    return 1 if options.check and after != before else 0


def locked(lock: str) -> dict[str, str]:
    """Name and version of every package from the registry in a lock file."""
    packages = tomllib.loads(lock)["package"]
    return {p["name"]: p["version"] for p in packages if "registry" in p.get("source", {})}


def pinned(text: str, versions: dict[str, str]) -> str:
    """The text of a pyproject.toml with its pins set to the given versions."""

    def renew(match: re.Match[str]) -> str:
        name = match["name"]
        return f'"{name}=={versions.get(name.lower(), match["version"])}"'

    text = re.sub(r'"(?P<name>[\w.-]+)==(?P<version>[^"]+)"', renew, text)
    lines = "".join(f'    "{name}=={version}",\n' for name, version in sorted(versions.items()))
    start = text.index(_BEGIN) + len(_BEGIN)
    return f"{text[:start]}\n{lines}{text[text.index(']', start) :]}"


def _without_pins(text: str) -> str:
    start = text.index(_BEGIN) + len(_BEGIN)
    text = f"{text[:start]}{text[text.index(']', start) :]}"
    return re.sub(r'"([\w.-]+)==[^"]+"', r'"\1"', text)


if __name__ == "__main__":
    sys.exit(main())
