"""A pack and the packs it extends → one document, in which every value still knows its own file and line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from auditor.packs.format_version import NEARLY, known_format
from auditor.packs.forms import FORMAT
from auditor.packs.hidden_characters import visible
from auditor.packs.pack_errors import PackError, Place, Problem, Problems, TooManyProblems, nearest
from auditor.packs.sources import Source, file_source, is_path, path_of, shipped_source
from auditor.packs.yaml_nodes import Entry, Items, Node, Scalar, Table, child, read

LONGEST = 8
"""Packs in a chain."""
OWN = frozenset({"pack", "version", "abstract", "extends"})
"""Keys that say something of one file, and so are not handed down."""


class Link(NamedTuple):
    """One pack of a chain, the child before its parent."""

    source: Source
    document: Table


class Chain(NamedTuple):
    """A pack, its parent, its parent's parent; not complete where one of them cannot be read."""

    links: tuple[Link, ...]
    is_complete: bool


def chain(source: Source, problems: Problems) -> Chain:
    """The pack and all that it extends; what cannot be read is a problem, and ends the chain."""
    links: list[Link] = []
    here = source
    while (document := _document(here, problems)) is not None:
        links.append(Link(here, document))
        if (name := child(document, "extends")) is None:
            return Chain(tuple(links), True)
        parent = _parent(here, name, problems)
        if parent is None or _is_endless(links, parent, name, problems):
            break
        here = parent
    return Chain(tuple(links), False)


def merged(chain: Chain, problems: Problems) -> Table:
    """One document: the child's keys win, the app is merged by key and the rules by id."""
    *children, document = (link.document for link in chain.links)
    _own_doubles(document, problems)
    for extending in reversed(children):
        _own_doubles(extending, problems)
        document = _over(document, extending, problems)
    return document


def _is_endless(links: list[Link], parent: Source, name: Node, problems: Problems) -> bool:
    """Whether the parent is a pack of the chain itself, or the chain is too long to have been meant."""
    is_circle = _identity(parent) in {_identity(link.source) for link in links}
    if not is_circle and len(links) < LONGEST:
        return False
    path = " → ".join([*(link.source.label for link in links), parent.label])
    what = "a circle of packs" if is_circle else f"more than {LONGEST} packs"
    problems.add(name.at, f"{what} that extend each other: {path}")
    return True


def is_other(source: Source) -> bool:
    """Whether the text says that it is something else, as a file of waivers does."""
    match child(_read(source.text, source.label)[0], "format"):
        case Scalar(value=str(value)):
            return value != FORMAT and not nearest(value, (FORMAT,), NEARLY)
    return False


def pack_name(source: Source) -> str:
    """The name that the text gives to the pack; nothing where it is no pack or has none."""
    document = _read(source.text, source.label)[0]
    match child(document, "format"), child(document, "pack"):
        case Scalar(value=kind), Scalar(value=str(name)) if kind == FORMAT:
            return name.strip()
    return ""


def _document(source: Source, problems: Problems) -> Table | None:
    """The pack's own text, if it is one that this program can read."""
    if source.unread:
        problems.found.extend(source.unread)
        return None
    node, found = _read(source.text, source.label)
    problems.found.extend(found)
    if isinstance(node, Table):
        return known_format(node, problems)
    if node is not None and not found:
        problems.add(node.at, "this is no pack", expected='keys and values, "format: consent-auditor/pack" first')
    return None


