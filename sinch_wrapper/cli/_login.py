"""The commands login, logout and profiles."""

# ruff: noqa: FBT001 (click passes each option as an argument)

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from sinch_wrapper._forget import forgetting
from sinch_wrapper.cli._account import PROFILE_VARIABLE, Account
from sinch_wrapper.cli._completion import complete_profile
from sinch_wrapper.cli._debug import debug_option
from sinch_wrapper.cli._doctor import region_of
from sinch_wrapper.cli._examples import examples
from sinch_wrapper.cli._inputs import text_of
from sinch_wrapper.cli._keyring import drop_secret, keep_secret, keyring_fault
from sinch_wrapper.cli._options import (
    REGIONS,
    account,
    as_json,
    client_of,
    options,
    profile_name,
    profile_option,
    sandbox_option,
    yes_option,
)
from sinch_wrapper.cli._profiles import (
    DEFAULT_PROFILE,
    Profile,
    is_profile_value,
    profile_file,
    read_profiles,
    write_profiles,
)
from sinch_wrapper.cli._terminal import path_text, say, say_json
from sinch_wrapper.errors import ConfigurationError, SinchError

_APPS_SHOWN = 10


def _value(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    del context, parameter
    return None if text is None else _cleaned(text)


def _cleaned(text: str) -> str:
    if not is_profile_value(found := text.strip()):
        raise click.BadParameter("expected letters, digits and signs without blanks.")
    return found


_named = click.option(
    "--profile",
    "name",
    metavar="NAME",
    shell_complete=complete_profile,
    envvar=PROFILE_VARIABLE,
    show_envvar=True,
    default=DEFAULT_PROFILE,
    show_default=True,
    callback=profile_name,
    help="Name of the profile.",
)
_IDENTITY = (
    click.option("--project", metavar="ID", callback=_value, help="Id of the project."),
    click.option("--key-id", metavar="ID", callback=_value, help="Id of the access key."),
    click.option(
        "--key-secret",
        metavar="@FILE",
        help="The secret in a file, or @- for stdin; without it, it is asked for and not shown.",
    ),
    click.option(
        "--region", type=click.Choice(REGIONS), help="Region in which the app was created."
    ),
    sandbox_option,
    click.option("--app", metavar="ID", callback=_value, help="App of commands without --app."),
)


@click.command(
    short_help="Check an access key, and store it as a profile.",
    epilog=examples(
        "login",
        "login --profile staging --region eu",
        "login --project ID --key-id ID --key-secret @secret.txt --region eu",
    ),
)
@_named
@options(_IDENTITY)
@click.option("--plain", is_flag=True, help="Write the secret into the file of profiles.")
@yes_option
@debug_option
@forgetting
def login(name: str, plain: bool, yes: bool, **given: Any) -> None:  # noqa: ANN401 (the values of _IDENTITY)
    """Check an access key, and store it as a profile for the other commands.

    Asks for what no option gives. The secret goes to the system's keyring, with --plain to the
    file of profiles, which only you can read.
    """
    if not plain and (fault := keyring_fault()) is not None:
        file = path_text(profile_file())
        raise ConfigurationError(f"{fault}; or --plain, which writes the secret into {file}")
    _check_replacing(name, read_profiles(), yes=yes)
    profile = _checked(_asked(given), given["app"])
    # Somebody may have logged in elsewhere while this person was asked.
    _store(name, profile, read_profiles(), plain=plain)
    where = f"at {profile.sandbox}" if profile.sandbox else f"in {profile.region}"
    say(f"Profile {name} works {where}. Its secret is in {_keeper(plain=plain)}.")


def _keeper(*, plain: bool) -> str:
    if not plain:
        return "the keyring of this system"
    return f"{path_text(profile_file())}, unencrypted, and only you can read that file"


def _check_replacing(name: str, known: Mapping[str, Profile], *, yes: bool) -> None:
    if yes or name not in known:
        return
    if not _is_interactive():
        raise click.UsageError(f"there is a profile {name}: --yes replaces it.")
    click.confirm(f"There is a profile {name}. Replace it?", abort=True, err=True)


def _is_interactive() -> bool:
    return bool(sys.stdin and sys.stdin.isatty())


@forgetting
def _asked(given: Mapping[str, Any]) -> Profile:
    """The profile that the options describe, and the person for what they leave open."""
    project_id = given["project"] or _ask("Project id", "--project")
    key_id = given["key_id"] or _ask("Key id", "--key-id")
    if (source := given["key_secret"]) is None:
        key_secret = _ask("Key secret (not shown)", "--key-secret", hidden=True)
    elif source.startswith("@"):
        key_secret = _cleaned(text_of(source, "--key-secret"))
    else:
        message = "--key-secret takes @FILE or @-: the list of processes shows what is typed here."
        raise click.UsageError(message)
    place = {"sandbox": given["sandbox"]} if given["sandbox"] else {"region": given["region"]}
    if not any(place.values()):
        place["region"] = _ask("Region", "--region", REGIONS)
    return Profile(project_id, key_id, key_secret=key_secret, **place)


@forgetting
def _ask(
    words: str, option: str, choices: Sequence[str] | None = None, *, hidden: bool = False
) -> str:
    if not _is_interactive():
        raise click.UsageError(f"missing {option}, and nobody can be asked.")
    if choices is not None:
        return click.prompt(words, type=click.Choice(choices), err=True)
    return click.prompt(words, value_proc=_cleaned, hide_input=hidden, err=True)


@forgetting
def _checked(profile: Profile, app_id: str | None) -> Profile:
    """*profile* with its app, when the API accepts the key and has the app there.

    Raises: ConfigurationError that says what is wrong.
    """
    found = Account("this login", "", **dataclasses.asdict(profile))
    try:
        with client_of(found) as sinch:
            listed = sinch.conversation.app.list_apps().apps or []
        apps = {str(each.id): str(each.display_name) for each in listed}
        if app_id is None and _is_interactive():
            app_id = _choose_app(apps)
        place = (
            None if app_id is None else region_of(dataclasses.replace(found, app_id=app_id), apps)
        )
    except SinchError as error:
        fault = found.words(error)
    else:
        if place is None or place.status == "ok":
            return dataclasses.replace(profile, app_id=app_id)
        fault = f"{place.seen}: {place.remedy}"
    raise ConfigurationError(f"nothing was stored: {fault}")


def _choose_app(apps: Mapping[str, str]) -> str | None:
    say("The key works." + (" Apps there:" if apps else " There is no app there."), err=True)
    for app_id in [*apps][:_APPS_SHOWN]:
        say(f"  {app_id}  {apps[app_id]}", err=True)
    words = "App id, for commands without --app (Enter for none)"
    answer: str = click.prompt(words, default="", show_default=False, err=True)
    return _cleaned(answer) if answer.strip() else None


@forgetting
def _store(name: str, profile: Profile, known: Mapping[str, Profile], *, plain: bool) -> None:
    before = known.get(name)
    is_kept = before is not None and before.key_secret is None
    if not plain:
        keep_secret(name, profile.key_id, profile.key_secret or "")
        profile = dataclasses.replace(profile, key_secret=None)
    try:
        write_profiles({**known, name: profile})
    except ConfigurationError:
        if not plain and not is_kept:
            drop_secret(name, profile.key_id)
        raise
    if before is not None and is_kept and (plain or before.key_id != profile.key_id):
        drop_secret(name, before.key_id)


@click.command(
    short_help="Delete a profile and its secret on this machine.",
    epilog=examples("logout --profile staging"),
)
@_named
def logout(name: str) -> None:
    """Delete a profile and its secret on this machine; the key itself stays valid."""
    known = read_profiles()
    if (profile := known.pop(name, None)) is None:
        raise ConfigurationError(f"no profile {name}: sinch-wrapper profiles lists them")
    if profile.key_secret is None:
        drop_secret(name, profile.key_id)
    write_profiles(known)
    say(f"Profile {name} is deleted. Its key is still valid: the dashboard of Sinch revokes it.")


@click.command(short_help="List the profiles, without their secrets.", epilog=examples("profiles"))
@profile_option
@as_json
def profiles(as_json: bool) -> None:
    """List the profiles, without their secrets; * marks the one in use."""
    known = read_profiles()
    used = _used()
    rows = [_row(name, each, is_used=name == used) for name, each in known.items()]
    if as_json:
        say_json(rows, indent=2)
        return
    for row in rows:
        mark, app = "*" if row["used"] else " ", row["app_id"] or "none"
        say(f"{mark} {row['name']}: {row['region'] or row['sandbox']}, app {app}")
        say(f"    project {row['project_id']}")
        say(f"    key {row['key_id']}, secret in the {row['secret']}")
    if not rows:
        say("There is no profile: sinch-wrapper login makes one.")
    elif used is None:
        say("None of them is in use: the credentials come from the environment.")


def _used() -> str | None:
    try:
        return account(None, None).profile
    except ConfigurationError:
        return None


def _row(name: str, profile: Profile, *, is_used: bool) -> dict[str, object]:
    shown: dict[str, object] = dataclasses.asdict(profile)
    secret = "keyring" if shown.pop("key_secret") is None else "file"
    return {"name": name, "used": is_used} | shown | {"secret": secret}
