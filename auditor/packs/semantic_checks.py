"""What a well-shaped pack must still not say: scopes that do not exist, cases that cannot be, and the like."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from auditor.facts.scope_lists import RESOURCES
from auditor.model import rule as kinds
from auditor.packs import value_validators as words
from auditor.packs.arguments import check_arguments, nested
from auditor.packs.case_patches import check_ids, check_patch
from auditor.packs.pack_errors import Place, Problems, listed, nearest
from auditor.packs.permissions import doubt_resource, names_none
from auditor.packs.yaml_nodes import Items, Node, Scalar, Table, child

ABOUT_APP = {
    kind.__struct_config__.tag
    for kind in (
        kinds.UsersCanConnect,
        kinds.ScopesUserConsentable,
        kinds.ScopesClassified,
        kinds.AdminConsentCovers,
        kinds.AppEnabled,
        kinds.AppAssignment,
        kinds.PublisherVerified,
    )
}
"""The kinds of check that are about an app; all others are about the tenant, or may be."""

OF_THE_APP = ("{client-id}", "{app}", "{redirect-uri}", "{scopes}", "{admin-consent-link}")
"""Placeholders that have a value only where the pack has an app."""


def check_meaning(document: Table, problems: Problems, *, samples: Collection[str] | None, is_complete: bool) -> None:
    """Report what is wrong although every key and type is right."""
    app, rules = child(document, "app"), child(document, "rules")
    abstract = _text(child(document, "abstract")) == "true"
    if isinstance(app, Table):
        _app(app, problems)
    if isinstance(rules, Items) and not rules.nodes:
        problems.add(rules.at, "rules is an empty list", expected="at least one rule")
    for rule in _tables(rules):
        check_arguments(child(rule, "check"), problems, has_app=app is not None or not is_complete or abstract)
        _cases(child(rule, "cases"), problems, samples)
    if is_complete and not abstract:
        _needs_app(app, rules, problems)


def _app(app: Table, problems: Problems) -> None:
    _assumption(app, app, problems)
    by_id: dict[str, str] = {}
    scopes = child(app, "scopes")
    for key, entry in scopes.entries.items() if isinstance(scopes, Table) else ():
        resource = RESOURCES.get(key, key.lower())
        if resource in by_id:
            problems.add(entry.at, f'"{key}" and "{by_id[resource]}" are the same resource', expected="one list")
        by_id[resource] = key
        doubt_resource(entry, problems)
        _scopes(resource, entry.value, app, problems)


def _scopes(resource: str, node: Node, app: Table, problems: Problems) -> None:
    """Every scope exists, stands once, and says where an assumption comes from."""
    seen: dict[str, int] = {}
    for item in node.nodes if isinstance(node, Items) else ():
        name = child(item, "scope") or item
        if not (isinstance(name, Scalar) and isinstance(name.value, str)):
            continue
        scope = name.value.strip()
        if scope.lower() in seen:
            problems.add(name.at, f'the scope "{scope}" is already on line {seen[scope.lower()]}')
        seen.setdefault(scope.lower(), name.at.line)
        if wrong := words.scope_or_id(resource, scope):
            problems.add(name.at, f"the scope {wrong.message}", expected=wrong.expected, near=wrong.near)
        _assumption(item, app, problems)


def _assumption(node: Node, app: Table, problems: Problems) -> None:
    """What is assumed must say on what grounds."""
    assumed = child(node, "assumed")
    if assumed is not None and _text(assumed) == "true" and not (child(node, "source") or child(app, "source")):
        problems.add(assumed.at, "assumed without a source", expected="source: where the claim comes from")


def _cases(cases: Node | None, problems: Problems, samples: Collection[str] | None) -> None:
    """Cases have names of their own, samples that exist, and patches in Graph's own names."""
    names: dict[str, Place] = {}
    for case in _tables(cases):
        name, sample = child(case, "name"), child(case, "sample")
        if isinstance(name, Scalar) and (text := _text(name)):
            if text in names:
                problems.add(name.at, f'the case "{text}" is already on line {names[text].line}')
            names.setdefault(text, name.at)
        if samples is not None and isinstance(sample, Scalar) and _text(sample) not in samples:
            text = _text(sample)
            problems.add(sample.at, f'unknown sample "{text}"', expected=listed(samples), near=nearest(text, samples))
        if (patch := child(case, "set")) is not None and isinstance(patch, Table):
            check_patch(patch, problems)
            check_ids(patch, problems)


def _needs_app(app: Node | None, rules: Node | None, problems: Problems) -> None:
    """A check about an app needs one, with something that it asks for; and a fix that speaks of it, too."""
    for rule in _tables(rules) if app is None else ():
        _fix_without_app(child(rule, "fix"), problems)
    for check in (one for rule in _tables(rules) for one in nested(child(rule, "check"))):
        kind = child(check, "kind")
        if not isinstance(kind, Scalar) or not _is_about(check, kind.text, has_app=app is not None):
            continue
        if app is None:
            problems.add(kind.at, f"a check of kind {kind.text} is about an app, and the pack has none")
        elif isinstance(app, Table) and not any(_required(app)):
            problems.add(app.at, "the app asks for no scope that it requires", expected="scopes of a resource")
        return


def _is_about(check: Table, kind: str, *, has_app: bool) -> bool:
    """Whether the check is about the app; where there is none, `check_arguments` tells what takes its place."""
    return kind in ABOUT_APP or (has_app and kind == kinds.UsersCanConsent.__struct_config__.tag and names_none(check))


def _fix_without_app(fix: Node | None, problems: Problems) -> None:
    portal = child(fix, "portal")
    texts = [child(fix, key) for key in ("link", "role", "note")]
    for node in (*texts, *(portal.nodes if isinstance(portal, Items) else ())):
        for placeholder in OF_THE_APP if isinstance(node, Scalar) else ():
            if node is not None and placeholder in _text(node):
                problems.add(node.at, f"the placeholder {placeholder} is about an app, and the pack has none")


def _required(app: Table) -> Iterator[bool]:
    scopes = child(app, "scopes")
    for entry in scopes.entries.values() if isinstance(scopes, Table) else ():
        for item in entry.value.nodes if isinstance(entry.value, Items) else ():
            yield _text(child(item, "required")) != "false"


def _tables(node: Node | None) -> Iterator[Table]:
    for item in node.nodes if isinstance(node, Items) else ():
        if isinstance(item, Table):
            yield item


def _text(node: Node | None) -> str:
    return node.text.strip() if isinstance(node, Scalar) else ""
