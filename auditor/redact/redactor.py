"""Redact a snapshot: tokens for the tenant, its people and its objects, with the same verdicts.

What stays are the ids and names that Microsoft and vendors publish, and numbers, booleans and times. Everything
else becomes a token (`auditor.redact.tokens`), depending on what its field holds (`auditor.model.field_types`);
free text is removed. The snapshot is walked twice: first to learn every name and id in it, then to replace them,
also inside the few texts that stay.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple, TypeVar

import msgspec

from auditor.model.field_types import FieldKind, FieldText, field_kinds
from auditor.model.report import AbusedApp, AbusedAppsList, Waiver, WaiverFile
from auditor.model.resources import PermissionGrantPolicy, ServicePrincipal
from auditor.model.rule import App, PermissionNeed
from auditor.model.snapshot import Snapshot
from auditor.redact.field_values import FieldValues
from auditor.redact.name_search import FormRules, KnownNames
from auditor.redact.public_names import PublicNames, PublishedText, is_microsofts_policy
from auditor.redact.tokens import REDACTED, TokenMaker

_Need = TypeVar("_Need", bound=PermissionNeed)

_SWITCHES = frozenset("true yes on false no off none low managed recommended legacy".split())
"""What an assumption can contain besides names, in lower case."""


class Redactor:
    """Redacts one snapshot, and any other text about its tenant. Pure, given the key.

    `asked` are the judged apps, whose ids and scopes stay readable. `published` are apps as the packs that ship
    describe them, whose names and redirect URIs stay unchanged.
    """

    def __init__(
        self, key: bytes, snapshot: Snapshot, asked: Iterable[App] = (), published: Iterable[App] = ()
    ) -> None:
        tokens = TokenMaker(key)
        shipped = tuple(published)
        public = PublicNames(snapshot, asked, shipped)
        self._published = PublishedText(app.name for app in shipped)
        known = KnownNames(FormRules(self._guid, self._person, self._host, self._published.spans))
        self._values = FieldValues(tokens, public, known)
        self._public = public
        self.snapshot: Snapshot = self.other_read(snapshot)
        """The redacted snapshot."""

    def other_read(self, snapshot: Snapshot) -> Snapshot:
        """Another read of the same tenant, redacted with the same tokens."""
        self._values.learning = True
        self._walk(snapshot, _Context())
        self._values.learning = False
        found: Snapshot = self._walk(snapshot, _Context())
        return found

    @property
    def originals(self) -> dict[str, str]:
        """The original value of each token, for the sender only."""
        return dict(sorted(self._values.originals.items()))

    def text(self, text: str) -> str:
        """A text with tokens for every name and id of the tenant."""
        return self._values.scrub(text)

    def part(self, name: str) -> str:
        """The token of a user, group, policy or app that a person named, as it is in the snapshot."""
        return self._values.part(name)

    def address(self, uri: str) -> str:
        """A redirect URI of the judged app, or a link, without names, as it is in the snapshot."""
        return self._values.urls.redacted(uri)

    def compared(self, value: str) -> str:
        """A value that a rule compares with one of the snapshot, as the redacted snapshot contains it."""
        if self._published.is_whole(value) or value.lower() in self._public.scopes:
            return value
        return self._values.compared(value)

    def app(self, app: App) -> App:
        """The description of an app without names."""
        return msgspec.structs.replace(
            app,
            name=self.text(app.name),
            redirect_uris=tuple(map(self.address, app.redirect_uris)),
            authority=self.text(app.authority),
            owner_tenant=self._values.id(app.owner_tenant) if app.owner_tenant else app.owner_tenant,
            scopes=self._needs(app.scopes),
            app_roles=self._needs(app.app_roles),
            vendor=self.text(app.vendor),
            consent_link=self.address(app.consent_link),
            variants=tuple(
                msgspec.structs.replace(
                    one,
                    title=self.text(one.title),
                    scopes=self._needs(one.scopes),
                    redirect_uris=tuple(map(self.address, one.redirect_uris)),
                )
                for one in app.variants
            ),
            sources=tuple(msgspec.structs.replace(one, source=self.text(one.source)) for one in app.sources),
            faults=tuple(msgspec.structs.replace(one, because=self.text(one.because)) for one in app.faults),
        )

    def _needs(self, scopes: Iterable[_Need]) -> tuple[_Need, ...]:
        return tuple(msgspec.structs.replace(need, source=self.text(need.source)) for need in scopes)

    def assumption(self, text: str) -> str:
        """``WHAT=VALUE`` of an assumption without the names of policies, apps and resources of the tenant."""
        what, equals, value = text.partition("=")
        if not equals or value.strip().lower() in _SWITCHES:
            return text  # a route of a fix, or a keyword of the option
        words = re.sub(r"[^\s\"',]+", lambda word: self.compared(word[0]), value)
        return f"{what}={words}"

    def waived(self, file: WaiverFile, number: int = 1, packs: Mapping[str, str] | None = None) -> WaiverFile:
        """A waiver file without its name, the owners and their reasons.

        `packs` maps the old names of packs to their redacted ones. The digest is that of the redacted waivers,
        because the digest of the file would let somebody test guesses at its text.
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
            owner=self._values.named("Owner", waiver.owner),
            ticket=self._values.named("Ticket", waiver.ticket) if waiver.ticket else "",
            subject=self._subject(waiver.subject),
            pack=packs.get(pack.lower(), self.text(pack)),
            place=place and msgspec.structs.replace(place, file=file),
        )

    def abused_apps(self, one: AbusedAppsList, number: int = 1) -> AbusedAppsList:
        """Your own list of known abused apps: client ids as in the snapshot, public names, and none of its other texts.

        The digest is that of the redacted list, as of waivers.
        """
        apps = tuple(map(self._abused_app, one.apps))
        digest = hashlib.sha256(msgspec.json.encode(apps, order="deterministic")).hexdigest()
        return msgspec.structs.replace(one, name=f"abused-apps-{number}.yaml", digest=digest, apps=apps)

    def _abused_app(self, app: AbusedApp) -> AbusedApp:
        is_public = app.name.lower() in self._public.app_names or self._published.is_whole(app.name)
        return msgspec.structs.replace(
            app,
            client_id=self._values.id(app.client_id),
            name=app.name if is_public else "",
            why=REDACTED,
            doubtful=REDACTED if app.doubtful else "",
            sources=(),
        )

    def _subject(self, subject: str) -> str:
        """The subject of a waiver as findings name it. One that is not in the tenant can be any name: replaced."""
        if not subject or self._published.is_whole(subject) or subject.lower() in self._public.scopes:
            return subject
        return self._values.subject(subject)

    def _guid(self, value: str) -> str:
        return self._values.id(value)

    def _person(self, value: str) -> str:
        return self._values.address(value)

    def _host(self, value: str) -> str:
        return self._values.host(value)

    def _walk(self, value: Any, context: _Context) -> Any:
        if isinstance(value, str) and not isinstance(value, Enum):
            return self._values.redacted(value, context.kind.text, context.parent, public=context.public)
        if isinstance(value, msgspec.Struct):
            return self._struct(value, context)
        if isinstance(value, tuple):
            return tuple([self._walk(item, context) for item in value])
        if isinstance(value, Mapping):
            return self._mapping(value, context)
        if value is None or isinstance(value, bool | int | float | Enum):
            return value
        raise TypeError(f"redaction has no rule for a {type(value).__name__}")

    def _struct(self, value: msgspec.Struct, context: _Context) -> msgspec.Struct:
        kinds = field_kinds(type(value))
        public = self._is_public(value, context.public)
        changed: dict[str, Any] = {}
        for name in value.__struct_fields__:
            before = getattr(value, name)
            if before is None or isinstance(before, bool | int | float):
                continue
            inner = _Context(kinds.get(name, FieldKind()), value, public)
            changed[name] = self._walk(before, inner)
        return msgspec.structs.replace(value, **changed)

    def _is_public(self, value: msgspec.Struct, otherwise: bool) -> bool:
        match value:
            case ServicePrincipal():
                return self._public.is_public_app(value)
            case PermissionGrantPolicy():
                return is_microsofts_policy(value.id)
        return otherwise

    def _mapping(self, value: Mapping[str, Any], context: _Context) -> Any:
        text, keys = context.kind
        if text is FieldText.JSON:
            return self._values.free(value)
        return {
            self._values.redacted(key, keys, context.parent, public=context.public): self._walk(inner, context)
            for key, inner in value.items()
        }


