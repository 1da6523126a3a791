"""A receiver that is killed under load has lost no callback that it confirmed."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sinch_wrapper.callbacks import Event, EventStore
from tests.programs import callback_receiver

PROGRAM = [sys.executable, "-m", callback_receiver.__name__]
ROUNDS = 3
BEFORE_KILL = 150


@contextmanager
def program(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A process that is gone afterwards."""
    with subprocess.Popen(
        [*PROGRAM, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
def test_confirmed_callbacks_survive_kill_9(tmp_path: Path) -> None:
    """Each callback that was confirmed before a kill is stored, and handled after a restart."""
    path, log = tmp_path / "callbacks.db", tmp_path / "handled"
    confirmed: set[str] = set()
    for turn in range(ROUNDS):
        with program("serve", str(path), str(log)) as server:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            with program("load", url, str(turn * 1_000_000), "100000") as load:
                assert load.stdout is not None
                known = {load.stdout.readline().strip() for _ in range(BEFORE_KILL)}
                threading.Timer(0.05 * turn, server.kill).start()
                known |= set(load.stdout.read().split())
            confirmed |= known - {""}
    stored = [str(event.payload["id"]) for event in _events(path)]
    assert len(stored) == len(set(stored))
    assert set() == confirmed - set(stored)
    assert len(confirmed) >= ROUNDS * BEFORE_KILL

    with program("serve", str(path), str(log)):
        handled = callback_receiver.wait_for_lines(log, set(stored))
    assert set(stored) == handled


def _events(path: Path) -> list[Event]:
    store = EventStore(path, must_exist=True)
    found = list(store.events())
    store.close()
    return found
