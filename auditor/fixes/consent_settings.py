"""R4, R5, R8 and R9: changes to the tenant's consent settings, from a policy for one app to the setting for every app.

Sources: Entra, "Manage app consent policies", "Configure how users consent to applications", "App consent permissions
for custom roles", "Configure permission classifications", "Configure the admin consent workflow" and "Review admin
consent requests"; Microsoft Graph, ``adminConsentRequestPolicy`` (a PUT requires every property).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from auditor.consent import Truth
from auditor.consent.conditions import LEVELS
from auditor.consent.decision_facts import (
    MAIL_CLIENTS_BOX,
    PORTAL_SETTINGS,
    DecisionFacts,
    ScopeFacts,
    UserConsentSetting,
    reviewer_exists,
)
from auditor.consent.explanation import listed
from auditor.consent.policies import role_actions, role_policies, self_consent_ids
from auditor.consent.requested_scopes import portal_address
from auditor.consent.snapshot_index import NotRead, index_of
from auditor.consent.subject import ADMIN_ROLES
from auditor.facts.ids import ASSIGNED_FOR_SELF, ROLE_GLOBAL_ADMINISTRATOR
from auditor.fixes.change import graph_address
from auditor.fixes.policy_changes import (
    AddPolicyInclude,
    ClassifyPermission,
    CreateConsentPolicy,
    SetAssignedPolicies,
    SetConsentWorkflow,
)
from auditor.fixes.proposed_fix import (
    APP_ADMIN,
    CHECK_AGAIN,
    CONSENT_PAGES,
    GLOBAL_ADMIN,
    POLICY_ADMIN,
    Goal,
    Obstacle,
    ProposedFix,
    consent_page,
)
from auditor.model.resources import AdminConsentRequestPolicy, ConsentReviewer
from auditor.model.snapshot import Snapshot

_ROLE_ACTION = "microsoft.directory/servicePrincipals/managePermissionGrantsForSelf"


def app_consent_policy(facts: DecisionFacts) -> Iterator[ProposedFix]:
    """R4: users can consent to this app under a consent policy for this app and these scopes; every entry stays."""
    entries = index_of(facts.snapshot).assigned_policies()
    rows = (*facts.required, *facts.added)
    if isinstance(entries, NotRead) or not rows or any(r.permission.id is None for r in rows):
        return
    policy_id = _free_policy_id(facts, entries)
    if policy_id is None:
        return
    graph, app = graph_address(facts.snapshot), facts.app.label
    entry = f"{ASSIGNED_FOR_SELF}.{policy_id}"
    yield ProposedFix(
        route="R4",
        obstacle=Obstacle.CONSENT,
        goal=Goal.CONNECTS,
        title=f"Let users consent to {app} themselves, with a consent policy for this app alone",
        role=POLICY_ADMIN,
        changes=(
            CreateConsentPolicy.of(graph, policy_id, f"{app}: users may consent", f"Lets users connect {app}."),
            *_includes(facts, graph, policy_id, rows),
            SetAssignedPolicies.of(graph, (entry, *entries)),
        ),
        verify=_read_policies_back(graph),
        undo=f"Remove {entry} from the list of assigned policies, then delete the policy.",
        expect=(
            "The portal then says that the settings are customized, and benchmarks count this as user consent. To let"
            f" only some users consent, leave the list alone and add {_ROLE_ACTION}.{policy_id} to a custom role for"
            f" them (Entra ID P1). {_WHO_WRITES_POLICIES}"
        ),
    )


# Graph beta, "Create permissionGrantConditionSet in excludes collection", against Entra, "Manage app consent policies"
# (prerequisites). Changing the authorization policy needs Privileged Role Administrator in both.
_WHO_WRITES_POLICIES = (
    "Microsoft's sources disagree on who can create the policy: Microsoft Graph's reference names Application"
    " Administrator and Cloud Application Administrator, the Entra documentation Privileged Role Administrator."
    " Assigning it to users needs Privileged Role Administrator in any case."
)


def _read_policies_back(graph: str) -> str:
    return (
        f"Read {graph}{SetAssignedPolicies.path} back: while Microsoft manages the setting, a change may be discarded"
        " without an error. If the list is unchanged, choose another option under User consent settings first."
    )


def _includes(
    facts: DecisionFacts, graph: str, policy_id: str, rows: tuple[ScopeFacts, ...]
) -> Iterator[AddPolicyInclude]:
    """One include for each resource. A policy cannot be created together with its includes."""
    for resource in dict.fromkeys(r.permission.resource for r in rows):
        include = {
            "permissionType": "delegated",
            "clientApplicationIds": [facts.app.client_id],
            "resourceApplication": resource,
            "permissions": [r.permission.id for r in rows if r.permission.resource == resource],
        }
        yield AddPolicyInclude(graph=graph, policy_id=policy_id, body=include)


def _free_policy_id(facts: DecisionFacts, entries: tuple[str, ...]) -> str | None:
    """An id that no policy has, and that no assignment or role mentions; ``None`` if the policies were not read."""
    existing = facts.snapshot.sections.permissionGrantPolicies
    if existing is None:
        return None
    actions = role_actions(facts.snapshot.sections.roleDefinitions or ())
    used = {policy.id.lower() for policy in existing}
    used |= {entry.partition(".")[2].lower() or entry.lower() for entry in entries}
    used |= {policy_id.lower() for _, policy_id in role_policies(actions)}
    stem = f"allow-{_slug(facts.app.label)}"
    return next(name for name in (stem, *(f"{stem}-{i}" for i in range(2, len(used) + 3))) if name not in used)


def _slug(name: str) -> str:
    """Letters, digits and hyphens, which the id of a policy can contain; never the reserved ``microsoft-``."""
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower())
    return "-".join(piece for piece in kept.split("-") if piece)[:40].rstrip("-") or "app"


def permission_classifications(facts: DecisionFacts) -> Iterator[ProposedFix]:
    """R5: one fix for each classification that an assigned policy requires; none if no policy requires one."""
    if isinstance(facts.policies, NotRead):
        return
    required = {
        conditions.permissionClassification.lower()
        for assigned in facts.policies
        if assigned.policy
        for conditions in assigned.policy.includes or ()
    }
    missing = tuple(r for r in (*facts.required, *facts.added) if _needs_approval(facts, r))
    if missing and all(_can_be_classified(r) for r in missing):
        for level in LEVELS:
            if level in required:
                yield _classified(facts, missing, level)


def _needs_approval(facts: DecisionFacts, row: ScopeFacts) -> bool:
    """Whether consent asks for this scope and no policy approves it."""
    asks_again = facts.app.prompt_consent or facts.app.mode.is_static
    return row.approval.truth is not Truth.TRUE and (asks_again or row.granted.truth is not Truth.TRUE)


def _can_be_classified(row: ScopeFacts) -> bool:
    """Only a scope that users can consent to can be classified; one with another classification has it on purpose."""
    p = row.permission
    return p.id is not None and p.user_type is Truth.TRUE and p.classification == ""


def _classified(facts: DecisionFacts, missing: tuple[ScopeFacts, ...], level: str) -> ProposedFix:
    graph = graph_address(facts.snapshot)
    names = listed(r.permission.value for r in missing)
    where = listed(r.permission.resource_name for r in missing)
    page = f"Permission classifications > {level.capitalize()}"
    return ProposedFix(
        route="R5",
        key="R5" if level == "low" else f"R5-{level}",
        obstacle=Obstacle.CONSENT,
        goal=Goal.CONNECTS,
        title=f"Classify the missing scopes of {where} as {level} impact",
        role=APP_ADMIN,
        portal=(
            f"Open {consent_page(facts, page)}.",
            f"Choose Add permissions, select {where}, and add {names}.",
        ),
        changes=tuple(
            ClassifyPermission.of(graph, p.resource, p.id or "", p.value, level, number=number)
            for number, p in enumerate((r.permission for r in missing), start=1)
        ),
        verify=CHECK_AGAIN,
        undo=f"Remove the same entries under {page}.",
        expect="The sign-in scopes (openid, profile, email, offline_access, User.Read) must be classified too.",
    )


_DEFAULT_DAYS = 30
_ROLE_HOLDERS = "/beta/roleManagement/directory/roleAssignments?$filter=roleDefinitionId eq '{role}'"


def admin_consent_workflow(facts: DecisionFacts) -> Iterator[ProposedFix]:
    """R8: users who can't consent can ask, and a reviewer hears of the request.

    An approval is a consent for the whole tenant, so it doesn't help if the app asks again whatever was granted.
    """
    policy = facts.snapshot.sections.adminConsentRequestPolicy
    if facts.app.prompt_consent or (policy is not None and policy.isEnabled and not facts.workflow.obstacle):
        return
    yield from workflow_fix(facts.snapshot)


def workflow_fix(snapshot: Snapshot, *, complete: bool = False) -> Iterator[ProposedFix]:
    """The workflow on, with reviewers who are notified of requests; nothing if its settings were not read.

    Reviewers who may exist stay; without one, the holders of an administrator role become reviewers. `complete` also
    has them reminded, and lets requests expire after 30 days at most.
    """
    policy = snapshot.sections.adminConsentRequestPolicy
    if policy is None or policy.isEnabled is None or policy.reviewers is None:
        return
    graph, index = graph_address(snapshot), index_of(snapshot)
    kept = tuple(one for one in policy.reviewers if reviewer_exists(index, one.query) is not Truth.FALSE)
    roles = {} if kept else _reviewer_roles(snapshot)
    who = "the existing reviewers" if kept else f"the holders of the role {' and '.join(roles.values())}"
    settings = _workflow_settings(policy, kept, tuple(roles), complete=complete)
    changes = tuple(_workflow_changes(policy, settings, who, bool(kept)))
    if not changes:
        return
    works = policy.isEnabled and kept and policy.notifyReviewers
    yield ProposedFix(
        route="R8",
        key="R8-complete" if complete else "",
        obstacle=Obstacle.NO_APPROVAL_REQUESTS,
        goal=Goal.CAN_ASK,
        title=f"{'Adjust the admin consent workflow' if works else 'Let users ask for approval'}: {listed(changes)}",
        role=GLOBAL_ADMIN,
        portal=(
            f"Open {portal_address(snapshot)} > {CONSENT_PAGES} > Admin consent settings.",
            'Set "Users can request admin consent to apps they are unable to consent to" to Yes.',
            f"Under who can review, {'keep' if kept else 'choose'} {who}.",
            *(_FURTHER_STEPS if complete else ()),
            'Set "Selected users will receive email notifications for requests" to Yes, and save.',
        ),
        changes=(SetConsentWorkflow(graph=graph, body=settings),),
        verify=f"Read {graph}{SetConsentWorkflow.path} back.",
        undo="Restore the previous settings on the same page.",
        expect=(
            "This can take up to an hour. Users then enter a reason and wait for approval. A reviewer approves under"
            " Enterprise apps > Activity > Admin consent requests and needs a role that can grant consent"
            f"{', which reviewers do not get automatically' if kept else ''}."
        ),
    )


_FURTHER_STEPS = (
    'Set "Selected users will receive request expiration reminders" to Yes.',
    f'Set "Consent request expires after (days)" to {_DEFAULT_DAYS} or less.',
)


def _workflow_changes(
    policy: AdminConsentRequestPolicy, settings: Mapping[str, object], who: str, has_reviewers: bool
) -> Iterator[str]:
    """What the new settings change, in words."""
    if not policy.isEnabled:
        yield f"switch the admin consent workflow on, with {who} as reviewers"
    elif not has_reviewers:
        yield f"make {who} the reviewers of the admin consent workflow"
    elif policy.notifyReviewers is not True:
        yield "have the reviewers of the admin consent workflow notified of requests"
    if policy.remindersEnabled is False and settings["remindersEnabled"]:
        yield "have reviewers reminded before a request expires"
    if policy.requestDurationInDays not in (None, settings["requestDurationInDays"]):
        yield f"let requests expire after {settings['requestDurationInDays']} days"


def _reviewer_roles(snapshot: Snapshot) -> dict[str, str]:
    """The least privileged roles that can consent and are known to have holders, or else Global Administrator."""
    held = {a.roleDefinitionId.lower() for a in snapshot.sections.roleAssignments or ()}
    known = {role: name for role, name in reversed(ADMIN_ROLES.items()) if role in held}
    return known or {ROLE_GLOBAL_ADMINISTRATOR: ADMIN_ROLES[ROLE_GLOBAL_ADMINISTRATOR]}


def _workflow_settings(
    policy: AdminConsentRequestPolicy,
    reviewers: Iterable[ConsentReviewer],
    roles: tuple[str, ...],
    *,
    complete: bool,
) -> dict[str, object]:
    """All new settings: reviewers are notified, known values stay, unknown ones get the portal's default.

    `complete` replaces known values that don't remind reviewers or that let requests wait for more than 30 days.
    """
    kept = [{"queryType": "MicrosoftGraph", **msgspec.to_builtins(reviewer)} for reviewer in reviewers]
    new = [{"query": _ROLE_HOLDERS.format(role=role), "queryType": "MicrosoftGraph"} for role in roles]
    days = policy.requestDurationInDays or _DEFAULT_DAYS
    return {
        "isEnabled": True,
        "notifyReviewers": True,
        "remindersEnabled": True if complete or policy.remindersEnabled is None else policy.remindersEnabled,
        "requestDurationInDays": min(days, _DEFAULT_DAYS) if complete else days,
        "reviewers": [*kept, *new],
    }


def user_consent_setting(facts: DecisionFacts) -> Iterator[ProposedFix]:
    """R9: one of Microsoft's policies is assigned in addition to those that already are."""
    entries = index_of(facts.snapshot).assigned_policies()
    if isinstance(entries, NotRead):
        return
    assigned = {policy_id.lower() for policy_id in self_consent_ids(entries)}
    for setting in PORTAL_SETTINGS:
        if len(setting.policies) == 1 and setting.policies[0] not in assigned:
            yield _with_setting(facts, entries, setting, only_one=not assigned)


