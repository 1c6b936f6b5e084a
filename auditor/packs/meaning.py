"""What a well-shaped pack must still not say: scopes that do not exist, cases that cannot be, and the like."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from auditor.model import rule as kinds
from auditor.packs import words
from auditor.packs.errors import Place, Problems, listed, nearest
from auditor.packs.patches import check_patch
from auditor.packs.positions import Items, Node, Scalar, Table, child

WITHOUT_APP = {kind.__struct_config__.tag for kind in (kinds.UserConsentSetting, kinds.ConsentWorkflow)}
"""The kinds of check that are about the tenant; all others are about an app."""


def check_meaning(document: Table, problems: Problems, *, samples: Collection[str] | None, is_complete: bool) -> None:
    """Report what is wrong although every key and type is right."""
    app, rules = child(document, "app"), child(document, "rules")
    if isinstance(app, Table):
        _app(app, problems)
    if isinstance(rules, Items) and not rules.nodes:
        problems.add(rules.at, "rules is an empty list", expected="at least one rule")
    for rule in _tables(rules):
        _arguments(child(rule, "check"), problems)
        _cases(child(rule, "cases"), problems, samples)
    if is_complete and _text(child(document, "abstract")) != "true":
        _needs_app(app, rules, problems)


def _app(app: Table, problems: Problems) -> None:
    _assumption(app, app, problems)
    by_id: dict[str, str] = {}
    scopes = child(app, "scopes")
    for key, entry in scopes.entries.items() if isinstance(scopes, Table) else ():
        resource = words.RESOURCES.get(key, key.lower())
        if resource in by_id:
            problems.add(entry.at, f'"{key}" and "{by_id[resource]}" are the same resource', expected="one list")
        by_id[resource] = key
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
        if wrong := words.scope_of(resource, scope):
            problems.add(name.at, f"the scope {wrong.message}", expected=wrong.expected, near=wrong.near)
        _assumption(item, app, problems)


def _assumption(node: Node, app: Table, problems: Problems) -> None:
    """What is assumed must say on what grounds."""
    assumed = child(node, "assumed")
    if assumed is not None and _text(assumed) == "true" and not (child(node, "source") or child(app, "source")):
        problems.add(assumed.at, "assumed without a source", expected="source: where the claim comes from")


def _arguments(check: Node | None, problems: Problems) -> None:
    """The arguments of a check have the values that the judge knows."""
    match _text(child(check, "kind")):
        case "scopes-classified":
            nodes, must, what = [child(check, "level")], words.level, "level"
        case "user-consent-setting":
            allowed = child(check, "allowed")
            nodes, must, what = list(allowed.nodes) if isinstance(allowed, Items) else [], words.setting, "allowed"
            if isinstance(allowed, Items) and not allowed.nodes:
                problems.add(allowed.at, "allowed is an empty list", expected=listed(words.SETTINGS))
        case _:
            return
    for node in nodes:
        if isinstance(node, Scalar) and isinstance(node.value, str) and (wrong := must(node.value.strip())):
            problems.add(node.at, f"{what}: {wrong.message}", expected=wrong.expected, near=wrong.near)


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


def _needs_app(app: Node | None, rules: Node | None, problems: Problems) -> None:
    """A check about an app needs one, with something that it asks for."""
    for rule in _tables(rules):
        kind = child(rule, "check", "kind")
        if not isinstance(kind, Scalar) or kind.text in WITHOUT_APP:
            continue
        if app is None:
            problems.add(kind.at, f"a check of kind {kind.text} is about an app, and the pack has none")
        elif isinstance(app, Table) and not any(_required(app)):
            problems.add(app.at, "the app asks for no scope that it requires", expected="scopes of a resource")
        return


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
