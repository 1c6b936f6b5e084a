"""An entry of the directory's audit log: when, who, what it names, and which properties it changed.

Sources: Microsoft Graph v1.0, ``directoryAudit``, ``targetResource`` and ``modifiedProperty``. The values of a modified
property are JSON inside texts. The spelling of keys varies between Graph's own samples, so letter case doesn't count.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from auditor.model.access_resources import DirectoryAudit
from auditor.model.difference import Actor, ActorKind
from auditor.model.document import stated_time

_SUCCESS = "success"


class ModifiedProperty(NamedTuple):
    """A property that an entry changed, with its name in lower case and its values without their quotation marks."""

    name: str
    old: str
    new: str


class AuditTarget(NamedTuple):
    """An object that an entry is about. `id` and the names of its properties are in lower case."""

    id: str
    name: str
    properties: tuple[ModifiedProperty, ...]

    def new(self, name: str) -> str:
        """The new value of a property (lower case); empty if the entry doesn't have it."""
        return next((one.new for one in self.properties if one.name == name), "")


def audit_time(text: str | None) -> datetime | None:
    """The UTC time of an entry; none if it has none, or one without an offset."""
    try:
        found = datetime.fromisoformat(stated_time(text or ""))
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def activity_of(entry: DirectoryAudit) -> str:
    """The name of what happened, in lower case."""
    return (entry.activityDisplayName or "").lower()


def succeeded(entry: DirectoryAudit) -> bool:
    """Whether the entry records something that happened, and not an attempt that failed."""
    return (entry.result or _SUCCESS).lower() == _SUCCESS


def targets_of(entry: DirectoryAudit) -> Iterator[AuditTarget]:
    """The objects that the entry is about, in its order."""
    for row in entry.targetResources:
        target = _by_lower_key(row)
        rows = target.get("modifiedproperties")
        changed = (_by_lower_key(one) for one in (rows if isinstance(rows, list) else ()) if isinstance(one, Mapping))
        yield AuditTarget(
            id=str(target.get("id") or "").lower(),
            name=str(target.get("displayname") or ""),
            properties=tuple(
                ModifiedProperty(
                    str(one.get("displayname") or "").lower(), _text(one.get("oldvalue")), _text(one.get("newvalue"))
                )
                for one in changed
            ),
        )


def details_of(entry: DirectoryAudit) -> Mapping[str, str]:
    """The additional details of the entry, by key in lower case."""
    rows = map(_by_lower_key, entry.additionalDetails)
    return {str(row.get("key") or "").lower(): str(row.get("value") or "") for row in rows}


def names_in(entry: DirectoryAudit) -> frozenset[str]:
    """Every word, in lower case, by which the entry names an object or a value."""
    found: set[str] = set()
    for target in targets_of(entry):
        found.update({target.id, target.name.lower()} - {""})
        for one in target.properties:
            found.update(words(one.old))
            found.update(words(one.new))
    return frozenset(found)


def words(value: Any) -> Iterator[str]:
    """The words in a value, in lower case: JSON in a text, or a text that isn't JSON."""
    if isinstance(value, str):
        inner = _json(value)
        if inner is None or isinstance(inner, (str, int, float)):
            yield from str(value if inner is None else inner).strip('"').lower().replace(",", " ").split()
        else:
            yield from words(inner)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from words(item)
    elif isinstance(value, list):
        for item in value:
            yield from words(item)


def actor_of(entry: DirectoryAudit) -> Actor | None:
    """The user or app that the entry names; none if it names nobody."""
    if not isinstance(entry.initiatedBy, Mapping):
        return None
    initiated = _by_lower_key(entry.initiatedBy)
    for kind, names, ids in (
        (ActorKind.USER, ("userprincipalname", "displayname"), ("id",)),
        (ActorKind.APP, ("displayname",), ("appid", "serviceprincipalid")),
    ):
        row = initiated.get(kind.value)
        if isinstance(row, Mapping):
            one = _by_lower_key(row)
            name = next((str(one[key]) for key in names if one.get(key)), "")
            own_id = next((str(one[key]) for key in ids if one.get(key)), "")
            if name or own_id:
                return Actor(kind=kind, name=name, id=own_id)
    return None


def _by_lower_key(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key.lower(): value for key, value in row.items()}


def _text(value: Any) -> str:
    """A value as text: a JSON string without its quotation marks, anything else as the entry has it."""
    if not isinstance(value, str):
        return "" if value is None else json.dumps(value)
    inner = _json(value)
    return inner if isinstance(inner, str) else value


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
