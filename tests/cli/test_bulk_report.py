"""`bulk report`: the files it writes, what it refuses, and the counts that go on."""

import re
from pathlib import Path

import pytest

from sinch_wrapper.bulk import Report
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.cli import main
from sinch_wrapper.cli._bulk_watch import open_of, watch_job
from tests.helpers.reports import add_receipts, sent_job, write_input

pytestmark = pytest.mark.once

PAGE = Path(__file__).parents[2] / "docs" / "reports.md"


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The journal of a small job in the working directory, named as in the documentation."""
    monkeypatch.chdir(tmp_path)
    source = write_input(tmp_path / "spring.csv", 6)
    return sent_job(tmp_path, source, "ok").rename(tmp_path / "spring.csv.db")


@pytest.mark.usefixtures("job")
def test_commands_of_the_documentation_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Each command of docs/reports.md ends with 0, and says where its file is."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    commands = [line.split()[2:] for block in blocks for line in block.splitlines()]
    assert len(commands) == 3
    for command in commands:
        assert main(command) == 0
        assert command[-1 if "--input" not in command else -3] in capsys.readouterr().err
    assert {"report.html", "out.csv", "joined.csv"} <= {each.name for each in tmp_path.iterdir()}
    assert (tmp_path / "joined.csv").read_text(encoding="utf-8").startswith("customer,phone,name,")


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ("--input spring.csv", "--input goes with --csv"),
        ("--html a.html --input spring.csv", "--input goes with --csv"),
        ("--csv a.csv --prices spring.csv", "--prices goes with --html"),
        ("--show-numbers", "--show-numbers goes with --html or --csv"),
        ("--watch --html a.html", "--watch goes alone"),
        ("--watch --recipients", "--watch goes alone"),
        ("--watch --json", "--watch goes alone"),
        ("--state failed", "--state goes with --recipients"),
        ("--html .", "is a directory"),
    ],
)
def test_options_that_contradict_each_other_are_wrong_usage(
    job: Path, capsys: pytest.CaptureFixture[str], options: str, hint: str
) -> None:
    """The command ends with 2, says which option is wrong, and writes nothing."""
    before = set(job.parent.iterdir())
    assert main(["bulk", "report", job.name, *options.split()]) == 2
    assert hint in capsys.readouterr().err
    assert before == set(job.parent.iterdir())


@pytest.mark.parametrize("target", ["spring.csv", "spring.csv.db"])
@pytest.mark.parametrize("option", ["--html", "--csv"])
def test_input_and_journal_are_never_overwritten(
    job: Path, capsys: pytest.CaptureFixture[str], option: str, target: str
) -> None:
    """A mistyped target ends with 1 in one line, and the file stays as it is."""
    before = job.with_name(target).read_bytes()
    assert main(["bulk", "report", job.name, option, target]) == 1
    assert "exists, and is not such a report" in capsys.readouterr().err
    assert before == job.with_name(target).read_bytes()


def test_watching_ends_when_all_have_ended(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal a line comes when the counts have changed, and the last one always."""
    sleeps: list[float] = []

    def sleep(seconds: float) -> None:
        sleeps.append(seconds)
        if len(sleeps) == 2:
            add_receipts(job, ("BAD_REQUEST",))

    report = Report(job)
    assert open_of(report) == 5
    watch_job(report, clock=lambda: float(len(sleeps)), sleep=sleep)

    first, *others = capsys.readouterr().out.splitlines()
    assert first == "5 recipients: 5 accepted, 1 duplicate"
    assert len(others) == 1
    assert "delivered" in others[0]
    assert (2, 0) == (len(sleeps), open_of(report))


def test_interrupted_watching_says_so(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C ends it without a traceback; the job is not touched."""

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    watch_job(Report(job), sleep=interrupt)
    assert "a job that is running goes on" in capsys.readouterr().err


def test_counts_do_not_contradict_each_other(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line where both counts agree; else what became of the recipients comes first."""
    assert main(["bulk", "report", job.name]) == 0
    assert capsys.readouterr().out.splitlines() == ["5 recipients: 5 accepted, 1 duplicate"]
    journal = Journal(job, must_exist=True)
    with journal.write() as connection:
        journal.set(connection, 0, batch_status="CANCELLED")
    journal.close()
    assert main(["bulk", "report", job.name]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "5 recipients: 5 cancelled, 1 duplicate",
        "By request: 5 accepted, 1 duplicate",
    ]
