"""Ctrl-C comes at any moment, also in the middle of an import."""

import importlib
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper.cli._interrupts import interruptible, stopping

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
INTERRUPTED = """
import os, signal, time
os.kill(os.getpid(), signal.SIGINT)
time.sleep(0.05)
has_ended = True
"""


@pytest.mark.parametrize("asking", [interruptible, stopping])
def test_an_import_is_not_torn_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asking: Any
) -> None:
    """Ctrl-C waits for the end of an import: else its lock might be held for ever."""
    name = f"interrupted_by_{asking.__name__}"
    (tmp_path / f"{name}.py").write_text(INTERRUPTED, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    ended: list[bool] = []

    def run(stop: threading.Event | None) -> None:
        if stop is not None:
            # The second one is what interrupts.
            stop.set()
        ended.append(importlib.import_module(name).has_ended)
        threading.Event().wait(60)

    with asking() as stop, pytest.raises(KeyboardInterrupt):
        run(stop)
    assert [True] == ended


def test_elsewhere_it_interrupts_at_once() -> None:
    """No time passes between the signal and the exception."""
    with interruptible(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
