"""A report as text, JSON, Markdown and GitHub annotations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict

from codegen.surface import lines
from drift.accepted import fingerprint
from drift.change import Kind
from drift.impact import Touched
from drift.report import DocumentReport, Finding, Report

_NAMED = 4
_ROWS = 100
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_MEANING = re.compile(r"[|<>&@`*\[\]#\\]")


def text(report: Report) -> str:
    """The report for a terminal; the last line is the verdict."""
    result = []
    for document in report.documents:
        result.append(f"{document.name}: {_head(document)}")
        for finding in document.findings:
            change = finding.change
            mark = f"  [{_mark(document, finding)}]" if change.kind else ""
            result.append(f"  {change.kind!s:9} {change.direction!s:9} {change.pointer}{mark}")
            result.append(f"  {'':19} {change.text}")
            if change.kind:
                result += [f"  {'':19} {line}" for line in _touched(finding.touched)]
        result += [f"  {line}" for line in _more(document)]
    result += _news(report)
    return "\n".join([*map(_line, result), f"verdict: {_verdict(report)}", ""])


def as_json(report: Report) -> str:
    """The report for programs."""
    documents = [
        {
            "name": document.name,
            "file": document.file,
            "kind": str(document.kind),
            "contract": str(document.contract),
            "code": str(document.code),
            "problem": document.problem,
            "changes": [
                {**_plain(finding), "fingerprint": _mark(document, finding)}
                for finding in document.findings
            ],
            "files": document.differences,
            "generated": asdict(document.surface),
            "notes": document.notes,
        }
        for document in report.documents
    ]
    value = {
        "check": report.check,
        "verdict": report.verdict,
        "views": report.views,
        "new": report.new,
        "exit_code": report.exit_code,
        "documents": documents,
    }
    return json.dumps(value, indent=2) + "\n"


def markdown(report: Report) -> str:
    """The report for an issue; neutral changes are only counted."""
    result = [f"**Verdict: {_verdict(report)}**", ""]
    if news := _news(report):
        result += ["```text", *(_line(line).replace("```", "'''") for line in news), "```", ""]
    for document in report.documents:
        result += [f"### {document.name}: {_head(document)}", ""]
        rows = [finding for finding in document.findings if finding.change.kind]
        if rows:
            result += ["| | direction | where | what | affects | |", "|---|---|---|---|---|---|"]
            result += [_row(finding, _mark(document, finding)) for finding in rows[:_ROWS]]
            result += [f"\n{len(rows) - _ROWS} more"] * (len(rows) > _ROWS) + [""]
        if more := _more(document):
            inside = [_line(line).replace("```", "'''") for line in more]
            result += ["```text", *inside, "```", ""]
    return "\n".join(result)


def github(report: Report) -> str:
    """The report as workflow commands, which GitHub shows beside the files."""
    result = []
    for document in report.documents:
        file = _escaped(f"openapi/{document.file}", ":,") if document.file else "generated"
        for level, title, message in _annotations(document):
            head = f"::{level} file={file},title={_escaped(title, ':,')}"
            result.append(f"{head}::{_escaped(message)}")
    return "\n".join([*result, ""])


def changelog(report: Report) -> str:
    """A section for the changelog: what programs can notice, what breaks them first."""
    facts = [fact for document in report.documents for fact in document.surface.facts]
    result = []
    for title, breaks in (("### Breaking in generated code", True), ("### Added", False)):
        lines = [_line(f"- `{fact.name}` {fact.text}.") for fact in facts if fact.breaks is breaks]
        result += [title, "", *lines, ""] if lines else []
    return "\n".join(result or ["Nothing that programs can notice changed.", ""])


def _annotations(document: DocumentReport) -> Iterator[tuple[str, str, str]]:
    if document.problem:
        yield "error", f"{document.name} could not be checked", document.problem
    for finding in document.findings:
        change = finding.change
        level = {Kind.BREAKING: "error", Kind.ADDITIVE: "warning"}.get(change.kind)
        if level:
            yield (
                level,
                f"{change.kind} change of {document.name}",
                f"{change.pointer}: {change.text}",
            )
    for line in document.differences:
        yield "error", "generated code does not match the document", line
    for fact in document.surface.facts:
        if fact.breaks:
            yield "error", "programs that use it break", f"{fact.name} {fact.text}"
    for note in document.notes:
        yield "notice", f"about {document.name}", note


def _news(report: Report) -> list[str]:
    if report.new is None:
        return []
    lines = [f"  {line}" for line in report.new[:_ROWS]]
    return [f"new since the earlier report: {len(report.new)}", *lines]


def _verdict(report: Report) -> str:
    """The verdict, with the views that came to it."""
    by = f" by {' and '.join(report.views)}" if report.views else ""
    return report.verdict + by


def _head(document: DocumentReport) -> str:
    if document.problem:
        return "could not tell"
    counts = ", ".join(
        f"{document.count(kind)} {kind}" for kind in reversed(Kind) if document.count(kind)
    )
    return counts or "no change"


def _more(document: DocumentReport) -> list[str]:
    """The lines about a document below its changes."""
    shown = [*document.differences[:_ROWS]]
    if len(document.differences) > _ROWS:
        shown.append(f"and {len(document.differences) - _ROWS} more files")
    if document.surface:
        shown += [
            f"in generated code ({document.code}):",
            *(f"  {line}" for line in lines(document.surface)),
        ]
    return [*shown, *document.notes, *([document.problem] if document.problem else [])]


def _touched(touched: Touched) -> list[str]:
    pairs = (
        ("operations", touched.operations),
        ("models", touched.models),
        ("functions", touched.functions),
        ("overlays", touched.overlays),
    )
    return [f"{what}: {_some(names)}" for what, names in pairs if names]


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _plain(finding: Finding) -> dict[str, object]:
    change = finding.change
    return {
        "pointer": change.pointer,
        "kind": str(change.kind),
        "direction": str(change.direction),
        "text": change.text,
        **asdict(finding.touched),
    }


def _mark(document: DocumentReport, finding: Finding) -> str:
    return fingerprint(document.name, finding.change.pointer, finding.change.text)


def _row(finding: Finding, mark: str) -> str:
    change = finding.change
    pointer = _line(change.pointer).replace("`", "'").replace("|", "\\|")
    texts = (change.text, "; ".join(_touched(finding.touched)))
    what, touched = (_plain_words(one) for one in texts)
    cells = (str(change.kind), str(change.direction), f"`{pointer}`", what, touched, mark)
    return f"| {' | '.join(cells)} |"


def _line(text: str) -> str:
    """Text in one line: text of a document must not add lines or colours to a report."""
    return _CONTROL.sub(" ", text)


def _plain_words(text: str) -> str:
    """Text without meaning in Markdown: no table cells, no tags, no mentions."""
    return _MEANING.sub(lambda match: f"&#{ord(match[0])};", _line(text))


def _escaped(text: str, more: str = "") -> str:
    """Text for a workflow command, with its separators and line ends escaped."""
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text
