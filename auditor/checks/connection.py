"""Checks on the app of the pack: can users connect it, did an administrator consent, does anything block it."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from auditor.checks.kind import (
    AFTER_CONSENT,
    POLICIES,
    CheckContext,
    CheckKind,
    CheckResult,
    app_roles_of,
    client_of,
    compared,
    connecting,
    failed,
    likely,
    not_applicable,
    passed,
    unknown,
)
from auditor.consent import Truth
from auditor.consent.blockers import Blocker
from auditor.consent.decide import decide
from auditor.consent.existing_grants import Grants, grant_state
from auditor.consent.explanation import listed, malformed_grants
from auditor.consent.snapshot_index import NotRead
from auditor.model.decision import Access, AccessPolicy, Confidence, Outcome, Reason, RoleState, ScopeVerdict, Verdict
from auditor.model.document import Point
from auditor.model.report import Evidence
from auditor.model.resources import VerifiedPublisher
from auditor.model.rule import App
from auditor.model.snapshot import Plan

_SWITCHES = (Reason.APP_DEACTIVATED, Reason.APP_DISABLED_BY_MICROSOFT, Reason.APP_DISABLED_IN_TENANT)


class UsersCanConnect(CheckKind, frozen=True, tag="users-can-connect"):
    """An ordinary member can connect the pack's app without an administrator."""

    about_app: ClassVar[bool] = True
    setting_id: ClassVar[str] = "app-consent"

    def reads(self, app: App | None) -> Plan:
        return connecting(app) if app else Plan()

    def sentence(self) -> Point:
        return Point("An ordinary member of the tenant can connect the app without an administrator.")

    def judge(self, context: CheckContext) -> CheckResult:
        decision = context.decision
        evidence = compared("decision.outcome", decision.outcome.value, "connects-silently or user-may-consent")
        if decision.outcome is Outcome.DEPENDS:
            return unknown(decision.because, evidence)
        if decision.outcome is Outcome.USER_MAY_CONSENT and (why := context.facts.documented):
            return unknown(_documented("users can consent to what the app requires", why), evidence)
        result = (passed if decision.outcome.connects else failed)(decision.because, evidence)
        return likely(result) if decision.confidence is Confidence.LIKELY else result


class ScopesUserConsentable(CheckKind, frozen=True, tag="scopes-user-consentable"):
    """Every required scope exists on its resource, and users have it or can consent to it."""

    about_app: ClassVar[bool] = True
    setting_id: ClassVar[str] = "app-consent"

    def reads(self, app: App | None) -> Plan:
        return connecting(app) if app else Plan()

    def sentence(self) -> Point:
        return Point(
            "Every permission that the app requires exists on its resource, and users have been granted it or can"
            " consent to it."
        )

    def judge(self, context: CheckContext) -> CheckResult:
        required = context.decision.required_scopes
        if context.facts.asks_unlisted:
            return unknown(_UNLISTED)
        if not required:
            return not_applicable("the app requires no scope")
        blocked = [s for s in required if s.verdict is Verdict.BLOCKED]
        if blocked:
            names = listed(s.scope for s in blocked)
            result = failed(f"users can't consent to {names}: {blocked[0].detail}", *map(_scope_evidence, blocked))
            return likely(result) if all(s.confidence is Confidence.LIKELY for s in blocked) else result
        undecided = [s for s in required if s.verdict is Verdict.UNKNOWN]
        if undecided:
            return unknown(f"{listed(s.scope for s in undecided)}: {undecided[0].detail}")
        clause = f"all {len(required)} required scopes exist, and users have them or can consent to them"
        if any(s.verdict is Verdict.CONSENTABLE for s in required) and (why := context.facts.documented):
            return unknown(_documented(clause, why))
        result = passed(clause)
        return likely(result) if any(s.confidence is Confidence.LIKELY for s in required) else result


def _scope_evidence(verdict: ScopeVerdict) -> Evidence:
    path = f"{verdict.resource_name}/{verdict.scope}"
    actual = verdict.reason.value if not verdict.policy else f"{verdict.reason.value} ({verdict.policy})"
    return compared(path, actual, "granted or consentable")


