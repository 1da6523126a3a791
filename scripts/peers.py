"""Drive the official SDKs through all their operations against the sandbox.

Each SDK is installed from its registry into a temporary folder, so this needs a network; the test
suite does not run it, the nightly workflow does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sinch_wrapper.sandbox import Server, Settings

_DRIVERS = Path(__file__).parent / "peer_drivers"
_MINUTES = 5
# What may fail or be left out, and why.
_ALLOWED: dict[str, dict[str, str]] = {
    "python_sdk.py": {},
    "python_sdk_1.py": {
        "contact.update": "it sends update_mask.paths, which no document and no newer SDK has",
    },
    "node_sdk.mjs": {
        "consents.listAuditRecords": "404 is documented for an identity that is on no list",
        **dict.fromkeys(
            (f"templatesV1.{name}" for name in ("create", "delete", "get", "list", "update")),
            "version 1 of the templates is retired: no document has it",
        ),
    },
}


@dataclass(frozen=True, slots=True)
class Peer:
    """An official SDK: its package, its driver, and how many calls that makes at least."""

    package: str
    versions: tuple[str, ...]
    driver: str
    calls: int


_PEERS = (
    Peer("sinch", ("2.3.0",), "python_sdk.py", 50),
    Peer("sinch", ("1.1.4",), "python_sdk_1.py", 32),
    # The newest whose own dependencies can be had.
    Peer("@sinch/sdk-core", ("1.5.0", "1.4.0"), "node_sdk.mjs", 84),
)


def main(arguments: list[str] | None = None) -> int:
    """Run the peers, or those named.

    Returns: 0 when nothing failed and nothing was left out but what the list allows, and all that
        it allows was needed; else 1.
    """
    parser = argparse.ArgumentParser(prog="peers.py", description=__doc__)
    parser.add_argument("drivers", nargs="*", help="such as node_sdk.mjs; all by default")
    wanted = parser.parse_args(arguments).drivers
    peers = [each for each in _PEERS if not wanted or each.driver in wanted]
    if not peers:
        parser.error(f"the drivers are {', '.join(each.driver for each in _PEERS)}")
    problems = 0
    for peer in peers:
        with tempfile.TemporaryDirectory(prefix="sinch-peer-") as folder:
            result = run(peer, Path(folder))
        found = problems_of(peer, result, _ALLOWED[peer.driver])
        failed = sum(bool(error) for _, error in result["calls"])
        print(f"{peer.package} {result['version']}: {len(result['calls'])} calls, {failed} failed")
        print(*(f"  {each}" for each in found), sep="\n", end="\n" if found else "")
        problems += len(found)
    return 1 if problems else 0


def run(peer: Peer, folder: Path) -> dict[str, Any]:
    """Install *peer* into *folder*, drive it against a new sandbox, and return what it printed."""
    command = install(peer, folder)
    with Server(Settings(request_rate=1e6)) as server:
        # Nothing else: an SDK gets no variable of its caller.
        environment = {
            name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ
        }
        environment |= {"SANDBOX_URL": server.url, "SANDBOX_APP": server.settings.app_id}
        output = subprocess.run(
            [*command, str(_DRIVERS / peer.driver)],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=60 * _MINUTES,
        ).stdout
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


def install(peer: Peer, folder: Path) -> list[str]:
    """Install *peer* into *folder*; return the command that runs a driver there."""
    if peer.driver.endswith(".py"):
        python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        _run("uv", "venv", "--quiet", str(folder))
        package = f"{peer.package}=={peer.versions[0]}"
        _run("uv", "pip", "install", "--quiet", "--python", str(python), package)
        return [str(python), "-I"]
    (folder / "package.json").write_text("{}", encoding="utf-8")
    *others, last = peer.versions
    quiet = ("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")
    for version in others:
        try:
            _run(*quiet, f"{peer.package}@{version}", folder=folder)
        except subprocess.CalledProcessError:
            continue
        return ["node"]
    _run(*quiet, f"{peer.package}@{last}", folder=folder)
    return ["node"]


def problems_of(peer: Peer, result: dict[str, Any], allowed: dict[str, str]) -> list[str]:
    """Return what is wrong with *result*: failures, gaps, and reasons that nothing needs."""
    failed = Counter(name for name, error in result["calls"] if error)
    found = [f"{name}: {error}" for name, error in result["calls"] if error and name not in allowed]
    found += [f"{name}: was not called" for name in result["left_out"] if name not in allowed]
    unneeded = allowed.keys() - failed.keys() - set(result["left_out"])
    found += [f"{name}: works now; take it off the list" for name in sorted(unneeded)]
    if len(result["calls"]) < peer.calls:
        found.append(f"only {len(result['calls'])} calls of {peer.calls}")
    return found


def _run(*command: str, folder: Path | None = None) -> None:
    subprocess.run(command, cwd=folder, check=True, timeout=60 * _MINUTES)


if __name__ == "__main__":
    sys.exit(main())
