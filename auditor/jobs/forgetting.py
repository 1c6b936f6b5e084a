"""Forget a tenant: remove what the program keeps about it, and prove by a search that nothing is left.

The search is independent of the removal: it looks for the tenant's ids, names, domains and objects in every table, in
the bytes of the database's file, and in the folders that the configuration names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from auditor.facts.ids import is_guid
from auditor.jobs.file_search import search_files
from auditor.jobs.history_site import MANIFEST, update_site
from auditor.jobs.night_setup import tenant_key
from auditor.model.configuration import Configuration, TenantEntry
from auditor.model.document import count, first_of, series
from auditor.model.errors import FAILING, OK, UNKNOWN, InvalidRequest
from auditor.render import FORMATS, files_in_folder

if TYPE_CHECKING:
    from auditor.history import History
    from auditor.history.tenant_deletion import KeptOfTenant
    from auditor.history.traces import Words

_LEFTOVERS = ".consent-auditor-*.tmp"
_REPORT_FILES = frozenset(file for name in FORMATS for _, file in files_in_folder(name))
_MOST_NAMED = 3
_SUGGESTED = 10


class Left(NamedTuple):
    """A place that still has something of the tenant, what it has, and what to do about it."""

    place: str
    what: str
    advice: str


class Removal(NamedTuple):
    """What the program keeps about a tenant: in the history, in files, on pages, and in the lines of the metrics.

    `label` is what to call the tenant. `folders` are those of its reports.
    """

    label: str
    entries: tuple[TenantEntry, ...]
    holdings: KeptOfTenant
    folders: tuple[Path, ...] = ()
    reports: tuple[Path, ...] = ()
    pages: int = 0
    metrics: int = 0

    @property
    def names(self) -> frozenset[str]:
        """What the configuration and the history call the tenant."""
        return frozenset((*(entry.name for entry in self.entries), *self.holdings.names))


class SearchResult(NamedTuple):
    """What was searched, and what was found.

    `words` is their number; `shared` are those that other tenants' own data has too, and which prove nothing.
    `owners` are these tenants. `unsearched` are files that could not be read, each with its reason.
    """

    words: int
    places: tuple[str, ...]
    left: tuple[Left, ...] = ()
    shared: frozenset[str] = frozenset()
    owners: tuple[str, ...] = ()
    unsearched: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 if something is left, 4 if a place could not be searched, else 0."""
        return FAILING if self.left else UNKNOWN if self.unsearched else OK


def planned(history: History, tenant: str, configuration: Configuration | None) -> Removal:
    """What `remove` would remove. Raises HistoryError, and InvalidRequest for a tenant of which nothing is known."""
    from auditor.history.tenant_deletion import holdings

    entries = _entries(configuration, tenant, holdings(history.database, tenant))
    held = holdings(history.database, tenant, _called(entries))
    label = next((entry.name for entry in entries), next(iter(held.names), tenant))
    found = Removal(label, entries, held)
    folders = tuple(_report_folders(found.names | {tenant}, configuration))
    found = found._replace(
        folders=folders,
        reports=tuple(path for folder in folders for path in _own_reports(folder)),
        pages=_pages(configuration, held),
        metrics=len(_metric_lines(configuration, found.names)[1]),
    )
    if held.is_empty and not entries and not found.reports:
        raise InvalidRequest(_unknown(history, tenant, configuration))
    return found


def _entries(configuration: Configuration | None, tenant: str, held: KeptOfTenant) -> tuple[TenantEntry, ...]:
    """The entries of the configuration that mean the tenant, also by what earlier runs found out."""
    known = {one.lower() for one in (tenant, *held.keys, *held.ids, *held.names)}
    entries = configuration.tenants if configuration else ()
    return tuple(one for one in entries if not known.isdisjoint((one.name.lower(), one.tenant.lower())))


def _called(entries: Sequence[TenantEntry]) -> tuple[str, ...]:
    """What the history calls the tenants of these entries."""
    return tuple(dict.fromkeys(name for entry in entries for name in (tenant_key(entry), entry.name)))


def _unknown(history: History, tenant: str, configuration: Configuration | None) -> str:
    from auditor.checks.typo_suggestions import nearest

    every = {name.lower(): name for pair in history.tenants() for name in pair}
    every |= {entry.name.lower(): entry.name for entry in (configuration.tenants if configuration else ())}
    near = nearest(tenant, every)
    names = sorted({name for name in every.values() if not is_guid(name)})
    shown = first_of(names, _SUGGESTED)
    hint = f'did you mean "{every[near]}"?' if near else f"the tenants are {series(shown) or 'none'}"
    return f'nothing is known about a tenant "{tenant}"; {hint}'


def _report_folders(names: Collection[str], configuration: Configuration | None) -> Iterator[Path]:
    """The folders of the tenant's reports that exist: one of its name in each folder of the configuration."""
    for base in _report_bases(configuration):
        for name in sorted(names):
            folder = base / name
            # A name that isn't the name of a folder could lead elsewhere.
            is_plain = name not in ("", ".", "..") and folder.parent == base and folder.name == name
            if is_plain and folder.is_dir() and not folder.is_symlink():
                yield folder


