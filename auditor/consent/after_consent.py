"""What can still stop a connection after consent: Conditional Access, a missing mailbox, and what can't be read.

No decision about consent depends on it. A policy applies only if all of its assignments and conditions hold (Entra,
"Conditional Access: Conditions"), and every policy that applies must be met.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from auditor.consent import Truth, all_of
from auditor.consent.requested_access import Targets, targets_of
from auditor.consent.snapshot_index import NotRead, SnapshotIndex, index_of
from auditor.consent.subject import ORDINARY_MEMBER, Subject
from auditor.facts.access_requirements import CONTROLS, EXCHANGE_PLANS, RISK_CODE, STRENGTHS, UNREAD_SETTINGS, Control
from auditor.facts.ids import EXCHANGE_ONLINE
from auditor.model.access_resources import (
    AccessConditions,
    AccessGrantControls,
    AuthenticationStrength,
    ConditionalAccessPolicy,
)
from auditor.model.decision import Access, AccessPolicy, AfterConsent, AppRef, Effect, Mailbox, NotChecked, Reach
from auditor.model.document import series
from auditor.model.resources import ServicePrincipal
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot

if TYPE_CHECKING:
    from auditor.consent.access_policies import Person

_ENFORCED = {"enabled": True, "enabledforreportingbutnotenforced": False}
_DISABLED = "disabled"


def after_consent(snapshot: Snapshot | SnapshotIndex, app: App, subject: Subject = ORDINARY_MEMBER) -> AfterConsent:
    """What can stop `subject` from connecting `app` after consent, as far as this snapshot shows.

    The same snapshot, app and subject always give the same answer.
    """
    index = index_of(snapshot)
    targets = targets_of(app)
    found = index.snapshot.sections.conditionalAccessPolicies
    policies: tuple[AccessPolicy, ...] = ()
    unread = index.not_read("conditionalAccessPolicies").why if found is None else ""
    if found:
        from auditor.consent.access_policies import person_of

        person, addresses = person_of(index, subject), _addresses(index, app)
        judged = (_judged(policy, targets, person, addresses) for policy in found)
        policies = tuple(sorted((one for one in judged if one is not None), key=_order))
    access = Access.UNKNOWN if unread else _access(policies)
    mail = targets.includes(EXCHANGE_ONLINE) or not targets.resources
    return AfterConsent(
        app=AppRef(name=app.label, client_id=app.client_id.lower()),
        subject=subject.label,
        access=access,
        because=_because(access, policies, app, subject, unread),
        policies=policies,
        mailbox=_mailbox(index, subject) if mail and subject.user_id is not None else None,
        not_checked=tuple(_not_checked(app, subject)),
    )


def _addresses(index: SnapshotIndex, app: App) -> tuple[str, ...]:
    if app.redirect_uris:
        return app.redirect_uris
    principal = index.service_principal(app.client_id)
    return (principal.replyUrls or ()) if isinstance(principal, ServicePrincipal) else ()


# One policy.


def _judged(
    policy: ConditionalAccessPolicy, targets: Targets, person: Person, addresses: Iterable[str]
) -> AccessPolicy | None:
    """The policy, if it applies or may apply and demands something; none otherwise."""
    state = (policy.state or "").lower()
    demand = _demand(policy)
    if state == _DISABLED or demand is None:
        return None
    parts = _applicability(policy.conditions, targets, person, addresses)
    if parts.truth is Truth.FALSE:
        return None
    reaches = parts.truth is Truth.TRUE
    risky = policy.conditions is not None and (policy.conditions.signInRiskLevels or policy.conditions.userRiskLevels)
    asks_mfa = CONTROLS["mfa"].codes[0] in demand.codes
    return AccessPolicy(
        id=policy.id,
        name=policy.displayName or "",
        enforced=_ENFORCED.get(state),
        reach=Reach.REACHES if reaches else Reach.MAY_REACH,
        effect=demand.effect,
        demand=demand.clause,
        codes=(*demand.codes, RISK_CODE) if risky and asks_mfa else demand.codes,
        applies=parts.applies,
        depends_on=parts.needs,
        notes=parts.notes,
    )


class _Applicability(NamedTuple):
    """Whether the conditions of a policy hold, what they say, and what isn't known about them."""

    truth: Truth
    applies: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _applicability(
    conditions: AccessConditions | None, targets: Targets, person: Person, addresses: Iterable[str]
) -> _Applicability:
    if conditions is None:
        return _Applicability(Truth.UNKNOWN, needs=("when the policy applies",))
    from auditor.consent.access_policies import person_reached, scope_of, sign_in_conditions

    who = person_reached(conditions, person)
    what = scope_of(conditions.applications, targets)
    when = tuple(sign_in_conditions(conditions, addresses))
    resources = f"for {series(list(what.resources))}" if what.resources else ""
    says = (f"to {who.says}", resources, *(one.says for one in when))
    needs = (*who.needs, *what.needs, *(need for one in when for need in one.needs))
    return _Applicability(
        truth=all_of((who.truth, what.truth, *(one.truth for one in when))),
        applies=tuple(filter(None, says)),
        needs=tuple(dict.fromkeys(needs)),
        notes=what.notes,
    )


