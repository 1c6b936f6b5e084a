"""Mistakes in a pack whose keys and types are correct: names that don't exist, arguments that contradict each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import msgspec.inspect as mi

from auditor.checks import kind_named, nested_arguments
from auditor.checks.kind import ArgumentProblem, alternatives
from auditor.checks.permission_lists import (
    is_delegated_only,
    misspelled_role,
    permission_id,
    resource_warning,
    scope_or_id,
)
from auditor.checks.typo_suggestions import nearest, neighbor_of_guid
from auditor.facts.ids import RESOURCE_NAMES, RESOURCES, is_guid
from auditor.model.sections import Sections
from auditor.packs import PackProblems, Position
from auditor.packs.decode_nodes import described, shape_of
from auditor.packs.yaml_nodes import (
    Broken,
    Entry,
    Items,
    Node,
    Scalar,
    Table,
    child,
    items_of,
    plain,
    tables_of,
    text_of,
)

APP_PLACEHOLDERS = (
    "{client-id}",
    "{app}",
    "{redirect-uri}",
    "{scopes}",
    "{admin-consent-link}",
    "{registered-consent-link}",
)
"""Placeholders that have a value only if the pack has an app."""


def check_semantics(
    document: Table, problems: PackProblems, *, samples: Collection[str] | None, is_complete: bool
) -> None:
    """Report the mistakes that keys and types don't show. `samples` are the names that cases may use."""
    app, rules = child(document, "app"), child(document, "rules")
    abstract = text_of(child(document, "abstract")) == "true"
    if isinstance(app, Table):
        _check_app(app, problems)
    if isinstance(rules, Items) and not rules.nodes:
        problems.add(rules.at, "rules is an empty list", expected="at least one rule")
    for rule in tables_of(rules):
        _check_arguments(child(rule, "check"), problems, has_app=app is not None or not is_complete or abstract)
        _check_cases(child(rule, "cases"), problems, samples)
    if is_complete and not abstract:
        _check_needs_app(app, rules, problems)


def _check_app(app: Table, problems: PackProblems) -> None:
    _check_assumption(app, app, problems)
    _check_publisher(app, problems)
    _check_listed_scopes(child(app, "scopes"), app, problems)
    _check_listed_scopes(child(app, "app-roles"), app, problems, of="role")
    _check_needed_apps(app, problems)
    names: dict[str, int] = {}
    for variant in _variants(app):
        if (scopes := child(app, "scopes")) is not None and not names:
            message = "the app has scopes and variants, which have their own scopes"
            problems.add(scopes.at, message, expected="scopes or variants")
        if (name := child(variant, "name")) is not None and (text := text_of(name)):
            if text in names:
                problems.add(name.at, f'the variant "{text}" is already on line {names[text]}')
            names.setdefault(text, name.at.line)
        _check_listed_scopes(child(variant, "scopes"), app, problems)


def _variants(app: Table) -> tuple[Table, ...]:
    return tables_of(child(app, "variants"))


def _check_publisher(app: Table, problems: PackProblems) -> None:
    """An app with the id of a verified publisher has one."""
    verified, publisher = child(app, "publisher-verified"), child(app, "verified-publisher-id")
    if verified is not None and publisher is not None and text_of(verified) == "false":
        message = "the publisher isn't verified, but has a verified-publisher-id"
        problems.add(verified.at, message, expected="publisher-verified: true")


def _check_needed_apps(app: Table, problems: PackProblems) -> None:
    """No app needs itself, and none is listed twice: an administrator could never add them in the order of the list."""
    own = child(app, "client-id")
    seen = {text_of(own).lower(): "the app itself"} if own is not None else {}
    for needed in tables_of(child(app, "also-needs")):
        if (node := child(needed, "client-id")) is None or not is_guid(text := text_of(node).lower()):
            continue
        if text in seen:
            problems.add(node.at, f"{text} is {seen[text]}", expected="another app that must be in the tenant first")
        seen.setdefault(text, f"already on line {node.at.line}")


