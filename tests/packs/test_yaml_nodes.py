"""Values keep their places, and unambiguous YAML is loaded unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from auditor.packs import PackProblems
from auditor.packs.yaml_nodes import Entry, Items, Node, Scalar, Table, child, plain, read

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=8)
LEAF = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | TEXT
VALUE = st.recursive(LEAF, lambda v: st.lists(v, max_size=4) | st.dictionaries(TEXT, v, max_size=4), max_leaves=20)


def node_of(text: str) -> Node:
    problems = PackProblems()
    node = read(text.encode(), "f.yaml", problems)
    assert not problems.found
    assert node is not None
    return node


@given(st.dictionaries(TEXT, VALUE, max_size=4))
def test_json_is_read_as_json(value: Any) -> None:
    assert plain(node_of(json.dumps(value, ensure_ascii=False))) == value


@given(st.dictionaries(TEXT, VALUE, max_size=4))
def test_what_yaml_writes_is_read_back(value: Any) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    problems = PackProblems()
    node = read(text.encode(), "f.yaml", problems)
    assert problems.found or (node is not None and plain(node) == value)


@given(st.dictionaries(TEXT, VALUE, min_size=1, max_size=4))
def test_every_key_stands_where_it_says(value: Any) -> None:
    lines = (text := json.dumps(value, ensure_ascii=False, indent=1)).split("\n")
    for entry in entries(node_of(text)):
        line = lines[entry.at.line - 1]
        assert line[entry.at.column - 1 :].startswith(json.dumps(entry.key, ensure_ascii=False))


def entries(node: Node) -> Iterator[Entry]:
    match node:
        case Table():
            for entry in node.entries.values():
                yield entry
                yield from entries(entry.value)
        case Items():
            for item in node.nodes:
                yield from entries(item)


def test_plain_words_and_numbers_are_what_they_look_like() -> None:
    text = "{a: true, b: false, c: null, d: 7, e: -3, f: 1.5, g: Mail.Read, h: none, i: '7', j: R1, k: 5e3}"
    expected = {"a": True, "b": False, "c": None, "d": 7, "e": -3, "f": 1.5}
    assert plain(node_of(text)) == {**expected, "g": "Mail.Read", "h": "none", "i": "7", "j": "R1", "k": "5e3"}


def test_a_byte_order_mark_and_windows_lines_do_no_harm() -> None:
    node = node_of("\ufeffa: 1\r\nb: two\r\n")
    second = child(node, "b")
    assert isinstance(second, Scalar)
    assert (second.value, second.at.line, second.at.column) == ("two", 2, 4)


def test_a_path_that_leads_nowhere_is_none() -> None:
    node = node_of("a: {b: 1}")
    assert child(node, "a", "b", "c") is None
    assert child(node, "b") is None
    assert child(None, "b") is None
