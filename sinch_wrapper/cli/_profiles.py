"""Profiles: who calls the API and where, under a name, in one file that belongs to its owner.

The file is `profiles.toml` in the platform's folder for settings, or in the folder that
SINCH_WRAPPER_CONFIG_DIR names. A profile without `key_secret` has its secret in the system's
keyring.
"""

import contextlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

import click

from sinch_wrapper._forget import forgetting
from sinch_wrapper.cli._terminal import path_text
from sinch_wrapper.errors import ConfigurationError

DEFAULT_PROFILE: Final = "default"
FOLDER_VARIABLE: Final = "SINCH_WRAPPER_CONFIG_DIR"
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VALUE: Final = re.compile(r"[\x21-\x7e]+")
_PLACE: Final = re.compile(r"at line \d+, column \d+")
_OTHERS: Final = 0o077
_HEADER: Final = "# Written by `sinch-wrapper login`, which keeps no comments.\n"


@dataclass(frozen=True, slots=True)
class Profile:
    """Whom the command calls for, and where: in *region*, or at the URL *sandbox*.

    *app_id* is the app of commands without --app. *key_secret* is None when the keyring has it.
    """

    project_id: str
    key_id: str
    region: str | None = None
    sandbox: str | None = None
    app_id: str | None = None
    key_secret: str | None = field(default=None, repr=False)


_KEYS: Final = {each.name for each in fields(Profile)}


def is_profile_name(text: str) -> bool:
    """Whether *text* can name a profile: letters, digits, `-` and `_`."""
    return _NAME.fullmatch(text) is not None


def is_profile_value(text: object) -> bool:
    """Whether *text* can be an id, a key or a URL: printable ASCII without blanks."""
    return isinstance(text, str) and _VALUE.fullmatch(text) is not None


def profile_file() -> Path:
    """Where the profiles are kept."""
    folder = os.environ.get(FOLDER_VARIABLE) or click.get_app_dir("sinch-wrapper")
    return Path(folder, "profiles.toml")


@forgetting
def read_profiles() -> dict[str, Profile]:
    """The profiles by name; none when there is no file.

    Raises: ConfigurationError when the file cannot be read, is not what `login` writes, or holds
        a secret that others may read.
    """
    import tomllib

    path, fault = profile_file(), None
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        fault = f"cannot read the file: {error.strerror}"
    except UnicodeDecodeError:
        fault = "the file is not UTF-8"
    except tomllib.TOMLDecodeError as error:
        # The other words of the error may be those of the file.
        place = _PLACE.search(str(error))
        fault = f"not TOML{f' {place.group()}' if place else ''}"
    if fault is not None:
        raise ConfigurationError(f"{path_text(path)}: {fault}")
    found = {name: _profile(path, name, table) for name, table in tables.items()}
    _check_mode(path, found)
    return found


def _profile(path: Path, name: str, table: object) -> Profile:
    if not is_profile_name(name) or not isinstance(table, dict):
        raise ConfigurationError(f"{path_text(path)}: expected tables such as [default] only")
    where = f"{path_text(path)}, profile {name}"
    if not table.keys() <= _KEYS:
        raise ConfigurationError(f"{where}: a key that is not one of {_names(_KEYS)}")
    if wrong := [key for key, each in table.items() if not is_profile_value(each)]:
        raise ConfigurationError(f"{where}: {wrong[0]} must be a string without blanks")
    if missing := {"project_id", "key_id"} - table.keys():
        raise ConfigurationError(f"{where}: missing {_names(missing)}")
    if ("region" in table) == ("sandbox" in table):
        raise ConfigurationError(f"{where}: give either region or sandbox")
    return Profile(**table)


def _names(keys: set[str]) -> str:
    return ", ".join(sorted(keys))


def _check_mode(path: Path, found: Mapping[str, Profile]) -> None:
    if os.name != "posix" or all(each.key_secret is None for each in found.values()):
        return
    if path.stat().st_mode & _OTHERS:
        file = path_text(path)
        raise ConfigurationError(f"others may read {file}, which holds a secret: chmod 600 {file}")


@forgetting
def write_profiles(found: Mapping[str, Profile]) -> None:
    """Replace the file by one with these profiles, which only its owner can read (mode 0600).

    Raises: ConfigurationError when it cannot be written; the old file is kept then.
    """
    path, reason = profile_file().resolve(), None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(path, "\n".join([_HEADER, *map(_table, found, found.values())]))
    except OSError as error:
        reason = error.strerror
    if reason is not None:
        raise ConfigurationError(f"{path_text(path)}: cannot write the file: {reason}")


def _replace(path: Path, content: str) -> None:
    import tempfile

    # A new file of tempfile has mode 0600.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _table(name: str, profile: Profile) -> str:
    # Strings of printable ASCII are the same in JSON and TOML.
    values = {each.name: getattr(profile, each.name) for each in fields(profile)}
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in values.items() if value]
    return f"[{name}]\n{''.join(lines)}"
