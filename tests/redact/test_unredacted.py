"""Whether a snapshot is redacted can be proven without the key: redaction changes nothing in it, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from auditor.jobs.pack_selection import apps_of, chosen_packs
from auditor.model.snapshot import Snapshot
from auditor.redact.redactor import Redactor, unredacted_fields
from auditor.snapshot.read import loads
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.redact.canaries import FORMS, Canaries
from tests.redact.named_tenant import Secret, named_tenant
from tests.snapshot.strategies import SNAPSHOTS

KEY, ANOTHER = bytes(range(32)), bytes(32)
APPS = apps_of(chosen_packs(["trackerrms-uk"]))
SECRET = Secret("Zyxquorp")
PLAIN = named_tenant(SECRET)
REDACTED = Redactor(KEY, PLAIN, APPS, APPS).snapshot
Path = tuple[str | int, ...]
OWNER: Path = ("sections", "servicePrincipals", 3, "appOwnerOrganizationId")
"""With the ID of an unknown tenant, an app is one of another tenant, whose ID is public."""


def left(snapshot: Snapshot) -> list[str]:
    return list(unredacted_fields(snapshot, Redactor(ANOTHER, snapshot, APPS, APPS).snapshot))


def restored(plain: Any, redacted: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The documents in which one value or one key of the redacted document is the plain one again."""
    if isinstance(plain, dict):
        for key, token in zip(plain, redacted, strict=True):
            if key != token:
                yield (*path, token), {key if one == token else one: value for one, value in redacted.items()}
            for inner, document in restored(plain[key], redacted[token], (*path, token)):
                yield inner, {**redacted, token: document}
    elif isinstance(plain, list | tuple):
        for number, (one, two) in enumerate(zip(plain, redacted, strict=True)):
            for inner, document in restored(one, two, (*path, number)):
                yield inner, [*redacted[:number], document, *redacted[number + 1 :]]
    elif plain != redacted:
        yield path, plain


CASES = dict(restored(msgspec.to_builtins(PLAIN), msgspec.to_builtins(REDACTED)))


def test_a_redacted_snapshot_has_no_field_left() -> None:
    assert left(REDACTED) == []
    assert len(CASES) > 90


@pytest.mark.parametrize("path", [path for path in CASES if path != OWNER], ids=lambda p: ".".join(map(str, p)))
def test_a_name_that_is_left_in_any_one_field_is_found(path: Path) -> None:
    assert left(loads(json.dumps(CASES[path]).encode()))


def test_the_path_and_the_kind_of_a_field_are_named() -> None:
    document = msgspec.to_builtins(REDACTED)
    document["sections"]["users"][0]["displayName"] = "Anna Smith"
    document["sections"]["authorizationPolicy"]["description"] = "Ask Anna."
    assert left(loads(json.dumps(document).encode())) == [
        "sections.authorizationPolicy.description isn't redacted: it holds free text",
        "sections.users[0].displayName isn't redacted: it holds a person's name",
    ]


def test_the_names_of_an_unredacted_snapshot_are_found() -> None:
    assert len(left(PLAIN)) > 50


@pytest.mark.parametrize(
    "word", ["Société Générale", "Acme & Söhne GmbH", "O'Neil", "User", "Tenant 0123456789", "ffffffff", "Yes%20No"]
)
def test_redacting_again_changes_nothing_whatever_the_tenant_is_called(word: str) -> None:
    assert left(Redactor(KEY, named_tenant(Secret(word)), APPS, APPS).snapshot) == []


@pytest.mark.parametrize("form", FORMS)
def test_redacting_again_changes_nothing_whatever_is_in_every_text(form: str) -> None:
    once = Redactor(KEY, Canaries(form).snapshot(sample("custom-policy")), APPS, APPS).snapshot
    assert left(once) == []


STEP = 1 if settings().max_examples > 100 else 11
"""In ``make soak`` every text is tried, in ``make test`` every eleventh."""


@pytest.mark.parametrize("form", ["a name", "an address", "a code"])
def test_a_word_that_is_left_in_any_one_text_of_a_snapshot_is_found(form: str) -> None:
    """Whatever isn't loaded, such as an unknown section, isn't in the form in which the program writes a snapshot."""
    plain = msgspec.structs.replace(Canaries(form).snapshot(sample("custom-policy")), covers={}, unread={})
    redacted = Redactor(KEY, plain, APPS, APPS).snapshot
    assert is_canonical(msgspec.to_builtins(redacted))
    missed = []
    for path, document in islice(restored(msgspec.to_builtins(plain), msgspec.to_builtins(redacted)), 0, None, STEP):
        is_found = left(loads(json.dumps(document).encode())) or not is_canonical(document)
        if not is_found and path[-2] != "clientApplicationTenantIds":
            missed.append(path)
    assert missed == []


def is_canonical(document: Any) -> bool:
    text = json.dumps(document)
    return bool(json.loads(dumps(loads(text.encode()))) == json.loads(text))


@settings(max_examples=40)
@given(SNAPSHOTS)
def test_redacting_again_with_any_key_changes_nothing(snapshot: Snapshot) -> None:
    once = Redactor(KEY, snapshot, APPS, APPS).snapshot
    assert left(once) == []
    assert Redactor(ANOTHER, once, APPS, APPS).snapshot == once
