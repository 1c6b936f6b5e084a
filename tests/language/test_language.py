"""The language linter finds what it should, where it is, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from tests.language.__main__ import main
from tests.language.prose import prose_of
from tests.language.wording import (
    ROOT,
    Construction,
    Exemption,
    WordList,
    files_of,
    problems_in,
    problems_of,
    word_list,
)

TOLD = Construction("told", "Programs don't tell", "report", "It is told.", "It is reported.")
WORDS = WordList((), (), (TOLD,))


@pytest.mark.parametrize("construction", word_list().constructions, ids=lambda one: one.pattern[:30])
def test_each_construction_finds_its_bad_example_and_not_the_good_one(construction: Construction) -> None:
    assert construction.compiled.search(construction.bad)
    assert not construction.compiled.search(construction.good)


@pytest.mark.parametrize("construction", word_list().constructions, ids=lambda one: one.pattern[:30])
def test_no_good_example_breaks_another_construction(construction: Construction) -> None:
    broken = [other.pattern for other in word_list().constructions if other.compiled.search(construction.good)]
    assert broken == []


class Text(NamedTuple):
    """The text of a file, and the places where it holds the word: line and column."""

    ending: str
    text: str
    places: tuple[tuple[int, int], ...]


TEXTS = {
    "a sentence of a page": Text(".md", "# Title\n\nIt is told.\n", ((3, 7),)),
    "a heading": Text(".md", "# What is told\n", ((1, 11),)),
    "a cell of a table": Text(".md", "| a | b |\n|---|---|\n| x | is told |\n", ((3, 10),)),
    "two on one line": Text(".md", "told and told\n", ((1, 1), (1, 10))),
    "a fenced block": Text(".md", "```sh\ntold\n```\n", ()),
    "a fenced block in a list": Text(".md", "- Run:\n\n  ```sh\n  told\n  ```\n", ()),
    "an indented block": Text(".md", "Run:\n\n    told\n\nIt is told.\n", ((5, 7),)),
    "a code span": Text(".md", "Call `told` and ``told``.\n", ()),
    "a quotation": Text(".md", 'Microsoft says "you are told" and “told”.\n', ()),
    "a block quote": Text(".md", "> You are told.\n", ()),
    "a generated part": Text(".md", "<!-- generated: x -->\ntold\n<!-- end of x -->\n", ()),
    "the target of a link": Text(".md", "See [told](told.md).\n", ((1, 6),)),
    "a value of YAML": Text(".yaml", "why: It is told.\n", ((1, 12),)),
    "a folded value of YAML": Text(".yaml", "why: >\n  It is\n  told.\n", ((3, 3),)),
    "a key of YAML": Text(".yaml", "told: yes\n", ()),
    "a comment of YAML": Text(".yaml", "a: 1  # is told\n", ((1, 12),)),
    "a number sign in a value of YAML": Text(".yaml", "a: 'x # told'\n", ((1, 9),)),
    "a docstring": Text(".py", '"""It is told."""\n', ((1, 10),)),
    "a comment of Python": Text(".py", "x = 1  # is told\n", ((1, 13),)),
    "a message": Text(".py", 'raise ValueError("it is told")\n', ((1, 25),)),
    "a message with a placeholder": Text(".py", 'f"{told} is told"\n', ((1, 13),)),
    "a name of Python": Text(".py", "told = told()\n", ()),
    "a string that is one word": Text(".py", 'x["told"]\n', ()),
    "a code span in a docstring": Text(".py", '"""Call `told` or ``told``."""\n', ()),
    "a template": Text(".j2", "<p class='told'>It is told.</p>{{ told }}\n", ((1, 23),)),
    "a text in an expression of a template": Text(".j2", '{{ table("is told") }}\n', ((1, 14),)),
    "code in a template": Text(".j2", "<code>told</code>\n", ()),
    "a string of a script": Text(".js", 'told("is told"); // told\n', ((1, 10), (1, 21))),
    "a comment of a style sheet": Text(".css", ".told { } /* told */\n", ((1, 14),)),
}


@pytest.mark.parametrize("case", TEXTS.values(), ids=list(TEXTS))
def test_a_word_is_found_where_people_read_it(case: Text, tmp_path: Path) -> None:
    path = tmp_path / f"file{case.ending}"
    path.write_text(case.text, encoding="utf-8")
    assert [(problem.line, problem.column) for problem in problems_of(prose_of(path), "file", WORDS)] == list(
        case.places
    )


PHRASE = Construction("is no GUID", "A thing isn't a no-thing", "isn't a GUID", "It is no GUID.", "It isn't a GUID.")
PHRASES = {
    "lines of a page": (".md", "It is\nno GUID.\n", True),
    "two paragraphs": (".md", "It is\n\nno GUID.\n", False),
    "lines of a comment": (".py", "# It is\n# no GUID.\n", True),
    "parts of one string": (".py", 'x = (\n    "it is"\n    f" no GUID {x}"\n)\n', True),
    "two arguments": (".py", 'x("it is", " no GUID here")\n', False),
}


@pytest.mark.parametrize(("ending", "text", "found"), PHRASES.values(), ids=list(PHRASES))
def test_a_phrase_is_found_across_lines_and_not_across_texts(
    ending: str, text: str, found: bool, tmp_path: Path
) -> None:
    path = tmp_path / f"file{ending}"
    path.write_text(text, encoding="utf-8")
    assert bool(problems_of(prose_of(path), "file", WordList((), (), (PHRASE,)))) is found


def test_a_problem_says_where_it_is_why_and_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("It is told.\n", encoding="utf-8")
    (problem,) = problems_in(tmp_path / "page.md", WORDS, tmp_path)
    assert str(problem) == 'page.md:1:7: "told": Programs don\'t tell. Write: report'


def test_an_exemption_is_for_its_path_and_its_words_alone(tmp_path: Path) -> None:
    for name in ("page.md", "other.md"):
        (tmp_path / name).write_text("It is told.\n", encoding="utf-8")
    whole = WordList((), (Exemption("page.md", "a reason"),), (TOLD,))
    words = WordList((), (Exemption("page.md", "a reason", "told"),), (TOLD,))
    different = WordList((), (Exemption("page.md", "a reason", "is told"),), (TOLD,))
    for allowed, found in ((whole, 0), (words, 0), (different, 1)):
        assert len(problems_in(tmp_path / "page.md", allowed, tmp_path)) == found
        assert len(problems_in(tmp_path / "other.md", allowed, tmp_path)) == 1


def test_every_exemption_has_a_reason_and_is_for_something_that_exists() -> None:
    for exemption in word_list().exemptions:
        assert exemption.reason.strip()
        assert list(files_of([exemption.path]))


def test_an_entry_without_a_part_is_refused() -> None:
    entry = msgspec.to_builtins(TOLD)
    del entry["write"]
    with pytest.raises(msgspec.ValidationError, match="write"):
        msgspec.convert(entry, Construction)


def test_every_pattern_of_what_make_lint_checks_names_a_file() -> None:
    checked = word_list().checked
    assert len(list(files_of(checked))) > len(checked)


def test_a_path_that_names_no_file_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs/no-such-page.md"]) == 2
    assert "no-such-page.md" in capsys.readouterr().err


def test_the_command_reports_and_fails() -> None:
    """The list itself holds every bad example."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.language", "tests/language/words.yaml"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1
    assert "tests/language/words.yaml:" in done.stdout
    assert '"mends"' in done.stdout
    assert "to rewrite" in done.stderr
