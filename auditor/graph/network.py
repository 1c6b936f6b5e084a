"""Network settings from the environment (trusted certificates, proxies), and why a connection failed.

Tokens are fetched with requests and Graph is read with httpx, which read different variables. So the variables are
read here, once, and the result is passed to both.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # undocumented, so mypy has no type for it

import msgspec

from auditor.graph.graph_errors import (
    REPORT_IT,
    ConnectionFailed,
    GraphError,
    LibraryFailed,
    NetworkSettingsError,
    Unreachable,
    UntrustedCertificate,
    class_name,
)
from auditor.model.host_names import InvalidAddress, host_and_port
from auditor.model.unread_messages import LIBRARY_FAILED, NO_ANSWER, NoAnswerCause

TRUST_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR")
"""The first variable that is set is used: those of httpx, requests and curl."""


class NetworkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`trust` is a file or folder of certificates (empty: the certifi bundle); `proxies` are by scheme, or ``no``.

    Proxies are kept as they were set, with their passwords, so they are never printed. `variables` are the names of the
    environment variables that set them.
    """

    trust: str = ""
    proxies: Mapping[str, str] = msgspec.field(default_factory=dict)
    variables: Mapping[str, str] = msgspec.field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<NetworkSettings of {', '.join(self.variables.values()) or 'no proxy'}>"

    def proxy_for(self, url: str) -> str:
        """The proxy for `url`, or nothing if the connection is direct. Raises NetworkSettingsError.

        The URL is one that all libraries read in the same way, whatever characters the password has.
        """
        parts = urlsplit(url)
        if proxy_bypass_environment(parts.netloc, dict(self.proxies)):
            return ""
        value = self.proxies.get(self._scheme_for(parts.scheme), "")
        return _proxy_url(value, self.variable_for(parts.scheme)) if value else ""

    def variable_for(self, scheme: str) -> str:
        """The environment variable with the proxy for URLs of this scheme, in the spelling in which it's set."""
        key = self._scheme_for(scheme)
        return self.variables.get(key, f"{key.upper()}_PROXY")

    def _scheme_for(self, scheme: str) -> str:
        return scheme if self.proxies.get(scheme) else "all"

    def require_proxies(self, *urls: str) -> None:
        """Raise NetworkSettingsError if the proxy for one of these URLs can't be used."""
        for url in urls:
            self.proxy_for(url)

    def without_passwords(self, text: str) -> str:
        """A message of a library or of another program without what it quotes of the proxies."""
        for scheme, value in self.proxies.items():
            if scheme != "no":
                for secret in _secrets_in(value):
                    text = text.replace(secret, "…")
        return text

    def ssl_context(self) -> ssl.SSLContext:
        """A context that verifies hosts with `trust` and offers HTTP/1.1 only."""
        import certifi

        folder = bool(self.trust) and Path(self.trust).is_dir()
        try:
            context = ssl.create_default_context(
                cafile=None if folder else (self.trust or certifi.where()),
                capath=self.trust if folder else None,
            )
        except (ssl.SSLError, OSError):
            raise NetworkSettingsError(
                f"{self.trust} contains no readable certificates",
                advice="It must be a PEM file of CA certificates (-----BEGIN CERTIFICATE-----).",
            ) from None
        context.set_alpn_protocols(["http/1.1"])
        return context


def read_network(environ: Mapping[str, str]) -> NetworkSettings:
    """The settings in `environ`. Raises `NetworkSettingsError` for a certificate file that does not exist.

    A proxy with a mistake is an error only where it is used.
    """
    trust = ""
    for name in TRUST_VARIABLES:
        if trust := environ.get(name, ""):
            if problem := _why_not_trust(Path(trust)):
                raise NetworkSettingsError(
                    f"{name} names {trust}, which {problem}",
                    advice=f"Correct {name}, or unset it to trust the public certificate authorities.",
                )
            break
    proxies, variables = {}, {}
    for scheme in ("http", "https", "all", "no"):
        # Lower case wins, as it does for curl, requests and httpx.
        for variable in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
            if value := environ.get(variable, "").strip():
                proxies[scheme], variables[scheme] = value, variable
                break
    return NetworkSettings(trust=trust, proxies=proxies, variables=variables)


def _why_not_trust(path: Path) -> str:
    """Why certificates can't be read from there, as the end of a sentence; both libraries read them."""
    try:
        if path.is_file() or path.is_dir():
            return ""
        return "is neither a file nor a folder" if path.exists() else "does not exist"
    except (OSError, ValueError):
        return "cannot be read"


