"""Every case of a parametrised test has a name: a failure names the case, and ``-k`` selects it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def constants(module: ast.Module) -> dict[str, ast.expr]:
    """The values that a module assigns to names at its top level."""
    found: dict[str, ast.expr] = {}
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found[name] = value
    return found


def rows(values: ast.expr, known: dict[str, ast.expr]) -> Iterator[ast.expr]:
    """The rows that are written out in a list of cases, also where it is a constant, a sum, or has a list inside."""
    match values:
        case ast.Name(id=name) if name in known:
            yield from rows(known[name], {other: value for other, value in known.items() if other != name})
        case ast.BinOp(left=left, right=right):
            yield from rows(left, known)
            yield from rows(right, known)
        case ast.List(elts=written) | ast.Tuple(elts=written) | ast.Set(elts=written):
            for row in written:
                if isinstance(row, ast.Starred):
                    yield from rows(row.value, known)
                else:
                    yield row


def nameless(source: str) -> list[int]:
    """The lines of a test file where a case is a tuple of two or more values, instead of a `pytest.param`."""
    module = ast.parse(source)
    known = constants(module)
    found = set()
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Attribute(attr="parametrize"), args=[_, *positional], keywords=keywords):
                cases = [*positional[:1], *(one.value for one in keywords if one.arg == "argvalues")]
                for row in (row for values in cases for row in rows(values, known)):
                    if isinstance(row, ast.Tuple) and len(row.elts) > 1:
                        found.add(row.lineno)
    return sorted(found)


def test_no_case_is_a_bare_tuple() -> None:
    files = sorted(TESTS.rglob("test_*.py"))
    found = [
        f"{path.relative_to(TESTS.parent).as_posix()}:{line}"
        for path in files
        for line in nameless(path.read_text(encoding="utf-8"))
    ]
    assert found == [], 'write pytest.param(…, id="what the case is")'
    assert len(files) > 100


@pytest.mark.parametrize(
    ("cases", "lines"),
    [
        pytest.param("[(1, 2),\n(3, 4)]", [2, 3], id="a list"),
        pytest.param("((1, 2),)", [2], id="a tuple"),
        pytest.param("CONSTANT", [1], id="a constant"),
        pytest.param("[pytest.param(1, 2, id='x'), *CONSTANT]", [1], id="a constant inside a list"),
        pytest.param("CONSTANT + [(3, 4)]", [1, 2], id="a sum"),
        pytest.param("[(1,), 2, [3, 4]]", [], id="one value"),
        pytest.param("[(one, two) for one in CONSTANT for two in CONSTANT]", [], id="computed"),
        pytest.param("{'x': (1, 2)}", [], id="a table by name"),
    ],
)
def test_a_bare_tuple_is_found_wherever_the_list_is_written(cases: str, lines: list[int]) -> None:
    for given in (cases, f"argvalues={cases}"):
        decorator = f'@pytest.mark.parametrize(("a", "b"), {given})'
        source = f"CONSTANT: Cases = [(1, 2)]\n{decorator}\ndef test_it(a, b): ...\n"
        assert nameless(source) == lines
