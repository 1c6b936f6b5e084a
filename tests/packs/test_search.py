"""Custom packs are found by name in the files and folders of a search path."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.packs import PackError
from auditor.packs.load import entries, own_files, own_packs, place_of
from tests.packs.text import SOUND


def written(folder: Path, file: str, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / file
    path.write_text(SOUND.replace("pack: mine", f"pack: {name}"), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "separator", "found"),
    [
        pytest.param("cisa-scuba,eidsca", ":", ("cisa-scuba", "eidsca"), id="commas"),
        pytest.param("cisa-scuba eidsca", ":", ("cisa-scuba", "eidsca"), id="spaces"),
        pytest.param(
            "a.yaml:/srv/our packs:eidsca",
            ":",
            ("a.yaml", "/srv/our packs", "eidsca"),
            id="colons, a path with a space",
        ),
        pytest.param(
            r"C:\our packs;D:\more\x.yaml;eidsca",
            ";",
            (r"C:\our packs", r"D:\more\x.yaml", "eidsca"),
            id="semicolons of Windows",
        ),
        pytest.param(r"C:\packs,eidsca", ":", (r"C:\packs", "eidsca"), id="a drive letter's colon isn't a separator"),
        pytest.param('"C:\\our packs";eidsca', ";", (r"C:\our packs", "eidsca"), id="quotes"),
        pytest.param("eidsca,,eidsca, ", ":", ("eidsca",), id="twice and empty"),
        pytest.param("", ":", (), id="nothing"),
    ],
)
def test_a_search_path_may_be_written_as_people_write_it(text: str, separator: str, found: tuple[str, ...]) -> None:
    assert entries(text, separator) == found


def test_a_pack_goes_by_the_name_in_its_text_and_not_by_its_file(tmp_path: Path) -> None:
    path = written(tmp_path / "ours", "x.yaml", "our-rules")
    (tmp_path / "ours" / "waivers.yaml").write_text("format: other\n", encoding="utf-8")
    places = (str(tmp_path / "ours"), "eidsca")
    assert [pack.name for pack in own_packs(places)] == ["our-rules"]
    assert place_of("our-rules", places) == str(path)


def test_what_may_be_a_broken_pack_is_not_forgotten(tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    written(ours, "a.yaml", "our-rules")
    (ours / "syntax.yaml").write_text("format: consent-auditor/pack: 1\n", encoding="utf-8")
    (ours / "without.yaml").write_text("pack: x\nrules: []\n", encoding="utf-8")
    (ours / "nearly.yaml").write_text("format: consent-auditor/pak\npack: x\n", encoding="utf-8")
    (ours / "waivers.yaml").write_text("format: consent-auditor/waivers\n", encoding="utf-8")
    (ours / "folder.yaml").mkdir()
    found = {Path(own.source.label).name: own.name for own in own_files([str(ours)])}
    assert found == {"a.yaml": "our-rules", "folder.yaml": "", "nearly.yaml": "", "syntax.yaml": "", "without.yaml": ""}


def test_a_shipped_name_always_means_the_shipped_pack(tmp_path: Path) -> None:
    written(tmp_path / "ours", "x.yaml", "cisa-scuba")
    assert place_of("cisa-scuba", (str(tmp_path / "ours"),)) == "cisa-scuba"


def test_two_packs_of_one_name_are_not_guessed_between(tmp_path: Path) -> None:
    first = written(tmp_path / "a", "x.yaml", "ours")
    second = written(tmp_path / "b", "x.yaml", "ours")
    with pytest.raises(PackError) as caught:
        place_of("ours", (str(tmp_path / "a"), str(tmp_path / "b")))
    assert str(first) in str(caught.value)
    assert str(second) in str(caught.value)


def test_a_misspelled_name_of_a_custom_pack_is_reported_with_the_right_one(tmp_path: Path) -> None:
    written(tmp_path / "a", "x.yaml", "our-rules")
    with pytest.raises(PackError, match='did you mean "our-rules"'):
        place_of("our-rule", (str(tmp_path / "a"),))
