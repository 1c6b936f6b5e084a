"""Messages quote files, and files come from anybody: nothing in them reaches the terminal as a command."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.cli.program import run, without_pdf

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


SAMPLE = ("check", "--sample", "managed-default")
LIVE = ("check", *PACK, "--timeout", "60")
PIPES = [
    pytest.param(("check", "--snapshot", "pipe", *PACK), "", 2, id="snapshot"),
    pytest.param((*SAMPLE, "--pack", "./pipe"), "", 2, id="pack"),
    pytest.param((*SAMPLE, *PACK, "--waivers", "pipe"), "", 2, id="waivers"),
    pytest.param((*SAMPLE, *PACK, "-f", "html", "--trend", "pipe"), "", 2, id="earlier report"),
    pytest.param((*SAMPLE, *PACK, "--redact", "--redact-key", "pipe"), "", 2, id="redaction key"),
    pytest.param(("collect", "--from", "pipe", "-o", "out.json"), "", 2, id="file of another tool"),
    pytest.param(("redact", "pipe"), "", 2, id="snapshot to redact"),
    pytest.param(("bundle", "verify", "pipe"), "", 2, id="bundle"),
    pytest.param(LIVE, "AZURE_CLIENT_CERTIFICATE_PATH", 3, id="certificate"),
    pytest.param(LIVE, "AZURE_FEDERATED_TOKEN_FILE", 3, id="token file"),
    pytest.param(LIVE, "SSL_CERT_FILE", 3, id="trusted certificates"),
]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize(("arguments", "variable", "code"), PIPES)
def test_a_pipe_that_nothing_writes_to_is_one_sentence_and_not_waited_for(
    arguments: tuple[str, ...], variable: str, code: int, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    credential = {"AZURE_TENANT_ID": "contoso.example", "AZURE_CLIENT_ID": "client"}
    secret = {"AZURE_CLIENT_SECRET": "not-a-secret"} if variable == "SSL_CERT_FILE" else {}
    environ = {**credential, **secret, variable: "pipe"} if variable else {}
    done = run(*arguments, cwd=tmp_path, env=environ)
    assert done.code == code, done
    assert "pipe" in done.err and len(done.err.strip().splitlines()) <= 2
    if variable:
        assert f"{variable} names pipe, which" in done.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((*SAMPLE, *PACK, "-f", "json", "-o", "/dev/full"), id="report"),
        pytest.param((*SAMPLE, *PACK, "-f", "csv", "-o", "/dev/full"), id="report in rows"),
        pytest.param(("bundle", *SAMPLE[1:], *PACK, "-o", "/dev/full"), id="bundle"),
        pytest.param(("collect", "--from", "t.json", "-o", "/dev/full"), id="snapshot"),
    ],
)
def test_a_full_disk_names_the_file(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(json.dumps(sound()), encoding="utf-8")
    done = run(*arguments, cwd=tmp_path, env=without_pdf(tmp_path))
    assert done.code == 2
    assert "Error: /dev/full: " in done.err and "No space left on device" in done.err


def assert_harmless(said: str) -> None:
    bad = [char for char in said if not (char.isprintable() or char == "\n")]
    assert not bad, f"{bad!r} in {said!r}"
