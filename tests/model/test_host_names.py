"""Addresses of hosts are parsed strictly, and no error quotes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.host_names import InvalidAddress, host_and_port, https_endpoint


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        pytest.param("https://graph.microsoft.com", "https://graph.microsoft.com", id="as it is"),
        pytest.param(" HTTPS://Graph.Microsoft.com/ ", "https://graph.microsoft.com", id="letter case, blanks, slash"),
        pytest.param("graph.example:8443", "https://graph.example:8443", id="without a scheme"),
        pytest.param("https://[::1]:8443", "https://[::1]:8443", id="IPv6"),
        pytest.param("[0:0::1]", "https://[::1]", id="IPv6 without a scheme"),
        pytest.param("https://127.0.0.1:00443", "https://127.0.0.1:443", id="zeros before the port"),
        pytest.param("https://münchen.example", "https://xn--mnchen-3ya.example", id="an international name"),
        pytest.param("https://10.0.0.1:8443", "https://10.0.0.1:8443", id="IPv4"),
        pytest.param("https://1a.example", "https://1a.example", id="a label that begins with a number"),
        pytest.param("https://my_gateway.example.", "https://my_gateway.example.", id="underscore, final dot"),
    ],
)
def test_an_endpoint_is_a_host(address: str, endpoint: str) -> None:
    assert https_endpoint(address) == endpoint


@pytest.mark.parametrize(
    ("address", "said"),
    [
        pytest.param("https://[::1", "IPv6 address without the closing bracket", id="open bracket"),
        pytest.param("https://[::1]x:1", "something between the host and the port", id="after the bracket"),
        pytest.param("https://[localhost]", "in brackets that is not an IPv6 address", id="a name in brackets"),
        pytest.param("https://[fe80::1%eth0]", "in brackets that is not an IPv6 address", id="a scope"),
        pytest.param("https://::1", "several colons", id="IPv6 without brackets"),
        pytest.param("https://graph.example:99999", "a port that is not a number from 1 to 65535", id="large port"),
        pytest.param("https://graph.example:0", "a port that is not", id="port 0"),
        pytest.param("https://graph.example:", "a port that is not", id="no port after the colon"),
        pytest.param("https://graph.example:-1", "a port that is not", id="negative port"),
        pytest.param("https://graph.example:٤٤٣", "a port that is not", id="digits that are not ASCII"),
        pytest.param("https://graph.example:1e3", "a port that is not", id="a number with an exponent"),
        pytest.param("https:/graph.example", "a port that is not", id="one slash"),
        pytest.param("https://", "has no host", id="no host"),
        pytest.param("https:///v1.0", "has no host", id="a path alone"),
        pytest.param("", "has no host", id="nothing"),
        pytest.param("http://graph.example", "does not use https, and tokens are sent over TLS only", id="http"),
        pytest.param("HTTP://localhost:8080", "does not use https, and tokens are sent", id="http to this machine"),
        pytest.param("ftp://graph.example", "does not use https", id="ftp"),
        pytest.param("https://someone:hunter2@graph.example", "a user name or a password", id="user information"),
        pytest.param("https://someone:hun/ter2@graph.example", "a user name or a password", id="user, slash"),
        pytest.param("http://someone:hunter2@graph.example", "a user name or a password", id="user, http"),
        pytest.param("https://graph.example/v1.0", "more than a host and a port", id="path"),
        pytest.param("https://graph.example?x=1", "more than a host and a port", id="query"),
        pytest.param("https://graph.example#x", "more than a host and a port", id="fragment"),
        pytest.param("https://graph.example\\x", "more than a host and a port", id="backslash"),
        pytest.param("https://graph .example", "a space or a control character", id="space"),
        pytest.param("https://graph.example\r\nX: 1", "a space or a control character", id="line break"),
        pytest.param("https://graph\u200b.example", "a space or a control character", id="space without width"),
        pytest.param("https://graph%2eexample", "a host with characters", id="percent-encoded"),
        pytest.param("https://graph..example", "a host with characters", id="empty label"),
        pytest.param("https://.example", "a host with characters", id="empty first label"),
        pytest.param("https://example..", "a host with characters", id="two final dots"),
        pytest.param("-a", "a host with characters", id="an option"),
        pytest.param("https://-graph.example", "a host with characters", id="leading dash"),
        pytest.param("https://graph-.example", "a host with characters", id="final dash"),
        pytest.param("https://_graph.example", "a host with characters", id="leading underscore"),
        pytest.param("https://graph.example_", "a host with characters", id="final underscore"),
        pytest.param("https://1.2.3.4.5", "ends in a number and is not an IPv4 address", id="five numbers"),
        pytest.param("https://1.2.3", "ends in a number and is not an IPv4 address", id="three numbers"),
        pytest.param("https://1.2.3.256", "ends in a number and is not an IPv4 address", id="a number above 255"),
        pytest.param("https://0x7f.1", "ends in a number and is not an IPv4 address", id="short form of an address"),
        pytest.param("https://graph.0x7f", "ends in a number and is not an IPv4 address", id="hexadecimal number"),
        pytest.param("https://" + "a" * 64 + ".example", "a host with characters or a length", id="long label"),
        pytest.param("https://" + "a." * 200 + "example", "a host with characters or a length", id="long name"),
        pytest.param("https://\udce9.example", "a host with characters", id="bytes that aren't text"),
    ],
)
def test_what_is_not_a_host_is_refused(address: str, said: str) -> None:
    with pytest.raises(InvalidAddress, match=said):
        https_endpoint(address)


MARK = "zq7"


@given(
    st.text(max_size=30),
    st.sampled_from(["https://{}", "{}", "https://{}@h", "https://h:{}", "[{}]:1", "https://[{}", "{}://h", "h/{}"]),
)
def test_any_text_is_a_host_or_refused_without_being_quoted(text: str, form: str) -> None:
    try:
        endpoint = https_endpoint(form.format(MARK + text))
    except InvalidAddress as error:
        assert MARK not in str(error)
    else:
        assert https_endpoint(endpoint) == endpoint and endpoint.isascii()
        assert host_and_port(endpoint.removeprefix("https://")) == endpoint.removeprefix("https://")
