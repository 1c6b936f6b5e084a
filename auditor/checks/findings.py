"""The findings of a pack's rules about a tenant: the same ones, in the same order, every time."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence

from auditor.checks.kind import CheckContext, kind_of
from auditor.consent import Truth
from auditor.consent.advice import best_consent_link, grants_as_registered
from auditor.consent.requested_scopes import admin_consent_link, portal_address, tenant_in_link
from auditor.facts.ids import FILL_IN_TENANT, RESOURCE_NAMES, TENANT_PLACEHOLDER, portal_links
from auditor.model.decision import Fix, Outcome
from auditor.model.report import Disagreement, Finding, FindingSubject, NotCollected, Stand
from auditor.model.resources import ServicePrincipal
from auditor.model.rule import FindingOutcome, Pack, Remediation, Rule, with_values
from auditor.model.sections import missing_parts, permissions_to_read


def judge(pack: Pack, context: CheckContext) -> tuple[Finding, ...]:
    """One finding for each rule of `pack`, sorted by outcome (failures first), severity and rule id."""
    found = (finding(rule, pack, context) for rule in pack.rules)
    return in_order(found)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings in the order of a report, which doesn't depend on the order of the rules."""
    return tuple(sorted(findings, key=lambda f: (f.outcome.rank, f.severity.rank, f.pack, f.rule)))


def finding(rule: Rule, pack: Pack, context: CheckContext, *, with_fixes: bool = True) -> Finding:
    """The finding of `rule` about the tenant: unknown, never pass or fail, where its data was not read.

    Without `with_fixes` it has no fixes, and the advice is the author's. Proving fixes takes most of the time.
    """
    result = kind_of(rule.check).judge(context)
    attention = result.outcome in (FindingOutcome.FAIL, FindingOutcome.UNKNOWN)
    is_fixable = with_fixes and result.outcome is FindingOutcome.FAIL
    of_decision = rule.routes and context.app and not kind_of(rule.check).has_own_fixes
    offered = context.fixes if is_fixable and of_decision else ()
    fixes = tuple(f for f in offered if set(f.route.split("+")) & set(rule.routes))
    return Finding(
        rule=rule.id,
        pack=pack.name,
        title=rule.title,
        severity=rule.severity,
        outcome=result.outcome,
        reason=result.reason,
        fingerprint=fingerprint(rule, context),
        confidence=result.confidence,
        why=rule.why,
        evidence=result.evidence,
        remediation=_remediation(rule, context, fixes, result.subjects) if attention else Remediation(),
        fixes=fixes or (_fixes_of_rule(rule, context) if is_fixable else ()),
        references=rule.references,
        frameworks=dict(rule.frameworks),
        note=rule.view,
        setting=kind_of(rule.check).setting(pack.app),
        place=pack.places.get(rule.id),
        subjects=result.subjects if result.outcome is FindingOutcome.FAIL else (),
        unread=result.unread if result.outcome is FindingOutcome.FAIL else "",
    )


def _fixes_of_rule(rule: Rule, context: CheckContext) -> tuple[Fix, ...]:
    """The fixes for a failing rule about the tenant, or about the app permissions of an app.

    For the other rules about an app, the decision has the fixes.
    """
    if context.app is not None and not kind_of(rule.check).has_own_fixes:
        return ()
    return context.rule_fixes.for_rule(rule)


def _remediation(
    rule: Rule, context: CheckContext, fixes: tuple[Fix, ...], subjects: tuple[FindingSubject, ...]
) -> Remediation:
    """The author's advice, unless it is an administrator's consent and that doesn't help here.

    A consent doesn't help an app that is disabled, whatever the rule advises. Then the advice is the best proven fix,
    or else what the decision advises.
    """
    advice = _filled(rule.fix, context, subjects)
    best = fixes[0] if fixes else None
    consents = not (best and _is_about_other_apps(best)) and bool(
        {"R1", "R3"} & {r for f in fixes for r in f.route.split("+")}
    )
    if best is not None and best.steps.portal and not consents:
        steps = best.steps
        return Remediation(portal=steps.portal, portal_links=steps.portal_links, link=best.link, role=best.role)
    if context.app is None or _CONSENT_LINK not in rule.fix.link:
        return advice
    decision = context.decision
    if not consents and decision.advice and decision.outcome in (Outcome.NEEDS_ADMIN, Outcome.BLOCKED):
        return Remediation(note=" ".join(decision.advice))
    return advice if advice.link else Remediation(role=advice.role, note=_NO_LINK)


def _is_about_other_apps(fix: Fix) -> bool:
    """Whether the fix begins with consent to the apps that are needed first."""
    from auditor.fixes.app_fixes import NEEDED_FIRST

    return NEEDED_FIRST in fix.key.split("+")


_CONSENT_LINK = "{admin-consent-link}"
_NO_LINK = (
    "Grant the app these permissions through Microsoft Graph, or let a user request approval and approve the request."
    " There is no link for this, because the app names its permissions at run time and has no known redirect URI that"
    " a browser can open."
)


def fingerprint(rule: Rule, context: CheckContext) -> str:
    """The same for the same rule, tenant and app in every run, whatever the outcome."""
    parts = (rule.id, context.snapshot.tenant.id.lower(), context.app.client_id.lower() if context.app else "")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


