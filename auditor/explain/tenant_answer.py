"""Whether a tenant would answer with the code of a text, and if it wouldn't, what that says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from auditor.apps.audit_entries import activity_of, actor_of, audit_time, names_in, succeeded
from auditor.apps.logged_changes import ConcernedObjects, ids_of, logged_changes
from auditor.consent import Truth
from auditor.consent import known as truth_of
from auditor.consent.deciding_setting import setting_of
from auditor.consent.decision_facts import Workflow, user_consent_setting, workflow
from auditor.consent.explanation import code as code_of
from auditor.consent.snapshot_index import NotRead, index_of
from auditor.explain.pasted_text import FoundCode
from auditor.facts.audit_activities import activities_by_kind
from auditor.facts.ids import NO_ID, is_guid, is_redacted_tenant, setting_named
from auditor.facts.sign_in_codes import SignInCode, sign_in_codes
from auditor.model.decision import Access, AfterConsent, Decision, Outcome, Reach
from auditor.model.document import parse_time, series
from auditor.model.explanation import LoggedSignIn, TenantAnswer, TextFacts, TextKind
from auditor.model.rule import App, Pack, Setting
from auditor.model.snapshot import Snapshot


class KnownApp(NamedTuple):
    """The app, and where its scopes are from; empty if the text itself has the request."""

    app: App
    scopes_from: str = ""

    @classmethod
    def of_pack(cls, pack: Pack) -> KnownApp:
        """The app of a pack, in the way in which it usually connects."""
        assert pack.app is not None, "a pack about an app"
        way = f" with {pack.app.variants[0].title}" if pack.app.variants and "/" not in pack.name else ""
        return cls(pack.app, f"those of the pack {pack.name}{way}")


class Asked(NamedTuple):
    """The question: what the text says, the app with what it asks for, and where its scopes are from.

    `user` is the user that the decision is about; empty for an ordinary member.
    """

    facts: TextFacts
    codes: tuple[FoundCode, ...]
    app: App
    scopes_from: str = ""
    user: str = ""


def answer_about_app(
    snapshot: Snapshot,
    asked: Asked,
    decision: Decision,
    after: AfterConsent | None,
    log: Sequence[LoggedSignIn] = (),
    log_unread: str = "",
) -> TenantAnswer:
    """What the tenant of the snapshot answers to the app and user of the text, compared with the codes of the text."""
    agrees, says = _agreement(snapshot, asked, decision, after)
    perhaps = tuple(_perhaps(snapshot, asked, decision, after)) if agrees is False else ()
    fixes = decision.fixes
    return TenantAnswer(
        tenant=snapshot.tenant,
        taken=snapshot.taken,
        app=decision.app,
        subject=decision.subject,
        outcome=decision.outcome,
        confidence=decision.confidence,
        reason=decision.reason,
        code=decision.code,
        screen=decision.screen,
        because=decision.because,
        agrees=agrees,
        says=says,
        perhaps=perhaps,
        setting=(setting := setting_of(decision, asked.app)),
        setting_value=_value(snapshot, setting),
        scopes_from=asked.scopes_from,
        fix=fixes[0] if fixes else None,
        more_fixes=tuple(fix.title for fix in fixes[1:]),
        depends_on=decision.depends_on,
        log=tuple(log),
        log_unread=log_unread,
    )


def answer_without_app(
    snapshot: Snapshot, why: str, log: Sequence[LoggedSignIn] = (), log_unread: str = ""
) -> TenantAnswer:
    """What can be said about the tenant where the app isn't known: its user consent setting."""
    found = user_consent_setting(snapshot)
    because = found.why if isinstance(found, NotRead) else ""
    return TenantAnswer(
        tenant=snapshot.tenant,
        taken=snapshot.taken,
        because=because,
        says=why,
        setting=setting_named("user-consent"),
        setting_value="" if isinstance(found, NotRead) else found.label,
        log=tuple(log),
        log_unread=log_unread,
    )


def name_of_tenant(snapshot: Snapshot) -> str:
    """What to call the tenant in a sentence."""
    return snapshot.tenant.name or snapshot.tenant.id or "this tenant"


def _value(snapshot: Snapshot, setting: Setting | None) -> str:
    """What the tenant chose, for the setting that has names for its choices."""
    if setting is None or setting.id != "user-consent":
        return ""
    found = user_consent_setting(snapshot)
    return "" if isinstance(found, NotRead) else found.label


# ---- Whether it agrees ----------------------------------------------------------------------------------------------


