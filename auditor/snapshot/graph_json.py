"""Decode Graph's JSON, in any spelling that tools print, into the typed sections of a snapshot."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from auditor.model.field_types import NEVER_EMPTY, FieldText
from auditor.model.resources import (
    AGENT_IDENTITY,
    BLUEPRINT_PRINCIPAL,
    WHOLE_SET,
    AuthorizationPolicy,
    ConditionSet,
    ServicePrincipal,
)
from auditor.model.sections import Sections
from auditor.snapshot import Location, ShapeProblems, json_kind, root


def unwrapped(raw: Any) -> Any:
    """The list in a list response. Windows PowerShell wraps inner lists in the same way, with a ``Count``."""
    if not isinstance(raw, dict):
        return raw
    items = raw.get("value", raw.get("Value"))
    if not isinstance(items, list):
        return raw
    others = [key for key in raw if key.lower() not in ("value", "count") and "@" not in key]
    return raw if others else items


def as_list(raw: Any) -> Any:
    """A list, also if PowerShell printed a collection with one item as that item."""
    items = unwrapped(raw)
    return [items] if isinstance(items, dict) and items else items


def as_one(raw: Any) -> Any:
    """An object, also if Graph or a pipeline made it a collection with one item."""
    items = unwrapped(raw)
    return items[0] if isinstance(items, list) and len(items) == 1 else items


def as_it_is(raw: Any) -> Any:
    """The value unchanged."""
    return raw


def incomplete_reason(raw: Any) -> str:
    """Why this is not a complete response of Graph, or nothing."""
    if not isinstance(raw, dict):
        return ""
    error = raw.get("error")
    if isinstance(error, dict):
        return f"is an error that Graph answered ({error.get('code', 'no code')}); move it to unread"
    if raw.get("@odata.nextLink"):
        return "is only the first page (it has @odata.nextLink); put the items of all pages into one list"
    return ""


def decode_section(name: str, raw: object) -> Any:
    """The typed value of the section `name`. Raises a `ShapeError` that lists every problem.

    ``None`` for null: the section was not read. A list response must be complete: one with a next link is
    refused. Raises `KeyError` for an unknown section.
    """
    read = _section_reader(name)
    if raw is None:
        return None
    wrong = ShapeProblems()
    value = read(raw, (root("sections"), name), wrong)
    wrong.raise_if_any()
    return value


def row_reader(section: str) -> Reader:
    """The reader of one row of a section that is a list of objects."""
    field = next(field for field in msgspec.structs.fields(Sections) if field.name == section)
    read, blank = _reader(get_args(bare_type(field.type))[0]), _blank(bare_type(get_args(bare_type(field.type))[0]))
    return lambda raw, location, wrong: blank if raw is None else read(raw, location, wrong)


Reader = Callable[[Any, Location, ShapeProblems], Any]
_MISSING: Any = object()
"""What a reader returns after it reported a problem."""

_INCOMPLETE: Any = object()
"""What a reader returns for a list of text in which an entry is null or empty."""

OTHER_NAMES: dict[type, dict[str, str]] = {ServicePrincipal: {"publishedpermissionscopes": "oauth2PermissionScopes"}}
"""Names in beta (lower case) of properties that have another name in v1.0."""

NULL_MEANS: dict[type, dict[str, Any]] = {ServicePrincipal: {"verifiedPublisher": {}}}
"""Properties whose null has a meaning: an app without a verified publisher (Graph, "Get servicePrincipal")."""

_EMPTY_MEANS_DEFAULT = (ConditionSet,)
"""Classes in which an empty list means the default: an empty condition does not restrict."""

_POWERSHELLS = "AdditionalProperties"
"""The property in which PowerShell's SDK keeps what it doesn't know."""
_UNKNOWN_CONDITIONS = "unknownConditions"
"""The field of a class that names the properties which this version doesn't know, because each may be a condition."""

BETA_ASSIGNED = "permissiongrantpolicyidsassignedtodefaultuserrole"
"""The property in beta (lower case) of the authorization policy that v1.0 has in defaultUserRolePermissions."""


@cache
def _section_types() -> Mapping[str, Any]:
    return {field.name: bare_type(field.type) for field in msgspec.structs.fields(Sections)}


@cache
def _section_reader(name: str) -> Reader:
    """The reader of a section, made when the first snapshot has it: those of all sections take 10 ms."""
    read = _whole(_section_types()[name])
    return _lower(read) if name == "absentServicePrincipals" else read


