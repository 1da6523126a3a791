"""Pages and examples as type checkers see them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.test_docs import PAGES, blocks

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the Python blocks of each page as one file."""
    folder = tmp_path_factory.mktemp("pages")
    for page in PAGES:
        if program := "\n".join(blocks(page, "python")):
            name = f"page_{page.stem.replace('-', '_').lower()}.py"
            (folder / name).write_text(program, encoding="utf-8")
    return folder


def test_mypy_accepts_every_block(programs: Path) -> None:
    """The blocks of the pages are strictly typed; `uv run mypy` sees to the examples."""
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")]
    command += ["--cache-dir", str(ROOT / ".mypy_cache"), *map(str, programs.glob("*.py"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (0, "") == (done.returncode, done.stderr), done.stdout


@pytest.mark.parametrize(("what", "mode"), [("examples", "strict"), ("pages", "standard")])
def test_pyright_accepts_them(programs: Path, tmp_path: Path, what: str, mode: str) -> None:
    """Examples, and parts made by hand, are clean in its strict mode, pages in its standard one."""
    program = shutil.which("basedpyright", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("needs the group docs")
    parts = ROOT / "tests" / "programs" / "parts_by_hand.py"
    where = [str(ROOT / "examples"), str(parts)] if what == "examples" else [str(programs)]
    config = tmp_path / "pyrightconfig.json"
    settings = {
        "include": where,
        "typeCheckingMode": mode,
        "pythonVersion": "3.11",
    }
    config.write_text(json.dumps(settings), encoding="utf-8")
    command = [program, "-p", str(config), "--pythonpath", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert 0 == done.returncode, done.stdout + done.stderr
