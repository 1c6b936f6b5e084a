"""The way out: certificates and proxies, the same for the token and for Graph."""

from __future__ import annotations

from pathlib import Path

import pytest
from azure.core.exceptions import ClientAuthenticationError

from auditor.graph.graph_errors import CredentialError, NetworkSettingsError, Unreachable
from auditor.graph.network import NetworkSettings, advice_for, read_network
from auditor.graph.sign_in_errors import credential_error
from auditor.graph.transport import GetRequest, GraphClient
from tests.graph.live_tenants import PREFLIGHT, read, tenant, where, with_client
from tests.graph.proxy import TunnelProxy
from tests.graphserver import GraphServer

TRUST = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR")


def without_trust(server: GraphServer) -> dict[str, str]:
    return {name: value for name, value in server.env().items() if name not in TRUST}


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_either_librarys_variable_is_enough_for_both_paths(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in TRUST:
        monkeypatch.delenv(name, raising=False)
    with GraphServer(tenant()) as server:
        environ = {**without_trust(server), variable: str(server.ca_file)}
        assert read(server, PREFLIGHT, environ=environ).unread == {}


def test_an_untrusted_certificate_of_the_authority_is_named_as_the_cause() -> None:
    with GraphServer(tenant()) as server:
        with pytest.raises(CredentialError, match="its certificate is not trusted") as caught:
            read(server, PREFLIGHT, environ=without_trust(server))
        assert "SSL_CERT_FILE" in caught.value.advice and "localhost" in caught.value.advice
        assert str(server.client.secret) not in str(caught.value)


def test_an_untrusted_certificate_of_graph_is_named_as_the_cause_without_a_retry() -> None:
    with GraphServer(tenant()) as server:

        async def use(client: GraphClient) -> None:
            await client.get("v1.0", GetRequest(url="/organization"))

        # 127.0.0.1 is in no certificate of the name localhost's connection: a name that does not fit.
        with pytest.raises(Unreachable) as caught:
            with_client(server, use, at=where(server, graph=server.graph.replace("localhost", "localhost.localdomain")))
    assert "localhost.localdomain" in str(caught.value) and caught.value.advice


def test_a_certificate_file_that_is_missing_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(NetworkSettingsError, match=r"REQUESTS_CA_BUNDLE names .*gone\.pem, which does not exist"):
        read_network({"REQUESTS_CA_BUNDLE": str(tmp_path / "gone.pem")})


def test_a_certificate_file_that_holds_none_is_a_clear_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("not a certificate")
    with pytest.raises(NetworkSettingsError, match="no readable certificates"):
        read_network({"SSL_CERT_FILE": str(broken)}).ssl_context()


def test_a_folder_of_certificates_is_taken(tmp_path: Path) -> None:
    assert read_network({"SSL_CERT_DIR": str(tmp_path)}).ssl_context().verify_mode


def test_both_paths_go_through_the_proxy_and_past_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with GraphServer(tenant()) as server, TunnelProxy() as proxy:
        assert read(server, PREFLIGHT, environ={**server.env(), "HTTPS_PROXY": proxy.url}).unread == {}
        ports = {server.graph.rpartition(":")[2], server.authority.rpartition(":")[2]}
        assert {asked.rpartition(":")[2] for asked in proxy.asked} == ports
        proxy.asked.clear()
        # What this process's own environment says must not count when another was given.
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        environ = {**server.env(), "https_proxy": proxy.url, "NO_PROXY": "localhost"}
        assert read(server, PREFLIGHT, environ=environ).unread == {}
        assert proxy.asked == []


def test_a_proxy_that_refuses_is_named() -> None:
    with GraphServer(tenant()) as server, TunnelProxy(refuse="403 Forbidden") as proxy:
        with pytest.raises(CredentialError, match="the proxy refused") as caught:
            read(server, PREFLIGHT, environ={**server.env(), "HTTPS_PROXY": proxy.url})
        assert "127.0.0.1 (HTTPS_PROXY)" in caught.value.advice


def test_a_proxys_password_is_not_shown() -> None:
    network = NetworkSettings(proxies={"https": "http://someone:hunter2@proxy.example:8080"})
    advice = advice_for("ConnectError", network, "https://graph.microsoft.com")
    assert "proxy.example" in advice and "hunter2" not in advice and "someone" not in advice


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        pytest.param({"HTTPS_PROXY": "p:1", "ALL_PROXY": "q:1"}, "HTTPS_PROXY", id="of the scheme"),
        pytest.param({"https_proxy": "p:1", "HTTPS_PROXY": "q:1"}, "https_proxy", id="lower case wins"),
        pytest.param({"ALL_PROXY": "p:1"}, "ALL_PROXY", id="of all schemes"),
        pytest.param({"all_proxy": "p:1", "HTTP_PROXY": "q:1"}, "all_proxy", id="of all schemes in lower case"),
    ],
)
def test_the_variable_that_sets_the_proxy_is_named_as_it_is_set(environ: dict[str, str], named: str) -> None:
    advice = advice_for("Connection refused", read_network(environ), "https://graph.microsoft.com")
    assert f"the proxy p ({named})." in advice


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        pytest.param({}, "", id="none"),
        pytest.param({"HTTPS_PROXY": "http://p:1"}, "http://p:1", id="HTTPS_PROXY"),
        pytest.param({"HTTPS_PROXY": "p:1"}, "http://p:1", id="without a scheme"),
        pytest.param(
            {"HTTPS_PROXY": "http://upper:1", "https_proxy": "http://lower:1"}, "http://lower:1", id="lower case wins"
        ),
        pytest.param({"ALL_PROXY": "http://all:1"}, "http://all:1", id="ALL_PROXY"),
        pytest.param({"HTTP_PROXY": "http://p:1"}, "", id="HTTP_PROXY is for http"),
        pytest.param({"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".microsoft.com"}, "", id="NO_PROXY of a domain"),
        pytest.param({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, "", id="NO_PROXY of everything"),
        pytest.param(
            {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "microsoft.org, example.com"},
            "http://p:1",
            id="NO_PROXY of others",
        ),
    ],
)
def test_the_proxy_for_graph(environ: dict[str, str], proxy: str) -> None:
    assert read_network(environ).proxy_for("https://graph.microsoft.com") == proxy


HARD = "p/a#s?s@w:o r%d%21"
"""A password with every character that separates the parts of a URL, and one that is encoded."""


def test_a_password_with_any_character_reaches_the_proxy_from_both_libraries() -> None:
    with GraphServer(tenant()) as server, TunnelProxy() as proxy:
        environ = {**server.env(), "HTTPS_PROXY": f"http://some%40one:{HARD}@127.0.0.1:{proxy.port}"}
        assert read(server, PREFLIGHT, environ=environ).unread == {}
        assert {asked.rpartition(":")[2] for asked in proxy.asked} == {
            address.rpartition(":")[2] for address in (server.graph, server.authority)
        }
    assert proxy.signed_in == {"some@one:p/a#s?s@w:o r%d!"}


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(f"http://someone:{HARD}@proxy.example:99999", "has a port that is not a number", id="large port"),
        pytest.param(f"someone:{HARD}@proxy.example:0", "has a port that is not a number", id="port 0, no scheme"),
        pytest.param(f"http://someone:{HARD}@proxy.example:eighty", "has a port that is not", id="port in words"),
        pytest.param(f"http://someone:{HARD}", "contains a space", id="forgotten host"),
        pytest.param(f"http://someone:{HARD}@", "has no host", id="empty host"),
        pytest.param(f"http://someone:{HARD}@[::1", "without the closing bracket", id="open bracket"),
        pytest.param(f"http://someone:{HARD}@[fe80::1%25eth0]:1", "not an IPv6 address", id="scope of an address"),
        pytest.param(f"http://someone:{HARD}@a b:8080", "contains a space", id="space in the host"),
        pytest.param(f"http://someone:{HARD}@pro|xy:8080", "characters or a length", id="odd host"),
        pytest.param(f"http://someone:{HARD}\u0142@proxy:8080", "characters outside ASCII", id="not ASCII"),
        pytest.param(
            f"http://someone:{HARD}\udce9@proxy:8080", "characters outside ASCII", id="bytes that aren't text"
        ),
        pytest.param(f"socks5h://someone:{HARD}@proxy:1080", "a SOCKS proxy, which this program does not", id="SOCKS"),
        pytest.param(f"http:/someone:{HARD}@proxy:8080", "another number of slashes than two", id="one slash"),
        pytest.param(f"http:someone:{HARD}@proxy:8080", "another number of slashes than two", id="no slash"),
        pytest.param(f"http:///someone:{HARD}@proxy", "another number of slashes than two", id="three slashes"),
        pytest.param(f"HTTPS:\\\\someone:{HARD}@proxy", "another number of slashes than two", id="backslashes"),
        pytest.param(f"http://someone:{HARD}@-proxy", "characters or a length", id="a leading dash"),
        pytest.param(f"http://someone:{HARD}@1.2.3.4.5", "is not an IPv4 address", id="five numbers"),
        pytest.param(f"ftp://someone:{HARD}@proxy:21", "neither http:// nor https://", id="another scheme"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_without_its_value(variable: str, value: str, said: str) -> None:
    network = read_network({variable: value})
    with pytest.raises(NetworkSettingsError, match=said) as caught:
        network.proxy_for("https://graph.microsoft.com")
    shown = f"{caught.value.explanation} {network!r} {caught.value!r}"
    assert variable in shown and f"Set {variable} to" in shown
    assert not any(part in shown for part in (HARD, "a#s", "s@w", "someone"))


def test_a_proxy_with_a_mistake_that_is_not_used_is_no_error() -> None:
    environ = {
        "ALL_PROXY": "socks5://s:1",
        "HTTPS_PROXY": "http://p:1",
        "HTTP_PROXY": "http://[",
        "NO_PROXY": "x.example",
    }
    assert read_network(environ).proxy_for("https://graph.microsoft.com") == "http://p:1"
    assert read_network({"HTTPS_PROXY": "http://[", "NO_PROXY": "*"}).proxy_for("https://graph.microsoft.com") == ""


def test_a_proxy_that_cannot_be_used_stops_before_anything_is_sent() -> None:
    with GraphServer(tenant()) as server:
        environ = {**server.env(), "ALL_PROXY": "socks5://someone:hunter2@127.0.0.1:9"}
        with pytest.raises(NetworkSettingsError, match="ALL_PROXY names a SOCKS proxy"):
            read(server, PREFLIGHT, environ=environ)
        assert server.requests == []


@pytest.mark.parametrize("password", [pytest.param(HARD, id="every character"), pytest.param("hunter2", id="plain")])
@pytest.mark.parametrize(
    "quoted",
    [
        pytest.param("{value}", id="the variable"),
        pytest.param("Failed to parse: {url}", id="the URL that libraries get"),
        pytest.param("Cannot connect to someone:{password}", id="name and password"),
    ],
)
def test_a_message_that_quotes_the_proxy_is_shown_without_it(password: str, quoted: str) -> None:
    value = f"http://someone:{password}@proxy.example:8080"
    network = read_network({"HTTPS_PROXY": value})
    url = network.proxy_for("https://graph.microsoft.com")
    said = quoted.format(value=value, url=url, password=password)
    error = credential_error(ClientAuthenticationError(said), "https://login.microsoftonline.com", network)
    assert password not in error.explanation and url.partition("@")[0].rpartition(":")[2] not in error.explanation


def test_an_authority_that_cannot_be_reached_names_the_host() -> None:
    with GraphServer(tenant()) as server:
        environ = server.env()
    with pytest.raises(CredentialError, match="no answer from localhost") as caught:
        read(server, PREFLIGHT, environ=environ)
    assert "HTTPS_PROXY" in caught.value.advice
