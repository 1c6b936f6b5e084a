"""Arbitrary reports: any text where a tenant or a pack decides, links and commands as the engine makes them."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from auditor.model.decision import Fix, GraphRequest, Steps
from auditor.model.report import Report

TEXTS = st.text(max_size=12) | st.sampled_from(
    ["", "Mail.ReadWrite", "予定表を読み取る", "a\nb", "\x1b[31m", "an ordinary sentence of some words", "W" * 90]
)
LINKS = st.just("") | st.from_regex(r"https://[a-z]{1,150}\.test/[A-Za-z0-9?&=%]{0,40}", fullmatch=True)
COMMANDS = st.just("") | st.from_regex(r"[A-Z][a-z -]{1,100}(\n[A-Z][a-z -]{1,100})?", fullmatch=True)
BODIES = st.dictionaries(st.from_regex(r"[a-z]{1,9}", fullmatch=True), st.lists(LINKS, max_size=3), max_size=2)
FREE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=3,
)


def of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of one annotated type of the model."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return st.none() | of(next(each for each in inner if each is not type(None)))
    if origin in (tuple, Sequence):
        return st.lists(of(inner[0]), max_size=3).map(tuple)
    if origin in (dict, Mapping):
        return st.dictionaries(TEXTS, of(inner[1]), max_size=2)
    if kind is Any:
        return FREE
    if issubclass(kind, msgspec.Struct):
        return struct(kind)
    if issubclass(kind, StrEnum):
        return st.sampled_from(list(kind))
    return {str: TEXTS, bool: st.booleans(), int: st.integers(0, 10**6)}[kind]


def struct(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Values of a struct, field by field; values that a page must not split have their own strategy."""
    own: dict[str, st.SearchStrategy[Any]] = {}
    if kind is Report:
        own = {"format": st.just("consent-auditor/report"), "version": st.just(1)}
    elif kind is Steps:
        own = {"powershell": COMMANDS, "az": COMMANDS}
    elif kind is GraphRequest:
        own = {"method": st.sampled_from(["POST", "PATCH"]), "url": LINKS, "body": st.none() | BODIES}
    elif kind is Fix:
        own = {"verify": st.text("ab ", max_size=90), "undo": st.text("ab ", max_size=90)}
    if "link" in kind.__struct_fields__:
        own["link"] = LINKS
    if "references" in kind.__struct_fields__:
        own["references"] = st.lists(LINKS, max_size=2).map(tuple)
    fields = {name: own[name] if name in own else of(hint) for name, hint in get_type_hints(kind).items()}
    return st.builds(kind, **fields)


REPORTS = struct(Report)
