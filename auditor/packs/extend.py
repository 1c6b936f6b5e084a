"""A pack and the packs that it extends, merged into one document that keeps the position of every value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from auditor.checks.typo_suggestions import nearest
from auditor.packs import PackError, PackProblems, Position, Problem, TooManyProblems
from auditor.packs.forms import FORMAT, FORMAT_VERSION
from auditor.packs.load import Source, file_source, is_path, path_of, shipped_source
from auditor.packs.yaml_nodes import Broken, Entry, Items, Node, Scalar, Table, child, items_of, read, visible

LONGEST = 8
"""The most packs in a chain."""
OWN = frozenset({"pack", "version", "abstract", "extends"})
"""Keys about one file, which a pack doesn't inherit."""


class ChainLink(NamedTuple):
    """One pack of a chain."""

    source: Source
    document: Table


class Chain(NamedTuple):
    """A pack, its parent, its parent's parent; not complete if one of them can't be read."""

    links: tuple[ChainLink, ...]
    is_complete: bool


def chain(source: Source, problems: PackProblems) -> Chain:
    """The pack and all packs that it extends; one that can't be read is a problem, and ends the chain."""
    links: list[ChainLink] = []
    here = source
    while (document := _document(here, problems)) is not None:
        links.append(ChainLink(here, document))
        if (name := child(document, "extends")) is None:
            return Chain(tuple(links), True)
        parent = _parent(here, name, problems)
        if parent is None or _is_endless(links, parent, name, problems):
            break
        here = parent
    return Chain(tuple(links), False)


def merged(chain: Chain, problems: PackProblems) -> Table:
    """One document: the child's keys win, the app is merged by key and the rules by id."""
    *children, document = (link.document for link in chain.links)
    _report_duplicate_ids(document, problems)
    for extending in reversed(children):
        _report_duplicate_ids(extending, problems)
        document = _over(document, extending, problems)
    return document


def _is_endless(links: list[ChainLink], parent: Source, name: Node, problems: PackProblems) -> bool:
    """Report a parent that is in the chain already, or a chain that is too long; whether it is one of these."""
    is_cycle = _identity(parent) in {_identity(link.source) for link in links}
    if not is_cycle and len(links) < LONGEST:
        return False
    path = " → ".join([*(link.source.label for link in links), parent.label])
    what = "a cycle of packs" if is_cycle else f"more than {LONGEST} packs"
    problems.add(name.at, f"{what} that extend each other: {path}")
    return True


def is_other(source: Source) -> bool:
    """Whether the text says that it is another document, such as a file of waivers."""
    match child(_read(source.text, source.label)[0], "format"):
        case Scalar(value=str(value)):
            return value != FORMAT and not nearest(value, (FORMAT,), NEARLY)
    return False


def pack_name(source: Source) -> str:
    """The name of the pack in its text; empty if it isn't a pack or has no name."""
    document = _read(source.text, source.label)[0]
    match child(document, "format"), child(document, "pack"):
        case Scalar(value=kind), Scalar(value=str(name)) if kind == FORMAT:
            return name.strip()
    return ""


def _document(source: Source, problems: PackProblems) -> Table | None:
    """The pack's own text, if this program can read it."""
    if source.unread:
        problems.found.extend(source.unread)
        return None
    node, found = _read(source.text, source.label)
    problems.found.extend(found)
    if isinstance(node, Table):
        return known_format(node, problems)
    if node is not None and not found:
        problems.add(node.at, "this isn't a pack", expected='keys and values, "format: consent-auditor/pack" first')
    return None


