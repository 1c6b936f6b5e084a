"""What a snapshot can lose: every single loss at every path, and the order in which answers may change by it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from auditor.checks.findings import judge
from auditor.checks.kind import CheckContext
from auditor.consent.subject import ORDINARY_MEMBER, Subject
from auditor.model.decision import Confidence, Decision, Outcome
from auditor.model.rule import App, Pack
from auditor.model.snapshot import Snapshot
from auditor.snapshot.read import loads

Json = dict[str, Any]
Path = tuple[str | int, ...]

NULL_WHILE_NOTHING_IS_WRONG = frozenset({"isDisabled", "disabledByMicrosoftStatus", "allowUserConsentForRiskyApps"})
"""What Graph usually leaves out or returns as null (``servicePrincipal``; consent-policy pages)."""

DOCUMENTED_DEFAULTS = frozenset(
    {
        *NULL_WHILE_NOTHING_IS_WRONG,
        # permissionGrantConditionSet, column "if omitted".
        *("permissionType", "permissionClassification", "permissions", "resourceApplication"),
        *("clientApplicationIds", "clientApplicationTenantIds", "clientApplicationPublisherIds"),
        *("clientApplicationsFromVerifiedPublisherOnly", "certifiedClientApplicationsOnly"),
        # Only beta has them.
        *("includeAllPreApprovedApplications", "resourceScopeType", "scopeSensitivityLabels"),
    }
)
"""Properties whose absence Microsoft documents: a snapshot without one is another tenant, not a loss."""

NULL_IS_A_VALUE = frozenset({"verifiedPublisher", "principalId"})
"""Properties whose null Microsoft documents: no publisher, and a grant for everybody."""

EMPTY_IS_A_VALUE = frozenset({"displayName", "appDisplayName", "description", "value", "verifiedPublisher"})
"""Properties of which an empty value is one: names, and a publisher that isn't there, as a snapshot is written."""


ENUMERATIONS = frozenset(
    {
        *(
            "permissionClassification",
            "permissionType",
            "resourceScopeType",
            "consentType",
            "principalType",
            "queryType",
        ),
        *("classification", "type", "servicePrincipalType", "signInAudience", "userType", "disabledByMicrosoftStatus"),
        *("state", "operator", "builtInControls"),
    }
)
"""Properties whose values Microsoft lists, and may add to ("evolvable enumerations")."""

SCOPES_TRIED = 2
"""Scopes of one resource of which the type is replaced; the others are alike."""


def enumerated(document: Json) -> Iterator[Path]:
    """The paths of the values of enumerations."""
    for path, value in _values(document["sections"], ()):
        is_one_of_many = "oauth2PermissionScopes" in path and int(path[3]) >= SCOPES_TRIED if len(path) > 3 else False
        if isinstance(value, str) and ENUMERATIONS & set(path[-2:]) and not is_one_of_many:
            yield path


def with_new_value(document: Json, path: Path) -> Json:
    """The document with a value at the path that this version doesn't know."""
    changed = copy.deepcopy(document)
    holder: Any = changed["sections"]
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = "newToThisVersion"
    return changed


class Loss(NamedTuple):
    """One loss: what happens (`remove`, `null`, `empty`, `rename`) to the value at a path below the sections."""

    kind: str
    path: Path

    def __str__(self) -> str:
        return f"{self.kind} {'.'.join(map(str, self.path))}"


def losses(document: Json) -> Iterator[Loss]:
    """Every loss of the document that isn't another tenant."""
    for path, value in _values(document["sections"], ()):
        yield from _losses_at(path, value)


