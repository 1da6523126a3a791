"""Profiles: whom a command calls for, and what is kept where."""

import io
import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import click
import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import PasswordDeleteError

from sinch_wrapper.cli._account import Account, resolve_account
from sinch_wrapper.cli._app import commands
from sinch_wrapper.cli._options import client_of
from sinch_wrapper.cli._profiles import Profile, profile_file, read_profiles, write_profiles
from sinch_wrapper.errors import ConfigurationError, SinchError
from tests.helpers.core import KEY_SECRET
from tests.helpers.planted import leaks, printed
from tests.helpers.sandbox import Api, RunCli
from tests.helpers.terminals import at_terminal

A = Profile("project-a", "key-a", region="us", app_id="app-a", key_secret=KEY_SECRET)
B = Profile("project-b", "key-b", sandbox="http://127.0.0.1:1", key_secret=KEY_SECRET)
ENV, DEFAULT, CHOSEN = "the environment", "profile default", {"SINCH_WRAPPER_PROFILE": "b"}
BR = {"SINCH_REGION": "br"}
KEY = {"SINCH_PROJECT_ID": "p", "SINCH_KEY_ID": "k", "SINCH_KEY_SECRET": "s"}


class MemoryKeyring(KeyringBackend):
    """A keyring that this process holds."""

    priority = 1.0
    held: ClassVar[dict[tuple[str, str], str]] = {}

    def __init__(self) -> None:
        """Hold what all instances do; the environment configures nothing."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return a secret."""
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a secret."""
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Drop a secret."""
        if self.held.pop((service, username), None) is None:
            raise PasswordDeleteError


class LockedKeyring(MemoryKeyring):
    """A keyring that nobody unlocks, and that says too much about it."""

    def get_password(self, service: str, username: str) -> str | None:
        """Fail as backends do."""
        raise OSError(f"{service} {username} {KEY_SECRET}")


@pytest.fixture(autouse=True)
def memory() -> Iterator[MemoryKeyring]:
    """The keyring of the tests, in place of the one of this machine."""
    before, own = keyring.get_keyring(), MemoryKeyring()
    own.held.clear()
    keyring.set_keyring(own)
    yield own
    keyring.set_keyring(before)


@pytest.fixture
def login(run_cli: RunCli, api: Api, tmp_path: Path) -> RunCli:
    """Run `login` with the key of the sandbox, and more words."""
    secret = tmp_path / "secret.txt"
    secret.write_text(f"{api.settings.key_secret}\n", encoding="utf-8")
    found = api.settings
    known = ("--project", found.project_id, "--key-id", found.key_id, "--key-secret", f"@{secret}")

    def call(*words: str, **environment: str) -> tuple[int, str, str]:
        return run_cli("login", *known, "--sandbox", api.url, *words, **environment)

    return call


@pytest.mark.parametrize(
    ("given", "named", "environ", "expected"),
    [
        ((None, None), None, KEY, (ENV, None, None, None)),
        (("eu", None), None, KEY, (ENV, "eu", None, None)),
        ((None, None), None, KEY | BR, (ENV, "br", None, None)),
        (("eu", None), None, KEY | BR, (ENV, "eu", None, None)),
        ((None, "http://s"), None, KEY, (ENV, None, "http://s", None)),
        ((None, None), None, KEY | CHOSEN, (ENV, None, None, None)),
        ((None, None), None, {}, (DEFAULT, "us", None, "app-a")),
        ((None, None), None, BR, (DEFAULT, "br", None, "app-a")),
        (("eu", None), None, BR, (DEFAULT, "eu", None, "app-a")),
        ((None, None), None, CHOSEN, ("profile b", None, B.sandbox, None)),
        ((None, None), "b", {}, ("profile b", None, B.sandbox, None)),
        (("eu", None), "b", {}, ("profile b", "eu", None, None)),
        ((None, None), "default", KEY | BR, (DEFAULT, "us", None, "app-a")),
        ((None, "http://s"), "default", KEY, (DEFAULT, None, "http://s", "app-a")),
        ((None, None), "default", CHOSEN, (DEFAULT, "us", None, "app-a")),
    ],
)  # fmt: skip
def test_options_come_before_environment_before_profile(
    given: tuple[str | None, str | None],
    named: str | None,
    environ: dict[str, str],
    expected: tuple[str | None, ...],
) -> None:
    """Whoever is more explicit wins, and project and key come from one place."""
    found = resolve_account(*given, named, environ, lambda: {"default": A, "b": B})
    assert expected == (found.source, found.region, found.sandbox, found.app_id)
    from_profile = found.profile is not None
    assert (from_profile, from_profile) == (found.project_id is not None, found.key_id is not None)


