"""The page of a comparison in a real browser, from the disk: accessible, without script, on phones and in the dark."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.compare import compare
from auditor.render.difference import as_html
from tests.browser.conftest import LOOKS, Opener
from tests.browser.test_access import axe
from tests.compare.states import SECOND, judged, tenant


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every kind of change but a few, from a tenant that was opened and closed again."""
    after = tenant("low-unclassified", SECOND, adminConsentRequestPolicy={"isEnabled": True}, directorySettings=None)
    file = tmp_path_factory.mktemp("difference") / "changes.html"
    file.write_bytes(as_html(compare(judged(tenant("admin-consented")), judged(after))))
    return file


@pytest.mark.parametrize("look", ["usual", "phone", "dark"])
def test_the_page_is_accessible_loads_nothing_and_does_not_scroll_sideways(
    visited: Opener, page_file: Path, look: str
) -> None:
    visit = visited(page_file, **LOOKS[look])
    visit.page.wait_for_load_state("networkidle")
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert len(visit.asked) == 1
    assert visit.complaints == []
    assert axe(visit.page) == []


def test_the_page_is_whole_without_script(visited: Opener, page_file: Path) -> None:
    page = visited(page_file, script=False, **LOOKS["usual"]).page
    assert page.locator("h1").inner_text() == "What changed in Contoso Talent"
    assert "Users can no longer connect TrackerRMS" in page.locator("#decision").inner_text()
    for link in page.locator("nav a").all():
        assert page.locator(str(link.get_attribute("href"))).count() == 1
