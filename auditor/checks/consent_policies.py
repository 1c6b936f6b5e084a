"""Checks on what the assigned consent policies let users do: by content, and next to it by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from auditor.checks.documented_values import policy_id_problems
from auditor.checks.kind import (
    POLICIES,
    ArgumentProblem,
    Arguments,
    CheckContext,
    CheckKind,
    CheckResult,
    CheckTable,
    SchemaPart,
    compared,
    connecting,
    failed,
    first_names,
    likely,
    passed,
    require_entries,
    unknown,
)
from auditor.checks.permission_lists import (
    Scopes,
    list_problems,
    names_no_permission,
    narrow_lists,
    narrow_scopes,
    needs_of,
    phrase_of,
    reads_of,
    scope_problems,
)
from auditor.consent import Truth, all_of
from auditor.consent.decision_facts import ASSIGNED_POLICIES
from auditor.consent.explanation import listed
from auditor.consent.policies import GoverningPolicy, governing
from auditor.consent.policy_breadth import (
    MEANS,
    UNVERIFIED,
    PolicyBreadth,
    approvals,
    hides_include_conditions,
    hypothetical,
    policy_breadth,
)
from auditor.consent.requested_access import Permission, client_of
from auditor.consent.snapshot_index import NotRead, index_of
from auditor.facts.ids import MAILBOX_RESOURCES, MICROSOFT_GRAPH
from auditor.model.decision import Reason
from auditor.model.document import Point, code
from auditor.model.report import Evidence
from auditor.model.rule import App, FindingOutcome, ScopeNeed
from auditor.model.snapshot import Plan, Snapshot


class _Limit(NamedTuple):
    """A value of `expect`: what is expected, as a sentence, and the most that a policy may allow."""

    expected: str
    sentence: str
    most: PolicyBreadth


_LIMITS = {
    "none": _Limit(
        "no policy that lets users consent",
        "The consent policies that are assigned to users let them consent to nothing.",
        PolicyBreadth.NOTHING,
    ),
    "at-most-low": _Limit(
        "no policy that allows more than low-impact permissions of known publishers",
        "The consent policies that are assigned to users let them consent to permissions classified low at most, for"
        " apps of this tenant and of verified publishers.",
        PolicyBreadth.LOW,
    ),
    "not-everything": _Limit(
        "no policies that let users consent to everything",
        "The consent policies that are assigned to users don't let them consent to every risky permission for any app.",
        PolicyBreadth.ALL_BUT,
    ),
}
_WORDINGS = ("allows", "forbids", "contains")


class Wording(CheckTable, frozen=True):
    """What the text of a benchmark says about policy ids, to report where the content of a policy disagrees."""

    noun: ClassVar[str] = "a wording"
    allows: tuple[str, ...] = ()
    forbids: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    none: Literal["passes", "fails"] = "passes"

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        require_entries(definition, *_WORDINGS)

    @property
    def phrase(self) -> str:
        """What the text says about policy ids, as the rest of a sentence about it."""
        if self.forbids:
            return f"only names {listed(self.forbids, 'or')}"
        if self.contains:
            return f"requires {listed(self.contains, 'or')} among them"
        names = listed(self.allows, "or")
        return f"accepts no other policy than {names}" if self.none == "passes" else f"requires {names}"

    def fails_for(self, ids: Iterable[str]) -> bool:
        """Whether a tenant with these assigned policies (ids in lower case) fails the text read literally."""
        assigned = set(ids)
        if not assigned:
            return self.none == "fails"
        allowed, contained = _lower(self.allows), _lower(self.contains)
        forbidden = bool(assigned & _lower(self.forbids))
        other = bool(allowed) and not assigned <= allowed
        lacking = bool(contained) and not assigned & contained
        return forbidden or other or lacking


def _lower(values: Iterable[str]) -> set[str]:
    return {value.lower() for value in values}


class AssignedPolicies(CheckKind, frozen=True, tag="assigned-policies"):
    """The consent policies that are assigned to users allow no more than `expect`, judged by content and not by name.

    ``none``: nothing. ``at-most-low``: permissions classified low, for apps of this tenant and of verified
    publishers. ``not-everything``: not every risky permission for any app. The text of `wording` must also hold;
    where name and content disagree, the reason says so. Custom directory roles, which let the people who
    hold them consent to more, are ignored: the benchmarks are about every user.
    """

    tables: ClassVar[tuple[type[CheckTable], ...]] = (Wording,)
    setting_id: ClassVar[str] = "user-consent"
    expect: Literal["none", "at-most-low", "not-everything"]
    wording: Wording | UnsetType = UNSET

    def reads(self, app: App | None) -> Plan:
        by_effect = self.expect == "not-everything"
        return POLICIES.union(Plan(resources=MAILBOX_RESOURCES)) if by_effect else POLICIES

    def further_reads(self, snapshot: Snapshot) -> Plan:
        """The conditions of the tenant's own policies that only beta shows."""
        return _beta_forms(snapshot)

    def sentence(self) -> Point:
        return Point(_LIMITS[self.expect].sentence, tuple(self._wording_points()))

    def _wording_points(self) -> Iterator[Point]:
        wording = self.wording
        if isinstance(wording, UnsetType):
            return
        names = listed(map(code, wording.allows or wording.forbids or wording.contains), "or")
        literal = f"forbids {names}" if wording.forbids else f"requires {names}"
        among = " among others" if wording.contains else ""
        yield Point(f"The text of the benchmark, which goes by name, {literal}{among}. That must also hold.")
        met = "met" if wording.none == "passes" else "not met"
        yield Point(f"If no policy is assigned to users, the text is {met}.")
        yield Point("Where the name and the content of a policy disagree, the reason says so.")

    @classmethod
    def problems(cls, arguments: Arguments, *, has_app: bool) -> Iterator[ArgumentProblem]:
        wording = arguments.get("wording")
        if not isinstance(wording, dict):
            return
        given = [name for name in _WORDINGS if name in wording]
        if len(given) != 1:
            message = f"a wording has {' and '.join(given) or 'no rule about policies'}"
            yield ArgumentProblem(("wording",), message, f"one of {', '.join(_WORDINGS[:-1])} and {_WORDINGS[-1]}")
        for name in given:
            if wording[name] == []:
                yield ArgumentProblem(("wording", name), f"{name} is an empty list", "at least one id of a policy")
            yield from policy_id_problems("wording", name, wording[name])

    def judge(self, context: CheckContext) -> CheckResult:
        found = governing(context.index)
        if isinstance(found, NotRead):
            return unknown(found.why)
        assigned = tuple(sorted(found, key=lambda a: a.id.lower()))
        evidence = compared(ASSIGNED_POLICIES, [a.id for a in assigned], _LIMITS[self.expect].expected)
        by_content = self._by_content(context, assigned, evidence)
        if by_content.outcome is FindingOutcome.UNKNOWN:
            by_content = self._by_documentation(context, assigned, evidence, by_content.clause) or by_content
        return by_content if isinstance(self.wording, UnsetType) else _literally(by_content, self.wording, assigned)

    def _by_content(
        self, context: CheckContext, assigned: tuple[GoverningPolicy, ...], evidence: Evidence
    ) -> CheckResult:
        if not assigned:
            return passed("users can't consent to any app: no consent policy is assigned to them", evidence)
        if self.expect == "not-everything":
            return _not_everything(context, assigned, evidence)
        breadths = {a.id: _breadth(a, context.snapshot.tenant.id) for a in assigned}
        content = [
            compared(f"permissionGrantPolicies/{name}", MEANS[breadth])
            for name, breadth in breadths.items()
            if breadth is not None
        ]
        known = [(breadth, a.id) for a in assigned if (breadth := breadths[a.id]) is not None]
        widest = max(known, key=lambda one: one[0], default=None)
        most = _LIMITS[self.expect].most
        if widest is not None and widest[0] > most:
            return failed(f"policy {widest[1]} {MEANS[widest[0]]}", evidence, *content)
        unread = next((a for a in assigned if breadths[a.id] is None), None)
        if unread is not None or widest is None:
            name = unread.id if unread else ""
            why = unread.why if unread and unread.why else "it has a condition that is new to this program"
            return unknown(f"what the assigned policy {name} allows is unknown ({why})", evidence)
        return passed(f"policy {widest[1]} {MEANS[widest[0]]}", evidence, *content)

    def _by_documentation(
        self, context: CheckContext, assigned: tuple[GoverningPolicy, ...], evidence: Evidence, unread: str
    ) -> CheckResult | None:
        """A likely failure where Microsoft documents that a policy, or a scope, that was not read allows too much.

        Documentation never makes the rule pass: Microsoft changes what the policies contain without notice.
        """
        documented = (
            (one, policy_breadth(one.policy, context.snapshot.tenant.id)) for one in assigned if one.policy is not None
        )
        known = [(breadth, one) for one, breadth in documented if breadth is not None]
        breadth, widest = max(known, key=lambda pair: pair[0], default=(PolicyBreadth.NOTHING, None))
        if widest is None or breadth <= _LIMITS[self.expect].most:
            return None
        why = widest.why or unread
        clause = f"policy {widest.id} {MEANS[breadth]}, according to Microsoft's documentation ({why})"
        return likely(failed(clause, evidence))


