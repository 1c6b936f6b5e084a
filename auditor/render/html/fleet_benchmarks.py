"""The benchmarks of a report on many tenants: the settings that fail and where, each tenant's counts, and outliers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from auditor.model.fleet import FleetReport, FleetSetting
from auditor.render.html.fleet_apps import TenantRef
from auditor.render.labels import NAME_WIDTH, SEVERE
from auditor.render.text_layout import clip

_NAMED = 60
"""Tenants that a setting names for each outcome; more are counted."""


class NamesOf(NamedTuple):
    """Tenants with an outcome: the word, the names, and how many more there are."""

    word: str
    names: tuple[str, ...]
    more: int


class SettingView(NamedTuple):
    """A setting of benchmarks: in how many tenants it fails, and which."""

    word: str
    tone: str
    label: str
    severity: str
    severe: bool
    says: str
    rules: tuple[str, ...]
    names: tuple[NamesOf, ...]


class MatrixRow(NamedTuple):
    """A tenant, and for each benchmark its counts in words."""

    name: str
    cells: tuple[str, ...]


class OutlierRow(NamedTuple):
    """A setting that nearly all tenants have alike, and the tenants that differ."""

    label: str
    usual: str
    tenants: tuple[tuple[TenantRef, str], ...]


def setting_views(report: FleetReport) -> tuple[SettingView, ...]:
    """The settings that fail or are unknown in any tenant."""
    return tuple(_view(one) for one in report.settings if one.failing or one.unknown)


def outlier_rows(report: FleetReport, ref: Callable[[str], TenantRef]) -> tuple[OutlierRow, ...]:
    """The outliers; `ref` is how the page shows the tenant of a name."""
    return tuple(
        OutlierRow(
            label=one.label,
            usual=f"{one.usual} of {one.known}: {one.usual_value}",
            tenants=tuple((ref(each.tenant), each.value) for each in one.tenants),
        )
        for one in report.outliers
    )


def _view(one: FleetSetting) -> SettingView:
    judged = sum(map(len, (one.failing, one.unknown, one.waived, one.passing)))
    groups = (("Fails", one.failing), ("Unknown", one.unknown), ("Waived", one.waived), ("Passes", one.passing))
    counted = [f"{len(names)} {word.lower()}" for word, names in groups[1:] if names]
    return SettingView(
        word=f"{len(one.failing)} of {judged}",
        tone="bad" if one.failing else "unsure",
        label=one.label,
        severity=one.severity.value if one.severity else "",
        severe=one.severity in SEVERE,
        says=", ".join(counted),
        rules=one.rules,
        names=tuple(NamesOf(word, names[:_NAMED], max(0, len(names) - _NAMED)) for word, names in groups if names),
    )


def matrix_rows(report: FleetReport) -> Iterator[MatrixRow]:
    """A row for each tenant that a benchmark was evaluated for, in the order of the report."""
    found = [{one.tenant: one for one in pack.tenants} for pack in report.benchmarks]
    if not found:
        return
    for tenant in report.tenants:
        cells = [
            _counted(one[tenant.name].failed, one[tenant.name].unknown, one[tenant.name].failed_before)
            if tenant.name in one
            else ""
            for one in found
        ]
        if any(cells):
            yield MatrixRow(clip(tenant.name, NAME_WIDTH), tuple(cells))


def _counted(failed: int, unknown: int, before: int | None) -> str:
    """``12 fail (was 11), 2 unknown``."""
    was = f" (was {before})" if before is not None and before != failed else ""
    return f"{failed or 'none'} {'fails' if failed < 2 else 'fail'}{was}{f', {unknown} unknown' if unknown else ''}"
