"""From the arguments of a call to one run of a job; nothing is opened before all are checked."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sinch_wrapper import _validate
from sinch_wrapper.bulk._calls import BATCH_OPERATIONS
from sinch_wrapper.bulk._caps import Caps
from sinch_wrapper.bulk._job_spec import JobSpec, checked_app_id, message_spec
from sinch_wrapper.bulk._job_url import JobAddress, JobPath, job_address
from sinch_wrapper.bulk._options import (
    CheckedOptions,
    JobOptions,
    RunOptions,
    RunSettings,
    SendOptions,
    read_options,
)
from sinch_wrapper.bulk._prices import read_prices
from sinch_wrapper.bulk._retries import failed_recipients, old_spec
from sinch_wrapper.bulk._sources import Items, Source, source_of
from sinch_wrapper.errors import BulkArgumentError


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job: its journal, how it is sent, and for a new job what and to whom.

    *path* is None for a journal in memory; *spec* and *source* are None when the journal has them.
    *by_hand* says that a person wants what is unknown to leave again. *caps* are for a new job.
    """

    path: JobAddress | None
    settings: RunSettings
    spec: JobSpec | None = None
    source: Source | None = None
    by_hand: bool = False
    caps: Caps = field(default_factory=Caps)


def _optional_address(job: JobPath | None) -> JobAddress | None:
    return None if job is None else job_address(job)


def patience(poll_for: float) -> float:
    """Check *poll_for*, a number of seconds; raises BulkArgumentError."""
    return _validate.seconds("poll_for", poll_for, error=BulkArgumentError)


def checked_ids(ids: tuple[str, ...]) -> tuple[str, ...]:
    """Check the *ids* of batches; raises BulkArgumentError."""
    _validate.strings("batch_ids", ids, error=BulkArgumentError)
    return ids


def lookup_pair(metadata: object) -> tuple[str, str] | None:
    """Check the *metadata* that batches are looked up by; raises BulkArgumentError."""
    if metadata is None:
        return None
    pair = tuple(metadata) if isinstance(metadata, list | tuple) else ()
    if len(pair) != 2 or not all(isinstance(each, str) and each for each in pair):  # noqa: PLR2004 (a pair)
        wanted = "a pair of two strings, a key and its value"
        raise _validate.wrong_kind("metadata", wanted, metadata, BulkArgumentError)
    return pair[0], pair[1]


def _source(option: str, things: Items, checked: CheckedOptions) -> Source:
    return source_of(option, things, checked.reading.encoding, checked.reading.delimiter)


def send_run(
    app_id: str,
    message: Mapping[str, object],
    recipients: Items,
    job: JobPath | None,
    options: SendOptions,
) -> JobRun:
    """A job that sends messages; raises BulkError or TypeError for mistakes."""
    checked = read_options("send()", options, SendOptions)
    spec, path = message_spec(app_id, message, checked), _optional_address(job)
    source = _source("recipients", recipients, checked)
    return JobRun(path, checked.run, spec, source, caps=_read_caps(checked.caps))


def preview_run(
    app_id: str | None,
    message: Mapping[str, object],
    recipients: Items,
    options: SendOptions,
) -> JobRun:
    """A job that is only looked at; raises BulkError or TypeError for mistakes."""
    checked = read_options("preview()", options, SendOptions)
    spec = message_spec("any" if app_id is None else app_id, message, checked)
    source = _source("recipients", recipients, checked)
    return JobRun(None, checked.run, spec, source, caps=_read_caps(checked.caps))


def _read_caps(caps: Caps) -> Caps:
    caps.check()
    return replace(caps, prices=read_prices(caps.prices)) if isinstance(caps.prices, Path) else caps


def run_settings(call: str, options: RunOptions) -> RunSettings:
    """Check the *options* of *call*; raises BulkArgumentError or TypeError for mistakes."""
    return read_options(call, options, RunOptions).run


def resume_run(job: JobPath, options: RunOptions) -> JobRun:
    """A job that its journal knows; raises BulkError or TypeError for mistakes."""
    return JobRun(job_address(job), run_settings("resume()", options))


def send_again_run(job: JobPath, options: RunOptions) -> JobRun:
    """A job whose unknown requests leave again; raises BulkError or TypeError for mistakes."""
    return JobRun(job_address(job), run_settings("send_again()", options), by_hand=True)


def contacts_run(call: str, contacts: Items, job: JobPath | None, options: JobOptions) -> JobRun:
    """A job that creates or deletes contacts; raises BulkError or TypeError for mistakes."""
    kind = BATCH_OPERATIONS[call.replace("_", "-")]
    checked = read_options(f"{call}()", options, JobOptions)
    name = "contacts" if call == "create_contacts" else "contact_ids"
    spec = JobSpec(kind, {}, rules=checked.rules, reading=checked.reading)
    return JobRun(_optional_address(job), checked.run, spec, _source(name, contacts, checked))


def consents_run(app_id: str, records: Items, job: JobPath | None, options: JobOptions) -> JobRun:
    """A job that inserts consents; raises BulkError or TypeError for mistakes."""
    checked = read_options("insert_consents()", options, JobOptions)
    request = {"app_id": checked_app_id(app_id)}
    kind = BATCH_OPERATIONS["insert-consents"]
    spec = JobSpec(kind, request, rules=checked.rules, reading=checked.reading)
    return JobRun(_optional_address(job), checked.run, spec, _source("records", records, checked))


def retry_run(
    job: JobPath, new_job: JobPath, reasons: Collection[str], options: JobOptions
) -> JobRun:
    """A job for the recipients of *job* that failed; raises BulkError when it cannot be read."""
    checked = read_options("retry_failed()", options, JobOptions)
    old, new, wanted = job_address(job), job_address(new_job, "new_job"), _reasons(reasons)
    if old == new:
        raise BulkArgumentError("new_job= must be another one: a retry is a job of its own")
    spec = replace(old_spec(old), rules=checked.rules)
    things = failed_recipients(old, wanted, spec.damage)
    return JobRun(new, checked.run, spec, Source("failed recipients", None, things))


def _reasons(reasons: object) -> frozenset[str]:
    # A string is a collection too: of each string that is a part of it.
    found = [reasons] if isinstance(reasons, str) else reasons
    if isinstance(found, Collection) and not isinstance(found, Mapping):
        listed = [each for each in found if isinstance(each, str)]
        if len(listed) == len(found):
            return frozenset(listed)
    raise _validate.wrong_kind("reasons", "a list of strings", reasons, BulkArgumentError)