def _agreement(
    snapshot: Snapshot, asked: Asked, decision: Decision, after: AfterConsent | None
) -> tuple[bool | None, str]:
    """Whether the tenant answers with a code of the text, and a sentence on it."""
    table = sign_in_codes()
    known = {one.code: table[one.code] for one in asked.codes if one.code in table}
    where = name_of_tenant(snapshot)
    would = f"{where} would answer {decision.code}" if decision.code else f"{where} would answer with no error"
    if not known:
        if asked.facts.kind is TextKind.CONNECTED:
            return _of_success(decision, where)
        return None, f"{would}."
    decided = {code: one for code, one in known.items() if any(cause.reasons for cause in one.causes)}
    if not decided:
        return _of_access(known, after, where)
    names = series([f"AADSTS{code}" for code in decided], "or")
    if decision.outcome is Outcome.DEPENDS:
        needs = series(decision.depends_on[:2]) or "what wasn't read"
        return None, f"It isn't known whether {where} would answer {names}: that depends on {needs}."
    same = [code for code, one in decided.items() if _means(one, decision) or f"AADSTS{code}" in decision.code.split()]
    instead = f"would answer {decision.code}" if decision.code else _instead(decision)
    if not same:
        return False, f"No: {where}, as it was read, wouldn't answer {names}: it {instead}."
    flow = workflow(snapshot)
    fits = {code: _fits_workflow(code, flow, decision) for code in same}
    same = [code for code in same if fits[code] is Truth.TRUE]
    if not same and Truth.UNKNOWN in fits.values():
        needs = f"the admin consent workflow ({flow.why})"
        return None, f"It isn't known whether {where} would answer {names}: that depends on {needs}."
    if not same:
        because = f"its admin consent workflow is {'on' if flow.enabled is Truth.TRUE else 'off'}"
        return False, f"No: {where}, as it was read, wouldn't answer {names}: it {instead}, because {because}."
    if decision.outcome is Outcome.USER_MAY_CONSENT:
        return True, f"Yes: {where} answers AADSTS{same[0]} until the user consents once, which this user can."
    return True, f"Yes: {where} would answer AADSTS{same[0]}."


def _of_success(decision: Decision, where: str) -> tuple[bool | None, str]:
    """Whether the tenant shows what an address says that reports success."""
    if decision.outcome is Outcome.DEPENDS:
        return None, f"It isn't known whether users of {where} can connect now: that depends on what wasn't read."
    if decision.outcome.connects:
        return True, f"Yes: in {where}, users can connect."
    return False, f"No: the address reports success, and {where}, as it was read, {_instead(decision)}."


def _means(one: SignInCode, decision: Decision) -> bool:
    return any(decision.reason in cause.reasons for cause in one.causes)


def _fits_workflow(code: str, flow: Workflow, decision: Decision) -> Truth:
    """Whether users get the code in the state of the workflow: of each two codes for one cause, one says it's off."""
    expected = sign_in_codes()[code].workflow
    if expected is None:
        return Truth.TRUE
    states = (Truth.TRUE, Truth.FALSE) if flow.enabled is Truth.UNKNOWN else (flow.enabled,)
    answers = {one: code_of(decision.outcome, decision.reason, Workflow(enabled=one), decision.code) for one in states}
    fits = {f"AADSTS{code}" in answers[one].split() or one is truth_of(expected) for one in states}
    return truth_of(fits.pop()) if len(fits) == 1 else Truth.UNKNOWN


_INSTEAD = {
    Outcome.CONNECTS_SILENTLY: "lets the user connect without being asked",
    Outcome.CONNECTS_BUT_LACKS_SCOPES: "lets the user connect, but the app lacks permissions, and its calls fail later",
    Outcome.USER_MAY_CONSENT: "lets the user connect after accepting the permissions",
    Outcome.NEEDS_ADMIN: "sends the user to an administrator",
    Outcome.BLOCKED: "blocks the user for another reason",
}


def _instead(decision: Decision) -> str:
    return _INSTEAD[decision.outcome]


def _of_access(known: dict[str, SignInCode], after: AfterConsent | None, where: str) -> tuple[bool | None, str]:
    """The agreement about codes that consent doesn't decide."""
    names = series([f"AADSTS{code}" for code in known], "or")
    if not any(one.topic == "access" for one in known.values()):
        return None, f"{names} isn't about the tenant's settings that this program reads; this is what would come next."
    if after is None or after.access is Access.UNKNOWN:
        why = f": {after.because}" if after and after.because else "."
        return None, f"It isn't known whether {where} would answer {names}{why}"
    policies = [one for one in after.policies if {f"AADSTS{code}" for code in known} & set(one.codes)]
    surely = [one for one in policies if one.enforced and one.reach is Reach.REACHES]
    if surely:
        return True, f"Yes: in {where}, the Conditional Access policy {surely[0].label} {surely[0].demand}."
    if policies:
        return None, f"Perhaps: in {where}, the Conditional Access policy {policies[0].label} {policies[0].demand}."
    return False, f"No: no Conditional Access policy of {where}, as it was read, gives {names} for this app."


# ---- What a disagreement says ---------------------------------------------------------------------------------------


