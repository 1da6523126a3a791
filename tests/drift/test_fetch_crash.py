"""A fetch that is ended in the middle of a write: the old file is there, and the next one heals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import fetch_specs
import pytest
import regenerate
from fetching.record import put

from tests.helpers.codegen import SCRIPTS, STRING, document, obj, tree, write_documents

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no such signals")

OLD = document({"Thing": obj(name=STRING)})
NEW = json.dumps(document({"Thing": obj(name=STRING, novel=STRING)})).encode()
# The kernel ends the process inside its write when a file grows beyond the limit.
IN_MID_WRITE = """
import resource, signal, sys
from pathlib import Path
from fetching.record import put
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
if sys.argv[2] == "killed":
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
put(Path(sys.argv[1]), b"new" * 10_000)
"""
# For each n in turn, a child that ends by kill -9 at the n-th file that is opened for writing,
# renamed or removed beside it; prints how it ended and what the file holds. Children are forked,
# because starting Python takes a second.
AT_EACH_EVENT = """
import json, os, signal, sys
from pathlib import Path
from fetching.record import put
path, found = Path(sys.argv[1]), []
def write(left):
    def watch(event, given):
        nonlocal left
        beside = given and str(given[0]).startswith(str(path.parent))
        if event in {"open", "os.rename", "os.remove"} and beside:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(watch)
    put(path, b"new")
    os._exit(0)
for number in range(20):
    path.write_bytes(b"old")
    child = os.fork() or write(number)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    found.append((code, path.read_bytes().decode()))
    if code == 0:
        break
print(json.dumps(found))
"""
# kill -9 of a whole fetch when the file of a name is about to be put in place.
AT_A_FILE = """
import os, signal, sys
import fetch_specs
def watch(event, given):
    if event == "os.rename" and str(given[1]).endswith(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
fetch_specs.main(sys.argv[2:])
"""


def ended(program: str, *arguments: str) -> int:
    """How a program ends."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, cwd=SCRIPTS, stderr=subprocess.DEVNULL, check=False).returncode


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file, alone in its folder."""
    (tmp_path / "folder").mkdir()
    found = tmp_path / "folder" / "document.yaml"
    found.write_bytes(b"old")
    return found


@pytest.mark.parametrize("how", ["killed", "refused"])
def test_write_that_is_cut_off_leaves_the_old_file(path: Path, how: str) -> None:
    """Half of the new file was written when the process was ended, or the disk was full."""
    assert ended(IN_MID_WRITE, str(path), how) == (-signal.SIGXFSZ if how == "killed" else 1)
    assert path.read_bytes() == b"old"
    left = {".document.yaml.new"} if how == "killed" else set()
    assert {one.name for one in path.parent.iterdir()} - {path.name} == left
    put(path, b"new")
    assert tree(path.parent) == {path.name: b"new"}


def test_kill_at_any_moment_leaves_the_old_file_or_the_new_one(path: Path) -> None:
    """A kill -9 before each step in turn: there is never anything else."""
    command = [sys.executable, "-c", AT_EACH_EVENT, str(path)]
    done = subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True, check=True)
    *killed, (last, content) = json.loads(done.stdout)
    assert (last, content) == (0, "new")
    assert {code for code, _ in killed} == {-signal.SIGKILL}
    seen = [content for _, content in killed]
    assert seen == [*["old"] * seen.count("old"), *["new"] * seen.count("new")]
    assert seen.count("old") >= 2


@pytest.mark.parametrize("name", ["things.yaml", "sources.toml"])
def test_fetch_that_was_killed_is_made_good_by_the_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Between document and record, regenerate.py refuses the pair; fetching again is enough."""
    folder = write_documents(tmp_path / "openapi", things=OLD)
    before = tree(folder)
    newer = tmp_path / "newer.json"
    newer.write_bytes(NEW)
    options = ["things", f"--from={newer}", f"--documents={folder}"]
    assert ended(AT_A_FILE, name, *options) == -signal.SIGKILL
    after = tree(folder)
    assert after["sources.toml"] == before["sources.toml"]
    assert after["things.yaml"] == (before["things.yaml"] if name == "things.yaml" else NEW)
    generated = [f"--documents={folder}", f"--output={tmp_path / 'generated'}"]
    if name == "sources.toml":
        assert regenerate.main(generated) == 1
        assert "fetch_specs.py things --record" in capsys.readouterr().err
    assert (fetch_specs.main(options), regenerate.main(generated)) == (0, 0)
    assert {one.name for one in folder.iterdir()} == {"overlays", "sources.toml", "things.yaml"}
