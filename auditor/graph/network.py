"""The way out of this machine: which certificates are trusted and which proxy is used, from the environment.

The token side speaks through requests and the Graph side through httpx, which read different variables;
here the variables are read once, and both sides are told.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

import msgspec

from auditor.graph.errors import NetworkSettingsError

TRUST_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR")
"""The first one that is set counts: what httpx reads, what requests reads, what curl reads."""


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


def advice_for(problem: str, network: Network, url: str) -> str:
    """What to try when `url` could not be reached and the library said `problem`."""
    host = urlsplit(url).hostname or url
    proxy = network.proxy_for(url)
    lowered = problem.lower()
    if "certificate" in lowered or "ssl" in lowered:
        return (
            f"The certificate shown for {host} is not trusted. If your network inspects TLS, put its CA "
            "certificate into a PEM file and name that file in SSL_CERT_FILE (or REQUESTS_CA_BUNDLE)."
        )
    if proxy:
        shown = urlsplit(proxy).hostname or "the proxy"
        return f"Requests to {host} go through the proxy {shown} (HTTPS_PROXY). Is it right, and allowed to?"
    return f"Can this machine reach {host} on port 443? If it must use a proxy, set HTTPS_PROXY (and NO_PROXY)."
