"""The outbox: each message at least once, twice only where the process died before the commit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.history import open_history
from auditor.model.difference import Change
from auditor.model.history import OutboxMessage, Run, Said
from auditor.model.notification import DeliveryState
from auditor.notify import deliver, messages_for
from auditor.notify.delivery import GIVE_UP_DAYS, UNKNOWN_TARGET, Sent, TargetAnswer, undelivered
from tests.history.nights import keep
from tests.history.nights import night as kept_night
from tests.notify.nights import app_appeared, difference, failed, finished, night, target
from tests.notify.outbox import Killed, MemoryOutbox

ADDRESSES = {"admins": "json://secret@one", "boss": "json://secret@two"}
OK = Sent(TargetAnswer.ACCEPTED)
DOWN = Sent(TargetAnswer.DOWN, "the service failed (500)")


def message(identity: str = "m1", to: str = "admins", day: int = 1, **changes: str) -> OutboxMessage:
    return OutboxMessage(
        id=identity,
        target=to,
        tenant="t",
        run="r",
        created=at(day),
        title=f"contoso: {identity}",
        body=f"body\n\nMessage {identity}",
        text=f"text\n\nMessage {identity}",
        event="change",
        **changes,  # type: ignore[arg-type]
    )


def at(day: int) -> str:
    return f"2026-11-{day:02}T02:00:00Z"


class Service:
    """Answers with `answers` in turn, then accepts everything; keeps what it accepted."""

    def __init__(self, *answers: Sent) -> None:
        self.answers = list(answers)
        self.accepted: list[OutboxMessage] = []
        self.tried: list[str] = []

    def __call__(self, address: str, one: OutboxMessage) -> Sent:
        self.tried.append(one.id)
        answer = self.answers.pop(0) if self.answers else OK
        if answer.answer is TargetAnswer.ACCEPTED:
            self.accepted.append(one)
        return answer


def test_what_is_accepted_is_not_sent_again() -> None:
    outbox, service = MemoryOutbox([message()]), Service()
    (first,) = deliver(outbox, ADDRESSES, at(1), service)
    assert (first.state, first.attempts, first.error) == (DeliveryState.SENT, 1, "")
    assert deliver(outbox, ADDRESSES, at(2), service) == ()
    assert [one.id for one in service.accepted] == ["m1"]


def test_a_target_that_is_down_for_two_nights_gets_its_messages_in_the_third_in_their_order() -> None:
    outbox, service = MemoryOutbox([message("m1")]), Service(DOWN, DOWN)
    assert [one.state for one in deliver(outbox, ADDRESSES, at(1), service)] == [DeliveryState.FAILED]
    outbox.add([message("m2", day=2)])
    states = [one.state for one in deliver(outbox, ADDRESSES, at(2), service)]
    assert states == [DeliveryState.FAILED, DeliveryState.POSTPONED]
    assert [one.state for one in deliver(outbox, ADDRESSES, at(3), service)] == [DeliveryState.SENT] * 2
    assert [one.id for one in service.accepted] == ["m1", "m2"]


def test_a_failure_of_one_target_does_not_stop_the_others() -> None:
    outbox = MemoryOutbox([message("m1"), message("m2", "boss")])
    made = deliver(outbox, ADDRESSES, at(1), Service(DOWN))
    assert [(one.target, one.state) for one in made] == [("admins", "failed"), ("boss", "sent")]
    assert [one.target for one in undelivered(made)] == ["admins"]
    assert made[0].error == "the service failed (500)"


def test_a_refused_message_does_not_stop_the_next_one() -> None:
    outbox = MemoryOutbox([message("m1"), message("m2")])
    service = Service(Sent(TargetAnswer.REFUSED, "the service refused the message (400)"))
    assert [one.state for one in deliver(outbox, ADDRESSES, at(1), service)] == ["failed", "sent"]


def test_a_message_is_given_up_after_some_days_and_that_is_said() -> None:
    outbox = MemoryOutbox([message()])
    for day in range(1, GIVE_UP_DAYS + 1):
        (made,) = deliver(outbox, ADDRESSES, at(day), Service(DOWN))
        assert made.state is DeliveryState.FAILED
    (made,) = deliver(outbox, ADDRESSES, at(GIVE_UP_DAYS + 1), Service(DOWN))
    assert made.state is DeliveryState.GIVEN_UP
    assert made.error == "the service failed (500); given up after 7 days"
    assert deliver(outbox, ADDRESSES, at(GIVE_UP_DAYS + 2), Service()) == ()


def test_a_clock_that_was_set_back_gives_nothing_up() -> None:
    outbox = MemoryOutbox([message(day=28)])
    (made,) = deliver(outbox, ADDRESSES, at(1), Service(DOWN))
    assert made.state is DeliveryState.FAILED


def test_a_target_that_the_configuration_lost_is_named_and_its_messages_wait() -> None:
    outbox, service = MemoryOutbox([message(to="gone")]), Service()
    (made,) = deliver(outbox, ADDRESSES, at(1), service)
    assert (made.state, made.error) == (DeliveryState.FAILED, UNKNOWN_TARGET)
    assert service.tried == []
    assert deliver(outbox, {**ADDRESSES, "gone": "json://three"}, at(2), service)[0].state is DeliveryState.SENT


def test_a_busy_target_gets_pauses_only_after_it_accepted_something() -> None:
    busy = Sent(TargetAnswer.BUSY, "the service takes no more messages for now (429)")
    pauses: list[float] = []
    outbox = MemoryOutbox([message("m1"), message("m2")])
    deliver(outbox, ADDRESSES, at(1), Service(OK, busy, busy), pause=pauses.append)
    assert len(pauses) == 2
    assert outbox.pending(at(1)) == ()
    outbox = MemoryOutbox([message("m1"), message("m2")])
    deliver(outbox, ADDRESSES, at(1), Service(busy), pause=pauses.append)
    assert len(pauses) == 2


def test_a_late_message_comes_without_the_report_because_the_next_night_wrote_another_one() -> None:
    outbox, service = MemoryOutbox([message(attachment="reports/contoso/report.html")]), Service(DOWN)
    deliver(outbox, ADDRESSES, at(1), service)
    deliver(outbox, ADDRESSES, at(2), service)
    assert [one.attachment for one in service.accepted] == [""]


def test_a_message_is_sent_twice_with_the_same_id_if_the_process_dies_before_the_commit() -> None:
    outbox, service = MemoryOutbox([message()]), Service()
    outbox.dies_after = 0
    with pytest.raises(Killed):
        deliver(outbox, ADDRESSES, at(1), service)
    outbox.dies_after = None
    deliver(outbox, ADDRESSES, at(2), service)
    assert [one.id for one in service.accepted] == ["m1", "m1"]


def test_no_address_is_in_a_repr_or_a_result() -> None:
    made = deliver(MemoryOutbox([message()]), ADDRESSES, at(1), Service(DOWN))
    assert "secret" not in repr(made)


# A random month: each night the audit works or not and finds new apps, and the two targets are down or not. The
# process can die between a service's answer and its commit.
NIGHTS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 2), st.booleans(), st.booleans(), st.none() | st.integers(0, 2)),
    min_size=1,
    max_size=12,
)


class Month:
    """A tenant and its targets over many nights."""

    def __init__(self) -> None:
        self.outbox = MemoryOutbox()
        self.said: dict[str, dict[str, Said]] = {"admins": {}, "boss": {}}
        self.got: dict[str, list[str]] = {"admins": [], "boss": []}
        self.texts: dict[str, list[str]] = {"admins": [], "boss": []}
        self.down: set[str] = set()
        self.previous: Run | None = None
        self.kills = 0

    def night(self, day: int, runs: bool, changes: Sequence[Change]) -> None:
        """One run, kept with its messages in one transaction."""
        run = finished(started=at(day)) if runs else failed(at(day))
        more = {"difference": difference(*changes), "previous": self.previous} if runs else {}
        targets = (target("admins"), target("boss"))
        said = {name: tuple(entries.values()) for name, entries in self.said.items()}
        messages, entries = messages_for(targets, night(run, **more), said, at(day))
        self.outbox.add(messages)
        for one in entries:
            self.said[one.target][one.key] = one
        self.previous = run

    def deliver(self, day: int, dies_after: int | None) -> None:
        """Deliver what waits; the process may die after some commits."""
        self.outbox.dies_after = dies_after
        try:
            deliver(self.outbox, ADDRESSES, at(day), self._send, give_up_days=90)
        except Killed:
            self.kills += 1
        self.outbox.dies_after = None

    def _send(self, address: str, one: OutboxMessage) -> Sent:
        if one.target in self.down:
            return DOWN
        self.got[one.target].append(one.id)
        self.texts[one.target].append(f"{one.title}\n{one.text}")
        return OK


@given(NIGHTS)
def test_each_change_arrives_once_and_twice_only_after_a_kill_and_each_recovery_once(
    nights: list[tuple[bool, int, bool, bool, int | None]],
) -> None:
    month, outages, found = Month(), 0, []
    was_failing = False
    for day, (runs, new, one_down, two_down, dies_after) in enumerate(nights, start=1):
        changes = [app_appeared(f"App{day}x{place}.") for place in range(new if runs else 0)]
        found += [change.what for change in changes]
        outages += runs and was_failing
        was_failing = not runs
        month.down = {name for name, is_down in (("admins", one_down), ("boss", two_down)) if is_down}
        month.night(day, runs, changes)
        month.deliver(day, dies_after)
    month.down = set()
    month.deliver(len(nights) + 1, None)
    for name in ("admins", "boss"):
        got, doubles = month.got[name], len(month.got[name]) - len(set(month.got[name]))
        once = dict(zip(got, month.texts[name], strict=True)).values()
        for what in found:
            assert sum(f"{what} (new)" in text for text in once) == 1
        assert sum("the audit runs again" in text for text in once) == outages
        assert doubles <= month.kills
    assert month.outbox.pending(at(1)) == ()


def test_the_outbox_of_a_history_delivers_across_nights(tmp_path: Path) -> None:
    """The real history: one transaction with the run, an outage, a kill before the commit, and the end."""
    place, made = str(tmp_path / "history.db"), kept_night("managed-default")
    with open_history(place) as history:
        keep(history, made, messages=[message("m1"), message("m2", "boss")])
        deliver(history, ADDRESSES, at(1), Service(DOWN, OK))
    with open_history(place) as history:
        (waiting,) = history.pending(at(2))
        assert (waiting.id, waiting.attempts, waiting.error) == ("m1", 1, "the service failed (500)")
        service = Service()

        def dies(address: str, one: OutboxMessage) -> Sent:
            service(address, one)
            raise Killed

        with pytest.raises(Killed):
            deliver(history, ADDRESSES, at(2), dies)
    with open_history(place) as history:
        deliver(history, ADDRESSES, at(3), service)
        assert [one.id for one in service.accepted] == ["m1", "m1"]
        keep(history, made, 1, messages=[message("m3", day=1)])
        (gone,) = deliver(history, ADDRESSES, at(20), Service(DOWN))
        assert gone.state is DeliveryState.GIVEN_UP
        assert history.pending(at(21)) == ()


def test_two_processes_send_a_message_once(tmp_path: Path) -> None:
    """The second one waits for the first, which also sends what the second one composed."""
    place, service = str(tmp_path / "history.db"), Service()
    with open_history(place) as first, open_history(place) as second:
        keep(first, kept_night("managed-default"), messages=[message("m1")])
        waits: list[float] = []

        def sends(address: str, one: OutboxMessage) -> Sent:
            if one.id == "m1":
                keep(second, kept_night("managed-default"), 1, messages=[message("m2")])
                assert deliver(second, ADDRESSES, at(1), service, pause=waits.append) == ()
            return service(address, one)

        assert [one.id for one in deliver(first, ADDRESSES, at(1), sends)] == ["m1", "m2"]
        assert len(waits) == 60
        assert deliver(second, ADDRESSES, at(1), service) == ()
    assert [one.id for one in service.accepted] == ["m1", "m2"]


def test_a_run_that_fails_every_night_is_said_once_a_week() -> None:
    month = Month()
    for day in range(1, 16):
        month.night(day, runs=False, changes=())
        month.deliver(day, None)
    assert len(month.got["admins"]) == 3
    month.night(16, runs=True, changes=())
    month.deliver(16, None)
    month.night(17, runs=True, changes=())
    month.deliver(17, None)
    assert len(month.got["admins"]) == 4
    assert "No audit could be made since 1 Nov 2026, 02:00 UTC." in month.texts["admins"][-1]