@pytest.mark.parametrize(
    ("named", "environ", "known", "hint"),
    [
        (None, {}, {}, "sinch-wrapper login"),
        (None, {}, {"b": B}, "choose one of b with --profile"),
        (None, {"SINCH_KEY_ID": "k"}, {"default": A}, "missing in the environment: SINCH_PROJECT"),
        ("c", KEY, {"b": B, "a": A}, "no profile c: there are a, b"),
        (None, {"SINCH_WRAPPER_PROFILE": "c"}, {}, "no profile c: there is none"),
    ],
)
def test_no_half_of_a_key_is_completed_from_elsewhere(
    named: str | None, environ: dict[str, str], known: dict[str, Profile], hint: str
) -> None:
    """What is missing is said, and not taken from another place."""
    with pytest.raises(ConfigurationError, match=hint):
        resolve_account(None, None, named, environ, lambda: known)


def test_the_environment_decides_without_a_file() -> None:
    """With a key in the environment a damaged file of profiles is in nobody's way."""

    def damaged() -> dict[str, Profile]:
        raise ConfigurationError("damaged")

    assert "the environment" == resolve_account(None, None, None, KEY, damaged).source


@pytest.mark.usefixtures("run_cli")
def test_profiles_come_back_as_they_were_written() -> None:
    """The file has every field, belongs to its owner alone, and replaces the one before."""
    for known in ({"default": A}, {"default": A, "b": B}):
        write_profiles(known)
        assert known == read_profiles()
    if os.name == "posix":
        assert 0o600 == stat.S_IMODE(profile_file().stat().st_mode)
    assert ["profiles.toml"] == [each.name for each in profile_file().parent.iterdir()]


ROW = f'project_id = "p"\nkey_id = "k"\nregion = "us"\nkey_secret = "{KEY_SECRET}"\n'
DAMAGED = {
    f"[default]\n{ROW}{KEY_SECRET}\n": "not TOML at line 6",
    f"{ROW}": "expected tables",
    f'["a b"]\n{ROW}': "expected tables",
    f'[default]\n{ROW}{KEY_SECRET} = "x"\n': "a key that is not one of",
    f"[default]\n{ROW}app_id = 5\n": "app_id must be a string",
    f'[default]\n{ROW}app_id = "a b"\n': "app_id must be a string",
    f'[default]\nkey_id = "k"\nkey_secret = "{KEY_SECRET}"\n': "missing project_id",
    f'[default]\n{ROW}sandbox = "http://127.0.0.1"\n': "either region or sandbox",
    f"[default]\n{ROW}\udcff": "not UTF-8",
}  # fmt: skip


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_one_line(run_cli: RunCli, content: str) -> None:
    """What is wrong with the file is said with its place, and no value of it is shown."""
    profile_file().parent.mkdir()
    profile_file().write_bytes(content.encode("utf-8", "surrogateescape"))
    profile_file().chmod(0o600)
    code, out, err = run_cli("token")
    assert (1, "", 1) == (code, out, err.count("\n"))
    assert str(profile_file()) in err
    assert DAMAGED[content] in err
    with pytest.raises(ConfigurationError) as caught:
        read_profiles()
    assert [] == leaks(err + printed(caught.value))