def _report_bases(configuration: Configuration | None) -> tuple[Path, ...]:
    if configuration is None:
        return ()
    every = (*configuration.tenants, *(source.customer for source in configuration.sources))
    return tuple(dict.fromkeys(Path(one.reports.folder) for one in every if one.reports.folder))


def _own_reports(folder: Path) -> tuple[Path, ...]:
    """The files that a night writes into a folder of reports, and what a killed one left."""
    names = (path for path in folder.iterdir() if path.name in _REPORT_FILES and not path.is_dir())
    return tuple(sorted((*names, *folder.glob(_LEFTOVERS))))


def _pages(configuration: Configuration | None, held: KeptOfTenant) -> int:
    """How many runs have a page in the dashboard."""
    has_site = configuration is not None and configuration.site and (Path(configuration.site) / MANIFEST).exists()
    return held.runs if has_site else 0


def _metric_lines(configuration: Configuration | None, names: Collection[str]) -> tuple[list[str], list[str]]:
    """The lines of the file of metrics that stay, and those about the tenant."""
    from auditor.jobs.night_metrics import tenant_label

    path = Path(configuration.metrics) if configuration and configuration.metrics else None
    if path is None or not path.is_file():
        return [], []
    labels = tuple(map(tenant_label, names))
    lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True)
    gone = [line for line in lines if any(label in line for label in labels)]
    return [line for line in lines if line not in gone], gone


# ---- Removing -------------------------------------------------------------------------------------------------------


def remove(history: History, tenant: str, configuration: Configuration | None, now: str) -> Removal:
    """Remove what `planned` lists, and return it. `now` is the UTC time.

    Raises HistoryError, RunInProgress if a run of the tenant is in progress, InvalidRequest and OSError.
    """
    from auditor.history.tenant_deletion import forget

    plan = planned(history, tenant, configuration)
    held = forget(history.database, tenant, _called(plan.entries))
    for path in plan.reports:
        path.unlink(missing_ok=True)
    for folder in plan.folders:
        # One with files of others stays, and the search finds it.
        with suppress(OSError):
            folder.rmdir()
    if configuration is not None and configuration.site and (Path(configuration.site) / MANIFEST).exists():
        update_site(history, configuration.site, now=now, schedule_hours=configuration.schedule_hours)
    kept, gone = _metric_lines(configuration, plan.names)
    if gone and configuration is not None:
        from auditor.atomic import write_whole

        write_whole(configuration.metrics, "".join(kept).encode("utf-8", "surrogateescape"), keep_mode=True)
    return plan._replace(holdings=held)


# ---- Proving --------------------------------------------------------------------------------------------------------


def words_of(history: History, plan: Removal, tenant: str) -> frozenset[str]:
    """Words that show that something is about the tenant: its ids, names and domains, and the ids of its objects.

    Read before it is forgotten. The objects are those of the last finished run.
    """
    held = plan.holdings
    words = {tenant, *held.keys, *held.ids, *held.aliases, *plan.names, *(entry.tenant for entry in plan.entries)}
    for key in held.keys:
        last = history.last_finished(key)
        if last is not None:
            report, snapshot = history.comparable_parts(last.id)
            words.add(report.tenant.name)
            words |= set(_objects(msgspec.to_builtins(snapshot.sections)))
    return frozenset(word for word in words if len(word) > 1)


_OWN_IDS = {
    "organization": ("id", "displayName"),
    "servicePrincipals": ("id",),
    "oauth2PermissionGrants": ("clientId", "resourceId", "principalId"),
    "appRoleAssignedTo": ("principalId", "resourceId"),
}
"""The properties of objects whose ids no other tenant has."""


def _objects(sections: dict[str, Any]) -> Iterator[str]:
    for name, properties in _OWN_IDS.items():
        for row in _rows(sections.get(name)):
            yield from (str(row[one]) for one in properties if row.get(one))
    for row in _rows(sections.get("organization")):
        yield from (str(one["name"]) for one in row.get("verifiedDomains") or () if one.get("name"))


def _rows(section: Any) -> Iterator[dict[str, Any]]:
    match section:
        case list() | tuple():
            for one in section:
                yield from _rows(one)
        case {"id": _} | {"displayName": _} | {"principalId": _}:
            yield section
        case dict():
            for one in section.values():
                yield from _rows(one)


