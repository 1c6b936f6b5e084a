"""Contents that runs share: lists of lines, each kept once, whole or as what changed since an earlier one.

A part of a report or snapshot is a list of lines (JSON, one row a line). The same lines are kept once, by their
digest. Lines that differ from those of the run before are kept as a delta: which lines to copy from them, and the new
lines. A year of nights in which little changes is then not much larger than one night.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, exists, literal, select, update

from auditor.history.run_rows import inserted
from auditor.history.tables import contents, parts

Lines = Sequence[bytes]

LONGEST_CHAIN = 1.0
"""A content is kept whole again when the deltas up to it are larger than this share of the whole."""


def digest_of(lines: Lines) -> bytes:
    """The SHA-256 of the lines."""
    state = hashlib.sha256()
    for line in lines:
        state.update(line)
        state.update(b"\n")
    return state.digest()


def packed(lines: Lines) -> bytes:
    """The lines, compressed."""
    return zlib.compress(b"\n".join(lines))


def unpacked(data: bytes) -> list[bytes]:
    """The lines that `packed` compressed."""
    text = zlib.decompress(data)
    return text.split(b"\n") if text else []


def delta(old: Lines, new: Lines) -> bytes:
    """What makes `new` of `old`, compressed: copies of ranges of old lines, and new lines.

    The first line is a JSON list: ``[start, count]`` copies old lines, and a number takes as many of the lines below.
    """
    first_place: dict[bytes, int] = {}
    for number, line in enumerate(old):
        first_place.setdefault(line, number)
    steps: list[list[int] | int] = []
    added: list[bytes] = []
    copied: list[int] | None = None
    for line in new:
        if copied is not None and (end := copied[0] + copied[1]) < len(old) and old[end] == line:
            copied[1] += 1
        elif (place := first_place.get(line)) is not None:
            copied = [place, 1]
            steps.append(copied)
        else:
            added.append(line)
            last = steps[-1] if steps and copied is None else 0
            if isinstance(last, int) and last:
                steps[-1] = last + 1
            else:
                steps.append(1)
            copied = None
    return packed([msgspec.json.encode(steps), *added])


def applied(old: Lines, data: bytes) -> list[bytes]:
    """The lines that `delta` made of `old`."""
    first, *added = unpacked(data)
    made: list[bytes] = []
    taken = 0
    for step in msgspec.json.decode(first, type=list[tuple[int, int] | int]):
        if isinstance(step, int):
            made += added[taken : taken + step]
            taken += step
        else:
            start, count = step
            made += old[start : start + count]
    return made


def load(connection: Connection, content_id: int) -> list[bytes]:
    """The lines of a content."""
    chain = (
        select(contents.c.base_id, contents.c.data, literal(0).label("step"))
        .where(contents.c.id == content_id)
        .cte("chain", recursive=True)
    )
    chain = chain.union_all(
        select(contents.c.base_id, contents.c.data, chain.c.step + 1).where(contents.c.id == chain.c.base_id)
    )
    lines: list[bytes] = []
    for base_id, data in connection.execute(select(chain.c.base_id, chain.c.data).order_by(chain.c.step.desc())):
        lines = unpacked(data) if base_id is None else applied(lines, data)
    return lines


def keep(connection: Connection, lines: Lines, before: int | None = None) -> int:
    """Keep the lines, and return the id of their content. `before` is a content with similar lines, if there is one."""
    digest = digest_of(lines)
    found: int | None = connection.scalar(select(contents.c.id).where(contents.c.digest == digest))
    if found is not None:
        return found
    values = _encoded(connection, lines, before)
    return inserted(connection, contents, {"digest": digest, **values})


def _encoded(connection: Connection, lines: Lines, base: int | None) -> dict[str, object]:
    """The columns of a content: as a delta to `base` while the chain of deltas stays smaller than a whole."""
    if base is not None:
        row = connection.execute(
            select(contents.c.whole_size, contents.c.chain_size).where(contents.c.id == base)
        ).one()
        difference = delta(load(connection, base), lines)
        chain_size = row.chain_size + len(difference)
        if chain_size <= row.whole_size * LONGEST_CHAIN:
            return {"base_id": base, "whole_size": row.whole_size, "chain_size": chain_size, "data": difference}
    whole = packed(lines)
    return {"base_id": None, "whole_size": len(whole), "chain_size": 0, "data": whole}


def remove_unused(connection: Connection) -> None:
    """Delete the contents that belong to no run.

    One that a remaining content is a delta to goes, too: what only deleted runs held is gone afterwards.
    """
    is_used = exists().where(parts.c.content_id == contents.c.id)
    found = connection.execute(select(contents.c.id, contents.c.base_id).where(~is_used))
    unused: dict[int, int | None] = {row.id: row.base_id for row in found}
    base = contents.alias("base")
    base_is_used = exists().where(parts.c.content_id == base.c.id)
    dependent = connection.execute(
        select(contents.c.id, contents.c.base_id)
        .join(base, base.c.id == contents.c.base_id)
        .where(is_used, ~base_is_used)
        .order_by(contents.c.id)
    ).all()
    for content_id, base_id in dependent:
        nearest: int | None = base_id
        while nearest is not None and nearest in unused:
            nearest = unused[nearest]
        values = _encoded(connection, load(connection, content_id), nearest)
        connection.execute(update(contents).where(contents.c.id == content_id).values(**values))
    # A delta refers to an older content, so the newest goes first.
    for content_id in sorted(unused, reverse=True):
        connection.execute(delete(contents).where(contents.c.id == content_id))
