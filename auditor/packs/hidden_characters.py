"""Invisible characters: in an id or a value they make a different text, which then matches nothing.

Prose may contain them: a title with a soft hyphen reads as intended.
"""

from __future__ import annotations

import re
import unicodedata

from auditor.packs.pack_errors import PackProblems
from auditor.packs.yaml_nodes import Entry, Items, Node, Scalar, Table

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
