"""R6 and R7: switch sign-in on again, and let in users who can't use the app because they are not assigned to it.

Sources: Entra, "Properties of an enterprise application" and "Assign users and groups to an application".
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent.decision_facts import Case
from auditor.consent.truth import Truth
from auditor.fixes.app_changes import AssignApp, SetServicePrincipalProperty
from auditor.fixes.change import CHOSEN_PRINCIPAL, graph_address
from auditor.fixes.portal_text import APP_ADMIN, CHECK_AGAIN, app_page, role_for_users
from auditor.fixes.proposed_fix import Goal, Obstacle, ProposedFix


def enable_sign_in(case: Case) -> Iterator[ProposedFix]:
    """R7: the app is switched on again."""
    if case.client.enabled is not Truth.FALSE or case.client.object_id is None:
        return
    enable = SetServicePrincipalProperty(
        graph=graph_address(case.snapshot), object_id=case.client.object_id, body={"accountEnabled": True}
    )
    yield ProposedFix(
        route="R7",
        obstacle=Obstacle.SIGN_IN,
        goal=Goal.CONNECTS,
        title=f"Switch sign-in to {case.app.label} on again",
        role=APP_ADMIN,
        portal=(
            "First find out why sign-in was switched off: blocking a consent request also switches it off.",
            f"Open {app_page(case)} > Properties.",
            'Set "Enabled for users to sign-in?" to Yes and save.',
        ),
        changes=(enable,),
        verify=CHECK_AGAIN,
        undo='Set "Enabled for users to sign-in?" to No again.',
    )


def assign_users(case: Case) -> Iterator[ProposedFix]:
    """R6: the users who need the app are assigned to it, or the one user that the case is about."""
    home = case.client.object_id
    if case.client.assignment_required is not Truth.TRUE or home is None or case.assignment.truth is Truth.TRUE:
        return
    user = case.subject.user_id
    role, note = role_for_users(case)
    chosen = () if user else (f"{CHOSEN_PRINCIPAL} is a user or group that needs the app. Repeat this for each one.",)
    app, who = case.app.label, case.subject.phrase
    yield ProposedFix(
        route="R6",
        key="R6-assign",
        obstacle=Obstacle.ASSIGNMENT,
        goal=Goal.CONNECTS,
        title=f"Assign {who} to {app}" if user else f"Assign the users or groups that need {app} to it",
        role=APP_ADMIN,
        portal=(
            f"Open {app_page(case)} > Users and groups > Add user/group.",
            f"Choose {'the user' if user else 'them'} and select Assign.",
        ),
        changes=(AssignApp.of(graph_address(case.snapshot), home, user or CHOSEN_PRINCIPAL, role),),
        verify=f"{app_page(case)} > Users and groups lists them. {CHECK_AGAIN}",
        undo="Remove the same entries under Users and groups.",
        expect="Assigning a group needs Entra ID P1, and members of nested groups are not included.",
        fill_in=(*chosen, *((note,) if note else ())),
        assigns="" if user else CHOSEN_PRINCIPAL,
    )


def drop_assignment_requirement(case: Case) -> Iterator[ProposedFix]:
    """R6, the other way: every user can use the app without an assignment, permanently or until they have consented."""
    if case.client.assignment_required is not Truth.TRUE or case.client.object_id is None:
        return
    drop = SetServicePrincipalProperty(
        graph=graph_address(case.snapshot),
        object_id=case.client.object_id,
        body={"appRoleAssignmentRequired": False},
    )
    asks_consent = any(r.granted.truth is not Truth.TRUE for r in case.required)
    temporary = (
        "To limit the app to some users, let them connect and consent now, then set it to Yes again: consenting also"
        " assigns them to the app, and their consent stays."
    )
    yield ProposedFix(
        route="R6",
        key="R6-open",
        obstacle=Obstacle.ASSIGNMENT,
        goal=Goal.CONNECTS,
        title=f"Let every user use {case.app.label} without being assigned to it",
        role=APP_ADMIN,
        portal=(f"Open {app_page(case)} > Properties.", 'Set "Assignment required?" to No and save.'),
        changes=(drop,),
        verify=CHECK_AGAIN,
        undo='Set "Assignment required?" to Yes again.',
        expect=temporary if asks_consent else "",
    )