def _beta_forms(snapshot: Snapshot) -> Plan:
    """The assigned policies that the tenant wrote, in beta: v1.0 doesn't show every condition of them.

    A policy that excludes certified apps only looks like one that excludes every app.
    """
    found = governing(index_of(snapshot))
    assigned = () if isinstance(found, NotRead) else found
    return Plan(beta_policies=tuple(one.id for one in assigned if one.is_custom and one.hides_conditions))


def _breadth(assigned: GoverningPolicy, tenant: str) -> PolicyBreadth | None:
    """What the policy allows, by its content as it was read: Microsoft's documentation of a policy doesn't count."""
    return None if assigned.policy is None or assigned.documented else policy_breadth(assigned.policy, tenant)


def _not_everything(context: CheckContext, assigned: tuple[GoverningPolicy, ...], evidence: Evidence) -> CheckResult:
    """Judged by the effect: whether an unverified app of another tenant would get every risky scope."""
    client = hypothetical(context.snapshot, UNVERIFIED)
    needs = [need for need in needs_of(("risky",), {}) if need.resource in MAILBOX_RESOURCES]
    each = [
        (permission, found)
        for permission, found in approvals(context.snapshot, client, needs, assigned)
        if permission.user_type is not Truth.FALSE and found.reason not in _CANNOT_BE_REQUESTED
    ]
    if not each:
        return unknown("no scope of Microsoft Graph or Exchange Online was read", evidence)
    refused = [permission for permission, found in each if found.truth is Truth.FALSE]
    if refused:
        return passed(
            f"the assigned policies don't let unverified apps have some risky scopes ({_some(refused)})", evidence
        )
    unsure = next((found for _, found in each if found.truth is Truth.UNKNOWN), None)
    if unsure is not None:
        return unknown(unsure.detail, evidence)
    names = listed(dict.fromkeys(policy for _, found in each for policy in found.approvers[:1]))
    custom = any(a.is_custom and a.policy and hides_include_conditions(a.policy) for a in assigned)
    caveat = " (as far as Graph v1.0 shows its conditions)" if custom else ""
    return failed(f"policy {names} lets users consent to every risky permission, for any app{caveat}", evidence)


