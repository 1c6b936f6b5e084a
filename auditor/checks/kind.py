"""A kind of check: its arguments, what it may look at, its judgement, and the result that it returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import msgspec

from auditor.consent.decide import decision_of
from auditor.consent.decision_facts import DecisionFacts, gather
from auditor.consent.snapshot_index import SnapshotIndex, index_of
from auditor.consent.subject import ORDINARY_MEMBER, Subject
from auditor.facts.ids import MICROSOFT_GRAPH, OPENID_SCOPES, RESOURCES, setting_named
from auditor.model.decision import Confidence, Decision, Fix
from auditor.model.document import Point
from auditor.model.report import Evidence, FindingSubject
from auditor.model.rule import App, Check, FindingOutcome, Pack, Setting
from auditor.model.sections import SECTIONS, Extent
from auditor.model.snapshot import Plan, Snapshot

if TYPE_CHECKING:
    from auditor.checks.app_filter import Apps
    from auditor.checks.rule_fixes import RuleFixes
    from auditor.model.decision import AfterConsent
    from auditor.model.report import AbusedApp, AbusedAppsList


Arguments = Mapping[str, Any]
"""The arguments of a check as plain values, by their names in YAML. They may still be of a wrong type."""

ArgumentPath = tuple[str | int, ...]
"""Where a value is in the arguments: keys, and positions in lists that count from 0."""

SchemaPart = dict[str, Any]
"""One definition of a JSON Schema, as `msgspec.json.schema_components` generates it."""


class Invalid(NamedTuple):
    """Why a value is invalid, what is expected instead, and the nearest valid value."""

    message: str
    expected: str = ""
    near: str = ""


class ArgumentProblem(NamedTuple):
    """A mistake in the arguments of a check, without its position in a file: `auditor.packs` adds that."""

    path: ArgumentPath
    message: str
    expected: str = ""
    near: str = ""
    at_key: bool = False
    """Whether the mistake is the key at the path, and not its value."""
    is_warning: bool = False
    """Whether the value is unusual but may be intended."""

    def below(self, *path: str | int) -> ArgumentProblem:
        """The same problem in a table that is at `path` itself."""
        return self._replace(path=(*path, *self.path))


class CheckTable(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """Base of the tables inside the arguments of a check."""

    noun: ClassVar[str] = "this table"

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        """Add to the table's JSON Schema what the validation of a check requires beyond types."""


class CheckKind(Check, frozen=True):
    """Base of every kind of check.

    To add a kind, write a subclass in the file of its family and list it in `auditor.checks.KINDS`. The docstring of
    the subclass completes "The rule passes if …" in the documentation. A test fails for a kind that lacks a part.
    """

    about_app: ClassVar[bool] = False
    """Whether the check is always about the app of its pack."""
    has_own_fixes: ClassVar[bool] = False
    """Whether fixes are proven by this check alone, although it is about an app: no decision depends on it."""
    setting_id: ClassVar[str] = ""
    """The setting of the tenant that the check is about, of the table in `auditor.facts.ids`."""
    tables: ClassVar[tuple[type[CheckTable], ...]] = ()
    """The tables among its arguments."""

    def reads(self, app: App | None) -> Plan:
        """What an audit must read for this check in a pack about `app`; nothing for a missing app."""
        raise NotImplementedError

    def sentence(self) -> Point:
        """The check for people who don't read YAML: a statement that is true where the check passes."""
        raise NotImplementedError

    @classmethod
    def problems(cls, arguments: Arguments, *, has_app: bool) -> Iterator[ArgumentProblem]:
        """The mistakes in arguments that types can't express. Values of a wrong type are skipped."""
        yield from ()

    def judge(self, context: CheckContext) -> CheckResult:
        """Whether the tenant meets the check: unknown, never pass or fail, where its data was not read."""
        raise NotImplementedError

    def setting(self, app: App | None) -> Setting:
        """The setting that the check is about, in a pack about `app`, with its name for people."""
        return setting_named(self.setting_id, app)

    @property
    def can_fail(self) -> bool:
        """Whether any tenant can fail the check."""
        return True

    @property
    def can_pass(self) -> bool:
        """Whether any tenant can pass the check."""
        return True

    @property
    def inner(self) -> tuple[CheckKind, ...]:
        """The checks inside this one."""
        return ()

    @classmethod
    def inner_arguments(cls, arguments: Arguments) -> Iterator[tuple[ArgumentPath, Any]]:
        """The checks inside this one as plain values, with their paths."""
        yield from ()

    @classmethod
    def uses_app_scopes(cls, arguments: Arguments) -> bool:
        """Whether the check is about the scopes that the app of its pack requires."""
        return cls.about_app

    def further_reads(self, snapshot: Snapshot) -> Plan:
        """What else must be read, given what a first read found; `sections` only if the credential may read them."""
        return Plan()

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        """Add to the kind's JSON Schema what `problems` requires beyond types."""


