"""Whole outputs of the program, compared to the letter.

After a change that is meant, write them anew and read the difference before committing it:

    UPDATE_GOLDEN=1 .venv/bin/python -m pytest tests/cli
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def check_golden(name: str, text: str) -> None:
    """`text` must be what the file of this name holds."""
    path = FOLDER / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path} differs; see tests/cli/golden.py"


def files_of(kind: str) -> set[str]:
    """The names of the golden files in one folder."""
    return {path.name for path in (FOLDER / kind).iterdir()}
