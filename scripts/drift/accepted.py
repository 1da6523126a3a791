"""Changes that somebody has accepted, with a reason and a day on which they are asked again.

`openapi/accepted.toml` names each by its fingerprint, which reports show. An accepted change stays
in the report and no longer counts in the verdict; from its day on it does.
"""

from __future__ import annotations

import datetime
import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from codegen.document import Refused
from drift.change import Kind
from drift.report import DocumentReport, Finding, Report

FILE = "accepted.toml"
_MARK = re.compile(r"\b[0-9a-f]{12}\b")


@dataclass(frozen=True, slots=True)
class Accepted:
    """Why a change is accepted, and until when."""

    reason: str
    until: datetime.date


def fingerprint(document: str, where: str, text: str) -> str:
    """Twelve characters that name one change of one document, the same every week."""
    return hashlib.sha256(f"{document}\n{where}\n{text}".encode()).hexdigest()[:12]


def fingerprints(report: Report) -> dict[str, str]:
    """The fingerprint of every change that counts, with the line that shows it."""
    return {
        fingerprint(document.name, where, text): f"{document.name}: {where}: {text}"
        for document in report.documents
        for where, text in _counted(document)
    }


def _counted(document: DocumentReport) -> Iterator[tuple[str, str]]:
    for finding in document.findings:
        if finding.change.kind:
            yield finding.change.pointer, finding.change.text
    for fact in document.surface.facts:
        yield fact.name, fact.text


def known(text: str) -> frozenset[str]:
    """The fingerprints in an earlier report, of any form."""
    return frozenset(_MARK.findall(text))


def read(folder: Path) -> dict[str, Accepted]:
    """The accepted changes of a folder of documents, by fingerprint.

    Raises: Refused for an entry without fingerprint, reason or day.
    """
    path = folder / FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Refused(FILE, f"cannot be read ({error})", "correct it") from error
    listed = table.get("accepted", [])
    if table.keys() - {"accepted"} or not isinstance(listed, list):
        raise Refused(FILE, "is not a list of [[accepted]]", "correct it")
    return dict(_entry(number, one) for number, one in enumerate(listed, 1))


def _entry(number: int, given: object) -> tuple[str, Accepted]:
    entry = given if isinstance(given, dict) else {}
    mark, reason, until = (entry.get(key) for key in ("fingerprint", "reason", "until"))
    sound = isinstance(mark, str) and _MARK.fullmatch(mark) and isinstance(reason, str)
    if not (sound and str(reason).strip() and type(until) is datetime.date):
        problem = "needs a fingerprint of a report, a reason, and until, a day such as 2030-05-17"
        raise Refused(f"{FILE}, entry {number}", problem, "correct it")
    return str(mark), Accepted(str(reason), until)


def settle(report: Report, accepted: Mapping[str, Accepted], today: datetime.date) -> Report:
    """The report in which accepted changes no longer count; expired and idle entries are noted."""
    if not accepted:
        return report
    present = fingerprints(report)
    valid = {mark: one for mark, one in accepted.items() if today < one.until}
    documents = [_settled(document, valid) for document in report.documents]
    notes = [_note(mark, one, present, today) for mark, one in accepted.items()]
    more = DocumentReport(FILE, notes=tuple(filter(None, notes)))
    return replace(report, documents=(*documents, *([more] if more.notes else [])))


def _settled(document: DocumentReport, valid: Mapping[str, Accepted]) -> DocumentReport:
    findings = []
    for finding in document.findings:
        change = finding.change
        one = valid.get(fingerprint(document.name, change.pointer, change.text))
        if one and change.kind:
            text = f"{change.text} (accepted until {one.until}: {one.reason})"
            change = replace(change, kind=Kind.NEUTRAL, text=text)
        findings.append(Finding(change, finding.touched))
    facts = tuple(
        fact
        for fact in document.surface.facts
        if fingerprint(document.name, fact.name, fact.text) not in valid
    )
    surface = replace(document.surface, facts=facts)
    return replace(document, findings=tuple(findings), surface=surface)


def _note(mark: str, one: Accepted, present: Mapping[str, str], today: datetime.date) -> str:
    if mark not in present:
        return f"{FILE}: {mark} ({one.reason}) matches no change any more; remove it"
    if today >= one.until:
        return f"{FILE}: {mark} ({one.reason}) was accepted until {one.until}; decide again"
    return ""
