"""The check on a value of a directory settings object: its template, its name, and what it can be."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from msgspec import UNSET, UnsetType

from auditor.checks.kind import (
    ArgumentProblem,
    Arguments,
    CheckContext,
    CheckKind,
    CheckResult,
    SchemaPart,
    alternatives,
    as_list,
    as_text,
    compared,
    failed,
    not_applicable,
    text_at,
    unknown,
)
from auditor.checks.permission_lists import GUID_PATTERN
from auditor.checks.properties import judged_value
from auditor.checks.property_tests import (
    Value,
    expected_phrase,
    missing_phrase,
    missing_problems,
    narrow_tests,
    test_phrase,
    test_problems,
)
from auditor.checks.snapshot_paths import Missing
from auditor.checks.typo_suggestions import nearest, typo_of_guid
from auditor.consent.snapshot_index import NotRead
from auditor.facts.ids import CONSENT_SETTINGS_TEMPLATE, is_guid, setting_at
from auditor.model.document import Point, code
from auditor.model.rule import App, Setting
from auditor.model.snapshot import Plan, Snapshot

TESTS = ("equals", "one-of", "present")
DEFAULT = "consent-policy-settings"
TEMPLATES = MappingProxyType({DEFAULT: CONSENT_SETTINGS_TEMPLATE})
"""Directory setting templates that a rule can name, and their ids."""
NAMES = MappingProxyType(
    {
        DEFAULT: (
            "EnableGroupSpecificConsent",
            "ConstrainGroupSpecificConsentToMembersOfGroupId",
            "BlockUserConsentForRiskyApps",
            "EnableAdminConsentRequests",
        )
    }
)
"""The values of each template that has a name (Graph, "groupSetting: templates")."""
_BOOLEANS = frozenset({"EnableGroupSpecificConsent", "BlockUserConsentForRiskyApps", "EnableAdminConsentRequests"})
_TRUTHS = ("true", "false")


class DirectorySettingIs(CheckKind, frozen=True, tag="directory-setting"):
    """A value of a directory settings object passes one test. Graph returns each value as text, so ``true`` is text.

    `missing-means` is the template's default, which applies if the object or the value is missing.
    `skip-when-missing` makes the rule not applicable in that case. Without either, a missing value fails.
    """

    name: str
    template: str = DEFAULT
    equals: Value | UnsetType = UNSET
    one_of: tuple[Value, ...] | UnsetType = UNSET
    present: bool | UnsetType = UNSET
    missing_means: Value | UnsetType = UNSET
    skip_when_missing: bool = False

    def reads(self, app: App | None) -> Plan:
        return Plan(sections=("directorySettings",))

    def setting(self, app: App | None) -> Setting:
        is_default = TEMPLATES.get(self.template, self.template).lower() == CONSENT_SETTINGS_TEMPLATE
        return setting_at(f"directorySettings.{self.name}" if is_default else "directorySettings")

    def sentence(self) -> Point:
        where = f"The directory setting {code(self.name)} of the template {code(self.template)}"
        if self.skip_when_missing:
            return Point(f"{where} {test_phrase(self)}. The rule does not apply if the setting is not set.")
        return Point(f"{where} {test_phrase(self)}{missing_phrase(self)}.")

    @classmethod
    def problems(cls, arguments: Arguments, *, has_app: bool) -> Iterator[ArgumentProblem]:
        yield from test_problems(arguments, TESTS)
        yield from _template_problems(arguments)
        template, name = _template_name(arguments), text_at(arguments, "name")
        if template in NAMES and name and name not in NAMES[template]:
            message = f'name: {template} has no value "{name}"'
            yield ArgumentProblem(("name",), message, alternatives(NAMES[template]), nearest(name, NAMES[template]))
        if template in NAMES and name in _BOOLEANS:
            for test in ("equals", "one-of", "missing-means"):
                yield from _boolean_problems(test, arguments)
        yield from missing_problems(arguments)
        yield from _skip_problems(arguments)

    def judge(self, context: CheckContext) -> CheckResult:
        if context.snapshot.sections.directorySettings is None:
            return unknown(context.index.not_read("directorySettings").why)
        value = _value(context.snapshot, TEMPLATES.get(self.template, self.template), self.name)
        path = f"directorySettings.{self.name}"
        if value is not None:
            return judged_value(path, value, self)
        missing = context.index.directory_setting(TEMPLATES.get(self.template, self.template), self.name)
        if isinstance(missing, NotRead):
            return unknown(missing.why)
        if self.skip_when_missing:
            return not_applicable(f"the directory setting {self.name} is not set, so Microsoft's default applies")
        if self.missing_means is UNSET and self.present is UNSET:
            expected = expected_phrase(self)
            return failed(f"{path} is not set; expected {expected}", compared(path, None, expected))
        return judged_value(path, Missing(None), self)

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        narrow_tests(definition, TESTS)
        template = {"anyOf": [{"enum": list(TEMPLATES)}, {"type": "string", "pattern": GUID_PATTERN}]}
        definition["properties"]["template"] = {**template, "default": DEFAULT}
        definition["allOf"] = [
            {
                "if": {
                    "properties": {"template": {"enum": [name, TEMPLATES[name]]}},
                    "required": [] if name == DEFAULT else ["template"],
                },
                "then": {"properties": {"name": {"enum": list(values)}}},
            }
            for name, values in NAMES.items()
        ]


def _value(snapshot: Snapshot, template: str, name: str) -> str | None:
    for one in snapshot.sections.directorySettings or ():
        if (one.templateId or "").lower() == template.lower():
            for item in one.values or ():
                if item.name.lower() == name.lower() and item.value:
                    return item.value
    return None


_BY_ID = MappingProxyType({template: name for name, template in TEMPLATES.items()})


def _template_name(arguments: Arguments) -> str:
    """The name of the template; empty for a template that has no name here."""
    text = text_at(arguments, "template") or DEFAULT
    return text if text in TEMPLATES else _BY_ID.get(text.lower(), "")


def _template_problems(arguments: Arguments) -> Iterator[ArgumentProblem]:
    """A template that doesn't exist."""
    text = text_at(arguments, "template")
    if not text or _template_name(arguments):
        return
    if not is_guid(text):
        expected = f"{alternatives(TEMPLATES)}, or the id of a template"
        yield ArgumentProblem(
            ("template",), f'template: there is no template "{text}"', expected, nearest(text, TEMPLATES)
        )
    elif near := typo_of_guid(text, _BY_ID):
        yield ArgumentProblem(("template",), f'template: "{text}" is almost the id of {_BY_ID[near]}', near=near)


