"""R1, R3, R6, R7 and R11: the fixes that concern one app alone, and no other app of the tenant.

An administrator grants its scopes, by link or through Graph, for every user or for one; the users who need it are
assigned; sign-in to it is switched on again.

Sources: Entra, "Grant tenant-wide admin consent", "Grant consent on behalf of a single user", "Properties of an
enterprise application" and "Assign users and groups to an application"; Microsoft identity platform, "Admin consent
protocols"; Microsoft Graph, ``oAuth2PermissionGrant``.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent import Truth
from auditor.consent.advice import has_assumed_scopes, may_be_registered, named_scopes_link
from auditor.consent.decision_facts import DecisionFacts
from auditor.consent.existing_grants import ALL_PRINCIPALS, Grants, gives_nothing, granted_names
from auditor.consent.explanation import listed
from auditor.consent.requested_scopes import admin_consent_link
from auditor.consent.snapshot_index import SnapshotIndex, index_of
from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.fixes.app_changes import (
    MAX_SCOPE_LENGTH,
    AssignApp,
    CreateGrant,
    CreateServicePrincipal,
    ReplaceGrantScopes,
    SetServicePrincipalProperty,
    grant_id,
)
from auditor.fixes.change import (
    CHOSEN_PRINCIPAL,
    NEW_SERVICE_PRINCIPAL,
    REGISTERED_PERMISSIONS,
    GraphChange,
    graph_address,
    new_id,
)
from auditor.fixes.proposed_fix import (
    APP_ADMIN,
    CHECK_AGAIN,
    Goal,
    Obstacle,
    ProposedFix,
    app_links,
    app_page,
    role_for_users,
    scope_names,
)
from auditor.model.decision import RoleState
from auditor.model.resources import OAuth2PermissionGrant, ServicePrincipal
from auditor.model.rule import App

_REGISTRATION_NOT_READ = (
    "the permissions in the app's registration can't be read in this tenant; the proof assumes the required ones"
)


def admin_consent(facts: DecisionFacts) -> Iterator[ProposedFix]:
    """Consent for the whole tenant: by a link that names the scopes, by the grant itself, or by the older link.

    The older link grants what the app registered. That is offered where the request means just that, or where it may
    be a better list than the pack's.
    """
    if facts.asks_unlisted:
        if grants := _grants_of_registration(facts):
            yield _link_to_registered_scopes(facts, grants)
        return
    grants = _grants(facts, None)
    if not grants:
        return
    if facts.app.mode.is_static:
        yield _link_to_registered_scopes(facts, grants)
    if link := named_scopes_link(facts):
        yield _link_to_named_scopes(facts, grants, link)
    if isinstance(facts.grants, Grants) and _fits(grants):
        yield _grant_through_graph(facts, grants)
    if not facts.app.mode.is_static and may_be_registered(facts):
        yield _link_to_registered_scopes(facts, grants)


def consent_for_one_user(facts: DecisionFacts) -> Iterator[ProposedFix]:
    """The grant for one user, and the assignment if the app requires it."""
    user = facts.subject.user_id
    if (
        user is None
        or not facts.required
        or not isinstance(facts.grants, Grants)
        or facts.client.presence is Truth.UNKNOWN
    ):
        return
    changes = _grants(facts, user)
    if not changes or not _fits(changes):
        return
    who, app, home = facts.subject.phrase, facts.app.label, facts.client.object_id
    assign = facts.client.assignment_required is Truth.TRUE and facts.assignment.truth is not Truth.TRUE
    role, note = role_for_users(facts) if assign else ("", "")
    if assign and home is not None:
        changes = (*changes, AssignApp.of(graph_address(facts.snapshot), home, user, role))
    yield ProposedFix(
        route="R3",
        key="R3-user",
        obstacle=Obstacle.CONSENT,
        goal=Goal.CONNECTS_SILENTLY,
        title=(
            f"Grant {app} exactly these scopes for {who} alone through Microsoft Graph"
            f"{f' and assign {who} to it' if assign else ''}"
        ),
        role=APP_ADMIN,
        changes=changes,
        verify=_read_back(facts, f"consentType eq 'Principal' and principalId eq '{user}'"),
        undo=f"Remove this user's permissions for {app}. Other users are not affected.",
        expect="Takes effect at once, without a consent prompt. It covers only this user.",
        fill_in=(note,) if note else (),
    )


def _link_to_registered_scopes(facts: DecisionFacts, grants: tuple[GraphChange, ...]) -> ProposedFix:
    app = facts.app.label
    role, roles = _of_application_permissions(facts)
    assumed = f" The pack assumes that they include {scope_names(facts)}." if has_assumed_scopes(facts) else ""
    is_listed = facts.client.presence is Truth.TRUE
    in_portal = (f"Or, in the portal: {app_page(facts)} > Permissions > Grant admin consent.",) if is_listed else ()
    return ProposedFix(
        route="R1",
        obstacle=Obstacle.CONSENT,
        goal=Goal.CONNECTS_SILENTLY,
        title=f"An administrator grants {app} consent for the whole tenant",
        role=role,
        portal=(*_open_and_accept(app), *in_portal),
        portal_links=app_links(facts, in_portal),
        link=admin_consent_link(facts.snapshot, facts.app),
        changes=(*grants, *roles),
        shows_requests=False,
        verify=CHECK_AGAIN,
        undo=_revoke(facts),
        expect=(
            f"This grants the permissions in the app's registration.{assumed} It may revoke tenant-wide permissions"
            " that were granted before and are no longer in the registration."
        ),
        grants_registered=True,
        caveats=() if facts.app.mode.is_static else (_REGISTRATION_NOT_READ,),
    )


def _of_application_permissions(facts: DecisionFacts) -> tuple[str, tuple[GraphChange, ...]]:
    """Who can accept what the link grants, and the application permissions among it that the app requires."""
    usual = f"{APP_ADMIN}, or Application Administrator"
    if not facts.app_roles:
        return usual, ()
    from auditor.fixes.app_role_fixes import role_grants, role_to_grant

    needed = role_to_grant(tuple(one for one in facts.app_roles if one.state is not RoleState.GRANTED))
    return usual if needed == APP_ADMIN else needed, role_grants(facts, creates_app=False)


def _link_to_named_scopes(facts: DecisionFacts, grants: tuple[GraphChange, ...], link: str) -> ProposedFix:
    app = facts.app.label
    return ProposedFix(
        route="R1",
        key="R1-scopes",
        obstacle=Obstacle.CONSENT,
        goal=Goal.CONNECTS_SILENTLY,
        title=f"An administrator grants {app} consent for the whole tenant, by a link that names the scopes",
        role=f"{APP_ADMIN}, or Application Administrator",
        portal=_open_and_accept(app),
        link=link,
        changes=grants,
        shows_requests=False,
        verify=CHECK_AGAIN,
        undo=_revoke(facts),
        expect=(
            f"The consent prompt lists exactly these scopes. {_whose_redirect_uri(facts)}{_assumption_note(facts)}"
        ),
    )


def _grant_through_graph(facts: DecisionFacts, grants: tuple[GraphChange, ...]) -> ProposedFix:
    return ProposedFix(
        route="R3",
        obstacle=Obstacle.CONSENT,
        goal=Goal.CONNECTS_SILENTLY,
        title=f"Grant {facts.app.label} exactly these scopes for the whole tenant through Microsoft Graph",
        role=APP_ADMIN,
        changes=grants,
        verify=_read_back(facts, "consentType eq 'AllPrincipals'"),
        undo=_revoke(facts),
        expect=(
            "Takes effect at once, without a consent prompt. Permissions that the app requests later are not included."
            f"{_assumption_note(facts)}{_no_link_note(facts)}"
        ),
    )


def _assumption_note(facts: DecisionFacts) -> str:
    return " The pack assumes these scopes; the vendor does not publish them." if has_assumed_scopes(facts) else ""


def _whose_redirect_uri(facts: DecisionFacts) -> str:
    """Where the redirect URI of the link comes from, and what shows that it is a wrong one."""
    if facts.client.reply_urls is not None:
        return "Its redirect URI is one that the app has registered."
    return (
        "Its redirect URI is the one that the app uses. If Entra shows AADSTS50011 instead of the prompt, the URI isn't"
        " registered, and nothing is granted."
    )


def _no_link_note(facts: DecisionFacts) -> str:
    """Why there is no link for the same consent, and how to get one."""
    if facts.app.mode.is_static or named_scopes_link(facts):
        return ""
    how = "" if facts.app.redirect_uris or facts.client.reply_urls else _HOW_TO_GET_A_LINK
    return f" No link can do this, because no redirect URI of the app is known that a browser can open.{how}"


_HOW_TO_GET_A_LINK = " Check again with --from-url and the address of the app's sign-in page, which names one."


def _open_and_accept(app: str) -> tuple[str, ...]:
    """The success response has ``admin_consent=True`` ("Admin consent on the Microsoft identity platform")."""
    return (
        "Open this link and sign in as an administrator of the tenant.",
        f"Review the permissions that {app} requests and choose Accept. The page that opens afterwards may be an error"
        " of the app or of the browser, although consent was given: it was if the page's address contains"
        " admin_consent=True.",
    )


def _revoke(facts: DecisionFacts) -> str:
    return f"Enterprise apps > {facts.app.label} > Permissions > review permissions and revoke them."


def _read_back(facts: DecisionFacts, whose: str) -> str:
    if facts.client.object_id is None:
        return CHECK_AGAIN
    address = f"{graph_address(facts.snapshot)}{CreateGrant.path}"
    return f"{CHECK_AGAIN} Or GET {address}?$filter=clientId eq '{facts.client.object_id}' and {whose}."


def _grants(facts: DecisionFacts, user: str | None) -> tuple[GraphChange, ...]:
    """The changes after which every required scope is granted, for every user or for `user`."""
    graph, index = graph_address(facts.snapshot), index_of(facts.snapshot)
    changes: list[GraphChange] = []
    client_id = facts.client.object_id or NEW_SERVICE_PRINCIPAL
    created = 0
    if facts.client.presence is Truth.FALSE:
        changes.append(CreateServicePrincipal.of(graph, facts.app.client_id))
    for resource in dict.fromkeys(r.permission.resource for r in facts.required):
        principal = index.service_principal(resource)
        if not isinstance(principal, ServicePrincipal):
            continue
        scopes = [r.permission.value for r in facts.required if r.permission.resource == resource]
        row = _existing_grant(facts, principal.id, user)
        if row is None:
            created += 1
            new = CreateGrant.of(graph, client_id, principal.id, " ".join(scopes), user=user, number=created)
            changes.append(new)
        elif (full := _extended(index, resource, row.scope, scopes)) and (row_id := grant_id(row)):
            changes.append(ReplaceGrantScopes(graph=graph, grant_id=row_id, body={"scope": full}))
    return tuple(changes)


def _grants_of_registration(facts: DecisionFacts) -> tuple[GraphChange, ...]:
    """What the admin consent link does for an app whose registered permissions nobody here can read.

    It grants all of them, so a grant exists for every resource that the request names, or else for Microsoft Graph,
    of which a registration has permissions by default ("Quickstart: Register an application": User.Read).
    """
    if facts.client.presence is Truth.UNKNOWN:
        return ()
    graph, index = graph_address(facts.snapshot), index_of(facts.snapshot)
    changes: list[GraphChange] = []
    client_id = facts.client.object_id or NEW_SERVICE_PRINCIPAL
    if facts.client.presence is Truth.FALSE:
        changes.append(CreateServicePrincipal.of(graph, facts.app.client_id))
    for number, resource in enumerate(facts.app.default_resources or (MICROSOFT_GRAPH,), start=1):
        principal = index.service_principal(resource)
        if not isinstance(principal, ServicePrincipal):
            return ()
        row = _existing_grant(facts, principal.id, None)
        if row is None:
            changes.append(CreateGrant.of(graph, client_id, principal.id, REGISTERED_PERMISSIONS, number=number))
        elif row_id := grant_id(row):
            scope = " ".join((row.scope, REGISTERED_PERMISSIONS)).strip()
            changes.append(ReplaceGrantScopes(graph=graph, grant_id=row_id, body={"scope": scope}))
    return tuple(changes)


def _existing_grant(facts: DecisionFacts, resource_id: str, user: str | None) -> OAuth2PermissionGrant | None:
    """The grant for the same client, resource and user, if there is one."""
    for row in index_of(facts.snapshot).grants_of(facts.client.object_id):
        for_all = row.consentType.lower() == ALL_PRINCIPALS
        for_user = not for_all and (row.principalId or "").lower() == (user or "").lower()
        if row.resourceId.lower() == resource_id.lower() and (for_user if user else for_all):
            return row
    return None


def _extended(index: SnapshotIndex, resource: str, scope: str, more: list[str]) -> str:
    """The complete new scope string of a grant, without the names that have no effect; empty if it has every scope."""
    given = [one for one in granted_names(scope) if not gives_nothing(index, resource, one)]
    have = list({one.lower(): one for one in reversed(given)}.values())[::-1]
    known = {one.lower() for one in have}
    missing = [one for one in more if one.lower() not in known]
    return " ".join((*have, *missing)) if missing else ""


def _fits(changes: tuple[GraphChange, ...]) -> bool:
    return all(len(str(change.body.get("scope", ""))) <= MAX_SCOPE_LENGTH for change in changes)


NEEDED_FIRST = "R1-needed"
"""The key of the fix that adds the apps that the app needs first."""


def add_needed_apps(facts: DecisionFacts) -> Iterator[ProposedFix]:
    """R1 for the other apps that the app needs and that are missing, in the order of its pack: each by its own link."""
    missing = [one for one in facts.needed if one.missing is Truth.TRUE]
    if not missing:
        return
    graph, app = graph_address(facts.snapshot), facts.app.label
    links = [admin_consent_link(facts.snapshot, App(client_id=one.app_id, name=one.name)) for one in missing]
    names = listed(one.name for one in missing)
    yield ProposedFix(
        route="R1",
        key=NEEDED_FIRST,
        obstacle=Obstacle.NEEDED_APP,
        goal=Goal.CONNECTS,
        title=f"An administrator consents to {names}, which {app} needs first",
        role=f"{APP_ADMIN}, or Application Administrator",
        portal=(
            *(f"Open {link} and consent to {one.name}." for link, one in zip(links, missing, strict=True)),
            f"Wait until {names} {'is' if len(missing) == 1 else 'are'} listed under Enterprise apps.",
        ),
        link=links[0],
        changes=tuple(
            CreateServicePrincipal.of(graph, one.app_id, returns=new_id("app that is needed", number))
            for number, one in enumerate(missing, start=1)
        ),
        shows_requests=False,
        verify=CHECK_AGAIN,
        undo=f"Enterprise apps > delete {names}.",
        expect=(
            f"This grants {names} the permissions in {'its' if len(missing) == 1 else 'their'} own registration, which"
            " can't be read here: review them in the consent prompt."
        ),
    )


OPEN_TO_ALL = "R6-open"
"""The key of the fix that removes the assignment requirement."""


def enable_sign_in(facts: DecisionFacts) -> Iterator[ProposedFix]:
    """R7: the app is switched on again."""
    if facts.client.enabled is not Truth.FALSE or facts.client.object_id is None:
        return
    enable = SetServicePrincipalProperty(
        graph=graph_address(facts.snapshot), object_id=facts.client.object_id, body={"accountEnabled": True}
    )
    page = f"Open {app_page(facts)} > Properties."
    yield ProposedFix(
        route="R7",
        obstacle=Obstacle.SIGN_IN,
        goal=Goal.CONNECTS,
        title=f"Switch sign-in to {facts.app.label} on again",
        role=APP_ADMIN,
        portal=(
            "First find out why sign-in was switched off: blocking a consent request also switches it off.",
            page,
            'Set "Enabled for users to sign-in?" to Yes and save.',
        ),
        portal_links=app_links(facts, (page,)),
        changes=(enable,),
        verify=CHECK_AGAIN,
        undo='Set "Enabled for users to sign-in?" to No again.',
    )


def assign_users(facts: DecisionFacts) -> Iterator[ProposedFix]:
    """R6: the users who need the app are assigned to it, or only the user in question."""
    home = facts.client.object_id
    if facts.client.assignment_required is not Truth.TRUE or home is None or facts.assignment.truth is Truth.TRUE:
        return
    user = facts.subject.user_id
    role, note = role_for_users(facts)
    chosen = () if user else (f"{CHOSEN_PRINCIPAL} is a user or group that needs the app. Repeat this for each one.",)
    app, who = facts.app.label, facts.subject.phrase
    page = f"Open {app_page(facts)} > Users and groups > Add user/group."
    yield ProposedFix(
        route="R6",
        key="R6-assign",
        obstacle=Obstacle.ASSIGNMENT,
        goal=Goal.CONNECTS,
        title=f"Assign {who} to {app}" if user else f"Assign the users or groups that need {app} to it",
        role=APP_ADMIN,
        portal=(
            page,
            f"Choose {'the user' if user else 'them'} and select Assign.",
        ),
        portal_links=app_links(facts, (page,)),
        changes=(AssignApp.of(graph_address(facts.snapshot), home, user or CHOSEN_PRINCIPAL, role),),
        verify=f"{app_page(facts)} > Users and groups lists them. {CHECK_AGAIN}",
        undo="Remove the same entries under Users and groups.",
        expect="Assigning a group needs Entra ID P1, and members of nested groups are not included.",
        fill_in=(*chosen, *((note,) if note else ())),
        assigns="" if user else CHOSEN_PRINCIPAL,
    )


def drop_assignment_requirement(facts: DecisionFacts) -> Iterator[ProposedFix]:
    """R6, the other way: every user can use the app without an assignment, permanently or until they have consented."""
    if facts.client.assignment_required is not Truth.TRUE or facts.client.object_id is None:
        return
    drop = SetServicePrincipalProperty(
        graph=graph_address(facts.snapshot),
        object_id=facts.client.object_id,
        body={"appRoleAssignmentRequired": False},
    )
    asks_consent = any(r.granted.truth is not Truth.TRUE for r in facts.required)
    temporary = (
        "To limit the app to some users, let them connect and consent now, then set it to Yes again: consenting also"
        " assigns them to the app, and their consent stays."
    )
    page = f"Open {app_page(facts)} > Properties."
    yield ProposedFix(
        route="R6",
        key=OPEN_TO_ALL,
        obstacle=Obstacle.ASSIGNMENT,
        goal=Goal.CONNECTS,
        title=f"Let every user use {facts.app.label} without being assigned to it",
        role=APP_ADMIN,
        portal=(page, 'Set "Assignment required?" to No and save.'),
        portal_links=app_links(facts, (page,)),
        changes=(drop,),
        verify=CHECK_AGAIN,
        undo='Set "Assignment required?" to Yes again.',
        expect=temporary if asks_consent else "",
    )
