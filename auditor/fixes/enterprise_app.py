"""R6 and R7: switch sign-in on again, and let in users who can't use the app because they are not assigned to it.

Sources: Entra, "Properties of an enterprise application" and "Assign users and groups to an application".
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent.decision_facts import DecisionFacts
from auditor.consent.truth import Truth
from auditor.fixes.app_changes import AssignApp, SetServicePrincipalProperty
from auditor.fixes.change import CHOSEN_PRINCIPAL, graph_address
from auditor.fixes.proposed_fix import APP_ADMIN, CHECK_AGAIN, Goal, Obstacle, ProposedFix, app_page, role_for_users

OPEN_TO_ALL = "R6-open"
"""The key of the fix that removes the assignment requirement."""


def enable_sign_in(facts: DecisionFacts) -> Iterator[ProposedFix]:
    """R7: the app is switched on again."""
    if facts.client.enabled is not Truth.FALSE or facts.client.object_id is None:
        return
    enable = SetServicePrincipalProperty(
        graph=graph_address(facts.snapshot), object_id=facts.client.object_id, body={"accountEnabled": True}
    )
    yield ProposedFix(
        route="R7",
        obstacle=Obstacle.SIGN_IN,
        goal=Goal.CONNECTS,
        title=f"Switch sign-in to {facts.app.label} on again",
        role=APP_ADMIN,
        portal=(
            "First find out why sign-in was switched off: blocking a consent request also switches it off.",
            f"Open {app_page(facts)} > Properties.",
            'Set "Enabled for users to sign-in?" to Yes and save.',
        ),
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
    yield ProposedFix(
        route="R6",
        key="R6-assign",
        obstacle=Obstacle.ASSIGNMENT,
        goal=Goal.CONNECTS,
        title=f"Assign {who} to {app}" if user else f"Assign the users or groups that need {app} to it",
        role=APP_ADMIN,
        portal=(
            f"Open {app_page(facts)} > Users and groups > Add user/group.",
            f"Choose {'the user' if user else 'them'} and select Assign.",
        ),
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
    yield ProposedFix(
        route="R6",
        key=OPEN_TO_ALL,
        obstacle=Obstacle.ASSIGNMENT,
        goal=Goal.CONNECTS,
        title=f"Let every user use {facts.app.label} without being assigned to it",
        role=APP_ADMIN,
        portal=(f"Open {app_page(facts)} > Properties.", 'Set "Assignment required?" to No and save.'),
        changes=(drop,),
        verify=CHECK_AGAIN,
        undo='Set "Assignment required?" to Yes again.',
        expect=temporary if asks_consent else "",
    )
