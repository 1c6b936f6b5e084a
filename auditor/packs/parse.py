"""Parse a pack from its text, or report every problem in it and in the packs that it extends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from auditor.model.rule import Pack, RulePlace
from auditor.packs import PackProblems, Position, Problem, TooManyProblems
from auditor.packs.decode_nodes import decode
from auditor.packs.extend import ChainLink, chain, merged
from auditor.packs.forms import PackForm, pack_of
from auditor.packs.load import Source, digest_of, is_shipped, shipped_names, shipped_source
from auditor.packs.semantic_checks import check_semantics
from auditor.packs.yaml_nodes import Scalar, Table, child, tables_of, text_of


def parse_with_warnings(
    source: Source, *, samples: Collection[str] | None = None, any_name: bool = False
) -> tuple[Pack, tuple[Problem, ...]]:
    """The pack in `source`, and the warnings about it. Raises PackError with all problems.

    With `samples`, cases may only use these. With `any_name` the pack may have the name of a shipped pack, as packs in
    a bundle of another version do.
    """
    problems = PackProblems()
    with contextlib.suppress(TooManyProblems):
        whole = chain(source, problems)
        if whole.links:
            document = merged(whole, problems)
            form = decode(document, PackForm, problems, "a pack", is_complete=whole.is_complete)
            if not any_name:
                check_name(whole.links[0], problems)
            check_semantics(document, problems, samples=samples, is_complete=whole.is_complete)
    problems.raise_any()
    warnings = tuple(dict.fromkeys(problems.warnings))
    pack = pack_of(form, digest_of(link.source.text for link in whole.links), source.label, tuple(map(str, warnings)))
    return msgspec.structs.replace(pack, places=reported_places(_rule_places(document))), warnings


def case_places(source: Source) -> Mapping[tuple[str, str], Position]:
    """The position of each case of a valid pack, by rule id and case name."""
    return {
        (rule_id.value.strip(), name.value.strip()): name.at
        for rule in tables_of(child(_document(source), "rules"))
        for case in tables_of(child(rule, "cases"))
        if isinstance(rule_id := child(rule, "id"), Scalar) and isinstance(rule_id.value, str)
        if isinstance(name := child(case, "name"), Scalar) and isinstance(name.value, str)
    }


def rule_places(source: Source) -> Mapping[str, Position]:
    """The position of each rule of a valid pack, by its id; of an overridden rule, where it is overridden."""
    return _rule_places(_document(source))


def _rule_places(document: Table) -> Mapping[str, Position]:
    return {
        rule_id.value.strip(): rule_id.at
        for rule in tables_of(child(document, "rules"))
        if isinstance(rule_id := child(rule, "id"), Scalar) and isinstance(rule_id.value, str)
    }


def _document(source: Source) -> Table:
    problems = PackProblems()
    whole = chain(source, problems)
    problems.raise_any()
    return merged(whole, problems)


RESERVED = frozenset({"waivers"})
"""Names that the program uses for its own findings."""


def is_reserved(name: str) -> bool:
    """Whether your own pack needs another name."""
    return name in RESERVED or name in shipped_names()


def check_name(link: ChainLink, problems: PackProblems) -> None:
    """Report a pack that has the name of a shipped one but another text.

    An exact copy is the shipped pack, wherever it is: a bundle contains such copies.
    """
    node = child(link.document, "pack")
    name = text_of(node)
    if node is None or (link.source.folder is None and is_shipped(link.source.label)):
        return
    if name in RESERVED:
        problems.add(node.at, f'the program uses this name for its own findings: "{name}"', expected="another name")
    elif name in shipped_names() and shipped_source(name).text != link.source.text:
        message = f'"{name}" is the name of a shipped pack, but this is another pack or another version of it'
        problems.add(node.at, message, expected="another name, and extends to change a shipped pack")


_INSTALLED = "auditor:"
"""How messages mark a file of the installed program (`tree_label`)."""


def reported_places(positions: Mapping[str, Position]) -> Mapping[str, RulePlace]:
    """The places of rules in a report, by rule id: they don't reveal the folders of this machine."""
    return {rule: RulePlace(file=reported_file(at.file), line=max(at.line, 1)) for rule, at in positions.items()}


def reported_file(label: str) -> str:
    """A pack's file: ``rules/NAME.yaml``, a path below the working directory, or the file's name alone."""
    if label.startswith(_INSTALLED):
        return label.removeprefix(_INSTALLED)
    here = Path(os.path.abspath(label))
    below = here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else Path(here.name)
    return below.as_posix()
