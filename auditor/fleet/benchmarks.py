"""Benchmarks in all tenants: the counts of each, and the settings where tenants fail, as a report groups findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from auditor.facts.ids import is_one_setting
from auditor.fleet.apps import AppsOfFleet
from auditor.fleet.tenant_audit import JudgedRule, TenantAudit
from auditor.model.fleet import (
    FEWEST_FOR_USUAL,
    USUAL_SHARE,
    FleetBenchmark,
    FleetOutlier,
    FleetSetting,
    OutlierTenant,
    TenantCounts,
)
from auditor.model.rule import FindingOutcome, Setting, Severity


def benchmarks(tenants: Sequence[TenantAudit]) -> tuple[FleetBenchmark, ...]:
    """Each pack with rules: those about no app first, then the one that is evaluated for most tenants."""
    packs: dict[str, set[str]] = {}
    about: dict[str, str] = {}
    for tenant in tenants:
        for pack in tenant.packs:
            packs.setdefault(pack.name, set()).add(pack.version)
            about.setdefault(pack.name, pack.client_id)
    made = [
        FleetBenchmark(
            pack=name,
            client_id=about[name],
            versions=tuple(sorted(filter(None, versions))),
            tenants=tuple(_counts(name, tenants)),
            not_audited=tuple(one.name for one in tenants if not one.is_current and _uses(one, name)),
        )
        for name, versions in packs.items()
    ]
    used = [one for one in made if one.tenants or one.not_audited]
    return tuple(sorted(used, key=lambda one: (bool(one.client_id), -len(one.tenants), one.pack)))


def _uses(tenant: TenantAudit, pack: str) -> bool:
    return any(one.name == pack for one in tenant.packs)


def _counts(pack: str, tenants: Sequence[TenantAudit]) -> Iterator[TenantCounts]:
    """The counts of each tenant with a current audit, the one that fails most first."""
    rows = []
    for tenant in tenants:
        rules = [one for one in tenant.rules if one.pack == pack]
        if not tenant.is_current or not rules:
            continue
        number = Counter(one.outcome for one in rules)
        rows.append(
            TenantCounts(
                tenant=tenant.name,
                passed=number[FindingOutcome.PASS],
                failed=number[FindingOutcome.FAIL],
                unknown=number[FindingOutcome.UNKNOWN],
                waived=number[FindingOutcome.WAIVED],
                not_applicable=number[FindingOutcome.NOT_APPLICABLE],
                failed_before=_failed_before(tenant, rules),
            )
        )
    yield from sorted(rows, key=lambda one: (-one.failed, -one.unknown, one.tenant.casefold()))


def _failed_before(tenant: TenantAudit, rules: Sequence[JudgedRule]) -> int | None:
    """How many of these rules failed at the earlier audit; none if it had none of them."""
    then = tenant.earlier.findings if tenant.earlier else {}
    outcomes = [then[one.fingerprint] for one in rules if one.fingerprint in then]
    return sum(one is FindingOutcome.FAIL for one in outcomes) if outcomes else None


def settings(tenants: Sequence[TenantAudit]) -> tuple[FleetSetting, ...]:
    """Each setting that a rule judged, where most tenants fail first. Tenants without a current audit are left out."""
    found: dict[str, _SettingInTenants] = {}
    for tenant in tenants:
        if tenant.is_current:
            for rule in tenant.rules:
                found.setdefault(rule.setting.id, _SettingInTenants(rule.setting)).add(tenant.name, rule)
    made = (one.made() for one in found.values())
    return tuple(
        sorted(
            (one for one in made if one.failing or one.unknown or one.waived or one.passing),
            key=lambda one: (-len(one.failing), _rank(one.severity), -len(one.unknown), one.label.casefold(), one.id),
        )
    )


def _rank(severity: Severity | None) -> int:
    return len(Severity) if severity is None else severity.rank


class _SettingInTenants:
    """One setting: the worst outcome of the rules about it, by tenant."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._rules: dict[str, None] = {}
        self._worst: dict[str, FindingOutcome] = {}
        self._severity: Severity | None = None

    def add(self, tenant: str, rule: JudgedRule) -> None:
        """Count a rule."""
        self._rules[f"{rule.pack}/{rule.rule}"] = None
        worst = self._worst.get(tenant)
        self._worst[tenant] = rule.outcome if worst is None or rule.outcome.rank < worst.rank else worst
        if rule.outcome is FindingOutcome.FAIL and rule.severity.rank < _rank(self._severity):
            self._severity = rule.severity

    def made(self) -> FleetSetting:
        """The setting with its tenants."""
        return FleetSetting(
            id=self._setting.id,
            label=self._setting.label,
            severity=self._severity,
            rules=tuple(sorted(self._rules)),
            failing=self._tenants(FindingOutcome.FAIL),
            unknown=self._tenants(FindingOutcome.UNKNOWN),
            waived=self._tenants(FindingOutcome.WAIVED),
            passing=self._tenants(FindingOutcome.PASS),
        )

    def _tenants(self, outcome: FindingOutcome) -> tuple[str, ...]:
        return tuple(tenant for tenant, worst in self._worst.items() if worst is outcome)


# ---- Outliers -------------------------------------------------------------------------------------------------------


def outliers(tenants: Sequence[TenantAudit], apps: AppsOfFleet) -> tuple[FleetOutlier, ...]:
    """What nearly all tenants have alike, and who differs: answers about apps, then values of settings.

    A value counts only where it was read: see `USUAL_SHARE` and `FEWEST_FOR_USUAL`.
    """
    found = [*_different_answers(apps), *_different_values(tenants)]
    return tuple(sorted(found, key=lambda one: (not one.setting.startswith(_APP), len(one.tenants), one.label)))


_APP = "app/"


def _different_answers(apps: AppsOfFleet) -> Iterator[FleetOutlier]:
    for key, name, rows in apps.rows():
        answers = {
            tenant: f"{state.value}: {setting}" if setting else state.value
            for tenant, state, setting in rows
            if state.is_known
        }
        yield from _outlier(f"{_APP}{key}", f"Can users connect {name}?", answers)


def _different_values(tenants: Sequence[TenantAudit]) -> Iterator[FleetOutlier]:
    values: dict[tuple[str, str], dict[str, str]] = {}
    labels: dict[tuple[str, str], str] = {}
    for tenant in tenants:
        for one in tenant.values if tenant.is_current else ():
            key = (one.setting.id, one.path)
            values.setdefault(key, {})[tenant.name] = one.value
            labels[key] = f"{one.setting.label}: {one.path.rpartition('.')[2]}"
    for key, by_tenant in values.items():
        if is_one_setting(Setting(id=key[0], label="")):
            yield from _outlier(key[1] if "/" not in key[0] else f"{key[0]}/{key[1]}", labels[key], by_tenant)


def _outlier(setting: str, label: str, values: Mapping[str, str]) -> Iterator[FleetOutlier]:
    if len(values) < FEWEST_FOR_USUAL:
        return
    ((usual, number),) = Counter(values.values()).most_common(1)
    if number == len(values) or number < USUAL_SHARE * len(values):
        return
    yield FleetOutlier(
        setting=setting,
        label=label,
        usual_value=usual,
        usual=number,
        known=len(values),
        tenants=tuple(OutlierTenant(tenant=tenant, value=value) for tenant, value in values.items() if value != usual),
    )
