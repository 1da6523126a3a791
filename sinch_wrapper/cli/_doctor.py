"""The command doctor: looks at everything between this machine and the API."""

# ruff: noqa: FBT001 (click passes each option as an argument)

import dataclasses
import os
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import click

from sinch_wrapper.cli._account import Account
from sinch_wrapper.cli._completion import complete_app
from sinch_wrapper.cli._doctor_rules import (
    Finding,
    clock_finding,
    credentials_finding,
    mode_finding,
    proxy_finding,
    region_finding,
    tls_finding,
    unchecked,
    webhook_finding,
)
from sinch_wrapper.cli._examples import examples
from sinch_wrapper.cli._exit_codes import ExitCode, leave
from sinch_wrapper.cli._options import (
    REGIONS,
    account,
    as_json,
    client_of,
    connection_options,
    place,
)
from sinch_wrapper.cli._terminal import say_json, say_wrapped
from sinch_wrapper.errors import APIStatusError, ConfigurationError, SinchError

if TYPE_CHECKING:
    from sinch_wrapper import Sinch

_PATIENCE: Final = 10.0
_INDENT: Final = " " * 26
_EXAMPLES = examples(
    "doctor",
    "doctor --app 01J0SANDB0X0APP00000000000 --json",
)


@dataclass(frozen=True, slots=True)
class _Reply:
    """What a call gave: its parsed value or its failure, and how far ahead our clock was."""

    value: Any = None
    failure: SinchError | None = None
    skew: float | None = None


@click.command(short_help="Check what calls depend on.", epilog=_EXAMPLES)
@connection_options
@click.option(
    "--app", shell_complete=complete_app, help="App to look at.  [default: that of the profile]"
)
@as_json
def doctor(region: str | None, sandbox: str | None, app: str | None, as_json: bool) -> None:
    """Check what calls depend on, and say what to do about what is wrong.

    Looks at the credentials, the region of the app, the clock, proxy, certificates, webhooks and
    the app itself. Nothing is sent or changed; each webhook gets a GET from this machine. The exit
    code is 0 when all is well.
    """
    try:
        found = account(region, sandbox)
    except ConfigurationError as error:
        findings = [Finding("credentials", "wrong", str(error), "sinch-wrapper login")]
    else:
        findings = list(diagnose(dataclasses.replace(found, app_id=app or found.app_id)))
    if as_json:
        say_json([dataclasses.asdict(each) for each in findings], indent=2)
    else:
        _show(findings)
    leave(ExitCode.OK if all(each.status == "ok" for each in findings) else ExitCode.FAILED)


def _show(findings: list[Finding]) -> None:
    for each in findings:
        say_wrapped(f"{each.status:11}  {each.check:11}  {each.seen}", _INDENT)
        if each.remedy:
            say_wrapped(f"{_INDENT}-> {each.remedy}", f"{_INDENT}   ")