def kind_of(check: Check) -> CheckKind:
    """The check of a rule, with its behaviour. Raises TypeError for an object whose kind isn't registered."""
    if not isinstance(check, CheckKind):
        raise TypeError(f"{type(check).__name__} isn't a kind of check")
    return check


def with_inner(check: Check) -> Iterator[CheckKind]:
    """The check and all checks inside it."""
    kind = kind_of(check)
    yield kind
    for one in kind.inner:
        yield from with_inner(one)


def alternatives(words: Iterable[str]) -> str:
    """Words in a sentence: ``a, b or c``."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def text_at(arguments: Arguments, name: str) -> str:
    """The argument as text without the spaces around it; empty where it is missing, a list or a table."""
    return as_text(arguments.get(name))


def as_text(value: Any) -> str:
    """A scalar as YAML writes it; empty for anything else."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).strip() if isinstance(value, str | int | float) else ""


def entries_at(arguments: Arguments, name: str) -> Iterator[tuple[ArgumentPath, Any]]:
    """The entries of a list, with their paths; none where the argument isn't a list."""
    for number, entry in enumerate(as_list(arguments.get(name))):
        yield (name, number), entry


def as_list(value: Any) -> list[Any]:
    """The value if it is a list, else an empty list."""
    return value if isinstance(value, list) else []


def is_empty_list(arguments: Arguments, name: str) -> bool:
    """Whether the argument is a list without an entry."""
    return isinstance(value := arguments.get(name), list) and not value


def require_entries(definition: SchemaPart, *names: str) -> None:
    """In a JSON Schema, require at least one entry in each of these lists."""
    for name in names:
        one = definition["properties"][name]
        if one.get("type") == "array":
            one["minItems"] = 1
            if not one.get("default"):
                one.pop("default", None)


def require_one_of(definition: SchemaPart, names: Iterable[str]) -> None:
    """In a JSON Schema, require exactly one of these keys."""
    definition["oneOf"] = [{"required": [name]} for name in names]