_CANNOT_BE_REQUESTED = (Reason.SCOPE_DOES_NOT_EXIST, Reason.RESOURCE_MISSING)
"""Reasons for a refusal that have nothing to do with policies."""


def _literally(result: CheckResult, wording: Wording, assigned: tuple[GoverningPolicy, ...]) -> CheckResult:
    """The result by content; where the text read literally disagrees, a failure that says so.

    The text fails by the names of policies, so it decides where their content was not read. It is then only likely,
    because the rule is about the content.
    """
    fails = wording.fails_for(a.id.lower() for a in assigned)
    if fails and result.outcome is FindingOutcome.UNKNOWN:
        note = f"read literally, this fails, because the text {wording.phrase}"
        return likely(failed(f"{result.clause}; {note}", *result.evidence))
    if fails and result.outcome is FindingOutcome.PASS:
        note = f"read literally, this still fails, because the text {wording.phrase}"
        return failed(f"{result.clause}; {note}", *result.evidence)
    if not fails and result.outcome is FindingOutcome.FAIL:
        note = f"read literally, this would pass, because the text {wording.phrase}"
        return msgspec.structs.replace(result, clause=f"{result.clause}; {note}")
    return result


def _some(permissions: Iterable[Permission]) -> str:
    """The first names, with the resource where it isn't Microsoft Graph."""
    named = {p.value if p.resource == MICROSOFT_GRAPH else f"{p.value} of {p.resource_name}" for p in permissions}
    names = sorted(named)
    return listed(names) if len(names) <= 3 else first_names(names)


_ASKED_BY = {
    "unverified-app": "an unverified app of another tenant",
    "verified-app": "an app of another tenant with a verified publisher",
    "own-app": "an app of this tenant",
}
"""The hypothetical apps of ``users-can-consent``."""


