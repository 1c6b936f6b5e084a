"""The PDF: the printed page, the same bytes each time, made without a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import auditor
from auditor.render import FormatUnavailable
from auditor.render.pdf import NothingIsFetched, _refuse, render
from tests.render.reports import hostile, needs_admin

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made() -> bytes:
    return render(needs_admin())


def tool(name: str, *arguments: str, pdf: bytes, at: Path) -> str:
    path = at / "report.pdf"
    path.write_bytes(pdf)
    return subprocess.run(
        [name, *arguments, path, *["-"] * (name == "pdftotext")], capture_output=True, text=True, check=True
    ).stdout


def test_the_pdf_tells_the_verdict_and_what_is_closed_on_a_screen(made: bytes, tmp_path: Path) -> None:
    text = " ".join(tool("pdftotext", "-layout", pdf=made, at=tmp_path).split())
    decision = needs_admin().decisions[0]
    assert "NEEDS ADMIN" in text
    assert "Ordinary user" in text
    for one in needs_admin().findings:
        assert one.fingerprint in text
    assert decision.fixes[0].title in text
    assert "Copy" not in text.split()
    assert "Expand all" not in text


def test_charts_on_paper_have_their_numbers_and_the_table_of_them(made: bytes, tmp_path: Path) -> None:
    text = tool("pdftotext", "-layout", pdf=made, at=tmp_path)
    numbers = text.partition("Scopes by verdict")[2]
    assert re.search(r"Required +3 +6 +9\n", numbers), "on the bar, and its sum"
    assert re.search(r"Scopes +blocked +allowed\s+Required +3 +6\n", numbers), "and in the table"


def test_no_text_for_screen_readers_gets_between_what_is_seen_on_the_first_page(made: bytes, tmp_path: Path) -> None:
    assert "How this answer was reached" not in tool("pdftotext", "-l", "1", pdf=made, at=tmp_path)


def test_the_same_report_gives_the_same_bytes_in_any_process(made: bytes) -> None:
    again = (
        "import sys; from auditor.render.pdf import render; from tests.render.reports import needs_admin;"
        "sys.stdout.buffer.write(render(needs_admin()))"
    )
    # Sets have another order there: no seed of hashes is that of this process.
    environment = os.environ | {"PYTHONHASHSEED": "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"}
    run = subprocess.run([sys.executable, "-c", again], capture_output=True, check=True, env=environment, cwd=ROOT)
    assert run.stdout == made


def test_the_pdf_says_what_it_is_and_when_it_was_read(made: bytes, tmp_path: Path) -> None:
    printed = tool("pdfinfo", pdf=made, at=tmp_path)
    facts = {name: value.strip() for name, _, value in (line.partition(":") for line in printed.splitlines())}
    assert facts["Title"] == "Can users of Contoso Ltd connect TrackerRMS?"
    assert facts["Tagged"] == "yes"
    assert facts["JavaScript"] == "no"
    assert "Nov 22" in facts["CreationDate"]
    assert "pdfuaid:part" in tool("pdfinfo", "-meta", pdf=made, at=tmp_path)


def test_names_that_mean_harm_make_a_pdf_too(tmp_path: Path) -> None:
    assert r"\x1b[2J" in tool("pdftotext", pdf=render(hostile()), at=tmp_path)


def test_nothing_is_fetched() -> None:
    with pytest.raises(NothingIsFetched):
        _refuse("https://example.com/a.png")


def test_where_weasyprint_is_missing_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    how = "isn't installed: run 'pipx inject consent-auditor weasyprint' .*'pip install weasyprint'"
    with pytest.raises(FormatUnavailable, match=how):
        render(needs_admin())


def test_where_pango_is_missing_the_message_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "weasyprint.py").write_text("raise OSError(\"cannot load library 'libpango-1.0-0': no such file\")")
    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(FormatUnavailable, match=r"cannot load library 'libpango-1.0-0'.*apt install libpango-1.0-0"):
        render(needs_admin())


def test_no_label_stays_behind_at_the_end_of_a_page(tmp_path: Path) -> None:
    report = auditor.check(auditor.sample("managed-default"), auditor.load_packs(["trackerrms-uk", "cisa-scuba"]))
    pages = tool("pdftotext", "-layout", pdf=render(report), at=tmp_path).split("\f")
    last = [[line.strip() for line in page.splitlines() if line.strip()][-2:-1] for page in pages]
    labels = {
        "Why it matters",
        "Note",
        "How to fix it",
        "Role",
        "Portal",
        "Verify",
        "Undo",
        "References",
        "Opens",
        "What to expect",
    }
    assert len(pages) > 5
    assert not labels & {line for lines in last for line in lines}
