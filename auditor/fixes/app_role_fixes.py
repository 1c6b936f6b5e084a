"""R1 and R3 for application permissions: an administrator grants the app what it needs to act without a user.

Sources: Entra, "Grant tenant-wide admin consent" (who can grant which application permissions, and that the consent
link grants what the registration lists); Microsoft Graph, "Grant an appRoleAssignment to a service principal".
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent import Truth
from auditor.consent.app_roles import NEEDS_MAILBOXES, missing_roles
from auditor.consent.decision_facts import DecisionFacts
from auditor.consent.explanation import listed
from auditor.consent.requested_scopes import admin_consent_link
from auditor.consent.snapshot_index import index_of
from auditor.facts.access_requirements import DIRECTORY
from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.fixes.app_changes import CreateServicePrincipal
from auditor.fixes.app_role_changes import GrantAppRole
from auditor.fixes.change import NEW_SERVICE_PRINCIPAL, GraphChange, graph_address
from auditor.fixes.proposed_fix import APP_ADMIN, POLICY_ADMIN, Goal, Obstacle, ProposedFix, app_links, app_page
from auditor.model.decision import RoleState, RoleVerdict
from auditor.model.resources import ServicePrincipal

_PRIVILEGED = frozenset({MICROSOFT_GRAPH, DIRECTORY.app_id})
"""The resources whose application permissions a Cloud Application Administrator can't grant."""
_VERIFY = "Run this check again."


def app_role_fixes(facts: DecisionFacts) -> Iterator[ProposedFix]:
    """The grant of exactly the missing permissions, and the link that grants what the registration lists."""
    missing = tuple(missing_roles(tuple(one for one in facts.app_roles if one.required)))
    required = [one for one in facts.app_roles if one.required and one.state is not RoleState.GRANTED]
    if not missing or len(missing) != len(required):
        return
    changes = role_grants(facts)
    if facts.client.presence is Truth.TRUE:
        yield _through_graph(facts, missing, changes)
    yield _by_link(facts, missing, changes)


def role_grants(facts: DecisionFacts, *, creates_app: bool = True) -> tuple[GraphChange, ...]:
    """The changes after which the app holds every application permission that it requires and that exists."""
    graph, index = graph_address(facts.snapshot), index_of(facts.snapshot)
    client = facts.client.object_id or NEW_SERVICE_PRINCIPAL
    grants: list[GraphChange] = []
    for one in missing_roles(tuple(one for one in facts.app_roles if one.required)):
        resource = index.service_principal(one.resource)
        if isinstance(resource, ServicePrincipal):
            number = len(grants) + 1
            grants.append(GrantAppRole.of(graph, client, resource.id, one.role_id, number=number))
    is_new = creates_app and facts.client.presence is Truth.FALSE
    return (*((CreateServicePrincipal.of(graph, facts.app.client_id),) if is_new else ()), *grants)


def role_to_grant(missing: tuple[RoleVerdict, ...]) -> str:
    """The directory role that can grant the permissions: those of Microsoft Graph need a more privileged one."""
    return POLICY_ADMIN if any(one.resource in _PRIVILEGED for one in missing) else APP_ADMIN


def _names(missing: tuple[RoleVerdict, ...]) -> str:
    return listed(f"{one.role} of {one.resource_name}" for one in missing)


def _warning(missing: tuple[RoleVerdict, ...]) -> str:
    """What the permissions reach: they need no user, so no user's own access limits them."""
    if any((one.resource, one.role.lower()) in NEEDS_MAILBOXES for one in missing):
        return (
            "The app then reaches every mailbox of the tenant, without a user. To limit it to some mailboxes, use"
            " role-based access control for applications in Exchange Online instead."
        )
    return "The app then has these permissions in the whole tenant, without a user."


def _by_link(facts: DecisionFacts, missing: tuple[RoleVerdict, ...], changes: tuple[GraphChange, ...]) -> ProposedFix:
    app, role = facts.app.label, role_to_grant(missing)
    is_listed = facts.client.presence is Truth.TRUE
    in_portal = (f"Or, in the portal: {app_page(facts)} > Permissions > Grant admin consent.",) if is_listed else ()
    return ProposedFix(
        route="R1",
        key="R1-roles",
        obstacle=Obstacle.RULE,
        goal=Goal.RULE_PASSES,
        title=f"An administrator grants {app} consent for the whole tenant, with its application permissions",
        role=role,
        portal=(
            "Open this link and sign in as an administrator of the tenant.",
            f"Review the permissions that {app} requests, above all those without a user, and choose Accept. The page"
            " that opens afterwards may be an error of the app although consent was given.",
            *in_portal,
        ),
        portal_links=app_links(facts, in_portal),
        link=admin_consent_link(facts.snapshot, facts.app),
        changes=changes,
        shows_requests=False,
        verify=_VERIFY,
        undo=f"Enterprise apps > {app} > Permissions > review permissions and revoke them.",
        expect=(
            "This grants all permissions in the app's registration, also the delegated ones. The pack says that the"
            f" registration includes {_names(missing)}. {_warning(missing)}"
        ),
        caveats=(
            "the permissions in the app's registration can't be read in this tenant; the proof assumes that it"
            " includes the required application permissions",
        ),
    )


def _through_graph(
    facts: DecisionFacts, missing: tuple[RoleVerdict, ...], changes: tuple[GraphChange, ...]
) -> ProposedFix:
    return ProposedFix(
        route="R3",
        key="R3-roles",
        obstacle=Obstacle.RULE,
        goal=Goal.RULE_PASSES,
        title=f"Grant {facts.app.label} exactly {_names(missing)} through Microsoft Graph",
        role=role_to_grant(missing),
        changes=changes,
        verify=_VERIFY,
        undo=f"Enterprise apps > {facts.app.label} > Permissions > review permissions and revoke them.",
        expect=f"Takes effect at once, without a consent prompt. {_warning(missing)}",
    )
