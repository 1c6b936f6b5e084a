"""Words that redaction leaves readable, or does not take for a name: read from a file when redaction runs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import msgspec

from auditor.facts import load_table
from auditor.facts.audit_activities import all_activities, drift_types, logged_properties, logged_words
from auditor.facts.graph_values import graph_values
from auditor.facts.ids import CLOUDS
from auditor.model.sections import SECTIONS, Sections


class WordLists(msgspec.Struct, frozen=True, kw_only=True):
    """The lists in ``facts/word_lists.json``, which says what each one is for. All words are in lower case."""

    short_words: frozenset[str]
    common_words: frozenset[str]
    mail_hosts: frozenset[str]
    microsoft_hosts: frozenset[str]
    customer_hosts: tuple[str, ...]
    second_level_labels: frozenset[str]
    keywords: frozenset[str]
    texts: frozenset[str]
    tags: frozenset[str]
    path_words: frozenset[str]
    letters: dict[str, str]
    spelt_out_letters: dict[str, str]
    codes: frozenset[str] = frozenset()
    """Every word that Microsoft documents for a field that holds a code."""
    json_names: frozenset[str] = frozenset()
    action_words: frozenset[str] = frozenset()
    role_names: frozenset[str] = frozenset()


@cache
def word_lists() -> WordLists:
    """The lists, each with the words that other tables add to it."""
    lists, graph = load_table("word_lists", WordLists), graph_values()
    keywords = lists.keywords | frozenset(CLOUDS)
    path_words = lists.path_words.union(_words_of_paths(), _properties())
    return msgspec.structs.replace(
        lists,
        common_words=lists.common_words | lists.short_words,
        keywords=keywords,
        texts=lists.texts.union(
            map(str.lower, (*all_activities(), *logged_properties(), *logged_words(), *drift_types()))
        ),
        path_words=path_words,
        codes=keywords.union(
            path_words,
            map(str.lower, graph.json_words),
            *(map(str.lower, words) for words in graph.words.values()),
        ),
        json_names=path_words.union(map(str.lower, graph.json_names)),
        role_names=frozenset(map(str.lower, graph.role_templates.values())),
        action_words=frozenset(map(str.lower, graph.action_words)),
    )


def _words_of_paths() -> Iterator[str]:
    """The words in the addresses of the sections."""
    for section in SECTIONS.values():
        yield from (word for word in section.path.lower().split("/") if word)


def _properties() -> Iterator[str]:
    """The names of all properties that a section can hold."""
    for kind in classes_in(Sections):
        yield from (field.name.lower() for field in msgspec.structs.fields(kind))


def classes_in(kind: object, seen: frozenset[object] = frozenset()) -> Iterator[type[msgspec.Struct]]:
    """The class and every class of the objects in it; a class may come twice."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in seen:
        yield kind
        for field in msgspec.structs.fields(kind):
            yield from classes_in(field.type, seen | {kind})
    for inner in getattr(kind, "__args__", ()):
        yield from classes_in(inner, seen)