def _whole(kind: Any) -> Reader:
    """The reader of a section, which unwraps responses of Graph and output of PowerShell."""
    read = _reader(kind)
    unwrap = as_list if get_origin(kind) is tuple else as_one if isinstance(kind, type) else as_it_is

    def read_section(raw: Any, location: Location, wrong: ShapeProblems) -> Any:
        if why := incomplete_reason(raw):
            wrong.append((location, why))
            return _MISSING
        return read(unwrap(raw), location, wrong)

    return read_section


def _reader(kind: Any) -> Reader:
    """The reader of one annotated type of the model."""
    return _bare_reader(bare_type(kind))


@cache
def _bare_reader(kind: Any) -> Reader:
    if kind in _SCALARS:
        return _scalar(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct(kind)
    arguments = get_args(kind)
    if get_origin(kind) is tuple:
        return _list(arguments[0])
    return _free_object if arguments[1] is Any else _by_app(_reader(arguments[1]))


def bare_type(kind: Any) -> Any:
    """The annotated type of a field without its null and without what it says of redaction."""
    while True:
        if get_origin(kind) in (Union, types.UnionType):
            (kind,) = (member for member in get_args(kind) if member is not type(None))
        elif get_origin(kind) is Annotated:
            kind = kind.__origin__
        else:
            return kind


_SCALARS: dict[Any, str] = {str: "text", bool: "true or false", int: "a whole number"}


def text_kind(kind: Any) -> FieldText | None:
    """What a text holds, by its annotated type; nothing for other values."""
    for member in get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,):
        if get_origin(member) is Annotated:
            return next((one for one in member.__metadata__ if isinstance(one, FieldText)), None)
    return None


def _scalar_of(kind: Any) -> type | None:
    """The class of the values of a field that holds a text, a boolean or a number."""
    bare = bare_type(kind)
    return bare if bare in _SCALARS else None


def _scalar(kind: type) -> Reader:
    expected = _SCALARS[kind]

    def read(raw: Any, location: Location, wrong: ShapeProblems) -> Any:
        if type(raw) is kind:
            return raw
        wrong.unexpected(location, expected, raw)
        return _MISSING

    return read


def _list(kind: Any) -> Reader:
    read_item, bare = _reader(kind), bare_type(kind)
    blank = _blank(bare)
    expected = f"a list of {_SCALARS.get(bare, 'objects')}"

    def read(raw: Any, location: Location, wrong: ShapeProblems) -> Any:
        items = unwrapped(raw)
        if not isinstance(items, list | tuple):
            wrong.unexpected(location, expected, raw)
            return _MISSING
        if bare is str and any(item is None or item == "" for item in items):
            return _INCOMPLETE
        return tuple([blank if item is None else read_item(item, (location, i), wrong) for i, item in enumerate(items)])

    return read


def _blank(kind: Any) -> Any:
    """What a null in a list becomes: an object of which nothing is known."""
    if kind is ConditionSet:
        return ConditionSet(unknownConditions=(WHOLE_SET,))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind(**dict.fromkeys(_required(kind), ""))
    return {}


def _required(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(kind) if field.required)


def _struct(kind: type[msgspec.Struct]) -> Reader:
    fields = msgspec.structs.fields(kind)
    known = {field.name: (field.name, _reader(field.type), _scalar_of(field.type)) for field in fields}
    by_lower = {name.lower(): entry for name, entry in known.items()}
    by_lower |= {other: known[name] for other, name in OTHER_NAMES.get(kind, {}).items()}
    lost = dict.fromkeys(_required(kind), "")
    null_means = NULL_MEANS.get(kind, {})
    never_empty = frozenset(field.name for field in fields if text_kind(field.type) in NEVER_EMPTY)
    drops_empty = kind in _EMPTY_MEANS_DEFAULT
    names_unknown = _UNKNOWN_CONDITIONS in known

    def read(raw: Any, location: Location, wrong: ShapeProblems) -> Any:
        if not isinstance(raw, dict):
            wrong.unexpected(location, "an object", raw)
            return _MISSING
        values: dict[str, Any] = {}
        unknown: list[str] = []
        for key, given in _arranged(kind, raw).items():
            name, read_value, plain = known.get(key) or by_lower.get(key.lower()) or _UNKNOWN
            if given is None:
                given = null_means.get(name)
            if given is None or (name in values and key != name):
                continue
            if read_value is None:
                # Microsoft adds conditions to a Conditional Access policy that are empty until somebody uses them.
                unknown += [key] if kind is ConditionSet or given not in ([], {}, "") else []
                continue
            # Most values are texts and booleans; a call for each takes a third of the time.
            value = given if type(given) is plain else read_value(given, (location, key), wrong)
            if value is _INCOMPLETE or (name in never_empty and isinstance(value, str) and not value.strip()):
                unknown.append(name)
            elif not (drops_empty and value == ()):
                values[name] = value
        if kind is ConditionSet and not values and not unknown:
            unknown.append(WHOLE_SET)
        elif kind is ConditionSet and "permissionType" not in values and not unknown:
            # The one condition that Graph requires, so that a set without it has lost it.
            unknown.append("permissionType")
        if names_unknown and (more := _unknown_conditions(unknown)):
            values[_UNKNOWN_CONDITIONS] = (*values.get(_UNKNOWN_CONDITIONS, ()), *more)
        return kind(**(lost | values))

    return read


