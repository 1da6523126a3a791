"""What a check found, and its verdict."""

from __future__ import annotations

from dataclasses import dataclass, field

from codegen.inventory import Summary
from drift.change import Change, Kind, worst
from drift.impact import Touched

COULD_NOT_TELL = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """A change with what it touches."""

    change: Change
    touched: Touched


@dataclass(frozen=True, slots=True)
class DocumentReport:
    """What was found about one document."""

    name: str
    file: str = ""
    backend: str = ""
    """The comparer; empty where there was nothing to compare."""
    findings: tuple[Finding, ...] = ()
    differences: tuple[str, ...] = ()
    """Files of the generated package that are not what the document gives."""
    summary: Summary = field(default_factory=Summary)
    notes: tuple[str, ...] = ()
    problem: str = ""
    """Why no complete answer can be given."""

    @property
    def kind(self) -> Kind:
        """The worst of what was found.

        Code that differs from the document is additive at least, and breaking when the document
        does not account for it. So is a name of generated code that would go: it is public.
        """
        kinds = [finding.change.kind for finding in self.findings]
        if self.differences:
            only_missing = all(line.startswith("missing: ") for line in self.differences)
            kinds.append(Kind.ADDITIVE if self.findings or only_missing else Kind.BREAKING)
        if self.summary.operations.removed or self.summary.models.removed:
            kinds.append(Kind.BREAKING)
        return worst(kinds)

    def count(self, kind: Kind) -> int:
        """The number of changes of a kind."""
        return sum(finding.change.kind is kind for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Report:
    """What one check found about all documents."""

    check: str
    documents: tuple[DocumentReport, ...]

    @property
    def exit_code(self) -> int:
        """0 none, 1 additive, 2 breaking, 3 could not tell; what is known to break wins."""
        kind = worst(document.kind for document in self.documents)
        unknown = any(document.problem for document in self.documents)
        return COULD_NOT_TELL if unknown and kind is not Kind.BREAKING else int(kind)

    @property
    def verdict(self) -> str:
        """The exit code as a word."""
        return ("none", "additive", "breaking", "could not tell")[self.exit_code]
