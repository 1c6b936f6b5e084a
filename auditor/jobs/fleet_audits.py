"""What a fleet keeps of each report: the answers, the first thing to do with its message, and what ends; or tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from auditor.facts.ids import NO_ID, TENANT_PLACEHOLDER
from auditor.fleet.freshness import without_file
from auditor.fleet.tenant_audit import (
    EarlierAudit,
    SharedValues,
    TenantAudit,
    app_answers,
    described,
    judged_rules,
    setting_values,
)
from auditor.jobs.audit_request import SILENT, Interaction, Redaction
from auditor.jobs.pack_selection import PackError
from auditor.jobs.redaction import redaction_key
from auditor.model.decision import AppRef, Decision
from auditor.model.difference import Change
from auditor.model.document import sentence
from auditor.model.fleet import AuditState, FleetTodo, TodoPart
from auditor.model.notification import Expiry
from auditor.model.report import Report, Summary
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot, Tenant
from auditor.notify import expiries_of
from auditor.packs.load import load, shipped_names, shipped_source
from auditor.redact.redactor import Redactor
from auditor.redact.tokens import TokenMaker, is_token
from auditor.render.fix_view import AnswerGroup, FirstThing, first_thing, grouped_answers
from auditor.render.labels import flat
from auditor.render.message import message

_NO_SUMMARY = Summary(answer="")


class FleetRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which tenants to report on, and where the reports on them come from.

    With `snapshots`, the tenants are those of files and of the files in folders, judged by `apps` and `packs`. With
    `live`, the tenants of the configuration are read now; `apps` and `packs`, if there are any, replace its packs. Else
    the last run of each tenant in the history counts, and `apps` limits the report to these. `config` and `history`
    name them as the options of these names do. `tenants` are names, `tags` at least one of which a tenant must have.
    `since` is a UTC time; empty means each tenant's audit before the last one. `at` is the present UTC time.
    """

    at: str
    config: str = ""
    history: str = ""
    snapshots: tuple[str, ...] = ()
    live: bool = False
    tenants: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    packs: tuple[str, ...] = ()
    since: str = ""
    redaction: Redaction | None = None


class AppChoice(NamedTuple):
    """The apps that a fleet report is limited to, as they were typed; all apps without any.

    A name is a client id, the name of a pack, or a part of the app's name.
    """

    names: tuple[str, ...] = ()

    def has(self, app: AppRef, pack: str) -> bool:
        """Whether the report is about this app, which `pack` describes if that is known."""
        return not self.names or any(self._names(name.casefold(), app, pack) for name in self.names)

    def _names(self, name: str, app: AppRef, pack: str) -> bool:
        packs = {one.casefold() for one in (pack, app.variant) if one}
        return name == app.client_id.casefold() or name in packs or name in app.name.casefold()


class About(NamedTuple):
    """What there is about a tenant besides its report, as the fields of `TenantAudit` of these names say."""

    name: str
    tags: tuple[str, ...] = ()
    state: AuditState = AuditState.AUDITED
    started: str = ""
    exit_code: int | None = None
    problem: str = ""
    advice: str = ""
    source: str = ""
    earlier: EarlierAudit | None = None
    changes: tuple[Change, ...] = ()
    since: Mapping[str, str] = MappingProxyType({})
    expiries: tuple[Expiry, ...] = ()
    asked: tuple[AppRef, ...] = ()


