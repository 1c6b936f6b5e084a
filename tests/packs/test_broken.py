"""Every mistake is reported with its place and a suggestion, all of them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.packs import MOST, PackError
from auditor.packs.load import LARGEST, Source, file_source, load
from auditor.snapshot.samples import sample_names
from tests.golden import check_golden
from tests.packs.text import HEAD, SOUND, loaded

BROKEN = Path(__file__).with_name("broken")
NAMES = sorted(path.stem for path in BROKEN.glob("*.yaml"))


@pytest.fixture(autouse=True)
def _beside_the_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BROKEN)


def problems_of(source: Source) -> str:
    with pytest.raises(PackError) as caught:
        load(source, samples=sample_names())
    return str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_every_problem_of_a_broken_pack_is_reported(name: str) -> None:
    check_golden(BROKEN / f"{name}.txt", problems_of(file_source(Path(f"{name}.yaml"))) + "\n")


def test_every_broken_pack_has_its_message_beside_it() -> None:
    assert len(NAMES) > 40
    assert sorted(path.stem for path in BROKEN.glob("*.txt")) == NAMES


def test_a_place_can_be_clicked_and_a_near_match_is_offered() -> None:
    reported = problems_of(Source("rules/mine.yaml", SOUND.replace("severity", "severty").encode()))
    assert reported == 'rules/mine.yaml:13:5: unknown key "severty" in a rule; did you mean "severity"?'


def test_an_oversized_file_is_not_parsed() -> None:
    reported = problems_of(Source("big.yaml", SOUND.encode() + b"#" * LARGEST))
    assert reported == "big.yaml: the file is larger than 256 KiB, the most that is read"


def test_a_hopeless_file_is_given_up_after_a_hundred_problems() -> None:
    text = HEAD + "\n".join(f"key-{n}: 1" for n in range(10_000))
    with pytest.raises(PackError) as caught:
        loaded(text)
    assert len(caught.value.problems) == MOST + 1
    assert "more than 100 problems" in str(caught.value)


def test_nesting_cannot_exhaust_the_stack() -> None:
    assert "nested more than 32 levels" in problems_of(Source("deep.yaml", b"[" * 100_000))
    assert "nested more than 32 levels" in problems_of(Source("deep.yaml", b"- " * 100_000))


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret.yaml").touch()

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PackError, match=r"secret\.yaml: can't be read: Permission denied"):
        file_source(tmp_path / "secret.yaml")


def test_a_pack_may_not_extend_more_than_eight_in_a_row(tmp_path: Path) -> None:
    for n in range(10):
        (tmp_path / f"p{n}.yaml").write_text(HEAD.replace("mine", f"p{n}") + f"extends: ./p{n + 1}.yaml\n")
    assert "more than 8 packs that extend each other" in problems_of(file_source(tmp_path / "p0.yaml"))


def test_a_shipped_pack_cannot_extend_a_file() -> None:
    text = HEAD + "extends: ./circle-a.yaml\n"
    assert "expected the name of a shipped pack" in problems_of(Source("rules/mine.yaml", text.encode()))
