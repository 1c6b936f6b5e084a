"""Read YAML into values that keep their line and column, with errors where YAML has surprising rules.

This uses the C parser's events and not its composer: events show anchors, tags and quotes, which the
composer hides, and they nest without recursion. YAML 1.1 reads an unquoted ``no`` as false, ``012`` as
10, ``1:30`` as 90 and ``2026-11-22`` as a date. Whoever writes that means text, so all of it is an error.

Prose may contain them: a title with a soft hyphen reads as intended.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple, TypeAlias

import yaml

from auditor.packs import PackProblems, Position
from auditor.packs.load import LARGEST

DEEPEST = 32
"""The most levels of nesting; a pack needs about eight."""


class Scalar(NamedTuple):
    """Text, a number, true, false or null."""

    at: Position
    value: str | int | float | bool | None
    text: str


class Items(NamedTuple):
    """A list."""

    at: Position
    nodes: tuple[Node, ...]


class Entry(NamedTuple):
    """A key and its value, each with its own position."""

    at: Position
    key: str
    value: Node


class Table(NamedTuple):
    """Keys and values."""

    at: Position
    entries: Mapping[str, Entry]


class Broken(NamedTuple):
    """A value that was reported already, so that later checks skip it."""

    at: Position


Node: TypeAlias = Scalar | Items | Table | Broken


class _Open(NamedTuple):
    """A list or table that is still being read; the nodes of a table alternate between key and value."""

    at: Position
    is_table: bool
    nodes: list[Node]


_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""Characters that YAML forbids, or that reverse or hide text on a terminal."""
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
"""The same, and unusual line breaks, in a value, where an escape (``"\\x1b"``) may have produced them."""

_RESOLVERS = yaml.SafeLoader.yaml_implicit_resolvers
_PLAIN_INT = re.compile(r"-?(0|[1-9][0-9]{0,15})")
_PLAIN_FLOAT = re.compile(r"-?(0|[1-9][0-9]{0,15})\.[0-9]{1,15}")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


def read(
    text: bytes,
    file: str,
    problems: PackProblems,
    *,
    expected: str = "a pack of rules, or waivers",
    keys: Collection[str] = (),
) -> Node | None:
    """The document in `text`, or None if there is none; errors go to `problems`.

    An empty file is reported with what is `expected`. `keys` are names of keys that are text although YAML 1.1 reads
    them as something else, such as ``on``.
    """
    decoded = _decode(text, file, problems)
    if decoded is None:
        return None
    reader = _Reader(file, problems, keys)
    try:
        for event in yaml.parse(decoded, Loader=yaml.CSafeLoader):
            if not reader.take(event):
                return reader.root
    except yaml.MarkedYAMLError as error:
        _syntax(error, decoded, file, problems)
        return None
    except yaml.YAMLError as error:
        problems.add(Position(file), f"this isn't valid YAML: {error}")
        return None
    if reader.root is None:
        problems.add(Position(file, 1, 1), "the file is empty", expected=expected)
    return reader.root


def plain(node: Node) -> object:
    """The value without positions."""
    match node:
        case Scalar():
            return node.value
        case Items():
            return [plain(item) for item in node.nodes]
        case Table():
            return {key: plain(entry.value) for key, entry in node.entries.items()}
        case Broken():
            return None


def child(node: Node | None, *path: str) -> Node | None:
    """The node under these keys, if there is one."""
    for key in path:
        if not isinstance(node, Table) or key not in node.entries:
            return None
        node = node.entries[key].value
    return node


def _decode(text: bytes, file: str, problems: PackProblems) -> str | None:
    """The text, if it is UTF-8, not too large, and without characters that YAML or a terminal can't handle."""
    if len(text) > LARGEST:
        problems.add(Position(file), f"the file is larger than {LARGEST // 1024} KiB, the most that is read")
        return None
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = text[: error.start].decode("utf-8", "replace")
        problems.add(_after(before, file), f"byte 0x{text[error.start]:02x} isn't UTF-8", expected="a UTF-8 file")
        return None
    if bad := _UNPRINTABLE.search(decoded):
        at = _after(decoded[: bad.start()], file)
        problems.add(at, f"character U+{ord(bad.group()):04X} isn't allowed here")
        return None
    return decoded


def _after(text: str, file: str) -> Position:
    """The position that follows `text`."""
    lines = re.split("\r\n|\r|\n", text)
    return Position(file, len(lines), len(lines[-1]) + 1)


