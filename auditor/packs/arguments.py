"""The arguments of checks: what a check's types alone do not show to be wrong."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.packs import value_validators as words
from auditor.packs.conditions import LIST_TESTS, SCALAR_TESTS, check_condition, check_items
from auditor.packs.directory_settings import check_directory_setting
from auditor.packs.pack_errors import Problems, listed
from auditor.packs.permissions import check_permissions
from auditor.packs.policy_ids import check_named
from auditor.packs.yaml_nodes import Node, Scalar, Table, child, is_empty_list, items_of, text_of

_WORDINGS = ("allows", "forbids", "contains")


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
            check_condition(check, problems, SCALAR_TESTS)
        case "list":
            check_condition(check, problems, LIST_TESTS)
        case "every" | "count" as kind:
            check_items(check, problems, kind)
        case "directory-setting":
            check_directory_setting(check, problems)
        case "assigned-policies":
            _wording(check, problems)
        case "scopes-classified":
            _each((child(check, "level"),), words.level, "level", problems)
        case "user-consent-setting":
            _settings(check, problems)
        case "delegated-grants" | "classifications" | "users-can-consent" | "app-roles-held" as kind:
            check_permissions(check, problems, kind, has_app=has_app)
            _each((child(check, "level"),), words.level, "level", problems)


def nested(check: Node | None) -> Iterator[Table]:
    """A check and all checks in it."""
    if isinstance(check, Table):
        yield check
        for one in items_of(child(check, "checks")):
            yield from nested(one)
        yield from nested(child(check, "check"))


def _parts(check: Table, problems: Problems, has_app: bool) -> None:
    checks = child(check, "checks")
    if checks is not None and is_empty_list(checks):
        problems.add(checks.at, "checks is an empty list", expected="at least one check")
    for one in items_of(checks):
        check_arguments(one, problems, has_app=has_app)


def _wording(check: Table, problems: Problems) -> None:
    """What the text of a benchmark says is said of some policy, by ids that exist."""
    wording = child(check, "wording")
    if not isinstance(wording, Table):
        return
    given = [name for name in _WORDINGS if name in wording.entries]
    if len(given) != 1:
        message = f"a wording has {' and '.join(given) or 'nothing to go by'}"
        problems.add(wording.at, message, expected=f"one of {', '.join(_WORDINGS[:-1])} and {_WORDINGS[-1]}")
    for name in given:
        ids = wording.entries[name].value
        if is_empty_list(ids):
            problems.add(ids.at, f"{name} is an empty list", expected="at least one id of a policy")
        check_named(ids, problems)


def _settings(check: Table, problems: Problems) -> None:
    allowed = child(check, "allowed")
    if allowed is not None and is_empty_list(allowed):
        problems.add(allowed.at, "allowed is an empty list", expected=listed(words.SETTINGS))
    _each(items_of(allowed), words.setting, "allowed", problems)


def _each(nodes: tuple[Node | None, ...], must: words.Check, what: str, problems: Problems) -> None:
    for node in nodes:
        if isinstance(node, Scalar) and isinstance(node.value, str) and (wrong := must(node.value.strip())):
            problems.add(node.at, f"{what}: {wrong.message}", expected=wrong.expected, near=wrong.near)
