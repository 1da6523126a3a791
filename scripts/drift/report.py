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
        """The harder of two verdicts: what the contract says, and what generated code says."""
        return worst([self.contract, self.code])

    @property
    def contract(self) -> Kind:
        """The worst change of the document."""
        return worst(finding.change.kind for finding in self.findings)

    @property
    def code(self) -> Kind:
        """The worst change of what programs use: what is gone or changed breaks them.

        Files that differ from what the document gives are at least additive, and breaking when no
        change of the document explains them.
        """
        kinds = [Kind.BREAKING if fact.breaks else Kind.ADDITIVE for fact in self.surface.facts]
        if self.differences:
            only_missing = all(line.startswith("missing: ") for line in self.differences)
            kinds.append(Kind.ADDITIVE if self.findings or only_missing else Kind.BREAKING)
        return worst(kinds)

    def count(self, kind: Kind) -> int:
        """The number of changes of a kind."""
        return sum(finding.change.kind is kind for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one check for all documents."""

    check: str
    documents: tuple[DocumentReport, ...]
    new: tuple[str, ...] | None = None
    """The changes that an earlier report did not have, a line each; None without one."""

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

    @property
    def views(self) -> tuple[str, ...]:
        """Which of the two views came to the verdict; empty when there is no drift."""
        kinds = {
            "contract": worst(document.contract for document in self.documents),
            "generated code": worst(document.code for document in self.documents),
        }
        return tuple(name for name, kind in kinds.items() if kind and int(kind) == self.exit_code)
