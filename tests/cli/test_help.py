"""The help of each command: examples that can be typed, and no cost that is felt."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from sinch_wrapper.bulk import RecipientState
from sinch_wrapper.cli._app import commands
from sinch_wrapper.cli._operations import example_of, lists
from sinch_wrapper.sandbox import OperationSpec, all_operations
from tests.helpers.sandbox import RunCli

# CPU time of the help of everything, by what a process needs that imports click alone.
MEASURE = """
import json, resource, sys
def cpu():
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
import click
bare = cpu()
from sinch_wrapper.cli import main
sys.stdout = None
assert main(json.loads(sys.argv[1])) == 0
print(json.dumps([bare, cpu(), sorted(sys.modules)]), file=sys.__stdout__)
"""
HEAVY = {
    *("httpx", "httpx2", "aiohttp", "authlib", "rich", "sqlalchemy", "starlette", "uvicorn"),
    *("sinch_conversation_api", "sinch_batch_api", "sinch_template_api", "asyncio", "keyring"),
}


def all_commands(
    group: click.Group = commands, *path: str
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each command and group with its path."""
    yield path, group
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from all_commands(command, *path, name)
        else:
            yield (*path, name), command


COMMANDS = dict(all_commands())


def examples(command: click.Command) -> list[list[str]]:
    """The examples in the help of *command*, as a shell splits them."""
    text = (command.epilog or "").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("sinch-wrapper ")]


def parse(command: click.Command, words: list[str]) -> None:
    """Read *words* as *command* does, but for defaults, files and the environment."""
    context = click.Context(command, info_name="sinch-wrapper")
    _, rest, _ = command.make_parser(context).parse_args(list(words))
    if isinstance(command, click.Group):
        _, found, further = command.resolve_command(context, rest)
        assert found is not None
        parse(found, further)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_help_has_an_example_that_parses(path: tuple[str, ...]) -> None:
    """Each help shows at least one command line, of that command, with options that exist."""
    found = examples(COMMANDS[path])
    assert found
    for words in found:
        assert words[: len(path)] == list(path)
        parse(commands, words)


def test_programs_can_read_every_command() -> None:
    """All take --json, but those that ask a person, or write for a shell."""
    assert {("login",), ("logout",), ("completion",)} == {
        path
        for path, command in COMMANDS.items()
        if not isinstance(command, click.Group)
        and not any("--json" in option.opts for option in command.params)
    }


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("width", [80, 60])
def test_help_fits_the_terminal(
    run_cli: RunCli, path: tuple[str, ...], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is wider than the terminal, where that has room for what is copied whole."""
    monkeypatch.setenv("COLUMNS", str(width))
    code, out, _ = run_cli(*path, "--help")
    whole = {each.strip() for each in (COMMANDS[path].epilog or "").splitlines()}
    wide = [each for each in out.splitlines() if len(each) > width]
    assert 0 == code
    assert [] == [each for each in wide if width == 80 or each.strip() not in whole]


@pytest.mark.parametrize("spec", all_operations(), ids=lambda spec: spec.id)
def test_every_operation_has_help_and_an_example_that_works(
    run_cli: RunCli, spec: OperationSpec
) -> None:
    """`api ID --help` has every parameter, and an example from which a request is made."""
    code, out, _ = run_cli("api", spec.id, "--help")
    assert (0, 1) == (code, out.count(f"Usage: sinch-wrapper api {spec.id} [OPTIONS]"))
    assert spec.summary in " ".join(out.split())
    names = [each["name"] for each in spec.parameters if each["name"] != "project_id"]
    assert [] == [name for name in names if f"\n  {name} " not in out]
    line = out.partition("Example:\n")[2].replace("\\\n", " ")
    assert shlex.split(line) == shlex.split(example_of(spec))

    words = [*shlex.split(line)[1:], "--curl", "--region", "eu"]
    code, out, _ = run_cli(*words)
    assert (0, True) == (code, out.startswith(f"curl -X {spec.method} 'https://eu."))
    if lists(spec):
        assert 2 != run_cli(*shlex.split(line)[1:], "--paginate")[0]


def measured(words: tuple[str, ...]) -> tuple[float, float, set[str]]:
    """CPU time of importing click and of *words* in all, and the modules that were loaded."""
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, json.dumps([*words])],
        capture_output=True,
        text=True,
        check=True,
    )
    bare, whole, modules = json.loads(run.stdout)
    return bare, whole, {each.partition(".")[0] for each in modules}


# The longest of each module, and those that read documents.
DEAR = [
    (), ("api",), ("api", "Messages_SendMessage"), ("send",), ("bulk", "send"), ("bulk", "check"),
    ("callbacks", "serve"), ("sandbox",), ("contacts", "create"), ("doctor",), ("login",),
]  # fmt: skip


@pytest.mark.parametrize("path", DEAR, ids=" ".join)
def test_help_costs_little(path: tuple[str, ...]) -> None:
    """The help costs at most half of importing click more, and 100 ms; the best of three tries."""
    for _ in range(3):
        bare, whole, modules = measured((*path, "--help"))
        assert set() == modules & HEAVY
        if whole <= 1.5 * bare + 0.1:
            return
    pytest.fail(f"{whole:.3f} s, where importing click takes {bare:.3f} s")


def test_no_help_loads_what_only_calls_need() -> None:
    """No help of any command loads the HTTP library, models, or the database."""
    code = (
        "import json, sys\n"
        "from sinch_wrapper.cli import main\n"
        "sys.stdout = None\n"
        "for words in json.loads(sys.argv[1]):\n"
        "    main([*words, '--help'])\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.__stdout__)\n"
    )
    words = [*COMMANDS, *(("api", spec.id) for spec in all_operations())]
    run = subprocess.run(
        [sys.executable, "-c", code, json.dumps(words)], capture_output=True, text=True, check=True
    )
    assert set() == {each.partition(".")[0] for each in json.loads(run.stdout)} & HEAVY


def test_every_state_is_in_the_help(run_cli: RunCli) -> None:
    """The help of --state lists them, and loads nothing for it."""
    out = " ".join(run_cli("bulk", "report", "--help")[1].split())
    assert f"States: {', '.join(RecipientState)}." in out


def test_options_that_may_be_repeated_say_so() -> None:
    """Every option that is taken more than once says it in its help."""
    params = [each for command in COMMANDS.values() for each in command.params]
    silent = [
        each.name
        for each in params
        if isinstance(each, click.Option)
        and each.multiple
        and "Repeatable" not in (each.help or "")
    ]
    assert [] == silent


def test_lists_of_commands_have_whole_sentences() -> None:
    """At 80 columns no sentence in a list of commands is cut off."""
    cut = []
    for path, group in COMMANDS.items():
        if isinstance(group, click.Group):
            width = 80 - 2 - 6 - max(map(len, group.commands))
            cut += [
                (*path, name)
                for name, command in group.commands.items()
                if command.get_short_help_str(width).endswith("...")
            ]
    assert [] == cut
