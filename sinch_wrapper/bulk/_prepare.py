"""A job on disk before anything leaves: read from its source, or found there and the same."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, cast

from sinch_wrapper.bulk._caps import Caps
from sinch_wrapper.bulk._exclusions import exclude, forget_exclusions
from sinch_wrapper.bulk._intake import Intake, Reading, digest_again
from sinch_wrapper.bulk._job_spec import JobSpec, check_schedule
from sinch_wrapper.bulk._journal import Job, Journal, open_job, read_job, text_fact
from sinch_wrapper.bulk._preview import Preview, keep_open
from sinch_wrapper.bulk._queue import MessageLimits
from sinch_wrapper.bulk._replacing import forget_job, is_free
from sinch_wrapper.errors import BulkError

_NOBODY: Final[Mapping[str, Iterable[str]]] = {}
_UNASKED: Final = "a preview does not ask the API who has opted out (consents=)"
_NO_CAPS: Final = Caps()
_USUAL_LIMITS: Final = MessageLimits()
_REPLACED: Final = "this job replaces another one in its journal, of which nothing was accepted"


def prepare(
    journal: Journal,
    intake: Intake,
    project: str,
    excluded: Mapping[str, Iterable[str]] = _NOBODY,
) -> Job:
    """Read *intake* into *journal*, or check that the job in it is the same.

    A job of which nothing was accepted gives its journal free for another one. *excluded* are keys
    of people to leave out, by where they come from, beside those that the specification names.

    Raises: BulkError; nothing was sent, and nothing will be.
    """
    job, spec = read_job(journal), intake.spec
    if job is not None and _is_same(job, intake, project):
        exclude(journal, spec.campaign.exclude, excluded)
        return open_job(journal)
    check_schedule(spec.request, datetime.fromtimestamp(intake.now, UTC))
    forget_exclusions(journal)
    if job is not None:
        forget_job(journal)
    exclude(journal, spec.campaign.exclude, excluded)
    facts = _read(journal, intake)
    if job is not None:
        facts["warnings"] = [*cast("list[str]", facts["warnings"]), _REPLACED]
    facts |= {"job": secrets.token_hex(8), "state": "ready"}
    facts |= {"project": project, "created": intake.now}
    with journal.write() as connection:
        journal.note(connection, **_facts(spec), **facts)
    return open_job(journal)


def _read(journal: Journal, intake: Intake) -> dict[str, object]:
    """Read *intake* into *journal*; returns the facts about what was read."""
    source, digest = intake.source, intake.source.digest()
    reading = Reading(journal, intake, is_measured=intake.caps.need_preview)
    reading.run()
    reading.loader.refuse_if_needed()
    arranged = reading.arrange()
    found = reading.preview()
    if found is not None:
        intake.caps.refuse(found)
    return {
        "source": source.name,
        # For reports that read it again.
        "encoding": source.encoding,
        "delimiter": source.delimiter,
        "digest": digest or reading.loader.digest(),
        "contacts": reading.loader.by_contact,
        "warnings": reading.warnings(),
        "understood": reading.loader.understood,
        **arranged,
    }


def _facts(spec: JobSpec) -> dict[str, object]:
    """What the journal keeps of *spec*."""
    return {
        "kind": spec.kind.name,
        "request": spec.request,
        "columns": spec.columns.as_json(),
        "rules": _rules(spec),
        "cut": [spec.rules.chunk_size, spec.rules.chunk_bytes],
        "parent": spec.parent,
        "damaged": len(spec.damage),
    }


def look_ahead(intake: Intake) -> Preview:
    """Read *intake* as prepare() does, and say what the job would do; nothing is kept on disk.

    Raises: BulkError for what cannot be read; what is wrong with rows is in the preview.
    """
    spec, journal = intake.spec, Journal(None)
    try:
        check_schedule(spec.request, datetime.fromtimestamp(intake.now, UTC))
        exclude(journal, spec.campaign.exclude, _NOBODY)
        reading = Reading(journal, intake, is_measured=True)
        reading.run()
        reading.arrange()
        found = cast("Preview", reading.preview())
    except BaseException:
        journal.close()
        raise
    refusals = tuple(filter(None, (reading.loader.refusal(), *intake.caps.refusals(found))))
    unasked = (_UNASKED,) if spec.campaign.exclude.consents else ()
    found = replace(found, refusals=refusals, warnings=(*found.warnings, *unasked))
    return keep_open(found, journal)


def _rules(spec: JobSpec) -> Mapping[str, object]:
    rules = spec.rules
    found = {"on_invalid": rules.on_invalid, "on_duplicate": rules.on_duplicate}
    limit = {} if rules.limit is None else {"limit": rules.limit}
    return {**found, **spec.reading.as_json(), **limit}


def _is_same(job: Job, intake: Intake, project: str) -> bool:
    """Whether *job* is the one to prepare; raises BulkError when it is in the way of another."""
    source = intake.source
    differences = _differences(job, intake.spec, project)
    if not differences:
        size, most = cast("list[int]", job.facts.get("cut") or [1, 1])
        digest = source.digest() or digest_again(intake, size, most)
        if digest != text_fact(job.facts, "digest"):
            differences = [f"recipients ({source.name})"]
    if differences and not is_free(job.journal):
        raise BulkError(
            f"journal {job.journal.name}: created with different {' and '.join(differences)}: "
            "resume it as it is, or choose another file with job="
        )
    return not differences


def _differences(job: Job, spec: JobSpec, project: str) -> list[str]:
    pairs: dict[str, tuple[object, object]] = {
        "project": (job.project, project),
        "operation": (job.kind.name, spec.kind.name),
        "columns": (job.facts.get("columns"), spec.columns.as_json()),
        "rules": (job.facts.get("rules"), _rules(spec)),
        "window": (job.facts.get("window"), spec.campaign.as_facts()["window"]),
    }
    for name in sorted({*job.request, *spec.request}):
        pairs[name] = (job.request.get(name), spec.request.get(name))
    return [name for name, (old, new) in pairs.items() if old != new]
