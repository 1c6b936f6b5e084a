"""The subject of a decision about nobody in particular: one constant, which every reader compares with."""

from __future__ import annotations

from pathlib import Path

import auditor
from auditor.consent.subject import ORDINARY_MEMBER
from auditor.model.decision import ORDINARY_SUBJECT


def test_the_ordinary_member_of_a_decision_is_the_subject_that_readers_compare_with() -> None:
    assert ORDINARY_MEMBER.label == ORDINARY_SUBJECT


def test_the_subject_is_written_in_one_module() -> None:
    root = Path(auditor.__file__).parent
    modules = sorted(root.rglob("*.py"))
    assert modules
    written = [one.relative_to(root).as_posix() for one in modules if f'"{ORDINARY_SUBJECT}"' in one.read_text("utf-8")]
    assert written == ["model/decision.py"]
