"""Errors at the command line name its options, and never the arguments of Python."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

import sinch_wrapper
from sinch_wrapper.cli._app import commands
from sinch_wrapper.cli._wording import command_words
from tests.helpers.sandbox import Api, RunCli


def said(message: str, *path: str) -> str:
    """*message* of the library, in the words of the command at *path*."""
    context = click.Context(commands)
    for name in path:
        assert isinstance(context.command, click.Group)
        context = click.Context(context.command.commands[name], parent=context)
    with context:
        return command_words(message)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('give numbers="msisdn" or "x"', 'give --numbers msisdn or "x"'),
        ('delimiter=";"', "--delimiter ';'"),
        ("resume it with send_now=True to", "resume it with --send-now to"),
        ("timezone= goes with window=", "--timezone goes with --window"),
        ("max_parts= must be 1 or more", "--max-parts must be 1 or more"),
        ("missing region= (SINCH_REGION): set it", "missing --region (SINCH_REGION): set it"),
        ("map others with columns=", "map others with --to, --key, --parameter or --metadata"),
        ('such as Columns(to=[("my key", "SMS")])', "such as --to 'my key=SMS'"),
        ('such as Columns(to=[("key", "SMS")])', "such as --to key=SMS"),
        ("message= must not be empty", "the message must not be empty"),
        ("check endpoints=, the proxy", "check --sandbox, the proxy"),
        ("endpoints.auth is plain http://", "--sandbox is plain http://"),
        ("a page?x=1 and SINCH=2", "a page?x=1 and SINCH=2"),
        ("proxy= is for programs", "proxy= is for programs"),
    ],
)  # fmt: skip
def test_words_of_the_library_become_those_of_the_command(message: str, expected: str) -> None:
    """Names, values, flags and constructors are written as a person types them."""
    assert expected == said(message, "bulk", "send")


def test_words_are_those_of_the_command_that_runs() -> None:
    """One name may be an option of another name, or an argument, elsewhere."""
    assert "--to must be a number" == said("identity= must be a number", "send")
    assert "--on-invalid skip" == said('on_invalid="skip"', "bulk", "report")


def options(
    group: click.Group = commands, *path: str
) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Each option of each command: the path, the name that Python has, and what people type."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from options(command, *path, name)
            continue
        for each in command.params:
            if isinstance(each, click.Option) and each.name:
                yield (*path, name), each.name, each.opts[0]


def test_every_option_is_named_as_people_type_it() -> None:
    """Whatever option of whatever command the library is wrong about, its own name is not shown."""
    for path, name, option in options():
        if name not in {"message", "recipients"}:
            assert f"{option} must be" == said(f"{name}= must be", *path)
            assert f"use {option} a" == said(f'use {name}="a"', *path)


def test_the_library_does_not_speak_of_the_command() -> None:
    """No message of the library has the command's options beside its own."""
    assert [] == [each for each in messages() if re.search(r"\(--[a-z]", each)]


# Arguments that no command has, because only programs can do what they are for.
PROGRAMS = {
    *("params", "auth", "telemetry", "attempts", "limits", "transport", "http", "parameters"),
    # And parts of representations.
    *("cafile", "name", "column", "reason", "trigger"),
}


@cache
def messages() -> list[str]:
    """The strings of the library that are not docstrings."""
    found = []
    for path in Path(sinch_wrapper.__file__).parent.rglob("*.py"):
        if {"cli", "sandbox", "testing"} & {*path.parts}:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
        for each in ast.walk(tree):
            if isinstance(each, ast.Constant) and id(each) not in docstrings:
                found += [each.value] if isinstance(each.value, str) else []
    return found


def test_every_argument_in_a_message_has_a_word_here() -> None:
    """Whatever argument a message of the library names, the command names it in its own way."""
    named = re.compile(r"\b([a-z_]+)=(?=[ ,:;.)]|$)")
    found = {
        name
        for each in messages()
        if " " in each and named.search(each)
        for name in named.findall(said(each))
    }
    assert set() == found - PROGRAMS


PYTHON = re.compile(r"\b[a-z_]+=(?!SMS)|\b[A-Z]\w+\(|\.[a-z]+_[a-z]+\b")
# Mistakes that only the library notices.
MISTAKES = [
    (("send", "--app", "A", "--to", "070-12", "--text", "Hi"), "--to must be a phone number"),
    (("send", "--app", " ", "--to", "+46700000001", "--text", "Hi"), "--app"),
    (("send", "--app", "A", "--to", "+46700000001", "--message", "{}"), "the message must"),
    (("send", "--app", "A", "--to", "+46700000001", "--text", ""), "--text must not be empty"),
    (("bulk", "retry-failed", "a.db", "a.db", "--reason", "X"), "NEW_JOB must be another one"),
    (("bulk", "cancel-batches", ""), "BATCH_ID must be a list"),
    (("suppression", "add", "s.db", "070"), "NUMBER must be"),
    (("bulk", "check", "PEOPLE", "--text", "Hi", "--max-cost", "5"), "--max-cost needs --prices"),
    (("bulk", "check", "PEOPLE", "--text", "Hi", "--timezone", "tz"), "--window"),
    (("bulk", "check", "PEOPLE", "--text", "Hi", "--default", "x=y"), "--default must name"),
    (("bulk", "check", "PEOPLE", "--text", "Hi", "--key", "none"), "--to, --key, --parameter"),
    (("bulk", "check", "OTHER", "--text", "Hi"), "--to mobile=SMS"),
    (("bulk", "check", "PEOPLE", "--text", "Hi"), "--numbers msisdn or --default-country SE"),
    (("bulk", "check", "PEOPLE", "--text", "Hi", "--json"), "--on-invalid skip"),
    (("bulk", "status", "none.db"), "none.db"),
    (("token", "--sandbox", "ftp://x"), "SINCH_SANDBOX_URL or --sandbox"),
    (("token", "--sandbox", "http://example.com"), "use https://"),
]


@pytest.fixture
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two lists in the folder of the command."""
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text("phone\n46700000001\n", encoding="utf-8")
    Path("other.csv").write_text("mobile,name\n+46700000001,Ada\n", encoding="utf-8")


@pytest.mark.parametrize(("words", "expected"), MISTAKES)
@pytest.mark.usefixtures("_files")
def test_no_command_answers_in_python(
    run_cli: RunCli, api: Api, words: tuple[str, ...], expected: str
) -> None:
    """What the library refuses is said in the words of the command line, on either stream."""
    files = {"PEOPLE": "people.csv", "OTHER": "other.csv"}
    code, out, err = run_cli(*[files.get(word, word) for word in words], api=api)

    assert code in {1, 2}
    assert expected in out + err
    assert None is PYTHON.search(out + err)