def _syntax(error: yaml.MarkedYAMLError, text: str, file: str, problems: PackProblems) -> None:
    """Report a syntax error of the YAML parser, in terms of someone who writes rules."""
    mark = error.problem_mark or error.context_mark
    at = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file)
    line = text.splitlines()[mark.line] if mark and mark.line < len(text.splitlines()) else ""
    what = str(error.problem or error)
    if "\t" in line[: len(line) - len(line.lstrip())]:
        problems.add(at, "a tab can't indent YAML", expected="spaces")
        return
    hints = {
        "mapping values are not allowed": 'a ": " inside unquoted text, or a wrong indentation',
        "cannot start any token": "put text that starts with @, %, ` or | in quotes",
        "unexpected end of stream": "a quote or bracket isn't closed",
        "did not find expected key": "wrong indentation, or a quote inside quoted text",
        "did not find expected '-'": "wrong indentation of a list",
        "could not find expected ':'": 'a line without "key: value", or a quote that isn\'t closed',
        "unknown escape": r"in double quotes write \\ for a backslash, or use single quotes",
    }
    hint = next((hint for words, hint in hints.items() if words in what), "")
    since = error.context_mark
    context = f" {error.context} from line {since.line + 1}" if error.context and since else ""
    problems.add(at, f"this isn't valid YAML: {what}{context}{f' ({hint})' if hint else ''}")


class _Reader:
    """Builds nodes from parser events, without recursion."""

    def __init__(self, file: str, problems: PackProblems, keys: Collection[str]) -> None:
        self.file = file
        self.problems = problems
        self.keys = keys
        self.root: Node | None = None
        self.open: list[_Open] = []

    def take(self, event: yaml.Event) -> bool:
        """Process one event; returns whether to continue."""
        match event:
            case yaml.ScalarEvent():
                self._put(self._scalar(event))
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._refuse_marks(event)
                is_table = isinstance(event, yaml.MappingStartEvent)
                self.open.append(_Open(self._at(event), is_table, []))
                return self._is_sane_depth()
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                done = self.open.pop()
                self._put(self._table(done) if done.is_table else Items(done.at, tuple(done.nodes)))
            case yaml.AliasEvent():
                self.problems.add(self._at(event), f"*{event.anchor} is an alias", expected="the value itself")
                self._put(Broken(self._at(event)))
            case yaml.DocumentStartEvent() if self.root is not None:
                self.problems.add(self._at(event), "a second document starts here", expected="one pack in a file")
                return False
        return True

    def _at(self, event: yaml.Event) -> Position:
        mark = event.start_mark
        assert mark is not None, "every event of the parser has a position"
        return Position(self.file, mark.line + 1, mark.column + 1)

    def _put(self, node: Node) -> None:
        if self.open:
            self.open[-1].nodes.append(node)
        else:
            self.root = node

    def _is_sane_depth(self) -> bool:
        if len(self.open) <= DEEPEST:
            return True
        self.root = Broken(self.open[-1].at)
        self.problems.add(self.open[-1].at, f"nested more than {DEEPEST} levels deep, which is too deep for a pack")
        return False

    def _refuse_marks(self, event: yaml.NodeEvent) -> None:
        """Report anchors and tags: a pack doesn't need them, and they can do harm."""
        if event.anchor is not None:
            self.problems.add(self._at(event), f"&{event.anchor} is an anchor", expected="the value itself, each time")
        if (tag := getattr(event, "tag", None)) is not None:
            shown = str(tag).replace("tag:yaml.org,2002:", "!!")
            self.problems.add(self._at(event), f"{shown} is a tag", expected="a plain value")

    def _scalar(self, event: yaml.ScalarEvent) -> Node:
        at, text = self._at(event), event.value
        before = len(self.problems.found)
        self._refuse_marks(event)
        if bad := CONTROL.search(text):
            self.problems.add(at, f"character U+{ord(bad.group()):04X} isn't allowed here")
        if len(self.problems.found) > before:
            return Broken(at)
        if event.style or (text in self.keys and self._is_key_next()):
            return Scalar(at, text, text)
        return self._plain(at, text)

    def _is_key_next(self) -> bool:
        return bool(self.open) and self.open[-1].is_table and len(self.open[-1].nodes) % 2 == 0

    def _plain(self, at: Position, text: str) -> Node:
        """The value of an unquoted scalar; an error where YAML 1.1 reads something else than a person does."""
        tag = _tag(text)
        if tag == "str":
            return Scalar(at, text, text)
        if text in _WORDS:
            return Scalar(at, _WORDS[text], text)
        if tag == "int" and _PLAIN_INT.fullmatch(text):
            return Scalar(at, int(text), text)
        if tag == "float" and _PLAIN_FLOAT.fullmatch(text):
            return Scalar(at, float(text), text)
        if tag == "merge":
            self.problems.add(at, "<< is a merge key", expected="the keys themselves")
            return Broken(at)
        meant = f'"{text}" in quotes'
        if tag == "bool":
            meant += f", or {'true' if text.lower() in ('yes', 'on', 'true') else 'false'}"
        self.problems.add(at, f"unquoted {text} is {_SURPRISES.get(tag, 'not text')} in YAML", expected=meant)
        return Broken(at)

    def _table(self, done: _Open) -> Table:
        entries: dict[str, Entry] = {}
        for key, value in _pairs(done.nodes):
            match key:
                case Scalar(value=str(name)) if name in entries:
                    line = entries[name].at.line
                    self.problems.add(key.at, f'the key "{name}" is already on line {line}')
                case Scalar(value=str(name)):
                    entries[name] = Entry(key.at, name, value)
                case Scalar():
                    shown = f"the key {key.text} isn't text" if key.text else "a key is empty"
                    self.problems.add(key.at, shown, expected=f'"{key.text}" in quotes' if key.text else "a name")
                case Items() | Table():
                    self.problems.add(key.at, "a key is a list or a table", expected="text")
                case Broken():
                    pass
        return Table(done.at, entries)


