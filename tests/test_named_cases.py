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


def is_nameless(row: ast.expr, *, with_ids: bool) -> bool:
    """Whether a row is a tuple of two or more values, or a value that pytest numbers, as in ``[changes0]``."""
    match row:
        case ast.Tuple(elts=values):
            return len(values) > 1 or not with_ids
        case ast.Call(func=ast.Attribute(value=ast.Name(id="pytest"), attr="param"), keywords=keywords):
            return not with_ids and all(keyword.arg != "id" for keyword in keywords)
    return not with_ids and isinstance(row, ast.Call | ast.Dict | ast.Lambda | ast.List | ast.Set)


def nameless(source: str) -> list[int]:
    """The lines of a test file where a case has no name and should be a `pytest.param` with an id."""
    module = ast.parse(source)
    known = constants(module)
    found = set()
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Attribute(attr="parametrize"), args=positional, keywords=keywords):
                given = {keyword.arg: keyword.value for keyword in keywords}
                values = positional[1] if len(positional) > 1 else given["argvalues"]
                found |= {row.lineno for row in rows(values, known) if is_nameless(row, with_ids="ids" in given)}
    return sorted(found)


def test_every_case_that_is_written_out_has_a_name() -> None:
    files = sorted(TESTS.rglob("test_*.py"))
    found = [
        f"{path.relative_to(TESTS.parent).as_posix()}:{line}"
        for path in files
        for line in nameless(path.read_text(encoding="utf-8"))
    ]
    assert found == [], 'write pytest.param(…, id="what the case is")'
    assert len(files) > 100


CONSTANT = "CONSTANT: Cases = [(1, 2)]\n"


@pytest.mark.parametrize(
    ("cases", "lines"),
    [
        pytest.param("[(1, 2),\n(3, 4)]", [2, 3], id="a list"),
        pytest.param("((1, 2),)", [2], id="a tuple"),
        pytest.param("argvalues=[(1, 2)]", [2], id="a keyword"),
        pytest.param("CONSTANT", [1], id="a constant"),
        pytest.param("[pytest.param(1, 2, id='x'), *CONSTANT]", [1], id="a constant inside a list"),
        pytest.param("CONSTANT + [(3, 4)]", [1, 2], id="a sum"),
        pytest.param("[(1, 2)], ids=['x']", [2], id="ids far from their tuples"),
        pytest.param("[pytest.param(1, 2)]", [2], id="no id"),
        pytest.param("[{'x': 1},\n[2],\n{3},\nset(),\n(4,)]", [2, 3, 4, 5, 6], id="values that pytest numbers"),
        pytest.param("[{'x': 1}, [2], {3}, set(), (4,)], ids=str", [], id="ids for single values"),
        pytest.param("['x', 1, None, Color.RED, Path]", [], id="values that pytest names"),
        pytest.param("[(one, two) for one, two in CONSTANT]", [], id="computed"),
        pytest.param("{'x': (1, 2)}", [], id="a table by name"),
    ],
)
def test_a_case_without_a_name_is_found_wherever_it_is_written(cases: str, lines: list[int]) -> None:
    decorator = f'@pytest.mark.parametrize(("a", "b"), {cases})\n'
    assert nameless(f"{CONSTANT}{decorator}def test_it(a, b): ...\n") == lines