@lru_cache(maxsize=16)
def _read(text: bytes, label: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """Cached, because packs that are loaded together tend to extend the same one."""
    problems = Problems()
    try:
        node = read(text, label, problems)
        node = node if node is None else visible(node, problems)
    except TooManyProblems:
        node = None
    return node, tuple(problems.found)


def _parent(source: Source, node: Node, problems: Problems) -> Source | None:
    """The pack that this one extends: a shipped one by name, a file by its path from this one."""
    if not (isinstance(node, Scalar) and isinstance(node.value, str) and node.value.strip()):
        return None  # the shape of the pack says so
    name = node.value.strip()
    try:
        if not is_path(name):
            return shipped_source(name)
        if source.folder is not None:
            return file_source(path_of(name, source.folder))
        problems.add(node.at, "a shipped pack cannot extend a file", expected="the name of a shipped pack")
    except PackError as error:
        for problem in error.problems:
            said = f"{problem.file}: {problem.message}" if problem.file else problem.message
            problems.add(node.at, f"extends what is not there: {said}", near=problem.near)
    return None


def _identity(source: Source) -> str:
    return source.label if source.folder is None else str(Path(source.label).resolve())


def _over(parent: Table, extending: Table, problems: Problems) -> Table:
    entries = {key: entry for key, entry in parent.entries.items() if key not in OWN}
    for key, entry in extending.entries.items():
        inherited = entries.get(key)
        match key, entry.value, inherited.value if inherited else None:
            case "app", Table() as own, Table() as base:
                entries[key] = entry._replace(value=Table(own.at, {**base.entries, **own.entries}))
            case "rules", Items(nodes=[_, *_]) as own, Items() as base:
                entries[key] = entry._replace(value=_rules_over(base, own, problems))
            case _:
                entries[key] = entry
    return Table(extending.at, entries)


def _rules_over(base: Items, own: Items, problems: Problems) -> Items:
    by_id: dict[str | Place, Node] = {_id(rule).lower() or rule.at: rule for rule in base.nodes}
    for rule in own.nodes:
        name = _id(rule)
        above = by_id.get(name.lower()) if name else None
        if isinstance(above, Table) and isinstance(rule, Table) and name:
            _same_spelling(rule, above, problems)
            by_id[name.lower()] = Table(rule.at, {**above.entries, **rule.entries, **_cases_over(above, rule)})
        elif name and isinstance(rule, Table) and "check" not in rule.entries:
            _overrides_nothing(rule, base, problems)
        else:
            by_id[name.lower() or rule.at] = rule
    return Items(own.at, tuple(by_id.values()))


def _same_spelling(rule: Table, above: Table, problems: Problems) -> None:
    """An id that differs in letter case only would make one rule of two names, or two of one."""
    if _id(rule) != _id(above):
        message = f'the rule "{_id(rule)}" is spelt otherwise in the pack that is extended'
        problems.add(rule.entries["id"].value.at, message, near=_id(above))


def _overrides_nothing(rule: Table, base: Items, problems: Problems) -> None:
    ids = [name for one in base.nodes if (name := _id(one))]
    message = f'no rule "{_id(rule)}" to override, and no check to make it a new one'
    problems.add(rule.entries["id"].value.at, message, near=nearest(_id(rule), ids))


def _cases_over(above: Table, rule: Table) -> dict[str, Entry]:
    """The cases of both, for what a rule says of a tenant does not end where a pack extends it.

    A case of the same name takes the other's place. A rule with another check starts its cases anew.
    """
    own, base = child(rule, "cases"), child(above, "cases")
    if "check" in rule.entries or not (isinstance(own, Items) and isinstance(base, Items)):
        return {}
    named = {_text(one, "name") for one in own.nodes} - {""}
    kept = (one for one in base.nodes if _text(one, "name") not in named)
    return {"cases": rule.entries["cases"]._replace(value=Items(own.at, (*kept, *own.nodes)))}


def _own_doubles(document: Table, problems: Problems) -> None:
    """Report rule ids that one file gives twice; waivers name rules without regard to letter case."""
    first: dict[str, tuple[Place, str]] = {}
    for entry in _ids(document):
        name = str(entry.value.value).strip() if isinstance(entry.value, Scalar) else ""
        at, other = first.setdefault(name.lower(), (entry.value.at, name))
        if name and entry.value.at != at:
            spelt = f' as "{other}"' if other != name else ""
            problems.add(entry.value.at, f'the rule "{name}" is already on line {at.line}{spelt}')


def _ids(document: Table) -> Iterator[Entry]:
    rules = child(document, "rules")
    for rule in rules.nodes if isinstance(rules, Items) else ():
        if isinstance(rule, Table) and "id" in rule.entries:
            yield rule.entries["id"]


def _id(rule: Node) -> str:
    return _text(rule, "id")


def _text(node: Node, key: str) -> str:
    found = child(node, key)
    return found.value.strip() if isinstance(found, Scalar) and isinstance(found.value, str) else ""
