"""A fix before it is proven: what to change, how to describe it, and its requests as commands to paste.

The commands are for Microsoft Graph PowerShell, and for ``az rest`` in a POSIX shell. The first command signs in to the
tenant that was audited, because a shell may still be signed in to another one. Every value is quoted, and the only
thing that a shell expands is the id that an earlier command of the same fix returned. Names of apps and policies are
whatever somebody typed, so texts from the tenant are quoted whole.

Sources: Entra admin center, menu names of 2026 ("Entra ID > Enterprise apps"); Entra built-in roles reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Protocol, TypeVar

import msgspec

from auditor.consent.decision_facts import DecisionFacts
from auditor.consent.explanation import listed
from auditor.consent.snapshot_index import index_of
from auditor.facts.ids import CLOUDS, FILL_IN_TENANT, TENANT_PLACEHOLDER, portal_links
from auditor.fixes.app_changes import DEFAULT_ACCESS
from auditor.fixes.change import (
    CHOSEN_ROLE,
    NEW_SERVICE_PRINCIPAL,
    GraphChange,
    NotApplicable,
    as_json_value,
    json_text,
    undo_of,
)
from auditor.model.decision import Confidence, Fix, Proof, Steps
from auditor.model.resources import ServicePrincipal
from auditor.model.rule import PortalLink
from auditor.model.snapshot import Snapshot

_Value = TypeVar("_Value")

_AZ_LACKS = (
    "# A user's sign-in with az lacks the Policy.ReadWrite permissions: sign in",
    "# as a service principal that has them, or use PowerShell.",
)
"""Source: azure-cli issues 23906 and 33062, on the permissions in the token of the Azure CLI."""
_TENANT_UNKNOWN = "# The snapshot has no tenant id. Continue only if this prints the id of the tenant to change:"


def powershell_commands(changes: Sequence[GraphChange], snapshot: Snapshot) -> str:
    """Lines for PowerShell 5 or 7 with the module Microsoft.Graph.Authentication, in the snapshot's tenant."""
    if not changes:
        return ""
    return "\n".join((*_connect(changes, snapshot), *map(_powershell_line, changes)))


def _connect(changes: Sequence[GraphChange], snapshot: Snapshot) -> Iterator[str]:
    """The sign-in. Without ``-TenantId`` it is to the account's own tenant (Connect-MgGraph, "-TenantId")."""
    tenant, environment = snapshot.tenant.id, CLOUDS[_cloud(snapshot)].mg_environment
    where = f" -TenantId {powershell_quoted(printable(tenant))}" if tenant else ""
    where += f" -Environment {environment}" if environment else ""
    scopes = ",".join(f"'{scope}'" for scope in write_permissions(changes))
    yield f"Connect-MgGraph{where} -Scopes {scopes}"
    if not tenant:
        yield _TENANT_UNKNOWN
        yield "(Get-MgContext).TenantId"


def az_commands(changes: Sequence[GraphChange], snapshot: Snapshot) -> str:
    """Lines for bash, zsh or Azure Cloud Shell with the Azure CLI, in the snapshot's tenant.

    Each line runs only if the one before it succeeded: after a failed sign-in, the Azure CLI would use the tenant of
    the last one.
    """
    if not changes:
        return ""
    lacks = any(permission.startswith("Policy.") for permission in write_permissions(changes))
    notes = (*(_AZ_LACKS if lacks else ()), *(() if snapshot.tenant.id else (_TENANT_UNKNOWN,)))
    return "\n".join((*notes, " &&\n".join((*_az_tenant(snapshot, lacks), *map(_az_line, changes)))))


def _az_tenant(snapshot: Snapshot, signed_in: bool) -> Iterator[str]:
    """The sign-in to the tenant, or if one has to be `signed_in` as a service principal, the check of the tenant.

    If the tenant isn't known, the command that shows it. Source: reference of the Azure CLI.
    """
    tenant, az_cloud = snapshot.tenant.id, CLOUDS[_cloud(snapshot)].az_cloud
    show = "az account show --query tenantId --output tsv"
    if not tenant:
        yield show
    elif signed_in:
        yield f"{show} | grep -Fi -e {posix_quoted(printable(tenant))}"
    else:
        if az_cloud:
            yield f"az cloud set --name {az_cloud}"
        yield f"az login --tenant {posix_quoted(printable(tenant))} --allow-no-subscriptions"


def _cloud(snapshot: Snapshot) -> str:
    return snapshot.cloud if snapshot.cloud in CLOUDS else "global"


def write_permissions(changes: Iterable[GraphChange]) -> tuple[str, ...]:
    """The delegated permissions that whoever makes these changes needs, once each."""
    return tuple(dict.fromkeys(change.permission for change in changes))


