"""A snapshot without names: tokens for the tenant, its people and its objects, the same verdicts.

What stays are the ids and names that Microsoft and vendors publish, and numbers, switches and times. Everything
else becomes a token (`auditor.snapshot.tokens`), field by field (`auditor.snapshot.fields`); free text goes. The
snapshot is walked twice: the first time to learn every name and id in it, the second time to leave them out,
also where they stand inside the few texts that stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, NamedTuple, TypeVar

import msgspec

from auditor.model.app import App
from auditor.model.resources import PermissionGrantPolicy, RoleDefinition, ServicePrincipal
from auditor.model.snapshot import Snapshot
from auditor.model.waiver import Waiver, WaiverFile
from auditor.snapshot.dictionary import Dictionary, Shapes
from auditor.snapshot.fields import FIELDS, KEYS, Holds
from auditor.snapshot.public import Public, is_microsofts_policy
from auditor.snapshot.replace import Replacing
from auditor.snapshot.tokens import REDACTED, Tokens, is_guid

Struct = TypeVar("Struct", bound=msgspec.Struct)


class Redactor:
    """The tokens for one snapshot, and for whatever else is said about its tenant. Pure, given the key.

    `asked` are the apps that are judged; their ids, scopes and addresses stay readable.
    """

    def __init__(self, key: bytes, snapshot: Snapshot, asked: Iterable[App] = ()) -> None:
        tokens = Tokens(key)
        public = Public(snapshot, asked)
        shapes = Shapes(self._guid, self._person, self._host)
        self._dictionary = Dictionary(shapes)
        self._replacing = Replacing(tokens, public, self._dictionary)
        self._public = public
        self._replacing.learning = True
        self._walk(snapshot, _Place())
        self._replacing.learning = False
        self.snapshot: Snapshot = self._walk(snapshot, _Place())
        """The snapshot without names."""

    @property
    def originals(self) -> dict[str, str]:
        """What each token that was handed out stands for: for the sender alone."""
        return dict(sorted(self._replacing.originals.items()))

    def text(self, text: str) -> str:
        """A text with tokens for everything of the tenant that stands in it."""
        return self._replacing.scrub(text)

    def part(self, name: str) -> str:
        """The token of a user, group, policy or app that somebody named, as it is in the snapshot."""
        return self._replacing.part(name)

    def words_of(self, value: Struct) -> Struct:
        """The same value, with `text` done to every text in it."""
        redacted: Struct = _each_text(value, self.text)
        return redacted

    def waived(self, file: WaiverFile) -> WaiverFile:
        """A waiver file without the names of those who answer for it, and without their reasons."""
        return msgspec.structs.replace(file, name=self.text(file.name), waivers=tuple(map(self._waiver, file.waivers)))

    def _waiver(self, waiver: Waiver) -> Waiver:
        place = waiver.place
        return msgspec.structs.replace(
            waiver,
            reason=REDACTED,
            owner=self._replacing.named("Owner", waiver.owner),
            ticket=self._replacing.named("Ticket", waiver.ticket) if waiver.ticket else "",
            subject=self._replacing.id(waiver.subject) if is_guid(waiver.subject) else self.text(waiver.subject),
            pack=self.text(waiver.pack),
            place=place and msgspec.structs.replace(place, file=self.text(place.file)),
        )

    def _guid(self, value: str) -> str:
        return self._replacing.id(value)

    def _person(self, value: str) -> str:
        return self._replacing.address(value)

    def _host(self, value: str) -> str:
        return self._replacing.host(value)

    def _walk(self, value: Any, place: _Place) -> Any:
        if isinstance(value, str) and not isinstance(value, Enum):
            return self._replacing.done(value, place.holds, place.parent, public=place.public)
        if isinstance(value, msgspec.Struct):
            return self._struct(value, place)
        if isinstance(value, tuple):
            return tuple([self._walk(item, place) for item in value])
        if isinstance(value, Mapping):
            return self._mapping(value, place)
        return value

    def _struct(self, value: msgspec.Struct, place: _Place) -> msgspec.Struct:
        known = FIELDS.get(type(value), {})
        public = self._is_public(value, place.public)
        changed: dict[str, Any] = {}
        for name in value.__struct_fields__:
            before = getattr(value, name)
            if before is None or isinstance(before, bool | int | float):
                continue
            inner = _Place(known.get(name, Holds.TEXT), value, public, name)
            changed[name] = self._walk(before, inner)
        return msgspec.structs.replace(value, **changed)

    def _is_public(self, value: msgspec.Struct, otherwise: bool) -> bool:
        match value:
            case ServicePrincipal():
                return self._public.is_public_app(value)
            case PermissionGrantPolicy():
                return is_microsofts_policy(value.id)
            case RoleDefinition():
                return value.isBuiltIn is True
        return otherwise

    def _mapping(self, value: Mapping[str, Any], place: _Place) -> Any:
        if place.holds is Holds.FREE:
            return self._replacing.free(value)
        keep_parts = place.name in ("covers", "unread")
        key_of: Callable[[str], str] = self._replacing.section if keep_parts else _same
        if place.name in KEYS:
            key_of = self._replacing.id
        return {key_of(key): self._walk(inner, place) for key, inner in value.items()}


class _Place(NamedTuple):
    """Where a value stands: what the field holds, in which object, and whether that is a vendor's or Microsoft's."""

    holds: Holds = Holds.TEXT
    parent: msgspec.Struct | None = None
    public: bool = False
    name: str = ""


def _same(key: str) -> str:
    return key


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str) and not isinstance(value, Enum):
        return change(value)
    if isinstance(value, msgspec.Struct):
        fields = value.__struct_fields__
        return msgspec.structs.replace(value, **{name: _each_text(getattr(value, name), change) for name in fields})
    if isinstance(value, tuple):
        return tuple(_each_text(item, change) for item in value)
    if isinstance(value, list):
        return [_each_text(item, change) for item in value]
    if isinstance(value, Mapping):
        return {key: _each_text(inner, change) for key, inner in value.items()}
    return value
