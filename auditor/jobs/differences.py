"""Compare two reports, snapshots or runs of a history, each named by its file, its run or its tenant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from auditor.compare import Comparable, comparable, compare
from auditor.jobs.audit_request import PIPE, SILENT, Interaction
from auditor.jobs.pack_selection import chosen_packs
from auditor.model.difference import Change, ChangeKind, Difference, Transition, Weight
from auditor.model.errors import FAILING, OK, AuditorError, InvalidRequest
from auditor.model.report import FORMAT, Report
from auditor.model.rule import App, Pack, Severity

if TYPE_CHECKING:
    from auditor.history import History

LAST, PREVIOUS = "last", "previous"
"""The names of the latest and the one before the latest finished run of a tenant."""


class DifferenceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to compare: `before` and `after` are files, ids of runs, `LAST`, `PREVIOUS` or names of tenants.

    With `packs` or `app`, snapshots are judged, too. `history` and `config` say where the runs are kept, as the options
    of that name do, and `tenant` whose they are. With `needs_findings`, two sides without common findings are refused.
    """

    before: str
    after: str
    packs: tuple[str, ...] = ()
    app: App | None = None
    history: str = ""
    config: str = ""
    tenant: str = ""
    needs_findings: bool = False


def difference_of(request: DifferenceRequest, interaction: Interaction = SILENT) -> Difference:
    """The difference from the one side of the request to the other.

    Raises InvalidRequest, SnapshotError, PackError, HistoryError, HistoryUnavailable, DifferentTenants and OSError.
    """
    if request.before == request.after == PIPE:
        raise InvalidRequest("only one side can come from standard input: name a file for the other")
    packs = chosen_packs(request.packs, request.app, required=False)
    before, after = (_side(name, request, packs, interaction) for name in (request.before, request.after))
    if before.side.taken > after.side.taken > "":
        interaction.say(f"Note: {request.before} was read after {request.after}, so this shows the changes backward.")
    if any(packs) and not (before.report and after.report):
        raise InvalidRequest("packs judge snapshots, and one side is none: leave out --pack and --app")
    _refuse_nothing_in_common(request, before, after)
    return compare(before, after)


def _refuse_nothing_in_common(request: DifferenceRequest, before: Comparable, after: Comparable) -> None:
    """Raise InvalidRequest for two sides of which nothing that the request needs can be compared.

    The answer would be that nothing changed, and a gate would pass whatever happened in the tenant.
    """
    has_reports, has_snapshots = before.report and after.report, before.snapshot and after.snapshot
    if not (has_reports or has_snapshots):
        named = {bool(before.report): request.before, bool(after.report): request.after}
        report, snapshot = named[True], named[False]
        packs = "".join(f" --pack {pack.name}" for pack in (*before.side.packs, *after.side.packs))
        raise InvalidRequest(
            f"{report} is a report and {snapshot} is a snapshot, so there is nothing to compare: name two reports or"
            " two snapshots. Write a report on the snapshot:"
            f" consent-auditor check --snapshot {snapshot}{packs} -o FILE.json"
        )
    if not request.needs_findings:
        return
    if not has_reports:
        raise InvalidRequest("--fail-on-new compares findings, and snapshots alone have none: add --pack")
    if not {pack.name for pack in before.side.packs} & {pack.name for pack in after.side.packs}:
        raise InvalidRequest(
            "--fail-on-new compares findings, and the two reports have no pack in common: check both by the same packs"
        )


def _side(name: str, request: DifferenceRequest, packs: Sequence[Pack], interaction: Interaction) -> Comparable:
    if name != PIPE and not Path(name).exists():
        return _of_history(name, request)
    if name != PIPE and Path(name).is_file() and (report := report_in(Path(name))) is not None:
        if packs:
            raise InvalidRequest(
                f"{name} is a report, which is judged already: leave out --pack and --app, or name a snapshot"
            )
        return comparable(report)
    from auditor.jobs.report_builder import build_report
    from auditor.jobs.snapshot_files import read_snapshot

    snapshot = read_snapshot((name,), "", interaction)
    return comparable(build_report(snapshot, packs) if packs else None, snapshot)


