"""Checks on the consent settings: for users, the admin consent workflow, and which scopes of the app are classified."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import ClassVar

from auditor.checks.kind import (
    POLICIES,
    ArgumentProblem,
    Arguments,
    CheckContext,
    CheckKind,
    CheckResult,
    SchemaPart,
    alternatives,
    compared,
    entries_at,
    failed,
    is_empty_list,
    likely,
    not_applicable,
    passed,
    require_entries,
    resources_of,
    unknown,
)
from auditor.consent import Truth
from auditor.consent.conditions import LEVELS
from auditor.consent.decision_facts import (
    ASSIGNED_POLICIES,
    LEGACY_SETTING,
    ScopeFacts,
    reviewers_exist,
    user_consent_setting,
    workflow,
)
from auditor.consent.explanation import listed
from auditor.consent.policies import GoverningPolicy
from auditor.consent.snapshot_index import Absent, NotRead
from auditor.facts.ids import EXCHANGE_ONLINE, RESOURCE_NAMES
from auditor.facts.permissions import known_scope_ids
from auditor.model.document import Point, code
from auditor.model.rule import App, FindingOutcome
from auditor.model.snapshot import Plan, Snapshot

SETTINGS = MappingProxyType(
    {
        "none": "no user consent",
        "low": "verified publishers and low-impact permissions only",
        "recommended": "as Microsoft recommends",
        "legacy": "any app",
        "custom": "a policy of the tenant's own",
    }
)
"""The user consent settings by their names in packs, as the portal offers them."""


class UserConsentSettingIs(CheckKind, frozen=True, tag="user-consent-setting"):
    """The tenant's user consent setting, by its name in the portal, is one of `allowed`.

    Names: ``none``, ``low``, ``recommended``, ``legacy``, ``custom``. If `allowed` has every name, the rule only
    requires that the setting is known.
    """

    setting_id: ClassVar[str] = "user-consent"
    allowed: tuple[str, ...] = tuple(SETTINGS)

    def reads(self, app: App | None) -> Plan:
        return Plan(sections=("authorizationPolicy",))

    def sentence(self) -> Point:
        if not self.can_fail:
            return Point("The user consent setting of the tenant is known, whatever it is.")
        names = listed((f"{code(name)} ({SETTINGS[name]})" for name in self.allowed), "or")
        return Point(f"The user consent setting of the tenant is {names}.")

    @classmethod
    def problems(cls, arguments: Arguments, *, has_app: bool) -> Iterator[ArgumentProblem]:
        from auditor.checks.typo_suggestions import nearest

        if is_empty_list(arguments, "allowed"):
            yield ArgumentProblem(("allowed",), "allowed is an empty list", alternatives(SETTINGS))
        for path, entry in entries_at(arguments, "allowed"):
            if isinstance(entry, str) and (text := entry.strip()) and text not in SETTINGS:
                message = f'allowed: there is no user consent setting "{text}"'
                yield ArgumentProblem(path, message, alternatives(SETTINGS), nearest(text, SETTINGS))

    def judge(self, context: CheckContext) -> CheckResult:
        setting = user_consent_setting(context.index)
        if isinstance(setting, NotRead):
            return unknown(setting.why)
        evidence = compared(ASSIGNED_POLICIES, list(setting.policies), f"one of {', '.join(self.allowed)}")
        clause = f'the user consent setting is "{setting.label}"'
        return (passed if setting.key in self.allowed else failed)(clause, evidence)

    @property
    def can_fail(self) -> bool:
        return not set(self.allowed) >= set(SETTINGS)

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        definition["properties"]["allowed"]["items"] = {"enum": list(SETTINGS)}
        require_entries(definition, "allowed")


class ConsentWorkflow(CheckKind, frozen=True, tag="consent-workflow"):
    """The admin consent workflow is on and has at least one reviewer.

    `reviewers-exist` requires that a named reviewer is a user, group or role that still exists, as far as users were
    read. `reviewers-notified` requires that reviewers are notified of requests. `compare-setting` also reads the older
    directory setting ``EnableAdminConsentRequests``, which some benchmarks use, and reports a difference.
    """

    setting_id: ClassVar[str] = "admin-consent-workflow"
    reviewers_exist: bool = False
    reviewers_notified: bool = False
    compare_setting: bool = False

    def reads(self, app: App | None) -> Plan:
        older = ("directorySettings",) if self.compare_setting else ()
        return Plan(sections=("adminConsentRequestPolicy", *older))

    def sentence(self) -> Point:
        text = "The admin consent workflow is on, and at least one reviewer is named"
        if self.reviewers_exist:
            text += " and known to exist"
        if self.reviewers_notified:
            text += ", and reviewers are notified of requests"
        if self.compare_setting:
            text += f". The older directory setting {code(LEGACY_SETTING)} is compared with it"
        return Point(f"{text}.")

    def judge(self, context: CheckContext) -> CheckResult:
        flow = workflow(context.index)
        evidence = compared("adminConsentRequestPolicy.isEnabled", flow.enabled is Truth.TRUE, True)
        if flow.enabled is Truth.UNKNOWN:
            return unknown(flow.why)
        older = context.index.consent_setting(LEGACY_SETTING) if self.compare_setting else None
        note = "" if older is None or isinstance(older, NotRead) else _older_setting(older, flow.enabled)
        if flow.enabled is Truth.FALSE:
            return failed(f"users can't request approval: the admin consent workflow is off{note}", evidence)
        reviewers = compared("adminConsentRequestPolicy.reviewers", flow.reviewers, "at least 1")
        if flow.reviewers is None:
            return unknown("the admin consent workflow is on, but its reviewers were not read", evidence)
        if flow.reviewers == 0:
            return failed("the admin consent workflow is on, but has no reviewer: requests reach nobody", reviewers)
        exists = reviewers_exist(context.index)
        if exists is Truth.FALSE:
            return failed(f"the admin consent workflow is on, but {flow.obstacle}", reviewers)
        if self.reviewers_notified and (unheard := _unheard(context)):
            return unheard
        if exists is Truth.UNKNOWN and self.reviewers_exist:
            return unknown("the admin consent workflow is on, but whether its reviewers exist was not read", reviewers)
        if isinstance(older, NotRead):
            name = f"the older directory setting {LEGACY_SETTING}, which the benchmark names,"
            return unknown(f"{name} is unknown: {older.why}")
        people = "1 reviewer is" if flow.reviewers == 1 else f"{flow.reviewers} reviewers are"
        return passed(f"the admin consent workflow is on, and {people} named{note}", reviewers)


def _unheard(context: CheckContext) -> CheckResult | None:
    """The result if reviewers are not notified of requests, or if that is not known; ``None`` if they are."""
    policy = context.snapshot.sections.adminConsentRequestPolicy
    notified = policy.notifyReviewers if policy else None
    if notified:
        return None
    if notified is None:
        return unknown("the admin consent workflow is on, but whether its reviewers are notified was not read")
    return failed(
        "the admin consent workflow is on, but its reviewers are not notified: a request waits until one of them looks",
        compared("adminConsentRequestPolicy.notifyReviewers", False, True),
    )


def _older_setting(older: str | Absent, enabled: Truth) -> str:
    """A note where the older directory setting, which some benchmarks read, has another value or none."""
    value = older if isinstance(older, str) else "not set"
    if (value == "true") is (enabled is Truth.TRUE):
        return ""
    return f" (read literally, the benchmark disagrees: the older directory setting {LEGACY_SETTING} is {value})"


class ScopesClassified(CheckKind, frozen=True, tag="scopes-classified"):
    """Required scopes are classified `level`, where an assigned consent policy depends on that."""

    about_app: ClassVar[bool] = True
    setting_id: ClassVar[str] = "permission-classifications"
    level: str = "low"

    def reads(self, app: App | None) -> Plan:
        # Scopes of the same name on Exchange Online are often the ones that were classified by mistake.
        return POLICIES.union(resources_of(app)).union(Plan(resources=(EXCHANGE_ONLINE,))) if app else Plan()

    def sentence(self) -> Point:
        return Point(
            f"Every permission that the app requires is classified {code(self.level)} on its own resource. The"
            " rule does not apply where no assigned consent policy depends on classifications."
        )

    @classmethod
    def problems(cls, arguments: Arguments, *, has_app: bool) -> Iterator[ArgumentProblem]:
        yield from level_problem(arguments.get("level"))

    def judge(self, context: CheckContext) -> CheckResult:
        policies = context.facts.policies
        if isinstance(policies, NotRead):
            return unknown(policies.why)
        result = self._under(policies, context)
        if not (why := context.facts.documented):
            return result
        # Documentation makes a rule fail, but never pass, and never inapplicable.
        return likely(result) if result.outcome is FindingOutcome.FAIL else unknown(why)

    def _under(self, policies: Sequence[GoverningPolicy], context: CheckContext) -> CheckResult:
        asking = [
            assigned.id for assigned in policies if any(one.classification == self.level for one in assigned.includes)
        ]
        if not asking:
            unread = next((a for a in policies if a.policy is None), None)
            if unread is not None:
                return unknown(unread.why)
            new = next((a for a in policies if not all(one.is_known for one in a.includes)), None)
            if new is not None:
                return unknown(f"policy {new.id} has a condition that is new to this program")
            if unread_roles := context.facts.subject.every_unread_role:
                return unknown(f"{unread_roles[0]}: a role may assign another policy")
            return not_applicable("no assigned consent policy depends on classifications")
        return self._classified(context, asking[0])

    def _classified(self, context: CheckContext, policy_id: str) -> CheckResult:
        required = context.facts.required
        unread = next((c for r in required if isinstance(c := r.permission.classification, NotRead)), None)
        if unread is not None:
            return unknown(unread.why)
        unclear = next((r.permission for r in required if r.permission.exists is Truth.UNKNOWN), None)
        if unclear is not None:
            return unknown(f"whether {unclear.resource_name} has a scope named {unclear.value} is not known")
        new = next((r.permission for r in required if r.permission.classification not in ("", *LEVELS)), None)
        if new is not None:
            return unknown(f"{new.value} is classified {new.classification}, which is new to this program")
        missing = [r for r in required if r.permission.classification != self.level]
        if not missing:
            return passed(f"every required scope is classified {self.level}, as policy {policy_id} requires")
        names = listed(r.permission.value for r in missing)
        evidence = tuple(
            compared(
                f"delegatedPermissionClassifications/{r.permission.resource_name}/{r.permission.value}",
                r.permission.classification or "not classified",
                self.level,
            )
            for r in missing
        )
        verb = "isn't" if len(missing) == 1 else "aren't"
        elsewhere = _elsewhere(context.snapshot, self.level, missing)
        return failed(f"{names} {verb} classified {self.level}, as policy {policy_id} requires{elsewhere}", *evidence)

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        definition["properties"]["level"]["enum"] = list(LEVELS)


def _elsewhere(snapshot: Snapshot, level: str, missing: Sequence[ScopeFacts]) -> str:
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
        f"; {listed(names)} of {RESOURCE_NAMES.get(resource, resource)}"
        f" {'is, but that is another permission' if len(set(names)) == 1 else 'are, but those are other permissions'}"
        for resource, names in found.items()
    )


def level_problem(level: object) -> Iterator[ArgumentProblem]:
    """A classification that doesn't exist."""
    from auditor.checks.typo_suggestions import nearest

    if isinstance(level, str) and (text := level.strip()) and text not in LEVELS:
        message = f'level: there is no classification "{text}"'
        yield ArgumentProblem(("level",), message, alternatives(LEVELS), nearest(text, LEVELS))
