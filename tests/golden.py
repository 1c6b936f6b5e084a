"""Whole outputs of the program, compared byte for byte with files that a reviewer has approved.

After a change that is meant, write the files again and read the difference before you commit it:

    UPDATE_GOLDEN=1 .venv/bin/python -m pytest tests/checks tests/cli tests/consent tests/fixes tests/packs tests/render
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))


def check_golden(path: Path, made: str | bytes) -> None:
    """Fail unless `path` holds `made`, byte for byte."""
    data = made if isinstance(made, bytes) else made.encode()
    if UPDATE:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert path.exists(), f"{path} doesn't exist; see tests/golden.py"
    approved = path.read_bytes()
    if isinstance(made, str):
        assert made == approved.decode(), f"{path} differs; see tests/golden.py"
    assert data == approved, f"{path} differs; see tests/golden.py"


def check_section(path: Path, name: str, made: str) -> None:
    """Fail unless the section `name` of `path` holds `made`. One file holds many short outputs, each under its name."""
    if UPDATE:
        path.parent.mkdir(parents=True, exist_ok=True)
        there = {**(sections(path) if path.exists() else {}), name: made}
        path.write_text(
            "".join(f"=== {one} ===\n{there[one]}\n" for one in sorted(there)), encoding="utf-8", newline="\n"
        )
    assert made == sections(path).get(name), f"the section {name} of {path} differs; see tests/golden.py"


def sections(path: Path) -> Mapping[str, str]:
    """The sections of a file of short outputs."""
    _, *parts = re.split(r"^=== (.+) ===\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: text.removesuffix("\n") for name, text in zip(parts[::2], parts[1::2], strict=True)}
