"""Errors between this program and Microsoft, each with advice.

No message contains a token, a secret, a certificate's content or a response's body.
"""

from __future__ import annotations

from auditor.model.errors import NO_AUDIT, USAGE, AuditorError


class GraphError(AuditorError):
    """The audit cannot continue; `advice` says what to try."""

    exit_code = NO_AUDIT
    heading = "No audit was made"


class CredentialError(GraphError):
    """There is no access token; `code` is the AADSTS code, if Entra ID returned one."""

    def __init__(self, message: str, *, advice: str = "", code: str = "") -> None:
        super().__init__(message, advice=advice)
        self.code = code


class NetworkSettingsError(GraphError):
    """A proxy or a certificate file named in the environment cannot be used."""


class EndpointError(GraphError):
    """An endpoint that an option or the environment names is not the address of a host."""

    exit_code = USAGE
    heading = "Error"


class WriteRefused(GraphError):
    """A request that is not a read. It was not sent."""


class ForeignHost(GraphError):
    """A request to a host other than the tenant's Graph. It was not sent."""


class EndlessPages(GraphError):
    """The next links of a list lead back to a page that was already read."""


class Unreachable(GraphError):
    """No complete answer: the connection failed, broke or timed out."""


class ConnectionFailed(Unreachable):
    """No connection: nothing listens there, or the host name or the proxy is wrong."""


class UntrustedCertificate(Unreachable):
    """The server's certificate is not trusted; a retry would not help."""


class NotJson(GraphError):
    """An answer that does not come from Graph: a proxy's page, or a body that is not JSON."""


class BrokenJson(NotJson):
    """An answer with the content type JSON that cannot be decoded, probably cut off on the way."""


class TokenRefused(GraphError):
    """Graph answered 401 to a token that was just fetched."""