class AuditMaker:
    """Makes the audits of one fleet, so that equal texts of many tenants are kept once.

    With a `redaction`, every name becomes a token of one key, the same in every table and file.
    """

    def __init__(self, apps: AppChoice, redaction: Redaction | None = None, interaction: Interaction = SILENT) -> None:
        self._apps = apps
        self._shared = SharedValues()
        self._tokens = _Tokens(redaction_key(redaction.key_file, interaction)) if redaction is not None else None

    @property
    def redacts(self) -> bool:
        """Whether names become tokens, for which the snapshot of each tenant is needed."""
        return self._tokens is not None

    def audit(self, report: Report, about: About, snapshot: Snapshot | None = None) -> TenantAudit:
        """The audit with this report. To redact it, the snapshot from which it was made is needed."""
        report = msgspec.structs.replace(limited_to(report, self._apps), granted=None, provenance=None)
        if self._tokens is not None:
            report, about = self._tokens.redacted(report, about, snapshot)
        return TenantAudit(
            name=about.name,
            id=report.tenant.id,
            state=about.state,
            tags=about.tags,
            taken=report.taken,
            started=about.started,
            exit_code=about.exit_code,
            problem=about.problem,
            advice=about.advice,
            source=about.source,
            answer=report.summary.answer,
            apps=app_answers(report),
            asked=tuple(one for one in about.asked if self._apps.has(one, one.variant)),
            packs=report.packs,
            rules=judged_rules(report, self._shared),
            values=setting_values(report, self._shared),
            todo=todo_of(report) if about.state is AuditState.AUDITED else None,
            earlier=about.earlier,
            changes=about.changes,
            since=about.since,
            expiries=(*about.expiries, *expiries_of(report, None)),
        )

    def without_audit(self, about: About, id: str = "") -> TenantAudit:
        """A tenant of which there is no audit."""
        if self._tokens is not None:
            empty = Report(tenant=Tenant(id=id or NO_ID, name=about.name), summary=_NO_SUMMARY)
            report, about = self._tokens.redacted(empty, about, Snapshot(tenant=empty.tenant))
            id = report.tenant.id if id else ""
        asked = tuple(one for one in about.asked if self._apps.has(one, one.variant))
        fields = about._asdict() | {"asked": asked, "id": id}
        return TenantAudit(**fields)

    def name(self, name: str) -> str:
        """The name of a tenant or a list, or its token."""
        return self._tokens.name(name) if self._tokens else name

    def id(self, id: str) -> str:
        """The id of a tenant, or its token."""
        return self._tokens.id(id) if self._tokens and id else id


def limited_to(report: Report, apps: AppChoice) -> Report:
    """The report with the decisions about the chosen apps, and the findings of the packs about them."""
    if not apps.names:
        return report
    answers = {described(one.app): one.pack for one in app_answers(report)}
    kept = tuple(one for one in report.decisions if apps.has(one.app, answers.get(described(one.app), "")))
    clients = {one.app.client_id.lower() for one in kept}
    packs = tuple(one for one in report.packs if one.client_id.lower() in clients)
    names = {one.name for one in packs}
    return msgspec.structs.replace(
        report,
        summary=msgspec.structs.replace(report.summary, answer=_answer(kept)),
        decisions=kept,
        findings=tuple(one for one in report.findings if one.pack in names),
        packs=packs,
        stopped=tuple(one for one in report.stopped if one.app.client_id.lower() in clients),
    )


def _answer(decisions: Iterable[Decision]) -> str:
    return " ".join(sentence(one.because) for one in decisions)


# ---- The first thing to do ------------------------------------------------------------------------------------------


def todo_of(report: Report) -> FleetTodo | None:
    """What to do first in the tenant of the report, for each app that users can't connect; none if nothing.

    The message is that of the report, and is left out where no change was proven to help. For a report without an app,
    it's the advice of the first rule that fails.
    """
    groups = [one for one in grouped_answers(report) if not one.first.outcome.connects]
    parts = tuple(part for group in groups if (part := _part(report, group)))
    if not report.decisions and (first := first_thing(report, None)) and (first.finding or first.fix):
        parts = (_made_of(first, ()),)
    if not parts:
        return None
    text = message(report).text if any(part.proven for part in parts) else ""
    return FleetTodo(what=parts[0].what, role=parts[0].role, link=parts[0].link, message=text, parts=parts)


