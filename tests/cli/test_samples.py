"""The answer on every sample tenant, as the installed command prints it; the whole report on those in the gallery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from auditor.snapshot.samples import sample_names
from tests.cli.program import Done, all_of, run, scrubbed
from tests.gallery.make import GALLERY, KEPT, PACKS, file_of
from tests.golden import check_section, sections

EXIT_CODES = {
    "managed-default": 1,
    "legacy-open": 0,
    "low-unclassified": 1,
    "low-classified": 0,
    "consent-off": 1,
    "consent-off-workflow": 1,
    "admin-consented": 0,
    "admin-consented-partly": 1,
    "app-disabled": 1,
    "assignment-required": 1,
    "custom-policy": 0,
    "classified-on-exchange-only": 1,
    "conditional-access": 0,
    "stopped-users": 0,
    "unreadable-policies": 1,
}
SEPARATOR = "\n\n"
GOLDEN = Path(__file__).parent / "golden/samples.txt"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Done]]:
    """The screen about each sample; the whole report under the sample's name and a ``+``."""
    check = partial(run, "check", "--pack", "trackerrms-uk", cwd=tmp_path_factory.mktemp("samples"))
    texts = {name: partial(check, "--sample", name, env={"NO_COLOR": "1"}) for name in EXIT_CODES}
    whole = {f"{name}+": partial(check, "--details", "--sample", name, env={"NO_COLOR": "1"}) for name in EXIT_CODES}
    with all_of({**texts, **whole}) as done:
        yield done


def test_every_sample_has_its_exit_code_here() -> None:
    assert tuple(EXIT_CODES) == sample_names()


@pytest.mark.parametrize("name", EXIT_CODES)
def test_the_answer_on_a_sample_is_as_it_was_read_and_approved(report: Callable[[str], Done], name: str) -> None:
    done = report(name)
    assert (done.code, done.err) == (EXIT_CODES[name], "")
    banner, _, page = done.out.partition(SEPARATOR)
    assert banner == "This is a sample. To read your own tenant: docs/app-registration.md"
    check_section(GOLDEN, name, scrubbed(page))


def test_the_details_end_with_the_same_lines_as_the_screen(report: Callable[[str], Done]) -> None:
    whole, screen = report("managed-default+").out, report("managed-default").out
    assert "Findings: the result of each rule" in whole
    assert whole.rpartition(SEPARATOR)[2] == screen.rpartition("to forward.\n")[2]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("name", KEPT)
def test_the_whole_report_on_a_sample_is_the_one_in_the_gallery(name: str, form: str, tmp_path: Path) -> None:
    words = [word for pack in PACKS for word in ("--pack", pack)]
    done = run("check", *words, "--sample", name, "-f", form, cwd=tmp_path, env={"NO_COLOR": "1"})
    shown = done.out
    if form == "text":  # between the banner of a sample and the verdict
        shown = f"{done.out.partition(SEPARATOR)[2].rpartition(SEPARATOR)[0]}\n"
    assert shown == (GALLERY / file_of(name, form)).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", EXIT_CODES)
def test_no_line_is_wider_than_the_page_but_what_is_to_be_copied(report: Callable[[str], Done], name: str) -> None:
    copied = (
        "https://",
        "http://",
        "az ",
        "Invoke-Mg",
        "Connect-Mg",
        "id=",
        "$id",
        "GET ",
        "POST ",
        "PATCH ",
        "DELETE ",
        '"',
        "{",
        "}",
        "[",
        "]",
    )
    pages = f"{report(name).out}{report(f'{name}+').out}"
    wide = [line for line in pages.splitlines() if len(line) > 80 and not line.lstrip().startswith(copied)]
    assert wide == []


def test_there_is_no_golden_answer_without_its_sample() -> None:
    assert sections(GOLDEN).keys() == EXIT_CODES.keys()


def test_the_same_sample_gives_the_same_bytes(tmp_path: Path) -> None:
    words = ("check", "--pack", "trackerrms-uk", "--sample", "managed-default", "-f", "json")
    assert run(*words, cwd=tmp_path).out == run(*words, cwd=tmp_path).out


def test_two_packs_about_one_app_are_distinguished_by_their_names(tmp_path: Path) -> None:
    packs = ("-p", "trackerrms-uk", "-p", "trackerrms-us")
    done = run("check", "--sample", "managed-default", *packs, "--details", cwd=tmp_path)
    headings = [line for line in done.out.splitlines() if "(5353a3d2-8ca9-42d2-b567-ea399ccb5e38)" in line]
    assert headings
    assert all(line.endswith((", pack trackerrms-uk", ", pack trackerrms-us")) for line in headings)


def test_one_pack_needs_no_name_beside_its_app(tmp_path: Path) -> None:
    done = run("check", "--sample", "managed-default", "-p", "trackerrms-uk", "--details", cwd=tmp_path)
    assert ", pack trackerrms-uk" not in done.out