@lru_cache(maxsize=16)
def _read(text: bytes, label: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """Cached, because packs that are loaded together often extend the same one."""
    problems = PackProblems()
    try:
        node = read(text, label, problems)
        node = node if node is None else visible(node, problems)
    except TooManyProblems:
        node = None
    return node, tuple(problems.found)


def _parent(source: Source, node: Node, problems: PackProblems) -> Source | None:
    """The pack that this one extends: a shipped pack by name, or a file by its path from this one."""
    if not (isinstance(node, Scalar) and isinstance(node.value, str) and node.value.strip()):
        return None  # decoding the pack reports it
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
            problems.add(node.at, f"extends a pack that can't be loaded: {said}", near=problem.near)
    return None


def _identity(source: Source) -> str:
    return source.label if source.folder is None else str(Path(source.label).resolve())


def _over(parent: Table, extending: Table, problems: PackProblems) -> Table:
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


def _rules_over(base: Items, own: Items, problems: PackProblems) -> Items:
    by_id: dict[str | Position, Node] = {_id(rule).lower() or rule.at: rule for rule in base.nodes}
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


def _same_spelling(rule: Table, above: Table, problems: PackProblems) -> None:
    """Report an id that only differs in letter case: waivers could not distinguish the two rules."""
    if _id(rule) != _id(above):
        message = f'the rule "{_id(rule)}" has another spelling in the extended pack'
        problems.add(rule.entries["id"].value.at, message, near=_id(above))


def _overrides_nothing(rule: Table, base: Items, problems: PackProblems) -> None:
    ids = [name for one in base.nodes if (name := _id(one))]
    message = f'there is no rule "{_id(rule)}" to override, and no check to define a new one'
    problems.add(rule.entries["id"].value.at, message, near=nearest(_id(rule), ids))


def _cases_over(above: Table, rule: Table) -> dict[str, Entry]:
    """The cases of both rules, because the extended rule must still have the same outcomes.

    A case of the same name replaces the other. A rule with another check doesn't inherit cases.
    """
    own, base = child(rule, "cases"), child(above, "cases")
    if "check" in rule.entries or not (isinstance(own, Items) and isinstance(base, Items)):
        return {}
    named = {_text(one, "name") for one in own.nodes} - {""}
    kept = (one for one in base.nodes if _text(one, "name") not in named)
    return {"cases": rule.entries["cases"]._replace(value=Items(own.at, (*kept, *own.nodes)))}


def _report_duplicate_ids(document: Table, problems: PackProblems) -> None:
    """Report rule ids that are twice in one file; letter case doesn't matter, as in waivers."""
    first: dict[str, tuple[Position, str]] = {}
    for entry in _ids(document):
        name = str(entry.value.value).strip() if isinstance(entry.value, Scalar) else ""
        at, other = first.setdefault(name.lower(), (entry.value.at, name))
        if name and entry.value.at != at:
            spelling = f' as "{other}"' if other != name else ""
            problems.add(entry.value.at, f'the rule "{name}" is already on line {at.line}{spelling}')


def _ids(document: Table) -> Iterator[Entry]:
    for rule in items_of(child(document, "rules")):
        if isinstance(rule, Table) and "id" in rule.entries:
            yield rule.entries["id"]


def _id(rule: Node) -> str:
    return _text(rule, "id")


def _text(node: Node, key: str) -> str:
    found = child(node, key)
    return found.value.strip() if isinstance(found, Scalar) and isinstance(found.value, str) else ""


_KEYS: Mapping[str, str | int] = {"format": FORMAT, "format-version": FORMAT_VERSION}
NEARLY = 0.9
"""The least similarity of a format that makes it a typo of this one: other documents have similar formats."""
_OURS = ("pack", "rules", "extends")
"""Keys that show that a text without a format is meant to be a pack."""


def known_format(document: Table, problems: PackProblems) -> Table | None:
    """The document, if it is a pack of this version, or was meant to be one.

    Any other problem reported about another kind of document, or about a newer version, would be wrong. A pack whose
    format is only missing or mistyped is read as if it were correct, so that one run reports its other mistakes too.
    """
    fixed, kind = _entry("format", document, problems)
    if kind is None or not _is_ours(kind, document, problems):
        return None
    fixed, version = _entry("format-version", fixed, problems)
    if version is None or not _is_this_version(version, document.at, problems):
        return None
    entries = {key: entry for key, entry in fixed.entries.items() if key not in _KEYS}
    right = (Entry(document.at, key, Scalar(document.at, value, str(value))) for key, value in _KEYS.items())
    return document._replace(entries={**{entry.key: entry for entry in right}, **entries})


class _Absent(Scalar):
    """The value of a missing key."""


def _entry(name: str, document: Table, problems: PackProblems) -> tuple[Table, Node | None]:
    """The value of the key, also if the key is mistyped, and the document without the mistyped key."""
    if (found := child(document, name)) is not None:
        return document, None if isinstance(found, Broken) else found
    others = [key for key in document.entries if key not in (*_KEYS, *_OURS)]
    for key in others:
        value = document.entries[key].value
        if nearest(key, (name,), 0.75) and isinstance(value, Scalar) and value.text in (FORMAT, str(FORMAT_VERSION)):
            problems.add(document.entries[key].at, f'unknown key "{key[:80]}" in a pack', near=name)
            return Table(document.at, {k: e for k, e in document.entries.items() if k != key}), value
    return document, _Absent(document.at, None, "")


def _is_ours(kind: Node, document: Table, problems: PackProblems) -> bool:
    """Whether the text is a pack, or was meant to be one."""
    if isinstance(kind, Scalar) and kind.value == FORMAT:
        return True
    if isinstance(kind, _Absent):
        problems.add(document.at, 'this isn\'t a pack: it lacks the key "format"', expected=FORMAT)
        return any(key in document.entries for key in _OURS)
    near = nearest(kind.text, (FORMAT,), NEARLY) if isinstance(kind, Scalar) else ""
    problems.add(kind.at, "this isn't a pack: it has another format", expected=FORMAT, near=near)
    return bool(near)


def _is_this_version(version: Node, at: Position, problems: PackProblems) -> bool:
    """Whether to read the pack as this program's version; a version that doesn't exist is reported."""
    match version:
        case _Absent():
            problems.add(at, 'this pack lacks the key "format-version"', expected=str(FORMAT_VERSION))
        case Scalar(value=int(number)) if number == FORMAT_VERSION and version.text == str(FORMAT_VERSION):
            return True
        case Scalar(value=int(number)) if number > FORMAT_VERSION:
            newer = f"this pack has format-version {number}, but this program only reads version {FORMAT_VERSION}"
            problems.add(version.at, newer, expected="a newer consent-auditor")
            return False
        case _:
            problems.add(version.at, "format-version is wrong", expected=str(FORMAT_VERSION))
    return True