def _part(report: Report, group: AnswerGroup) -> TodoPart | None:
    first = first_thing(report, group.first)
    return _made_of(first, group.decisions) if first else None


def _made_of(first: FirstThing, decisions: Iterable[Decision]) -> TodoPart:
    what = sentence(flat(first.fix.title)) if first.fix else " ".join(flat(one) for one in first.says)
    apps = tuple(dict.fromkeys(described(one.app) for one in decisions))
    return TodoPart(
        action=what, what=what, role=flat(first.role), link=first.link, proven=first.fix is not None, apps=apps
    )


# ---- Redaction ------------------------------------------------------------------------------------------------------

_OF_A_TENANT = re.compile(r"(https://login\.[^/\s]+/)(?:ffffffff-[0-9a-f-]{27}|tenant-[0-9a-f]{10}\.example)/")
"""The start of a consent link for a redacted tenant, which nobody can open."""


class _Tokens:
    """Replaces the names of all tenants of a fleet with tokens of one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._maker = TokenMaker(key)

    def name(self, name: str) -> str:
        """The token of a tenant's name, as a redacted snapshot of the tenant has it."""
        return name if not name or is_token(name) else self._maker.name("Tenant", name)

    def id(self, id: str) -> str:
        """The token of a tenant's id, as a redacted snapshot of the tenant has it."""
        return id if is_token(id) else self._maker.guid(id)

    def redacted(self, report: Report, about: About, snapshot: Snapshot | None) -> tuple[Report, About]:
        """The report, and what else there is about the tenant, without names."""
        known = snapshot or Snapshot(tenant=report.tenant)
        redactor = Redactor(self._key, known, report.apps, _published(report))
        words = {word: self.name(about.name) for word in (about.name,) if len(word) > 1}
        text = _Texts(redactor, words)
        made: Report = text.redacted(report)
        named = made.tenant.name or self.name(about.name)
        other: About = text.redacted(about)
        tags = tuple(f"tag-{self._maker.short('tag', tag.lower())}" for tag in about.tags)
        asked = tuple(
            # The apps in question stay readable, as in a redacted snapshot.
            msgspec.structs.replace(one, name=text.redacted(one.name))
            for one in about.asked
        )
        problem = without_file(other.problem)
        return made, other._replace(name=named, tags=tags, source="", asked=asked, problem=problem)


def _published(report: Report) -> Iterator[App]:
    """The apps of the shipped packs of the report, whose names anybody may know."""
    shipped = set(shipped_names())
    for pack in report.packs:
        if pack.name in shipped:
            try:
                app = load(shipped_source(pack.name)).app
            except PackError:
                continue
            if app is not None:
                yield app


class _Texts:
    """Replaces names in every text of a value; `words` are names that the snapshot may not have."""

    def __init__(self, redactor: Redactor, words: Mapping[str, str]) -> None:
        self._redactor = redactor
        self._words = words
        self._known: dict[str, str] = {}

    def redacted(self, value: Any) -> Any:
        """The value with tokens in place of names."""
        if value is None or isinstance(value, Enum | bool | int | float):
            return value
        if isinstance(value, str):
            if value not in self._known:
                self._known[value] = self._text(value)
            return self._known[value]
        if isinstance(value, msgspec.Struct):
            changed = {name: self.redacted(getattr(value, name)) for name in value.__struct_fields__}
            return msgspec.structs.replace(value, **changed)
        if isinstance(value, tuple):
            made = [self.redacted(one) for one in value]
            return type(value)(*made) if hasattr(value, "_fields") else tuple(made)
        if isinstance(value, Mapping):
            return {key: self.redacted(one) for key, one in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, bytes):
            return [self.redacted(one) for one in value]
        return value

    def _text(self, text: str) -> str:
        made = self._redactor.text(text)
        for word, token in self._words.items():
            made = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", token, made, flags=re.IGNORECASE)
        return _OF_A_TENANT.sub(rf"\g<1>{TENANT_PLACEHOLDER}/", made)