def _values(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if path:
        yield path, value
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from _values(inner, (*path, key))


def _losses_at(path: Path, value: Any) -> Iterator[Loss]:
    name = path[-1]
    if isinstance(name, int):
        # A list without the entry is another tenant; a null in it is a loss.
        yield Loss("null", path)
        if isinstance(value, dict | str):
            yield Loss("empty", path)
        return
    if value is None:
        return
    if len(path) > 1:
        # A section with a misspelt name is refused.
        yield Loss("rename", path)
    if name in DOCUMENTED_DEFAULTS:
        return
    yield Loss("remove", path)
    if name not in NULL_IS_A_VALUE:
        yield Loss("null", path)
    # An empty list is another tenant.
    if isinstance(value, str | dict) and name not in EMPTY_IS_A_VALUE:
        yield Loss("empty", path)


def after(document: Json, loss: Loss) -> Json:
    """The document with the loss."""
    changed = copy.deepcopy(document)
    holder: Any = changed["sections"]
    for step in loss.path[:-1]:
        holder = holder[step]
    key = loss.path[-1]
    match loss.kind:
        case "remove":
            del holder[key]
        case "rename":
            holder[f"x-{key}"] = holder.pop(key)
        case "null":
            holder[key] = None
        case "empty":
            holder[key] = type(holder[key])()
    return changed


REFUSAL = {"status": 403, "code": "Authorization_RequestDenied"}


def readable(document: Json) -> Iterator[str]:
    """What Graph can refuse of the tenant: each section, and each app's part of one that is read app by app."""
    covers = document.get("covers", {})
    for name, value in document["sections"].items():
        if name != "absentServicePrincipals":
            yield name
        apps = covers.get(name, ()) if isinstance(value, list) else value if name in BY_APP else ()
        yield from (f"{name}/{app}" for app in apps if name in (*BY_APP, *PARTLY_READ))


BY_APP = ("appRoleAssignedTo", "delegatedPermissionClassifications")
PARTLY_READ = ("servicePrincipals", "oauth2PermissionGrants")


def refused(document: Json, *names: str) -> Json:
    """The document of an audit that was refused these sections or parts."""
    changed = copy.deepcopy(document)
    sections, covers = changed["sections"], changed.setdefault("covers", {})
    object_ids = {one["appId"]: one["id"] for one in document["sections"].get("servicePrincipals", ())}
    for name, _, app in (name.partition("/") for name in names):
        changed.setdefault("unread", {})[f"{name}/{app}" if app else name] = REFUSAL
        if name not in sections:
            continue
        if not app:
            for gone in (name, *(["absentServicePrincipals"] if name == "servicePrincipals" else [])):
                sections.pop(gone, None)
                covers.pop(gone, None)
        elif name in BY_APP:
            sections[name].pop(app, None)
        else:
            covers[name] = [one for one in covers[name] if one != app]
            key, value = ("appId", app) if name == "servicePrincipals" else ("clientId", object_ids.get(app))
            sections[name] = [row for row in sections[name] if row[key] != value]
            absent = sections.get("absentServicePrincipals", [])
            if name == "servicePrincipals":
                sections["absentServicePrincipals"] = [one for one in absent if one != app]
    return changed


def as_preflight(document: Json, apps: tuple[str, ...], clients: tuple[str, ...]) -> Json:
    """The document as an audit of these apps reads it, which reads no other apps."""
    present = {one["appId"] for one in document["sections"]["servicePrincipals"]}
    absent = [app for app in apps if app not in present]
    covers = {"servicePrincipals": [*apps], "oauth2PermissionGrants": [*clients]}
    return {**document, "sections": {**document["sections"], "absentServicePrincipals": absent}, "covers": covers}


class Answers(NamedTuple):
    """What the program says of a tenant: the decision about an app, and the outcome of each rule."""

    decision: Decision
    findings: Mapping[str, str]

    @property
    def possible(self) -> frozenset[Outcome]:
        """The outcomes that the decision leaves possible."""
        return frozenset(self.decision.outcomes or (self.decision.outcome,))

    @property
    def is_certain(self) -> bool:
        """Whether the decision is certain."""
        return self.decision.confidence is Confidence.CERTAIN


def answers(document: Json, app: App, packs: tuple[Pack, ...], subject: Subject = ORDINARY_MEMBER) -> Answers:
    """Everything that the packs and the decision say of the app in this tenant."""
    return answers_of(loads(json.dumps(document).encode()), app, packs, subject)


def answers_of(snapshot: Snapshot, app: App, packs: tuple[Pack, ...], subject: Subject = ORDINARY_MEMBER) -> Answers:
    """The same, of a tenant that was read."""
    context = CheckContext(snapshot, app, subject)
    findings = {f"{f.pack}:{f.rule}": f.outcome.value for pack in packs for f in judge(pack, context)}
    return Answers(context.decision, findings)


def firmer(before: Answers, later: Answers) -> list[str]:
    """What is firmer or better after a loss; empty where every answer stayed, or went towards unknown.

    A finding may stay or become unknown: pass, fail and not applicable all claim something. The outcomes that a
    decision leaves possible may only become more, because whatever was true before is still true; and what was only
    likely doesn't become certain.
    """
    found = [
        f"{rule}: {before.findings[rule]} became {outcome}"
        for rule, outcome in later.findings.items()
        if outcome not in (before.findings[rule], "unknown")
    ]
    if not before.possible <= later.possible:
        found.append(f"decision: {sorted(before.possible)} became {sorted(later.possible)}")
    if before.possible == later.possible and later.is_certain and not before.is_certain:
        found.append("decision: likely became certain")
    return found
