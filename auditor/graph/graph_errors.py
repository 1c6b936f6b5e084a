"""What can go wrong between this program and Microsoft, each with what to do next.

No message holds a token, a secret, a certificate's content or a response's body.
"""

from __future__ import annotations

from auditor.model.errors import NO_AUDIT, AuditorError


class GraphError(AuditorError):
    """The audit cannot go on here; `advice` says what to try."""

    exit_code = NO_AUDIT
    heading = "No audit was made"


class CredentialError(GraphError):
    """No access token could be had; `code` is the AADSTS code, where Entra ID gave one."""

    def __init__(self, message: str, *, advice: str = "", code: str = "") -> None:
        super().__init__(message, advice=advice)
        self.code = code


class NetworkSettingsError(GraphError):
    """A proxy or a certificate file named in the environment cannot be used."""


class WriteRefused(GraphError):
    """Something other than a read was about to be sent. It was not sent."""


class ForeignHost(GraphError):
    """A request was about to go to a host that is not the tenant's Graph. It was not sent."""


class EndlessPages(GraphError):
    """A list's next links lead back to a page that was read already."""


class Unreachable(GraphError):
    """No whole answer came: the connection failed, or broke, or took too long."""


class Unconnected(Unreachable):
    """There is no way to the other side: nobody listens there, or the name or the proxy leads nowhere."""


class Untrusted(Unreachable):
    """The other side showed a certificate that nobody here vouches for; trying again would not help."""


class NotJson(GraphError):
    """An answer came that Graph would not give: a proxy's page, or a body that is no JSON."""


class BrokenJson(NotJson):
    """An answer that says it is JSON and cannot be decoded: most likely cut short on the way."""


class TokenRefused(GraphError):
    """Graph answered 401 to a token that was just fetched."""
