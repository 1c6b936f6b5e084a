"""A change that was found, how to make it alone in another snapshot, and what counts as noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from auditor.model.difference import Change, ChangeKind, Transition, Weight
from auditor.model.snapshot import Snapshot

Move = Callable[[Snapshot, Snapshot], Snapshot]
"""Gives the first snapshot with one part as it is in the second."""


class FoundChange(NamedTuple):
    """A change, and how to make it alone; `concerns` are the app ids that it is about, none for the whole tenant."""

    change: Change
    move: Move | None = None
    concerns: frozenset[str] | None = None


def with_section(snapshot: Snapshot, name: str, value: Any) -> Snapshot:
    """The snapshot with another value of one section."""
    return msgspec.structs.replace(snapshot, sections=msgspec.structs.replace(snapshot.sections, **{name: value}))


def normal(value: Any) -> Any:
    """A value without what is noise: letter case, spaces around a text, the order of a list."""
    if isinstance(value, str):
        return value.strip().lower()
    if isinstance(value, msgspec.Struct):
        return normal(msgspec.to_builtins(value))
    if isinstance(value, Mapping):
        return tuple(sorted(((normal(name), normal(item)) for name, item in value.items()), key=repr))
    if isinstance(value, (list, tuple)):
        return tuple(sorted((normal(item) for item in value), key=repr))
    return value


def change_of(kind: ChangeKind, key: str, what: str, old: Any, new: Any, *, minor: bool = False) -> Change | None:
    """The change from one value to another; none if they are equal, and a minor one if only noise differs."""
    if old == new:
        return None
    is_noise = minor or normal(old) == normal(new)
    return Change(
        kind=kind,
        key=key,
        what=what,
        transition=Transition.CHANGED,
        before=msgspec.to_builtins(old),
        after=msgspec.to_builtins(new),
        weight=Weight.MINOR if is_noise else Weight.MAJOR,
    )


def with_transition(change: Change) -> Change:
    """The change as appeared or gone if one of its values is none."""
    if (change.before is None) is (change.after is None):
        return change
    transition = Transition.APPEARED if change.before is None else Transition.FIXED
    return msgspec.structs.replace(change, transition=transition)
