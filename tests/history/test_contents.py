"""Lines that runs share: what is kept as a delta comes back as it was."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, func, insert, select

from auditor.history import open_history
from auditor.history.contents import applied, delta, digest_of, keep, load, packed, remove_unused, unpacked
from auditor.history.tables import contents, parts
from tests.history.nights import Night
from tests.history.nights import keep as keep_night

LINES = st.lists(st.sampled_from([b"%d" % number for number in range(8)]), max_size=12)


@given(LINES, LINES)
def test_a_delta_makes_the_new_lines_of_the_old_ones(old: list[bytes], new: list[bytes]) -> None:
    assert applied(old, delta(old, new)) == new
    assert unpacked(packed(new)) == new


@given(LINES, LINES)
def test_only_equal_lines_have_one_digest(one: list[bytes], other: list[bytes]) -> None:
    assert (digest_of(one) == digest_of(other)) == (one == other)


def size_of(connection: Connection) -> int:
    return int(connection.scalar(select(func.coalesce(func.sum(func.length(contents.c.data)), 0))) or 0)


def test_a_row_that_changes_costs_about_one_row_each_time(tmp_path: Path) -> None:
    rows = [b'{"id":"%032x"}' % (number * 7919**9) for number in range(2000)]
    with open_history(str(tmp_path / "history.db")) as history, history._database.write() as connection:
        before = None
        kept = []
        for night in range(30):
            rows = [*rows[:50], b'{"id":"new-%d"}' % night, *rows[51:]]
            before = keep(connection, rows, before)
            kept.append((before, rows))
            if night == 0:
                first = size_of(connection)
        assert size_of(connection) < first + 30 * 120
        for content, expected in kept:
            assert load(connection, content) == expected
        assert keep(connection, rows, before) == before


def test_what_no_run_holds_is_removed_and_the_rest_stays(tmp_path: Path, default_night: Night) -> None:
    with open_history(str(tmp_path / "history.db")) as history:
        run = keep_night(history, default_night)
        with history._database.write() as connection:
            base, kept, made = None, [], []
            for night in range(6):
                made.append([b"always" * 50, b"night %d" % night, b"x" * 500])
                base = keep(connection, made[-1], base)
                kept.append(base)
            for night in (2, 5):
                connection.execute(
                    insert(parts).values(run_id=int(run.id), part=f"test{night}", content_id=kept[night])
                )
            remove_unused(connection)
            left = set(connection.scalars(select(contents.c.id)))
            assert set(kept) & left == {kept[2], kept[5]}
            assert [load(connection, kept[night]) for night in (2, 5)] == [made[2], made[5]]
        assert history.report(run.id) == default_night.report