_ANY_APP = "the app"
"""The step of a portal path that means the page of one app, in a rule about all apps."""


def _filled(advice: Remediation, context: CheckContext, subjects: tuple[FindingSubject, ...]) -> Remediation:
    """The rule's advice with the placeholders replaced by values of this tenant and app.

    In a rule about all apps, the portal path names the app if it is the only one of the `subjects`.

    The portal's pages of an app are left out while the app is not in the tenant, and so is its button for consent,
    which grants what the app registered, if the app may request more.
    """
    values = {"tenant-id": tenant_in_link(context.snapshot), "portal": portal_address(context.snapshot)}
    in_portal, portal = values, advice.portal
    page = {}
    if (app := context.app) is not None:
        facts = context.facts
        values |= {
            "client-id": app.client_id,
            "app": app.label,
            "redirect-uri": app.redirect_uris[0] if app.redirect_uris else "",
            "scopes": ", ".join(need.value for need in app.required_scopes),
            "admin-consent-link": best_consent_link(facts),
            "registered-consent-link": admin_consent_link(context.snapshot, app),
        }
        in_portal = {**values, "app": facts.client.name or app.label}
        page = {"app": in_portal["app"], "object_id": facts.client.object_id or "", "client_id": app.client_id}
        is_absent = facts.client.presence is Truth.FALSE and any("{app}" in step for step in portal)
        if is_absent or (_CONSENT_LINK in advice.link and not grants_as_registered(facts)):
            portal = ()
    elif len(subjects) == 1 and isinstance(only := context.index.service_principal(subjects[0].id), ServicePrincipal):
        page = {"app": subjects[0].name, "object_id": only.id, "client_id": only.appId}
        portal = tuple(subjects[0].name if step == _ANY_APP else step for step in portal)
    steps = tuple(with_values(step, in_portal) for step in portal)
    link, note = with_values(advice.link, values), with_values(advice.note, values)
    return Remediation(
        portal=steps,
        portal_links=portal_links(steps, context.snapshot.cloud, **page),
        link=link,
        role=with_values(advice.role, values),
        note=f"{FILL_IN_TENANT} {note}".rstrip() if TENANT_PLACEHOLDER in link else note,
    )


SHARED_CONTROLS = 2
"""The controls that two rules must share to be about the same thing: a single one of several may only be related."""

_PASS, _FAIL = FindingOutcome.PASS, FindingOutcome.FAIL


def disagreements(findings: Iterable[Finding]) -> tuple[Disagreement, ...]:
    """Every group of rules about the same controls of which some pass and some fail, in the order of the findings.

    Unknown and not applicable findings contradict nothing, and rules of one pack don't contradict each other.
    """
    judged = [one for one in findings if one.outcome in (_PASS, _FAIL) and one.frameworks]
    return tuple(map(_disagreement, filter(_is_split, _groups(judged))))


def _groups(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Groups of findings about the same thing, directly or through another finding."""
    left = list(findings)
    while left:
        group = [left.pop(0)]
        for one in group:  # grows during the loop
            near = [other for other in left if _same_controls(one, other)]
            group += near
            left = [other for other in left if other not in near]
        yield sorted(group, key=findings.index)


def _same_controls(one: Finding, other: Finding) -> bool:
    mine, others = set(one.frameworks.items()), set(other.frameworks.items())
    return mine == others or len(mine & others) >= SHARED_CONTROLS


def _is_split(group: Sequence[Finding]) -> bool:
    packs = {outcome: {one.pack for one in group if one.outcome is outcome} for outcome in (_PASS, _FAIL)}
    return any(passing != failing for passing in packs[_PASS] for failing in packs[_FAIL])


def _disagreement(group: Sequence[Finding]) -> Disagreement:
    return Disagreement(
        about=group[0].title,
        stands=tuple(Stand(rule=one.rule, pack=one.pack, outcome=one.outcome, view=one.note) for one in group),
    )


_RESOURCE_IDS = {name: resource for resource, name in RESOURCE_NAMES.items()}


def _missing(finding: Finding) -> Iterator[str]:
    """The data that an unknown rule says is missing, as ``section`` or ``section/part``."""
    if finding.outcome is FindingOutcome.UNKNOWN:
        for section, name in missing_parts(f"{finding.reason} {finding.unread}"):
            part = _RESOURCE_IDS.get(name, "")
            yield f"{section}/{part}" if part else section


def not_collected(findings: Iterable[Finding], unread: Collection[str]) -> tuple[NotCollected, ...]:
    """The data that rules need and that wasn't asked for, in the order of the findings.

    `unread` names the parts whose read failed. They are not listed again.
    """
    failed = {name.partition("/")[0] for name in unread}
    rules: dict[str, list[str]] = {}
    for finding in findings:
        for part in _missing(finding):
            if part.partition("/")[0] not in failed:
                rules.setdefault(part, []).append(finding.rule)
    return tuple(
        NotCollected(section=part, needs=permissions_to_read(part.partition("/")[0]), rules=tuple(dict.fromkeys(found)))
        for part, found in rules.items()
    )