class _Demand(NamedTuple):
    """What a policy demands, as a clause; what that does; and the codes that a user sees."""

    clause: str
    effect: Effect
    codes: tuple[str, ...] = ()


_NOT_SHOWN = _Demand("demands something that the data doesn't show", Effect.UNKNOWN)


def _demand(policy: ConditionalAccessPolicy) -> _Demand | None:
    """What the policy demands; none if it only limits sessions that exist."""
    grant, session = policy.grantControls, policy.sessionControls
    controls = tuple(_enforced_controls(grant)) if grant is not None else ()
    secured = session.secureSignInSession if session is not None else None
    binds = secured is not None and secured.isEnabled is True
    if not controls and (grant is not None or session is None):
        return _NOT_SHOWN
    if not controls and not binds:
        return None
    operator = (grant.operator or "").upper() if grant is not None else ""
    clauses = [_joined(controls, operator)] if controls else []
    # Token protection is demanded in addition to the others.
    token = (CONTROLS["tokenProtection"],) if binds else ()
    return _Demand(
        clause=" and ".join([*clauses, *(one.demand for one in token)]),
        effect=Effect.STOPS if binds else _effect(controls, operator),
        codes=tuple(dict.fromkeys(code for one in (*controls, *token) for code in one.codes)),
    )


def _enforced_controls(grant: AccessGrantControls) -> list[Control]:
    """The controls, without the retired one next to others: Microsoft treats it "as if this grant isn't selected"."""
    controls = list(_controls(grant))
    retired = CONTROLS["approvedApplication"]
    return [one for one in controls if one is not retired] or controls


def _controls(grant: AccessGrantControls) -> Iterator[Control]:
    for name in grant.builtInControls:
        yield CONTROLS.get(name) or _new_control(name)
    if grant.authenticationStrength is not None:
        yield _strength(grant.authenticationStrength)
    if grant.customAuthenticationFactors:
        yield CONTROLS["customAuthenticationFactor"]
    if grant.termsOfUse:
        yield CONTROLS["termsOfUse"]
    for name in grant.unknownConditions:
        yield _new_control(name)


def _new_control(name: str) -> Control:
    return Control(f"requires {name}, which this version doesn't know", Effect.UNKNOWN.value, ())


def _strength(strength: AuthenticationStrength) -> Control:
    """A custom strength that a password and a second factor satisfy asks for no more than those."""
    control = CONTROLS["authenticationStrength"]
    built_in = STRENGTHS.get((strength.id or "").lower())
    if built_in is not None:
        name, effect = built_in.name, built_in.effect
    else:
        name = strength.displayName or "of this tenant"
        combinations = strength.allowedCombinations
        with_password = any(one.startswith("password,") for one in combinations or ())
        effect = "unknown" if not combinations else "asks" if with_password else control.effect
    return Control(control.demand.replace("{name}", f'"{name}"'), effect, control.codes)


def _joined(controls: Sequence[Control], operator: str) -> str:
    """The demands as one clause, each beginning with ``requires`` where there are several."""
    if len(controls) == 1:
        return controls[0].demand
    word = {"OR": "or", "AND": "and"}.get(operator, "and/or")
    return f"requires {series([one.demand.removeprefix('requires ') for one in controls], word)}"


def _effect(controls: Iterable[Control], operator: str) -> Effect:
    """What the controls do together: one of them is enough (``OR``), or all are needed (``AND``)."""
    effects = {Effect(one.effect) for one in controls}
    if len(effects) == 1:
        return effects.pop()
    decisive = {"OR": Effect.ASKS, "AND": Effect.STOPS}.get(operator)
    return decisive if decisive in effects and decisive is not None else Effect.UNKNOWN


# All policies.


