"""Decode the rows of a large section at the speed of msgspec, with the results of `auditor.snapshot.graph_json`.

A row in exactly the form of v1.0 (every property spelled as documented and of its type, no text empty that Graph never
leaves empty) is decoded in one step. A class with `forbid_unknown_fields` finds every other row, and that one is read
by `graph_json`, which knows all spellings and says what is wrong. Texts that repeat (ids, scopes) are kept once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import repeat
from operator import attrgetter
from typing import Annotated, Any, NamedTuple, get_args, get_origin

import msgspec

from auditor.model.field_types import NEVER_EMPTY, FieldText
from auditor.model.resources import Resource
from auditor.model.sections import Sections
from auditor.snapshot import Location, ShapeProblems, root
from auditor.snapshot.graph_json import NULL_MEANS, bare_type, row_reader, text_kind

_NOT_SHARED = frozenset(
    {FieldText.APP_NAME, FieldText.APP_URI, FieldText.REPLY_URL, FieldText.TIMESTAMP, FieldText.PUBLISHER_TEXT}
)
"""Texts that hardly ever repeat: to keep them once takes as much memory as it saves."""
_NOT_EMPTY = Annotated[str, msgspec.Meta(min_length=1)]


class JsonLines(NamedTuple):
    """Some rows as JSON Lines: whole lines, as a file has them."""

    text: bytes

    @property
    def number(self) -> int:
        """How many rows there are."""
        return self.text.count(b"\n")

    def decoded(self, decoder: msgspec.json.Decoder[Any]) -> list[Any]:
        """Every row. Raises `msgspec.DecodeError` if one doesn't fit."""
        return decoder.decode_lines(self.text)

    def each(self) -> Iterable[bytes]:
        """The JSON of each row."""
        return (line for line in self.text.split(b"\n") if line.strip())


class JsonItems(NamedTuple):
    """Some rows as the items of a JSON list."""

    raw: list[msgspec.Raw]

    @property
    def number(self) -> int:
        """How many rows there are."""
        return len(self.raw)

    def decoded(self, decoder: msgspec.json.Decoder[Any]) -> list[Any]:
        """Every row. Raises `msgspec.DecodeError` if one doesn't fit."""
        decode = decoder.decode
        return [decode(item) for item in self.raw]

    def each(self) -> Iterable[msgspec.Raw]:
        """The JSON of each row."""
        return self.raw


Batch = JsonLines | JsonItems
_Convert = Callable[[Any], Any]


class BlankText(ValueError):
    """A text that Graph never leaves empty consists of white space."""


class _Shared(dict[Any, Any]):
    """Texts, and lists of texts, that are kept once: ``shared[text]`` is the first equal text, and null is null.

    With `refuses_blank`, white space raises `BlankText`.
    """

    def __init__(self, *, refuses_blank: bool) -> None:
        super().__init__({None: None})
        self._refuses_blank = refuses_blank

    def __missing__(self, text: Any) -> Any:
        if self._refuses_blank and text is not None and not text.strip():
            raise BlankText
        self[text] = text
        return text

    def column(self, values: list[Any]) -> Iterator[Any]:
        """``self[text]`` for each of many texts, of which most may be new: in C, without a call for each."""
        if self._refuses_blank:
            none_blank(values)
        return map(self.setdefault, values, values)


_Change = _Shared | _Convert | None


class SharedTexts:
    """The texts that the rows of one snapshot have in common."""

    def __init__(self) -> None:
        self.never_empty = _Shared(refuses_blank=True)
        self.others = _Shared(refuses_blank=False)


