"""The way out of this machine: which certificates are trusted and which proxy is used, from the environment.

The token side speaks through requests and the Graph side through httpx, which read different variables;
here the variables are read once, and both sides are told.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

import msgspec

from auditor.graph.graph_errors import NetworkSettingsError

TRUST_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR")
"""The first one that is set counts: what httpx reads, what requests reads, what curl reads."""

OVER = "the time for this run is over"


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """Trust and proxies. `trust` is a file or folder of certificates; none means the certifi bundle."""

    trust: str = ""
    proxies: Mapping[str, str] = msgspec.field(default_factory=dict)

    def proxy_for(self, url: str) -> str:
        """The proxy that leads to `url`, or nothing where one goes there directly."""
        parts = urlsplit(url)
        if proxy_bypass_environment(parts.netloc, dict(self.proxies)):
            return ""
        return self.proxies.get(parts.scheme) or self.proxies.get("all", "")

    def ssl_context(self) -> ssl.SSLContext:
        """A context that verifies hosts against `trust` and speaks HTTP/1.1."""
        import certifi

        folder = bool(self.trust) and Path(self.trust).is_dir()
        try:
            context = ssl.create_default_context(
                cafile=None if folder else (self.trust or certifi.where()),
                capath=self.trust if folder else None,
            )
        except (ssl.SSLError, OSError):
            raise NetworkSettingsError(
                f"{self.trust} holds no certificates that can be read",
                advice="It must be a PEM file of CA certificates (-----BEGIN CERTIFICATE-----).",
            ) from None
        context.set_alpn_protocols(["http/1.1"])
        return context


def read_network(environ: Mapping[str, str]) -> Network:
    """The settings in `environ`; a certificate file that is not there is an error, not a surprise later."""
    trust = ""
    for name in TRUST_VARIABLES:
        if trust := environ.get(name, ""):
            if not Path(trust).exists():
                raise NetworkSettingsError(
                    f"{name} names {trust}, which does not exist",
                    advice=f"Correct {name}, or unset it to trust the public certificate authorities.",
                )
            break
    proxies = {}
    for scheme in ("http", "https", "all", "no"):
        # Lower case wins, as it does for curl, requests and httpx.
        if value := environ.get(f"{scheme}_proxy") or environ.get(f"{scheme}_proxy".upper()):
            proxies[scheme] = value if scheme == "no" or "://" in value else f"http://{value}"
    return Network(trust=trust, proxies=proxies)


_WORDS = (
    ("CERTIFICATE_VERIFY_FAILED", "its certificate is not trusted"),
    ("Name or service not known", "no such host is known here"),
    ("nodename nor servname", "no such host is known here"),
    ("getaddrinfo failed", "no such host is known here"),
    ("Temporary failure in name resolution", "the name could not be looked up"),
    ("Failed to resolve", "no such host is known here"),
    ("Tunnel connection failed", "the proxy refused"),
    ("Unable to connect to proxy", "the proxy cannot be reached"),
    ("ProxyError", "the proxy refused"),
    ("Connection refused", "the connection was refused"),
    ("All connection attempts failed", "the connection was refused"),
    (OVER, OVER),
    ("timed out", "it took too long"),
    ("Timeout", "it took too long"),
    ("without sending complete message body", "the answer was cut off in the middle"),
    ("IncompleteRead", "the answer was cut off in the middle"),
    ("ReadError", "the connection broke"),
    ("RemoteProtocolError", "the connection broke"),
    ("Server disconnected", "the connection broke"),
    ("Connection aborted", "the connection broke"),
    ("Connection reset", "the connection broke"),
)
"""What the libraries say, and the same for people; the first that fits decides."""


def in_words(problem: str, otherwise: str = "") -> str:
    """The problem that a library names in its own way, in few words; `otherwise`, or its own, for an unknown one."""
    lowered = problem.lower()
    return next((words for mark, words in _WORDS if mark.lower() in lowered), otherwise or problem[:200])


def host_of(url: str) -> str:
    """The host, and the port where it is not the usual one."""
    return urlsplit(url).netloc.rpartition("@")[2] or url


def advice_for(problem: str, network: Network, url: str) -> str:
    """What to try when `url` could not be reached and the library said `problem`."""
    parts = urlsplit(url)
    host = parts.hostname or url
    proxy = network.proxy_for(url)
    words = in_words(problem)
    if "certificate" in words or "ssl" in problem.lower():
        return (
            f"The certificate shown for {host} is not trusted. If your network inspects TLS, put its CA "
            "certificate into a PEM file and name that file in SSL_CERT_FILE (or REQUESTS_CA_BUNDLE)."
        )
    if proxy:
        shown = urlsplit(proxy).hostname or "the proxy"
        return f"Requests to {host} go through the proxy {shown} (HTTPS_PROXY). Is it right, and allowed to?"
    if words == OVER:
        return "Try again; if the network is slow, allow more seconds with --timeout."
    if "cut off" in words or "broke" in words:
        return "Try again. If it stays so, something on the way breaks connections: a firewall, a TLS inspector?"
    if "no such host" in words:
        return f"Is {host} spelled right? If this machine must use a proxy, set HTTPS_PROXY (and NO_PROXY)."
    port = parts.port or 443
    return f"Can this machine reach {host} on port {port}? If it must use a proxy, set HTTPS_PROXY (and NO_PROXY)."


NOT_MICROSOFT = (
    "Something between this machine and Microsoft answers instead: a proxy, a portal, a TLS inspector? "
    "Name the proxy to use in HTTPS_PROXY, or have its owner let these hosts through."
)
"""What to do about it."""


def titled(page: str) -> str:
    """The title of a web page as the end of a sentence about it; nothing for a page without one."""
    title = re.search(r"<title[^>]*>(.{1,300}?)</title>", page[:20_000], re.IGNORECASE | re.DOTALL)
    if title is None:
        return ""
    words = " ".join(title[1].split())
    return f" titled “{words[:60]}”"
