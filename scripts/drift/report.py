"""The result of a check, and its verdict."""

from __future__ import annotations

from dataclasses import dataclass, field

from codegen.surface import SurfaceChange
from drift.change import Change, Kind, worst
from drift.impact import Touched

COULD_NOT_TELL = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """A change with what it affects."""

    change: Change
    touched: Touched


@dataclass(frozen=True, slots=True)
class DocumentReport:
    """The result for one document."""

    name: str
    file: str = ""
    findings: tuple[Finding, ...] = ()
    differences: tuple[str, ...] = ()
    """Files of the generated package that differ from what the document gives."""
    surface: SurfaceChange = field(default_factory=SurfaceChange)
    notes: tuple[str, ...] = ()
    problem: str = ""
    """Why the check of this document is incomplete; empty when it is complete."""

    @property
    def kind(self) -> Kind:
        """The worst kind of what was found.

        Code that differs from the document is at least additive, and breaking when no change of
        the document explains it. A name that generated code loses is breaking: it is public.
        """
        kinds = [finding.change.kind for finding in self.findings]
        if self.differences:
            only_missing = all(line.startswith("missing: ") for line in self.differences)
            kinds.append(Kind.ADDITIVE if self.findings or only_missing else Kind.BREAKING)
        if self.surface.operations.removed or self.surface.models.removed:
            kinds.append(Kind.BREAKING)
        return worst(kinds)

    def count(self, kind: Kind) -> int:
        """The number of changes of a kind."""
        return sum(finding.change.kind is kind for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one check for all documents."""

    check: str
    documents: tuple[DocumentReport, ...]

    @property
    def exit_code(self) -> int:
        """0 none, 1 additive, 2 breaking, 3 could not tell; a known breaking change wins."""
        kind = worst(document.kind for document in self.documents)
        unknown = any(document.problem for document in self.documents)
        return COULD_NOT_TELL if unknown and kind is not Kind.BREAKING else int(kind)

    @property
    def verdict(self) -> str:
        """The exit code as a word."""
        return ("none", "additive", "breaking", "could not tell")[self.exit_code]
