"""The packs whose rules show what each kind of check is for: those of the program, and other-kinds.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from auditor.checks.kind import CheckKind, with_inner
from auditor.model.rule import Pack, Rule
from auditor.packs.load import file_source, load, shipped_names, shipped_source
from auditor.snapshot.samples import sample_names

OTHER = "other-kinds"
PACKS = (*shipped_names(), OTHER)


@cache
def pack_named(name: str) -> Pack:
    """One of PACKS, loaded when a test needs it, so that a broken kind fails its own tests alone."""
    if name == OTHER:
        return load(file_source(Path(__file__).with_name(f"{OTHER}.yaml")), samples=sample_names())
    return load(shipped_source(name))


def examples_of(kind: type[CheckKind]) -> Iterator[tuple[Rule, CheckKind]]:
    """Each check of this kind, alone or inside another check, with its rule."""
    for name in PACKS:
        for rule in pack_named(name).rules:
            yield from ((rule, check) for check in with_inner(rule.check) if type(check) is kind)