class UsersCanConsent(CheckKind, frozen=True, tag="users-can-consent"):
    """Ordinary users can consent to all of some scopes, or to none of them, each requested by itself.

    `asked-by` is a hypothetical app that no policy names; without it the app is the pack's. Without
    `lists` and `scopes` the scopes are the ones that the pack's app requires. Risk-based step-up is ignored.
    """

    setting_id: ClassVar[str] = "user-consent"
    expect: Literal["nobody", "allowed"]
    asked_by: Literal["unverified-app", "verified-app", "own-app"] | UnsetType = UNSET
    lists: tuple[str, ...] = ()
    scopes: Scopes = {}

    def reads(self, app: App | None) -> Plan:
        own = connecting(app) if app and isinstance(self.asked_by, UnsetType) else Plan()
        return POLICIES.union(reads_of(self.lists, self.scopes)).union(own)

    def further_reads(self, snapshot: Snapshot) -> Plan:
        """The conditions of the tenant's own policies that only beta shows."""
        return _beta_forms(snapshot)

    def sentence(self) -> Point:
        app = "the app" if isinstance(self.asked_by, UnsetType) else _ASKED_BY[self.asked_by]
        which = f"of {phrase_of(self.lists, self.scopes)}" if self.lists or self.scopes else "that the app requires"
        if self.expect == "nobody":
            return Point(f"An ordinary user can't consent to any permission {which}, if {app} requests it.")
        return Point(f"An ordinary user can consent to every permission {which}, if {app} requests it.")

    @classmethod
    def problems(cls, arguments: Arguments, *, has_app: bool) -> Iterator[ArgumentProblem]:
        yield from list_problems(arguments)
        yield from scope_problems(arguments)
        if not has_app and "asked-by" not in arguments:
            yield ArgumentProblem((), "the pack has no app, so the check must name one", "asked-by")
        if not has_app and names_no_permission(arguments):
            yield ArgumentProblem((), "the pack has no app, so the check must name scopes", "lists or scopes")

    @classmethod
    def uses_app_scopes(cls, arguments: Arguments) -> bool:
        return names_no_permission(arguments)

    def judge(self, context: CheckContext) -> CheckResult:
        found = governing(context.index)
        if isinstance(found, NotRead):
            return unknown(found.why)
        result = self._judge(context, found)
        unread = next((one.why for one in found if one.documented), "")
        if result.outcome is not FindingOutcome.UNKNOWN or not unread:
            return result
        documented = self._judge(context, found, with_documentation=True)
        if documented.outcome is not FindingOutcome.FAIL:
            return result
        clause = f"{documented.clause}, according to Microsoft's documentation ({unread})"
        return likely(failed(clause, *documented.evidence))

    def _judge(
        self, context: CheckContext, assigned: tuple[GoverningPolicy, ...], *, with_documentation: bool = False
    ) -> CheckResult:
        if isinstance(self.asked_by, UnsetType):
            client, who = client_of(context.index, context.pack_app), context.pack_app.label
        else:
            client, who = hypothetical(context.snapshot, self.asked_by), _ASKED_BY[self.asked_by]
        needs = self._needs(context)
        each = list(approvals(context.snapshot, client, needs, assigned, with_documentation=with_documentation))
        if not each:
            return unknown("no scope to check")
        by_truth = {truth: [(p, a) for p, a in each if a.truth is truth] for truth in Truth}
        wrong = by_truth[Truth.TRUE if self.expect == "nobody" else Truth.FALSE]
        overall = all_of(a.truth if self.expect == "allowed" else ~a.truth for _, a in each)
        if overall is Truth.UNKNOWN:
            return unknown(by_truth[Truth.UNKNOWN][0][1].detail)
        can, which = ("can", "any") if self.expect == "nobody" else ("can't", "all")
        if wrong:
            expected = "refused" if self.expect == "nobody" else "allowed"
            evidence = [
                compared(
                    f"{p.resource_name}/{p.value}", f"{a.reason.value}{f' ({a.policy})' if a.policy else ''}", expected
                )
                for p, a in wrong
            ]
            return failed(f"users {can} consent to {_some(p for p, _ in wrong)} for {who}", *evidence)
        can = "can't" if self.expect == "nobody" else "can"
        return passed(f"users {can} consent to {which} of the {len(each)} scopes in question for {who}")

    def _needs(self, context: CheckContext) -> tuple[ScopeNeed, ...]:
        if self.lists or self.scopes:
            return needs_of(self.lists, self.scopes)
        return context.pack_app.required_scopes

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        narrow_lists(definition)
        narrow_scopes(definition)
