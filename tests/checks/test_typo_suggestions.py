"""A value that is nearly a known word or ID is reported as a typo; a value that may be intended isn't."""

from __future__ import annotations

import pytest

from auditor.checks.permission_lists import resource, scope_of
from auditor.checks.typo_suggestions import is_one_typo, neighbor_of_guid, typo_of, typo_of_guid
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, RESOURCE_NAMES, RESOURCES
from auditor.facts.permissions import is_complete, known_scopes

LEVELS = ("low", "medium", "high", "all")
TYPES = ("Application", "ManagedIdentity", "Legacy", "SocialIdp")


@pytest.mark.parametrize(
    ("text", "known", "meant"),
    [
        pytest.param("lo", LEVELS, "low", id="a short word, one letter too few"),
        pytest.param("med", LEVELS, "medium", id="the beginning of a word"),
        pytest.param("HIHG", LEVELS, "", id="other letter case, two letters swapped"),
        pytest.param("highh", LEVELS, "high", id="a letter too many"),
        pytest.param("mango", LEVELS, "", id="another word"),
        pytest.param("Aplication", TYPES, "Application", id="a letter too few"),
        pytest.param("AgentIdentity", TYPES, "", id="a new type"),
        pytest.param("A", TYPES, "", id="one letter"),
    ],
)
def test_a_word_that_may_be_new_is_not_a_typo(text: str, known: tuple[str, ...], meant: str) -> None:
    assert typo_of(text, known) == meant


@pytest.mark.parametrize(
    ("a", "b", "is_typo"),
    [
        pytest.param("mail", "mial", True, id="swapped"),
        pytest.param("mail", "mai", True, id="a letter too few"),
        pytest.param("mail", "maill", True, id="a letter too many"),
        pytest.param("mail", "malli", False, id="swapped and one too many"),
        pytest.param("", "a", True, id="one letter from nothing"),
    ],
)
def test_one_typo_is_one_letter_or_two_swapped_neighbors(a: str, b: str, is_typo: bool) -> None:
    assert is_one_typo(a, b) is is_typo
    assert is_one_typo(b, a) is is_typo


@pytest.mark.parametrize(
    ("text", "typo", "neighbour"),
    [
        pytest.param(MICROSOFT_GRAPH, "", "", id="a known id"),
        pytest.param(EXCHANGE_ONLINE.upper(), "", "", id="a known id in capitals"),
        pytest.param("00000003-0000-0000-c000-000000000001", MICROSOFT_GRAPH, "", id="one digit off"),
        pytest.param("00000003-0000-0000-c001-000000000010", MICROSOFT_GRAPH, "", id="two digits off"),
        pytest.param("00000003-0000-0000-c111-000000000000", "", "", id="three digits off"),
        pytest.param(
            "000000ff-0000-0000-c000-000000000000", "", MICROSOFT_GRAPH, id="in Microsoft's row, two digits off"
        ),
        pytest.param("00000002-0000-0000-c000-000000000000", "", "", id="in Microsoft's row, and known"),
        pytest.param("11111111-2222-3333-4444-555555555555", "", "", id="another id"),
        pytest.param("Microsoft Graph", "", "", id="a name"),
    ],
)
def test_an_id_that_differs_in_two_digits_is_a_typo_unless_it_is_of_microsofts_row(
    text: str, typo: str, neighbour: str
) -> None:
    known = (MICROSOFT_GRAPH, EXCHANGE_ONLINE)
    assert typo_of_guid(text, known) == typo
    assert neighbor_of_guid(text, known) == neighbour


def test_no_well_known_resource_is_taken_for_a_typo_of_another() -> None:
    assert [found for one in RESOURCE_NAMES if (found := resource(one))] == []


@pytest.mark.parametrize("on", [one for one in sorted(RESOURCE_NAMES) if not is_complete(one)])
def test_of_a_resource_that_is_not_known_in_full_every_known_scope_is_right_and_its_beginning_is_not(on: str) -> None:
    for known in known_scopes(on).values():
        assert scope_of(on, known.value) is None
        stem, dot, _ = known.value.rpartition(".")
        if dot and "." in stem and stem.lower() not in known_scopes(on):
            found = scope_of(on, stem)
            assert found is not None
            assert found.near.lower().startswith(stem.lower())


@pytest.mark.parametrize(
    ("on", "scope", "meant"),
    [
        pytest.param(
            EXCHANGE_ONLINE,
            "IMAP.AccesAsUser.Al",
            "IMAP.AccessAsUser.All",
            id="Exchange: a letter left out in two words",
        ),
        pytest.param(EXCHANGE_ONLINE, "EWS.AccessAsUser", "EWS.AccessAsUser.All", id="Exchange: the ending left out"),
        pytest.param(EXCHANGE_ONLINE, "EWS.AccessAsUser.A", "EWS.AccessAsUser.All", id="Exchange: the ending cut off"),
        pytest.param(EXCHANGE_ONLINE, "Mial.Rd", "Mail.Read", id="Exchange: two letters swapped and two left out"),
        pytest.param(
            EXCHANGE_ONLINE, "POP.AccesAsUsr.All", "POP.AccessAsUser.All", id="Exchange: two letters left out"
        ),
        pytest.param("sharepoint-online", "AllSites.Reed", "AllSites.Read", id="SharePoint: another letter"),
        pytest.param(
            "sharepoint-online", "AlSites.FulControl", "AllSites.FullControl", id="SharePoint: two letters left out"
        ),
        pytest.param("power-bi", "Dataset.Read", "Dataset.Read.All", id="Power BI: the ending left out"),
        pytest.param("power-bi", "Report.Reshare.All", "", id="Power BI: a scope that may be new"),
        pytest.param("power-bi", "Lakehouse.Execute.All", "", id="Power BI: another that may be new"),
        pytest.param("dataverse", "user_impersonaton", "user_impersonation", id="Dataverse: a letter left out"),
        pytest.param("power-automate", "Activity.Read.All", "", id="Power Automate: a scope that may be new"),
    ],
)
def test_a_typo_in_a_scope_is_found_wherever_some_scopes_are_known(on: str, scope: str, meant: str) -> None:
    found = scope_of(RESOURCES.get(on, on), scope)
    assert (found.near if found else "") == meant


@pytest.mark.parametrize("scope", ["Calendars.ReadWrite.Shared", "MailboxSettings.ReadWrite", "Tasks.Read", "Tags.Any"])
def test_a_scope_that_exchange_may_well_have_is_let_pass(scope: str) -> None:
    assert scope_of(EXCHANGE_ONLINE, scope) is None