def _with_setting(
    facts: DecisionFacts, entries: tuple[str, ...], setting: UserConsentSetting, *, only_one: bool
) -> ProposedFix:
    """The portal replaces what users can consent to, so its steps do the same only if that is nothing so far."""
    graph = graph_address(facts.snapshot)
    entry = f"{ASSIGNED_FOR_SELF}.{setting.policies[0]}"
    clear = f', clear "{MAIL_CLIENTS_BOX}",' if setting.key == "recommended" else ""
    portal = (f"Open {consent_page(facts, 'User consent settings')}.", f'Choose "{setting.label}"{clear} and save.')
    hidden = (
        "Microsoft's documentation lists this choice; if the portal doesn't offer it, Graph does. "
        if setting.key == "legacy" and only_one
        else ""
    )
    return ProposedFix(
        route="R9",
        key=f"R9-{setting.key}",
        obstacle=Obstacle.CONSENT,
        goal=Goal.CONNECTS,
        title=f'Change the user consent setting of the tenant, for every app, to "{setting.label}"',
        role=f"{POLICY_ADMIN} for Graph, Global Administrator for the portal" if only_one else POLICY_ADMIN,
        portal=portal if only_one else (),
        changes=(SetAssignedPolicies.of(graph, (entry, *entries)),),
        verify=_read_policies_back(graph),
        undo=f"Remove {entry} from the list of assigned policies.",
        expect=f"{hidden}This affects every user and every app. Benchmarks such as CIS and SCuBA may fail the tenant.",
    )
