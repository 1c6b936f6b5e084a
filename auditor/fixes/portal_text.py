"""Texts that several routes share: who can make a change, where to click, and how to verify it.

Sources: Entra admin center, menu names of 2026 ("Entra ID > Enterprise apps"); Entra built-in roles reference.
"""

from __future__ import annotations

from auditor.consent.decision_facts import DecisionFacts
from auditor.consent.explanation import listed
from auditor.consent.lookup import index_of
from auditor.fixes.app_changes import DEFAULT_ACCESS
from auditor.fixes.change import CHOSEN_ROLE
from auditor.model.resources import ServicePrincipal

CHECK_AGAIN = "Run this check again, or have an ordinary user (not an administrator) connect the app."
APP_ADMIN = "Cloud Application Administrator"
POLICY_ADMIN = "Privileged Role Administrator"
GLOBAL_ADMIN = "Global Administrator"


def app_page(facts: DecisionFacts) -> str:
    """The app's page in the admin center."""
    return f"{facts.portal} > Entra ID > Enterprise apps > All applications > {facts.app.label}"


def consent_page(facts: DecisionFacts, page: str) -> str:
    """One of the pages of the tenant's consent settings."""
    return f"{facts.portal} > Entra ID > Enterprise apps > Consent and permissions > {page}"


def scope_names(facts: DecisionFacts) -> str:
    """The required scopes, as part of a sentence, without the OpenID Connect scopes."""
    return listed(r.permission.value for r in facts.required if not r.permission.is_openid)


def role_for_users(facts: DecisionFacts) -> tuple[str, str]:
    """The app role for an assignment, and a note for the administrator if there are several to choose from.

    An app that has roles for users accepts no assignment to the default role (Entra, "Grant consent on behalf of a
    single user").
    """
    principal = index_of(facts.snapshot).service_principal(facts.app.client_id)
    roles = principal.appRoles or () if isinstance(principal, ServicePrincipal) else ()
    for_users = [role for role in roles if "User" in role.allowedMemberTypes and role.isEnabled is not False]
    if not for_users:
        return DEFAULT_ACCESS, ""
    if len(for_users) == 1:
        return for_users[0].id, ""
    choice = listed((f"{role.id} ({role.displayName or role.value or 'no name'})" for role in for_users), "or")
    return CHOSEN_ROLE, f"{CHOSEN_ROLE} is one of the app's roles: {choice}."