class RowReader:
    """Reads the rows of one section, in order.

    `decoded` returns rows to look at: of the section's class, or of a class with the same properties. `typed` makes
    those of the section's class of them; shortened ones have none of the properties in `without`. `problems` lists
    every value that Graph does not return.
    """

    def __init__(
        self, section: str, shared: SharedTexts, problems: ShapeProblems, without: frozenset[str] = frozenset()
    ) -> None:
        kind = row_class(section)
        strict = _strict(kind)
        self._decoder = msgspec.json.Decoder(strict) if strict else None
        self._convert = _converter(kind, shared)
        self._convert_all = _column_converter(kind, shared)
        self._convert_shortened = _column_converter(kind, shared, without) if without else self._convert_all
        self._read = row_reader(section)
        self._at: Location = (root("sections"), section)
        self._problems = problems
        self._kind = kind
        self.shared = shared.never_empty
        """Texts that are kept once, and that Graph never leaves empty: raises `BlankText` for one that is blank."""
        self.number = 0
        """How many rows were decoded so far."""
        self.is_strict = False
        """Whether all rows of the last batch have Graph's own form."""

    def decoded(self, batch: Batch) -> Sequence[Any]:
        """The rows of a batch. Raises `msgspec.DecodeError` for a row that isn't JSON."""
        if self._decoder is not None:
            try:
                rows = batch.decoded(self._decoder)
            except (msgspec.DecodeError, RecursionError):
                pass
            else:
                self.number += len(rows)
                self.is_strict = True
                return rows
        self.is_strict = False
        return [self._one(raw) for raw in batch.each()]

    def _one(self, raw: bytes | msgspec.Raw) -> Any:
        if self._decoder is not None:
            try:
                row = self._decoder.decode(raw)
            except msgspec.DecodeError:
                pass
            else:
                self.number += 1
                return row
        return self._tolerant(msgspec.json.decode(raw))

    def _tolerant(self, raw: Any) -> Any:
        number, self.number = self.number, self.number + 1
        before = len(self._problems)
        row = self._read(raw, (self._at, number), self._problems)
        # After a problem no row is used.
        return row if len(self._problems) == before else self._kind(**dict.fromkeys(_required(self._kind), ""))

    def typed(self, row: Any) -> Any:
        """The row in the class of the section."""
        if isinstance(row, self._kind):
            return row
        try:
            return self._convert(row)
        except BlankText:
            return self._read(msgspec.to_builtins(row), self._at, self._problems)

    def all_typed(self, rows: Sequence[Any], *, shortened: bool = False) -> list[Any]:
        """The rows in the class of the section; with `shortened`, without some properties if all have Graph's form."""
        if self.is_strict:
            with contextlib.suppress(BlankText):
                return (self._convert_shortened if shortened else self._convert_all)(rows)
        return [self.typed(row) for row in rows]

    def is_complete(self, row: Any) -> bool:
        """Whether the row has everything that Graph always returns."""
        if isinstance(row, self._kind):
            return not row.lacks
        # The strict form has no empty text.
        return not any(getattr(row, name).isspace() for name in self._kind.needed)


@cache
def row_class(section: str) -> type[Resource]:
    """The class of the rows of a section that is a list of objects."""
    field = next(field for field in msgspec.structs.fields(Sections) if field.name == section)
    kind = bare_type(get_args(bare_type(field.type))[0])
    assert isinstance(kind, type) and issubclass(kind, Resource)
    return kind


def _required(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(kind) if field.required)


@cache
def _strict(kind: type[msgspec.Struct]) -> type[msgspec.Struct] | None:
    """A class with the properties of `kind` that accepts only rows which `graph_json` reads as they are.

    None for a class with free JSON, which `graph_json` changes.
    """
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(kind):
        value = _strict_value(field.type)
        if value is None:
            return None
        if field.required:
            fields.append((field.name, value))
        elif field.name in NULL_MEANS.get(kind, {}):
            fields.append((field.name, value | None | msgspec.UnsetType, msgspec.UNSET))
        else:
            is_optional = type(None) in get_args(field.type)
            fields.append((field.name, value | None if is_optional else value, field.default))
    return msgspec.defstruct(kind.__name__, fields, forbid_unknown_fields=True, gc=False)


def _strict_value(annotated: Any) -> Any:
    kind = bare_type(annotated)
    if kind is str:
        return _NOT_EMPTY if text_kind(annotated) in NEVER_EMPTY else str
    if kind in (bool, int):
        return kind
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _strict(kind)
    if get_origin(kind) is not tuple:
        return None
    inner = bare_type(get_args(kind)[0])
    value = _NOT_EMPTY if inner is str else _strict_value(inner)
    return None if value is None else tuple[value, ...]  # type: ignore[valid-type]