def posix_quoted(text: str) -> str:
    """`text` as one word of a POSIX shell: between single quotes, only the quote itself is special."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def powershell_quoted(text: str) -> str:
    """A PowerShell literal: between single quotes, only the quote itself is special, including its curly forms."""
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", text) + "'"


def printable(text: str) -> str:
    """`text` on one line of printable ASCII, for comments and messages, so that nothing can end or reorder the line."""
    return "".join(c if c.isascii() and c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _returns_id(change: GraphChange) -> bool:
    """Whether the answer holds an id that a later command needs."""
    return change.returns == NEW_SERVICE_PRINCIPAL


def _powershell_line(change: GraphChange) -> str:
    line = f"Invoke-MgGraphRequest -Method {change.method} -Uri {powershell_quoted(change.url)}"
    if change.body:
        text = json_text(change.body)
        body = powershell_quoted(text)
        if as_json_value(NEW_SERVICE_PRINCIPAL) in text:
            body = f"({body}.Replace({powershell_quoted(NEW_SERVICE_PRINCIPAL)}, $id))"
        line = f"{line} -ContentType 'application/json' -Body {body}"
    return f"$id = ({line}).id" if _returns_id(change) else line


def _az_line(change: GraphChange) -> str:
    line = f"az rest --method {change.method.lower()} --url {posix_quoted(change.url)}"
    if change.body:
        body = posix_quoted(json_text(change.body)).replace(as_json_value(NEW_SERVICE_PRINCIPAL), '"\'"$id"\'"')
        line = f"{line} --headers Content-Type=application/json --body {body}"
    return f"id=$({line} --query id --output tsv)" if _returns_id(change) else line


class Obstacle(StrEnum):
    """What a fix removes. Two fixes for the same obstacle are alternatives and are never combined.

    The fixes of a set are carried out in the order of their obstacles.
    """

    NEEDED_APP = "needed-app"
    """Another app must be in the tenant first."""
    SIGN_IN = "sign-in"
    CONSENT = "consent"
    ASSIGNMENT = "assignment"
    NO_APPROVAL_REQUESTS = "no-approval-requests"
    """Not in the way of connecting, but users can't ask an administrator for approval."""
    RULE = "rule"
    """Not in the way of connecting, but a rule about the tenant fails."""


class Goal(StrEnum):
    """The outcome that a fix must have in order to be offered."""

    CONNECTS_SILENTLY = "connects-silently"
    """The subject connects without a consent prompt."""
    CONNECTS = "connects"
    """The subject connects, with or without a consent prompt."""
    CAN_ASK = "can-ask"
    """The subject can ask for approval, and the request reaches a reviewer."""
    RULE_PASSES = "rule-passes"
    """A failing rule passes, which `auditor.checks.rule_fixes` proves."""


