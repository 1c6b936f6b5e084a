"""Snapshots with a different made-up word in every text that a snapshot can hold, and a search for these words."""

from __future__ import annotations

import html
import io
import re
import shutil
import subprocess
import types
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from urllib.parse import unquote
from uuid import UUID, uuid5

import msgspec

from auditor.model.field_types import FieldText
from auditor.model.sections import Sections
from auditor.model.snapshot import Snapshot
from tests.limits import HUNG_AFTER

_SPACE = UUID("0f3c9a52-6d1e-4b7a-9c58-2e4f7a1b6d90")
_PART_OF_A_WORD = re.compile(r"\bqzu[b-df-z]{2}\b|\bo[b-df-z]{2}yk\b")
"""One of the two words of which a name of the form with a dot consists."""
_WORD = re.compile(r"qzu[b-z]{2}o[b-z]{2}yk")
_LETTERS = "bcdfghjkmnpqrstvwxz"
replace = msgspec.structs.replace


def word(number: int) -> str:
    """A word of ten letters that no other number has, that no text contains, and that no token can be."""
    letters = ""
    for _ in range(4):
        number, rest = divmod(number, len(_LETTERS))
        letters += _LETTERS[rest]
    return f"qzu{letters[:2]}o{letters[2:]}yk"


FORMS: Mapping[str, Callable[[str], str]] = {
    "a name": str.title,
    "an address": lambda name: f"{name}@contoso.com",
    "two words with a dot before the @": lambda name: f"{name[:5]}.{name[5:]}@contoso.com",
    "the domain of an address": lambda name: f"info@{name}.com",
    "a sentence": lambda name: f"Please ask {name.title()} about it.",
    "an address in a sentence": lambda name: f"Please ask {name}@contoso.com, or https://{name}.example/help",
    "a path": lambda name: f"/users/{name}/memberOf?$filter=displayName eq '{name}'",
    "a code": lambda name: f"{name}_{name.title()}",
    "a permission": lambda name: f"{name.title()}.Read.All {name.title()}.ReadWrite",
    "an assigned policy": lambda name: f"ManagePermissionGrantsForSelf.microsoft-{name}",
    "a role's action": lambda name: f"microsoft.directory/{name}/read",
    "a GUID": lambda name: str(uuid5(_SPACE, name)),
}


class Canaries:
    """Makes one snapshot whose texts all have one form; `places` says which word is where.

    `first` is the number of the first word, so that several have different words.
    """

    def __init__(self, form: str, first: int = 0) -> None:
        self.form = form
        self.first = first
        self.places: dict[str, str] = {}

    def text(self, place: str, kind: object = None) -> str:
        """A text that exists only here."""
        made = word(self.first + len(self.places))
        self.places[made] = place
        text = FORMS[self.form](made)
        if self.form == "a GUID":
            self.places[text] = self.places.pop(made)
        return text

    def of(self, kind: Any, place: str) -> Any:
        """A value of an annotated type with a word in each of its texts."""
        origin = get_origin(kind)
        if origin is Annotated:
            if FieldText.JSON in kind.__metadata__:
                return self.json(place)
            return self.text(place) if kind.__origin__ is str else self.of(kind.__origin__, place)
        if origin in (Union, types.UnionType):
            return self.of(next(one for one in get_args(kind) if one is not type(None)), place)
        if origin is tuple:
            return (self.of(get_args(kind)[0], place), self.of(get_args(kind)[0], place))
        if origin is Mapping or (isinstance(origin, type) and issubclass(origin, Mapping)):
            keys, values = get_args(kind)
            return {self.of(keys, f"{place} (key)"): self.of(values, place)}
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self.struct(kind)
        return self.text(place) if kind is str else {bool: True, int: 7}[kind]

    def struct(self, kind: type[msgspec.Struct]) -> Any:
        """An object of the class with a word in each of its texts, also in those of the objects in it."""
        hints = get_type_hints(kind, include_extras=True)
        fields = [field.name for field in msgspec.structs.fields(kind)]
        return kind(**{name: self.of(hints[name], f"{kind.__name__}.{name}") for name in fields})

    def json(self, place: str) -> dict[str, Any]:
        """An object of any form, with words in its keys and at each depth."""
        return {
            self.text(f"{place} (key)"): self.text(place),
            "displayName": self.text(place),
            "user": {"userPrincipalName": self.text(place), self.text(f"{place} (key)"): [self.text(place)]},
            "modifiedProperties": [{"newValue": f'"{self.text(place)}"'}],
        }

    def snapshot(self, base: Snapshot) -> Snapshot:
        """The snapshot `base` with a row of words in each section; an object that it has keeps what isn't a text."""
        made: Snapshot = self.struct(Snapshot)
        sections = {}
        for field in msgspec.structs.fields(Sections):
            old, new = getattr(base.sections, field.name), getattr(made.sections, field.name)
            sections[field.name] = _together(old, new)
        return replace(
            made,
            format=base.format,
            version=base.version,
            cloud=base.cloud,
            taken=base.taken,
            sections=Sections(**sections),
        )


def _together(old: Any, new: Any) -> Any:
    if isinstance(old, tuple):
        return (*old, *new)
    if isinstance(old, Mapping):
        return {**old, **new}
    if isinstance(old, msgspec.Struct):
        texts = ("displayName", "description", "verifiedDomains", "enabledPreviewFeatures", "reviewers")
        return replace(old, **{name: getattr(new, name) for name in texts if hasattr(new, name)})
    return new


def unpacked(path: Path) -> Iterator[tuple[str, str]]:
    """Name and text of a file, of every file below a folder, and of every member of a zip, unescaped too."""
    if path.is_dir():
        for inner in sorted(path.rglob("*")):
            if inner.is_file():
                yield from unpacked(inner)
    else:
        for name, data in _members(path.name, path.read_bytes()):
            text = _pdf_text(data) if data.startswith(b"%PDF") else data.decode("utf-8", "replace")
            yield name, "\n".join((name, text, html.unescape(text), unquote(text), re.sub(r"\s+", "", text)))


def _members(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    if not data.startswith(b"PK"):
        yield name, data
        return
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        for member in packed.namelist():
            yield from _members(f"{name}/{member}", packed.read(member))


def _pdf_text(data: bytes) -> str:
    """What a PDF shows, and its information, which isn't compressed."""
    program = shutil.which("pdftotext")
    assert program is not None, "pdftotext is missing"
    shown = subprocess.run([program, "-", "-"], input=data, capture_output=True, check=True, timeout=HUNG_AFTER)
    return shown.stdout.decode("utf-8", "replace") + data.decode("latin-1")


def words_in(text: str) -> set[str]:
    """The words that a text has, whatever their form but a GUID."""
    return set(_WORD.findall(text.lower()))


def survivors(path: Path, places: Mapping[str, str]) -> dict[str, set[str]]:
    """For each place whose word is still in an output, the names of the outputs."""
    found: dict[str, set[str]] = {}
    for name, text in unpacked(path):
        low = text.lower()
        for one, place in places.items():
            if one in low or (len(one) > 10 and one.replace("-", "") in low):
                found.setdefault(place, set()).add(name)
        if not found and _PART_OF_A_WORD.search(low):
            found["a part of a word"] = {name}
    return found
