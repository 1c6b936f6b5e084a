"""Checks on the tenant's own settings: user consent, classifications, the admin consent workflow."""

from __future__ import annotations

import re

from auditor.checks.judged import Judged
from auditor.checks.ruling import Ruling, failed, not_applicable, passed, seen, unknown
from auditor.checks.values import covered
from auditor.consent.decision_facts import Row
from auditor.consent.explanation import listed
from auditor.consent.lookup import Absent, NotRead, consent_setting, user
from auditor.consent.tenant_settings import LEGACY_SETTING, user_consent_setting, workflow
from auditor.consent.truth import Truth, any_of
from auditor.facts.ids import RESOURCE_NAMES
from auditor.facts.scopes import known_scope_ids
from auditor.model.resources import User
from auditor.model.rule import ConsentWorkflow, ScopesClassified, UserConsentSetting
from auditor.model.snapshot import Snapshot

_ASSIGNED = "authorizationPolicy.defaultUserRolePermissions.permissionGrantPoliciesAssigned"


def user_setting(check: UserConsentSetting, judged: Judged) -> Ruling:
    """Whether the user consent setting is one of the allowed ones."""
    setting = user_consent_setting(judged.snapshot)
    if isinstance(setting, NotRead):
        return unknown(setting.why)
    allowed = tuple(check.allowed)
    evidence = seen(_ASSIGNED, list(setting.policies), f"one of {', '.join(allowed)}")
    reason = f'the user consent setting is "{setting.label}"'
    return (passed if setting.key in allowed else failed)(reason, evidence)


def scopes_classified(check: ScopesClassified, judged: Judged) -> Ruling:
    """Whether the required scopes have the classification that an assigned policy asks for."""
    policies = judged.case.policies
    if isinstance(policies, NotRead):
        return unknown(policies.why)
    asking = [
        assigned.id
        for assigned in policies
        if assigned.policy
        for conditions in assigned.policy.includes or ()
        if conditions.permissionClassification.lower() == check.level
    ]
    if not asking:
        unread = next((a for a in policies if a.policy is None), None)
        if unread is not None:
            return unknown(unread.why)
        return not_applicable("no assigned consent policy looks at classifications")
    return _classified(check, judged, asking[0])


def _classified(check: ScopesClassified, judged: Judged, policy_id: str) -> Ruling:
    unread = next((c for r in judged.case.required if isinstance(c := r.permission.classification, NotRead)), None)
    if unread is not None:
        return unknown(unread.why)
    missing = [r for r in judged.case.required if r.permission.classification != check.level]
    if not missing:
        return passed(f"every required scope is classified {check.level}, as {policy_id} asks for")
    names = listed(r.permission.value for r in missing)
    evidence = tuple(
        seen(
            f"delegatedPermissionClassifications/{r.permission.resource_name}/{r.permission.value}",
            r.permission.classification or "not classified",
            check.level,
        )
        for r in missing
    )
    verb = "is" if len(missing) == 1 else "are"
    elsewhere = _elsewhere(judged.snapshot, check.level, missing)
    return failed(f"{names} {verb} not classified {check.level}, as {policy_id} asks for{elsewhere}", *evidence)


def _elsewhere(snapshot: Snapshot, level: str, missing: list[Row]) -> str:
    """A hint where scopes of the same name are classified on another resource."""
    wanted = {r.permission.value.lower() for r in missing}
    own = {r.permission.resource for r in missing}
    found: dict[str, list[str]] = {}
    for resource, entries in (snapshot.sections.delegatedPermissionClassifications or {}).items():
        for entry in entries:
            known = known_scope_ids().get(entry.permissionId.lower())
            name = entry.permissionName or (known[1].value if known else "")
            if resource.lower() not in own and entry.classification.lower() == level and name.lower() in wanted:
                found.setdefault(resource.lower(), []).append(name)
    return "".join(
        f"; {listed(names)} of {RESOURCE_NAMES.get(resource, resource)} are, but those are other permissions"
        for resource, names in found.items()
    )


def consent_workflow(check: ConsentWorkflow, judged: Judged) -> Ruling:
    """Whether users who may not consent can ask somebody."""
    flow = workflow(judged.snapshot)
    evidence = seen("adminConsentRequestPolicy.isEnabled", flow.enabled is Truth.TRUE, True)
    if flow.enabled is Truth.UNKNOWN or (flow.doubts and check.compare_setting):
        return unknown(flow.why)
    older = consent_setting(judged.snapshot, LEGACY_SETTING) if check.compare_setting else None
    told = "" if older is None or isinstance(older, NotRead) else _older_setting(older, flow.enabled)
    if flow.enabled is Truth.FALSE:
        return failed(f"users cannot ask for approval: the admin consent workflow is off{told}", evidence)
    reviewers = seen("adminConsentRequestPolicy.reviewers", flow.reviewers, "at least 1")
    if flow.reviewers is None:
        return unknown("the admin consent workflow is on, but its reviewers were not read", evidence)
    if flow.reviewers == 0:
        return failed("the admin consent workflow is on, but no reviewer is named: requests reach nobody", reviewers)
    there = reviewers_there(judged.snapshot)
    if there is Truth.FALSE:
        return failed("the admin consent workflow is on, but none of its reviewers exists any more", reviewers)
    if there is Truth.UNKNOWN and check.reviewers_exist:
        return unknown("the admin consent workflow is on, but whether its reviewers exist was not read", reviewers)
    if isinstance(older, NotRead):
        return unknown(f"the older directory setting {LEGACY_SETTING}, which the text names, is not known: {older.why}")
    people = "1 reviewer is" if flow.reviewers == 1 else f"{flow.reviewers} reviewers are"
    return passed(f"the admin consent workflow is on, and {people} named{told}", reviewers)


def _older_setting(older: str | Absent, enabled: Truth) -> str:
    """What to add where the older directory setting, which some benchmarks read, says otherwise or nothing."""
    says = older if isinstance(older, str) else "not set"
    if (says == "true") is (enabled is Truth.TRUE):
        return ""
    return f" (by the letter this comes out otherwise: the older directory setting {LEGACY_SETTING} is {says})"


def reviewers_there(snapshot: Snapshot) -> Truth:
    """Whether at least one reviewer exists, as far as that can be told: groups and roles are taken to."""
    policy = snapshot.sections.adminConsentRequestPolicy
    found: list[Truth] = []
    for reviewer in (policy.reviewers if policy else None) or ():
        match = _USER_QUERY.fullmatch(reviewer.query)
        if match is None:
            found.append(Truth.UNKNOWN)
            continue
        is_there = isinstance(user(snapshot, match[1]), User)
        complete = snapshot.sections.users is not None and not covered(snapshot, "users")
        found.append(Truth.TRUE if is_there else Truth.FALSE if complete else Truth.UNKNOWN)
    return any_of(found)


_USER_QUERY = re.compile(r"(?:/(?:v1\.0|beta))?/users/([^/?$]+)", re.IGNORECASE)