class Judgement(Protocol):
    """What was found on the changed snapshot: a decision, or the result of a rule."""

    @property
    def outcome(self) -> StrEnum: ...
    @property
    def confidence(self) -> Confidence: ...
    @property
    def because(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def caveats(self) -> tuple[str, ...]: ...


class ProposedFix(msgspec.Struct, frozen=True, kw_only=True):
    """A possible fix with its changes in order.

    `shows_requests` is false where the changes only describe the effect, because a link that an administrator opens
    makes all of them. `grants_registered` is true if they represent what the app's registration lists, which was not
    read. `caveats` are facts that the proof depends on and that could not be read. `assigns` is the
    placeholder for whoever the fix assigns, if the administrator chooses them.
    """

    route: str
    obstacle: Obstacle
    goal: Goal
    title: str
    role: str
    changes: tuple[GraphChange, ...]
    verify: str
    undo: str
    key: str = ""
    portal: tuple[str, ...] = ()
    portal_links: tuple[PortalLink, ...] = ()
    link: str = ""
    expect: str = ""
    shows_requests: bool = True
    grants_registered: bool = False
    caveats: tuple[str, ...] = ()
    fill_in: tuple[str, ...] = ()
    assigns: str = ""

    @property
    def name(self) -> str:
        """The key that identifies this fix among those for one decision."""
        return self.key or self.route


def as_fix(
    states: tuple[Snapshot, ...], parts: tuple[ProposedFix, ...], after: Judgement, lasting: tuple[str, ...] = ()
) -> Fix:
    """The fix that carries out `parts` in order, with what was found after it as its proof.

    `states` are the snapshots before and after each change. `lasting` are caveats that hold before and that no change
    removes, although the app is in the tenant afterwards.
    """
    changes = tuple(change for part in parts for change in part.changes)
    caveats = _unique((*(caveat for part in parts for caveat in part.caveats), *lasting))
    try:
        undo = undo_of(states, changes)
    except NotApplicable:
        undo = ()
    previous_values = (change.previous_value for change in undo if change.previous_value)
    return Fix(
        route="+".join(part.route for part in parts),
        key="+".join(part.name for part in parts),
        title=_title(parts),
        role=_role(parts),
        steps=_steps(parts, states[0]),
        verify=" ".join(_unique(part.verify for part in parts)),
        undo=" ".join((*(part.undo for part in reversed(parts)), *previous_values)),
        link=next((part.link for part in parts if part.link), ""),
        expect=" ".join(part.expect for part in parts if part.expect),
        minutes=_minutes(parts),
        reversible=bool(undo),
        undo_graph=tuple(change.request for change in undo),
        fill_in=_unique((*_link_notes(parts), *(note for part in parts for note in part.fill_in))),
        proven=Proof(
            outcome=after.outcome.value,
            confidence=Confidence.LIKELY.value if caveats else after.confidence.value,
            because=after.because,
            subject=after.subject,
            applied=tuple(change.request for change in changes),
            doubts=_unique((*caveats, *after.caveats)),
        ),
    )


_SIGN_IN_MINUTES = 3
_COMMAND_MINUTES = 10
"""To read the commands, to install the modules that they need, and to run them."""
_ROUNDED_TO = 5


def _minutes(parts: tuple[ProposedFix, ...]) -> int:
    """How long an administrator needs, about, rounded up to five: an estimate of this project's.

    To sign in with the role once, and a minute for each step in the portal; without steps, there are commands to run.
    Waiting for an approval or until a change takes effect isn't counted.
    """
    has_clicks = all(part.portal or part.link for part in parts)
    work = sum(len(part.portal) for part in parts) if has_clicks else _COMMAND_MINUTES
    return -(-(_SIGN_IN_MINUTES + work) // _ROUNDED_TO) * _ROUNDED_TO


def _link_notes(parts: tuple[ProposedFix, ...]) -> tuple[str, ...]:
    """How to fill in the tenant that the link lacks, if it does."""
    return (FILL_IN_TENANT,) if any(TENANT_PLACEHOLDER in part.link for part in parts) else ()


def _title(parts: tuple[ProposedFix, ...]) -> str:
    first, *rest = (part.title for part in parts)
    return "; then: ".join((first, *(f"{title[0].lower()}{title[1:]}" for title in rest)))


def _role(parts: tuple[ProposedFix, ...]) -> str:
    """The roles for all parts. Of a choice of roles, the one that another part needs anyway is enough."""
    roles = _unique(part.role for part in parts)
    return "; ".join(one for one in roles if not any(one.startswith(f"{other}, or ") for other in roles))


def _unique(several: Iterable[_Value]) -> tuple[_Value, ...]:
    return tuple(dict.fromkeys(several))


def _steps(parts: tuple[ProposedFix, ...], before: Snapshot) -> Steps:
    """The changes of all parts for the portal, PowerShell, ``az rest`` and Graph.

    A way that one part lacks is not available for the whole.
    """
    has_clicks = all(part.portal or part.link for part in parts)
    portal = tuple(step for part in parts for step in part.portal) if has_clicks else ()
    pages = portal_links(portal, before.cloud)
    links = (*pages, *_unique(link for part in parts for link in part.portal_links)) if portal else ()
    if not all(part.shows_requests for part in parts):
        return Steps(portal=portal, portal_links=links)
    changes = tuple(change for part in parts for change in part.changes)
    return Steps(
        portal=portal,
        portal_links=links,
        powershell=powershell_commands(changes, before),
        az=az_commands(changes, before),
        graph=tuple(change.request for change in changes),
    )


CHECK_AGAIN = "Run this check again, or have an ordinary user (not an administrator) connect the app."
APP_ADMIN = "Cloud Application Administrator"
POLICY_ADMIN = "Privileged Role Administrator"
GLOBAL_ADMIN = "Global Administrator"


def app_page(facts: DecisionFacts) -> str:
    """The page in the admin center of an app that is in the tenant, by the name that the tenant lists."""
    return f"{facts.portal} > Entra ID > Enterprise apps > All applications > {facts.client.name or facts.app.label}"


def app_links(facts: DecisionFacts, steps: tuple[str, ...]) -> tuple[PortalLink, ...]:
    """The address of the app's page, if the steps name the page and the app's object ID is known."""
    client = facts.client
    app, object_id = client.name or facts.app.label, client.object_id or ""
    found = portal_links(steps, facts.snapshot.cloud, app=app, object_id=object_id, client_id=client.app_id)
    return tuple(link for link in found if object_id and object_id in link.address)


CONSENT_PAGES = "Entra ID > Enterprise apps > Consent and permissions"
"""The menu of the pages of the tenant's consent settings."""


def consent_page(facts: DecisionFacts, page: str) -> str:
    """One of the pages of the tenant's consent settings."""
    return f"{facts.portal} > {CONSENT_PAGES} > {page}"


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