class AdminConsentCovers(CheckKind, frozen=True, tag="admin-consent-covers"):
    """A tenant-wide grant of the app covers every required scope."""

    about_app: ClassVar[bool] = True
    setting_id: ClassVar[str] = "app-consent"

    def reads(self, app: App | None) -> Plan:
        return connecting(app) if app else Plan()

    def sentence(self) -> Point:
        return Point(
            "Tenant-wide admin consent covers every permission that the app requires. The rule does not apply where"
            " users can consent for themselves."
        )

    def judge(self, context: CheckContext) -> CheckResult:
        facts = context.facts
        if isinstance(facts.grants, NotRead):
            return unknown(facts.grants.why)
        wide = msgspec.structs.replace(facts.grants, own={})
        if facts.asks_unlisted:
            return _unlisted_consent(context, wide)
        states = [(r.permission, grant_state(r.permission, wide).truth) for r in facts.required]
        unread = [wide.unknown_on(p.resource) for p, truth in states if truth is Truth.UNKNOWN]
        if unread:
            return unknown(unread[0].why if unread[0] else "whether the grant covers every scope is unknown")
        lacking = [permission for permission, truth in states if truth is not Truth.TRUE]
        if not facts.required:
            return not_applicable("the app requires no scope")
        if not lacking:
            return passed("an administrator has granted every required scope for the whole tenant")
        evidence = tuple(
            compared(f"oauth2PermissionGrants/{name}", " ".join(sorted(scopes)), "every required scope")
            for name, scopes in sorted(wide.tenant_wide.items())
        )
        if why := _policies_unread(context):
            return unknown(f"whether users can consent for themselves is unknown: {why}", *evidence)
        if context.decision.outcome is Outcome.USER_MAY_CONSENT:
            return not_applicable("users can consent for themselves, so no tenant-wide grant is needed", *evidence)
        if Outcome.USER_MAY_CONSENT in context.decision.outcomes:
            return unknown(
                f"whether users can consent for themselves is unknown: {context.decision.because}", *evidence
            )
        if not wide.tenant_wide:
            return failed("no administrator has consented for the whole tenant", *evidence)
        if malformed := malformed_grants(wide):
            return failed(malformed[0], *evidence)
        return failed(f"the tenant-wide grant doesn't cover {listed(p.value for p in lacking)}", *evidence)


def _documented(clause: str, why: str) -> str:
    """The clause of a rule that would pass by Microsoft's documentation of the assigned policies alone."""
    return f"according to Microsoft's documentation, {clause}, but documentation never makes a rule pass ({why})"


def _policies_unread(context: CheckContext) -> str:
    """Why the decision rests on documentation instead of the policies that are assigned; empty if it doesn't."""
    by_policy = context.decision.outcome in (Outcome.USER_MAY_CONSENT, Outcome.NEEDS_ADMIN)
    return context.facts.documented if by_policy and context.decision.reason is not Reason.ASSIGNMENT_REQUIRED else ""


_UNLISTED = "the app asks for its registered permissions, which can't be read in this tenant"


def _unlisted_consent(context: CheckContext, wide: Grants) -> CheckResult:
    """Whether an administrator consented, where nobody here can list what to."""
    if why := _policies_unread(context):
        return unknown(f"whether users can consent for themselves is unknown: {why}")
    if context.decision.outcome is Outcome.USER_MAY_CONSENT:
        return not_applicable("users can consent for themselves, so no tenant-wide grant is needed")
    # Without a resource in the request, a grant may be for one that isn't known.
    elsewhere = wide.elsewhere and not context.facts.defaults
    if not wide.tenant_wide and not (wide.unread or wide.incomplete or wide.inherited or elsewhere):
        return failed("no administrator has consented for the whole tenant")
    return unknown(_UNLISTED)


