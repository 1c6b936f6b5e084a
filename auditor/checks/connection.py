"""Checks on the connection itself: can users connect, can they consent, did an administrator."""

from __future__ import annotations

from auditor.checks.judged import Judged
from auditor.checks.ruling import Ruling, failed, not_applicable, passed, seen, unknown
from auditor.consent.existing_grants import Grants, grant_state
from auditor.consent.explanation import listed
from auditor.consent.lookup import NotRead
from auditor.consent.truth import Truth
from auditor.model.decision import Outcome, ScopeVerdict, Verdict
from auditor.model.finding import Evidence


def users_can_connect(judged: Judged) -> Ruling:
    """Whether an ordinary user connects without an administrator."""
    decision = judged.decision
    evidence = seen("decision.outcome", decision.outcome.value, "connects-silently or user-may-consent")
    if decision.outcome is Outcome.DEPENDS:
        return unknown(decision.because, evidence)
    return (passed if decision.outcome.connects else failed)(decision.because, evidence)


def scopes_user_consentable(judged: Judged) -> Ruling:
    """Whether every required scope exists, and is granted or may be consented to by a user."""
    required = [s for s in judged.decision.scopes if s.required and not s.implicit]
    if not required:
        return not_applicable("no scope is required")
    blocked = [s for s in required if s.verdict is Verdict.BLOCKED]
    evidence = tuple(_scope_evidence(s) for s in blocked)
    if blocked:
        names = listed(s.scope for s in blocked)
        verb = "is" if len(blocked) == 1 else "are"
        return failed(f"{names} {verb} out of reach for users: {blocked[0].detail}", *evidence)
    open_ones = [s for s in required if s.verdict is Verdict.UNKNOWN]
    if open_ones:
        return unknown(f"{listed(s.scope for s in open_ones)}: {open_ones[0].detail}")
    return passed(f"all {len(required)} required scopes exist, and users have them or may consent to them")


def _scope_evidence(verdict: ScopeVerdict) -> Evidence:
    path = f"{verdict.resource_name}/{verdict.scope}"
    actual = verdict.reason.value if not verdict.policy else f"{verdict.reason.value} ({verdict.policy})"
    return seen(path, actual, "granted or consentable")


def admin_consent_covers(judged: Judged) -> Ruling:
    """Whether a tenant-wide grant covers every required scope."""
    case = judged.case
    if isinstance(case.grants, NotRead):
        return unknown(case.grants.why)
    wide = Grants(tenant_wide=case.grants.tenant_wide, own={}, unread=case.grants.unread)
    unread = [case.grants.unread[r.permission.resource] for r in case.required if r.permission.resource in wide.unread]
    if unread:
        return unknown(unread[0].why)
    lacking = [r.permission for r in case.required if grant_state(r.permission, wide).truth is not Truth.TRUE]
    if not case.required:
        return not_applicable("no scope is required")
    if not lacking:
        return passed("an administrator has granted every required scope for the whole tenant")
    names = listed(p.value for p in lacking)
    evidence = tuple(
        seen(f"oauth2PermissionGrants/{name}", " ".join(sorted(scopes)), "every required scope")
        for name, scopes in sorted(wide.tenant_wide.items())
    )
    if judged.decision.outcome is Outcome.USER_MAY_CONSENT:
        return not_applicable("users can consent by themselves, so no tenant-wide grant is needed", *evidence)
    if not wide.tenant_wide:
        return failed("no administrator has consented for the whole tenant", *evidence)
    return failed(f"the tenant-wide grant does not cover {names}", *evidence)
