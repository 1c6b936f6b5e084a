"""What Graph says when it will not answer: a status, a code, a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class GraphError(Exception):
    """An error response; raise it anywhere below a route and it becomes the response."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def body(self, *, date: str, request_id: str, client_request_id: str, inner: str = "innerError") -> dict[str, Any]:
        """The JSON document Graph sends; `inner` is the spelling of the inner error's name."""
        ids = {"date": date, "request-id": request_id, "client-request-id": client_request_id}
        return {"error": {"code": self.code, "message": self.message, inner: ids}}


def no_token(reason: str, claims: str | None = None) -> GraphError:
    """401, with the challenge Graph sends along; `claims` asks for a fresh token as CAE does."""
    challenge = 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"'
    if claims is not None:
        challenge += f', error="insufficient_claims", claims="{claims}"'
    return GraphError(401, "InvalidAuthenticationToken", reason, {"WWW-Authenticate": challenge})


def absent(name: str) -> GraphError:
    """404 for an object of the directory that does not exist."""
    return GraphError(404, "Request_ResourceNotFound", f"There is no '{name}', or nothing that it was asked for with.")


def no_segment(name: str) -> GraphError:
    """400 for a path that this version or this cloud does not have."""
    return GraphError(400, "BadRequest", f"Resource not found for the segment '{name}'.")


def bad_query(reason: str) -> GraphError:
    """400 for a query option the endpoint does not take."""
    return GraphError(400, "Request_UnsupportedQuery", reason)


def bad_request(reason: str) -> GraphError:
    """400 for a request that cannot be understood."""
    return GraphError(400, "BadRequest", reason)
