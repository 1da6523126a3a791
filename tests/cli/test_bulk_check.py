"""What the commands show and ask before a job is sent: check, test, and the question of send."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper.bulk import JobStage, Progress
from sinch_wrapper.cli._bulk_progress import MinuteLines, counts, details, span
from tests.helpers.bulk import csv_file
from tests.helpers.sandbox import Api, RunCli, environment_of

Sent = Callable[[], list[dict[str, Any]]]
TEXT = ["--text", "Hi ${name}"]
ROWS = """\
customer,phone,name
C1,+46700000001,Ada
C2,+46700000002,Łuk
C3,+46700000003,
C4,+46700000001,again
C5,+46700000005,\x1b[31mred
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A list with one of everything."""
    path = tmp_path / "list.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


@pytest.fixture
def sent(api: Api) -> Sent:
    """What the API has accepted since the test began; others share the sandbox."""
    before = len(list(api.server.ledger.entries()))
    return lambda: list(api.server.ledger.entries())[before:]


def test_check_needs_no_credentials_and_shows_all(
    run_cli: RunCli, source: Path, tmp_path: Path
) -> None:
    """Problems with lines, messages, parts and cost; exit code 1 when send would refuse the job."""
    prices = tmp_path / "prices.csv"
    prices.write_text("prefix,price\n46,0.05\n")
    before = sorted(tmp_path.iterdir())
    words = ["bulk", "check", str(source), *TEXT, "--key", "customer", "--prices", str(prices)]
    code, out, err = run_cli(*words)
    assert (1, "") == (code, err)
    lines = out.splitlines()
    for expected in (
        "list.csv: 3 recipients in 1 request",
        "  1 row, name: is empty, and the message needs it (line 4)",
        "Line 2 (C1), SMS, 1 part (GSM, 6 units):",
        "  Hi Łuk",
        "  Hi ?[31mred",
        "  2 of 1 part (UCS-2), such as line 3",
        "Cost: 0.15",
        "Nothing was sent.",
    ):
        assert expected in lines
    assert "bulk send would refuse it: 1 row cannot be sent (line 4" in out
    assert 0 == run_cli(*words, "--on-invalid", "skip")[0]
    assert before == sorted(tmp_path.iterdir())


def test_check_for_programs(run_cli: RunCli, source: Path) -> None:
    """All of it as one JSON object, or a line per recipient."""
    words = ["bulk", "check", str(source), *TEXT, "--on-invalid", "skip"]
    code, out, _ = run_cli(*words, "--json", "--examples", "1")
    found = json.loads(out)
    assert (0, 3, 1, 1, 3) == (
        code, found["total"], found["invalid"], found["duplicates"], found["parts"],
    )  # fmt: skip
    assert ["Hi Ada"] == [each["text"] for each in found["examples"]]
    code, out, _ = run_cli(*words, "--recipients")
    assert [(2, "GSM"), (3, "UCS-2"), (6, "UCS-2")] == [
        (each["line"], each["sms"]["encoding"]) for each in map(json.loads, out.splitlines())
    ]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--max-parts", "1"], "1 SMS of more than 1 part, up to 2"),
        (["--max-cost", "0.1", "--prices", "prices.csv"], "costs up to 0.20, more than"),
        (["--max-cost", "1"], "--max-cost needs --prices"),
        (["--prices", "none.csv"], "none.csv: cannot be read"),
        (
            ["--to", "phone=RCS", "--max-cost", "9", "--prices", "prices.csv"],
            "without a price (RCS)",
        ),
    ],
)
def test_limits_stop_send_and_show_in_check(  # noqa: PLR0913, PLR0917 (fixtures)
    run_cli: RunCli, api: Api, sent: Sent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    more: list[str], said: str,
) -> None:  # fmt: skip
    """Both commands say the same, both end with 1, and nothing is sent."""
    monkeypatch.chdir(tmp_path)
    Path("prices.csv").write_text("prefix,price\n46,0.05\n")
    name = "x" * 170
    Path("a.csv").write_text(f"phone,name\n+46700000001,{name}\n+46700000002,a\n+46700000003,b\n")
    code, out, err = run_cli("bulk", "check", "a.csv", *TEXT, *more)
    assert (1, True) == (code, said in out + err)
    app = ["--app", api.settings.app_id]
    code, out, err = run_cli("bulk", "send", "a.csv", *app, *TEXT, *more, api=api)
    assert (1, "", True) == (code, out, said in err)
    assert [] == sent()


def test_limit_sends_to_the_first_rows(run_cli: RunCli, api: Api, tmp_path: Path) -> None:
    """The whole list then needs a journal of its own: nobody gets the message twice unasked."""
    path = csv_file(tmp_path, 9)
    words = ["bulk", "send", str(path), "--app", api.settings.app_id, *TEXT, "--yes"]
    code, out, _ = run_cli(*words, "--limit", "2", api=api)
    assert (0, "2 recipients: 2 accepted") == (code, out.splitlines()[0])
    code, _, err = run_cli(*words, api=api)
    assert (1, True) == (code, "different rules" in err)


def test_one_message_as_a_line_would_get_it(
    run_cli: RunCli, api: Api, sent: Sent, source: Path
) -> None:
    """It goes to the number that is given, over the channels of the line, and nowhere else."""
    own = "+46709999999"
    words = ["bulk", "test", str(source), "--app", api.settings.app_id, *TEXT]
    more = ["--to", "phone=RCS", "--to", own, "--row", "3"]
    code, out, err = run_cli(*words, *more, api=api)
    assert (0, "The message of line 3 to your number: accepted\n", "") == (code, out, err)
    (entry,) = sent()
    assert (own, "RCS", "Hi Łuk") == (
        entry["identity"], entry["channel"], entry["message"]["text_message"]["text"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--row", "3"], 2, "give one number as --to NUMBER"),
        (["--row", "3", "--to", "+46700000001", "--to", "+46700000002"], 2, "one number"),
        (["--row", "4", "--to", "+46700000001"], 1, "line 4, name: is empty"),
        (["--row", "9", "--to", "+46700000001"], 1, "line 9: no recipient begins there"),
        (["--row", "1", "--to", "+46700000001"], 1, "line 1: no recipient begins there"),
        (
            ["--row", "2", "--to", "+46700000001", "--to", "phone=LINE"],
            2,
            "no channel with a phone",
        ),
    ],
)
def test_wrong_tests_send_nothing(  # noqa: PLR0913, PLR0917 (fixtures)
    run_cli: RunCli, api: Api, sent: Sent, source: Path, more: list[str], code: int, said: str
) -> None:
    """One line says why."""
    found, out, err = run_cli(
        "bulk", "test", str(source), "--app", api.settings.app_id, *TEXT, *more, api=api
    )
    assert (code, "", 1, True) == (found, out, err.count("\n"), said in err)
    assert [] == sent()


def _asked(api: Api, source: Path, answer: bytes, *more: str) -> tuple[int, str]:
    """The exit code and what a person at a terminal sees, who gives *answer* to a question."""
    pty = pytest.importorskip("pty")
    command = [sys.executable, "-m", "sinch_wrapper.cli", "bulk", "send", str(source), *TEXT]
    ours, theirs = pty.openpty()
    environment = os.environ | environment_of(api) | {"TERM": "xterm", "COLUMNS": "80"}
    with subprocess.Popen(
        [*command, "--app", api.settings.app_id, *more],
        env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        seen = b""
        while True:
            try:
                seen += os.read(ours, 4096)
            except OSError:
                break
            if answer and b"[y/N]: " in seen:
                os.write(ours, answer)
                answer = b""
        code = process.wait(60)
    os.close(ours)
    return code, seen.decode()


@pytest.mark.parametrize(
    ("answer", "more", "code", "said", "accepted"),
    [
        (b"y\n", (), 0, "9 recipients: 9 accepted", 9),
        (b"n\n", (), 1, "not approved, nothing was sent", 0),
        (b"\x04", (), 130, "interrupted", 0),
        (b"", ("--yes",), 0, "9 recipients: 9 accepted", 9),
        (b"", ("--limit", "5"), 0, "5 recipients: 5 accepted", 5),
    ],
    ids=["yes", "no", "end", "without a question", "a handful"],
)
def test_a_person_is_asked_before_a_job_begins(  # noqa: PLR0913, PLR0917 (fixtures)
    api: Api,
    sent: Sent,
    tmp_path: Path,
    answer: bytes,
    more: tuple[str, ...],
    code: int,
    said: str,
    accepted: int,
) -> None:
    """With the preview above the question, unless it is a handful or --yes is given."""
    found, seen = _asked(api, csv_file(tmp_path, 9), answer, *more)
    assert (code, True) == (found, said in seen), seen
    assert bool(answer) == ("Send to 9 recipients?" in seen and "Hi N0" in seen)
    assert accepted == len(sent())


def test_a_line_per_minute_without_a_terminal() -> None:
    """Whatever comes in between is not said."""
    said, now = list[str](), [0.0]
    view = MinuteLines(said.append, lambda: now[0])
    for now[0], step in [
        (1.0, Progress(9, 0, 0, 0, 9)),
        (61.0, Progress(5000, 0, 0, 0, 5000, stage=JobStage.READING, elapsed=61, rate=80.4)),
        (100.0, Progress(9000, 1, 0, 0, 8999)),
        (
            121.5,
            Progress(
                9000, 3000, 10, 0, 5990, eta=238.0, elapsed=121.5, rate=25.2, to_deliver=8000.0
            ),
        ),
    ]:
        view(step)
    assert [
        "reading: 5000 rows, 80/s, 61 s so far",
        "sending: 3010 of 9000, 25/s, 2 min so far, accepted in 4 min, delivered in 2 h",
    ] == said
    assert 8000.0 == view.to_deliver


def test_numbers_of_progress_in_words() -> None:
    """What is not known is left out; slow rates are per minute."""
    step = Progress(9, 9, 0, 0, 0, stage=JobStage.DELIVERING, elapsed=0.4, rate=0.5, eta=0.0)
    assert ("9 of 9", ["30/min", "0 s so far"]) == (counts(step), list(details(step)))
    assert ["119 s", "2 min", "120 min", "2 h", "2 d"] == [
        span(each) for each in (119, 120, 7199, 7200, 172800)
    ]
