"""The whole report on every sample tenant, as the installed command prints it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from auditor.snapshot.samples import sample_names
from tests.cli.golden import check_golden, files_of
from tests.cli.program import Done, all_of, run, scrubbed

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
    "unreadable-policies": 1,
}
AS_JSON = ("managed-default", "custom-policy", "unreadable-policies")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Done]]:
    check = partial(run, "check", "--pack", "trackerrms-uk", cwd=tmp_path_factory.mktemp("samples"))
    texts = {name: partial(check, "--sample", name, env={"NO_COLOR": "1"}) for name in EXIT_CODES}
    jsons = {f"{name}.json": partial(check, "--sample", name, "-f", "json") for name in AS_JSON}
    with all_of({**texts, **jsons}) as done:
        yield done


def test_every_sample_has_its_exit_code_here() -> None:
    assert tuple(EXIT_CODES) == sample_names()


@pytest.mark.parametrize("name", EXIT_CODES)
def test_the_text_on_a_sample_is_as_it_was_read_and_approved(report: Callable[[str], Done], name: str) -> None:
    done = report(name)
    assert (done.code, done.err) == (EXIT_CODES[name], "")
    check_golden(f"samples/{name}.txt", scrubbed(done.out))


@pytest.mark.parametrize("name", AS_JSON)
def test_the_json_on_a_sample_is_as_it_was_read_and_approved(report: Callable[[str], Done], name: str) -> None:
    done = report(f"{name}.json")
    assert (done.code, done.err) == (EXIT_CODES[name], "")
    assert json.loads(done.out)["format"] == "consent-auditor/report"
    check_golden(f"samples/{name}.json", scrubbed(done.out))


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
    banner, _, page = report(name).out.partition("\n\n")
    assert "sample tenant" in banner.splitlines()[0]
    wide = [line for line in page.splitlines() if len(line) > 80 and not line.lstrip().startswith(copied)]
    assert wide == []


def test_there_is_no_golden_report_without_its_sample() -> None:
    assert files_of("samples") == {f"{name}.txt" for name in EXIT_CODES} | {f"{name}.json" for name in AS_JSON}


def test_the_same_sample_gives_the_same_bytes(report: Callable[[str], Done], tmp_path: Path) -> None:
    again = run("check", "--pack", "trackerrms-uk", "--sample", "managed-default", "-f", "json", cwd=tmp_path)
    assert again.out == report("managed-default.json").out


def test_two_packs_about_one_app_are_told_apart_by_their_names(tmp_path: Path) -> None:
    done = run("check", "--sample", "managed-default", "-p", "trackerrms-uk", "-p", "trackerrms-us", cwd=tmp_path)
    headings = [line for line in done.out.splitlines() if "(5353a3d2-8ca9-42d2-b567-ea399ccb5e38)" in line]
    assert headings
    assert all(line.endswith((", pack trackerrms-uk", ", pack trackerrms-us")) for line in headings)


def test_one_pack_needs_no_name_beside_its_app(tmp_path: Path) -> None:
    done = run("check", "--sample", "managed-default", "-p", "trackerrms-uk", cwd=tmp_path)
    assert ", pack trackerrms-uk" not in done.out
