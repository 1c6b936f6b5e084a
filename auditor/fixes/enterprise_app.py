"""R7 and R6: switch sign-in on again, and let users in who are kept out for want of an assignment.

Sources: Entra, "Properties of an enterprise application" and "Assign users and groups to an application".
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent.decision_facts import Case
from auditor.consent.truth import Truth
from auditor.fixes import requests as graph
from auditor.fixes.candidate import Candidate, Mends, Promise
from auditor.fixes.portal_text import ADMINS, CHECK_AGAIN, app_page, role_for


def enable_sign_in(case: Case) -> Iterator[Candidate]:
    """R7."""
    if case.client.enabled is not Truth.FALSE or case.client.object_id is None:
        return
    request = graph.change_service_principal(graph.base_of(case.snapshot), case.client.object_id, accountEnabled=True)
    yield Candidate(
        route="R7",
        mends=Mends.SIGN_IN,
        promise=Promise.CONNECTS,
        title=f"Switch sign-in to {case.app.label} on again",
        role=ADMINS,
        portal=(
            "First find out why it was switched off: an administrator who blocks a consent request leaves it so.",
            f"Open {app_page(case)} > Properties.",
            'Set "Enabled for users to sign-in?" to Yes and save.',
        ),
        requests=(request,),
        verify=CHECK_AGAIN,
        undo='Set "Enabled for users to sign-in?" to No again.',
    )


def assign_users(case: Case) -> Iterator[Candidate]:
    """R6: who is to use the app is assigned to it; the subject, where it is somebody in particular."""
    home = case.client.object_id
    if case.client.assignment_required is not Truth.TRUE or home is None or case.assignment.truth is Truth.TRUE:
        return
    user = case.subject.user_id
    role, choose = role_for(case)
    chosen = () if user else (f"{graph.SOMEBODY} is whoever is to use the app; assign each one in the same way.",)
    who = case.subject.phrase if user else "the users or groups"
    yield Candidate(
        route="R6",
        key="R6-assign",
        mends=Mends.ASSIGNMENT,
        promise=Promise.CONNECTS,
        title=f"Assign {who} to {case.app.label}{'' if user else ' who are to use it'}",
        role=ADMINS,
        portal=(
            f"Open {app_page(case)} > Users and groups > Add user/group.",
            f"Choose {'the user' if user else 'them'} and Assign.",
        ),
        requests=(graph.assign(graph.base_of(case.snapshot), home, user or graph.SOMEBODY, role),),
        verify=f"{app_page(case)} > Users and groups lists them. {CHECK_AGAIN}",
        undo="Remove the same entries under Users and groups.",
        expect="Assigning a group needs Entra ID P1, and groups within the group do not count.",
        fill_in=(*chosen, *((choose,) if choose else ())),
        lets_in="" if user else graph.SOMEBODY,
    )


def drop_assignment(case: Case) -> Iterator[Candidate]:
    """R6 backwards: let users in without an assignment, for good or until they have consented."""
    if case.client.assignment_required is not Truth.TRUE or case.client.object_id is None:
        return
    base = graph.base_of(case.snapshot)
    asked = any(r.granted.truth is not Truth.TRUE for r in case.required)
    for_a_while = (
        "If only some are to use the app: let them connect and consent now, then set it to Yes again; they were"
        " assigned when they consented, and what they consented to stays."
    )
    yield Candidate(
        route="R6",
        key="R6-open",
        mends=Mends.ASSIGNMENT,
        promise=Promise.CONNECTS,
        title=f"Let every user use {case.app.label} without being assigned to it",
        role=ADMINS,
        portal=(f"Open {app_page(case)} > Properties.", 'Set "Assignment required?" to No and save.'),
        requests=(graph.change_service_principal(base, case.client.object_id, appRoleAssignmentRequired=False),),
        verify=CHECK_AGAIN,
        undo='Set "Assignment required?" to Yes again.',
        expect=for_a_while if asked else "",
    )
