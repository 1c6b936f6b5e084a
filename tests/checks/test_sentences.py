"""Every check can be said in a sentence, by every argument that it has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from auditor.checks import KINDS, kind_named
from auditor.checks.kind import kind_of
from auditor.model.document import CODE, PLAIN, Point
from auditor.packs.load import load, shipped_names, shipped_source
from tests.checks.example_packs import examples_of
from tests.packs.text import SOUND, loaded


def said(check: str) -> str:
    (rule,) = loaded(SOUND.replace("{kind: users-can-connect}", check)).rules
    return "\n".join(lines(kind_of(rule.check).sentence()))


def lines(point: Point, depth: int = 0) -> Iterator[str]:
    yield "  " * depth + point.text.replace(CODE, "`").replace(PLAIN, "`")
    for below in point.below:
        yield from lines(below, depth + 1)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_can_be_said(name: str) -> None:
    kind = kind_named(name)
    assert kind is not None
    said_so = {"\n".join(lines(check.sentence())) for _, check in examples_of(kind)}
    assert said_so, f"no rule of a pack, or of tests/checks/other-kinds.yaml, has a check of the kind {name}"
    assert [text for text in said_so if not text.endswith(".") or "unset" in text.lower()] == []


@pytest.mark.parametrize(
    ("check", "reported"),
    [
        pytest.param(
            "{kind: setting, path: authorizationPolicy.allowInvitesFrom, one-of: [none, everyone],"
            " missing-means: none}",
            "`authorizationPolicy.allowInvitesFrom` is one of `none` or `everyone` (if missing, it counts as `none`).",
            id="a setting",
        ),
        pytest.param(
            "{kind: count, of: servicePrincipals, where: [{path: accountEnabled, equals: false}], at-least: 2}",
            "The number of items of `servicePrincipals` (where `accountEnabled` is `false`) is at least `2`.",
            id="a count",
        ),
        pytest.param(
            "{kind: delegated-grants, consent: tenant-wide, lists: [mail, files], publisher: unverified,"
            " owner: foreign}",
            "No delegated grant for the whole tenant has a permission of the lists `mail` and `files` and belongs to"
            " an app of another tenant without a verified publisher.",
            id="delegated grants",
        ),
        pytest.param(
            "{kind: not, check: {kind: users-can-consent, expect: allowed, asked-by: verified-app, lists: [basic]}}",
            "This statement is false:\n  An ordinary user can consent to every permission of the list `basic`, if an"
            " app of another tenant with a verified publisher requests it.",
            id="not",
        ),
    ],
)
def test_the_arguments_are_in_the_sentence(check: str, reported: str) -> None:
    assert said(check) == reported


def test_two_checks_that_differ_are_not_said_alike() -> None:
    packs = [load(shipped_source(name)) for name in shipped_names()]
    checks = {repr(rule.check): rule.check for pack in packs for rule in pack.rules}
    reported = {"\n".join(lines(kind_of(check).sentence())) for check in checks.values()}
    assert len(reported) == len(checks)


def test_only_a_rule_that_allows_every_setting_can_never_fail() -> None:
    rules = {rule.id: rule for name in shipped_names() for rule in load(shipped_source(name)).rules}
    assert [rule.id for rule in rules.values() if not kind_of(rule.check).can_fail] == ["VENDOR-CONSENT-SETTING"]