_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_WRONG_SLASHES = re.compile(r"(?:https?|socks\w*):(?!//(?![/\\]))", re.IGNORECASE)
"""The beginning of a URL of which programs take the scheme for a user name, and show it with the password."""
_HOW_TO_SET = (
    "Set {variable} to http://HOST:PORT or http://NAME:PASSWORD@HOST:PORT, or unset it. Its value is not shown, because"
    " it can contain a password."
)


def _parts_of(value: str) -> tuple[str, str, str]:
    """The scheme, the name with the password, and the host of a proxy. A password may contain ``@`` and ``/``."""
    found = _SCHEME.match(value)
    scheme, rest = (found[1].lower(), value[found.end() :]) if found else ("http", value)
    user, _, host = rest.rpartition("@")
    return scheme, user, re.split(r"[/?#]", host, maxsplit=1)[0]


def _proxy_url(value: str, variable: str) -> str:
    """The proxy as a URL with a percent-encoded password. Raises NetworkSettingsError, which quotes nothing of it."""
    scheme, user, host = _parts_of(value)
    if _WRONG_SLASHES.match(value):
        why = "has another number of slashes than two after its scheme"
        raise NetworkSettingsError(f"{variable} {why}", advice=_HOW_TO_SET.format(variable=variable))
    if scheme.startswith("socks"):
        raise NetworkSettingsError(
            f"{variable} names a SOCKS proxy, which this program does not support",
            advice=f"Set {variable} to an http:// or https:// proxy, or unset it.",
        )
    try:
        if scheme not in ("http", "https"):
            raise InvalidAddress("names a proxy that is neither http:// nor https://")
        address = host_and_port(host)
        name, colon, password = user.partition(":")
        if not f"{unquote(name)}{unquote(password)}".isascii():
            raise InvalidAddress("has a user name or a password with characters outside ASCII")
    except InvalidAddress as error:
        raise NetworkSettingsError(f"{variable} {error}", advice=_HOW_TO_SET.format(variable=variable)) from None
    sign_in = f"{quote(unquote(name), safe='')}:{quote(unquote(password), safe='')}@" if name or colon else ""
    return f"{scheme}://{sign_in}{address}"


def _secrets_in(value: str) -> list[str]:
    """What must not be shown of a proxy, in the ways in which programs write it, the longest first."""
    _, user, _ = _parts_of(value)
    password = user.partition(":")[2]
    found = {value, user, password, unquote(password), quote(unquote(password), safe="")} if user else set()
    return sorted((secret for secret in found if len(secret) > 2), key=len, reverse=True)


_CAUSES = (
    ("CERTIFICATE_VERIFY_FAILED", NoAnswerCause.UNTRUSTED),
    ("Name or service not known", NoAnswerCause.UNKNOWN_HOST),
    ("nodename nor servname", NoAnswerCause.UNKNOWN_HOST),
    ("getaddrinfo failed", NoAnswerCause.UNKNOWN_HOST),
    ("Temporary failure in name resolution", NoAnswerCause.NOT_LOOKED_UP),
    ("Failed to resolve", NoAnswerCause.UNKNOWN_HOST),
    ("Tunnel connection failed", NoAnswerCause.PROXY_REFUSED),
    ("Unable to connect to proxy", NoAnswerCause.PROXY_UNREACHABLE),
    ("ProxyError", NoAnswerCause.PROXY_REFUSED),
    ("Connection refused", NoAnswerCause.REFUSED),
    ("All connection attempts failed", NoAnswerCause.REFUSED),
    ("Connect call failed", NoAnswerCause.REFUSED),
    (NoAnswerCause.OUT_OF_TIME, NoAnswerCause.OUT_OF_TIME),
    ("timed out", NoAnswerCause.TOO_SLOW),
    ("Timeout", NoAnswerCause.TOO_SLOW),
    ("without sending complete message body", NoAnswerCause.CUT_OFF),
    ("IncompleteRead", NoAnswerCause.CUT_OFF),
    ("ReadError", NoAnswerCause.BROKEN),
    ("RemoteProtocolError", NoAnswerCause.BROKEN),
    ("Server disconnected", NoAnswerCause.BROKEN),
    ("Connection aborted", NoAnswerCause.BROKEN),
    ("Connection reset", NoAnswerCause.BROKEN),
)
"""Texts in the messages of the libraries, and the cause that each means; the first match is used."""


def cause_of(problem: str, otherwise: str = "") -> str:
    """The `NoAnswerCause` of a library's error message; `otherwise`, or the message, if it is unknown."""
    lowered = problem.lower()
    return next((cause for text, cause in _CAUSES if text.lower() in lowered), otherwise or problem[:200])


