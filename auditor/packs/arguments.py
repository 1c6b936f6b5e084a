"""The arguments of checks: what a check's types alone do not show to be wrong."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.checks import TEMPLATES
from auditor.model.scope_lists import APP_ROLES, RESOURCES, SCOPE_LISTS
from auditor.model.wellknown import POLICY_LEGACY, POLICY_LOW, POLICY_MAIL_CLIENTS, POLICY_RECOMMENDED
from auditor.packs import words
from auditor.packs.errors import Problems, listed, nearest
from auditor.packs.paths import ITEMS, TEXTS, Leaf, items_at, leaf_at
from auditor.packs.positions import Items, Node, Scalar, Table, child
from auditor.packs.shapes import Wrong

SCALAR_TESTS = ("equals", "one-of", "at-most", "at-least", "present")
LIST_TESTS = ("none-of", "all-of", "any-of")
POLICIES = (POLICY_LEGACY, POLICY_LOW, POLICY_RECOMMENDED, POLICY_MAIL_CLIENTS)
_OTHER_KEYS = ("kind", "path", "of", "where", "has", "name", "template", "match", "missing-means", "skip-when-missing")
_ASSIGNED = "permissionGrantPoliciesAssigned"
_SETTING_NAMES = (
    "EnableGroupSpecificConsent",
    "ConstrainGroupSpecificConsentToMembersOfGroupId",
    "BlockUserConsentForRiskyApps",
    "EnableAdminConsentRequests",
)
"""The values of the template "Consent Policy Settings" (Graph, "groupSetting: templates")."""


def check_arguments(check: Node | None, problems: Problems, *, has_app: bool = True) -> None:
    """Report what is wrong with the arguments of a check, and of the checks in it."""
    if not isinstance(check, Table):
        return
    match text_of(child(check, "kind")):
        case "any" | "all":
            _parts(check, problems, has_app)
        case "not":
            check_arguments(child(check, "check"), problems, has_app=has_app)
        case "setting":
            _path_and_test(check, problems, (*SCALAR_TESTS,))
        case "list":
            _path_and_test(check, problems, LIST_TESTS)
        case "every" | "count" as kind:
            _items(check, problems, kind)
        case "directory-setting":
            _directory_setting(check, problems)
        case "assigned-policies":
            _wording(check, problems)
        case "scopes-classified":
            _each([child(check, "level")], words.level, "level", problems)
        case "user-consent-setting":
            _settings(check, problems)
        case "delegated-grants" | "classifications" | "users-can-consent" | "app-roles-held" as kind:
            _permissions(check, problems, kind, has_app)


def nested(check: Node | None) -> Iterator[Table]:
    """A check and all checks in it."""
    if isinstance(check, Table):
        yield check
        inner = child(check, "checks")
        for one in inner.nodes if isinstance(inner, Items) else ():
            yield from nested(one)
        yield from nested(child(check, "check"))


def _parts(check: Table, problems: Problems, has_app: bool) -> None:
    checks = child(check, "checks")
    if isinstance(checks, Items) and not checks.nodes:
        problems.add(checks.at, "checks is an empty list", expected="at least one check")
    for one in checks.nodes if isinstance(checks, Items) else ():
        check_arguments(one, problems, has_app=has_app)


def _path_and_test(check: Table, problems: Problems, tests: tuple[str, ...], root: Leaf | None = None) -> None:
    """The path exists, and the one test that is given fits what stands there."""
    given = _one_test(check, problems, tests)
    path = child(check, "path")
    if not (isinstance(path, Scalar) and isinstance(path.value, str) and path.value.strip()):
        return
    found = leaf_at(path.value.strip(), root.item if root else None)
    if isinstance(found, Wrong):
        problems.add(path.at, f"path: {found.message}", expected=found.expected, near=found.near)
        return
    if found.kind == ITEMS or found.kind == "a table":
        hint = "every or count" if found.kind == ITEMS else "a path that goes on to one of its properties"
        problems.add(path.at, f"path: {path.text} is {found.kind}", expected=hint)
        return
    for name in (*given, "missing-means"):
        if (value := child(check, name)) is not None:
            _fits(name, value, found, path.text, problems)
    if path.text.endswith(_ASSIGNED):
        for name in LIST_TESTS:
            _warn_of_policies(child(check, name), problems)


def _one_test(check: Table, problems: Problems, tests: tuple[str, ...]) -> list[str]:
    given = [name for name in tests if name in check.entries]
    anything = any(nearest(key, (*SCALAR_TESTS, *LIST_TESTS)) for key in check.entries if key not in _OTHER_KEYS)
    if not given and not anything:
        problems.add(check.at, "no test is given", expected=f"exactly one of {listed(tests)}")
    for name in given[1:]:
        at = check.entries[name].at
        problems.add(at, f"{name} is a second test beside {given[0]}", expected="exactly one test")
    return given


def _fits(name: str, value: Node, found: Leaf, path: str, problems: Problems) -> None:
    """The test, and the value that it compares with, are of the kind that stands at the path."""
    if name in LIST_TESTS and found.kind != TEXTS:
        problems.add(value.at, f"{name} is for a list, and {path} is {found.kind}", expected=listed(SCALAR_TESTS))
        return
    if found.kind == TEXTS:
        if name not in (*LIST_TESTS, "present"):
            problems.add(value.at, f"{name} does not fit {path}, which is a list of text", expected=listed(LIST_TESTS))
        elif isinstance(value, Items) and not value.nodes:
            problems.add(value.at, f"{name} is an empty list", expected="at least one text")
        return
    if name in ("at-most", "at-least") and found.kind != "a whole number":
        problems.add(value.at, f"{name} does not fit {path}, which is {found.kind}", expected="equals or one-of")
        return
    if name == "present":
        return
    if isinstance(value, Items) and not value.nodes:
        problems.add(value.at, f"{name} is an empty list", expected="at least one value")
    for node in value.nodes if isinstance(value, Items) else (value,):
        if isinstance(node, Scalar) and node.value is not None and _kind_of(node) != found.kind:
            problems.add(node.at, f"{name}: {path} is {found.kind}, and this is {_kind_of(node)}", expected=found.kind)


def _kind_of(node: Scalar) -> str:
    if isinstance(node.value, bool):
        return "true or false"
    return "a whole number" if isinstance(node.value, int) else "text"


def _items(check: Table, problems: Problems, kind: str) -> None:
    """`of` is a list of items, and every test in it is about a property of those."""
    of = child(check, "of")
    found: Leaf | Wrong | None = None
    if isinstance(of, Scalar) and isinstance(of.value, str) and of.value.strip():
        found = items_at(of.value.strip())
        if isinstance(found, Wrong):
            problems.add(of.at, f"of: {found.message}", expected=found.expected, near=found.near)
        elif found.kind != ITEMS:
            problems.add(of.at, f"of: {of.text} is {found.kind}", expected="a list of items")
    if kind == "count":
        _one_test(check, problems, ("at-most", "at-least"))
    has = child(check, "has")
    if isinstance(has, Items) and not has.nodes:
        problems.add(has.at, "has is an empty list", expected="at least one test")
    for name in ("where", "has"):
        tests = child(check, name)
        for test in tests.nodes if isinstance(tests, Items) else ():
            if isinstance(test, Table) and isinstance(found, Leaf) and found.kind == ITEMS:
                _path_and_test(test, problems, (*SCALAR_TESTS, *LIST_TESTS), found)


def _directory_setting(check: Table, problems: Problems) -> None:
    _one_test(check, problems, ("equals", "one-of", "present"))
    template, name = child(check, "template"), child(check, "name")
    text = text_of(template) or "consent-policy-settings"
    if isinstance(template, Scalar) and text not in TEMPLATES and not words.is_guid(text):
        expected = f"{listed(TEMPLATES)}, or the id of a template"
        problems.add(
            template.at, f'template: "{text}" is no template', expected=expected, near=nearest(text, TEMPLATES)
        )
    if text in TEMPLATES and isinstance(name, Scalar) and (value := text_of(name)) not in _SETTING_NAMES:
        near = nearest(value, _SETTING_NAMES)
        problems.add(name.at, f'name: {text} holds no "{value}"', expected=listed(_SETTING_NAMES), near=near)
    if text_of(child(check, "skip-when-missing")) == "true" and (means := child(check, "missing-means")):
        problems.add(means.at, "missing-means says otherwise than skip-when-missing", expected="one of the two")


def _wording(check: Table, problems: Problems) -> None:
    wording = child(check, "wording")
    if not isinstance(wording, Table):
        return
    given = [name for name in ("allows", "forbids", "contains") if name in wording.entries]
    if len(given) != 1:
        problems.add(
            wording.at,
            f"a wording has {' and '.join(given) or 'nothing to go by'}",
            expected="one of allows, forbids and contains",
        )
    for name in given:
        _warn_of_policies(child(wording, name), problems)


def _warn_of_policies(node: Node | None, problems: Problems) -> None:
    """Policies are the tenant's own, so an unknown id is only a doubt."""
    for item in node.nodes if isinstance(node, Items) else ():
        if (text := text_of(item)) and "." in text:
            text = text.partition(".")[2]
        if text.lower().startswith("microsoft-user-") and text.lower() not in POLICIES:
            problems.warn(item.at, f'"{text}" is no policy of Microsoft\'s that is known', near=nearest(text, POLICIES))