def diagnose(found: Account, now: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Check what calls of the account *found* depend on; *now* is the clock."""
    try:
        url = _url_of(found)
        sinch = client_of(found)
    except ConfigurationError as error:
        check = "region" if not (found.region or found.sandbox) else "credentials"
        yield Finding(check, "wrong", str(error), "sinch-wrapper login")
        return
    with sinch:
        yield from _called(sinch, found, url, now)


def _called(
    sinch: "Sinch", found: Account, url: str, now: Callable[[], float]
) -> Iterator[Finding]:
    from sinch_wrapper import RetryPolicy

    once = sinch.with_options(timeout=_PATIENCE, retry=RetryPolicy(attempts=1))
    token = _reply(once.fetch_token, now)
    apps = token if token.failure else _reply(once.conversation.app.list_apps_detailed, now)
    said = found.words(apps.failure) if apps.failure else ""
    yield credentials_finding(found.source, apps.failure, said)
    if apps.failure is None:
        known = {str(each.id): each for each in apps.value.apps or []}
        yield region_of(found, known.keys())
    else:
        yield unchecked("region", "needs credentials")
    yield clock_finding(apps.skew)
    yield _proxy(url)
    yield _tls(url, apps.failure)
    if apps.failure is None and found.app_id in known:
        yield from _webhooks(once, found, now)
        yield mode_finding(known[str(found.app_id)].to_dict(), is_sandbox=bool(found.sandbox))
        return
    why = "needs the app" if found.app_id or apps.failure else "needs --app"
    yield unchecked("webhook", why)
    yield unchecked("app mode", why)


def _url_of(found: Account) -> str:
    """The base URL of the Conversation API for *found*; raises ConfigurationError."""
    from sinch_wrapper import Endpoints

    region, endpoints = place(found.region, found.sandbox)
    if endpoints is None and region is None:
        raise ConfigurationError(f"no region: --region with one of {', '.join(REGIONS)}")
    return (endpoints or Endpoints.for_region(region or "")).conversation


def _reply(call: Callable[[], Any], now: Callable[[], float]) -> _Reply:
    began = now()
    try:
        value = call()
    except APIStatusError as error:
        return _Reply(failure=error, skew=_skew(error.response.headers.get("date"), began, now()))
    except SinchError as error:
        return _Reply(failure=error)
    headers = getattr(value, "headers", {})
    return _Reply(getattr(value, "parsed", value), skew=_skew(headers.get("date"), began, now()))


def _skew(date: str | None, began: float, ended: float) -> float | None:
    if date is None:
        return None
    from email.utils import parsedate_to_datetime

    try:
        # The server wrote it between the two, and cut off the fraction.
        return (began + ended) / 2 - (parsedate_to_datetime(date).timestamp() + 0.5)
    except ValueError:
        return None


def region_of(found: Account, apps: Collection[str]) -> Finding:
    """Whether the app of *found* is one of its *apps*; if not, the other regions are asked."""
    where = f"at {found.sandbox}" if found.sandbox else f"in {found.region}"
    is_there = found.app_id in apps if found.app_id else bool(apps)
    elsewhere = [] if is_there else [*_homes(found)]
    return region_finding(where, found.app_id, apps, elsewhere)


def _homes(found: Account) -> Iterator[str]:
    """The regions that have the app of *found*, or without one any app."""
    for region in REGIONS:
        if region == found.region:
            continue
        # A sandbox has its other regions below their names.
        sandbox = found.sandbox and f"{found.sandbox.rstrip('/')}/{region}"
        there = dataclasses.replace(found, region=None if sandbox else region, sandbox=sandbox)
        with client_of(there) as sinch:
            reply = _reply(sinch.conversation.app.list_apps_detailed, time.time)
        apps = {str(each.id) for each in reply.value.apps or []} if reply.value else set()
        if found.app_id in apps or (found.app_id is None and apps):
            yield region


def _proxy(url: str) -> Finding:
    from sinch_wrapper.cli._reachability import connection_fault, proxy_address, proxy_of

    if (proxy := proxy_of(url)) is None:
        return proxy_finding(None, None)
    if (address := proxy_address(proxy)) is None:
        return proxy_finding("the proxy of the environment", "it is not a URL")
    return proxy_finding(f"{address[0]}:{address[1]}", connection_fault(address))


def _tls(url: str, failure: SinchError | None) -> Finding:
    parts = urlsplit(url)
    is_own = any(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
    is_used = parts.scheme == "https"
    return tls_finding(parts.hostname or "", failure, is_used=is_used, is_own=is_own)


def _webhooks(sinch: "Sinch", found: Account, now: Callable[[], float]) -> Iterator[Finding]:
    app_id = found.app_id or ""
    reply = _reply(lambda: sinch.conversation.webhooks.list_webhooks_detailed(app_id), now)
    if reply.failure is not None:
        yield unchecked("webhook", str(reply.failure))
        return
    from sinch_wrapper.cli._reachability import status_of

    targets = [str(each.target) for each in reply.value.webhooks or []]
    if not targets:
        yield Finding("webhook", "ok", "none: nothing reports what becomes of messages")
    for target in targets:
        yield webhook_finding(target, status_of(target), is_sandbox=bool(found.sandbox))