def _order(policy: AccessPolicy) -> tuple[bool, int, bool, str, str]:
    """Enforced policies first, then those that stop, then those that surely apply."""
    effects = (Effect.STOPS, Effect.UNKNOWN, Effect.ASKS)
    may = policy.reach is Reach.MAY_REACH
    return policy.enforced is False, effects.index(policy.effect), may, policy.name.lower(), policy.id


def _access(policies: Iterable[AccessPolicy]) -> Access:
    enforced = [one for one in policies if one.enforced is not False]
    if any(one.enforced and one.reach is Reach.REACHES and one.effect is Effect.STOPS for one in enforced):
        return Access.STOPS
    if any(one.effect is not Effect.ASKS for one in enforced):
        return Access.MAY_STOP
    return Access.ASKS if enforced else Access.PASSES


def _because(access: Access, policies: Sequence[AccessPolicy], app: App, subject: Subject, unread: str) -> str:
    who = "ordinary users" if subject.user_id is None else subject.label
    if access is Access.UNKNOWN:
        return f"Whether Conditional Access stops {who} after consent is unknown: {unread}."
    if access is Access.PASSES:
        return f"No enforced Conditional Access policy demands anything of {who} who connect {app.label}."
    enforced = [one for one in policies if one.enforced is not False]
    if access is Access.ASKS:
        what = _first_named(enforced)
        return f"Conditional Access asks {who} for more during the sign-in, which they can give: {what}."
    stopping = [one for one in enforced if one.effect is not Effect.ASKS]
    if access is Access.MAY_STOP:
        return f"Conditional Access may stop {who} after consent: {_first_named(stopping)}."
    surely = [one for one in stopping if one.reach is Reach.REACHES and one.effect is Effect.STOPS and one.enforced]
    unless = "" if CONTROLS["block"].demand == surely[0].demand else ", unless the sign-in meets the policy"
    return f"Conditional Access stops {who} after consent{unless}: {_first_named(surely)}."


def _first_named(policies: Sequence[AccessPolicy]) -> str:
    """The first policy with its demand, and how many more there are."""
    first, more = policies[0], len(policies) - 1
    rest = f" ({more} more {'policy' if more == 1 else 'policies'} below)" if more else ""
    return f"{first.label} {first.demand}{rest}"


# The mailbox, and what can't be read.

_USABLE = frozenset({"enabled", "warning"})
"""The statuses of a plan that is available for normal use (Microsoft Graph, ``assignedPlan``)."""


def _mailbox(index: SnapshotIndex, subject: Subject) -> Mailbox:
    """Whether one of the user's service plans comes with a mailbox in Exchange Online."""
    user, unknown = index.user(subject.user_id or ""), f"Whether {subject.label} has a mailbox is unknown"
    if isinstance(user, NotRead):
        return Mailbox(licensed=None, because=f"{unknown}: {user.why}.")
    if user.assignedPlans is None:
        return Mailbox(licensed=None, because=f"{unknown}: the user's service plans were not read.")
    plans = [one for one in user.assignedPlans if (one.service or "exchange").lower() == "exchange"]
    usable = [one for one in plans if (one.capabilityStatus or "enabled").lower() in _USABLE]
    known_plans = [EXCHANGE_PLANS.get((one.servicePlanId or "").lower()) for one in usable]
    with_mailbox = [
        plan.name
        for one, plan in zip(usable, known_plans, strict=True)
        if plan and plan.mailbox and one.capabilityStatus
    ]
    if with_mailbox:
        return Mailbox(licensed=True, because=f"{subject.label} has a license for a mailbox: {with_mailbox[0]}.")
    if any(plan is None or plan.mailbox for plan in known_plans):
        return Mailbox(
            licensed=None,
            because=f"{unknown}: this version doesn't know what one of the user's Exchange plans includes.",
        )
    return Mailbox(
        licensed=False,
        because=f"{subject.label} has no license for a mailbox in Exchange Online. An app finds no mail, calendar or"
        " contacts, unless the mailbox is shared or on-premises.",
    )


def _not_checked(app: App, subject: Subject) -> Iterator[NotChecked]:
    words = {scope.value.partition(".")[0].lower() for scope in app.scopes}
    user = "USER" if subject.user_id is None else subject.label
    for one in UNREAD_SETTINGS:
        if not one.scopes or not app.scopes or words & {word.lower() for word in one.scopes}:
            yield NotChecked(what=one.what, why=one.why, how=one.how.replace("{user}", user))