def _check_listed_scopes(scopes: Node | None, app: Table, problems: PackProblems, *, of: str = "scope") -> None:
    """Each resource is listed once, and each of its scopes exists; `of` is ``role`` for application permissions."""
    by_id: dict[str, str] = {}
    for key, entry in scopes.entries.items() if isinstance(scopes, Table) else ():
        resource = RESOURCES.get(key, key.lower())
        if resource in by_id:
            problems.add(entry.at, f'"{key}" and "{by_id[resource]}" are the same resource', expected="one list")
        by_id[resource] = key
        if warning := resource_warning(key):
            problems.warn(entry.at, warning, near=neighbor_of_guid(key, RESOURCE_NAMES))
        _check_scopes(resource, entry.value, app, problems, of)


def _check_scopes(resource: str, node: Node, app: Table, problems: PackProblems, of: str) -> None:
    """Every scope or app role exists, is listed once, and names the source of an assumption."""
    noun = "app role" if of == "role" else of
    seen: dict[str, int] = {}
    for item in items_of(node):
        name = child(item, of) or item
        if not (isinstance(name, Scalar) and isinstance(name.value, str)):
            continue
        scope = name.value.strip()
        if scope.lower() in seen:
            problems.add(name.at, f'the {noun} "{scope}" is already on line {seen[scope.lower()]}')
        seen.setdefault(scope.lower(), name.at.line)
        if of == "role":
            _check_role(resource, scope, name.at, problems)
        elif wrong := scope_or_id(resource, scope):
            problems.add(name.at, f"the scope {wrong.message}", expected=wrong.expected, near=wrong.near)
        _check_assumption(item, app, problems)


def _check_role(resource: str, role: str, at: Position, problems: PackProblems) -> None:
    """An app role isn't a scope, and isn't a likely typo of a known one; most app roles aren't in any table here."""
    if is_delegated_only(role):
        message = f'"{role}" is a delegated permission, which belongs in scopes'
        problems.add(at, message, expected="an application permission, as in IMAP.AccessAsApp")
    elif near := misspelled_role(resource, role):
        known = RESOURCE_NAMES.get(resource, resource)
        problems.warn(at, f'the app role "{role}" isn\'t among those of {known} that this program knows', near=near)


def _check_assumption(node: Node, app: Table, problems: PackProblems) -> None:
    """An assumption has a source."""
    assumed = child(node, "assumed")
    if assumed is not None and text_of(assumed) == "true" and not (child(node, "source") or child(app, "source")):
        problems.add(assumed.at, "assumed without a source", expected="source: where the claim comes from")


def _check_arguments(check: Node | None, problems: PackProblems, *, has_app: bool) -> None:
    """Report the mistakes in the arguments of a check and of all checks inside it, at their positions."""
    if not isinstance(check, Table):
        return
    for path, arguments in nested_arguments(plain(check)):
        if kind := kind_named(arguments.get("kind")):
            for found in kind.problems(arguments, has_app=has_app):
                problem = found.below(*path)
                at = position_of(check, problem)
                if problem.is_warning:
                    problems.warn(at, problem.message, near=problem.near)
                else:
                    problems.add(at, problem.message, expected=problem.expected, near=problem.near)


def position_of(check: Table, problem: ArgumentProblem) -> Position:
    """The position of a problem in the arguments of a check."""
    node: Node = check
    entry: Entry | None = None
    for step in problem.path:
        if isinstance(node, Table) and isinstance(step, str):
            entry = node.entries[step]
            node = entry.value
        elif isinstance(node, Items) and isinstance(step, int):
            entry, node = None, node.nodes[step]
    return entry.at if problem.at_key and entry else node.at


