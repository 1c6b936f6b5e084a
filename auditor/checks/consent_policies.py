"""Checks on what the assigned consent policies let users do: by content, and beside it by name."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import UnsetType

from auditor.checks.judged import Judged
from auditor.checks.permission_lists import needs_of
from auditor.checks.ruling import Ruling, failed, passed, seen, unknown
from auditor.consent.client import client_of
from auditor.consent.explanation import listed
from auditor.consent.hypothetical_app import UNVERIFIED, approvals, hypothetical
from auditor.consent.lookup import NotRead
from auditor.consent.permission import Permission
from auditor.consent.policies import Assigned, governing
from auditor.consent.policy_breadth import SAYS, Reach, hides_conditions, reach
from auditor.consent.truth import Truth, all_of
from auditor.facts.ids import MAILBOX_RESOURCES, MICROSOFT_GRAPH
from auditor.model.app import ScopeNeed
from auditor.model.checks import AssignedPolicies, UsersCanConsent, Wording
from auditor.model.decision import Reason
from auditor.model.finding import Evidence, FindingOutcome

ASSIGNED = "authorizationPolicy.defaultUserRolePermissions.permissionGrantPoliciesAssigned"
_WANTED = {
    "none": "no policy that lets users consent",
    "at-most-low": "no policy that reaches beyond low-impact permissions of known publishers",
    "not-everything": "no policies that let users consent to everything",
}
_MOST = {"none": Reach.NOTHING, "at-most-low": Reach.LOW}


def assigned_policies(check: AssignedPolicies, judged: Judged) -> Ruling:
    """Whether the assigned policies reach no further than the rule allows, and have the names that it allows."""
    found = governing(judged.snapshot)
    if isinstance(found, NotRead):
        return unknown(found.why)
    assigned = tuple(sorted(found, key=lambda a: a.id.lower()))
    evidence = seen(ASSIGNED, [a.id for a in assigned], _WANTED[check.expect])
    by_content = _by_content(check, judged, assigned, evidence)
    if isinstance(check.wording, UnsetType):
        return by_content
    return _beside(by_content, check.wording, assigned, evidence)


def _by_content(check: AssignedPolicies, judged: Judged, assigned: tuple[Assigned, ...], evidence: Evidence) -> Ruling:
    if not assigned:
        return passed("users may not consent to any app: no consent policy is assigned to them", evidence)
    if check.expect == "not-everything":
        return _not_everything(judged, assigned, evidence)
    tenant = judged.snapshot.tenant.id
    known = {a.id: _reach(a, tenant) for a in assigned}
    beyond = [a for a in assigned if (far := known[a.id]) is not None and far > _MOST[check.expect]]
    if beyond:
        worst = max(beyond, key=lambda a: known[a.id] or 0)
        return failed(f"policy {worst.id} {SAYS[known[worst.id] or Reach.NOTHING]}", evidence, *_says(assigned, known))
    unread = next((a for a in assigned if known[a.id] is None), None)
    if unread is not None:
        return unknown(f"what the assigned policy {unread.id} says is not known ({_why(unread)})", evidence)
    widest = max(assigned, key=lambda a: known[a.id] or 0)
    return passed(f"policy {widest.id} {SAYS[known[widest.id] or Reach.NOTHING]}", evidence, *_says(assigned, known))


def _reach(assigned: Assigned, tenant: str) -> Reach | None:
    """Only what was read counts: nothing stands in for the text of a policy."""
    return None if assigned.policy is None or assigned.documented else reach(assigned.policy, tenant)


def _why(assigned: Assigned) -> str:
    return assigned.why or "it holds a condition that is new to this program"


def _says(assigned: Iterable[Assigned], known: dict[str, Reach | None]) -> list[Evidence]:
    return [seen(f"permissionGrantPolicies/{a.id}", SAYS[far]) for a in assigned if (far := known[a.id]) is not None]


def _not_everything(judged: Judged, assigned: tuple[Assigned, ...], evidence: Evidence) -> Ruling:
    """Judged by the effect: whether an unverified app of another tenant would get every risky scope."""
    client = hypothetical(judged.snapshot, UNVERIFIED)
    needs = [need for need in needs_of(("risky",), {}) if need.resource in MAILBOX_RESOURCES]
    each = [
        (permission, found)
        for permission, found in approvals(judged.snapshot, client, needs, assigned)
        if permission.user_type is not Truth.FALSE and found.reason not in _NOBODY_ASKS
    ]
    if not each:
        return unknown("no scope of Microsoft Graph or Exchange Online was read", evidence)
    refused = [permission for permission, found in each if found.truth is Truth.FALSE]
    if refused:
        return passed(
            f"the assigned policies keep risky scopes ({_some(refused)}) from apps that nobody vouches for", evidence
        )
    unsure = next((found for _, found in each if found.truth is Truth.UNKNOWN), None)
    if unsure is not None:
        return unknown(unsure.detail, evidence)
    names = listed(dict.fromkeys(policy for _, found in each for policy in found.approvers[:1]))
    custom = any(a.is_custom and a.policy and hides_conditions(a.policy) for a in assigned)
    doubt = " (as far as Graph's v1.0 shows its conditions)" if custom else ""
    return failed(f"policy {names} lets users consent to every risky permission, for any app{doubt}", evidence)


_NOBODY_ASKS = (Reason.SCOPE_DOES_NOT_EXIST, Reason.RESOURCE_MISSING)
"""A scope that cannot be asked for is not refused by a policy."""


def _some(permissions: Iterable[Permission]) -> str:
    """The first names, with the resource where it is not Microsoft Graph."""
    named = {p.value if p.resource == MICROSOFT_GRAPH else f"{p.value} of {p.resource_name}" for p in permissions}
    names = sorted(named)
    return listed(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def _beside(ruling: Ruling, wording: Wording, assigned: tuple[Assigned, ...], evidence: Evidence) -> Ruling:
    """The ruling by content, and where the letter of the text says otherwise, that too."""
    ids = [a.id.lower() for a in assigned]
    forbidden = [i for i in ids if i in _lower(wording.forbids)]
    strange = [i for i in ids if wording.allows and i not in _lower(wording.allows)]
    lacking = bool(wording.contains) and not any(i in _lower(wording.contains) for i in ids)
    letter_fails = bool(forbidden or strange or lacking) if ids else wording.none == "fails"
    text = f"the text {_letter(wording)}"
    if ruling.outcome is FindingOutcome.UNKNOWN:
        return ruling
    if letter_fails and ruling.outcome is FindingOutcome.PASS:
        return failed(f"{ruling.clause}; by the letter this fails all the same, because {text}", *ruling.evidence)
    if not letter_fails and ruling.outcome is FindingOutcome.FAIL:
        return failed(f"{ruling.clause}; by the letter this would pass, because {text}", *ruling.evidence)
    return ruling


def _letter(wording: Wording) -> str:
    """What the text says of policy ids, as the rest of a sentence."""
    if wording.forbids:
        return f"names only {listed(wording.forbids, 'or')}"
    if wording.contains:
        return f"asks that {listed(wording.contains, 'or')} be among them"
    names = listed(wording.allows, "or")
    return f"accepts no other policy than {names}" if wording.none == "passes" else f"asks for {names}"


def _lower(values: Iterable[str]) -> set[str]:
    return {value.lower() for value in values}


def users_can_consent(check: UsersCanConsent, judged: Judged) -> Ruling:
    """Whether users may consent to each of some scopes, for a kind of app or the pack's own."""
    found = governing(judged.snapshot)
    if isinstance(found, NotRead):
        return unknown(found.why)
    if isinstance(check.asked_by, UnsetType):
        client, who = client_of(judged.snapshot, judged.the_app), judged.the_app.label
    else:
        client, who = hypothetical(judged.snapshot, check.asked_by), _KINDS[check.asked_by]
    each = list(approvals(judged.snapshot, client, _asked(check, judged), found))
    if not each:
        return unknown("there is no scope to ask about")
    truths = {truth: [(p, a) for p, a in each if a.truth is truth] for truth in Truth}
    wanted = "refused" if check.expect == "nobody" else "allowed"
    evidence = [
        seen(f"{p.resource_name}/{p.value}", f"{a.reason.value}{f' ({a.policy})' if a.policy else ''}", wanted)
        for p, a in truths[Truth.TRUE if check.expect == "nobody" else Truth.FALSE]
    ]
    overall = all_of(a.truth if check.expect == "allowed" else ~a.truth for _, a in each)
    if overall is Truth.UNKNOWN:
        return unknown(truths[Truth.UNKNOWN][0][1].detail)
    if check.expect == "nobody":
        allowed = [p for p, _ in truths[Truth.TRUE]]
        if allowed:
            return failed(f"users may let {who} have {_some(allowed)}", *evidence)
        return passed(f"users may not let {who} have any of the {len(each)} scopes in question")
    refused = truths[Truth.FALSE]
    if refused:
        return failed(f"users may not let {who} have {_some(p for p, _ in refused)}", *evidence)
    return passed(f"users may let {who} have all of the {len(each)} scopes in question")


def _asked(check: UsersCanConsent, judged: Judged) -> tuple[ScopeNeed, ...]:
    if check.lists or check.scopes:
        return needs_of(check.lists, check.scopes)
    return tuple(need for need in judged.the_app.scopes if need.required)


_KINDS = {
    "unverified-app": "an unverified app of another tenant",
    "verified-app": "any app of a verified publisher",
    "own-app": "an app of this tenant",
}
