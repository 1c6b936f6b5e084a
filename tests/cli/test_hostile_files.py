"""Messages quote files, and files come from anybody: nothing in them reaches the terminal as a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.cli.program import run

EVIL = "\x1b[2J\x1b]0;x\x07\u202e\u2028evil\r\x9b31m"
PACK = ("--pack", "trackerrms-uk")


def sound() -> dict[str, object]:
    document: dict[str, object] = json.loads(dumps(sample("managed-default")))
    return document


def with_section(name: str) -> dict[str, object]:
    document = sound()
    return {**document, "sections": {"servicePrincipal" + name: [], "signIns": [{"id": {name: 1}}]}}


FILES = [
    pytest.param("t.json", json.dumps({"error": {"code": EVIL, "message": EVIL}}), id="an error of Graph"),
    pytest.param("t.json", json.dumps({"format": EVIL, "sections": {}}), id="format"),
    pytest.param("t.json", json.dumps({**sound(), "version": EVIL}), id="version"),
    pytest.param("t.json", json.dumps({**sound(), "taken": EVIL}), id="time"),
    pytest.param("t.json", json.dumps({**sound(), "unread": {"signIns" + EVIL: "x"}}), id="unread section"),
    pytest.param("t.json", json.dumps(with_section(EVIL[:3])), id="section"),
    pytest.param("t.json", json.dumps({"value": [{EVIL: EVIL}], "@odata.context": EVIL}), id="an answer of Graph"),
    pytest.param("t.json", '{"format": ' + EVIL, id="text that isn't JSON"),
]


@pytest.mark.parametrize(("name", "text"), FILES)
def test_no_message_about_a_hostile_file_controls_the_terminal(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    done = run("check", "--snapshot", name, *PACK, cwd=tmp_path)
    assert done.code in (1, 2), done
    assert_harmless(done.out + done.err)


def test_no_name_of_a_file_or_option_controls_the_terminal(tmp_path: Path) -> None:
    for arguments in (
        ("check", "--snapshot", EVIL, *PACK),
        ("check", "--pack", EVIL, "--sample", "managed-default"),
        ("check", "--sample", EVIL, *PACK),
        ("check", "--sample", "managed-default", *PACK, "-o", f"{EVIL}.{EVIL}"),
        (EVIL,),
    ):
        done = run(*arguments, cwd=tmp_path)
        assert done.code == 2, done
        assert_harmless(done.out + done.err)


def test_no_name_of_a_tenant_controls_the_terminal(tmp_path: Path) -> None:
    document = {**sound(), "tenant": {"id": "72f38f0a-0000-0000-0000-000000000000", "name": EVIL}}
    (tmp_path / "t.json").write_text(json.dumps(document), encoding="utf-8")
    done = run("collect", "--from", "t.json", "-o", "again.json", cwd=tmp_path)
    assert done.code == 0 and "\\x1b[2J" in done.err
    assert_harmless(done.out + done.err)


def assert_harmless(said: str) -> None:
    bad = [char for char in said if not (char.isprintable() or char == "\n")]
    assert not bad, f"{bad!r} in {said!r}"
