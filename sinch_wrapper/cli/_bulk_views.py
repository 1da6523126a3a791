"""What the bulk commands show: progress, reports, cancellations, and the exit code of each."""

import contextlib
import dataclasses
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping

import click

from sinch_wrapper._validate import counted
from sinch_wrapper.bulk import (
    BulkInterruptedError,
    BulkStoppedError,
    Cancellation,
    Preview,
    ProbeResult,
    Report,
    SentAgain,
    StopReason,
)
from sinch_wrapper.cli._bulk_progress import ProgressView, progress_view, span
from sinch_wrapper.cli._exit_codes import ExitCode, Interrupted
from sinch_wrapper.cli._interrupts import ended_by_signals, stopping
from sinch_wrapper.cli._places import JobPlace
from sinch_wrapper.cli._preview_views import show_preview
from sinch_wrapper.cli._terminal import path_text, say, say_json
from sinch_wrapper.cli._wording import command_words

# What may be a phone number in the words of the server.
_NUMBER = re.compile(r"\+?\d(?:[\s().-]?\d){5,}")
# Unknown requests that are named.
_SHOWN = 20
_COUNTS = (
    "total",
    "accepted",
    "rejected",
    "unknown",
    "pending",
    "invalid",
    "duplicates",
    "suppressed",
)


def run_job(
    send: Callable[..., Report],
    job: JobPlace,
    *,
    as_json: bool,
    asks: bool = False,
    workers: str = "",
) -> ExitCode:
    """Run *send*, which Ctrl-C stops gently, and show its report; returns the exit code.

    When it *asks*, a person at the terminal sees a new job before it begins. *workers* is "follow"
    when others send it, and "give" when nobody waits for them.
    """
    # The view puts a file of its own in the place of stderr.
    asks = asks and _is_attended()
    with stopping() as stop, progress_view(silent=as_json) as view:
        approval = {"approve": _asking(view)} if asks else {}
        try:
            report = send(stop=stop, progress=view, **approval)
        except BulkInterruptedError as error:
            raise Interrupted(command_words(str(error))) from error
        except BulkStoppedError as error:
            if error.report is not None:
                show(error.report, as_json=as_json)
            is_over = error.report is not None and not error.report.pending
            hint = "" if is_over else f" with sinch-wrapper bulk resume {path_text(job)}"
            raise click.ClickException(f"{command_words(str(error))}{hint}") from error
    show(report, as_json=as_json)
    if workers and (workers == "give" or report.stopped == StopReason.STOPPED):
        return _left_to_workers(report, job, as_json=as_json)
    if not as_json:
        _show_what_comes(report, job, view.to_deliver)
    return _code_of(report)


def _show_what_comes(report: Report, job: JobPlace, to_deliver: float) -> None:
    if report.stopped:
        _show_next_step(report, job)
    elif to_deliver >= _WORTH_SAYING:
        say(f"Delivered in about {span(to_deliver)}.")


def _left_to_workers(report: Report, job: JobPlace, *, as_json: bool) -> ExitCode:
    """Say that workers go on with a job; the exit code of who does not wait for them."""
    if not as_json:
        say("Workers go on with it (sinch-wrapper bulk work). How far it is:")
        say(f"  sinch-wrapper bulk report {path_text(job)}")
    return ExitCode.INTERRUPTED if report.stopped else ExitCode.OK


def _code_of(report: Report) -> ExitCode:
    """The exit code of a job with *report*."""
    if report.stopped == "stopped":
        return ExitCode.INTERRUPTED
    if report.twice:
        return ExitCode.TWICE
    if report.unknown:
        return ExitCode.UNKNOWN
    is_whole = not (report.rejected or report.pending or report.damaged)
    return ExitCode.OK if is_whole else ExitCode.FAILED