@pytest.mark.usefixtures("run_cli")
@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_a_secret_that_others_may_read_is_refused() -> None:
    """A file with a secret has to be its owner's alone; one without may be read by all."""
    write_profiles({"default": A})
    profile_file().chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        read_profiles()
    write_profiles({"default": Profile("p", "k", region="us")})
    profile_file().chmod(0o644)
    assert ["default"] == [*read_profiles()]


def test_login_keeps_the_secret_in_the_keyring(
    login: RunCli, run_cli: RunCli, api: Api, memory: MemoryKeyring
) -> None:
    """The other commands work with the profile, whose file has no secret; logout drops both."""
    code, out, err = login("--app", api.settings.app_id)
    secret = api.settings.key_secret
    content = profile_file().read_text(encoding="utf-8")
    assert (0, "") == (code, err)
    assert "keyring" in out
    assert ([secret], False) == ([*memory.held.values()], secret in out + content)

    assert 0 == run_cli("token")[0]
    assert 0 == run_cli("send", "--to", "+46700000001", "--text", "Hi")[0]
    shown = json.loads(run_cli("profiles", "--json")[1])
    assert [("default", True, "keyring")] == [(e["name"], e["used"], e["secret"]) for e in shown]

    assert 0 == run_cli("logout")[0]
    assert ({}, {}) == (memory.held, read_profiles())
    assert (1, True) == ((ended := run_cli("token"))[0], "no credentials" in ended[2])


def test_a_key_that_is_refused_is_that_of_the_profile(run_cli: RunCli, api: Api) -> None:
    """The advice names the profile, and not variables that nobody has set."""
    write_profiles({"default": Profile("p", "k", sandbox=api.url, key_secret=KEY_SECRET)})
    code, _, err = run_cli("token")
    assert (1, True) == (code, "key id and secret of profile default" in err)
    assert "SINCH_KEY" not in err + run_cli("doctor")[1]


@pytest.mark.skipif(os.name != "posix", reason="needs a folder that takes no files")
def test_a_file_that_cannot_be_written_leaves_no_secret(
    login: RunCli, memory: MemoryKeyring
) -> None:
    """What the keyring got for a profile that could not be stored is taken out again."""
    profile_file().parent.mkdir()
    profile_file().symlink_to("/proc/none/profiles.toml")
    code, _, err = login()
    assert (1, {}, True) == (code, memory.held, "cannot write the file" in err)


def test_the_secret_may_come_from_stdin(
    login: RunCli, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scripts hand the secret over where no list of processes shows it."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{api.settings.key_secret}\n"))
    assert 0 == login("--plain", "--key-secret", "@-")[0]


def test_plain_keeps_the_secret_in_the_file_and_says_so(
    login: RunCli, run_cli: RunCli, api: Api, memory: MemoryKeyring
) -> None:
    """With --plain no keyring is asked; another key, and the keyring again, leave nothing old."""
    keyring.set_keyring(NoKeyring())
    code, out, _ = login("--plain", "--profile", "staging")
    assert (0, True) == (code, "unencrypted" in out)
    assert api.settings.key_secret in profile_file().read_text(encoding="utf-8")
    assert 0 == run_cli("token", "--profile", "staging", **KEY)[0]
    assert "staging: http://127" in run_cli("profiles")[1]

    keyring.set_keyring(memory)
    assert 0 == login("--profile", "staging", "--yes")[0]
    assert api.settings.key_secret not in profile_file().read_text(encoding="utf-8")
    assert 0 == login("--profile", "staging", "--yes", "--plain")[0]
    assert {} == memory.held


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (("--key-id", "another"), 1, "401 invalid_client: check key id and secret of this login"),
        (("--project", "another"), 1, "nothing was stored: "),
        (("--app", "01J0SANDB0X0APP0000000ZZZZ"), 1, "is not in any region of this project"),
        (("--sandbox", "http://127.0.0.1:1"), 1, "nothing was stored: "),
        (("--key-secret", KEY_SECRET), 2, "takes @FILE"),
        (("--key-secret", "@/none"), 2, "No such file"),
        (("--key-id", "a b"), 2, "without blanks"),
        (("--profile", "a b"), 2, "letters, digits"),
        (("--region", "mars"), 2, "'mars' is not one of"),
    ],
)
def test_what_does_not_work_is_not_stored(
    login: RunCli, words: tuple[str, ...], code: int, hint: str
) -> None:
    """A wrong option or key is one line, and leaves no file."""
    found, out, err = login("--plain", *words)
    assert (code, "", 1) == (found, out, err.count("\n"))
    assert hint in err
    assert (False, []) == (profile_file().exists(), leaks(err))


