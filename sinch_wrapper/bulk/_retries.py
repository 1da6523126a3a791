"""A job for those recipients of another one that failed or were rejected."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, cast

from sinch_wrapper.bulk._campaign import Campaign, campaign_of
from sinch_wrapper.bulk._damage import DamagedRequestError, sound
from sinch_wrapper.bulk._exclusions import EXCLUDED, known_exclusions
from sinch_wrapper.bulk._job_spec import JobSpec
from sinch_wrapper.bulk._job_url import JobAddress
from sinch_wrapper.bulk._journal import Job, Journal, open_job
from sinch_wrapper.bulk._keys import refuse_outbox
from sinch_wrapper.bulk._metadata import TIMEZONE_MARK
from sinch_wrapper.bulk._options import ReadingRules
from sinch_wrapper.bulk._pieces import as_recipient
from sinch_wrapper.bulk._results import recipients_of
from sinch_wrapper.bulk._schema import unpack_items
from sinch_wrapper.bulk._states import RecipientState
from sinch_wrapper.bulk._windows import Zones
from sinch_wrapper.bulk._zone_groups import group_of, groups_of
from sinch_wrapper.errors import BulkError

_AGAIN: Final = frozenset({RecipientState.FAILED, RecipientState.REJECTED})


def old_spec(path: JobAddress) -> JobSpec:
    """What the job at *path* sends, without its time.

    Raises: BulkError when it cannot be read, is an outbox, or sends no messages.
    """
    journal = Journal(path, must_exist=True)
    try:
        return retried_spec(open_job(journal), path.name)
    finally:
        journal.close()


def retried_spec(job: Job, name: str) -> JobSpec:
    """What a job sends that retries *job*, in the file *name*; raises BulkError."""
    refuse_outbox(job)
    if not job.kind.is_messages:
        raise BulkError(f"journal {job.journal.name}: only messages can be retried")
    request = {name: value for name, value in job.request.items() if name != "send_after"}
    # Who has opted out gets no second attempt.
    known = known_exclusions(job.journal.address, job.facts)
    left_out = replace(known, job=job.journal.address if EXCLUDED in job.facts else None)
    # Nor does anybody get one at night.
    campaign = Campaign(left_out, campaign_of(job.facts).window)
    return JobSpec(
        job.kind,
        request,
        # Its numbers were read once, and may be short codes.
        reading=ReadingRules(numbers="as-given"),
        parent=f"{job.id} {name}",
        campaign=campaign,
    )


def failed_recipients(
    path: JobAddress, reasons: frozenset[str], damage: list[str]
) -> Iterator[Mapping[str, object]]:
    """The recipients of the job at *path* that failed or were rejected for one of *reasons*.

    They keep their keys; those without one get their line in the old input as key. A line about
    each request that is damaged goes to *damage*; its recipients are left out.
    """
    journal = Journal(path, must_exist=True)
    try:
        yield from failed_of(open_job(journal), reasons, damage)
    finally:
        journal.close()


def failed_of(
    job: Job, reasons: frozenset[str], damage: list[str]
) -> Iterator[Mapping[str, object]]:
    """The same of *job*."""
    with sound(job.journal.name):
        groups = groups_of(job.facts)
    for chunk in job.journal.each():
        try:
            failed = [
                each
                for each in recipients_of(job, chunk)
                if each.state in _AGAIN and each.reason in reasons
            ]
            items = _items(job, chunk.id) if failed else []
            with sound(job.journal.name, chunk.id):
                people = [as_recipient(items[each.position or 0], each.key) for each in failed]
        except DamagedRequestError as error:
            damage.append(f"{error}, so those of its recipients that failed are left out")
            continue
        zones = group_of(groups, chunk.id)
        yield from people if not zones else (_with_zones(each, zones) for each in people)


def _with_zones(recipient: Mapping[str, object], zones: Zones) -> Mapping[str, object]:
    """*recipient* in the form in which time zones are read, as a column would give them."""
    own = cast("Mapping[str, object]", recipient.get("message_metadata") or {})
    return {**recipient, "message_metadata": {**own, TIMEZONE_MARK: " ".join(zones)}}


def _items(job: Job, chunk: int) -> list[dict[str, object]]:
    with sound(job.journal.name, chunk):
        with job.journal.storage.read() as connection:
            content, _ = job.journal.body(connection, chunk)
        return unpack_items(content)
