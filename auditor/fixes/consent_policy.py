"""R4: users may consent to this one app themselves, under a consent policy of its own.

Sources: Entra, "Manage app consent policies", "Configure how users consent to applications" and "App consent
permissions for custom roles".
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent.decision_facts import Case, Row
from auditor.consent.lookup import NotRead, assigned_policies
from auditor.consent.policies import role_actions, role_policies
from auditor.fixes import requests as graph
from auditor.fixes.candidate import Candidate, Mends, Promise
from auditor.fixes.portal_text import POLICY_ADMIN
from auditor.model.fix import GraphRequest

_ROLE_ACTION = "microsoft.directory/servicePrincipals/managePermissionGrantsForSelf"
READ_BACK = (
    "Read {base}/policies/authorizationPolicy back: in Microsoft-managed mode a change may be discarded without an"
    " error. If the list is unchanged, choose another option under User consent settings first."
)


def custom_policy(case: Case) -> Iterator[Candidate]:
    """A policy that names this app and these scopes; every entry that is assigned stays."""
    entries = assigned_policies(case.snapshot)
    rows = (*case.required, *case.extra)
    if isinstance(entries, NotRead) or not rows or any(r.permission.id is None for r in rows):
        return
    policy_id = _free_id(case, entries)
    if policy_id is None:
        return
    base, app = graph.base_of(case.snapshot), case.app.label
    entry = f"ManagePermissionGrantsForSelf.{policy_id}"
    requests = (
        graph.create_policy(base, policy_id, f"{app}: users may consent", f"Lets users connect {app}."),
        *_includes(case, base, policy_id, rows),
        graph.assign_policies(base, (entry, *entries)),
    )
    yield Candidate(
        route="R4",
        mends=Mends.CONSENT,
        promise=Promise.CONNECTS,
        title=f"Let users consent to {app} themselves, with a consent policy for this app alone",
        role=POLICY_ADMIN,
        requests=requests,
        verify=READ_BACK.format(base=base),
        undo=f"Take {entry} out of the list of assigned policies, then delete the policy.",
        expect=(
            "The portal then says that the settings were customized, and benchmarks count this as user consent. To let"
            f" only some users consent, leave the list alone and put {_ROLE_ACTION}.{policy_id} into a custom role for"
            " them (Entra ID P1)."
        ),
    )


def _includes(case: Case, base: str, policy_id: str, rows: tuple[Row, ...]) -> Iterator[GraphRequest]:
    """A call of its own for each resource: a policy cannot be created with its includes."""
    for resource in dict.fromkeys(r.permission.resource for r in rows):
        include = {
            "permissionType": "delegated",
            "clientApplicationIds": [case.app.client_id],
            "resourceApplication": resource,
            "permissions": [r.permission.id for r in rows if r.permission.resource == resource],
        }
        yield graph.add_include(base, policy_id, include)


def _free_id(case: Case, entries: tuple[str, ...]) -> str | None:
    """An id that no policy has, and that no assignment or role names either."""
    existing = case.snapshot.sections.permissionGrantPolicies
    if existing is None:
        return None
    actions = role_actions(case.snapshot.sections.roleDefinitions or ())
    taken = {policy.id.lower() for policy in existing}
    taken |= {entry.partition(".")[2].lower() or entry.lower() for entry in entries}
    taken |= {policy_id.lower() for _, policy_id in role_policies(actions)}
    stem = f"allow-{_slug(case.app.label)}"
    return next(n for n in (stem, *(f"{stem}-{i}" for i in range(2, len(taken) + 3))) if n not in taken)


def _slug(name: str) -> str:
    """Letters, digits and hyphens, which is what a policy's id may hold; never the reserved ``microsoft-``."""
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower())
    return "-".join(piece for piece in kept.split("-") if piece)[:40].rstrip("-") or "app"
