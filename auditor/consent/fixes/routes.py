"""The ways to mend a decision, each computed from what the tenant holds.

Source: Entra, "Grant tenant-wide admin consent", "Manage app consent policies", "Configure permission
classifications", "Configure the admin consent workflow", "Properties of an enterprise application".
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent.case import Case, Row
from auditor.consent.fixes.candidate import Candidate
from auditor.consent.fixes.commands import NEW_SERVICE_PRINCIPAL
from auditor.consent.grants import TENANT_WIDE, grant_rows
from auditor.consent.links import admin_consent_link, portal_address
from auditor.consent.logic import Truth
from auditor.consent.reading import NotRead, assigned_policies, service_principal
from auditor.consent.sentences import listed
from auditor.model.clouds import CLOUDS
from auditor.model.decision import Outcome
from auditor.model.fix import GraphRequest
from auditor.model.resources import OAuth2PermissionGrant, ServicePrincipal

SILENT = frozenset({Outcome.CONNECTS_SILENTLY.value})
CONSENT = frozenset({Outcome.USER_MAY_CONSENT.value, Outcome.CONNECTS_SILENTLY.value})
_VERIFY = "Run this check again, or have an ordinary user (not an administrator) connect the app."
_ADMINS = "Cloud Application Administrator"


def candidates(case: Case) -> Iterator[Candidate]:
    """Everything that might mend `case`, least exposure first; proving sorts out what does not."""
    yield from _enable_sign_in(case)
    yield from _admin_consent(case)
    yield from _custom_policy(case)
    yield from _drop_assignment(case)
    yield from _classify(case)


def _graph(case: Case) -> str:
    return CLOUDS.get(case.snapshot.cloud, CLOUDS["global"]).graph + "/v1.0"


def _granted_in_full(case: Case) -> tuple[GraphRequest, ...]:
    """The requests that leave a tenant-wide grant of every required scope."""
    base = _graph(case)
    requests: list[GraphRequest] = []
    client_id = case.client.object_id or NEW_SERVICE_PRINCIPAL
    if case.client.presence is Truth.FALSE:
        requests.append(
            GraphRequest(method="POST", url=f"{base}/servicePrincipals", body={"appId": case.app.client_id})
        )
    for resource in dict.fromkeys(r.permission.resource for r in case.required):
        principal = service_principal(case.snapshot, resource)
        if not isinstance(principal, ServicePrincipal):
            continue
        scopes = [r.permission.value for r in case.required if r.permission.resource == resource]
        row = _tenant_wide_row(case, principal.id)
        if row is None:
            body = {
                "clientId": client_id,
                "consentType": "AllPrincipals",
                "resourceId": principal.id,
                "scope": " ".join(scopes),
            }
            requests.append(GraphRequest(method="POST", url=f"{base}/oauth2PermissionGrants", body=body))
        else:
            have = row.scope.split()
            known = {scope.lower() for scope in have}
            full = [*have, *(s for s in scopes if s.lower() not in known)]
            if len(full) > len(have):
                url = f"{base}/oauth2PermissionGrants/{row.id}"
                requests.append(GraphRequest(method="PATCH", url=url, body={"scope": " ".join(full)}))
    return tuple(requests)


def _tenant_wide_row(case: Case, resource_id: str) -> OAuth2PermissionGrant | None:
    for row in grant_rows(case.snapshot, case.client):
        if row.consentType.lower() == TENANT_WIDE and row.resourceId.lower() == resource_id.lower():
            return row
    return None


def _admin_consent(case: Case) -> Iterator[Candidate]:
    """R1, by link, and R3, the same grant through Graph."""
    requests = _granted_in_full(case)
    if not requests or case.client.presence is Truth.UNKNOWN:
        return
    app = case.app.label
    restricted = case.client.assignment_required is Truth.TRUE
    who = "Every user who is assigned to it" if restricted else "Every user of the tenant"
    opens = {
        "summary": f"Nothing for other apps. {who} can use {app} with these scopes.",
        "consent_policy_changes": False,
    }
    undo = f"Enterprise apps > {app} > Permissions > review permissions and revoke them."
    assumed = any(r.permission.assumed for r in case.required)
    registered = "the permissions that the app's registration lists"
    note = f" The pack assumes that these include {_names(case)}." if assumed else ""
    yield Candidate(
        route="R1",
        title=f"An administrator grants {app} consent for the whole tenant",
        role=f"{_ADMINS}, or Application Administrator",
        portal=(
            "Open this link and sign in as an administrator of the tenant.",
            f"Read what {app} asks for and choose Accept. An error page of the vendor afterwards does no harm.",
        ),
        link=admin_consent_link(case.snapshot, case.app),
        requests=requests,
        shown=False,
        verify=_VERIFY,
        undo=undo,
        expect=f"This grants {registered}.{note}",
        opens=opens,
        promise=SILENT,
    )
    yield Candidate(
        route="R3",
        title=f"Grant {app} exactly these scopes for the whole tenant through Microsoft Graph",
        role=_ADMINS,
        portal=(),
        requests=requests,
        verify=_VERIFY,
        undo=undo,
        expect="At once, without a review page. Permissions that the app asks for later are not included.",
        opens=opens,
        promise=SILENT,
    )


def _names(case: Case) -> str:
    return listed(r.permission.value for r in case.required if not r.permission.is_openid)


def _custom_policy(case: Case) -> Iterator[Candidate]:
    """R4: users may consent to this app themselves; every assigned entry stays."""
    entries = assigned_policies(case.snapshot)
    existing = case.snapshot.sections.permissionGrantPolicies
    if isinstance(entries, NotRead) or existing is None or case.subject.user_id is not None:
        return
    rows = (*case.required, *case.extra)
    if any(r.permission.id is None for r in rows):
        return
    taken = {policy.id.lower() for policy in existing}
    stem = f"allow-{_slug(case.app.label)}"
    policy_id = next(n for n in (stem, *(f"{stem}-{i}" for i in range(2, 102))) if n.lower() not in taken)
    base = f"{_graph(case)}/policies"
    app = case.app.label
    body = {"id": policy_id, "displayName": f"{app}: users may consent", "description": f"Lets users connect {app}."}
    requests = [GraphRequest(method="POST", url=f"{base}/permissionGrantPolicies", body=body)]
    for resource in dict.fromkeys(r.permission.resource for r in rows):
        include = {
            "permissionType": "delegated",
            "clientApplicationIds": [case.app.client_id],
            "resourceApplication": resource,
            "permissions": [r.permission.id for r in rows if r.permission.resource == resource],
        }
        url = f"{base}/permissionGrantPolicies/{policy_id}/includes"
        requests.append(GraphRequest(method="POST", url=url, body=include))
    assigned = [f"ManagePermissionGrantsForSelf.{policy_id}", *entries]
    patch = {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": assigned}}
    requests.append(GraphRequest(method="PATCH", url=f"{base}/authorizationPolicy", body=patch))
    yield Candidate(
        route="R4",
        title=f"Let users consent to {app} themselves, with a consent policy for this app alone",
        role="Privileged Role Administrator",
        portal=(),
        requests=tuple(requests),
        verify=f"Read {base}/authorizationPolicy back: in Microsoft-managed mode a change may be discarded.",
        undo=f"PATCH {base}/authorizationPolicy with the list without its first entry, then DELETE the policy.",
        expect="The portal then says that the settings were customized. Benchmarks count this as user consent.",
        opens={
            "summary": f"Nothing for other apps. Users may consent to {len(rows)} scopes for {app} alone.",
            "consent_policy_changes": True,
        },
        promise=CONSENT,
    )


def _slug(name: str) -> str:
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower())
    return "-".join(piece for piece in kept.split("-") if piece)[:40] or "app"


def _classify(case: Case) -> Iterator[Candidate]:
    """R5: only where an assigned policy asks for a classification."""
    if isinstance(case.policies, NotRead):
        return
    levels = {
        s.permissionClassification.lower()
        for assigned in case.policies
        if assigned.policy
        for s in assigned.policy.includes or ()
    } - {"all", ""}
    missing = [r for r in (*case.required, *case.extra) if _can_be_classified(r)]
    if "low" not in levels or not missing:
        return
    base = _graph(case)
    requests = tuple(
        GraphRequest(
            method="POST",
            url=f"{base}/servicePrincipals(appId='{r.permission.resource}')/delegatedPermissionClassifications",
            body={
                "permissionId": r.permission.id,
                "permissionName": r.permission.value,
                "classification": "low",
            },
        )
        for r in missing
    )
    names = listed(r.permission.value for r in missing)
    where = listed({r.permission.resource_name for r in missing})
    yield Candidate(
        route="R5",
        title=f"Classify the missing scopes of {where} as low impact",
        role=_ADMINS,
        portal=(
            f"Open {portal_address(case.snapshot)} > Entra ID > Enterprise apps > Consent and permissions >"
            " Permission classifications > Low.",
            f"Choose Add permissions, pick {where}, and add {names}.",
        ),
        requests=requests,
        verify=_VERIFY,
        undo="Remove the same entries under Permission classifications > Low.",
        opens={
            "summary": (
                f"Users may then consent to {names} for every app of a verified publisher and every app"
                " registered in this tenant."
            ),
            "consent_policy_changes": False,
            "scopes": [r.permission.value for r in missing],
        },
        promise=CONSENT,
    )


def _can_be_classified(row: Row) -> bool:
    """Scopes that need an administrator cannot be classified ("Configure permission classifications")."""
    p = row.permission
    return (
        p.id is not None
        and p.user_type is Truth.TRUE
        and p.classification == ""
        and row.granted.truth is not Truth.TRUE
    )


def _properties(case: Case) -> str:
    portal = portal_address(case.snapshot)
    return f"Open {portal} > Entra ID > Enterprise apps > All applications > {case.app.label} > Properties."


def _enable_sign_in(case: Case) -> Iterator[Candidate]:
    """R7."""
    if case.client.enabled is not Truth.FALSE or case.client.object_id is None:
        return
    url = f"{_graph(case)}/servicePrincipals/{case.client.object_id}"
    yield Candidate(
        route="R7",
        title=f"Switch sign-in to {case.app.label} on again",
        role=_ADMINS,
        portal=(
            "First find out why it was switched off: an administrator who blocks a consent request leaves it so.",
            _properties(case),
            'Set "Enabled for users to sign-in?" to Yes and save.',
        ),
        requests=(GraphRequest(method="PATCH", url=url, body={"accountEnabled": True}),),
        verify=_VERIFY,
        undo='Set "Enabled for users to sign-in?" to No again.',
        opens={"summary": "The app's existing grants work again.", "consent_policy_changes": False},
        promise=SILENT | CONSENT,
    )


def _drop_assignment(case: Case) -> Iterator[Candidate]:
    """R6 backwards: let users in without an assignment."""
    if case.client.assignment_required is not Truth.TRUE or case.client.object_id is None:
        return
    url = f"{_graph(case)}/servicePrincipals/{case.client.object_id}"
    yield Candidate(
        route="R6",
        title=f"Let every user use {case.app.label} without being assigned to it",
        role=_ADMINS,
        portal=(_properties(case), 'Set "Assignment required?" to No and save.'),
        requests=(GraphRequest(method="PATCH", url=url, body={"appRoleAssignmentRequired": False}),),
        verify=_VERIFY,
        undo='Set "Assignment required?" to Yes again.',
        opens={
            "summary": "Every user of the tenant can use this app, not only the assigned ones.",
            "consent_policy_changes": False,
        },
        promise=SILENT | CONSENT,
    )
