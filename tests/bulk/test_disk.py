"""A disk that fills up: a clear error at each stage, nothing lost, nothing sent twice."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="this system cannot limit the size of files")


@pytest.mark.slow
def test_a_full_disk_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """While reading nothing was sent; while sending the rest goes out once there is room."""
    command = [sys.executable, "-m", "tests.programs.bulk_full_disk", str(tmp_path)]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    said = json.loads(found.stdout)
    (reading,), (duplicates,), (sending,) = (
        said[stage] for stage in ("reading", "duplicates", "sending")
    )
    assert "job.db: cannot be read or written; the disk may be full: make room" in reading
    assert reading == sending
    assert "temporary files cannot be written, nothing was sent" in duplicates
    assert 0 == said["sent_while_reading"]
    assert 0 < said["sent_until_then"] < 1200
    assert (1200, 1200, 1) == (said["accepted"], said["different"], said["most"])