def _boolean_problems(test: str, arguments: Arguments) -> Iterator[ArgumentProblem]:
    """A value that is true or false, compared with anything else or with both."""
    value = arguments.get(test)
    values = enumerate(value) if isinstance(value, list) else [(None, value)]
    for number, one in values:
        if (text := as_text(one)) and text.lower() not in _TRUTHS:
            path = (test,) if number is None else (test, number)
            message = f'{test}: the value is true or false, but this is "{text}"'
            yield ArgumentProblem(path, message, "true or false", nearest(text, _TRUTHS))
    if {as_text(one).lower() for one in as_list(value)} >= set(_TRUTHS):
        message = f"{test} allows true and false, which are all possible values"
        yield ArgumentProblem((test,), message, "present: true")


def _skip_problems(arguments: Arguments) -> Iterator[ArgumentProblem]:
    """Arguments that have no effect because a missing value makes the rule not applicable."""
    if text_at(arguments, "skip-when-missing") != "true":
        return
    if "missing-means" in arguments:
        message = "missing-means contradicts skip-when-missing"
        yield ArgumentProblem(("missing-means",), message, "one of the two")
    if text_at(arguments, "present") == "true":
        message = "present: true never fails with skip-when-missing"
        yield ArgumentProblem(("present",), message, "equals or one-of, or no skip-when-missing")