def _perhaps(snapshot: Snapshot, asked: Asked, decision: Decision, after: AfterConsent | None) -> Iterator[str]:
    """The explanations, the likeliest first: what the text and the logs show, and then what nobody can see here."""
    yield from _other_tenant(snapshot, asked.facts)
    other_account = tuple(_other_account(snapshot, asked))
    yield from other_account
    yield from _changed_since(snapshot, asked)
    if decision.outcome.connects or decision.outcome is Outcome.CONNECTS_BUT_LACKS_SCOPES:
        yield (
            "A stale token or session: the app or the browser still has one from before. Sign out of the app, and"
            " connect again in a private window."
        )
    if not asked.user and not other_account:
        yield (
            "Another account than an ordinary member's: a guest, an administrator, or an account of another tenant in"
            " the browser. Give --user to decide for the user of the text."
        )
    if asked.scopes_from:
        yield (
            f"Other permissions than those assumed here ({asked.scopes_from}): paste the address of the sign-in page"
            " to decide about what the app really asks for."
        )
    yield from _conditional_access(after)
    if not asked.facts.tenant:
        yield "Another tenant or cloud: the sign-in went to another one than was read here."


def _other_tenant(snapshot: Snapshot, facts: TextFacts) -> Iterator[str]:
    said, own = facts.tenant, snapshot.tenant
    if not said or said.lower() in (own.id.lower(), own.name.lower()) or said.lower() in snapshot.domains:
        return
    if is_redacted_tenant(own.id) or own.id == NO_ID or not own.id:
        return
    if is_guid(said) or "." in said or own.name:
        yield f"Another tenant: the text is about {said}, and this answer is about {name_of_tenant(snapshot)}."


def _other_account(snapshot: Snapshot, asked: Asked) -> Iterator[str]:
    domain = asked.facts.user.rpartition("@")[2].lower()
    domains = snapshot.domains
    if domain and domains and domain not in domains and not any(domain.endswith(f".{one}") for one in domains):
        yield (
            f"Another account: {asked.facts.user} has a domain that isn't one of {name_of_tenant(snapshot)}, so the"
            " account is a guest or of another tenant."
        )


def _changed_since(snapshot: Snapshot, asked: Asked) -> Iterator[str]:
    """What the audit log shows after the error, or else the time that passed between the error and the read."""
    failed, read = parse_time(asked.facts.at), parse_time(snapshot.taken)
    after = [entry for entry in _relevant(snapshot, asked.app.client_id) if failed is None or entry.at > failed]
    unsure = "" if failed else ", perhaps after the error"
    for entry in sorted(after, key=lambda one: one.at, reverse=True)[:_NEWEST]:
        when = entry.at.replace(tzinfo=None).isoformat(sep=" ")[:16]
        by = f" by {entry.by}" if entry.by else ""
        yield f'A change since then: the audit log has "{entry.activity}"{by} at {when} UTC{unsure}.'
    if after:
        return
    if failed is None or read is None:
        yield (
            "A change since then: somebody changed a setting, the app or its consent after the error."
            " consent-auditor diff shows it if an older snapshot was kept."
        )
    elif read > failed:
        yield (
            f"A change since then: the error is from {asked.facts.at[:16].replace('T', ' ')} UTC, and the tenant was"
            f" read at {snapshot.taken[:16].replace('T', ' ')} UTC. consent-auditor diff shows what changed in between"
            " if an older snapshot was kept."
        )


_NEWEST = 2
"""The changes after the error that are named."""


class _Entry(NamedTuple):
    """An entry of the audit log that can explain why a tenant answers otherwise now."""

    at: datetime
    activity: str
    by: str


def _relevant(snapshot: Snapshot, client_id: str) -> Iterator[_Entry]:
    """The successful changes of consent settings and policies, and those of the app and of its consent."""
    own = ids_of(index_of(snapshot), (client_id,))
    for change in logged_changes(snapshot):
        if change.concerns(ConcernedObjects(own)):
            yield _Entry(change.at, change.activity, change.by)
    grants = {name.lower() for name in activities_by_kind()["grant"]}
    for entry in snapshot.sections.directoryAudits or ():
        at = audit_time(entry.activityDateTime)
        if at is not None and activity_of(entry) in grants and succeeded(entry) and own & names_in(entry):
            actor = actor_of(entry)
            yield _Entry(at, entry.activityDisplayName or "", actor.name if actor else "")


def _conditional_access(after: AfterConsent | None) -> Iterator[str]:
    if after is None or after.access in (Access.PASSES, Access.UNKNOWN):
        yield "Conditional Access: it decides after consent, by user, device and place. The sign-in log has the policy."
        return
    policies = [one.label for one in after.policies if one.enforced]
    named = f" ({series(policies[:3])})" if policies else ""
    yield f"Conditional Access{named}: {re.sub(r'[.]$', '', after.because)}."
