"""A tenant that is forgotten is in no table, in no compressed content and in no byte of the file; the others stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from auditor.history import History, RunInProgress, locate, open_history
from auditor.history.location import ServerLocation
from auditor.history.tenant_deletion import forget, holdings, remaining, remaining_in_files
from auditor.history.traces import Words
from auditor.jobs.fleet_queue import prepare_queue
from auditor.model.customers import Customer, CustomerList, ListKind
from auditor.model.errors import InvalidRequest
from auditor.model.history import QUEUE_SCHEMA, OutboxMessage, Said
from auditor.model.snapshot import Tenant
from tests.history.nights import TENANT, Night, difference_of, keep

OTHER = "fe014372-9313-4adf-bba3-fec76ca387b5"
WORD = "Qzubdofgyk"
replace = msgspec.structs.replace


def of_tenant(made: Night, tenant: Tenant, answer: str) -> Night:
    """The night as one of another tenant, with an answer that only this one has."""
    summary = replace(made.report.summary, answer=answer)
    return Night(
        replace(made.report, tenant=tenant, summary=summary),
        replace(made.snapshot, tenant=tenant),
    )


def message(tenant: str, identity: str) -> OutboxMessage:
    return OutboxMessage(
        id=identity,
        target="team",
        tenant=tenant,
        run="1",
        created="2026-01-01T02:00:00Z",
        title=f"{WORD}: users can't connect",
        body=WORD,
        text=WORD,
        event="change",
    )


def with_two_tenants(history: History, default_night: Night) -> History:
    """Two tenants, of which one has the word, and whose snapshots are the same but for their ids."""
    mine = of_tenant(default_night, Tenant(id=TENANT, name=WORD), f"Users of {WORD} can't connect.")
    other = of_tenant(default_night, Tenant(id=OTHER, name="Fabrikam"), "Users can't connect.")
    said = Said(
        target="team", tenant=TENANT, key=f"rule/{WORD}", first="2026-01-01T02:00:00Z", last="2026-01-01T02:00:00Z"
    )
    keep(history, mine, 0, name=WORD, messages=[message(TENANT, "a"), message(TENANT, "b")], said=[said])
    keep(history, mine, 1, name=WORD, difference=difference_of(2))
    keep(history, other, 2, tenant=OTHER, name="fabrikam")
    history.mark_sent("a", "2026-01-01T02:01:00Z")
    return history


@pytest.fixture
def two(history: History, default_night: Night) -> History:
    """Two tenants in each of the databases."""
    return with_two_tenants(history, default_night)


@pytest.fixture
def local(tmp_path: Path) -> Iterator[History]:
    """A history in a file."""
    with open_history(str(tmp_path / "history.db")) as opened:
        yield opened


@pytest.fixture
def local_two(local: History, default_night: Night) -> History:
    """Two tenants in a file."""
    return with_two_tenants(local, default_night)


def test_what_is_held_of_a_tenant_is_counted(local_two: History) -> None:
    found = holdings(local_two.database, WORD)
    assert (found.keys[0], found.ids, found.names) == (TENANT, (TENANT,), (WORD,))
    assert (found.runs, found.waiting, found.sent, found.said) == (2, 1, (("team", 1),), 1)


def test_a_forgotten_tenant_is_in_no_row_and_the_other_one_is_whole(two: History) -> None:
    words = Words([WORD, TENANT])
    tables = {trace.table for trace in remaining(two.database, words)}
    assert tables >= {"history_tenants", "history_contents", "history_messages", "history_said"}
    other = two.last_finished(OTHER)
    assert other is not None
    before = two.comparable_parts(other.id)
    assert not forget(two.database, TENANT).is_empty
    # The other tenant's snapshot is a copy, in which the id is part of its own data.
    assert {trace.owners for trace in remaining(two.database, words)} == {("fabrikam",)}
    assert remaining(two.database, Words([WORD])) == ()
    assert two.comparable_parts(other.id) == before
    assert two.runs() == (other,)
    assert holdings(two.database, TENANT).is_empty


def test_the_search_says_whose_rows_have_a_word(local_two: History) -> None:
    owners = {owner for trace in remaining(local_two.database, Words([OTHER])) for owner in trace.owners}
    assert owners == {"fabrikam"}


def test_contents_that_another_tenant_shares_stay(local_two: History, default_night: Night) -> None:
    third = keep(
        local_two,
        of_tenant(default_night, Tenant(id=OTHER, name="Fabrikam"), "Now they can."),
        3,
        tenant=OTHER,
        name="fabrikam",
    )
    before = local_two.comparable_parts(third.id)
    forget(local_two.database, TENANT)
    assert local_two.comparable_parts(third.id) == before


def test_nothing_is_left_in_the_bytes_of_the_file(tmp_path: Path, default_night: Night) -> None:
    place = tmp_path / "history.db"
    with open_history(str(place)) as history:
        mine = of_tenant(default_night, Tenant(id=TENANT, name=WORD), WORD)
        for number in range(3):
            keep(history, mine, number, name=WORD, messages=[message(TENANT, str(number))], difference=difference_of(9))
            keep(history, of_tenant(mine, Tenant(id=OTHER), ""), 10 + number, tenant=OTHER, name="fabrikam")
        files = [place, place.with_name("history.db-wal")]
        assert any(WORD.encode() in file.read_bytes() for file in files)
        forget(history.database, TENANT)
        assert [file.name for file in files if WORD.encode() in file.read_bytes()] == []
        assert remaining_in_files(history.database, Words([WORD])) == frozenset()


def test_bytes_that_sqlite_leaves_in_a_page_are_found(tmp_path: Path, default_night: Night) -> None:
    with open_history(str(tmp_path / "history.db")) as history:
        keep(history, default_night, name=f"{WORD}travel")
        assert remaining_in_files(history.database, Words([WORD])) == frozenset(), "a row has the longer word"
        with (tmp_path / "history.db").open("ab") as file:
            file.write(b"left" + TENANT[::-1].encode() + b"x" + OTHER.encode())
        assert remaining_in_files(history.database, Words([WORD, OTHER])) == {OTHER}


def test_messages_and_notes_of_a_tenant_without_runs_are_forgotten(local: History) -> None:
    local.keep_said([Said(target="", tenant="contoso", key="consent", first="2026", last="2026")])
    assert holdings(local.database, "contoso").said == 1
    forget(local.database, "contoso")
    assert remaining(local.database, Words(["contoso"])) == ()


def test_a_customer_of_a_list_is_forgotten_by_its_label_and_the_others_stay_listed(history: History) -> None:
    mine = Customer(tenant=TENANT, name=f"{WORD} Ltd", source="gdap:p", label="contoso", domain=f"{WORD}.example")
    other = Customer(tenant=OTHER, name="Fabrikam", source="gdap:p", label="fabrikam")
    listed = CustomerList(source="gdap:p", kind=ListKind.GDAP, taken="2026", customers=(mine, other))
    history.keep_customers(listed)
    history.keep_said([Said(target="", tenant=TENANT, key="consent", first="2026", last="2026")])
    found = forget(history.database, "contoso")
    assert (found.listed, found.said, set(found.aliases)) == (1, 1, {mine.name, mine.domain})
    assert remaining(history.database, Words([TENANT, WORD, mine.name, mine.domain, "contoso"])) == ()
    kept = history.kept_customers("gdap:p")
    assert kept is not None and kept.customers == (other,)


def test_two_tenants_of_one_name_are_not_mixed_up(local_two: History, default_night: Night) -> None:
    keep(local_two, of_tenant(default_night, Tenant(id=OTHER), ""), 5, tenant="namesake", name=WORD)
    with pytest.raises(InvalidRequest, match=f"2 tenants are called {WORD}: .*{TENANT} or {OTHER}"):
        forget(local_two.database, WORD)
    assert len(local_two.runs()) == 4


def test_a_lock_of_a_forgotten_tenant_leaves_no_file_and_can_be_held_again(tmp_path: Path) -> None:
    with open_history(str(tmp_path / "history.db")) as history:
        with history.lock("contoso"), pytest.raises(RunInProgress):
            forget(history.database, "contoso")
        forget(history.database, "contoso")
        assert list((tmp_path / "history.db-locks").iterdir()) == []
        with history.lock("contoso"), pytest.raises(RunInProgress), history.lock("contoso"):
            pass


def test_the_jobs_of_a_forgotten_tenant_leave_the_queue(postgresql: str, default_night: Night) -> None:
    with open_history(postgresql) as history:
        keep(history, of_tenant(default_night, Tenant(id=TENANT), ""), name="contoso")
        location = locate(postgresql)
        assert isinstance(location, ServerLocation)
        prepare_queue(location)
        with history.database.write() as connection:
            connection.execute(text(f"SET LOCAL search_path TO {QUEUE_SCHEMA}"))
            for name in ("contoso", "fabrikam"):
                values = {"lock": f"tenant/{name}", "args": json.dumps({"tenant": name})}
                columns = "(queue_name, task_name, lock, args) VALUES ('tenants', 'audit', :lock, :args)"
                connection.execute(text(f"INSERT INTO procrastinate_jobs {columns}"), values)
        words = Words(["contoso", "fabrikam"])
        assert [trace.rows for trace in remaining(history.database, words) if "jobs" in trace.table] == [1, 1]
        assert forget(history.database, "contoso").jobs == 1
        (left,) = remaining(history.database, words)
        assert left.words == {"fabrikam"}


@pytest.mark.parametrize(
    ("word", "data"),
    [
        pytest.param("Contoso", b"at CONTOSO.", id="letter case"),
        pytest.param("contoso.com", b"alice@contoso.com", id="a domain in an address"),
        pytest.param("Müller & Co", '{"name": "Müller & Co"}'.encode(), id="UTF-8"),
        pytest.param("Müller & Co", b'{"name": "M\\u00fcller & Co"}', id="JSON of ASCII"),
        pytest.param("Müller & Co", "Müller &amp; Co".encode(), id="HTML"),
        pytest.param(TENANT, TENANT.upper().encode(), id="an ID"),
    ],
)
def test_a_word_is_found_however_it_is_written(word: str, data: bytes) -> None:
    assert Words([word, "other"]).found_in(data) == {word}


@pytest.mark.parametrize(
    "data", [pytest.param(b"Contosotravel", id="longer"), pytest.param(b"not-contoso", id="hyphen")]
)
def test_a_longer_word_is_another_one(data: bytes) -> None:
    assert Words(["Contoso"]).found_in(data) == frozenset()
