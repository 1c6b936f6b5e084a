"""Rules and a snapshot give findings: the same ones, in the same order, every time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import assert_never

from auditor.consent.links import admin_consent_link, portal_address
from auditor.judge.connection import admin_consent_covers, scopes_user_consentable, users_can_connect
from auditor.judge.ruling import Ruling
from auditor.judge.subject import Judged
from auditor.judge.tenant_settings import consent_setting, consent_workflow, scopes_classified
from auditor.judge.vendor_app import app_assignment, app_enabled, publisher_verified
from auditor.model.finding import Finding, FindingOutcome, Remediation
from auditor.model.rule import (
    AdminConsentCovers,
    AnyCheck,
    AppAssignment,
    AppEnabled,
    ConsentWorkflow,
    Pack,
    PublisherVerified,
    Rule,
    ScopesClassified,
    ScopesUserConsentable,
    UserConsentSetting,
    UsersCanConnect,
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
    ruling = _ruling(rule.check, judged)
    attention = ruling.outcome in (FindingOutcome.FAIL, FindingOutcome.UNKNOWN)
    fixes = judged.fixes if ruling.outcome is FindingOutcome.FAIL and rule.routes else ()
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
        remediation=_filled(rule.fix, judged) if attention else Remediation(),
        fixes=tuple(f for f in fixes if set(f.route.split("+")) & set(rule.routes)),
        references=rule.references,
        frameworks=dict(rule.frameworks),
    )


def fingerprint(rule: Rule, judged: Judged) -> str:
    """The same for the same rule, tenant and app in every run, whatever the outcome."""
    parts = (rule.id, judged.snapshot.tenant.id.lower(), judged.app.client_id.lower())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _ruling(check: AnyCheck, judged: Judged) -> Ruling:
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
            return consent_setting(check, judged)
        case ConsentWorkflow():
            return consent_workflow(judged)
        case _:
            assert_never(check)


def _filled(advice: Remediation, judged: Judged) -> Remediation:
    """The rule's advice with this tenant's and this app's values in it."""
    app = judged.app
    values = {
        "{tenant-id}": judged.snapshot.tenant.id,
        "{client-id}": app.client_id,
        "{app}": app.label,
        "{redirect-uri}": app.redirect_uris[0] if app.redirect_uris else "",
        "{scopes}": ", ".join(n.value for n in app.scopes if n.required),
        "{admin-consent-link}": admin_consent_link(judged.snapshot, app),
        "{portal}": portal_address(judged.snapshot),
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
