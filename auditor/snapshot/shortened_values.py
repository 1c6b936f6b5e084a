"""Take out of a row what ``ConvertTo-Json`` cut below its depth, so that it counts as not read.

PowerShell prints a value below ``-Depth`` as text: an object as ``@{id=…}`` or as the name of its type, a list as
its items joined by spaces. The default depth is 2 (about_ConvertTo-Json, parameter Depth). Such text is never the
value, so a text where Graph has a list or an object is removed.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple, get_args, get_origin

import msgspec

from auditor.model.document import utc_text
from auditor.model.resources import AuthorizationPolicy
from auditor.snapshot.graph_json import BETA_ASSIGNED, OTHER_NAMES, bare_type, flattened


class Shortened(NamedTuple):
    """A row without its cut values; `row` is ``None`` if nothing dependable is left of it."""

    row: dict[str, Any] | None
    was_cut: bool


def without_cut_values(kind: type[msgspec.Struct], row: dict[str, Any]) -> Shortened:
    """The row of a section whose rows are of this class, without the values that PowerShell cut.

    A cut value is removed where its absence means *not known*; where its absence means something else, the
    object around it is removed instead.
    """
    cleaning = _Cleaning()
    cleaned = cleaning.struct(kind, row)
    return Shortened(None if cleaned is _CUT else cleaned, cleaning.was_cut)


_CUT: Any = object()
"""In place of a value that cannot be kept."""


class _Field(NamedTuple):
    kind: Any
    may_be_unknown: bool


class _Cleaning:
    """One pass over a row, which remembers whether anything was cut."""

    def __init__(self) -> None:
        self.was_cut = False

    def struct(self, kind: type[msgspec.Struct], raw: dict[str, Any]) -> Any:
        """The object without its cut values, or `_CUT`."""
        fields = _fields(kind)
        kept: dict[str, Any] = {}
        for key, value in flattened(raw).items():
            field = fields.get(key.lower())
            if field is None:
                kept[key] = value
                continue
            cleaned = self.value(field.kind, value)
            if cleaned is not _CUT:
                kept[key] = cleaned
            elif not field.may_be_unknown:
                return _CUT
        return kept

    def value(self, kind: Any, raw: Any) -> Any:
        """The value of a field of this type, or `_CUT`."""
        if raw is None:
            return None
        kind = bare_type(kind)
        if kind is str:
            return _date(raw) if isinstance(raw, str) else raw
        if kind in (bool, int):
            return raw
        if isinstance(raw, str):
            return self._cut()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self.struct(kind, raw) if isinstance(raw, dict) else raw
        if get_origin(kind) is tuple:
            return self._list(get_args(kind)[0], raw)
        return raw

    def _list(self, kind: Any, raw: Any) -> Any:
        items = raw.get("value", raw.get("Value")) if isinstance(raw, dict) else raw
        if not isinstance(items, list):
            return self._cut() if isinstance(items, str) else raw
        kept = [self.value(kind, item) for item in items]
        if bare_type(kind) is str and any(isinstance(item, str) and _TYPE_NAME.fullmatch(item) for item in items):
            return self._cut()
        # A list without one of its items would look complete.
        return _CUT if any(item is _CUT for item in kept) else kept

    def _cut(self) -> Any:
        self.was_cut = True
        return _CUT


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, _Field]:
    """The fields of a class by their names in lower case, with the names that they have in beta."""
    found = {f.name.lower(): _Field(f.type, f.default is None) for f in msgspec.structs.fields(kind)}
    others = {other: found[name.lower()] for other, name in OTHER_NAMES.get(kind, {}).items()}
    if kind is AuthorizationPolicy:
        others[BETA_ASSIGNED] = _Field(tuple[str, ...], may_be_unknown=True)
    return found | others


_TYPE_NAME = re.compile(r"System\.[\w.]+(?:\[\]|`\d.*)?|Microsoft\.Graph\.[\w.]*PowerShell\.[\w.]+|@\{.*\}", re.DOTALL)
_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _date(text: str) -> str:
    """Windows PowerShell's ``/Date(milliseconds)/`` as Graph writes a time; other texts unchanged."""
    if not (found := _DATE.fullmatch(text)):
        return text
    try:
        moment = _EPOCH + timedelta(milliseconds=int(found[1]))
    except OverflowError:
        return text
    return utc_text(moment)
