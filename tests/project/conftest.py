"""What pages and examples run in: the variables of a sandbox, and an empty folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sinch_wrapper.testing import Sandbox


@pytest.fixture
def environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sinch_sandbox: Sandbox
) -> dict[str, str]:
    """The environment of somebody whose programs go to a sandbox."""
    monkeypatch.setenv("SINCH_APP_ID", sinch_sandbox.app_id)
    monkeypatch.setenv("SINCH_CALLBACK_SECRETS", "webhook-secret")
    monkeypatch.chdir(tmp_path)
    return dict(os.environ)