def prove(
    history: History,
    words: Collection[str],
    plan: Removal,
    configuration: Configuration | None,
    more: Sequence[str] = (),
) -> SearchResult:
    """Search the history, its file, and the folders of the configuration and in `more` for the words.

    Words that rows of other tenants have belong to what was read in these tenants, and count no longer.
    """
    from auditor.history.tenant_deletion import remaining, remaining_in_files
    from auditor.history.traces import Words

    traces = remaining(history.database, Words(words))
    shared = frozenset(word for trace in traces if trace.owners for word in trace.words)
    own = Words(frozenset(words) - shared)
    lost = [trace for trace in traces if not trace.owners]
    tables = ", ".join(f"{count(trace.rows, 'row')} of {trace.table}" for trace in lost)
    left = [Left(f"the tables of {history.place}", tables, "Please report this: it is an error.")] if lost else []
    path = _file_of(history)
    places, unsearched = [f"{history.place}: every table{', and the bytes of the file' if path else ''}"], list[str]()
    if in_file := remaining_in_files(history.database, own):
        left.append(Left(history.place, _named(in_file), _STILL_OPEN))
    searches = (*_folders(configuration), *((Path(one), _COPY) for one in more))
    for place, advice in searches:
        places.append(str(place))
        if not place.exists():
            unsearched.append(f"{place}: there is no such folder")
        for found in search_files(place, own):
            if found.error:
                unsearched.append(f"{found.path}: {found.error}")
            if found.words:
                left.append(Left(str(found.path), _named(found.words), advice))
    left += [*_backups(history, own), *_in_configuration(configuration, plan, own)]
    # One file, one entry: what is known about it says more than that a search found it.
    by_place = {str(Path(one.place).absolute()): one for one in left}
    owners = tuple(dict.fromkeys(owner for trace in traces for owner in trace.owners))
    return SearchResult(len(words), tuple(places), tuple(by_place.values()), shared, owners, tuple(unsearched))


_STILL_OPEN = "Run the command again when no other process has the history open."
_REPORTS = "The program didn't write this file with this name: delete it, or the words in it."
_GIVEN = "The next run audits this tenant again: delete the file, or move it out of the folder."
_PAGES = "Run consent-auditor history site, and delete the page if it stays."
_METRICS = "The next run writes the metrics again. Delete the lines until then."
_COPY = "Delete this file, or the words in it."


def _file_of(history: History) -> Path | None:
    return Path(history.place) if history.database.engine.dialect.name == "sqlite" else None


def _folders(configuration: Configuration | None) -> Iterator[tuple[Path, str]]:
    """The folders and files of the configuration that can hold data of a tenant, and what to do about what is left."""
    if configuration is None:
        return
    # Also one that isn't there now, such as a share that isn't mounted: it counts as not searched.
    yield from dict.fromkeys((Path(one.folder), _GIVEN) for one in configuration.sources if one.folder)
    yield from ((base, _REPORTS) for base in _report_bases(configuration) if base.exists())
    for place, advice in ((configuration.site, _PAGES), (configuration.metrics, _METRICS)):
        if place and Path(place).exists():
            yield Path(place), advice


def _backups(history: History, own: Words) -> Iterator[Left]:
    """The copies of the history that upgrades made. They hold every tenant, so nobody deletes them unasked."""
    from auditor.history.database import open_copy
    from auditor.history.tenant_deletion import remaining

    path = _file_of(history)
    for copy in sorted(path.parent.glob(f"{path.name}.backup-*")) if path else ():
        database = open_copy(copy)
        try:
            found = remaining(database, own)
        finally:
            database.close()
        if found:
            rows = sum(trace.rows for trace in found)
            yield Left(str(copy), f"{count(rows, 'row')} of a backup of the history", "Delete the backup.")


def _in_configuration(configuration: Configuration | None, plan: Removal, own: Words) -> Iterator[Left]:
    """The lines of the configuration that name the tenant, also in a CSV file, and the snapshot that they name."""
    if configuration is None:
        return
    lines = Path(configuration.file).read_text(encoding="utf-8", errors="replace").splitlines()
    numbers = [str(number) for number, line in enumerate(lines, 1) if own.found_in(line)]
    # A line that keeps a customer out of a list is what the person was advised to write.
    is_left_out = any(own.found_in(name) for source in configuration.sources for name in source.excluded)
    if numbers and (plan.entries or not is_left_out):
        noun = "line" if len(numbers) == 1 else "lines"
        more = f" and {len(numbers) - _MOST_NAMED} more" if len(numbers) > _MOST_NAMED else ""
        where = f"{noun} {', '.join(numbers[:_MOST_NAMED])}{more}"
        yield Left(configuration.file, where, "Remove the tenant, or the next run audits it again.")
    for entry in plan.entries:
        if entry.place and Path(entry.place.file).name != Path(configuration.file).name:
            where = f"line {entry.place.line}"
            yield Left(entry.place.file, where, "Remove the tenant, or the next run audits it again.")
    for entry in plan.entries:
        if entry.snapshot and Path(entry.snapshot).exists():
            yield Left(entry.snapshot, "the snapshot that the configuration names", "Delete the file.")


def _named(words: Collection[str]) -> str:
    return series(first_of(sorted(words, key=lambda word: (is_guid(word), word)), _MOST_NAMED))