class CheckContext:
    """One tenant, and one app in it or none. Facts that several checks need are computed once."""

    def __init__(
        self,
        snapshot: Snapshot,
        app: App | None = None,
        subject: Subject = ORDINARY_MEMBER,
        abused: tuple[AbusedAppsList, ...] = (),
    ) -> None:
        """`abused` are your own lists of known abused apps, which are applied next to the shipped one."""
        self.snapshot = snapshot
        self.app = app
        self.subject = subject
        self._own_lists = abused

    @property
    def pack_app(self) -> App:
        """The app that the rules are about. Raises LookupError without one, which loading a pack rules out."""
        if self.app is None:
            raise LookupError("a check about an app needs one")
        return self.app

    @property
    def index(self) -> SnapshotIndex:
        """The index of the snapshot, which answers every question about a single object."""
        return index_of(self.snapshot)

    @cached_property
    def facts(self) -> DecisionFacts:
        """The facts about the app that its decision rests on."""
        return gather(self.index, self.pack_app, self.subject)

    @cached_property
    def decision(self) -> Decision:
        """Whether the subject can connect the app."""
        return decision_of(self.facts)

    @cached_property
    def after_consent(self) -> AfterConsent:
        """What can stop the subject after consent."""
        from auditor.consent.after_consent import after_consent

        return after_consent(self.index, self.pack_app, self.subject)

    @cached_property
    def fixes(self) -> tuple[Fix, ...]:
        """The changes that let the subject connect, each proven."""
        from auditor.fixes import fixes_for

        return fixes_for(self.snapshot, self.pack_app, self.subject)

    @cached_property
    def rule_fixes(self) -> RuleFixes:
        """The changes that make failing rules pass."""
        from auditor.checks.rule_fixes import RuleFixes

        return RuleFixes(self)

    @cached_property
    def apps(self) -> Apps:
        """The apps of the tenant, for checks on what apps hold."""
        from auditor.checks.app_filter import Apps

        return Apps(self.index)

    @cached_property
    def abused_lists(self) -> tuple[AbusedAppsList, ...]:
        """The lists of known abused apps: the shipped one, then your own."""
        from auditor.facts.abused_apps import lists_with

        return lists_with(self._own_lists)

    @property
    def used_abused_apps(self) -> bool:
        """Whether a check has looked up these lists."""
        return "abused_apps" in self.__dict__

    @cached_property
    def abused_apps(self) -> Mapping[str, AbusedApp]:
        """The apps of all lists, by client id in lower case."""
        from auditor.facts.abused_apps import abused_by_id

        return abused_by_id(self.abused_lists)


class CheckResult(msgspec.Struct, frozen=True):
    """The outcome of a check, one clause that says why, and the values that it rests on.

    `subjects` are all the things that make the check fail, where it is about many: more than the evidence shows.
    `unread` says why there may be more of them. `confidence` is likely where documentation replaces data that was not
    read.
    """

    outcome: FindingOutcome
    clause: str
    evidence: tuple[Evidence, ...] = ()
    subjects: tuple[FindingSubject, ...] = ()
    unread: str = ""
    confidence: Confidence = Confidence.CERTAIN

    @property
    def reason(self) -> str:
        """The clause as a sentence."""
        return sentence(self.clause)


def passed(clause: str, *evidence: Evidence) -> CheckResult:
    """The tenant meets the check."""
    return CheckResult(FindingOutcome.PASS, clause, evidence)


def failed(clause: str, *evidence: Evidence, subjects: Iterable[FindingSubject] = (), unread: str = "") -> CheckResult:
    """The tenant doesn't meet the check."""
    return CheckResult(FindingOutcome.FAIL, clause, evidence, tuple(subjects), unread)


def likely(result: CheckResult) -> CheckResult:
    """The result, marked likely, because documentation replaces something that was not read; unknown stays unknown."""
    if result.outcome is FindingOutcome.UNKNOWN:
        return result
    return msgspec.structs.replace(result, confidence=Confidence.LIKELY)


def unknown(clause: str, *evidence: Evidence) -> CheckResult:
    """The data that the check needs was not read, or Microsoft doesn't document what it means."""
    return CheckResult(FindingOutcome.UNKNOWN, clause, evidence)


def not_applicable(clause: str, *evidence: Evidence) -> CheckResult:
    """The check doesn't apply to this tenant."""
    return CheckResult(FindingOutcome.NOT_APPLICABLE, clause, evidence)


def compared(path: str, actual: Any, expected: Any = None) -> Evidence:
    """Evidence: a value of the snapshot, and the value that the check expects."""
    return Evidence(path=path, actual=actual, expected=expected)


def shown(value: Any) -> str:
    """A value in a sentence: as JSON writes it, and a list by its entries."""
    if isinstance(value, tuple):
        return ", ".join(map(shown, value)) or "an empty list"
    return str(value).lower() if isinstance(value, bool) else str(value)


