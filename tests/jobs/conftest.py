"""What the tests of bundles share."""

from __future__ import annotations

import pytest

PDF = b"%PDF-1.7 of a test"


@pytest.fixture
def short_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PDF takes two seconds; tests/cli/test_bundle.py makes one."""
    monkeypatch.setattr("auditor.render.pdf.render", lambda _: PDF)
