"""The files of the samples: which there are, what they may say, and how fast they load."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from auditor.snapshot import SnapshotError, samples
from auditor.snapshot.samples import about, sample, sample_names


def test_there_are_fifteen_and_each_file_is_one_of_them_or_below_one() -> None:
    folder = Path(samples.__file__).with_name("samples")
    assert {file.stem for file in folder.iterdir()} == {*sample_names(), "base", "connected"}
    assert len(sample_names()) == len(set(sample_names())) == 15


@pytest.mark.parametrize("name", sample_names())
def test_a_sample_says_what_it_is_in_one_line(name: str) -> None:
    assert 20 < len(about(name)) < 130
    assert "\n" not in about(name)


def test_the_error_for_an_unknown_sample_lists_the_samples() -> None:
    with pytest.raises(SnapshotError) as caught:
        sample("manged-default")
    assert str(caught.value) == (
        "manged-default: there is no such sample\n"
        f"Did you mean managed-default? The samples are: {', '.join(sample_names())}."
    )
    with pytest.raises(SnapshotError, match="there is no such sample\nThe samples are: "):
        about("base")


def test_a_sample_loads_in_less_than_ten_milliseconds() -> None:
    def once() -> float:
        start = time.process_time()  # of this process alone: other load on the machine does not count
        sample("admin-consented")
        return time.process_time() - start

    assert min(once() for _ in range(5)) < 0.010


def test_an_overlay_says_nothing_that_would_be_passed_over() -> None:
    folder = Path(samples.__file__).with_name("samples")
    for name in sample_names():
        overlay = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        assert overlay.keys() <= {"about", "on", "tenant", "set", "put", "covers", "unread", "provenance"}
