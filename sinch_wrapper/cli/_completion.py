"""Completion by the shell: its values, and the command that prints or installs it."""

# ruff: noqa: FBT001 (click passes each option as an argument)

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from sinch_wrapper.cli._profiles import read_profiles
from sinch_wrapper.cli._terminal import path_text, say
from sinch_wrapper.errors import ConfigurationError, SinchError

Complete = Callable[[click.Context, click.Parameter, str], list[str]]

_PROGRAM: Final = "sinch-wrapper"
_VARIABLE: Final = "_SINCH_WRAPPER_COMPLETE"
_SHELLS: Final = ("bash", "zsh", "fish")
# By this a line of ours is known, also when somebody has changed it.
_MARK: Final = "# completion of sinch-wrapper"
_EXAMPLES: Final = """\b
Examples:
  sinch-wrapper completion --install
  sinch-wrapper completion bash --install --dry-run
  source <(sinch-wrapper completion bash)
"""
# `compdef` exists after `compinit`, which a shell without settings has not run.
_COMPINIT: Final = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }"


def completing(values: Callable[[], Iterable[str]]) -> Complete:
    """What click asks for the values that begin with what was typed, in any case."""

    def complete(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
        # A file that is damaged is reported by the command itself; here it would be in the way.
        with contextlib.suppress(SinchError):
            folded = typed.casefold()
            return sorted(each for each in values() if each.casefold().startswith(folded))
        return []

    return complete


def _operation_ids() -> Iterator[str]:
    from sinch_wrapper.sandbox import all_operations

    return (each.id for each in all_operations())


def _states() -> Iterator[str]:
    from sinch_wrapper.bulk import RecipientState

    return map(str, RecipientState)


def _channels() -> Iterable[str]:
    from sinch_wrapper.messages import CHANNELS

    return CHANNELS


def _apps() -> set[str]:
    return {each.app_id for each in read_profiles().values() if each.app_id}


complete_app: Final = completing(_apps)
complete_channel: Final = completing(_channels)
complete_operation: Final = completing(_operation_ids)
complete_profile: Final = completing(read_profiles)
complete_state: Final = completing(_states)


@dataclass(frozen=True, slots=True)
class Installation:
    """The file that holds the script, and the *line* of the file *settings* that reads it.

    A shell that finds the script by itself needs no line.
    """

    script: Path
    settings: Path | None = None
    line: str = ""


def place_for(shell: str, environ: Mapping[str, str], home: Path) -> Installation:
    """Where *shell* looks for completions, by the variables of *environ*."""
    if shell == "fish":
        config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
        return Installation(config / "fish" / "completions" / f"{_PROGRAM}.fish")
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    script = data / _PROGRAM / f"completion.{shell}"
    folder = Path(environ.get("ZDOTDIR") or home) if shell == "zsh" else home
    # The file may be gone one day, and a shell should start all the same.
    line = f"[ -r {path_text(script)} ] && . {path_text(script)}  {_MARK}"
    return Installation(script, folder / f".{shell}rc", line)


def script_of(shell: str, command: click.Command) -> str:
    """The script that completes *command* in *shell*."""
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    kinds = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
    script = kinds[shell](command, {}, _PROGRAM, _VARIABLE).source().strip()
    if shell == "zsh":
        first, _, rest = script.partition("\n")
        script = f"{first}\n{_COMPINIT}\n{rest}"
    return f"{script}\n"


@click.command(short_help="Let the shell complete commands and values.", epilog=_EXAMPLES)
@click.argument("shell", type=click.Choice(_SHELLS), required=False)
@click.option("--install", is_flag=True, help="Write it to where the shell finds it.")
@click.option("--dry-run", is_flag=True, help="With --install: say what it would do.")
def completion(shell: str | None, install: bool, dry_run: bool) -> None:
    """Print the script with which the shell completes this command, or install it.

    SHELL is bash (4.4 or newer), zsh or fish; by default that of the variable SHELL. The script
    completes commands, options, operation ids, states, channels, regions, profiles and files.
    """
    if dry_run and not install:
        raise click.UsageError("--dry-run is for --install.")
    shell = shell or Path(os.environ.get("SHELL", "")).name
    if shell not in _SHELLS:
        raise click.UsageError(f"which shell is it? Give one of {', '.join(_SHELLS)}.")
    script = script_of(shell, click.get_current_context().find_root().command)
    if not install:
        for line in script.splitlines():
            say(line)
        return
    for line in _installed(place_for(shell, os.environ, Path.home()), script, dry_run=dry_run):
        say(line)
    if not dry_run:
        say("It works in new shells.")


def _installed(where: Installation, script: str, *, dry_run: bool) -> Iterator[str]:
    """Do what is missing, unless it is a *dry_run*; yields what was done, in words."""
    if _content(where.script) == script:
        yield f"{path_text(where.script)} is up to date."
    else:
        if not dry_run:
            _write(where.script, script, "w")
        yield f"{'Would write' if dry_run else 'Wrote'} {path_text(where.script)}."
    if where.settings is None:
        return
    before = _content(where.settings)
    if _MARK in before:
        yield f"{path_text(where.settings)} has its line; it stays as it is."
        return
    if not dry_run:
        gap = "" if before.endswith("\n") or not before else "\n"
        _write(where.settings, f"{gap}{where.line}\n", "a")
    verb = "Would add" if dry_run else "Added"
    yield f"{verb} to {path_text(where.settings)}: {where.line}"


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ConfigurationError(f"{path_text(path)}: cannot read it: {error.strerror}") from error


def _write(path: Path, text: str, mode: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode, encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise ConfigurationError(f"{path_text(path)}: cannot write it: {error.strerror}") from error
