"""Completion: lines that real shells complete, and where its script is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sinch_wrapper.cli._completion import place_for
from sinch_wrapper.cli._profiles import Profile, profile_file, write_profiles
from tests.helpers.sandbox import RunCli, eventually
from tests.helpers.terminals import at_terminal

SHELLS = ["bash", "zsh", "fish"]
LINES = {
    "compl\t": "completion",
    "api App_Li\t": "api App_ListApps",
    "token --profile st\t": "token --profile staging",
    "token --region b\t": "token --region br",
    "bulk report x --state deli\t": "bulk report x --state delivered",
    "send --app 01\t": "send --app 01J0SANDB0X0APP00000000000",
    "send --channel WHA\t": "send --channel WHATSAPP",
}
# Completes as the command does, and writes down what it is called with.
PROGRAM = """#!/bin/sh
[ -n "$_SINCH_WRAPPER_COMPLETE" ] && exec {python} -m sinch_wrapper.cli
printf '%s\\n' "$*" >> "$HOME/called"
"""


@pytest.fixture
def home(tmp_path: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, in which a profile is stored."""
    del run_cli
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "home of Ada"
    folder.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(folder))
    app = "01J0SANDB0X0APP00000000000"
    write_profiles({"staging": Profile("p", "k", region="us", app_id=app)})
    return folder


def _shell(name: str) -> str | None:
    """The path of a shell; None without one, or for a bash before 4.4, as macOS has it."""
    found = shutil.which(name)
    if found is None or name != "bash":
        return found
    script = "(( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404 ))"
    return None if subprocess.run([found, "-c", script], check=False).returncode else found


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_lines(run_cli: RunCli, home: Path, shell: str) -> None:
    """After --install a new shell completes commands and values as they are typed."""
    if (found := _shell(shell)) is None:
        pytest.skip(f"no {shell} that can complete")
    assert 0 == run_cli("completion", shell, "--install")[0]
    program = home / "bin" / "sinch-wrapper"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    environ = {"HOME": str(home), "PATH": f"{program.parent}:{os.environ['PATH']}", "TERM": "xterm"}
    environ |= {"SINCH_WRAPPER_CONFIG_DIR": str(profile_file().parent)}
    environ |= {name: os.environ[name] for name in ("PYTHONPYCACHEPREFIX",) if name in os.environ}
    called = home / "called"

    with at_terminal([found, "-i"], environ) as terminal:
        for number, line in enumerate(LINES, 1):
            terminal.type(f"sinch-wrapper {line}\r")
            terminal.read_until("\n")
            eventually(
                lambda number=number: (
                    called.exists()  # type: ignore[misc]
                    and called.read_text(encoding="utf-8").count("\n") == number
                )
            )
    lines = called.read_text(encoding="utf-8").splitlines()
    assert [*LINES.values()] == [line.strip() for line in lines]


@pytest.mark.parametrize("shell", SHELLS)
def test_install_edits_each_file_once(
    run_cli: RunCli, home: Path, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    """A dry run writes nothing, a second run nothing more, and what was there stays."""
    where = place_for(shell, os.environ, home)
    if where.settings is not None:
        where.settings.write_bytes(b"alias a=b # no end of line, \xff")

    def written() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}

    before = written()
    code, out, _ = run_cli("completion", shell, "--install", "--dry-run")
    assert (0, before, True) == (code, written(), out.startswith("Would write"))
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    code, out, _ = run_cli("completion", "--install")
    after = written()
    assert (0, True, True) == (code, "Wrote " in out, "new shells" in out)
    assert {where.script, *before} == {*after}
    for path, content in before.items():
        assert after[path] == content + f"\n{where.line}\n".encode()

    code, out, _ = run_cli("completion", shell, "--install")
    assert (0, after, True) == (code, written(), "up to date" in out)
    where.script.write_text("an older one", encoding="utf-8")
    assert 0 == run_cli("completion", shell, "--install")[0]
    assert after == written()


@pytest.mark.parametrize("shell", SHELLS)
def test_places_are_those_of_the_platform(shell: str) -> None:
    """The variables that name folders are followed."""
    environ = {"XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "/d", "ZDOTDIR": "/z"}
    home = Path("/h")
    found = place_for(shell, environ, home)
    expected = {
        "bash": (Path("/d/sinch-wrapper/completion.bash"), Path("/h/.bashrc")),
        "zsh": (Path("/d/sinch-wrapper/completion.zsh"), Path("/z/.zshrc")),
        "fish": (Path("/c/fish/completions/sinch-wrapper.fish"), None),
    }
    assert expected[shell] == (found.script, found.settings)


def test_mistakes_are_one_line(
    run_cli: RunCli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown shell, an option alone and a file in the way are said, and change nothing."""
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    assert (2, "") == run_cli("completion")[:2]
    assert (2, "") == run_cli("completion", "bash", "--dry-run")[:2]
    (home / ".local").write_text("not a folder", encoding="utf-8")
    code, _, err = run_cli("completion", "bash", "--install")
    assert (1, 1, False) == (code, err.count("\n"), (home / ".bashrc").exists())


@pytest.mark.usefixtures("home")
def test_a_damaged_file_of_profiles_completes_nothing(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Completion says nothing about mistakes: it would stand in the line that is typed."""
    profile_file().write_text("{", encoding="utf-8")
    monkeypatch.setenv("_SINCH_WRAPPER_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "sinch-wrapper\ntoken\n--profile\n")
    monkeypatch.setenv("COMP_CWORD", "3")
    with pytest.raises(SystemExit) as ended:
        run_cli("token")
    out, err = capsys.readouterr()
    assert (0, "", "") == (ended.value.code, out.strip(), err)
