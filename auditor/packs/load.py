"""The text of a pack → the pack, or every problem in it and in the packs that it extends."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection, Mapping

import msgspec

from auditor.model.rule import Pack
from auditor.packs.build import pack_of
from auditor.packs.errors import Place, Problem, Problems, TooManyProblems
from auditor.packs.extend import Link, chain, merged
from auditor.packs.forms import PackForm
from auditor.packs.meaning import check_meaning
from auditor.packs.places import told
from auditor.packs.positions import Items, Scalar, Table, child
from auditor.packs.shapes import fit
from auditor.packs.sources import Source
from auditor.packs.taken import check_name


def load(source: Source, *, samples: Collection[str] | None = None, any_name: bool = False) -> Pack:
    """The pack in `source`; a `PackError` tells all that is wrong. Given `samples`, cases may use no other.

    With `any_name` it may go by a shipped pack's name, as what another version of the program bundled does.
    """
    return load_with_doubts(source, samples=samples, any_name=any_name)[0]


def load_with_doubts(
    source: Source, *, samples: Collection[str] | None = None, any_name: bool = False
) -> tuple[Pack, tuple[Problem, ...]]:
    """The pack, and what is odd in it and may be meant. Raises PackError."""
    problems = Problems()
    with contextlib.suppress(TooManyProblems):
        whole = chain(source, problems)
        if whole.links:
            document = merged(whole, problems)
            form = fit(document, PackForm, problems, "a pack", is_complete=whole.is_complete)
            if not any_name:
                check_name(whole.links[0], problems)
            check_meaning(document, problems, samples=samples, is_complete=whole.is_complete)
    problems.raise_any()
    doubts = tuple(dict.fromkeys(problems.doubts))
    pack = pack_of(form, _digest(whole.links), source.label, tuple(map(str, doubts)))
    return msgspec.structs.replace(pack, places=told(_rule_places(document))), doubts


def case_places(source: Source) -> Mapping[tuple[str, str], Place]:
    """Where each case of a sound pack stands, by rule id and case name, so that a failing one can be found."""
    return {
        (rule_id.value.strip(), name.value.strip()): name.at
        for rule in _tables(_document(source), "rules")
        for case in _tables(rule, "cases")
        if isinstance(rule_id := child(rule, "id"), Scalar) and isinstance(rule_id.value, str)
        if isinstance(name := child(case, "name"), Scalar) and isinstance(name.value, str)
    }


def rule_places(source: Source) -> Mapping[str, Place]:
    """Where each rule of a sound pack stands, by its id; of one that is overridden, where that is done."""
    return _rule_places(_document(source))


def _rule_places(document: Table) -> Mapping[str, Place]:
    return {
        rule_id.value.strip(): rule_id.at
        for rule in _tables(document, "rules")
        if isinstance(rule_id := child(rule, "id"), Scalar) and isinstance(rule_id.value, str)
    }


def _document(source: Source) -> Table:
    problems = Problems()
    whole = chain(source, problems)
    problems.raise_any()
    return merged(whole, problems)


def _tables(node: Table, key: str) -> tuple[Table, ...]:
    found = child(node, key)
    return tuple(item for item in found.nodes if isinstance(item, Table)) if isinstance(found, Items) else ()


def _digest(links: tuple[Link, ...]) -> str:
    """SHA-256 over the digests of all texts, the pack's own first."""
    whole = hashlib.sha256()
    for link in links:
        whole.update(hashlib.sha256(link.source.text).digest())
    return whole.hexdigest()
