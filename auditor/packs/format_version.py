"""The first two keys of a pack: whether the text is for this program, and for this version of it."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.packs.forms import FORMAT, FORMAT_VERSION
from auditor.packs.pack_errors import Place, Problems, nearest
from auditor.packs.yaml_nodes import Broken, Entry, Node, Scalar, Table, child

_KEYS: Mapping[str, str | int] = {"format": FORMAT, "format-version": FORMAT_VERSION}
NEARLY = 0.9
"""How alike a format must be to be taken for a slip of this one: other documents of the program have their own."""
_OURS = ("pack", "rules", "extends")
"""Keys that show that a text without a format was meant to be a pack."""


def known_format(document: Table, problems: Problems) -> Table | None:
    """The document, if it is one to go on with.

    A text of another kind or of a newer version is not: all else that could be said of it would be wrong. A pack whose
    format is only left out or misspelt is, as if its format were right, so that one run tells its other mistakes too.
    """
    mended, kind = _entry("format", document, problems)
    if kind is None or not _is_ours(kind, document, problems):
        return None
    mended, version = _entry("format-version", mended, problems)
    if version is None or not _is_this_version(version, document.at, problems):
        return None
    entries = {key: entry for key, entry in mended.entries.items() if key not in _KEYS}
    right = (Entry(document.at, key, Scalar(document.at, value, str(value))) for key, value in _KEYS.items())
    return document._replace(entries={**{entry.key: entry for entry in right}, **entries})


class _Absent(Scalar):
    """Stands for a key that is left out."""


def _entry(name: str, document: Table, problems: Problems) -> tuple[Table, Node | None]:
    """The value of the key, also under a misspelling of it, and the document without that."""
    if (found := child(document, name)) is not None:
        return document, None if isinstance(found, Broken) else found
    others = [key for key in document.entries if key not in (*_KEYS, *_OURS)]
    for key in others:
        value = document.entries[key].value
        if nearest(key, (name,), 0.75) and isinstance(value, Scalar) and value.text in (FORMAT, str(FORMAT_VERSION)):
            problems.add(document.entries[key].at, f'unknown key "{key[:80]}" in a pack', near=name)
            return Table(document.at, {k: e for k, e in document.entries.items() if k != key}), value
    return document, _Absent(document.at, None, "")


def _is_ours(kind: Node, document: Table, problems: Problems) -> bool:
    """Whether the text is a pack, rightly or not quite rightly said."""
    if isinstance(kind, Scalar) and kind.value == FORMAT:
        return True
    if isinstance(kind, _Absent):
        problems.add(document.at, 'this is no pack: it lacks the key "format"', expected=FORMAT)
        return any(key in document.entries for key in _OURS)
    near = nearest(kind.text, (FORMAT,), NEARLY) if isinstance(kind, Scalar) else ""
    problems.add(kind.at, "this is no pack: the format is another one", expected=FORMAT, near=near)
    return bool(near)


def _is_this_version(version: Node, at: Place, problems: Problems) -> bool:
    """Whether the version is this program's, or one that nobody can have meant."""
    match version:
        case _Absent():
            problems.add(at, 'this pack lacks the key "format-version"', expected=str(FORMAT_VERSION))
        case Scalar(value=int(number)) if number == FORMAT_VERSION and version.text == str(FORMAT_VERSION):
            return True
        case Scalar(value=int(number)) if number > FORMAT_VERSION:
            newer = f"this pack has format-version {number}, and this program knows only {FORMAT_VERSION}"
            problems.add(version.at, newer, expected="a newer consent-auditor")
            return False
        case _:
            problems.add(version.at, "format-version is wrong", expected=str(FORMAT_VERSION))
    return True
