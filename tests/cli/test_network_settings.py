"""Endpoints and proxies with mistakes end with one sentence, before anything is sent, and without passwords."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import run

PACK = ("--pack", "trackerrms-uk")
APP = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
CREDENTIAL = {"AZURE_TENANT_ID": "contoso.example", "AZURE_CLIENT_ID": APP, "AZURE_CLIENT_SECRET": "not-a-secret"}
NOWHERE = ("--graph-endpoint", "https://127.0.0.1:9", "--authority-host", "https://127.0.0.1:9", "--timeout", "5")

LIVE = [
    pytest.param(("check", *PACK), id="check"),
    pytest.param(("collect", *PACK, "-o", "t.json"), id="collect"),
    pytest.param(("doctor", *PACK), id="doctor"),
    pytest.param(("bundle", *PACK, "-o", "t.zip"), id="bundle"),
    pytest.param(("packs", "new", "--app", APP, "--from-grants", "-o", "p.yaml"), id="packs new"),
]


@pytest.mark.parametrize("arguments", LIVE)
@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        pytest.param(
            ("--graph-endpoint", "https://[::1"),
            "Invalid value for '--graph-endpoint': the address has an IPv6 address without the closing bracket.",
            id="Graph",
        ),
        pytest.param(
            ("--authority-host", "https://someone:hunter2@login.example:99999"),
            "Invalid value for '--authority-host': the address contains a user name or a password: give only the host.",
            id="sign-in",
        ),
    ],
)
def test_an_endpoint_with_a_mistake_is_a_usage_error(
    arguments: tuple[str, ...], endpoint: tuple[str, str], said: str, tmp_path: Path
) -> None:
    done = run(*arguments, *endpoint, cwd=tmp_path, env=CREDENTIAL)
    assert (done.code, done.out) == (2, "")
    assert said in done.err and "hunter2" not in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_sign_in_host_of_the_environment_with_a_mistake_is_named(tmp_path: Path) -> None:
    environ = {**CREDENTIAL, "AZURE_AUTHORITY_HOST": "https://someone:hunter2@login.example:99999"}
    done = run("check", *PACK, cwd=tmp_path, env=environ)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "Error: AZURE_AUTHORITY_HOST contains a user name or a password: give only the host\n"
        "What to do: An endpoint is https://HOST or https://HOST:PORT.\n"
    )


@pytest.mark.parametrize("arguments", LIVE)
def test_a_proxy_with_a_mistake_is_named_and_its_password_is_not(arguments: tuple[str, ...], tmp_path: Path) -> None:
    environ = {**CREDENTIAL, "HTTPS_PROXY": "someone:hun/ter#2?@proxy.example:eighty"}
    done = run(*arguments, *NOWHERE, cwd=tmp_path, env=environ)
    assert done.code == 3
    assert done.err == (
        "No audit was made: HTTPS_PROXY has a port that is not a number from 1 to 65535\n"
        "What to do: Set HTTPS_PROXY to http://HOST:PORT or http://NAME:PASSWORD@HOST:PORT, or unset it. Its value is"
        " not shown, because it can contain a password.\n"
    )


@pytest.mark.parametrize(
    "arguments", [pytest.param(("check", *PACK), id="check"), pytest.param(("doctor", *PACK), id="doctor")]
)
def test_the_password_of_a_proxy_that_does_not_answer_is_not_shown(arguments: tuple[str, ...], tmp_path: Path) -> None:
    environ = {**CREDENTIAL, "https_proxy": "someone:hun/t@er#2?@127.0.0.1:9"}
    done = run(*arguments, *NOWHERE, cwd=tmp_path, env=environ)
    assert done.code == 3
    assert "the proxy 127.0.0.1 (https_proxy)" in " ".join((done.out + done.err).split())
    assert not any(part in done.out + done.err for part in ("hun", "er#2", "someone"))
    assert "ClientSecretCredential" not in done.err, "a library printed its log"


def test_settings_of_the_network_do_not_matter_offline(tmp_path: Path) -> None:
    environ = {"HTTPS_PROXY": "socks5://[", "AZURE_AUTHORITY_HOST": "https://[::1"}
    assert run("check", "--sample", "managed-default", *PACK, cwd=tmp_path, env=environ).code == 1
