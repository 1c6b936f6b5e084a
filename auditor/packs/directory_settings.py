"""The check ``directory-setting``: templates, the names of their values, and what can stand there."""

from __future__ import annotations

from types import MappingProxyType

from auditor.model.checks import TEMPLATES
from auditor.packs import value_validators as words
from auditor.packs.conditions import check_missing, one_test
from auditor.packs.pack_errors import Problems, listed, nearest
from auditor.packs.typo_suggestions import slip_of_guid
from auditor.packs.yaml_nodes import Items, Node, Scalar, Table, child, items_of, text_of

TESTS = ("equals", "one-of", "present")
NAMES = MappingProxyType(
    {
        "consent-policy-settings": (
            "EnableGroupSpecificConsent",
            "ConstrainGroupSpecificConsentToMembersOfGroupId",
            "BlockUserConsentForRiskyApps",
            "EnableAdminConsentRequests",
        )
    }
)
"""The values of each template that goes by a name (Graph, "groupSetting: templates")."""
BOOLEANS = frozenset({"EnableGroupSpecificConsent", "BlockUserConsentForRiskyApps", "EnableAdminConsentRequests"})
"""Values that are true or false, and so can never be anything else."""
DEFAULT = "consent-policy-settings"
_TRUTHS = ("true", "false")


def check_directory_setting(check: Table, problems: Problems) -> None:
    """Report a template or a name that does not exist, and values that can never stand there or never matter."""
    given = one_test(check, problems, TESTS)
    template, name = child(check, "template"), child(check, "name")
    called = _template(template, problems)
    value = text_of(name)
    if called in NAMES and isinstance(name, Scalar) and value not in NAMES[called]:
        near = nearest(value, NAMES[called])
        problems.add(name.at, f'name: {called} holds no "{value}"', expected=listed(NAMES[called]), near=near)
    if called in NAMES and value in BOOLEANS:
        for test in (*given, "missing-means"):
            _truth(test, child(check, test), problems)
    check_missing(check, problems)
    _skipped(check, problems)


def _template(node: Node | None, problems: Problems) -> str:
    """What the template is called, by its name or by its id; nothing where it is one that has no name here."""
    text = text_of(node) or DEFAULT
    by_id = {template: name for name, template in TEMPLATES.items()}
    if not isinstance(node, Scalar) or text in TEMPLATES or text.lower() in by_id:
        return by_id.get(text.lower(), text)
    if not words.is_guid(text):
        expected = f"{listed(TEMPLATES)}, or the id of a template"
        problems.add(node.at, f'template: "{text}" is no template', expected=expected, near=nearest(text, TEMPLATES))
    elif near := slip_of_guid(text, by_id):
        problems.add(node.at, f'template: "{text}" is almost the id of {by_id[near]}', near=near)
    return ""


def _truth(test: str, value: Node | None, problems: Problems) -> None:
    """A value that is true or false is compared with nothing else."""
    if value is None or test == "present":
        return
    for node in value.nodes if isinstance(value, Items) else (value,):
        if isinstance(node, Scalar) and node.value is not None and text_of(node).lower() not in _TRUTHS:
            message = f'{test}: the value is true or false, and this is "{text_of(node)}"'
            problems.add(node.at, message, expected="true or false", near=nearest(text_of(node), _TRUTHS))
    if {text_of(node).lower() for node in items_of(value)} >= set(_TRUTHS):
        problems.add(value.at, f"{test} allows true and false, which is all that there is", expected="present: true")


def _skipped(check: Table, problems: Problems) -> None:
    """Where a missing value makes the rule not applicable, it means nothing else, and what is there is present."""
    if text_of(child(check, "skip-when-missing")) != "true":
        return
    if means := child(check, "missing-means"):
        problems.add(means.at, "missing-means says otherwise than skip-when-missing", expected="one of the two")
    if text_of(present := child(check, "present")) == "true" and present is not None:
        message = "present: true never fails beside skip-when-missing"
        problems.add(present.at, message, expected="equals or one-of, or no skip-when-missing")