class _Kind(msgspec.Struct, frozen=True):
    format: str = ""


def report_in(file: Path) -> Report | None:
    """The report in a JSON file; none if it is something else. Raises OSError, and InvalidRequest for a broken one."""
    with file.open("rb") as opened:
        if not opened.read(1).strip().startswith(b"{"):
            return None
    data = file.read_bytes()
    try:
        if msgspec.json.decode(data, type=_Kind).format != FORMAT:
            return None
        return msgspec.json.decode(data, type=Report)
    except (msgspec.ValidationError, RecursionError) as error:
        raise InvalidRequest(
            f"{file} isn't a report that this version can read ({error}): write it again with check -f json"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _of_history(name: str, request: DifferenceRequest) -> Comparable:
    """A run by its id, or the last or previous run of a tenant."""
    from auditor.jobs.kept_runs import HistoryUnavailable, named_history

    named = named_history(request.history, request.config)
    try:
        history = named.open()
    except HistoryUnavailable as error:
        raise HistoryUnavailable(f"there is no file {name}, and {error}", advice=error.advice) from None
    except AuditorError as error:
        from auditor.history import NoHistory

        if not isinstance(error, NoHistory):
            raise
        if "/" in name or "\\" in name or "." in name:
            raise InvalidRequest(f"there is no file {name}: name a report or a snapshot") from None
        raise InvalidRequest(
            f"there is no file {name}, and no run either ({error}): name a report, a snapshot or a run of a history"
        ) from None
    with history:
        run_id = _run_id(history, name, request.tenant)
        report, snapshot = history.comparable_parts(run_id)
        return comparable(report, snapshot)


def _run_id(history: History, name: str, tenant: str) -> str:
    if name.isascii() and name.isdigit():
        return name
    whose = tenant or (_only_tenant(history) if name in (LAST, PREVIOUS) else name)
    run = history.last_finished(whose)
    if run is not None and name == PREVIOUS:
        run = history.last_finished(whose, before=run.id)
    if run is None:
        known = ", ".join(sorted(one for _, one in history.tenants())) or "none so far"
        which = f"{'finished' if name != PREVIOUS else 'earlier'} run of {whose}"
        raise InvalidRequest(
            f"there is no file {name}, and the history has no {which}: name a file, the id of a run, last, previous"
            f" or a tenant (tenants: {known})"
        )
    return run.id


def _only_tenant(history: History) -> str:
    tenants = history.tenants()
    if len(tenants) == 1:
        return tenants[0][0]
    if not tenants:
        raise InvalidRequest(
            f"the history {history.place} has no runs yet: name two files, or make a run with"
            " consent-auditor nightly run"
        )
    names = ", ".join(sorted(name or key for key, name in tenants))
    raise InvalidRequest(f"the history has {len(tenants)} tenants ({names}): add --tenant NAME")


def new_failures(difference: Difference, at_least: Severity) -> tuple[Change, ...]:
    """The findings that fail now and didn't, of this severity or a worse one. One that was unknown isn't new."""
    return tuple(
        change
        for change in difference.changes
        if change.kind is ChangeKind.FINDING
        and change.transition is Transition.APPEARED
        and change.severity is not None
        and change.severity.rank <= at_least.rank
    )


def real_changes(difference: Difference) -> tuple[Change, ...]:
    """The major changes of the tenant or of what it means; that something is known now or no longer isn't one."""
    unknown = (Transition.BECAME_KNOWN, Transition.BECAME_UNKNOWN)
    return tuple(one for one in difference.changes if one.weight is Weight.MAJOR and one.transition not in unknown)


def difference_exit_code(difference: Difference, *, fail_on_new: str = "", fail_on_change: bool = False) -> int:
    """`FAILING` for a new failure at or above `fail_on_new`, or with `fail_on_change` for any major change; or `OK`."""
    if fail_on_new and new_failures(difference, Severity(fail_on_new)):
        return FAILING
    return FAILING if fail_on_change and real_changes(difference) else OK
