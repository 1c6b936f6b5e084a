"""Run an audit request: load the packs, read the tenant, judge it, and say what the report means to a pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from auditor.jobs.audit_request import (
    SILENT,
    AuditRequest,
    GivenSnapshot,
    Interaction,
    SampleTenant,
    SnapshotFile,
)
from auditor.jobs.outputs import PIPE
from auditor.jobs.pack_selection import apps_of, chosen_packs, texts_for, warnings_of
from auditor.jobs.report_builder import build_report, with_assumptions
from auditor.jobs.snapshot_files import read_snapshot, sample_tenant
from auditor.model.decision import Outcome
from auditor.model.errors import FAILING, OK, UNKNOWN
from auditor.model.finding import FindingOutcome, Severity, WaiverFile
from auditor.model.live_tenant import LiveTenant
from auditor.model.report import Report, Summary
from auditor.model.rule import Pack
from auditor.model.snapshot import Snapshot

if TYPE_CHECKING:
    from auditor.jobs.earlier_reports import EarlierReport
    from auditor.jobs.redaction import Question
    from auditor.packs.pack_texts import PackText

NEVER = "never"
"""The value of ``--fail-on`` with which no failing rule changes the exit code."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A request with everything loaded that can be wrong before a tenant is read.

    `texts` are the texts of the packs, where they were loaded already.
    """

    request: AuditRequest
    packs: tuple[Pack, ...]
    texts: tuple[PackText, ...] | None = None
    waivers: tuple[WaiverFile, ...] = ()
    earlier: tuple[EarlierReport, ...] | None = None


class Audited(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a request. With a redaction, the snapshot, the packs and the report hold tokens for names.

    `texts` are the texts of the packs, only where a bundle asked for them; `user` is the name that was decided for,
    or its token; `history` are the times and counts of earlier reports that can be compared.
    """

    snapshot: Snapshot
    packs: tuple[Pack, ...]
    report: Report
    user: str = ""
    history: tuple[tuple[str, Summary], ...] = ()
    texts: tuple[PackText, ...] = ()


def audit(request: AuditRequest, interaction: Interaction = SILENT) -> Audited:
    """Judge the tenant of the request.

    Raises InvalidRequest, PackError, SnapshotError, RequestError and OSError before a live tenant is read; GraphError
    when it could not be read; UserNotRead; AssumptionError for an assumption that does not fit.
    """
    prepared = prepare(request, interaction)
    snapshot, source = read_source(request, prepared.packs, interaction)
    return judge(prepared, snapshot, source, interaction)


def prepare(request: AuditRequest, interaction: Interaction = SILENT) -> Prepared:
    """Load the packs, the waivers and the earlier reports. Raises InvalidRequest, PackError, NoReport and OSError."""
    packs = chosen_packs(request.packs, request.app)
    for warning in warnings_of(packs):
        interaction.say(f"Warning: {warning}")
    earlier = None
    if request.earlier:
        from auditor.jobs.earlier_reports import earlier_reports

        earlier = earlier_reports(request.earlier)
    return Prepared(request=request, packs=packs, waivers=_waivers(request), earlier=earlier)


def _waivers(request: AuditRequest) -> tuple[WaiverFile, ...]:
    files = [one for one in request.waivers if isinstance(one, str)]
    given = tuple(one for one in request.waivers if isinstance(one, WaiverFile))
    if not files:
        return given
    from auditor.packs.waiver_files import load_waiver_files

    return (*load_waiver_files(files), *given)


def read_source(
    request: AuditRequest, packs: Sequence[Pack], interaction: Interaction = SILENT
) -> tuple[Snapshot, str]:
    """The snapshot of the request's tenant, and where it came from, in words for the report.

    Raises SnapshotError, InvalidRequest for a sample that does not exist, and what `read_tenant` raises.
    """
    match request.source:
        case GivenSnapshot(snapshot=snapshot, origin=origin):
            return snapshot, origin
        case SampleTenant(name=name):
            return sample_tenant(name), f"sample {name} (bundled, no real tenant)"
        case SnapshotFile(path=path):
            origin = "snapshot from standard input" if path == PIPE else f"snapshot {path}"
            return read_snapshot(path), origin
        case LiveTenant() as tenant:
            from auditor.checks.reads import plan_for
            from auditor.jobs.tenant_reader import read_tenant

            plan = plan_for(packs)
            snapshot = read_tenant(
                tenant, plan, apps=apps_of(packs), packs=packs, user=request.user, interaction=interaction
            )
            return snapshot, "live, read through Microsoft Graph"