class AppRolesGranted(CheckKind, frozen=True, tag="app-roles-granted"):
    """An administrator has granted the app every application permission that it requires."""

    about_app: ClassVar[bool] = True
    has_own_fixes: ClassVar[bool] = True
    setting_id: ClassVar[str] = "app-consent"

    def reads(self, app: App | None) -> Plan:
        return client_of(app).union(app_roles_of(app)) if app else Plan()

    def sentence(self) -> Point:
        return Point(
            "An administrator has granted the app every application permission that it requires. The rule does not"
            " apply to an app that acts only for the user who is signed in."
        )

    def judge(self, context: CheckContext) -> CheckResult:
        required = [one for one in context.facts.app_roles if one.required]
        if not required:
            return not_applicable("the app requires no application permission")
        missing = [one for one in required if one.state is RoleState.NOT_GRANTED]
        evidence = tuple(
            compared(f"{one.resource_name}/{one.role}", one.state.value, RoleState.GRANTED.value) for one in missing
        )
        if missing:
            return failed(f"the app lacks {listed(one.role for one in missing)}: {missing[0].detail}", *evidence)
        unread = [one for one in required if one.state is RoleState.UNKNOWN]
        if unread:
            return unknown(f"{listed(one.role for one in unread)}: {unread[0].detail}")
        return passed(f"an administrator has granted {listed(one.role for one in required)}")


class AppEnabled(CheckKind, frozen=True, tag="app-enabled"):
    """Sign-in to the app is enabled: not disabled by this tenant, by its publisher or by Microsoft."""

    about_app: ClassVar[bool] = True
    setting_id: ClassVar[str] = "app-sign-in"

    def reads(self, app: App | None) -> Plan:
        return client_of(app) if app else Plan()

    def sentence(self) -> Point:
        return Point("Sign-in to the app isn't disabled: not by this tenant, not by its publisher, not by Microsoft.")

    def judge(self, context: CheckContext) -> CheckResult:
        client = context.facts.client
        if client.presence is Truth.FALSE:
            return passed("the app isn't in the tenant yet, so it isn't disabled")
        disabled = [blocker for blocker in context.facts.blockers if blocker.reason in _SWITCHES]
        if not disabled:
            return passed("sign-in to the app is enabled", compared("servicePrincipals.accountEnabled", True, True))
        certain = [blocker for blocker in disabled if blocker.truth is Truth.TRUE]
        if certain:
            return failed(certain[0].because, *map(_switch_evidence, certain))
        return unknown(client.unread)


def _switch_evidence(blocker: Blocker) -> Evidence:
    return {
        Reason.APP_DEACTIVATED: compared("servicePrincipals.isDisabled", True, None),
        Reason.APP_DISABLED_BY_MICROSOFT: compared("servicePrincipals.disabledByMicrosoftStatus", "disabled", None),
    }.get(blocker.reason, compared("servicePrincipals.accountEnabled", False, True))


class AppAssignment(CheckKind, frozen=True, tag="app-assignment"):
    """The app requires no assignment, or a user or group is assigned to it."""

    about_app: ClassVar[bool] = True
    setting_id: ClassVar[str] = "app-assignment"

    def reads(self, app: App | None) -> Plan:
        return client_of(app) if app else Plan()

    def sentence(self) -> Point:
        return Point("The app requires no assignment, or a user or group is assigned to it.")

    def judge(self, context: CheckContext) -> CheckResult:
        facts = context.facts
        required = facts.client.assignment_required
        if facts.client.presence is Truth.FALSE:
            return passed("the app isn't in the tenant yet, and a new app requires no assignment")
        if required is Truth.FALSE:
            return passed("the app requires no assignment")
        if required is Truth.UNKNOWN:
            return unknown(f"whether the app requires assignment is unknown ({facts.client.unread})")
        evidence = compared("servicePrincipals.appRoleAssignmentRequired", True, False)
        if facts.assignment.truth is Truth.FALSE:
            return failed(f"the app requires assignment, and {facts.assignment.why}", evidence)
        # Of a user who was named, the rule is about this user; else that anybody is assigned is enough.
        is_named = facts.subject.user_id is not None
        if facts.assignment.truth is Truth.UNKNOWN and (is_named or not facts.assignment.assigned):
            return unknown(f"the app requires assignment, and {facts.assignment.why}", evidence)
        return passed(f"the app requires assignment, and {facts.assignment.why}: only they can use it", evidence)