_SURPRISES = {
    "bool": "true or false",
    "int": "a number, but not the one it looks like,",
    "float": "a number, but not the one it looks like,",
    "timestamp": "a date",
    "null": "nothing",
}


def _tag(text: str) -> str:
    """The type that YAML 1.1 gives to an unquoted scalar: ``str``, ``bool``, ``int`` and so on."""
    for tag, pattern in (*_RESOLVERS.get(text[:1], ()), *_RESOLVERS.get(None, ())):
        if pattern.match(text):
            return str(tag).rpartition(":")[2]
    return "str"


def _pairs(nodes: list[Node]) -> Iterator[tuple[Node, Node]]:
    return zip(nodes[::2], nodes[1::2], strict=True)


def text_of(node: Node | None) -> str:
    """The text of a scalar, without the spaces around it; empty for anything else."""
    return node.text.strip() if isinstance(node, Scalar) else ""


def items_of(node: Node | None) -> tuple[Node, ...]:
    """The entries of a list; none for anything else."""
    return node.nodes if isinstance(node, Items) else ()


def tables_of(node: Node | None) -> tuple[Table, ...]:
    """The tables in a list."""
    return tuple(item for item in items_of(node) if isinstance(item, Table))


def is_empty_list(node: Node | None) -> bool:
    """Whether it is a list without an entry."""
    return isinstance(node, Items) and not node.nodes


PROSE = frozenset(
    {
        *("title", "about", "why", "view", "note", "portal", "role", "source", "reason", "frameworks"),
        *("evidence", "references", "link"),
        *("displayName", "description", "appDisplayName", "resourceDisplayName", "principalDisplayName"),
        *("userDisplayName", "adminConsentDisplayName", "userConsentDisplayName", "failureReason", "resultReason"),
        *("additionalDetails", "activityDisplayName"),
    }
)
"""Keys of text for people, in a pack and in the tenants of its cases."""

_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\u00a0\u2007\u202f\u2010-\u2015\u2212\U000e0000-\U000e0fff]"
)
"""Characters without width, or that look like a space or a hyphen."""


def visible(node: Node, problems: PackProblems) -> Node:
    """The node without invisible characters in its ids and values; each of them is reported.

    Later checks see the intended text, and report no problems that only follow from the character.
    """
    return _seen(node, problems, is_name=True)


def _seen(node: Node, problems: PackProblems, *, is_name: bool) -> Node:
    """`is_name` is whether the key ``name`` means a display name, as everywhere except in a check."""
    match node:
        case Scalar(value=str(text)):
            return _cleaned(node, text, problems)
        case Items(nodes=nodes):
            return node._replace(nodes=tuple(_seen(one, problems, is_name=is_name) for one in nodes))
        case Table(entries=entries):
            found = (_entry(entry, problems, is_name=is_name) for entry in entries.values())
            return node._replace(entries={entry.key: entry for entry in found})
    return node


def _entry(entry: Entry, problems: PackProblems, *, is_name: bool) -> Entry:
    key = _cleaned(Scalar(entry.at, entry.key, entry.key), entry.key, problems).text
    if key in PROSE or (key == "name" and is_name):
        return entry._replace(key=key)
    in_check = key in ("check", "checks", "where", "has")
    return entry._replace(key=key, value=_seen(entry.value, problems, is_name=is_name and not in_check))


def _cleaned(node: Scalar, text: str, problems: PackProblems) -> Scalar:
    if not (bad := _UNSEEN.search(text)):
        return node
    sign = bad.group()
    name = unicodedata.name(sign, "a character without a name").lower()
    found = f"U+{ord(sign):04X} ({name}), which is invisible or looks like another character"
    message = f'"{_marked(text)[:80]}" contains {found}'
    problems.add(node.at, message, expected="a text without it")
    clean = _UNSEEN.sub(lambda found: _MEANT.get(unicodedata.category(found.group()), ""), text)
    return node._replace(value=clean, text=clean)


_MEANT = {"Pd": "-", "Sm": "-", "Zs": " "}
"""The characters that dashes, minus signs and other spaces were meant to be."""


def _marked(text: str) -> str:
    """The text with the invisible characters shown as their code points."""
    return _UNSEEN.sub(lambda found: f"<U+{ord(found.group()):04X}>", text)
