"""Rules and a snapshot give findings: the same ones, in the same order, every time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import assert_never

from auditor.checks.combined import all_hold, any_holds, opposite
from auditor.checks.connection import admin_consent_covers, scopes_user_consentable, users_can_connect
from auditor.checks.consent_policies import assigned_policies, users_can_consent
from auditor.checks.granted import app_roles_held, classifications, delegated_grants
from auditor.checks.judged import Judged
from auditor.checks.ruling import Ruling
from auditor.checks.settings import contains, count, directory_setting, every, setting
from auditor.checks.tenant_consent import consent_workflow, scopes_classified, user_setting
from auditor.checks.vendor_app import app_assignment, app_enabled, publisher_verified
from auditor.consent.links import admin_consent_link, portal_address
from auditor.model.finding import Finding, FindingOutcome, Remediation
from auditor.model.fix import Fix
from auditor.model.rule import (
    AdminConsentCovers,
    AllOf,
    AnyCheck,
    AnyOf,
    AppAssignment,
    AppEnabled,
    AppRolesHeld,
    AssignedPolicies,
    Classifications,
    ConsentWorkflow,
    Contains,
    Count,
    DelegatedGrants,
    DirectorySettingIs,
    Every,
    Not,
    Pack,
    PublisherVerified,
    Rule,
    ScopesClassified,
    ScopesUserConsentable,
    Setting,
    UserConsentSetting,
    UsersCanConnect,
    UsersCanConsent,
)


def judge(pack: Pack, judged: Judged) -> tuple[Finding, ...]:
    """One finding for each rule of `pack`: what needs attention first, then by severity and rule id."""
    found = (finding(rule, pack, judged) for rule in pack.rules)
    return in_order(found)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The order of a report, which does not depend on the order of the rules."""
    return tuple(sorted(findings, key=lambda f: (f.outcome.rank, f.severity.rank, f.pack, f.rule)))


def finding(rule: Rule, pack: Pack, judged: Judged) -> Finding:
    """What `rule` says of the tenant: unknown, never pass or fail, where Graph gave no answer."""
    ruling = ruled(rule.check, judged)
    attention = ruling.outcome in (FindingOutcome.FAIL, FindingOutcome.UNKNOWN)
    offered = judged.fixes if ruling.outcome is FindingOutcome.FAIL and rule.routes and judged.app else ()
    fixes = tuple(f for f in offered if set(f.route.split("+")) & set(rule.routes))
    return Finding(
        rule=rule.id,
        pack=pack.name,
        title=rule.title,
        severity=rule.severity,
        outcome=ruling.outcome,
        reason=ruling.reason,
        fingerprint=fingerprint(rule, judged),
        why=rule.why,
        evidence=ruling.evidence,
        remediation=_remediation(rule, judged, fixes) if attention else Remediation(),
        fixes=fixes,
        references=rule.references,
        frameworks=dict(rule.frameworks),
        note=rule.view,
        place=pack.places.get(rule.id),
        subjects=ruling.subjects if ruling.outcome is FindingOutcome.FAIL else (),
        unread=ruling.unread if ruling.outcome is FindingOutcome.FAIL else "",
    )


def _remediation(rule: Rule, judged: Judged, fixes: tuple[Fix, ...]) -> Remediation:
    """The author's advice; where another way than an administrator's consent was proven, that way's steps.

    A link that grants consent does not help an app that is switched off, whatever the rule was written for.
    """
    advice = _filled(rule.fix, judged)
    best = fixes[0] if fixes else None
    if best is None or not best.steps.portal or {"R1", "R3"} & {r for f in fixes for r in f.route.split("+")}:
        return advice
    return Remediation(portal=best.steps.portal, link=best.link, role=best.role)


def fingerprint(rule: Rule, judged: Judged) -> str:
    """The same for the same rule, tenant and app in every run, whatever the outcome."""
    parts = (rule.id, judged.snapshot.tenant.id.lower(), judged.app.client_id.lower() if judged.app else "")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def ruled(check: AnyCheck, judged: Judged) -> Ruling:
    """What one check says of the tenant."""
    match check:
        case AnyOf(checks=checks):
            return any_holds(ruled(one, judged) for one in checks)
        case AllOf(checks=checks):
            return all_hold(ruled(one, judged) for one in checks)
        case Not(check=one):
            return opposite(ruled(one, judged))
        case Setting():
            return setting(check, judged)
        case Contains():
            return contains(check, judged)
        case Every():
            return every(check, judged)
        case Count():
            return count(check, judged)
        case DirectorySettingIs():
            return directory_setting(check, judged)
        case _:
            return _of_consent(check, judged)


_OfConsent = (
    UsersCanConnect
    | ScopesUserConsentable
    | ScopesClassified
    | AdminConsentCovers
    | AppEnabled
    | AppAssignment
    | PublisherVerified
    | UserConsentSetting
    | ConsentWorkflow
    | AssignedPolicies
    | UsersCanConsent
    | DelegatedGrants
    | AppRolesHeld
    | Classifications
)


def _of_consent(check: _OfConsent, judged: Judged) -> Ruling:
    match check:
        case UsersCanConnect():
            return users_can_connect(judged)
        case ScopesUserConsentable():
            return scopes_user_consentable(judged)
        case ScopesClassified():
            return scopes_classified(check, judged)
        case AdminConsentCovers():
            return admin_consent_covers(judged)
        case AppEnabled():
            return app_enabled(judged)
        case AppAssignment():
            return app_assignment(judged)
        case PublisherVerified():
            return publisher_verified(judged)
        case UserConsentSetting():
            return user_setting(check, judged)
        case ConsentWorkflow():
            return consent_workflow(check, judged)
        case AssignedPolicies():
            return assigned_policies(check, judged)
        case UsersCanConsent():
            return users_can_consent(check, judged)
        case DelegatedGrants():
            return delegated_grants(check, judged)
        case AppRolesHeld():
            return app_roles_held(check, judged)
        case Classifications():
            return classifications(check, judged)
        case _:
            assert_never(check)


def _filled(advice: Remediation, judged: Judged) -> Remediation:
    """The rule's advice with this tenant's and this app's values in it."""
    values = {"{tenant-id}": judged.snapshot.tenant.id, "{portal}": portal_address(judged.snapshot)}
    if (app := judged.app) is not None:
        values |= {
            "{client-id}": app.client_id,
            "{app}": app.label,
            "{redirect-uri}": app.redirect_uris[0] if app.redirect_uris else "",
            "{scopes}": ", ".join(n.value for n in app.scopes if n.required),
            "{admin-consent-link}": admin_consent_link(judged.snapshot, app),
        }

    def fill(text: str) -> str:
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)
        return text

    return Remediation(
        portal=tuple(fill(step) for step in advice.portal),
        link=fill(advice.link),
        role=fill(advice.role),
        note=fill(advice.note),
    )
