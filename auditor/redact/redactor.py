"""A snapshot without names: tokens for the tenant, its people and its objects, the same verdicts.

What stays are the ids and names that Microsoft and vendors publish, and numbers, switches and times. Everything
else becomes a token (`auditor.redact.tokens`), field by field (`auditor.redact.fields`); free text goes. The
snapshot is walked twice: the first time to learn every name and id in it, the second time to leave them out,
also where they stand inside the few texts that stay.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, NamedTuple

import msgspec

from auditor.model.app import App
from auditor.model.finding import Waiver, WaiverFile
from auditor.model.resources import PermissionGrantPolicy, RoleDefinition, ServicePrincipal
from auditor.model.sections import SECTIONS
from auditor.model.snapshot import Snapshot
from auditor.redact.fields import FIELDS, Holds
from auditor.redact.name_search import Dictionary, Shapes
from auditor.redact.public_names import Kept, Public, is_microsofts_policy
from auditor.redact.replacements import Replacing
from auditor.redact.tokens import REDACTED, Tokens

_SWITCHES = frozenset("true yes on false no off none low recommended legacy".split())
"""What a supposition may say beside names, in lower case."""


class Redactor:
    """The tokens for one snapshot, and for whatever else is said about its tenant. Pure, given the key.

    `asked` are the apps that are judged; their ids and scopes stay readable. `published` are apps as the packs
    that ship describe them, whose names and addresses stay to the letter.
    """

    def __init__(
        self, key: bytes, snapshot: Snapshot, asked: Iterable[App] = (), published: Iterable[App] = ()
    ) -> None:
        tokens = Tokens(key)
        shipped = tuple(published)
        public = Public(snapshot, asked, shipped)
        self._kept = Kept(app.name for app in shipped)
        shapes = Shapes(self._guid, self._person, self._host, self._kept.spans)
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

    def address(self, uri: str) -> str:
        """An address of the app in question, or a link, without names; the snapshot tells it in the same way."""
        return self._replacing.addresses.told(uri)

    def compared(self, value: str) -> str:
        """A value that a rule compares with one of the snapshot, as the redacted snapshot would hold it."""
        if self._kept.is_whole(value) or value.lower() in self._public.scopes:
            return value
        return self._replacing.compared(value)

    def app(self, app: App) -> App:
        """An app as somebody described it, without names."""
        return msgspec.structs.replace(
            app,
            name=self.text(app.name),
            redirect_uris=tuple(map(self.address, app.redirect_uris)),
            authority=self.text(app.authority),
            owner_tenant=self._replacing.id(app.owner_tenant) if app.owner_tenant else app.owner_tenant,
            scopes=tuple(msgspec.structs.replace(need, source=self.text(need.source)) for need in app.scopes),
        )

    def assumption(self, text: str) -> str:
        """``WHAT=VALUE`` of a supposition, without the name of a policy, an app or a resource of the tenant."""
        what, equals, value = text.partition("=")
        if not equals or value.strip().lower() in _SWITCHES:
            return text  # a route of a fix, or a word of the program's own
        words = re.sub(r"[^\s\"',]+", lambda word: self.compared(word[0]), value)
        return f"{what}={words}"

    def waived(self, file: WaiverFile, number: int = 1, packs: Mapping[str, str] | None = None) -> WaiverFile:
        """A waiver file without the names of those who answer for it, their reasons, and what the file is called.

        `packs` are the names that packs go by now, by those that they had. The digest is that of what is told, for
        with that of the file itself guesses at its text could be tested.
        """
        name = f"waivers-{number}.yaml"
        waivers = tuple(self._waiver(waiver, name, packs or {}) for waiver in file.waivers)
        digest = hashlib.sha256(msgspec.json.encode(waivers, order="deterministic")).hexdigest()
        return msgspec.structs.replace(file, name=name, digest=digest, waivers=waivers)

    def _waiver(self, waiver: Waiver, file: str, packs: Mapping[str, str]) -> Waiver:
        place, pack = waiver.place, waiver.pack
        return msgspec.structs.replace(
            waiver,
            reason=REDACTED,
            owner=self._replacing.named("Owner", waiver.owner),
            ticket=self._replacing.named("Ticket", waiver.ticket) if waiver.ticket else "",
            subject=self._subject(waiver.subject),
            pack=packs.get(pack.lower(), self.text(pack)),
            place=place and msgspec.structs.replace(place, file=file),
        )

    def _subject(self, subject: str) -> str:
        """What a waiver is for, as findings name it; what is not in the tenant may be anybody's name."""
        if not subject or self._kept.is_whole(subject) or subject.lower() in self._public.scopes:
            return subject
        return self._replacing.subject(subject)

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
        if place.name in SECTIONS and SECTIONS[place.name].only_by_app:
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