def test_without_a_keyring_login_asks_for_plain(login: RunCli, run_cli: RunCli) -> None:
    """A machine without a keyring refuses before anything is asked; one that is locked in use."""
    keyring.set_keyring(NoKeyring())
    code, out, err = login()
    assert (1, "", True, False) == (code, out, "--plain" in err, profile_file().exists())

    write_profiles({"default": Profile("p", "k", region="us")})
    keyring.set_keyring(LockedKeyring())
    code, out, err = run_cli("token")
    assert (1, "", []) == (code, out, leaks(err))
    assert "cannot read the keyring: OSError" in err


def test_a_profile_is_replaced_on_demand_only(login: RunCli) -> None:
    """Without a terminal --yes has to say that a profile goes."""
    assert 0 == login("--plain")[0]
    code, _, err = login("--plain")
    assert (2, True) == (code, "--yes replaces it" in err)
    assert 0 == login("--plain", "--yes")[0]


def test_what_is_missing_is_named_without_a_terminal(run_cli: RunCli) -> None:
    """Nobody is asked where nobody sits."""
    code, out, err = run_cli("login", "--region", "eu")
    assert (2, "", True) == (code, out, "missing --project" in err)


def test_failures_show_no_secret() -> None:
    """Neither a profile, nor an account, nor a client that cannot be made shows its secret."""
    account = Account("the options", "b", "p", "k", KEY_SECRET, region="mars")
    with pytest.raises(SinchError) as caught:
        client_of(account)
    assert [] == leaks(f"{printed(caught.value)}\n{account}\n{A}")


def test_every_command_that_calls_takes_a_profile() -> None:
    """Where there is --sandbox, there is --profile."""

    def walk(command: click.Command, *path: str) -> Iterator[tuple[str, set[str]]]:
        yield " ".join(path), {option for each in command.params for option in each.opts}
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                yield from walk(found, *path, name)

    calling = {path: options for path, options in walk(commands) if "--sandbox" in options}
    assert {"send", "api", "bulk send", "webhooks list", "login"} <= calling.keys()
    assert [] == [path for path, options in calling.items() if "--profile" not in options]


def test_a_person_is_asked_and_the_secret_is_not_shown(api: Api, tmp_path: Path) -> None:
    """At a terminal every value is asked for, and the secret leaves no trace on it."""
    answers = [api.settings.project_id, api.settings.key_id, api.settings.key_secret, ""]
    prompts = ["Project id:", "Key id:", "Key secret (not shown):", "(Enter for none):"]
    environ = os.environ | {
        "SINCH_WRAPPER_CONFIG_DIR": str(tmp_path),
        "SINCH_SANDBOX_URL": api.url,
    }
    command = [sys.executable, "-m", "sinch_wrapper.cli", "login", "--plain"]
    with at_terminal(command, environ) as terminal:
        for prompt, answer in zip(prompts, answers, strict=True):
            terminal.read_until(prompt)
            terminal.type(f"{answer}\n")
        code = terminal.end()
    assert (0, False) == (code, api.settings.key_secret in terminal.seen)
    assert "unencrypted" in terminal.seen


def test_login_names_the_region_of_the_app(login: RunCli, api: Api) -> None:
    """An app of another region is refused before anything is stored, with its region."""
    body = {"display_name": "Elsewhere", "channel_credentials": []}
    app = api.ok("POST", "/eu/conversation/v1/~/apps", json=body)["id"]
    code, _, err = login("--plain", "--app", app)
    assert (1, True, False) == (code, "but in eu: --region eu" in err, profile_file().exists())