def _unknown_conditions(names: Iterable[str]) -> tuple[str, ...]:
    """The conditions of which the content is not known: not annotations, and not what PowerShell itself adds."""
    return tuple(name for name in names if "@" not in name and name.lower() != _POWERSHELLS.lower())


_UNKNOWN: tuple[str, Reader | None, Any] = ("", None, None)


def flattened(raw: dict[str, Any]) -> dict[str, Any]:
    """The object with what PowerShell's SDK keeps apart, in ``AdditionalProperties``."""
    extra = raw.get(_POWERSHELLS)
    if not isinstance(extra, dict):
        return raw
    return {**extra, **{key: value for key, value in raw.items() if key != _POWERSHELLS}}


def _arranged(kind: type, raw: dict[str, Any]) -> dict[str, Any]:
    """The object in the structure of v1.0."""
    raw = flattened(raw)
    if kind is ServicePrincipal:
        return _with_kind_of_agent(raw)
    if kind is not AuthorizationPolicy:
        return raw
    lower = {key.lower(): key for key in raw}
    assigned = raw.get(lower.get(BETA_ASSIGNED, ""))
    inner = lower.get("defaultuserrolepermissions", "defaultUserRolePermissions")
    permissions = raw.get(inner) or {}
    if assigned is None or not isinstance(permissions, dict):
        return raw
    given = {key: value for key, value in permissions.items() if value is not None}
    return {**raw, inner: {"permissionGrantPoliciesAssigned": assigned, **given}}


def _with_kind_of_agent(raw: dict[str, Any]) -> dict[str, Any]:
    """The service principal with the kind that Graph names in an annotation, if it is an agent's or a blueprint's.

    Graph's reference lists no app id for an ``agentIdentity``, so the object id is used instead.
    """
    kind = str(raw.get("@odata.type") or raw.get("odataType") or "").rpartition(".")[2]
    found = next((one for one in (AGENT_IDENTITY, BLUEPRINT_PRINCIPAL) if one.lower() == kind.lower()), None)
    if found is None:
        return raw
    lower = {key.lower(): value for key, value in raw.items()}
    named = {"appId": lower["id"]} if found == AGENT_IDENTITY and not lower.get("appid") and "id" in lower else {}
    return {**raw, "odataType": found, **named}


def _by_app(read_items: Reader) -> Reader:
    """Lists by app id. The ids become lower case for look-ups."""

    def read(raw: Any, location: Location, wrong: ShapeProblems) -> Any:
        if not isinstance(raw, dict) or "value" in raw or "Value" in raw:
            what = "one answer of Graph" if isinstance(raw, dict) else json_kind(raw)
            wrong.append((location, f"expected an object with one list for each app id, found {what}"))
            return _MISSING
        lists: dict[str, Any] = {}
        for key, given in raw.items():
            if given is None or "@" in key:
                continue
            if key.lower() in lists:
                wrong.append(((location, key), "occurs twice, in different case"))
            if why := incomplete_reason(given):
                wrong.append(((location, key), why))
            else:
                lists[key.lower()] = read_items(as_list(given), (location, key), wrong)
        return lists

    return read


def _free_object(raw: Any, location: Location, wrong: ShapeProblems) -> Any:
    if isinstance(raw, dict):
        return _free(raw)
    wrong.unexpected(location, "an object", raw)
    return _MISSING


def _free(raw: Any) -> Any:
    """The value unchanged, except without nulls and annotations and with lower-case initials of properties."""
    if isinstance(raw, dict):
        kept = ((key, value) for key, value in raw.items() if value is not None and "@" not in key)
        return {key[:1].lower() + key[1:]: _free(value) for key, value in kept}
    if isinstance(raw, list):
        return [_free(item) for item in raw if item is not None]
    return raw


def _lower(read: Reader) -> Reader:
    """Texts in lower case: app ids, which are only compared."""

    def read_lower(raw: Any, location: Location, wrong: ShapeProblems) -> Any:
        value = read([item for item in raw if item] if isinstance(raw, list) else raw, location, wrong)
        return value if wrong else tuple(item.lower() for item in value)

    return read_lower
