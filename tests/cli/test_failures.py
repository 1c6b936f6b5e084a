"""Every error that a person can act on derives from `AuditorError`, and a command prints it with what to do."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import auditor
from auditor.cli.program import explained
from auditor.consent.requested_scopes import RequestError
from auditor.graph.graph_errors import CredentialError
from auditor.model.errors import NO_AUDIT, USAGE, AuditorError, InvalidRequest
from auditor.packs import PackError, Problem
from auditor.snapshot import SnapshotError

CAUGHT_INSIDE = {
    "BlankText": "the reader of large sections reads the section as other readers do",
    "_UnusableJson": "the reader of responses turns it into a GraphError",
    "Conflict": "a fix that doesn't fit the snapshot isn't offered",
    "Incomplete": "the reader of large sections reads the snapshot as a whole",
    "InvalidAddress": "the network settings and the options turn it into an error that names them",
    "LeftOut": "the audit reads the snapshot as a whole",
    "NoScript": "check --fix-script lists why each fix can't be a script",
    "NotApplicable": "a fix that doesn't fit the snapshot isn't offered",
    "Stopped": "the command nightly run says that it was stopped",
    "ShapeError": "reading a snapshot turns it into a SnapshotError",
    "TooManyProblems": "the loader of packs stops and raises a PackError",
    "UnredactableName": "redaction turns it into an InvalidRequest",
}
"""The exceptions that never leave the package that raises them, and what happens to them."""

FOR_CALLERS = {
    "_TenantsWait": "the queue of a fleet tries the job that closes a night again later",
    "CancelledByLibrary": "foreign_code, which raises it, treats it as any other failure of a library",
    "NoWriter": "it is an OSError, and reported as any other one by whoever reads the file",
    "NothingIsFetched": "the PDF renderer catches it",
    "UnknownFormat": "only a call of the Python API can name an unknown format",
}
"""The exceptions for a library, or for the code that calls the Python API."""


@cache
def trees() -> tuple[ast.Module, ...]:
    """Every module of the program. Only a test asks: whoever collects the tests doesn't pay for it."""
    paths = sorted(Path(auditor.__file__).parent.rglob("*.py"))
    return tuple(ast.parse(path.read_text(encoding="utf-8")) for path in paths)


def name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@cache
def bases() -> dict[str, set[str]]:
    """The classes of the program, each with the names of its bases."""
    return {
        node.name: {name_of(base) for base in node.bases}
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }


def derived_from(roots: set[str]) -> set[str]:
    """The classes of the program that derive from any of `roots`, directly or not."""
    found: set[str] = set()
    while more := {name for name, over in bases().items() if over & (roots | found)} - found:
        found |= more
    return found


def caught() -> Iterator[str]:
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler) and node.type is not None:
                kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
                yield from map(name_of, kinds)


def test_every_exception_derives_from_the_base_or_is_caught_inside() -> None:
    builtin = {
        name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
    }
    others = derived_from(builtin) - derived_from({"AuditorError"}) - {"AuditorError"}
    assert others == {*CAUGHT_INSIDE, *FOR_CALLERS}


def test_what_is_said_to_be_caught_inside_is_caught() -> None:
    # Whoever catches NotApplicable catches Conflict, too.
    assert set(CAUGHT_INSIDE) - {"Conflict"} <= set(caught())
    assert "NotApplicable" in bases()["Conflict"]


@pytest.mark.parametrize(
    ("error", "text", "code"),
    [
        pytest.param(InvalidRequest("give a name"), "Error: give a name.", USAGE, id="without-advice"),
        pytest.param(RequestError("not a URL"), "Error: not a URL.", USAGE, id="a-pasted-request"),
        pytest.param(
            CredentialError("no credential is set", advice="Set one."),
            "No audit was made: no credential is set\nWhat to do: Set one.",
            NO_AUDIT,
            id="with-advice",
        ),
        pytest.param(
            SnapshotError("t.json", "is empty", problems=["a: text"], hint="Write it again."),
            "Error: t.json: is empty\n  a: text\nWhat to do: Write it again.",
            USAGE,
            id="advice-at-the-end-of-the-message",
        ),
        pytest.param(
            PackError([Problem("p.yaml", 3, 1, "unknown key")]),
            "Error: the rules can't be used:\np.yaml:3:1: unknown key",
            USAGE,
            id="problems-of-a-pack",
        ),
    ],
)
def test_an_error_explains_itself(error: AuditorError, text: str, code: int) -> None:
    assert explained(error) == (text, code)


def test_an_error_of_the_system_names_the_file_and_what_to_do() -> None:
    found = explained(PermissionError(13, "Permission denied", "t.json"))
    assert found is not None
    assert found.text.startswith("Error: t.json: Permission denied\nWhat to do: check the path")
    assert found.exit_code == USAGE


def test_a_bug_is_not_explained() -> None:
    assert explained(TypeError("int + str")) is None
