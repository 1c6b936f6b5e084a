"""The text of a pack → the pack, or every problem in it and in the packs that it extends."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from auditor.model.finding import RulePlace
from auditor.model.rule import Pack
from auditor.packs.decode import fit
from auditor.packs.extend import Link, chain, merged
from auditor.packs.forms import PackForm, pack_of
from auditor.packs.pack_errors import Place, Problem, Problems, TooManyProblems
from auditor.packs.semantic_checks import check_meaning
from auditor.packs.sources import Source, is_shipped, shipped_names, shipped_source
from auditor.packs.yaml_nodes import Items, Scalar, Table, child, text_of


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


PROGRAM = frozenset({"waivers"})
"""Under these the program reports what it found itself."""


def is_taken(name: str) -> bool:
    """Whether a pack of one's own needs another name."""
    return name in PROGRAM or name in shipped_names()


def check_name(link: Link, problems: Problems) -> None:
    """Report a pack that goes by the name of a shipped one and has another text.

    A copy to the letter is the shipped pack, wherever it lies: a bundle holds such copies.
    """
    node = child(link.document, "pack")
    name = text_of(node)
    if node is None or (link.source.folder is None and is_shipped(link.source.label)):
        return
    if name in PROGRAM:
        problems.add(node.at, f'the program reports findings of its own as "{name}"', expected="another name")
    elif name in shipped_names() and shipped_source(name).text != link.source.text:
        message = f'"{name}" is the name of a shipped pack, and this is another one or another version of it'
        problems.add(node.at, message, expected="another name, and extends to change a shipped pack")


_INSTALLED = "auditor:"
"""How messages mark what lies inside the installed program (`shipped.label`)."""


def told(places: Mapping[str, Place]) -> Mapping[str, RulePlace]:
    """The places of rules, by rule id, without a word of where the folders of this machine are."""
    return {rule: RulePlace(file=told_file(place.file), line=max(place.line, 1)) for rule, place in places.items()}


def told_file(label: str) -> str:
    """A pack's file: ``rules/NAME.yaml``, a path below the working directory, or the file's name alone."""
    if label.startswith(_INSTALLED):
        return label.removeprefix(_INSTALLED)
    here = Path(os.path.abspath(label))
    below = here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else Path(here.name)
    return below.as_posix()