def _forget_typed() -> None:
    """Forget what was typed before a question was seen: it is not the answer."""
    # Systems without termios have no other way that is as simple.
    with contextlib.suppress(ImportError, OSError):
        import termios

        termios.tcflush(sys.stdin, termios.TCIFLUSH)


def _is_attended() -> bool:
    """Whether a person can see a question and answer it."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def _show_next_step(report: Report, job: JobPlace) -> None:
    if report.resumable:
        say(f"Not done: {report.stopped}. Resume with")
        say(f"  sinch-wrapper bulk resume {path_text(job)}")
        if report.unknown and not report.pending:
            say("It looks for them once more. To send to them all the same:")
            say(f"  sinch-wrapper bulk send-again {path_text(job)}")
        if report.stopped in {StopReason.PILOT, StopReason.NO_RECEIPTS, StopReason.FAILURES}:
            say("It stops again as long as that is so. To go on all the same, add --go-on")
    else:
        say(
            "Unconfirmed requests cannot be looked up with this API version, "
            "so they are never resent."
        )


# Seconds of delivery.
_WORTH_SAYING = 60.0
# Recipients that are sent to without a question.
_HANDFUL = 5


def _asking(view: ProgressView) -> Callable[[Preview], bool]:
    """What shows a preview to the person at the terminal, and asks."""

    def approve(found: Preview) -> bool:
        if found.total <= _HANDFUL:
            return True
        with ended_by_signals(), view.paused():
            show_preview(found, 1, is_short=True)
            _forget_typed()
            return click.confirm(f"Send to {counted(found.total, 'recipient')}?", err=True)

    return approve


def show(report: Report, *, as_json: bool) -> None:
    """Print the counts of a job."""
    counts = {name: getattr(report, name) for name in _COUNTS}
    if as_json:
        more = {
            "job": report.job,
            "parent": report.parent,
            "stopped": report.stopped,
            "by_state": report.by_state,
            "reasons": report.reasons,
            "understood": report.understood,
            "warnings": report.warnings,
            "twice": report.twice,
            "damaged": report.damaged,
            "sent_again": [dataclasses.asdict(each) for each in report.sent_again],
        }
        say_json(counts | more)
        return
    for warning in report.warnings:
        say(f"Note: {command_words(warning)}.", err=True)
    _say_states(report, counts)
    if report.reasons:
        say("Reasons: " + _listed(report.reasons))
    for again in report.sent_again:
        say(f"Sent again: {_again(again)}.")
    if first := next(report.recipients("rejected"), None) if report.rejected else None:
        column = f", {first.column}" if first.column else ""
        detail = command_words(_NUMBER.sub("<number>", first.detail))
        say(f"The first rejected is on line {first.line}{column}: {detail}")


def _again(again: SentAgain) -> str:
    what = f"request {again.number} ({counted(again.recipients, 'recipient')})"
    known = again.evidence
    if known is None:
        return f"{what}, on your word"
    return (
        f"{what}, missing {known['waited']:.0f} s after it had left from a list of "
        f"{known['listed']:.0f} that holds request {known['elder']:.0f} from before and "
        f"{known['witness']:.0f} from after it"
    )


def may_send_again(report: Report, *, yes: bool) -> bool:
    """Show what is known about the unknown requests, and ask whether to send them again."""
    unknown = [batch for batch in report.batches() if batch.state in {"unknown", "sending"}]
    if not unknown:
        say("Nothing is unknown.")
        return False
    people = counted(sum(batch.recipients for batch in unknown), "recipient")
    say(f"{counted(len(unknown), 'request')} to {people}, outcome unknown:", err=True)
    for batch in unknown[:_SHOWN]:
        times = "once" if batch.sent == 1 else f"{batch.sent} times"
        said = f": {batch.reason}" if batch.reason else ""
        who = counted(batch.recipients, "recipient")
        say(f"  request {batch.number}, {who}, left {times}{said}", err=True)
    if len(unknown) > _SHOWN:
        say(f"  and {len(unknown) - _SHOWN} more", err=True)
    if yes:
        return True
    if not sys.stdin or not sys.stdin.isatty():
        raise click.UsageError("this may send twice, and nobody can be asked: give --yes.")
    words = "They are looked up once more. Send to those that are not found? They may get it twice"
    return click.confirm(words, err=True)


def may_probe(count: int, *, yes: bool) -> bool:
    """Ask a person at the terminal before messages that cost money leave."""
    if yes or not sys.stdin or not sys.stdin.isatty():
        return True
    return click.confirm(f"Send {counted(count, 'message')}, which cost as others do?", err=True)


def show_probe(found: ProbeResult, *, as_json: bool) -> ExitCode:
    """Print what look-ups did; returns the exit code."""
    if as_json:
        say_json(dataclasses.asdict(found) | {"promise": found.promise})
    else:
        lags = ", ".join(f"{lag:.1f}" for lag in found.lags) or "none"
        say(f"{counted(found.accepted, 'batch')} accepted, {found.listed} listed.")
        say(f"Seconds until listed: {lags}.")
        say(f"Listed in order: {_yes(found.in_order)}. Stayed: {_yes(found.steady)}.")
        say(f"Every response readable: {_yes(found.readable)}.")
        say(f"{found.promise[0].upper()}{found.promise[1:]}.")
    return ExitCode.OK if found.accepted == found.listed else ExitCode.FAILED


def _say_states(report: Report, counts: Mapping[str, int]) -> None:
    """Say what became of the recipients, and where that differs, of their requests."""
    states = {str(state): many for state, many in report.by_state.items()}
    by_request = {name.removesuffix("s"): many for name, many in counts.items()}
    del by_request["total"]
    is_same = states == {name: many for name, many in by_request.items() if many}
    head = counted(report.total, "recipient")
    say(f"{head}: {_listed(counts if is_same else states)}")
    if not is_same:
        say(f"By request: {_listed(counts)}")


def _yes(value: bool) -> str:  # noqa: FBT001 (one value)
    return "yes" if value else "no"


def _listed(counts: Mapping[str, int]) -> str:
    found = [
        counted(many, "duplicate") if name.startswith("duplicate") else f"{many} {name}"
        for name, many in counts.items()
        if many and name != "total"
    ]
    return ", ".join(found) or "none"


def show_recipients(report: Report, states: tuple[str, ...]) -> None:
    """Print one JSON line per recipient in one of the *states*, or in any."""
    for result in report.recipients(*states):
        say_json(dataclasses.asdict(result))


def show_batches(report: Report, *, as_json: bool) -> ExitCode:
    """Print the batches of a job as JSON lines, or how many have each status."""
    code = ExitCode.TWICE if report.twice else ExitCode.OK
    if as_json:
        for batch in report.batches():
            say_json(dataclasses.asdict(batch))
        return code
    for warning in report.warnings:
        say(f"Note: {command_words(warning)}.", err=True)
    statuses = Counter(batch.status or batch.state for batch in report.batches())
    say(f"{counted(statuses.total(), 'batch')}: " + _listed(statuses))
    return code


def show_cancellation(done: Cancellation, *, as_json: bool) -> ExitCode:
    """Print what was really cancelled; returns the exit code."""
    if as_json:
        say_json(dataclasses.asdict(done))
    else:
        gone = f"{counted(len(done.cancelled), 'batch')} cancelled"
        if done.recipients:
            gone += f" ({counted(done.recipients, 'recipient')})"
        late, unknown = counted(len(done.too_late), "batch"), counted(len(done.unknown), "batch")
        say(f"{gone}. Too late: {late}. Unknown: {unknown}.")
        if done.never_sent:
            say(f"Withdrawn before sending: {counted(done.never_sent, 'recipient')}.")
    if done.unknown:
        return ExitCode.UNKNOWN
    return ExitCode.FAILED if done.too_late else ExitCode.OK
