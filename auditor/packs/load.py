"""Load a pack: a shipped one as it was stored with the program, any other from its YAML text.

Parsing YAML with positions takes longer than evaluating a tenant, and a shipped pack only changes with its text.
``shipped_packs.json`` therefore holds the packs as they were parsed. It can't become outdated unnoticed: a stored pack
is used only while the texts of its chain have the digest that it was stored with, and a test compares it with its text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from auditor.checks.kind import CheckKind
from auditor.checks.registry import kind_named
from auditor.model.rule import Check, Pack, Rule
from auditor.packs.sources import Source, digest_of, is_shipped, shipped_source

STORE = Path(__file__).with_name("shipped_packs.json")


class StoredRule(msgspec.Struct, frozen=True):
    """A rule without its check, and the check as it is in YAML: its kind says which class decodes it."""

    rule: Rule
    check: dict[str, Any]


class StoredPack(msgspec.Struct, frozen=True):
    """A pack without its rules, the names of the packs in its chain, and the keys of its rules in the store."""

    pack: Pack
    chain: tuple[str, ...]
    rules: tuple[str, ...]


class PackStore(msgspec.Struct, frozen=True):
    """The shipped packs by name. Packs that extend each other share rules, so that each rule is stored once."""

    packs: dict[str, msgspec.Raw]
    rules: dict[str, msgspec.Raw]


def load(source: Source, *, samples: Collection[str] | None = None, any_name: bool = False) -> Pack:
    """The pack in `source`. Raises PackError with all problems.

    With `samples`, cases may only use these. With `any_name` the pack may have the name of a shipped pack, as packs in
    a bundle of another version do.
    """
    is_stored = samples is None and source.folder is None and is_shipped(source.label)
    if is_stored and (stored := stored_pack(source)) is not None:
        return stored
    from auditor.packs.parse import parse_with_warnings

    return parse_with_warnings(source, samples=samples, any_name=any_name)[0]


def stored_pack(source: Source) -> Pack | None:
    """The stored pack of this shipped text; ``None`` if there is none, or a text of its chain is another one now."""
    store = _store()
    if store is None or (raw := store.packs.get(Path(source.label).stem)) is None:
        return None
    stored = msgspec.json.decode(raw, type=StoredPack)
    texts = (source.text, *(shipped_source(name).text for name in stored.chain[1:]))
    if digest_of(texts) != stored.pack.digest:
        return None
    rules = (msgspec.json.decode(store.rules[key], type=StoredRule) for key in stored.rules)
    decoded = tuple(msgspec.structs.replace(one.rule, check=_check(one.check)) for one in rules)
    return msgspec.structs.replace(stored.pack, rules=decoded, origin=source.label)


def as_stored(packs: Mapping[tuple[str, ...], Pack]) -> bytes:
    """The content of the store: the packs, each with the names of the packs in its chain, its own first.

    The keys of mappings keep their order, because reports show some in the order of the pack.
    """
    rules: dict[str, msgspec.Raw] = {}
    stored: dict[str, msgspec.Raw] = {}
    for chain, pack in packs.items():
        keys = []
        for rule in pack.rules:
            alone = msgspec.structs.replace(rule, check=Check())
            text = msgspec.json.encode(StoredRule(alone, msgspec.to_builtins(rule.check)))
            keys.append(key := hashlib.sha256(text).hexdigest()[:16])
            rules[key] = msgspec.Raw(text)
        bare = msgspec.structs.replace(pack, rules=(), origin="")
        stored[pack.name] = msgspec.Raw(msgspec.json.encode(StoredPack(bare, chain, tuple(keys))))
    return msgspec.json.format(msgspec.json.encode(PackStore(stored, rules)), indent=1) + b"\n"


@cache
def _store() -> PackStore | None:
    try:
        return msgspec.json.decode(STORE.read_bytes(), type=PackStore)
    except (OSError, msgspec.MsgspecError):
        return None  # without the store, the texts are parsed


def _check(arguments: dict[str, Any]) -> CheckKind:
    """The check with these arguments, as the parser has accepted them before."""
    kind = kind_named(arguments["kind"])
    assert kind is not None, arguments["kind"]
    inner: dict[str, Any] = {}
    for (name, *number), one in kind.inner_arguments(arguments):
        inner[str(name)] = (*inner.get(str(name), ()), _check(one)) if number else _check(one)
    if not inner:
        return msgspec.convert(arguments, kind)
    hollow = {name: () if isinstance(value, tuple) else {"kind": CheckKind.__name__} for name, value in inner.items()}
    return msgspec.structs.replace(msgspec.convert({**arguments, **hollow}, kind), **inner)
