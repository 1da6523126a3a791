"""What the commands show about saved and stored callbacks."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sinch_wrapper._validate import counted
from sinch_wrapper.callbacks import (
    Event,
    EventStore,
    batch_ref,
    delivery_report,
    read_event,
    verify,
)
from sinch_wrapper.cli._exit_codes import ExitCode, acts
from sinch_wrapper.cli._terminal import say, say_json
from sinch_wrapper.errors import CallbackError, SignatureError


def facts_of(event: Event) -> dict[str, object]:
    """The kind of *event* and the status in it; no phone number, no message text."""
    facts: dict[str, object] = {"trigger": event.trigger, "kind": event.kind}
    report = delivery_report(event)
    if report is not None:
        facts |= {"id": report.id, "status": report.status, "reason": report.reason}
    if isinstance(status := event.payload.get("batch_status"), str):
        facts["status"] = status
    batch = batch_ref(event)
    if batch is not None:
        facts |= {"batch_id": batch.batch_id, "index": batch.index}
    if event.accepted_time is not None:
        facts["accepted_time"] = event.accepted_time.isoformat()
    return facts


def show_facts(facts: Mapping[str, object], *, as_json: bool) -> None:
    """Print one line for people, or as JSON for programs."""
    if as_json:
        say_json(facts)
    else:
        say(line_of(facts))


def line_of(facts: Mapping[str, object]) -> str:
    """The words for *facts*."""
    first = facts.get("trigger") or facts.get("kind") or "no payload"
    rest = (
        f"{name}={value}"
        for name, value in facts.items()
        if name not in {"trigger", "kind"} and value not in {None, ""}
    )
    return " ".join([str(first), *rest])


def moment(seconds: float) -> str:
    """A Unix time in UTC, such as 2026-01-31T12:00:00+00:00; after the year 9999 the number."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.0f}"


def check(
    body: bytes,
    headers: list[tuple[str, str]],
    secrets: list[str],
    tolerance: float,
    *,
    as_json: bool,
) -> ExitCode:
    """Print in one line whether a saved request is valid; returns the exit code."""
    try:
        signed = moment(verify(body, headers, secrets, tolerance=tolerance))
        facts = facts_of(read_event(body))
    except CallbackError as error:
        if as_json:
            say_json({"valid": False, "why": str(error)})
        else:
            say(f"invalid: {error}")
        return ExitCode.FAILED
    number = _matching(body, headers, secrets)
    if as_json:
        say_json({"valid": True, "signed": signed, "secret": number} | facts)
        return ExitCode.OK
    place = f"secret {number} of {len(secrets)}" if len(secrets) > 1 else "the secret"
    say(f"valid: {line_of(facts)}, signed {signed} with {place}")
    return ExitCode.OK


def _matching(body: bytes, headers: list[tuple[str, str]], secrets: list[str]) -> int:
    """The number of the secret that signed a valid request, from 1."""
    for number, secret in enumerate(secrets[:-1], 1):
        try:
            verify(body, headers, secret, tolerance=float("inf"))
        except SignatureError:
            continue
        return number
    return len(secrets)


@contextmanager
def _opened(path: Path) -> Iterator[EventStore]:
    store = EventStore(path, must_exist=True)
    try:
        yield store
    finally:
        store.close()


def show_stored(path: Path, after: int, *, raw: bool, as_json: bool) -> None:
    """Print one line per callback in the store at *path*."""
    with _opened(path) as store:
        for stored in store.stored(after):
            if raw:
                say_json(stored.event.raw)
                continue
            facts = {"number": stored.id, "received": moment(stored.received)}
            show_facts(facts_of(stored.event) | facts, as_json=as_json)


def show_dead(path: Path, *, as_json: bool) -> None:
    """Print one line per dead letter in the store at *path*."""
    with _opened(path) as store:
        for letter in store.dead():
            facts = {
                "number": letter.id,
                "died": moment(letter.died),
                "attempts": letter.attempts,
                "error": letter.error,
            }
            show_facts(facts_of(letter.event) | facts, as_json=as_json)


def retry_dead(path: Path, ids: Sequence[int]) -> None:
    """Let handlers run again: of the dead letters with these *ids*, or of all."""
    acts()
    with _opened(path) as store:
        count = store.retry_dead(ids or None)
    found = counted(count, "callback")
    say(f"{found} will be handled again by the receiver, now or after its next start")
