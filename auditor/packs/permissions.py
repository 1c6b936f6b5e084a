"""Lists, scopes and whose they are, in the checks on what users may consent to and on what was granted."""

from __future__ import annotations

from auditor.facts.ids import RESOURCE_NAMES
from auditor.facts.scope_lists import APP_ROLES, RESOURCES, SCOPE_LISTS
from auditor.packs import value_validators as words
from auditor.packs.pack_errors import Problems, listed, nearest
from auditor.packs.typo_suggestions import neighbour_of_guid
from auditor.packs.yaml_nodes import Entry, Table, child, is_empty_list, items_of, text_of


def check_permissions(check: Table, problems: Problems, kind: str, *, has_app: bool) -> None:
    """Report lists and scopes that do not exist, and a check that asks about nothing."""
    _lists(check, tuple(APP_ROLES) if kind == "app-roles-held" else SCOPE_LISTS, problems)
    scopes = child(check, "scopes")
    if isinstance(scopes, Table) and not scopes.entries:
        problems.add(scopes.at, "scopes is empty", expected="scopes of a resource")
    for entry in scopes.entries.values() if isinstance(scopes, Table) else ():
        _scopes(entry, problems)
    if kind == "classifications" and names_none(check):
        problems.add(check.at, f"a check of kind {kind} names no permissions", expected="lists or scopes")
    if kind == "users-can-consent" and not has_app:
        if "asked-by" not in check.entries:
            problems.add(check.at, "the pack has no app, so the check must name one", expected="asked-by")
        if names_none(check):
            problems.add(check.at, "the pack has no app, so the check must name scopes", expected="lists or scopes")
    _gone(check, problems)


def names_none(check: Table) -> bool:
    """Whether the check names no permission: one of kind ``users-can-consent`` is then about what the app requires."""
    return "lists" not in check.entries and "scopes" not in check.entries


def doubt_resource(entry: Entry, problems: Problems) -> None:
    """Doubt an id that is real, and beside that of a well-known resource."""
    if near := neighbour_of_guid(entry.key, RESOURCE_NAMES):
        problems.warn(entry.at, f'"{entry.key}" is not the id of {RESOURCE_NAMES[near]}', near=near)


def _lists(check: Table, known: tuple[str, ...], problems: Problems) -> None:
    lists = child(check, "lists")
    if lists is not None and is_empty_list(lists):
        problems.add(lists.at, "lists is an empty list", expected=f"at least one of {listed(known)}")
    for item in items_of(lists):
        if (text := text_of(item)) and text not in known:
            problems.add(item.at, f'"{text}" is no list', expected=listed(known), near=nearest(text, known))


def _scopes(entry: Entry, problems: Problems) -> None:
    """The scopes of one resource."""
    if wrong := words.resource(entry.key):
        problems.add(entry.at, f"scopes: {wrong.message}", expected=wrong.expected, near=wrong.near)
        return
    doubt_resource(entry, problems)
    if is_empty_list(entry.value):
        problems.add(entry.value.at, f"scopes: {entry.key} is an empty list", expected="at least one scope")
    resource = RESOURCES.get(entry.key, entry.key.lower())
    for item in items_of(entry.value):
        if (text := text_of(item)) and (wrong := words.scope_or_id(resource, text)):
            problems.add(item.at, f"the scope {wrong.message}", expected=wrong.expected, near=wrong.near)


def _gone(check: Table, problems: Problems) -> None:
    """Of an app that is gone nothing else is known, so that a check that asks for more finds nothing, ever."""
    state = child(check, "state")
    if state is None or text_of(state) != "gone":
        return
    for name in ("publisher", "owner"):
        if (node := child(check, name)) is not None and text_of(node) != "any":
            message = f"no app is found that is gone and of {name} {text_of(node)}: the directory no longer says"
            problems.add(node.at, message, expected=f"state: gone without {name}, or another state")