def first_names(names: Iterable[str]) -> str:
    """The first three names of a list, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - 3} more" if len(every) > 3 else ""
    return f"{', '.join(every[:3])}{more}"


def sentence(clause: str) -> str:
    """A clause as a sentence: with a capital (unless it starts with a name in code) and a full stop."""
    first, rest = clause[:1], clause[1:]
    word = clause.split(" ", 1)[0]
    is_code = any(c.isupper() or c in "._" for c in word[1:]) or word.rstrip(",") in OPENID_SCOPES
    capital = first if is_code else first.upper()
    return f"{capital}{rest}" if rest.endswith(".") else f"{capital}{rest}."


# What checks read.

TENANT = Plan(sections=("organization",))
"""The tenant's name, which every report shows."""
POLICIES = Plan(sections=("authorizationPolicy", "permissionGrantPolicies"))
"""The consent policies and which of them are assigned to users."""
CONSENT = POLICIES.union(Plan(sections=("adminConsentRequestPolicy", "roleDefinitions")))
"""What decides whether users may consent: the policies, the screen users see, custom roles that allow more."""

AFTER_CONSENT = Plan(sections=("conditionalAccessPolicies",))
"""What can stop users after consent. No decision depends on it."""


def connecting(app: App) -> Plan:
    """What decides whether an ordinary user can connect the app."""
    return CONSENT.union(client_of(app)).union(resources_of(app)).union(app_roles_of(app))


def client_of(app: App) -> Plan:
    """The app as it is in the tenant, its grants, and who is assigned to it."""
    return Plan(clients=(app.client_id,))


def resources_of(app: App) -> Plan:
    """The resources that the app names in its request, the apps that it also needs, and Microsoft Graph.

    Graph has the scopes of every sign-in.
    """
    asked = (*app.default_resources, *(scope.resource for scope in app.scopes))
    return Plan(resources=tuple(dict.fromkeys([MICROSOFT_GRAPH, *asked, *(need.client_id for need in app.also_needs)])))


def app_roles_of(app: App) -> Plan:
    """The application permissions that the app holds, if it needs some, and what these are called."""
    resources = dict.fromkeys(need.resource for need in app.app_roles)
    return Plan(app_roles_of=(app.client_id,), app_roles_on=tuple(resources)) if resources else Plan()


def section_plan(section: str, app: App | None) -> Plan:
    """How to read a section for a check on all of it."""
    extents = SECTIONS[section].extents
    if Extent.DIRECTORY in extents or Extent.LOG in extents:
        return Plan(whole=(section,))
    if Extent.TENANT in extents:
        return Plan(sections=(section,))
    if Extent.RESOURCE in extents:
        return Plan(resources=tuple(RESOURCES.values()))
    return client_of(app) if Extent.CLIENT in extents and app is not None else Plan()


def reads_directory(plan: Plan) -> bool:
    """Whether the plan reads all objects of a kind, so that its cost grows with the directory; a log isn't one."""
    return any(Extent.DIRECTORY in SECTIONS[section].extents for section in plan.whole)


def plan_for(packs: Iterable[Pack], extra_app: App | None = None) -> Plan:
    """The reads that the packs' rules need, and a decision about each of their apps and `extra_app`.

    Next to each decision, a report says what can stop users after consent, so that is read, too.

    Follow-up reads, which depend on what a first read finds, are not included: see `auditor.checks.required_reads`.
    """
    plan = TENANT if extra_app is None else TENANT.union(connecting(extra_app)).union(AFTER_CONSENT)
    for pack in packs:
        if pack.app is not None:
            plan = plan.union(connecting(pack.app)).union(AFTER_CONSENT)
        for rule in pack.rules:
            plan = plan.union(reads_of(rule.check, pack.app))
    return plan


def reads_of(check: Check, app: App | None) -> Plan:
    """What one check reads; a check about an app reads nothing without one."""
    return kind_of(check).reads(app)
