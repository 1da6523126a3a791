"""Whom a command calls for, and where: options, environment and profiles in their order.

1. The options `--region`, `--sandbox` and `--app`, and SINCH_SANDBOX_URL.
2. The profile that `--profile` names.
3. The environment: SINCH_PROJECT_ID, SINCH_KEY_ID and SINCH_KEY_SECRET; SINCH_REGION.
4. When it has none of the first three, the profile that SINCH_WRAPPER_PROFILE names, else the
   profile `default`.

Project and key come from one place: half a key of one and half of another would be neither.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sinch_wrapper._forget import forgetting
from sinch_wrapper.cli._profiles import DEFAULT_PROFILE, Profile
from sinch_wrapper.errors import ConfigurationError, SinchError

PROFILE_VARIABLE: Final = "SINCH_WRAPPER_PROFILE"
CREDENTIALS: Final = ("SINCH_PROJECT_ID", "SINCH_KEY_ID", "SINCH_KEY_SECRET")
_VARIABLES: Final = "SINCH_KEY_ID and SINCH_KEY_SECRET"
REGION_VARIABLE: Final = "SINCH_REGION"


@dataclass(frozen=True, slots=True)
class Account:
    """Project, key and place of a command; *source* says in words where the key comes from.

    *profile* is the name of the profile, None for the environment. *key_secret* is None when the
    keyring of the profile has it, and in the environment.
    """

    source: str
    profile: str | None = None
    project_id: str | None = None
    key_id: str | None = None
    key_secret: str | None = field(default=None, repr=False)
    region: str | None = None
    sandbox: str | None = None
    app_id: str | None = None

    def words(self, failure: SinchError) -> str:
        """What *failure* says, which knows the variables of the environment only."""
        if self.profile is None:
            return str(failure)
        return str(failure).replace(_VARIABLES, f"key id and secret of {self.source}")


@forgetting
def resolve_account(
    region: str | None,
    sandbox: str | None,
    named: str | None,
    environ: Mapping[str, str],
    profiles: Callable[[], Mapping[str, Profile]],
) -> Account:
    """Find the account for these options; *named* is --profile.

    The *profiles* are read only when the environment does not decide.

    Raises: ConfigurationError when nothing names a key, the environment has only a part of one,
        or the profile does not exist.
    """
    if named is None and any(environ.get(each) for each in CREDENTIALS):
        return _from_environment(region, sandbox, environ)
    name = named or environ.get(PROFILE_VARIABLE) or DEFAULT_PROFILE
    found = profiles()
    if (profile := found.get(name)) is None:
        raise ConfigurationError(_absent(name, found, environ))
    levels = [(region, sandbox), (profile.region, profile.sandbox)]
    if named is None:
        levels.insert(1, (environ.get(REGION_VARIABLE), None))
    where, server = _first_place(levels)
    return Account(
        f"profile {name}", name, profile.project_id, profile.key_id, profile.key_secret,
        where, server, profile.app_id,
    )  # fmt: skip


def _from_environment(
    region: str | None, sandbox: str | None, environ: Mapping[str, str]
) -> Account:
    if missing := [each for each in CREDENTIALS if not environ.get(each)]:
        message = (
            f"missing in the environment: {', '.join(missing)}; a profile is used when none of "
            f"{', '.join(CREDENTIALS)} is set, or with --profile"
        )
        raise ConfigurationError(message)
    where, server = _first_place([(region, sandbox), (environ.get(REGION_VARIABLE), None)])
    return Account("the environment", region=where, sandbox=server)


def _first_place(levels: Iterable[tuple[str | None, str | None]]) -> tuple[str | None, str | None]:
    """The first level that names a place; at one level a sandbox wins, as in the library."""
    region, sandbox = next((each for each in levels if any(each)), (None, None))
    return (None, sandbox) if sandbox else (region, None)


def _absent(name: str, found: Mapping[str, Profile], environ: Mapping[str, str]) -> str:
    if name == DEFAULT_PROFILE and not environ.get(PROFILE_VARIABLE):
        choose = f", or choose one of {', '.join(found)} with --profile" if found else ""
        return (
            f"no credentials: sinch-wrapper login stores them{choose}, or set "
            f"{', '.join(CREDENTIALS)}"
        )
    known = f"there are {', '.join(sorted(found))}" if found else "there is none"
    return f"no profile {name}: {known}; sinch-wrapper login --profile {name} makes it"
