"""One message about all tenants of a night."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from auditor.model.configuration import TenantEntry
from auditor.model.notification import DeliveryState, NightOfTenant
from auditor.notify import deliver, messages_for
from auditor.notify.delivery import Sent, TargetAnswer
from tests.golden import check_section
from tests.notify.nights import broke, difference, failed, finding, finished, night, target
from tests.notify.outbox import Killed, MemoryOutbox
from tests.notify.test_delivery import DOWN, OK, Service, at

ADDRESSES = {"ops": "json://secret@ops"}


def fleet_night(day: int, *, fails: bool = True) -> list[NightOfTenant]:
    """Five tenants: one changed, one could not be audited, three are quiet."""
    quiet = night(finished(), difference=difference())
    nights = {
        "contoso": night(finished(), broke(), finding(0)),
        "fabrikam": night(failed()) if fails else quiet,
        "adatum": quiet,
        "litware": quiet,
        "tailspin": quiet,
    }
    return [
        msgspec.structs.replace(
            one,
            entry=TenantEntry(name=name),
            night=at(day),
            run=msgspec.structs.replace(one.run, id=f"{name}-{day}", tenant=name, name=name, started=at(day)),
        )
        for name, one in nights.items()
    ]


def outbox(day: int = 22, *events: str) -> MemoryOutbox:
    to = target("ops", *(events or ("digest",)))
    return MemoryOutbox(one for made in fleet_night(day) for one in messages_for([to], made, {}, at(day))[0])


def test_a_digest_reads_as_approved() -> None:
    service = Service()
    (made,) = deliver(outbox(), ADDRESSES, at(22), service)
    assert made.state is DeliveryState.SENT
    assert len(made.tenants) == 5
    (message,) = service.accepted
    golden = Path(__file__).with_name("messages.txt")
    check_section(golden, "digest of five tenants", f"{message.title}\n\n{message.text}\n")
    check_section(golden.with_name("markdown.txt"), "digest of five tenants", f"{message.title}\n\n{message.body}\n")


def test_a_digest_of_changes_says_nothing_of_quiet_tenants() -> None:
    service = Service()
    deliver(outbox(22, "digest", "change"), ADDRESSES, at(22), service)
    assert [one.title for one in service.accepted] == ["contoso: users can no longer connect TrackerRMS; 1 more change"]


def test_a_digest_that_a_kill_repeats_has_the_same_id_and_a_digest_of_the_next_night_another_one() -> None:
    waiting, service = outbox(), Service()
    waiting.dies_after = 2
    with pytest.raises(Killed):
        deliver(waiting, ADDRESSES, at(22), service)
    waiting.dies_after = None
    waiting.add(one for made in fleet_night(23) for one in messages_for([target("ops", "digest")], made, {}, at(23))[0])
    deliver(waiting, ADDRESSES, at(23), service)
    first, again, next_night = (one.id for one in service.accepted)
    assert first == again != next_night


def test_a_digest_waits_whole_while_its_target_is_down() -> None:
    waiting, service = outbox(), Service(DOWN, OK)
    assert [one.state for one in deliver(waiting, ADDRESSES, at(22), service)] == [DeliveryState.FAILED]
    (made,) = deliver(waiting, ADDRESSES, at(23), service)
    assert (made.state, made.attempts) == (DeliveryState.SENT, 2)


def test_a_refused_digest_is_one_failed_delivery() -> None:
    (made,) = deliver(outbox(), ADDRESSES, at(22), Service(Sent(TargetAnswer.REFUSED, "the service refused it (400)")))
    assert made.error == "the service refused it (400)"
