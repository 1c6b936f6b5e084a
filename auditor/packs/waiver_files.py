"""Waiver files: load waivers from YAML, reporting every mistake with its position, as for packs."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from auditor.checks.kind import Invalid
from auditor.model.report import Waiver, WaiverFile
from auditor.model.rule import RulePlace
from auditor.packs import PackError, PackProblems, Position, Problem, TooManyProblems
from auditor.packs.decode_nodes import StrictForm, decode_document
from auditor.packs.forms import Line, PackName, RuleId
from auditor.packs.load import Source, file_source, path_of
from auditor.packs.parse import reported_file
from auditor.packs.yaml_nodes import Node, Scalar, child, items_of, read


def day(text: str) -> Invalid | None:
    """A day, such as the last one on which a waiver applies."""
    try:
        if date.fromisoformat(text).isoformat() == text:
            return None
    except ValueError:
        pass
    return Invalid(f'"{text}" isn\'t a date', 'year, month and day in quotes, as in "2027-03-31"')


Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", extra={"must": day})]
Text = Annotated[str, Meta(min_length=1)]


class WaiverForm(StrictForm, frozen=True, kw_only=True):
    """One waiver."""

    noun: ClassVar[str] = "a waiver"
    rule: Annotated[RuleId, Meta(description="The id of the rule whose failure is accepted.")]
    pack: (
        Annotated[PackName, Meta(description="Only for this pack; without it, for every pack.")] | msgspec.UnsetType
    ) = msgspec.UNSET
    subject: Annotated[
        Line,
        Meta(description="Only this subject of the finding, by its id if it has one; without it, the whole rule."),
    ] = ""
    reason: Annotated[Text, Meta(description="Why it is accepted.")]
    owner: Annotated[Text, Meta(description="Who accepts it.")]
    expires: Annotated[Day, Meta(description="The last day on which it applies, in quotes.")]
    ticket: Annotated[Line, Meta(description="The ticket of the decision.")] = ""


class WaiversForm(StrictForm, frozen=True, kw_only=True):
    """A file of waivers."""

    noun: ClassVar[str] = "a waiver file"
    format: Literal["consent-auditor/waivers"]
    format_version: Literal[1]
    waivers: tuple[WaiverForm, ...]


def load_waivers(source: Source) -> WaiverFile:
    """The waivers in `source`. Raises PackError with all problems."""
    problems = PackProblems()
    form: Any = None
    with contextlib.suppress(TooManyProblems):
        node = read(source.text, source.label, problems)
        form = decode_document(node, WaiversForm, problems) if node is not None else None
        _report_duplicates(_entries(node), problems)
    problems.raise_any()
    places = [entry.at for entry in _entries(node)]
    return WaiverFile(
        name=reported_file(source.label),
        digest=hashlib.sha256(source.text).hexdigest(),
        waivers=tuple(_waiver(one, at) for one, at in zip(form.waivers, places, strict=True)),
    )


def load_waiver_files(names: Iterable[str]) -> tuple[WaiverFile, ...]:
    """The waivers in these files, each file once. Raises PackError with the problems of all of them."""
    found: list[WaiverFile] = []
    problems: list[Problem] = []
    for name in dict.fromkeys(names):
        try:
            found.append(load_waivers(file_source(path_of(name))))
        except PackError as error:
            problems.extend(error.problems)
    if problems:
        raise PackError(problems)
    return tuple(found)


def _entries(node: Node | None) -> tuple[Node, ...]:
    return items_of(child(node, "waivers"))


def _report_duplicates(entries: Iterable[Node], problems: PackProblems) -> None:
    """Report a waiver that is in the file twice: it would be unclear which of the two dates applies."""
    first: dict[tuple[str, ...], int] = {}
    for entry in entries:
        key = tuple(_lower(entry, name) for name in ("rule", "pack", "subject"))
        if not key[0]:
            continue
        if key in first:
            problems.add(entry.at, f"the same rule and subject are already waived on line {first[key]}")
        else:
            first[key] = entry.at.line


def _lower(entry: Node, name: str) -> str:
    found = child(entry, name)
    return found.value.strip().lower() if isinstance(found, Scalar) and isinstance(found.value, str) else ""


def _waiver(form: WaiverForm, at: Position) -> Waiver:
    return Waiver(
        rule=form.rule,
        pack="" if isinstance(form.pack, msgspec.UnsetType) else form.pack,
        subject=form.subject,
        reason=" ".join(form.reason.split()),
        owner=form.owner,
        expires=form.expires,
        ticket=form.ticket,
        place=RulePlace(file=reported_file(at.file), line=max(at.line, 1)),
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of a waiver file, for editors."""
    (found,), parts = msgspec.json.schema_components([WaiversForm], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Waivers of consent-auditor",
        **found,
        "$defs": parts,
    }
