"""The package as a whole: what importing costs, that the halves agree, how it ends early."""

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sinch_wrapper.bulk
from sinch_wrapper import BulkError
from sinch_wrapper.bulk import AsyncBulk, Bulk, BulkStoppedError
from sinch_wrapper.bulk._journal_file import sending_lock


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )


def test_importing_the_package_loads_nothing_heavy() -> None:
    """Neither SQLAlchemy nor pyarrow before a name is used, and pyarrow not even then."""
    heavy = "{'sqlalchemy', 'pyarrow'} & {name.partition('.')[0] for name in sys.modules}"
    code = (
        f"import sys, sinch_wrapper.bulk; assert not {heavy}; "
        f"from sinch_wrapper.bulk import Bulk; assert {heavy} == {{'sqlalchemy'}}"
    )
    assert "" == _python(code).stderr


@pytest.mark.parametrize(
    ("missing", "code", "words"),
    [
        (
            "sqlalchemy",
            "from sinch_wrapper.bulk import Bulk",
            'needs more packages: pip install "sinch-wrapper[bulk]"',
        ),
        (
            "pyarrow",
            (
                "from pathlib import Path\n"
                "from sinch_wrapper.bulk._list_files import ListFile\n"
                "from sinch_wrapper.bulk._tables import read_parquet\n"
                "read_parquet(ListFile(Path('a')))"
            ),
            "needs pyarrow: pip install",
        ),
    ],
)
def test_a_missing_package_is_named(missing: str, code: str, words: str) -> None:
    """Without the extra the error says how to install it."""
    result = _python(f"import sys; sys.modules[{missing!r}] = None; {code}")
    assert words in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("name", sinch_wrapper.bulk.__all__)
def test_every_name_loads(name: str) -> None:
    """Each public name exists and is documented."""
    assert getattr(sinch_wrapper.bulk, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    """Lazy loading does not hide spelling mistakes."""
    with pytest.raises(AttributeError, match="Bluk"):
        sinch_wrapper.bulk.Bluk  # noqa: B018


def test_the_halves_have_the_same_methods_and_parameters() -> None:
    """Bulk and AsyncBulk differ in awaiting only."""

    def methods(kind: type) -> dict[str, Any]:
        found = inspect.getmembers(kind, inspect.isfunction)
        return {name: member for name, member in found if not name.startswith("_")}

    sync, twin = methods(Bulk), methods(AsyncBulk)
    assert sync.keys() == twin.keys()
    for name, member in sync.items():
        assert inspect.iscoroutinefunction(twin[name])
        ours, theirs = inspect.signature(member), inspect.signature(twin[name])
        assert ours.parameters == theirs.parameters
        assert ours.return_annotation == theirs.return_annotation


def test_the_error_can_be_pickled() -> None:
    """The message survives; the report belongs to its process."""
    import pickle

    copy = pickle.loads(pickle.dumps(BulkStoppedError("line", None)))  # noqa: S301 (our own)
    assert "line" == str(copy)


def test_another_process_is_locked_out_until_it_dies(tmp_path: Path) -> None:
    """The lock is one between processes, and a killed process leaves none."""
    job = tmp_path / "job.db"
    code = (
        "import sys, pathlib; from sinch_wrapper.bulk._journal_file import sending_lock; "
        "lock = sending_lock(pathlib.Path(sys.argv[1])); print('locked', flush=True); "
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(job)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert "locked\n" == other.stdout.readline()
        with pytest.raises(BulkError, match="another process is sending"):
            sending_lock(job)
        other.kill()
    sending_lock(job).release()
