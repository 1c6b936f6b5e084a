"""Open the history that a command means, find a run in it, and find the nights that are missing."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import msgspec

from auditor.model.configuration import HistoryPlace, Keep
from auditor.model.errors import AuditorError, InvalidRequest
from auditor.model.history import HISTORY_VARIABLE, Run
from auditor.model.night import missed_starts
from auditor.render import how_to_install_extras, not_installed

if TYPE_CHECKING:
    from auditor.history import History
    from auditor.jobs.secret_references import Secrets

LAST = "last"

_NEEDS = ("sqlalchemy", "alembic", "platformdirs")
_ONE_DAY = 24.0


class HistoryUnavailable(AuditorError):
    """The packages of the extra ``nightly`` aren't installed; the message ends with how to install them."""


class NamedHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A history, how long it keeps runs, and how often a run should start; none if no configuration says that.

    `tenants` are the names of the configuration's tenants, without a configuration none. `site` is the configuration's
    folder for the dashboard, if it has one.
    """

    place: HistoryPlace = HistoryPlace()
    url: str = ""
    keep: Keep = Keep()
    schedule_hours: float | None = None
    site: str = ""
    tenants: tuple[str, ...] = ()

    def open(self, secrets: Secrets | None = None, *, must_exist: bool = True) -> History:
        """Open it. Raises HistoryError, SecretError and HistoryUnavailable."""
        return open_place(self.place, secrets, url=self.url, must_exist=must_exist)


def open_place(
    place: HistoryPlace, secrets: Secrets | None = None, *, url: str = "", must_exist: bool = False
) -> History:
    """Open the history at a place of a configuration, or at `url`; see `auditor.history.open_history`.

    Raises HistoryError, SecretError if the place's URL can't be read, and HistoryUnavailable.
    """
    missing = [name for name in _NEEDS if find_spec(name) is None]
    if missing:
        raise HistoryUnavailable(f"a history needs {not_installed(missing)}", advice=how_to_install_extras("nightly"))
    from auditor.history import open_history
    from auditor.jobs.secret_references import Secrets

    if place.url is not None and not url:
        url = (secrets or Secrets()).value(place.url)
    return open_history(url or place.file, keeps_users=place.keeps_users, must_exist=must_exist)


def named_history(given: str, config: str, environ: Mapping[str, str] = os.environ) -> NamedHistory:
    """The history of ``--history``, else of ``--config``, of the environment, or of a configuration that is found.

    Raises InvalidRequest for a URL with a password on the command line, and ConfigurationError.
    """
    if "://" in given and "@" in given and ":" in given.partition("://")[2].rpartition("@")[0]:
        raise InvalidRequest(
            f"--history would show the password to everybody on this machine: put the URL into {HISTORY_VARIABLE}"
            " and leave out --history"
        )
    if given:
        return NamedHistory(url=given)
    from auditor.jobs.nightly_config import VARIABLE as CONFIG_VARIABLE
    from auditor.jobs.nightly_config import configuration_path, load_configuration

    named = environ.get(HISTORY_VARIABLE, "").strip()
    if named and not config:
        return NamedHistory(url=named)
    try:
        path = configuration_path(config, environ)
    except InvalidRequest:
        return NamedHistory()
    if not config and not environ.get(CONFIG_VARIABLE) and not Path(path).is_file():
        return NamedHistory()
    found = load_configuration(path)
    return NamedHistory(
        place=found.history,
        keep=found.keep,
        schedule_hours=found.schedule_hours,
        site=found.site,
        tenants=tuple(entry.name for entry in found.tenants),
    )


def run_named(history: History, name: str, tenant: str = "") -> Run:
    """The run with this id, or the ``last`` one that has a report: of a tenant, or of the only one.

    Raises NoSuchRun, and InvalidRequest where ``last`` could mean several tenants.
    """
    if name.lower() != LAST:
        return history.run(name)
    from auditor.history import NoSuchRun

    tenants = history.tenants()
    if not tenant and len(tenants) > 1:
        names = ", ".join(label for _, label in tenants[:10])
        raise InvalidRequest(f"the history has {len(tenants)} tenants ({names}): add --tenant NAME")
    wanted = tenant or (tenants[0][0] if tenants else "")
    found = history.last_finished(wanted) if wanted else None
    if found is None:
        whom = f" of {tenant}" if tenant else ""
        raise NoSuchRun(
            f"the history {history.place} has no finished run{whom}",
            advice="List the runs: consent-auditor history list",
        )
    return found


def must_be_known(history: History, tenant: str, option: str = "--tenant") -> None:
    """Raise InvalidRequest for the tenant of an option of which there is no run, with the names that there are."""
    if not tenant or history.runs(tenant, limit=1):
        return
    tenants = history.tenants()
    from auditor.checks.typo_suggestions import nearest

    known = {label.lower(): label for pair in tenants for label in pair}
    near = nearest(tenant, known)
    names = ", ".join(label for _, label in tenants[:10]) or "none"
    hint = f'did you mean "{known[near]}"?' if near else f"the tenants are: {names}"
    raise InvalidRequest(f'{option}: the history has no run of "{tenant}"; {hint}')


def missing_runs(
    runs: Sequence[Run], now: str, every_hours: float | None = None, kept: Collection[str] = ()
) -> dict[str, tuple[str, ...]]:
    """For each tenant, by its name, the times at which a run was due and none started.

    `runs` are the latest first. Without a schedule, the usual time between two runs of the tenant counts. `kept` are
    the ids of all runs that the history holds: where one in between was deleted, no run is said to be missing.
    """
    by_tenant: dict[tuple[str, str], list[Run]] = {}
    for run in reversed(runs):
        by_tenant.setdefault((run.tenant, run.name), []).append(run)
    missing = {}
    for (_, name), found in by_tenant.items():
        pairs = [
            (one.started, other.started) for one, other in pairwise(found) if not _lacks_runs_between(one, other, kept)
        ]
        every = every_hours or _usual_hours(pairs)
        due = tuple(
            due for one, other in (*pairs, (found[-1].started, now)) for due in missed_starts(one, other, every)
        )
        if due:
            missing[name] = due
    return missing


def _lacks_runs_between(one: Run, other: Run, kept: Collection[str]) -> bool:
    """Whether a run, of any tenant, between the two was deleted."""
    return bool(kept) and any(str(number) not in kept for number in range(int(one.id) + 1, int(other.id)))


def _usual_hours(pairs: Sequence[tuple[str, str]]) -> float:
    hours = list(_hours_between(pairs))
    return median(hours) if len(hours) > 1 else _ONE_DAY


def _hours_between(pairs: Sequence[tuple[str, str]]) -> Iterator[float]:
    for one, other in pairs:
        try:
            hours = (datetime.fromisoformat(other) - datetime.fromisoformat(one)).total_seconds() / 3600
        except (ValueError, TypeError):
            continue
        if hours >= 1:
            yield hours


def exported(history: History, tenant: str = "", since: str = "") -> Iterator[bytes]:
    """The runs as JSON, one on each line, the oldest first."""
    encode = msgspec.json.Encoder().encode
    return (encode(run) + b"\n" for run in history.export(tenant, since))
