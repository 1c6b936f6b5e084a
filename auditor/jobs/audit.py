"""Run an audit: load the packs, read the tenant, evaluate it, and turn the report into an exit code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

import msgspec

from auditor.facts import tree_label
from auditor.jobs.audit_request import (
    PIPE,
    SILENT,
    AuditInputs,
    AuditRequest,
    GivenSnapshot,
    Interaction,
    Redaction,
    SampleTenant,
    SnapshotFiles,
    Source,
)
from auditor.jobs.pack_selection import apps_of, chosen_packs, texts_for, warnings_of
from auditor.jobs.report_builder import build_report, wanted_by, with_assumptions
from auditor.model.decision import Outcome
from auditor.model.errors import FAILING, OK, UNKNOWN, InvalidRequest
from auditor.model.report import SHIPPED_ABUSED_APPS, AbusedAppsList, Report, Summary, WaiverFile
from auditor.model.rule import App, FindingOutcome, Pack, Severity
from auditor.model.snapshot import LeftOut, LiveTenant, Snapshot
from auditor.render import format_of

if TYPE_CHECKING:
    from auditor.jobs.earlier_reports import EarlierReport
    from auditor.model.difference import SinceLast
    from auditor.packs.pack_texts import PackText

LIVE = "live, read through Microsoft Graph"
"""What a report says about where the data of a live tenant is from."""
NEVER = "never"
"""The value of ``--fail-on`` that ignores failing rules."""


class PreparedAudit(msgspec.Struct, frozen=True, kw_only=True):
    """A request with its packs, other files and earlier reports loaded, so that mistakes show before a tenant is read.

    `texts` are the texts of the packs if they are loaded already.
    """

    request: AuditRequest
    packs: tuple[Pack, ...]
    texts: tuple[PackText, ...] | None = None
    waivers: tuple[WaiverFile, ...] = ()
    abused: tuple[AbusedAppsList, ...] = ()
    earlier: tuple[EarlierReport, ...] | None = None


class AuditResult(msgspec.Struct, frozen=True, kw_only=True):
    """The report and what it is based on. After redaction, all of it contains tokens in place of names.

    `user` is the user of the request, or its token. `history` has the time and the counts of each earlier report that
    can be compared, and `since_last` what changed since the newest. `texts` are the redacted texts of the packs;
    empty without redaction.
    """

    snapshot: Snapshot
    packs: tuple[Pack, ...]
    report: Report
    user: str = ""
    history: tuple[tuple[str, Summary], ...] = ()
    since_last: SinceLast | None = None
    texts: tuple[PackText, ...] = ()


def audit(request: AuditRequest, interaction: Interaction = SILENT) -> AuditResult:
    """Evaluate the tenant of the request.

    Raises an AuditorError: InvalidRequest, PackError, SnapshotError and RequestError (also OSError) before a live
    tenant is read, GraphError if it can't be read, UserNotRead, and AssumptionError.
    """
    prepared = prepare(request, interaction)
    if request.waits:
        from auditor.jobs.repeated_reads import read_until_connected

        snapshot, source = read_until_connected(prepared, interaction)
    elif isinstance(request.source, SnapshotFiles) and request.redaction is None and PIPE not in request.source.paths:
        return _of_files(prepared, request.source, interaction)
    else:
        snapshot, source = read_source(request, prepared.packs, interaction)
    return evaluate(prepared, snapshot, source, interaction)


def _of_files(prepared: PreparedAudit, files: SnapshotFiles, interaction: Interaction) -> AuditResult:
    """The audit of a snapshot in files, of which only the rows are kept on which an answer can depend."""
    from auditor.jobs.snapshot_files import read_snapshot

    source = _origin(files.paths)
    snapshot = read_snapshot(files.paths, files.tenant_id, interaction, lambda: wanted_by(prepared.packs))
    try:
        return evaluate(prepared, snapshot, source, interaction)
    except LeftOut:
        # An answer depends on a row that nothing in the question named.
        return evaluate(prepared, read_snapshot(files.paths, files.tenant_id), source, interaction)


def prepare(request: AuditRequest, interaction: Interaction = SILENT) -> PreparedAudit:
    """Load everything that goes with the request. Raises InvalidRequest, PackError, NotAReport and OSError."""
    # A script can ask for a report without rules, on grants and on what could not be read.
    packs = chosen_packs(request.packs, request.app, required=not isinstance(request.source, GivenSnapshot))
    for warning in warnings_of(packs):
        interaction.say(f"Warning: {warning}")
    earlier = None
    if request.earlier:
        from auditor.jobs.earlier_reports import earlier_reports

        earlier = earlier_reports(request.earlier)
    return PreparedAudit(
        request=request, packs=packs, waivers=_waivers(request), abused=abused_lists(request.abused), earlier=earlier
    )


def _waivers(request: AuditRequest) -> tuple[WaiverFile, ...]:
    files = [one for one in request.waivers if isinstance(one, str)]
    given = tuple(one for one in request.waivers if isinstance(one, WaiverFile))
    if not files:
        return given
    from auditor.packs.waiver_files import load_waiver_files

    return (*load_waiver_files(files), *given)


def abused_lists(given: Sequence[str | AbusedAppsList]) -> tuple[AbusedAppsList, ...]:
    """Your own lists of known abused apps, of which files are read. Raises PackError and OSError."""
    files = [one for one in given if isinstance(one, str)]
    decoded = tuple(one for one in given if isinstance(one, AbusedAppsList))
    if not files:
        return decoded
    from auditor.packs.abused_apps import load_abused_files

    return (*load_abused_files(files), *decoded)


def read_source(
    request: AuditRequest, packs: Sequence[Pack], interaction: Interaction = SILENT
) -> tuple[Snapshot, str]:
    """The snapshot of the request's tenant, and the text in the report that says where it came from.

    Raises SnapshotError, InvalidRequest for an unknown sample, and what `read_tenant` raises.
    """
    match request.source:
        case GivenSnapshot(snapshot=snapshot, origin=origin):
            return snapshot, origin
        case SampleTenant(name=name):
            return _sample_tenant(name, apps_of(packs)), f"sample {name} (bundled, no real tenant)"
        case SnapshotFiles(paths=paths, tenant_id=tenant_id):
            from auditor.jobs.snapshot_files import read_snapshot

            return read_snapshot(paths, tenant_id, interaction), _origin(paths)
        case LiveTenant() as tenant:
            from auditor.checks.kind import plan_for
            from auditor.jobs.tenant_reader import read_tenant

            plan = plan_for(packs)
            snapshot = read_tenant(
                tenant,
                plan,
                apps=apps_of(packs),
                packs=packs,
                user=request.user,
                interaction=interaction,
                meanwhile=partial(_load_evaluation, request.outputs.formats),
            )
            return snapshot, LIVE


def _load_evaluation(formats: Sequence[str]) -> None:
    """Import what decides and renders, as long as Graph is waited for: 50 to 80 ms."""
    modules = ("auditor.consent.access_policies", "auditor.consent.after_consent", "auditor.fixes")
    for name in (*modules, *(format_of(one).module for one in formats)):
        import_module(name)


def _sample_tenant(name: str, apps: Sequence[App]) -> Snapshot:
    """The sample tenant with this name, asked about these apps.

    Raises InvalidRequest for an unknown name, with the most similar one.
    """
    from auditor.snapshot import SnapshotError
    from auditor.snapshot.samples import sample

    try:
        snapshot = sample(name)
    except SnapshotError as error:
        raise InvalidRequest(f'{error.message}: "{name}". {error.hint}') from None
    return answering_about(SampleTenant(name), snapshot, apps)


def answering_about(source: Source, snapshot: Snapshot, apps: Iterable[App]) -> Snapshot:
    """The snapshot of this source; a sample with what any tenant would answer about these apps, as `check` has it."""
    if not isinstance(source, SampleTenant):
        return snapshot
    covered = {client_id.lower() for client_id in snapshot.covers.get("servicePrincipals", ())}
    others = [app for app in apps if app.client_id.lower() not in covered]
    if not others:
        return snapshot
    from auditor.snapshot.retarget_sample import asked_about

    return asked_about(snapshot, others)


def _origin(paths: Sequence[str]) -> str:
    """The text in the report that says where a snapshot came from."""
    if tuple(paths) == (PIPE,):
        return "snapshot from standard input"
    named = ["standard input" if path == PIPE else path for path in paths[:_NAMED_FILES]]
    more = len(paths) - len(named)
    return f"snapshot {', '.join(named)}{f' and {more} more files' if more > 0 else ''}"


_NAMED_FILES = 3
"""How many files of a snapshot the report names."""


MANY_GRANTS = 20_000
"""Grants whose evaluation is announced on a terminal: it takes a second or more."""


def evaluate(
    prepared: PreparedAudit, snapshot: Snapshot, source: str, interaction: Interaction = SILENT
) -> AuditResult:
    """The report on a snapshot that was read for the request; without names if the request redacts them.

    Raises UserNotRead, AssumptionError, and InvalidRequest if redaction changes a verdict.
    """
    request = prepared.request
    grants = len(snapshot.sections.oauth2PermissionGrants or ())
    if interaction.on_wait and grants > MANY_GRANTS:
        interaction.on_wait(f"Evaluating {grants:,} permission grants…")
    inputs = AuditInputs(
        snapshot, prepared.packs, request.user, source, prepared.waivers, prepared.abused, request.assumptions
    )
    if request.redaction is None:
        report = _report(request, inputs)
        result = AuditResult(snapshot=snapshot, packs=inputs.packs, report=report, user=inputs.user)
    else:
        result = _evaluate_without_names(prepared, inputs, request.redaction, interaction)
    for warning in _list_warnings(prepared, result.report):
        interaction.say(f"Warning: {warning}")
    if prepared.earlier is None:
        return result
    from auditor.jobs.earlier_reports import history_of

    history = history_of(result.report, prepared.earlier)
    for note in history.notes:
        interaction.say(f"Trend: {note}")
    return msgspec.structs.replace(result, history=history.runs, since_last=history.since_last)


def _list_warnings(prepared: PreparedAudit, report: Report) -> Iterator[str]:
    """What the lists of known abused apps say about the apps of the question, and which of the lists are old."""
    if asked := tuple(dict.fromkeys(app.client_id.lower() for app in _asked_apps(prepared))):
        from auditor.facts.abused_apps import abused_by_id, lists_with

        known = abused_by_id(lists_with(prepared.abused))
        for found in (known[client_id] for client_id in asked if client_id in known):
            name, why = found.name or found.client_id, found.why
            if found.legitimate:
                yield f"attackers also use {name}. {why} Find out who needs it before anybody consents."
            else:
                yield f"the app {name} is known to be malicious. {why} Don't consent to it."
    for one in report.abused_apps:
        if one.is_old:
            is_ours = one.name == SHIPPED_ABUSED_APPS
            advice = "Install a newer version of consent-auditor" if is_ours else "Read its sources again"
            yield f"the list {one.name} was {one.days_old} days old when the tenant was read. {advice}."


def _asked_apps(prepared: PreparedAudit) -> Iterator[App]:
    """The apps of the question, without those of packs that this project maintains for their vendors."""
    if prepared.request.app is not None:
        yield prepared.request.app
    for pack in prepared.packs:
        if pack.app is not None and pack.origin != f"{tree_label('rules')}/{pack.name}.yaml":
            yield pack.app


def _evaluate_without_names(
    prepared: PreparedAudit, plain: AuditInputs, redaction: Redaction, interaction: Interaction
) -> AuditResult:
    from auditor.jobs.redaction import redacted_inputs, refuse_other_verdicts

    redacted, texts = redacted_inputs(plain, pack_texts(prepared), redaction, interaction)
    # The inputs with names come first, so that an error refers to what the user typed.
    before, report = (_report(prepared.request, inputs) for inputs in (plain, redacted))
    refuse_other_verdicts(before, report)
    return AuditResult(
        snapshot=redacted.snapshot, packs=redacted.packs, report=report, user=redacted.user, texts=tuple(texts)
    )


def _report(request: AuditRequest, inputs: AuditInputs) -> Report:
    report = build_report(
        inputs.snapshot,
        inputs.packs,
        user=inputs.user,
        source=inputs.source,
        tool=request.tool,
        waivers=inputs.waivers,
        abused=inputs.abused,
    )
    return with_assumptions(report, inputs.snapshot, inputs.packs, inputs.assumptions)


def pack_texts(prepared: PreparedAudit) -> list[PackText]:
    """The texts of the request's packs, to put into a bundle or to redact. Raises PackError."""
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
    abused: Sequence[AbusedAppsList] = (),
) -> Report:
    """The report on `snapshot` by `packs`, for scripts and notebooks. Raises UserNotRead.

    Decisions are for an ordinary member and, if given, for `user` (object id or user principal name). The report shows
    `source` as the origin of the snapshot. The same inputs give the same report.
    """
    request = AuditRequest(
        source=GivenSnapshot(snapshot, source),
        packs=tuple(packs),
        user=user,
        waivers=tuple(waivers),
        abused=tuple(abused),
        tool=tool,
    )
    return audit(request).report


def exit_code(report: Report, *, fail_on: str, strict: bool) -> int:
    """The exit code for the report: `OK`, `FAILING` or `UNKNOWN`.

    A failing rule counts if its severity is `fail_on` or higher, and never if that is `NEVER`. An unknown decision
    always counts, and so does a pack of which no rule could be evaluated. A single unknown finding counts only if
    `strict`.
    """
    if fail_on != NEVER:
        limit = Severity(fail_on).rank
        if any(f.outcome is FindingOutcome.FAIL and f.severity.rank <= limit for f in report.findings):
            return FAILING
    if any(d.outcome is Outcome.DEPENDS for d in report.decisions):
        return UNKNOWN
    if _unknown_packs(report) or (strict and any(f.outcome is FindingOutcome.UNKNOWN for f in report.findings)):
        return UNKNOWN
    return OK


def _unknown_packs(report: Report) -> set[str]:
    """The packs of which every rule that applies to the tenant is unknown, so that the audit says nothing by them."""
    unknown = {f.pack for f in report.findings if f.outcome is FindingOutcome.UNKNOWN}
    undecided = (FindingOutcome.UNKNOWN, FindingOutcome.NOT_APPLICABLE)
    return unknown - {f.pack for f in report.findings if f.outcome not in undecided}
