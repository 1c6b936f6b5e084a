"""What is asked about a tenant, whole, so that it can be asked again without names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from auditor.jobs.assemble import assemble
from auditor.model.finding import WaiverFile
from auditor.model.report import Report
from auditor.model.rule import Pack
from auditor.model.snapshot import Snapshot


class Question(NamedTuple):
    """A snapshot, where it came from, the packs to judge it by, and what goes with them."""

    snapshot: Snapshot
    packs: tuple[Pack, ...]
    user: str = ""
    source: str = ""
    tool: str = ""
    waivers: tuple[WaiverFile, ...] = ()
    assumed: tuple[str, ...] = ()

    def answered(self) -> Report:
        """The report. Raises UserNotRead and Unsupposable."""
        report = assemble(
            self.snapshot, self.packs, user=self.user, source=self.source, tool=self.tool, waivers=self.waivers
        )
        return report if not self.assumed else _supposed(report, self)


def _supposed(report: Report, question: Question) -> Report:
    from auditor.jobs.what_if import with_assumptions

    return with_assumptions(report, question.snapshot, question.packs, question.assumed)


def names_of(before: Sequence[Pack], after: Sequence[Pack]) -> dict[str, str]:
    """What packs are called after they were told without names, by what they were called, in lower case."""
    return {old.name.lower(): new.name for old, new in zip(before, after, strict=True)}
