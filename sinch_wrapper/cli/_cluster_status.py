"""What goes on in a cluster, as the command shows it: lines for people, or JSON."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from sinch_wrapper._validate import counted
from sinch_wrapper.cli._bulk_progress import span
from sinch_wrapper.cli._terminal import say, say_json
from sinch_wrapper.errors import DatabaseAwayError

if TYPE_CHECKING:
    from sinch_wrapper.cluster import ClusterStatus, JobStatus

# Seconds between two looks.
_TICK: Final = 2.0


def show_cluster(
    read: "Callable[[], ClusterStatus]",
    *,
    as_json: bool,
    watch: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Print what *read* returns; with *watch* again and again, until Ctrl-C."""
    try:
        while True:
            try:
                _show(read(), as_json=as_json)
            except DatabaseAwayError as error:
                if not watch:
                    raise
                say(str(error), err=True)
            if not watch:
                return
            sleep(_TICK)
            if not as_json:
                say("")
    except KeyboardInterrupt:
        say("Stopped watching; the workers go on.", err=True)


def _show(found: "ClusterStatus", *, as_json: bool) -> None:
    if as_json:
        say_json(dataclasses.asdict(found))
        return
    for line in status_lines(found):
        say(line)


def status_lines(found: "ClusterStatus") -> Iterator[str]:
    """What goes on, for people."""
    yield f"{counted(len(found.workers), 'worker')}, {_jobs(found)}"
    for worker in found.workers:
        leads = f", leads {', '.join(worker.leads)}" if worker.leads else ""
        heard = "" if worker.life == "working" else f", not heard of for {span(worker.silence)}"
        doing = f"sends {worker.running} of {counted(worker.slots, 'request')} at a time"
        yield f"  {worker.name}  {worker.life}{heard}: {doing}{leads}"
    for rate in found.rates:
        lowered = f" of {rate.full:g}, lowered by a 429" if rate.rate < rate.full else ""
        yield f"rate of project {rate.project}: {rate.rate:g} requests per second{lowered}"
    for queue in found.queues:
        yield f"queue of app {queue.app}: about {counted(queue.recipients, 'recipient')}"
    for job in found.jobs:
        yield from _job_lines(job)


def _jobs(found: "ClusterStatus") -> str:
    return f"{counted(len(found.jobs), 'job')} to send, {found.ended} ended"


def _job_lines(job: "JobStatus") -> Iterator[str]:
    led = f"led by {job.leader}" if job.leader else "nobody leads it"
    left = "unknown" if job.eta is None else span(job.eta)
    yield f"job {job.name}, {led}"
    yield (
        f"  {job.accepted} accepted, {job.rejected} rejected, {job.unknown} unknown, "
        f"{job.sending} on their way, {job.planned} planned"
    )
    yield (
        f"  {job.rate:.0f} recipients per second; time until all are accepted: {left}, until the "
        f"queue of the app is empty: {span(job.to_deliver)}"
    )
    if job.doubts:
        yield f"  {counted(job.doubts, 'request')} in doubt"
    for doubt in job.listed:
        when = "" if doubt.waited is None else f", last {span(doubt.waited)} ago"
        times = "once" if doubt.sent == 1 else f"{doubt.sent} times"
        yield (
            f"    request {doubt.request}, {counted(doubt.recipients, 'recipient')}, left "
            f"{times}{when}: {doubt.reason or 'it was on its way'}; evidence: "
            f"{doubt.elders} accepted before it, {doubt.witnesses} that left later"
        )
    if job.doubts > len(job.listed):
        yield f"    and {job.doubts - len(job.listed)} more"