def _settings(check: Table, problems: Problems) -> None:
    allowed = child(check, "allowed")
    if isinstance(allowed, Items) and not allowed.nodes:
        problems.add(allowed.at, "allowed is an empty list", expected=listed(words.SETTINGS))
    _each(list(allowed.nodes) if isinstance(allowed, Items) else [], words.setting, "allowed", problems)


def _permissions(check: Table, problems: Problems, kind: str, has_app: bool) -> None:
    """Lists that exist, scopes that exist on their resource, and something to ask about."""
    known = tuple(APP_ROLES) if kind == "app-roles-held" else SCOPE_LISTS
    lists = child(check, "lists")
    for item in lists.nodes if isinstance(lists, Items) else ():
        if (text := text_of(item)) and text not in known:
            problems.add(item.at, f'"{text}" is no list', expected=listed(known), near=nearest(text, known))
    _each([child(check, "level")], words.level, "level", problems)
    scopes = child(check, "scopes")
    for key, entry in scopes.entries.items() if isinstance(scopes, Table) else ():
        if wrong := words.resource(key):
            problems.add(entry.at, f"scopes: {wrong.message}", expected=wrong.expected, near=wrong.near)
            continue
        for item in entry.value.nodes if isinstance(entry.value, Items) else ():
            if (text := text_of(item)) and (wrong := words.scope_or_id(RESOURCES.get(key, key.lower()), text)):
                problems.add(item.at, f"the scope {wrong.message}", expected=wrong.expected, near=wrong.near)
    named = any(isinstance(node := child(check, k), Items | Table) and _is_full(node) for k in ("lists", "scopes"))
    if not named and kind in ("classifications", "app-roles-held"):
        problems.add(check.at, f"a check of kind {kind} names no permissions", expected="lists or scopes")
    if kind == "users-can-consent" and not has_app:
        if "asked-by" not in check.entries:
            problems.add(check.at, "the pack has no app, so the check must name one", expected="asked-by")
        if not named:
            problems.add(check.at, "the pack has no app, so the check must name scopes", expected="lists or scopes")


def _is_full(node: Items | Table) -> bool:
    return bool(node.nodes if isinstance(node, Items) else node.entries)


def _each(nodes: list[Node | None], must: words.Check, what: str, problems: Problems) -> None:
    for node in nodes:
        if isinstance(node, Scalar) and isinstance(node.value, str) and (wrong := must(node.value.strip())):
            problems.add(node.at, f"{what}: {wrong.message}", expected=wrong.expected, near=wrong.near)


def text_of(node: Node | None) -> str:
    """The text of a scalar, without the spaces around it."""
    return node.text.strip() if isinstance(node, Scalar) else ""
