"""A history in each of the databases, and reports of sample tenants to keep in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.history import History, open_history
from tests.history.nights import Night, night


@pytest.fixture(params=[pytest.param("sqlite", id="SQLite"), pytest.param("postgresql", id="PostgreSQL")])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a history can be kept, in each of the databases."""
    if request.param == "sqlite":
        return str(tmp_path / "state" / "history.db")
    address: str = request.getfixturevalue("postgresql")
    return address


@pytest.fixture
def history(place: str) -> Iterator[History]:
    with open_history(place) as opened:
        yield opened


@pytest.fixture(scope="session")
def default_night() -> Night:
    return night("managed-default")


@pytest.fixture(scope="session")
def consented_night() -> Night:
    return night("admin-consented")
