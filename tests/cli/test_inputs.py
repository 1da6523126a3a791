"""Texts and numbers come from files and stdin, where no list of processes shows them."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sinch_wrapper.bulk import Report
from tests.helpers.bulk import csv_file
from tests.helpers.sandbox import Api, RunCli, environment_of

PHONE = "+46700000001"
WORDS = "Hej, Zoë: 100 % 😀\nsecond line"


def sent(api: Api, out: str) -> tuple[str, str]:
    """The text and the number of the message whose id a command printed."""
    params = {"messages_source": "DISPATCH_SOURCE"}
    message_id = json.loads(out)["message_id"]
    found = api.ok("GET", f"/conversation/v1/~/messages/{message_id}", params=params)
    # The API shows numbers without their plus.
    return found["app_message"]["text_message"]["text"], f"+{found['channel_identity']['identity']}"


@pytest.mark.parametrize("source", ["file", "file with end of line", "stdin", "message"])
def test_text_and_number_come_from_elsewhere(
    run_cli: RunCli, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """What is sent is what the file holds, or stdin, without the end of the last line."""
    words, number, message = tmp_path / "words", tmp_path / "number", tmp_path / "message"
    end = "\r\n" if "end" in source else ""
    words.write_text(WORDS + end, encoding="utf-8-sig", newline="")
    number.write_text(f"{PHONE}\n", encoding="utf-8")
    message.write_text(json.dumps({"text_message": {"text": WORDS}}), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{WORDS}\n"))
    given = {
        "stdin": ("--text", "@-"),
        "message": ("--message", f"@{message}"),
    }.get(source, ("--text", f"@{words}"))
    words_ = ("send", "--app", api.settings.app_id, "--to", f"@{number}", *given, "--json")
    code, out, _ = run_cli(*words_, api=api)
    assert (0, (WORDS, PHONE)) == (code, sent(api, out))


def test_number_comes_from_stdin(
    run_cli: RunCli, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the text then from the command line; `@@` is an `@`."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f" {PHONE}\n"))
    words = ("send", "--app", api.settings.app_id, "--to", "@-", "--text", "@@home", "--json")
    code, out, _ = run_cli(*words, api=api)
    assert (0, ("@home", PHONE)) == (code, sent(api, out))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that cannot be used, in the folder of the command, and a stdin."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO("Hi"))
    Path("latin").write_bytes(b"\xff\xfe\xe9")
    Path("empty").write_bytes(b"")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--to", "@-", "--text", "@-"), "--text has read stdin, and nothing is left for --to"),
        (("--to", PHONE, "--text", "@home"), "No such file or directory; @@ stands for @"),
        (("--to", PHONE, "--text", "@a\0"), "is not the name of a file"),
        (("--to", PHONE, "--text", "@latin"), "--text: the file is not UTF-8"),
        (("--to", "@latin", "--text", "Hi"), "--to: the file is not UTF-8"),
        (("--to", PHONE), "either --text or --message"),
        (("--to", PHONE, "--text", "a", "--message", "{}"), "either --text or --message"),
        (("--to", PHONE, "--message", "[]"), "--message must be a JSON object"),
        (("--to", PHONE, "--text", "@empty"), "empty"),
    ],
)
@pytest.mark.usefixtures("files")
def test_mistakes_are_one_line(
    run_cli: RunCli, api: Api, words: tuple[str, ...], hint: str
) -> None:
    """What cannot be read is named, with what to do, and nothing is sent."""
    code, out, err = run_cli("send", "--app", api.settings.app_id, *words, api=api)
    assert (2, "", 1) == (code, out, err.count("\n"))
    assert hint in err


@pytest.mark.parametrize("option", ["--text", "--message"])
def test_bulk_takes_its_message_from_stdin(api: Api, tmp_path: Path, option: str) -> None:
    """A job reads its text or message from stdin; neither is among the arguments."""
    source, words = csv_file(tmp_path, 2), "Hi ${name}\n"
    given = words if option == "--text" else json.dumps({"text_message": {"text": words.strip()}})
    command = [sys.executable, "-m", "sinch_wrapper.cli", "bulk", "send", str(source)]
    done = subprocess.run(
        [*command, "--app", api.settings.app_id, option, "@-"],
        input=given, text=True, capture_output=True, check=False, timeout=60,
        env=os.environ | environment_of(api),
    )  # fmt: skip
    assert (0, "") == (done.returncode, done.stderr)
    assert 2 == Report(Path(f"{source}.db")).accepted
