"""A name in a report means one pack: nobody's own pack goes by that of a shipped one, or of the program itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.model.rule import App
from auditor.packs import PackError
from auditor.packs.load import file_source, load, load_packs, shipped_names, shipped_source
from auditor.packs.new_pack import name_for
from auditor.packs.parse import RESERVED, is_reserved
from tests.packs.text import SOUND, loaded


@pytest.mark.parametrize("name", shipped_names())
def test_a_copy_to_the_letter_is_the_shipped_pack(tmp_path: Path, name: str) -> None:
    copy = tmp_path / "copy.yaml"
    copy.write_bytes(shipped_source(name).text)
    assert load(file_source(copy)).name == name


def test_another_text_of_that_name_is_refused_wherever_it_lies(tmp_path: Path) -> None:
    changed = tmp_path / "cisa-scuba.yaml"
    changed.write_bytes(shipped_source("cisa-scuba").text + b"# ours\n")
    with pytest.raises(PackError, match=r'"cisa-scuba" is the name of a shipped pack'):
        load_packs([str(changed)])
    with pytest.raises(PackError, match="expected another name"):
        loaded(SOUND.replace("pack: mine", "pack: eidsca"))


def test_what_another_version_bundled_can_be_judged_where_that_is_asked_for(tmp_path: Path) -> None:
    changed = tmp_path / "cisa-scuba.yaml"
    changed.write_bytes(shipped_source("cisa-scuba").text + b"# of another version\n")
    (pack,) = load_packs([str(changed)], any_name=True)
    assert pack.name == "cisa-scuba"


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_name_under_which_the_program_reports_is_refused(name: str) -> None:
    with pytest.raises(PackError, match="the program uses this name for its own findings"):
        loaded(SOUND.replace("pack: mine", f"pack: {name}"))


@pytest.mark.parametrize("name", ["TrackerRMS UK", "Vendor App", "waivers"])
def test_the_name_made_for_an_app_is_never_a_taken_one(name: str) -> None:
    assert not is_reserved(name_for(App(client_id="5353a3d2-8ca9-42d2-b567-ea399ccb5e38", name=name)))
