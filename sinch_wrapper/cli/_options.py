"""Options that several commands share, and the client they describe."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sinch_wrapper._forget import forgetting
from sinch_wrapper.cli._account import (
    PROFILE_VARIABLE,
    REGION_VARIABLE,
    Account,
    resolve_account,
)
from sinch_wrapper.cli._completion import complete_app, complete_profile, completing
from sinch_wrapper.cli._debug import debug_option
from sinch_wrapper.cli._exit_codes import acts
from sinch_wrapper.cli._keyring import kept_secret
from sinch_wrapper.cli._profiles import is_profile_name, read_profiles
from sinch_wrapper.cli._wording import command_words
from sinch_wrapper.errors import AuthenticationError, ConfigurationError, SinchError

if TYPE_CHECKING:
    from sinch_wrapper import Endpoints, Region, Sinch

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

REGIONS = ("us", "eu", "br")
SECRETS_VARIABLE = "SINCH_CALLBACK_SECRETS"
_PROFILE = "sinch_wrapper.profile"

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def options(decorators: Sequence[Callable[[Any], Any]]) -> Callable[[CommandT], CommandT]:
    """Add options to a command; its help shows them in this order."""

    def add(command: CommandT) -> CommandT:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return add


def profile_name(
    _context: click.Context, _parameter: click.Parameter, text: str | None
) -> str | None:
    """The name of a profile, checked; raises click.BadParameter."""
    if text and not is_profile_name(text):
        raise click.BadParameter("a name has letters, digits, - and _ only.")
    return text or None


def _remember_profile(context: click.Context, parameter: click.Parameter, text: str | None) -> None:
    # Not a parameter of the commands: they pass region and sandbox on, and `client` looks here.
    context.meta[_PROFILE] = profile_name(context, parameter, text)


profile_option = click.option(
    "--profile",
    metavar="NAME",
    shell_complete=complete_profile,
    is_eager=True,
    expose_value=False,
    callback=_remember_profile,
    help=f"Use this profile instead of the environment.  [default: {PROFILE_VARIABLE}]",
)


sandbox_option = click.option(
    "--sandbox",
    envvar="SINCH_SANDBOX_URL",
    show_envvar=True,
    metavar="URL",
    help="Use a running sandbox instead of a region.",
)


_region = click.option(
    "--region",
    metavar="REGION",
    shell_complete=completing(lambda: REGIONS),
    help="Region in which the app was created: us, eu or br.  [default: SINCH_REGION]",
)


def connection_options(command: CommandT) -> CommandT:
    """Add --profile, --region, --sandbox and --debug to *command*."""
    return options((profile_option, _region, sandbox_option, debug_option))(command)


def app_of_profile() -> str | None:
    """The app of the profile in use; None without one."""
    # A mistake in the file of profiles is reported where the key is needed.
    with suppress(SinchError):
        return account(None, None).app_id
    return None


def given_or_missing(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> str | None:
    """The value of an option whose default may be None; raises click.MissingParameter then."""
    if value is None and not context.resilient_parsing:
        raise click.MissingParameter(ctx=context, param=parameter)
    return value


app_option = click.option(
    "--app",
    required=True,
    default=app_of_profile,
    callback=given_or_missing,
    shell_complete=complete_app,
    help="Id of the app that sends.  [default: that of the profile]",
)


def place(region: str | None, sandbox: str | None) -> "tuple[Region | None, Endpoints | None]":
    """Region and endpoints as the client takes them; a sandbox wins, as in the library.

    Raises: ConfigurationError for an unknown region, or a URL that is not one.
    """
    from sinch_wrapper import Endpoints, Region

    if sandbox:
        return None, Endpoints.sandbox(sandbox)
    return Region.parse(region) if region else None, None


def account(region: str | None, sandbox: str | None) -> Account:
    """Whom the running command calls for, and where; `_account` has the order of precedence.

    Raises: ConfigurationError that says what is missing, and for an unknown region, with a
        sandbox too.
    """
    from sinch_wrapper import Region

    if region:
        Region.parse(region)
    context = click.get_current_context(silent=True)
    named = context.meta.get(_PROFILE) if context else None
    return resolve_account(region, sandbox, named, os.environ, read_profiles)


def whereabouts(region: str | None, sandbox: str | None) -> "tuple[Endpoints, str | None]":
    """The endpoints of the running command, and its project when a profile has it.

    Without credentials as well, because nothing is sent.

    Raises: ConfigurationError when neither a region nor a sandbox is named, or the profile that
        is named does not exist.
    """
    from sinch_wrapper import Endpoints

    project_id = None
    with library_errors():
        try:
            found = account(region, sandbox)
            region, sandbox, project_id = found.region, found.sandbox, found.project_id
        except ConfigurationError:
            if click.get_current_context().meta.get(_PROFILE):
                raise
        where, server = place(region or os.environ.get(REGION_VARIABLE), sandbox)
        if server is None and where is None:
            raise ConfigurationError("missing region= (SINCH_REGION): set it to us, eu or br")
        return server or Endpoints.for_region(str(where)), project_id


@contextmanager
def client(
    region: str | None, sandbox: str | None, *, only_reads: bool = False
) -> "Iterator[Sinch]":
    """A client, with `library_errors`; credentials come from the environment or a profile.

    Unless it *only_reads*, what the command did is unknown when its output is lost.

    Raises: ConfigurationError that names what is missing.
    """
    with library_errors():
        found = account(region, sandbox)
        made = client_of(found)
        acts(possible=not only_reads)
        try:
            with made as sinch:
                yield sinch
        except AuthenticationError as error:
            error.args = (found.words(error),)
            raise


@forgetting
def client_of(found: Account) -> "Sinch":
    """A client for the account *found*.

    Raises: ConfigurationError for an unknown region, and when the keyring has no secret.
    """
    from sinch_wrapper import Sinch

    region, endpoints = place(found.region, found.sandbox)
    key_secret = found.key_secret
    if found.profile is not None and key_secret is None:
        key_secret = kept_secret(found.profile, found.key_id or "")
    return Sinch(
        project_id=found.project_id,
        key_id=found.key_id,
        key_secret=key_secret,
        region=region,
        endpoints=endpoints,
    )


def _host(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    try:
        text.encode("idna")
    except UnicodeError:
        text = ""
    # An empty name would listen on every address.
    if not text.strip():
        raise click.BadParameter("it is not a host name.")
    return text


host_option = click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    callback=_host,
    help="Address to listen on; 0.0.0.0 for all networks.",
)


@contextmanager
def library_errors(**names: str) -> Iterator[None]:
    """Put the errors of the library into the words of the command; *names* are those of options.

    Raises: click.UsageError for its ValueError or TypeError; its own errors pass.
    """
    try:
        yield
    except SinchError as error:
        error.args = (command_words(str(error), **names),)
        raise
    except (TypeError, ValueError) as error:
        words = command_words(str(error), **names)
        raise click.UsageError(words if words.endswith("?") else f"{words}.") from error


yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def pairs(option: str, form: str, texts: tuple[str, ...]) -> dict[str, str]:
    """Read strings of the *form* `NAME=VALUE`.

    Raises: click.UsageError that names the *option*, for a name given twice as well.
    """
    found: dict[str, str] = {}
    for name, value in pair_list(option, form, texts):
        if name in found:
            raise click.UsageError(f"{option} {name} is given twice.")
        found[name] = value
    return found


def pair_list(option: str, form: str, texts: tuple[str, ...]) -> list[tuple[str, str]]:
    """Read strings of the *form* `NAME=VALUE`, where a name may come again.

    Raises: click.UsageError that names the *option*.
    """
    found = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise click.UsageError(f"{option} {text}: expected {form}.")
        found.append((name, value))
    return found


def secret_option(command: CommandT) -> CommandT:
    """Add --secret-file to *command*."""
    return click.option(
        "--secret-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="File with the secrets of the webhooks, one per line.  "
        f"[default: {SECRETS_VARIABLE}, separated by spaces]",
    )(command)


def secrets_from(path: Path | None) -> list[str]:
    """The secrets in the file at *path*, else in the environment.

    Raises: ConfigurationError when there is none.
    """
    if path is None:
        found = os.environ.get(SECRETS_VARIABLE, "").split()
        if not found:
            raise ConfigurationError(
                f"no callback secret: set {SECRETS_VARIABLE} or give --secret-file with the "
                "secret of each webhook"
            )
        return found
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigurationError(
            f"--secret-file {path.name}: cannot read the file: {error.strerror}"
        ) from error
    except UnicodeDecodeError:
        raise ConfigurationError(f"--secret-file {path.name}: the file is not UTF-8") from None
    found = [line.strip() for line in lines if line.strip()]
    if not found:
        raise ConfigurationError(f"--secret-file {path.name}: the file holds no secret")
    return found


def read_headers(content: bytes) -> list[tuple[str, str]]:
    """The headers in a file: lines of `Name: value` up to a blank line, or a JSON object.

    Raises: click.UsageError when the file holds neither.
    """
    # Headers are bytes; `verify` refuses those that must be ASCII and are not.
    text = content.decode("latin-1").strip()
    if text.startswith("{"):
        return _from_json(content)
    pairs = []
    for line in text.splitlines():
        if not line.strip():
            break
        name, colon, value = line.partition(":")
        if colon:
            pairs.append((name.strip(), value.strip()))
    if not pairs:
        raise click.UsageError("--headers: no headers found; expected lines like 'Name: value'.")
    return pairs


def _from_json(content: bytes) -> list[tuple[str, str]]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise click.UsageError("--headers: looks like JSON but cannot be parsed.") from None
    return [
        (name, text)
        for name, value in found.items()
        for text in (value if isinstance(value, list) else [value])
        if isinstance(text, str)
    ]