def host_of(url: str) -> str:
    """The host of a URL, with the port if the URL has one."""
    return urlsplit(url).netloc.rpartition("@")[2] or url


def advice_for(problem: str, network: NetworkSettings, url: str) -> str:
    """What to try after no connection to `url` was possible because of `problem`, the library's message."""
    parts = urlsplit(url)
    host = parts.hostname or url
    proxy = network.proxy_for(url)
    cause = cause_of(problem)
    if cause == NoAnswerCause.UNTRUSTED or "ssl" in problem.lower():
        return (
            f"The certificate shown for {host} is not trusted. If your network inspects TLS, put its CA "
            "certificate into a PEM file and name that file in SSL_CERT_FILE (or REQUESTS_CA_BUNDLE)."
        )
    if proxy:
        shown = urlsplit(proxy).hostname or "the proxy"
        return (
            f"Requests to {host} go through the proxy {shown} ({network.variable_for(parts.scheme)})."
            " Is it the right one, and may you use it?"
        )
    if cause == NoAnswerCause.OUT_OF_TIME:
        return (
            "Try again; if the network is slow, allow more seconds with --timeout, or with timeout: in a configuration."
        )
    if cause in (NoAnswerCause.CUT_OFF, NoAnswerCause.BROKEN):
        return "Try again. If the problem persists, a firewall or a TLS inspector may break connections."
    if cause == NoAnswerCause.UNKNOWN_HOST:
        return f"Is {host} spelled right? If this machine must use a proxy, set HTTPS_PROXY (and NO_PROXY)."
    port = parts.port or 443
    return f"Can this machine reach {host} on port {port}? If it must use a proxy, set HTTPS_PROXY (and NO_PROXY)."


def read_failure(error: Exception, network: NetworkSettings, url: str, *, is_over: bool = False) -> GraphError:
    """What to say about an exception of a library on the way to `url`. `is_over`: the run's time has passed.

    A failure of the connection is `Unreachable`, and may be temporary. Any other exception is `LibraryFailed`, named
    by its class only, because its message can quote the request, and with it the token.
    """
    import httpx

    if isinstance(error, TimeoutError):
        cause = NoAnswerCause.OUT_OF_TIME if is_over else NoAnswerCause.TOO_SLOW
        return Unreachable(NO_ANSWER.format(host=host_of(url), cause=cause), advice=advice_for(cause, network, url))
    if isinstance(error, OSError | httpx.RequestError) and not isinstance(error, httpx.LocalProtocolError):
        # What a proxy says is its own text, from which nobody would know that it was the proxy.
        whose = "ProxyError: " if isinstance(error, httpx.ProxyError) else ""
        said = whose + network.without_passwords(text_of(error))
        kind: type[Unreachable] = Unreachable
        if "CERTIFICATE_VERIFY_FAILED" in said:
            kind = UntrustedCertificate
        elif isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
            kind = ConnectionFailed
        return kind(NO_ANSWER.format(host=host_of(url), cause=cause_of(said)), advice=advice_for(said, network, url))
    return LibraryFailed(
        LIBRARY_FAILED.format(host=host_of(url), error=class_name(error)),
        advice=REPORT_IT,
    )


def text_of(error: Exception) -> str:
    """The message of an exception, in one line and without tokens; its class if it has none that can be read."""
    try:
        said = " ".join(str(getattr(error, "message", None) or error).split())
    except Exception:  # noqa: BLE001 -- the method of a library's class that makes the message can fail, too
        said = ""
    return _TOKENS.sub("[token]", said) or class_name(error)


_TOKENS = re.compile(r"eyJ[\w.-]+|(?i:bearer)\s+\S+")
"""Access tokens, which are JSON in base64, and what follows the word in a header."""


NOT_MICROSOFT = (
    "Something between this machine and Microsoft answers instead: a proxy, a sign-in page, a TLS inspector? "
    "Set HTTPS_PROXY to the proxy to use, or ask its owner to allow these hosts."
)
"""Advice for an answer that does not come from Microsoft."""


def title_suffix(page: str) -> str:
    """`` titled “…”`` for a web page, to end a sentence about it; empty for a page without a title."""
    title = re.search(r"<title[^>]*>(.{1,300}?)</title>", page[:20_000], re.IGNORECASE | re.DOTALL)
    if title is None:
        return ""
    words = " ".join(title[1].split())
    return f" titled “{words[:60]}”"
