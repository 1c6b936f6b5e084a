"""R8: users who may not consent can ask, and the request reaches somebody who can approve it.

Sources: Entra, "Configure the admin consent workflow" and "Review admin consent requests"; Microsoft Graph,
``adminConsentRequestPolicy`` (every property is required in a PUT).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from auditor.consent.decision_facts import Case
from auditor.consent.subject import ADMIN_ROLES
from auditor.facts.ids import ROLE_GLOBAL_ADMINISTRATOR
from auditor.fixes import requests as graph
from auditor.fixes.candidate import Candidate, Mends, Promise
from auditor.fixes.portal_text import GLOBAL_ADMIN, consent_page
from auditor.model.resources import AdminConsentRequestPolicy

_HOLDERS = "/beta/roleManagement/directory/roleAssignments?$filter=roleDefinitionId eq '{role}'"
_DAYS = 30


def workflow(case: Case) -> Iterator[Candidate]:
    """The workflow is switched on; reviewers that are named stay, and holders of an admin role stand in for none."""
    policy = case.snapshot.sections.adminConsentRequestPolicy
    if policy is None or policy.isEnabled is None or policy.reviewers is None:
        return
    if policy.isEnabled and policy.reviewers:
        return
    named = tuple(policy.reviewers)
    roles = {} if named else _roles(case)
    who = "the reviewers that are named already" if named else f"the holders of the role {' and '.join(roles.values())}"
    yield Candidate(
        route="R8",
        mends=Mends.ASKING,
        promise=Promise.MAY_ASK,
        title=f"Let users ask for approval: switch the admin consent workflow on, with {who} as reviewers",
        role=GLOBAL_ADMIN,
        portal=(
            f"Open {consent_page(case, 'Admin consent settings')}.",
            'Set "Users can request admin consent to apps they are unable to consent to" to Yes.',
            f"Under who can review, {'keep' if named else 'choose'} {who}, and save.",
        ),
        requests=(graph.set_workflow(graph.base_of(case.snapshot), _settings(policy, tuple(roles))),),
        verify=f"Read {graph.base_of(case.snapshot)}/policies/adminConsentRequestPolicy back.",
        undo="Set the same page back to what it was.",
        expect=(
            "It may take up to an hour. Users are then asked for a reason and wait for approval; a reviewer approves"
            " under Enterprise apps > Activity > Admin consent requests and needs a role that may consent"
            f"{', which being a reviewer does not give' if named else ''}."
        ),
    )


def _roles(case: Case) -> dict[str, str]:
    """Roles that may consent and have holders: the least such role known to have one, and Global Administrator."""
    held = {a.roleDefinitionId.lower() for a in case.snapshot.sections.roleAssignments or ()}
    least_first = reversed(ADMIN_ROLES.items())
    known = {role: name for role, name in least_first if role in held}
    return known or {ROLE_GLOBAL_ADMINISTRATOR: ADMIN_ROLES[ROLE_GLOBAL_ADMINISTRATOR]}


def _settings(policy: AdminConsentRequestPolicy, roles: tuple[str, ...]) -> dict[str, object]:
    """The complete new settings: what was set stays, what was not known gets the portal's default."""
    kept = [{"queryType": "MicrosoftGraph", **msgspec.to_builtins(reviewer)} for reviewer in policy.reviewers or ()]
    new = [{"query": _HOLDERS.format(role=role), "queryType": "MicrosoftGraph"} for role in roles]
    return {
        "isEnabled": True,
        "notifyReviewers": True if policy.notifyReviewers is None else policy.notifyReviewers,
        "remindersEnabled": True if policy.remindersEnabled is None else policy.remindersEnabled,
        "requestDurationInDays": policy.requestDurationInDays or _DAYS,
        "reviewers": [*kept, *new],
    }