def _check_cases(cases: Node | None, problems: PackProblems, samples: Collection[str] | None) -> None:
    """Cases have unique names, samples that exist, and changes that use Graph's names."""
    names: dict[str, Position] = {}
    for case in tables_of(cases):
        name, sample = child(case, "name"), child(case, "sample")
        if name is not None and (text := text_of(name)):
            if text in names:
                problems.add(name.at, f'the case "{text}" is already on line {names[text].line}')
            names.setdefault(text, name.at)
        if samples is not None and isinstance(sample, Scalar) and (text := text_of(sample)) not in samples:
            expected = alternatives(samples)
            problems.add(sample.at, f'unknown sample "{text}"', expected=expected, near=nearest(text, samples))
        if (patch := child(case, "set")) is not None and isinstance(patch, Table):
            check_patch(patch, problems)
            check_ids(patch, problems)


def _check_needs_app(app: Node | None, rules: Node | None, problems: PackProblems) -> None:
    """A check about an app, or a fix that mentions one, needs an app; and some checks need scopes that it requires."""
    for rule in tables_of(rules) if app is None else ():
        _check_placeholders(child(rule, "fix"), problems)
    for rule in tables_of(rules):
        check = child(rule, "check")
        for path, arguments in nested_arguments(plain(check)) if isinstance(check, Table) else ():
            kind = kind_named(arguments.get("kind"))
            if kind is None or not isinstance(check, Table):
                continue
            if app is None and kind.about_app:
                message = f"a check of kind {arguments['kind']} is about an app, and the pack has none"
                problems.add(position_of(check, ArgumentProblem((*path, "kind"), message)), message)
                return
            if isinstance(app, Table) and kind.uses_app_scopes(arguments):
                for one in _variants(app) or (app,):
                    if not any(_required_scopes(one)) and not (_needs_no_scopes(app) or _needs_no_scopes(one)):
                        what = "the app" if one is app else "this variant of the app"
                        problems.add(one.at, f"{what} requires no scope", expected="scopes of a resource")
                return


def _needs_no_scopes(app: Table) -> bool:
    """Whether the app may lack scopes: its registered permissions aren't known, or Entra refuses its requests."""
    mode = child(app, "request")
    return child(app, "faults") is not None or (mode is not None and text_of(mode) in ("default", "registered"))


def _check_placeholders(fix: Node | None, problems: PackProblems) -> None:
    texts = [child(fix, key) for key in ("link", "role", "note")]
    for node in (*texts, *items_of(child(fix, "portal"))):
        for placeholder in APP_PLACEHOLDERS:
            if node is not None and placeholder in text_of(node):
                problems.add(node.at, f"the placeholder {placeholder} is about an app, and the pack has none")


def _required_scopes(app: Table) -> Iterator[bool]:
    """For each scope of the app or variant, whether it is required."""
    scopes = child(app, "scopes")
    for entry in scopes.entries.values() if isinstance(scopes, Table) else ():
        for item in items_of(entry.value):
            yield text_of(child(item, "required")) != "false"


_Step = Callable[[Node, mi.Type, str], None]


def check_patch(node: Node, problems: PackProblems) -> None:
    """Report names that no section has, and values of a type that Graph doesn't return there."""
    _Patch(problems).merge(node, shape_of(Sections), "set")


