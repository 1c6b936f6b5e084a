"""Lists of known abused apps: load them from YAML, reporting every mistake with its position, as for packs."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from auditor.model.report import SHIPPED_ABUSED_APPS, AbusedApp, AbusedAppsList
from auditor.packs import PackError, PackProblems, Problem, TooManyProblems
from auditor.packs.decode_nodes import StrictForm, decode_document
from auditor.packs.forms import Guid, Line, Resource
from auditor.packs.load import Source, file_source, is_shipped, path_of
from auditor.packs.parse import reported_file
from auditor.packs.waiver_files import Day, Text
from auditor.packs.yaml_nodes import Items, Node, Scalar, child, items_of, read

Permissions = dict[Resource, tuple[Line, ...]]


class AbusedAppForm(StrictForm, frozen=True, kw_only=True):
    """One app."""

    noun: ClassVar[str] = "an app"
    client_id: Annotated[Guid, Meta(description="The app's client ID, which is the same in every tenant.")]
    name: Annotated[Line, Meta(description="The name under which it is known, if it has one.")] = ""
    legitimate: Annotated[
        bool, Meta(description="Whether it is a product with honest users that attackers use, too.")
    ] = False
    why: Annotated[Text, Meta(description="What attackers do with it, in full sentences.")]
    since: (
        Annotated[Day, Meta(description="Only consents from this day on count, in quotes; without it, all do.")]
        | UnsetType
    ) = UNSET
    doubtful: Annotated[str, Meta(description="Why the claim rests on little, in full sentences.")] = ""
    owner_tenant: Annotated[Guid, Meta(description="The tenant that registered it.")] | UnsetType = UNSET
    related: Annotated[tuple[Guid, ...], Meta(description="Client IDs of apps of the same origin.")] = ()
    tags: tuple[Line, ...] = ()
    scopes: Annotated[Permissions, Meta(description="Delegated permissions with which it was seen.")] = {}
    app_roles: Annotated[Permissions, Meta(description="Application permissions with which it was seen.")] = {}
    sources: Annotated[tuple[Line, ...], Meta(description="Where its abuse is reported.")] = ()


class AbusedAppsForm(StrictForm, frozen=True, kw_only=True):
    """A list of known abused apps."""

    noun: ClassVar[str] = "a list of abused apps"
    format: Literal["consent-auditor/abused-apps"]
    format_version: Literal[1]
    read: Annotated[Day, Meta(description="The day on which the sources were last read, in quotes.")]
    apps: Annotated[tuple[AbusedAppForm, ...], Meta(min_length=1)]


def load_abused_apps(source: Source) -> AbusedAppsList:
    """The list in `source`. Raises PackError with all problems."""
    form: Any = decoded_form(source)
    shipped = source.folder is None and is_shipped(source.label)
    return AbusedAppsList(
        name=SHIPPED_ABUSED_APPS if shipped else reported_file(source.label),
        digest=hashlib.sha256(source.text).hexdigest(),
        read=form.read,
        apps=tuple(map(_app, form.apps)),
    )


def decoded_form(source: Source) -> Any:
    """The list with everything that its text says, as an `AbusedAppsForm`. Raises PackError with all problems."""
    problems = PackProblems()
    form: Any = None
    with contextlib.suppress(TooManyProblems):
        node = read(source.text, source.label, problems, expected=AbusedAppsForm.noun)
        form = decode_document(node, AbusedAppsForm, problems) if node is not None else None
        if isinstance(apps := child(node, "apps"), Items) and not apps.nodes:
            problems.add(apps.at, "apps is empty, so the list would never find an app", expected="at least one app")
        _report_duplicates(items_of(child(node, "apps")), problems)
    problems.raise_any()
    return form


def load_abused_files(names: Iterable[str]) -> tuple[AbusedAppsList, ...]:
    """The lists in these files, each file once. Raises PackError with the problems of all of them."""
    found: list[AbusedAppsList] = []
    problems: list[Problem] = []
    for name in dict.fromkeys(names):
        try:
            found.append(load_abused_apps(file_source(path_of(name))))
        except PackError as error:
            problems.extend(error.problems)
    if problems:
        raise PackError(problems)
    return tuple(found)


def _report_duplicates(entries: Iterable[Node], problems: PackProblems) -> None:
    """Report an app that is in the list twice: it would be unclear which entry applies."""
    first: dict[str, int] = {}
    for entry in entries:
        found = child(entry, "client-id")
        name = found.value.strip().lower() if isinstance(found, Scalar) and isinstance(found.value, str) else ""
        if name and found is not None and first.setdefault(name, found.at.line) != found.at.line:
            problems.add(found.at, f"the same app is already listed on line {first[name]}")


def _app(form: AbusedAppForm) -> AbusedApp:
    return AbusedApp(
        client_id=form.client_id.lower(),
        name=form.name,
        legitimate=form.legitimate,
        why=" ".join(form.why.split()),
        since="" if isinstance(form.since, UnsetType) else form.since,
        doubtful=" ".join(form.doubtful.split()),
        sources=form.sources,
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of a list of abused apps, for editors."""
    (found,), parts = msgspec.json.schema_components([AbusedAppsForm], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Known abused apps of consent-auditor",
        **found,
        "$defs": parts,
    }
