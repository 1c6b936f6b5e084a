"""What all tests of this package share."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The SDK's generated builders warn of their own deprecated classes, once, when they are imported."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning"))
