"""What `doctor` makes of what it saw: pure rules, one for each line of its output."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Literal
from urllib.parse import urlsplit

from sinch_wrapper._validate import counted
from sinch_wrapper.errors import APIConnectionError, AuthenticationError, PermissionDeniedError
from sinch_wrapper.errors import SinchError as Failure

Status = Literal["ok", "wrong", "not checked"]

# A receiver refuses signatures that are 300 s off; half a minute is a clock that nobody sets.
MOST_SKEW: Final = 30.0
_CERTIFICATE: Final = "certificate"
_FOUND: Final = range(200, 300)
_MOVED: Final = range(300, 400)
_RETARGET: Final = "give it a public URL: sinch-wrapper api Webhooks_UpdateWebhook --help"
_ABSENT: Final = range(400, 500)
# What a receiver says to a request that is not a signed POST.
_REFUSED: Final = frozenset({400, 401, 403, 405, 411, 415, 422, 426})
_MODES: Final = {
    "DISPATCH": "messages are not stored in conversations, and have no contacts",
    "CONVERSATION": "messages are stored in conversations of contacts",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of the output: what was checked, how it is, what was seen, and what to do about it."""

    check: str
    status: Status
    seen: str
    remedy: str = ""


def unchecked(check: str, why: str) -> Finding:
    """A line for what could not be checked."""
    return Finding(check, "not checked", why)


def is_about_certificates(failure: Failure | None) -> bool:
    """Whether a call failed because a certificate is not trusted, or none can be read."""
    return failure is not None and _CERTIFICATE in str(failure)


def credentials_finding(source: str, failure: Failure | None, said: str) -> Finding:
    """The key of *source*, of which the API said *failure*, in words *said*, or nothing."""
    if failure is None:
        return Finding("credentials", "ok", f"the API accepts the key of {source}")
    if isinstance(failure, APIConnectionError):
        return unchecked("credentials", f"no response: {said}")
    remedy = "try again later"
    if isinstance(failure, AuthenticationError | PermissionDeniedError):
        remedy = "copy project id, key id and secret again: sinch-wrapper login"
    return Finding("credentials", "wrong", f"{source}: {said}", remedy)


def region_finding(
    place: str, app_id: str | None, apps: Collection[str], elsewhere: Collection[str]
) -> Finding:
    """Whether the app, or without one any app, is among the *apps* of *place*.

    *elsewhere* are the other regions that have it.
    """
    if app_id is None and apps:
        return Finding("region", "ok", f"{counted(len(apps), 'app')} {place}; --app checks one")
    if app_id is not None and app_id in apps:
        return Finding("region", "ok", f"app {app_id} is {place}")
    what = "no app is" if app_id is None else f"app {app_id} is not"
    if elsewhere:
        first = min(elsewhere)
        seen = f"{what} {place}, but in {', '.join(sorted(elsewhere))}"
        remedy = f"--region {first}, or SINCH_REGION={first}, or sinch-wrapper login again"
        return Finding("region", "wrong", seen, remedy)
    remedy = (
        "copy the app id again, or make the app: sinch-wrapper api App_CreateApp --body @app.json"
    )
    return Finding("region", "wrong", f"{what} in any region of this project", remedy)


def clock_finding(skew: float | None) -> Finding:
    """Seconds that the clock of this machine is ahead of the server's `Date`."""
    if skew is None:
        return unchecked("clock", "no response with a Date")
    if abs(skew) <= MOST_SKEW:
        return Finding("clock", "ok", f"within {MOST_SKEW:.0f} s of the server's")
    way = "ahead of" if skew > 0 else "behind"
    seen = f"{abs(skew):.0f} s {way} the server's"
    remedy = "set the clock (NTP): signatures of callbacks and times of schedules depend on it"
    return Finding("clock", "wrong", seen, remedy)


def proxy_finding(proxy: str | None, fault: str | None) -> Finding:
    """The *proxy*, as host and port, that requests go through, and why it cannot be reached."""
    if proxy is None:
        return Finding("proxy", "ok", "none")
    if fault is None:
        return Finding("proxy", "ok", f"{proxy} answers")
    remedy = "correct HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or name the host in NO_PROXY"
    return Finding("proxy", "wrong", f"{proxy}: {fault}", remedy)


def tls_finding(host: str, failure: Failure | None, *, is_used: bool, is_own: bool) -> Finding:
    """Whether the certificate of *host* is trusted, by authorities of one's *own* or the usual."""
    if not is_used:
        return Finding("tls", "ok", f"not used: {host} is a sandbox on plain http")
    if is_about_certificates(failure):
        remedy = "SSL_CERT_FILE names the authority of a proxy or sandbox; look at the clock, too"
        return Finding("tls", "wrong", str(failure), remedy)
    if isinstance(failure, APIConnectionError):
        return unchecked("tls", "no response")
    authorities = "SSL_CERT_FILE or SSL_CERT_DIR" if is_own else "the usual authorities"
    return Finding("tls", "ok", f"the certificate of {host} is trusted, by {authorities}")


def webhook_finding(target: str, answer: int | str, *, is_sandbox: bool) -> Finding:
    """A webhook whose URL gave the status *answer* to a GET from here, or the words why not."""
    try:
        parts = urlsplit(target)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return Finding("webhook", "wrong", "a target is not a URL", _RETARGET)
    # Its user, password and query may be secrets.
    shown = f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
    if not is_sandbox and _is_private(parts.hostname or ""):
        return Finding("webhook", "wrong", f"{shown}: Sinch cannot reach such a host", _RETARGET)
    if isinstance(answer, str):
        remedy = "start the receiver, or correct the target; from elsewhere it may look different"
        return Finding("webhook", "wrong", f"{shown} cannot be reached from here: {answer}", remedy)
    if answer in _FOUND or answer in _REFUSED:
        seen = f"{shown} responds to this machine ({answer}); Sinch may see something else"
        return Finding("webhook", "ok", seen)
    seen = f"{shown} responds with {answer}"
    if answer in _MOVED:
        return Finding("webhook", "wrong", seen, "the target must be where it redirects to")
    remedy = "correct the path, or the server behind it" if answer in _ABSENT else "look at its log"
    return Finding("webhook", "wrong", seen, remedy)


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host


def mode_finding(app: Mapping[str, object], *, is_sandbox: bool) -> Finding:
    """How the *app*, as the API describes it, works, and whether its channels do."""
    mode = str(app.get("processing_mode") or "DISPATCH")
    states = dict(_channels(app))
    broken = [f"{each} is {state}" for each, state in states.items() if state != "ACTIVE"]
    if broken or not (states or is_sandbox):
        seen = f"{mode}, and {', '.join(broken) or 'the app has no channel'}"
        return Finding("app mode", "wrong", seen, "set up its channels in the dashboard of Sinch")
    names = ", ".join(states) or "all, because the app of a sandbox names none"
    meaning = _MODES.get(mode, "not known to this version")
    return Finding("app mode", "ok", f"{mode}: {meaning}; channels: {names}")


def _channels(app: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    credentials = app.get("channel_credentials")
    for each in credentials if isinstance(credentials, list) else []:
        if isinstance(each, dict):
            state = each.get("state")
            status = state.get("status") if isinstance(state, dict) else None
            yield str(each.get("channel")), str(status or "ACTIVE")
