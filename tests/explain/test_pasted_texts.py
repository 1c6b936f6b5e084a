"""What is found in pasted texts: every code, what they say about the sign-in, and never a secret."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.explain.pasted_text import parse, similar_codes
from auditor.facts.sign_in_codes import sign_in_codes
from auditor.model.explanation import TextKind
from tests.explain.pasted_texts import AUTHORIZE, CASES, NOTHING, SECRETS, Case

EACH = [pytest.param(case, id=name) for name, case in CASES.items()]


@pytest.mark.parametrize("case", EACH)
def test_the_codes_of_a_text_are_found(case: Case) -> None:
    found = parse(case.text)
    assert tuple(one.code for one in found.codes) == case.codes
    assert all(one.inferred is case.inferred for one in found.codes)


@pytest.mark.parametrize("case", EACH)
def test_what_a_text_says_about_the_sign_in_is_found(case: Case) -> None:
    said = msgspec.structs.asdict(parse(case.text).facts)
    assert {name: said[name] for name in case.facts} == dict(case.facts)


def test_no_secret_of_a_text_is_kept() -> None:
    for name, case in CASES.items():
        kept = msgspec.json.encode(msgspec.structs.replace(parse(case.text), request="")).decode()
        assert [secret for secret in SECRETS if secret in kept] == [], name


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NOTHING.items()])
def test_a_text_that_says_nothing_about_a_sign_in_is_empty(text: str) -> None:
    assert parse(text).is_empty


def test_there_are_at_least_sixty_texts_with_codes_of_all_topics() -> None:
    assert len(CASES) >= 60
    topics = {sign_in_codes()[code].topic for case in CASES.values() for code in case.codes if code.isdigit()}
    assert topics >= {"consent", "assignment", "app", "resource", "request", "account", "access", "token"}


def test_the_address_of_a_request_is_kept_for_what_it_asks() -> None:
    assert parse(f"Please open {AUTHORIZE} now").request == AUTHORIZE


def test_a_code_that_is_not_known_is_not_repaired() -> None:
    assert [one.code for one in parse("AADSTS1234567 SB, AADSTS6500 times").codes] == ["1234567", "6500"]


def test_a_mistyped_code_has_similar_ones() -> None:
    assert similar_codes("65051")[0] in ("65001", "650051")
    assert similar_codes("1") == ()


def test_every_code_of_the_table_is_found_in_any_spelling() -> None:
    for code in sign_in_codes():
        for text in (code, f"AADSTS{code}", f"aadsts {code}: x", f"(AADSTS{code})", f'"error_codes":[{code}]'):
            assert [one.code for one in parse(text).codes] == [code], text


@given(st.text(max_size=400))
def test_no_text_is_too_strange_to_be_read(text: str) -> None:
    assert parse(text).facts.kind in TextKind


@given(st.text("<>&%=?#/:\\\"'[]() \n\tAaDdSsTt0159httpserrocd.-_", max_size=400))
def test_no_text_like_an_address_is_too_strange_to_be_read(text: str) -> None:
    assert parse(f"https://login.microsoftonline.com/{text}").facts.kind in TextKind