class _Patch:
    def __init__(self, problems: PackProblems) -> None:
        self.problems = problems

    def merge(self, node: Node, shape: mi.Type, what: str) -> None:
        """A patch of a value that may exist: null removes it, and a table only needs the keys that it changes."""
        if isinstance(node, Scalar) and node.value is None:
            return
        shape = _not_null(shape)
        if isinstance(shape, mi.StructType) and isinstance(node, Table):
            self._fields(node, shape, self.merge)
        elif isinstance(shape, mi.DictType) and isinstance(node, Table):
            for key, entry in node.entries.items():
                self.merge(entry.value, shape.value_type, key)
        else:
            self.whole(node, shape, what)

    def whole(self, node: Node, shape: mi.Type, what: str) -> None:
        """A complete value, such as an entry of a list, which a merge patch replaces as a whole."""
        if isinstance(node, Broken) or (isinstance(node, Scalar) and node.value is None and _may_be_null(shape)):
            return
        shape = _not_null(shape)
        match shape, node:
            case mi.StructType(), Table():
                self._fields(node, shape, self.whole)
                self._required(node, shape)
            case mi.DictType(), Table():
                for key, entry in node.entries.items():
                    self.whole(entry.value, shape.value_type, key)
            case mi.VarTupleType(), Items():
                for item in node.nodes:
                    self.whole(item, shape.item_type, f"an entry of {what}")
            case mi.AnyType(), _:
                return
            case _, Scalar() if _is_of(node, shape):
                return
            case _:
                self.problems.add(node.at, f"{what} {described(node)}", expected=_EXPECTED[type(shape)])

    def _fields(self, node: Table, shape: mi.StructType, go_on: _Step) -> None:
        fields = {field.encode_name: field.type for field in shape.fields}
        for key, entry in node.entries.items():
            if key in fields:
                go_on(entry.value, fields[key], key)
                continue
            message = f'unknown name "{key[:80]}" in {_noun(shape)}'
            self.problems.add(entry.at, message, expected=alternatives(fields), near=nearest(key, fields))

    def _required(self, node: Table, shape: mi.StructType) -> None:
        for field in shape.fields:
            if field.required and field.encode_name not in node.entries:
                self.problems.add(node.at, f'{_noun(shape)} lacks "{field.encode_name}"')


_EXPECTED: dict[type, str] = {
    mi.StrType: "text",
    mi.BoolType: "true or false",
    mi.IntType: "a whole number",
    mi.StructType: "a table",
    mi.DictType: "a table",
    mi.VarTupleType: "a list",
}


def _noun(shape: mi.StructType) -> str:
    return "the sections of a snapshot" if shape.cls is Sections else f"a Graph {shape.cls.__name__}"


def _may_be_null(shape: mi.Type) -> bool:
    return isinstance(shape, mi.UnionType) and any(isinstance(member, mi.NoneType) for member in shape.types)


def _not_null(shape: mi.Type) -> mi.Type:
    """The type without null; Graph's properties have no other unions."""
    if isinstance(shape, mi.UnionType):
        return next(member for member in shape.types if not isinstance(member, mi.NoneType))
    return shape


def _is_of(node: Scalar, shape: mi.Type) -> bool:
    match shape:
        case mi.StrType():
            return isinstance(node.value, str)
        case mi.BoolType():
            return isinstance(node.value, bool)
        case mi.IntType():
            return isinstance(node.value, int) and not isinstance(node.value, bool)
    return False


def check_ids(patch: Table, problems: PackProblems) -> None:
    """Report permission ids of classifications and condition sets that belong to another resource or name."""
    classified = child(patch, "delegatedPermissionClassifications")
    for resource, entry in classified.entries.items() if isinstance(classified, Table) else ():
        for row in tables_of(entry.value):
            _check(resource.lower(), child(row, "permissionId"), child(row, "permissionName"), problems)
    for policy in tables_of(child(patch, "permissionGrantPolicies")):
        for name in ("includes", "excludes"):
            for conditions in tables_of(child(policy, name)):
                _condition_set(conditions, problems)


def _condition_set(conditions: Table, problems: PackProblems) -> None:
    resource = child(conditions, "resourceApplication")
    if isinstance(resource, Scalar) and is_guid(resource.text):
        for node in items_of(child(conditions, "permissions")):
            _check(resource.text.lower(), node, None, problems)


def _check(resource: str, node: Node | None, name: Node | None, problems: PackProblems) -> None:
    if not (isinstance(node, Scalar) and is_guid(node.text)):
        return
    text = name.text if isinstance(name, Scalar) and isinstance(name.value, str) else ""
    if wrong := permission_id(resource, node.text, text):
        problems.add(node.at, f"the permission id {wrong.message}", expected=wrong.expected, near=wrong.near)