class PublisherVerified(CheckKind, frozen=True, tag="publisher-verified"):
    """The app's publisher is verified, where an assigned consent policy or risk-based step-up depends on that."""

    about_app: ClassVar[bool] = True
    setting_id: ClassVar[str] = "app-publisher"

    def reads(self, app: App | None) -> Plan:
        return POLICIES.union(client_of(app)) if app else Plan()

    def sentence(self) -> Point:
        return Point(
            "The publisher of the app is verified. The rule does not apply where neither an assigned consent policy"
            " nor risk-based step-up consent depends on that."
        )

    def judge(self, context: CheckContext) -> CheckResult:
        client = context.facts.client
        if client.publisher_verified is Truth.TRUE:
            return passed("the app's publisher is verified")
        unread = f"whether the app's publisher is verified is unknown ({client.unread})"
        if client.publisher_verified is Truth.UNKNOWN and client.presence is not Truth.FALSE:
            return unknown(unread)
        if why := context.facts.documented:
            return unknown(f"whether the publisher matters in this tenant is unknown ({why})")
        matters, needs = _publisher_matters(context)
        if matters is Truth.UNKNOWN:
            missing = listed(needs[:1])
            return unknown(f"whether the publisher matters in this tenant is unknown ({missing})")
        if matters is Truth.FALSE:
            return not_applicable("in this tenant the outcome is the same for a verified and an unverified publisher")
        if client.publisher_verified is Truth.UNKNOWN:
            return unknown(unread)
        evidence = compared("servicePrincipals.verifiedPublisher.verifiedPublisherId", None, "an id")
        return failed("the app's publisher isn't verified, and this tenant's outcome depends on that", evidence)


def _publisher_matters(context: CheckContext) -> tuple[Truth, tuple[str, ...]]:
    """Whether the decision depends on the publisher being verified; unknown where other facts are missing: which."""
    outcomes: set[Outcome] = set()
    needs: list[str] = []
    for verified in (True, False):
        app = msgspec.structs.replace(context.pack_app, publisher_verified=verified)
        publisher = VerifiedPublisher(verifiedPublisherId="supposed" if verified else None)
        sections = context.snapshot.sections
        principals = tuple(
            msgspec.structs.replace(p, verifiedPublisher=publisher) if p.appId.lower() == app.client_id.lower() else p
            for p in sections.servicePrincipals or ()
        )
        if sections.servicePrincipals is not None:
            sections = msgspec.structs.replace(sections, servicePrincipals=principals)
        snapshot = msgspec.structs.replace(context.snapshot, sections=sections)
        decision = decide(snapshot, app, context.subject)
        outcomes.add(decision.outcome)
        needs += decision.depends_on
    if len(outcomes - {Outcome.DEPENDS}) > 1:
        return Truth.TRUE, ()
    return (Truth.UNKNOWN, tuple(needs)) if Outcome.DEPENDS in outcomes else (Truth.FALSE, ())


class ConditionalAccessAllows(CheckKind, frozen=True, tag="conditional-access"):
    """No Conditional Access policy blocks the app's users, or demands what a vendor's server can't give."""

    about_app: ClassVar[bool] = True
    setting_id: ClassVar[str] = "conditional-access"

    def reads(self, app: App | None) -> Plan:
        return AFTER_CONSENT.union(client_of(app)) if app else Plan()

    def sentence(self) -> Point:
        return Point(
            "No enforced Conditional Access policy blocks the users of the app, or demands a device, an app or an"
            " authentication strength that a vendor's server or an unmanaged device can't give."
        )

    def judge(self, context: CheckContext) -> CheckResult:
        found = context.after_consent
        evidence = tuple(map(_access_evidence, (one for one in found.policies if one.enforced is not False)))
        outcome = {Access.STOPS: failed, Access.ASKS: passed, Access.PASSES: passed}.get(found.access, unknown)
        return outcome(found.because, *evidence)


def _access_evidence(policy: AccessPolicy) -> Evidence:
    actual = f"{policy.reach.value}, {policy.effect.value}: {policy.demand}"
    return compared(f"conditionalAccessPolicies/{policy.name or policy.id}", actual, None)