def judge(prepared: Prepared, snapshot: Snapshot, source: str, interaction: Interaction = SILENT) -> Audited:
    """The report on a snapshot that was read for the request; with a redaction, the report without names.

    Raises UserNotRead, AssumptionError, and InvalidRequest where redaction would change a verdict.
    """
    request = prepared.request
    if request.redaction is None:
        report = _report(request, snapshot, prepared.packs, request.user, source, prepared.waivers, request.assumptions)
        audited = Audited(snapshot=snapshot, packs=prepared.packs, report=report, user=request.user)
    else:
        audited = _judge_without_names(prepared, snapshot, source, interaction)
    if prepared.earlier is None:
        return audited
    from auditor.jobs.earlier_reports import history_of

    history = history_of(audited.report, prepared.earlier)
    for note in history.notes:
        interaction.say(f"Trend: {note}")
    return msgspec.structs.replace(audited, history=history.runs)


def _judge_without_names(prepared: Prepared, snapshot: Snapshot, source: str, interaction: Interaction) -> Audited:
    from auditor.jobs.redaction import Question, redacted_question, refuse_other_verdicts

    request = prepared.request
    assert request.redaction is not None, "only a request with a redaction comes here"
    texts = pack_texts(prepared)
    plain = Question(snapshot, prepared.packs, request.user, source, prepared.waivers, request.assumptions)
    redacted, texts = redacted_question(plain, texts, request.redaction, interaction)
    # The question with names first, so that an error refers to what was typed.
    before, report = (_answer(request, question) for question in (plain, redacted))
    refuse_other_verdicts(before, report)
    return Audited(
        snapshot=redacted.snapshot, packs=redacted.packs, report=report, user=redacted.user, texts=tuple(texts)
    )


def _answer(request: AuditRequest, question: Question) -> Report:
    return _report(
        request,
        question.snapshot,
        question.packs,
        question.user,
        question.source,
        question.waivers,
        question.assumptions,
    )


def _report(
    request: AuditRequest,
    snapshot: Snapshot,
    packs: Sequence[Pack],
    user: str,
    source: str,
    waivers: Sequence[WaiverFile],
    assumptions: Sequence[str],
) -> Report:
    report = build_report(snapshot, packs, user=user, source=source, tool=request.tool, waivers=waivers)
    return with_assumptions(report, snapshot, packs, assumptions)


def pack_texts(prepared: Prepared) -> list[PackText]:
    """The texts of the request's packs, to be kept beside a report or to be redacted. Raises PackError."""
    if prepared.texts is not None:
        return list(prepared.texts)
    return texts_for(prepared.packs, prepared.request.pack_names)


def check(
    snapshot: Snapshot,
    packs: Sequence[Pack],
    *,
    user: str = "",
    source: str = "",
    tool: str = "",
    waivers: Sequence[WaiverFile] = (),
) -> Report:
    """The report on `snapshot` by `packs`, for scripts and notebooks. Raises UserNotRead.

    `user` (object id or user principal name) is decided for in addition to the ordinary member; `source` is shown as
    the origin of the snapshot. The same inputs give the same report.
    """
    request = AuditRequest(
        source=GivenSnapshot(snapshot, source), packs=tuple(packs), user=user, waivers=tuple(waivers), tool=tool
    )
    return audit(request).report


def exit_code(report: Report, *, fail_on: str, strict: bool) -> int:
    """What the report means to a pipeline: `OK`, `FAILING` or `UNKNOWN`.

    A failing rule counts at or above the severity `fail_on`, or not at all with ``never``. An unknown decision always
    counts; with `strict`, every unknown finding does.
    """
    if fail_on != NEVER:
        limit = Severity(fail_on).rank
        if any(f.outcome is FindingOutcome.FAIL and f.severity.rank <= limit for f in report.findings):
            return FAILING
    if any(d.outcome is Outcome.DEPENDS for d in report.decisions):
        return UNKNOWN
    if strict and any(f.outcome is FindingOutcome.UNKNOWN for f in report.findings):
        return UNKNOWN
    return OK
