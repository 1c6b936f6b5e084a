"""The names that people give to packs lead to packs, or to a message that helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.jobs.pack_selection import reads_whole_directory
from auditor.packs import PackError
from auditor.packs.load import find, is_path, list_packs, load_packs
from tests.packs.text import HEAD, RULES, SOUND


def message(*names: str) -> str:
    with pytest.raises(PackError) as caught:
        load_packs(names)
    return str(caught.value)


@pytest.mark.parametrize(
    "name", ["./mine", "rules/mine.yaml", "mine.yml", "mine.YAML", r"C:\packs\mine", r"..\mine", "."]
)
def test_a_path_is_known_by_its_look(name: str) -> None:
    assert is_path(name)


@pytest.mark.parametrize("name", ["trackerrms-uk", "mine", "yaml"])
def test_a_name_is_no_path(name: str) -> None:
    assert not is_path(name)


def test_a_shipped_pack_goes_by_its_name() -> None:
    (source,) = find("trackerrms-uk")
    assert source.label.endswith("rules/trackerrms-uk.yaml")
    assert [pack.name for pack in load_packs(["trackerrms-uk", "trackerrms-us", "trackerrms-uk"])] == [
        "trackerrms-uk",
        "trackerrms-us",
    ]


def test_an_unknown_name_gets_the_nearest_and_the_list() -> None:
    there = (
        "(the shipped packs are cis-m365, cisa-scuba, eidsca, grants-hygiene, microsoft-recommended, trackerrms-uk,"
        " trackerrms-us, zero-trust-assessment)"
    )
    assert message("trackerms-uk") == (
        f'there is no shipped pack "trackerms-uk" {there}; did you mean "trackerrms-uk"?'
    )


def test_several_names_that_are_equally_near_are_all_offered() -> None:
    assert message("trackerrms-ux").endswith('; did you mean "trackerrms-uk" or "trackerrms-us"?')


def test_the_start_of_several_names_gets_all_of_them() -> None:
    assert message("tracker").endswith('; did you mean "trackerrms-uk" or "trackerrms-us"?')
    assert message("Cisa").endswith('; did you mean "cisa-scuba"?')


def test_a_folder_named_without_a_slash_is_pointed_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ours").mkdir()
    monkeypatch.chdir(tmp_path)
    assert 'write "./ours"' in message("ours")


def test_a_folder_means_the_packs_in_it(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(SOUND.replace("mine", "b"))
    (tmp_path / "a.yml").write_text(SOUND.replace("mine", "a"))
    (tmp_path / "base.yaml").write_text(HEAD + "abstract: true\n" + RULES)
    (tmp_path / ".hidden.yaml").write_text("no pack")
    (tmp_path / "notes.txt").write_text("no pack")
    assert [pack.name for pack in load_packs([str(tmp_path)])] == ["a", "b"]


def test_an_empty_folder_holds_no_pack(tmp_path: Path) -> None:
    assert message(f"{tmp_path}/") == f"{tmp_path}: this folder contains no pack; expected files named *.yaml"


def test_a_windows_path_is_understood_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "mine.yaml").write_text(SOUND)
    monkeypatch.chdir(tmp_path)
    assert [pack.name for pack in load_packs([r"ours\mine.yaml"])] == ["mine"]


def test_a_file_that_is_not_there_says_so() -> None:
    assert message("./nowhere.yaml") == "nowhere.yaml: can't be read: No such file or directory"
    assert "can't be read" in message("./" + "x" * 5000 + ".yaml")


def test_an_abstract_pack_has_no_tenant_to_judge() -> None:
    assert "is abstract: it only exists for others to extend (trackerrms-uk, trackerrms-us)" in message("trackerrms")


def test_the_problems_of_all_packs_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SOUND.replace("low", "lo"))
    (tmp_path / "b.yaml").write_text(SOUND.replace("why", "wyh"))
    problems = message(str(tmp_path), "nothing-like-it")
    assert [line.rpartition("/")[2].partition(":")[0] for line in problems.splitlines()[:2]] == ["a.yaml", "b.yaml"]
    assert "nothing-like-it" in problems


def test_a_file_of_a_folder_that_cannot_be_read_does_not_hide_the_mistakes_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").mkdir()
    (tmp_path / "b.yaml").write_text(SOUND.replace("why", "wyh"))
    problems = message(str(tmp_path)).splitlines()
    assert "a.yaml: can't be read: " in problems[0]
    assert 'unknown key "wyh" in a rule; did you mean "why"?' in problems[1]


def test_two_packs_of_one_name_are_distinguished(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SOUND)
    (tmp_path / "b.yaml").write_text(SOUND.replace("low", "high"))
    assert 'the pack "mine" is different from the pack of that name in' in message(str(tmp_path))
    assert len(load_packs([str(tmp_path / "a.yaml"), f"{tmp_path}/./a.yaml"])) == 1


def test_the_list_leaves_out_what_only_serves_others() -> None:
    packs = list_packs()
    assert [pack.name for pack in packs] == ["trackerrms-uk", "trackerrms-us"]
    assert all(pack.app and pack.app.name == "TrackerRMS" and pack.rules == 11 for pack in packs)
    assert not any(map(reads_whole_directory, load_packs([pack.name for pack in packs])))
    assert {"vendor-app", "trackerrms"} <= {pack.name for pack in list_packs(abstract=True)}


def test_what_a_command_means_without_a_pack_never_grows_with_the_tenant() -> None:
    everything = list_packs(benchmarks=True)
    assert {pack.name for pack in load_packs([one.name for one in everything]) if reads_whole_directory(pack)} == {
        "grants-hygiene"
    }
    assert {pack.name for pack in everything if pack.app is None} == {
        *("cis-m365", "cisa-scuba", "eidsca", "grants-hygiene", "microsoft-recommended", "zero-trust-assessment"),
    }