def unredacted_fields(snapshot: Snapshot, again: Snapshot) -> Iterator[str]:
    """The fields of a redacted snapshot that changed when it was redacted `again`, so that they aren't redacted.

    Each is a clause with the field's path and what the field holds, but not its value, which may be a name.
    """
    yield from _changed(snapshot, again, "", FieldText.FREE_TEXT)


def _changed(before: Any, after: Any, path: str, kind: FieldText) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, msgspec.Struct):
        kinds = field_kinds(type(before))
        for name in before.__struct_fields__:
            here = f"{path}.{name}" if path else name
            yield from _changed(getattr(before, name), getattr(after, name), here, kinds[name].text)
    elif isinstance(before, tuple | list):
        for number, (one, two) in enumerate(zip(before, after, strict=True)):
            yield from _changed(one, two, f"{path}[{number}]", kind)
    elif isinstance(before, Mapping) and list(before) == list(after):
        for key in before:
            yield from _changed(before[key], after[key], f"{path}.{key}", kind)
    elif isinstance(before, Mapping):
        yield f"{path} has a key that isn't redacted"
    else:
        yield f"{path} isn't redacted: it holds {kind.value}"


class _Context(NamedTuple):
    """Where a value is: what the field holds, in which object, and whether somebody else publishes that object."""

    kind: FieldKind = FieldKind()
    parent: msgspec.Struct | None = None
    public: bool = False
