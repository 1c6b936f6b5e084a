"""The metrics of nightly runs in the text format of Prometheus 0.0.4, for the node exporter's textfile collector.

The labels are bounded by the configuration: tenant, list, app, severity and outcome. There are no timestamps, which the
collector refuses. https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from auditor import __version__
from auditor.model.decision import ORDINARY_SUBJECT, Outcome
from auditor.model.document import days_left, parse_time
from auditor.model.history import Run, RunFinding
from auditor.model.night import Night
from auditor.model.notification import DeliveryState
from auditor.model.rule import FindingOutcome, Severity

PREFIX = "consent_auditor"


class LastRuns(NamedTuple):
    """The last run of a tenant, its last run that was finished, and the findings of that one."""

    name: str
    last: Run | None
    finished: Run | None
    findings: Sequence[RunFinding]
    missed: int


class _Family(NamedTuple):
    name: str
    about: str
    samples: Iterable[tuple[Mapping[str, str], float | None]]


def metrics_text(night: Night, states: Sequence[LastRuns], schedule_hours: float) -> str:
    """The file of metrics: gauges, each with its HELP and TYPE line. A value that isn't known is left out."""
    families = (*_of_night(night, schedule_hours), *_of_tenants(states, night.finished or night.started))
    return "".join(line for family in families for line in _lines(family))


def _of_night(night: Night, schedule_hours: float) -> Iterator[_Family]:
    undelivered = sum(one.state is not DeliveryState.SENT for one in night.deliveries)
    one_value = (
        ("last_run_timestamp_seconds", "When the last nightly run ended.", _epoch(night.finished or night.started)),
        ("last_run_duration_seconds", "How long the last nightly run took.", night.seconds),
        ("last_run_exit_code", "The exit code of the last nightly run.", night.exit_code),
        ("last_run_problems", "What went wrong besides the audits: notifications, heartbeat.", len(night.problems)),
        ("undelivered_notifications", "Notifications that no target has accepted yet.", undelivered),
        ("schedule_interval_seconds", "How often a run is due.", schedule_hours * 3600),
    )
    lists = [({"list": one.name}, one) for one in night.lists]
    yield _Family("customer_list_up", "1 if the list was read.", [(label, not one.error) for label, one in lists])
    yield _Family(
        "customer_list_customers", "How many customers the list has.", [(label, one.customers) for label, one in lists]
    )
    yield _Family("build_info", "The version of the program.", [({"version": __version__}, 1)])
    for name, about, value in one_value:
        yield _Family(name, about, [({}, value)])


def _of_tenants(states: Sequence[LastRuns], now: str) -> Iterator[_Family]:
    def of_each(name: str, about: str, values: Iterable[float | None]) -> _Family:
        return _Family(name, about, [({"tenant": s.name}, v) for s, v in zip(states, values, strict=True)])

    yield of_each(
        "tenant_last_run_timestamp_seconds",
        "When the last run of the tenant started.",
        [_epoch(state.last.started) if state.last else None for state in states],
    )
    yield of_each(
        "tenant_last_success_timestamp_seconds",
        "When the last run that made an audit of the tenant ended.",
        [_epoch(state.finished.finished) if state.finished else None for state in states],
    )
    yield of_each(
        "tenant_exit_code",
        "The exit code of the last run of the tenant: 0, 1 failing, 3 no audit, 4 unknown.",
        [state.last.exit_code if state.last else None for state in states],
    )
    yield of_each(
        "tenant_duration_seconds",
        "How long the last run of the tenant took.",
        [state.last.seconds if state.last else None for state in states],
    )
    yield of_each("tenant_missed_runs", "Runs that were due before the last one.", [state.missed for state in states])
    yield of_each(
        "tenant_changes",
        "Changes that the last audit found since the audit before it.",
        [state.finished.changes if state.finished else None for state in states],
    )
    yield of_each(
        "tenant_unread_parts",
        "Parts of the tenant that the last audit could not read.",
        [len(state.finished.unread) if state.finished else None for state in states],
    )
    yield of_each(
        "tenant_credential_expiry_days",
        "Days until the audit's own credential ends; negative after that.",
        [days_left(_expiry_of(state), parse_time(now)) for state in states],
    )
    yield of_each(
        "tenant_credential_expiry_timestamp_seconds",
        "When the audit's own credential ends.",
        [_epoch(_expiry_of(state)) for state in states],
    )
    yield _Family(
        "tenant_findings",
        "Findings of the last audit, by outcome and severity.",
        [sample for state in states if state.finished for sample in _findings(state)],
    )
    yield _Family(
        "tenant_decision",
        "1 for the outcome of the last decision whether an ordinary member can connect the app, else 0.",
        [sample for state in states if state.finished for sample in _decisions(state.name, state.finished)],
    )


def _expiry_of(state: LastRuns) -> str:
    runs = (run for run in (state.last, state.finished) if run is not None)
    return next((run.credential_expires for run in runs if run.credential_expires), "")


def _findings(state: LastRuns) -> Iterator[tuple[Mapping[str, str], float]]:
    counts = Counter((one.outcome, one.severity) for one in state.findings)
    for outcome in FindingOutcome:
        for severity in Severity:
            labels = {"tenant": state.name, "outcome": outcome.value, "severity": severity.value}
            yield labels, counts[outcome, severity]


def _decisions(tenant: str, run: Run) -> Iterator[tuple[Mapping[str, str], float]]:
    decisions = [one for one in run.decisions if one.subject == ORDINARY_SUBJECT]
    names = Counter(one.app for one in decisions)
    for decision in decisions:
        # Two packs can be about two apps of one name.
        app = (
            decision.app
            if names[decision.app] == 1 and decision.app
            else f"{decision.app} {decision.client_id}".strip()
        )
        for outcome in Outcome:
            yield {"tenant": tenant, "app": app, "outcome": outcome.value}, float(outcome is decision.outcome)


def _lines(family: _Family) -> Iterator[str]:
    samples = {_labels(labels): value for labels, value in family.samples if value is not None}
    if not samples:
        return
    name = f"{PREFIX}_{family.name}"
    yield f"# HELP {name} {_escaped(family.about)}\n"
    yield f"# TYPE {name} gauge\n"
    for labels, value in samples.items():
        yield f"{name}{labels} {_number(value)}\n"


def tenant_label(name: str) -> str:
    """The label of a tenant, as a line of the file has it."""
    return f'tenant="{_escaped(name, quotes=True)}"'


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    inside = ",".join(f'{name}="{_escaped(value, quotes=True)}"' for name, value in labels.items())
    return f"{{{inside}}}"


def _escaped(text: str, *, quotes: bool = False) -> str:
    """The text with the escapes of the format. Quotation marks are only escaped in the values of labels."""
    plain = text.encode("utf-8", "replace").decode().replace("\\", r"\\").replace("\n", r"\n").replace("\r", " ")
    return plain.replace('"', r"\"") if quotes else plain


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(round(value, 3))


def _epoch(time: str) -> float | None:
    """The seconds since 1970 of a UTC time or day; none for an empty text."""
    try:
        return datetime.fromisoformat(time if "T" in time else f"{time}T00:00:00Z").timestamp() if time else None
    except ValueError:
        return None
