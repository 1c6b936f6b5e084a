"""Values of a snapshot by their path, and tests on them: true, false, or not known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from msgspec import UNSET, UnsetType

from auditor.consent.lookup import NotRead, not_read
from auditor.consent.truth import Truth, all_of, known
from auditor.model.checks import Contains, DirectorySettingIs, Match, Setting, Test
from auditor.model.resources import OAuth2PermissionGrant, Resource, ServicePrincipal, VerifiedPublisher
from auditor.model.sections import SECTIONS
from auditor.model.snapshot import Snapshot


class Missing(NamedTuple):
    """A property that Graph left out; `means` is the value that this is documented to stand for."""

    means: Any = UNSET


_NULL: Mapping[tuple[type, str], Any] = {
    (VerifiedPublisher, "verifiedPublisherId"): None,
    (VerifiedPublisher, "displayName"): None,
    (ServicePrincipal, "isDisabled"): False,
    (ServicePrincipal, "disabledByMicrosoftStatus"): None,
    (OAuth2PermissionGrant, "principalId"): None,
}
"""Properties whose null is an answer, as their classes say; every other null is a value that is not known."""

_NAMES = ("displayName", "name", "permissionName", "appDisplayName", "userPrincipalName", "query", "id", "appId")


class Items(NamedTuple):
    """The items of a list; `partial` says why there may be more than these."""

    rows: tuple[Resource, ...]
    partial: str = ""


def value_at(snapshot: Snapshot, path: str) -> Any:
    """The value at a dotted path that starts with a section, `Missing`, or `NotRead`."""
    section, _, rest = path.partition(".")
    found = getattr(snapshot.sections, section)
    if found is None:
        return not_read(snapshot, section)
    value = property_of(found, rest)
    return NotRead(section, f"{value.why} of {section}") if isinstance(value, NotRead) else value


def property_of(item: Any, path: str) -> Any:
    """The property of an item at a dotted path, `Missing`, or `NotRead` where the way to it is not known."""
    steps = path.split(".") if path else []
    for number, name in enumerate(steps):
        parent, item = item, getattr(item, name)
        if item is None and number < len(steps) - 1:
            return NotRead("", f"{'.'.join(steps[: number + 1])} was not read")
        if item is None:
            return Missing(_NULL.get((type(parent), name), UNSET))
    return item


def items_at(snapshot: Snapshot, path: str) -> Items | NotRead:
    """The items of the list at a dotted path, through lists and by-app tables alike."""
    section, _, rest = path.partition(".")
    found = getattr(snapshot.sections, section)
    if found is None:
        return not_read(snapshot, section)
    partial = covered(snapshot, section)
    rows: list[Any] = list(_flat(found))
    for name in rest.split(".") if rest else []:
        deeper: list[Any] = []
        for row in rows:
            if (value := getattr(row, name)) is None:
                partial = partial or f"{name} was not read everywhere in {section}"
            else:
                deeper += _flat(value)
        rows = deeper
    return Items(tuple(rows), partial)


def covered(snapshot: Snapshot, section: str) -> str:
    """Why a section does not hold everything that there is of its kind in the tenant; empty if it does."""
    if SECTIONS[section].only_by_app:
        return f"{section} can only be read app by app"
    if section in snapshot.covers:
        return f"{section} was read in part only ({len(snapshot.covers[section])} asked for)"
    part = next((name for name in sorted(snapshot.unread) if name.startswith(f"{section}/")), None)
    return not_read(snapshot, section, part.partition("/")[2]).why if part else ""


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for rows in value.values():
            yield from rows
    elif isinstance(value, tuple):
        yield from value
    else:
        yield value


def name_of(item: Any) -> str:
    """What to call an item in evidence."""
    for name in _NAMES:
        if text := getattr(item, name, None):
            return str(text)
    return " ".join(str(v) for name in ("clientId", "principalId", "appRoleId") if (v := getattr(item, name, None)))


def all_hold(tests: Iterable[Test], item: Any) -> Truth:
    """Whether every test holds of the item."""
    return all_of(holds(test, property_of(item, test.path)) for test in tests)


def holds(test: Test | Setting | Contains | DirectorySettingIs, value: Any) -> Truth:
    """Whether the one test that is given holds of a value."""
    if isinstance(value, NotRead):
        return Truth.UNKNOWN
    missing_means = getattr(test, "missing_means", UNSET)
    if isinstance(value, Missing):
        value = value.means if isinstance(missing_means, UnsetType) else missing_means
        if value is UNSET:
            return Truth.UNKNOWN
    for name, check in _TESTS.items():
        wanted = getattr(test, name, UNSET)
        if wanted is not UNSET:
            return check(value, wanted, getattr(test, "match", "id"))
    return Truth.UNKNOWN


def wanted_by(test: Test | Setting | Contains | DirectorySettingIs) -> str:
    """What the test asks for, in words."""
    for name, words in _WORDS.items():
        wanted = getattr(test, name, UNSET)
        if wanted is UNSET:
            continue
        if name == "present":
            return "a value" if wanted else "no value"
        return f"{words}{shown(wanted)}"
    return ""


def same(a: Any, b: Any) -> bool:
    """Equal, where letter case does not count and Graph's text ``"True"`` is true."""
    return _plain(a) == _plain(b)


def _plain(value: Any) -> str:
    return str(value).strip().lower()


def shown(value: Any) -> str:
    """A value in words: as JSON writes it, a list by its items."""
    if isinstance(value, tuple):
        return ", ".join(map(shown, value)) or "an empty list"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _matches(entry: str, wanted: str, match: Match) -> bool:
    if match == "exact":
        return entry == wanted
    entry, wanted = entry.lower(), wanted.lower()
    return entry.startswith(wanted) if match == "prefix" else entry == wanted


def matching(entries: Iterable[str], wanted: Iterable[str], match: Match) -> tuple[str, ...]:
    """The entries that are like any of the wanted ones."""
    listed = tuple(wanted)
    return tuple(entry for entry in entries if any(_matches(entry, one, match) for one in listed))


def _number(value: Any, within: Callable[[int], bool]) -> Truth:
    return known(within(value)) if type(value) is int else Truth.UNKNOWN


_TESTS: Mapping[str, Callable[[Any, Any, Match], Truth]] = {
    "equals": lambda value, wanted, _: known(same(value, wanted)),
    "one_of": lambda value, wanted, _: known(any(same(value, one) for one in wanted)),
    "at_most": lambda value, wanted, _: _number(value, lambda n: n <= wanted),
    "at_least": lambda value, wanted, _: _number(value, lambda n: n >= wanted),
    "present": lambda value, wanted, _: known((value not in (None, "", ())) == wanted),
    "none_of": lambda value, wanted, match: known(not matching(value or (), wanted, match)),
    "any_of": lambda value, wanted, match: known(bool(matching(value or (), wanted, match))),
    "all_of": lambda value, wanted, match: known(all(matching(value or (), (one,), match) for one in wanted)),
}
_WORDS = {
    "equals": "",
    "one_of": "one of ",
    "at_most": "at most ",
    "at_least": "at least ",
    "present": "",
    "none_of": "none of ",
    "all_of": "all of ",
    "any_of": "any of ",
}
