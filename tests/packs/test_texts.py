"""The texts of packs in one folder: no two share a name, and each is still the pack that it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auditor.packs.load import file_source, load, shipped_source
from auditor.packs.pack_texts import PackText, in_one_folder, parent_named, texts_of

HEAD = 'format: consent-auditor/pack\nformat-version: 1\nversion: "1"\n'


def written(path: Path, name: str, extends: str, title: str = "T") -> PackText:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# a comment\n{HEAD}pack: {name}\ntitle: {title}\nextends: {extends}\n")
    return texts_of(file_source(path))


def in_folder(texts: list[PackText], folder: Path) -> list[str]:
    """The digests of the packs when their files are unpacked into one folder."""
    folder.mkdir()
    for text in texts:
        for file in text.files:
            (folder / file.name).write_bytes(file.text)
    return [load(file_source(folder / text.files[0].name)).digest for text in texts]


def test_packs_of_one_file_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    packs = [
        written(tmp_path / "a/rules.yaml", "one", "cisa-scuba"),
        written(tmp_path / "b/rules.yaml", "two", "eidsca"),
        written(tmp_path / "b/Rules.yml", "three", "eidsca"),
    ]
    laid = in_one_folder(packs)
    names = [file.name.lower() for text in laid for file in text.files if not file.shipped]
    assert len(set(names)) == 3
    assert [text.pack.name for text in laid] == ["one", "two", "three"]
    assert in_folder(laid, tmp_path / "out") == [text.pack.digest for text in laid]
    assert laid[0].pack.digest == packs[0].pack.digest


def test_a_parent_elsewhere_becomes_a_neighbour(tmp_path: Path) -> None:
    written(tmp_path / "parents/base.yaml", "base", "cisa-scuba")
    child = written(tmp_path / "mine/child.yaml", "child", "../parents/base.yaml")
    absolute = written(tmp_path / "mine/other.yaml", "other", str(tmp_path / "parents/base.yaml"))
    laid = in_one_folder([child, absolute])
    assert in_folder(laid, tmp_path / "out") == [text.pack.digest for text in laid]
    assert parent_named(laid[0].files[0].text) == "./base.yaml"
    assert laid[0].files[0].text.startswith(b"# a comment")


def test_an_edited_copy_of_a_shipped_pack_is_ones_own_and_a_true_copy_is_shipped(tmp_path: Path) -> None:
    edited = written(tmp_path / "trackerrms-uk.yaml", "ours", "trackerrms", "Rules of Contoso")
    assert not edited.is_shipped
    (laid,) = in_one_folder([edited])
    assert laid.files[0].name == "own-1.yaml"
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy/trackerrms-us.yaml").write_bytes(shipped_source("trackerrms-us").text)
    copy = texts_of(file_source(tmp_path / "copy/trackerrms-us.yaml"))
    assert copy.is_shipped
    assert in_one_folder([copy]) == [copy]


def test_a_file_that_no_system_likes_gets_another_name(tmp_path: Path) -> None:
    (laid,) = in_one_folder([written(tmp_path / "übel:1.yaml", "odd", "cisa-scuba")])
    assert laid.files[0].name == "own-1.yaml"


def test_rewritten_files_are_called_neutrally_and_places_name_them_alone(tmp_path: Path) -> None:
    written(tmp_path / "secret/base.yaml", "base", "cisa-scuba")
    child = written(tmp_path / "secret/child.yaml", "child", "./base.yaml")

    def rewrite(document: dict[str, Any], stem: str) -> dict[str, Any]:
        return {**document, "title": stem}

    (laid,) = in_one_folder([child], rewrite)
    assert [file.name for file in laid.files] == ["own-1.yaml", "own-2.yaml", "cisa-scuba.yaml"]
    assert laid.pack.title == "own-1"
    assert laid.pack.origin == "own-1.yaml"
    assert all(at.file.startswith("rules/") for at in laid.pack.places.values())
    assert b"comment" not in laid.files[0].text


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b"extends: [a]", b"a: &a 1"])
def test_a_text_that_extends_nothing_says_so(text: bytes) -> None:
    assert parent_named(text) == ""
