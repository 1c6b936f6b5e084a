"""R8, R9 and R13: the settings of the tenant that benchmarks require, whatever app they are about.

Sources: Entra, "Configure how users consent to applications", "Configure risk-based step-up consent" and "Restrict who
can create applications"; Microsoft Graph, ``authorizationPolicy`` and ``adminConsentRequestPolicy``.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent.decision_facts import PORTAL_SETTINGS
from auditor.consent.policies import other_entries, self_consent_ids
from auditor.consent.requested_scopes import portal_address
from auditor.consent.snapshot_index import NotRead, index_of
from auditor.facts.ids import ASSIGNED_FOR_SELF, FOR_OWNED_RESOURCE, POLICY_LOW
from auditor.fixes.authorization_switches import SetAuthorizationSwitch
from auditor.fixes.change import graph_address
from auditor.fixes.consent_settings import workflow_fix
from auditor.fixes.policy_changes import SetAssignedPolicies
from auditor.fixes.proposed_fix import CONSENT_PAGES, GLOBAL_ADMIN, POLICY_ADMIN, Goal, Obstacle, ProposedFix
from auditor.model.snapshot import Snapshot

REGISTER_APPS = "defaultUserRolePermissions.allowedToCreateApps"
RISKY_CONSENT = "allowUserConsentForRiskyApps"


def workflow_settings(snapshot: Snapshot) -> Iterator[ProposedFix]:
    """R8: the admin consent workflow as benchmarks require it, with as few changes as possible first."""
    yield from workflow_fix(snapshot)
    yield from workflow_fix(snapshot, complete=True)


def authorization_settings(snapshot: Snapshot) -> Iterator[ProposedFix]:
    """The changes to the authorization policy that a benchmark may require, the strictest first."""
    yield from no_user_consent(snapshot)
    yield from low_impact_consent_only(snapshot)
    yield from no_app_registration(snapshot)
    yield from no_risky_consent(snapshot)


def no_user_consent(snapshot: Snapshot) -> Iterator[ProposedFix]:
    """R9: users can't consent; the entries that are not about their own consent stay."""
    yield from _with_self_consent(
        snapshot,
        (),
        key="R9-none",
        setting="Do not allow user consent",
        title="Turn off user consent",
        expect=(
            "Existing grants stay in place. Apps that users have not consented to yet then need an administrator, so"
            " turn on the admin consent workflow first."
        ),
    )


def low_impact_consent_only(snapshot: Snapshot) -> Iterator[ProposedFix]:
    """R9: users can consent under the low-impact policy alone; the entries that are not about that stay."""
    label = next(one.label for one in PORTAL_SETTINGS if one.policies == (POLICY_LOW,))
    yield from _with_self_consent(
        snapshot,
        (f"{ASSIGNED_FOR_SELF}.{POLICY_LOW}",),
        key="R9-low-only",
        setting=label,
        title="Limit user consent to permissions that are classified as low, for apps of verified publishers",
        expect=(
            "Existing grants stay in place. Users can consent only to what is classified as low: unless openid,"
            " profile, email, offline_access and User.Read are, they can't consent to anything."
        ),
    )


def _with_self_consent(
    snapshot: Snapshot, chosen: tuple[str, ...], *, key: str, setting: str, title: str, expect: str
) -> Iterator[ProposedFix]:
    """`chosen` in the place of all entries about users' own consent."""
    entries = index_of(snapshot).assigned_policies()
    if isinstance(entries, NotRead) or self_consent_ids(entries) == self_consent_ids(chosen):
        return
    graph, kept = graph_address(snapshot), other_entries(entries)
    yield ProposedFix(
        route="R9",
        key=key,
        obstacle=Obstacle.RULE,
        goal=Goal.RULE_PASSES,
        title=f"{title}{_keeping(kept)}",
        role=f"{POLICY_ADMIN} for Graph, {GLOBAL_ADMIN} for the portal",
        portal=(
            f"Open {portal_address(snapshot)} > {CONSENT_PAGES} > User consent settings.",
            f'Choose "{setting}" and save.',
        ),
        changes=(SetAssignedPolicies.of(graph, (*chosen, *kept)),),
        verify=(
            f"Read {graph}{SetAssignedPolicies.path} back: while Microsoft manages the setting, a change may be"
            " discarded without an error. Then run this check again."
        ),
        undo="Set the previous list again.",
        expect=expect,
    )


def _keeping(entries: tuple[str, ...]) -> str:
    """What the new list keeps, as the end of a title."""
    if not entries:
        return ""
    if all(entry.lower().startswith(f"{FOR_OWNED_RESOURCE}.") for entry in entries):
        return ", and keep the entries for teams and chats"
    return f", and keep the other {'entry' if len(entries) == 1 else f'{len(entries)} entries'} of the list"


def no_app_registration(snapshot: Snapshot) -> Iterator[ProposedFix]:
    """R13: users can't register apps."""
    policy = snapshot.sections.authorizationPolicy
    role = policy.defaultUserRolePermissions if policy else None
    if role is None or role.allowedToCreateApps is not True:
        return
    yield _switched(
        snapshot,
        REGISTER_APPS,
        key="R13-register-apps",
        title="Stop users from registering applications",
        portal=(
            f"Open {portal_address(snapshot)} > Entra ID > Users > User settings.",
            'Set "Users can register applications" to No and save.',
        ),
        undo='Set "Users can register applications" to Yes again.',
        expect=(
            "Developers who register apps need the role Application Developer. Apps that users have registered stay."
        ),
    )


def no_risky_consent(snapshot: Snapshot) -> Iterator[ProposedFix]:
    """R13: consent requests that look risky go to an administrator."""
    policy = snapshot.sections.authorizationPolicy
    if policy is None or policy.allowUserConsentForRiskyApps is not True:
        return
    yield _switched(
        snapshot,
        RISKY_CONSENT,
        key="R13-risky-apps",
        title="Send consent requests that look risky to an administrator",
        portal=(),
        undo=f"Set {RISKY_CONSENT} to true again.",
        expect="The portal has no switch for this.",
    )


def _switched(
    snapshot: Snapshot, switch: str, *, key: str, title: str, portal: tuple[str, ...], undo: str, expect: str
) -> ProposedFix:
    """A switch of the authorization policy turned off."""
    graph = graph_address(snapshot)
    return ProposedFix(
        route="R13",
        key=key,
        obstacle=Obstacle.RULE,
        goal=Goal.RULE_PASSES,
        title=title,
        role=POLICY_ADMIN,
        portal=portal,
        changes=(SetAuthorizationSwitch.of(graph, switch, False),),
        verify=f"Read {graph}{SetAuthorizationSwitch.path} back. Then run this check again.",
        undo=undo,
        expect=expect,
    )