def _converter(kind: type[msgspec.Struct], shared: SharedTexts) -> _Convert:
    """A function from the strict form of `kind` to `kind`."""
    changes = _changes(kind, shared)
    # One expression for all properties, as dataclasses write their methods: a loop takes three times as long.
    names = {f"of_{name}": _each(change) for name, change in changes.items() if change is not None}
    values = (f"{name}=of_{name}(row.{name})" if f"of_{name}" in names else f"{name}=row.{name}" for name in changes)
    made: _Convert = eval(f"lambda row: kind({', '.join(values)})", {"kind": kind, **names})  # noqa: S307
    return made


def _column_converter(
    kind: type[msgspec.Struct], shared: SharedTexts, without: frozenset[str] = frozenset()
) -> Callable[[Sequence[Any]], list[Any]]:
    """A function from rows in the strict form of `kind` to rows of `kind`, in which the properties `without` are unset.

    It takes a third of the time of one row after the other, because only its C code goes through the rows.
    """
    changes = _changes(kind, shared)
    unset = {field.name: field.default for field in msgspec.structs.fields(kind) if field.name in without}

    def column(name: str, rows: Sequence[Any]) -> Iterator[Any]:
        if name in unset:
            return repeat(unset[name])
        change = changes[name]
        values = map(attrgetter(name), rows)
        if change is _not_blank:
            return iter(none_blank(list(values)))
        if isinstance(change, _Shared):
            return change.column(list(values))
        return values if change is None else map(change, values)

    return lambda rows: list(map(kind, *(column(name, rows) for name in changes)))


def _changes(kind: type[msgspec.Struct], shared: SharedTexts) -> dict[str, _Change]:
    """For each property, what makes its value in the strict form one of `kind`; none if it is the same."""
    fields = msgspec.structs.fields(kind)
    null_means = NULL_MEANS.get(kind, {})
    changes = {field.name: _value_converter(field.type, shared) for field in fields}
    return changes | {
        field.name: _null_is(bare_type(field.type), changes[field.name]) for field in fields if field.name in null_means
    }


def _each(change: _Shared | _Convert) -> _Convert:
    """The change of one value."""
    return change.__getitem__ if isinstance(change, _Shared) else change


def _null_is(kind: type[msgspec.Struct], change: _Change) -> _Convert:
    """`change`, where null is an object without properties, and nothing is null."""
    empty = kind()
    each = None if change is None else _each(change)

    def convert(value: Any) -> Any:
        if value is None:
            return empty
        return None if value is msgspec.UNSET or each is None else each(value)

    return convert


def _value_converter(annotated: Any, shared: SharedTexts) -> _Change:
    """A function or a table that makes a value of the strict form one of the model; none if it is the same."""
    kind = bare_type(annotated)
    if kind is str:
        what = text_kind(annotated)
        if what in NEVER_EMPTY:
            return _not_blank if what in _NOT_SHARED else shared.never_empty
        return None if what in _NOT_SHARED else shared.others
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        inner = _converter(kind, shared)
        return lambda value: None if value is None else inner(value)
    if get_origin(kind) is not tuple:
        return None
    item = get_args(kind)[0]
    if bare_type(item) is str:
        # As a whole. Only a property that is a single text is missing when it is blank.
        return None if text_kind(item) in _NOT_SHARED else shared.others
    change = _value_converter(item, shared)
    if change is None:
        return None
    each = _each(change)
    return lambda values: None if values is None else tuple(map(each, values))


def _not_blank(text: str | None) -> str | None:
    if text is not None and not text.strip():
        raise BlankText
    return text


def none_blank(texts: list[str | None]) -> list[str | None]:
    """The same texts. Raises `BlankText` if one is white space."""
    if any(map(str.isspace, filter(None, texts))):
        raise BlankText
    return texts
