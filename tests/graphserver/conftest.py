"""The example tenant, served, for the tests of the server itself."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.graphserver import GraphServer
from tests.graphserver.example import DOCUMENT, connected


@pytest.fixture
def server() -> Iterator[GraphServer]:
    with GraphServer(DOCUMENT) as running:
        yield running
    assert running.refused_writes == []


@pytest.fixture
def client(server: GraphServer) -> Iterator[httpx.Client]:
    with connected(server) as one:
        yield one
