"""A tenant on loopback: Microsoft Graph and Entra's token side, served from a snapshot document.

with GraphServer(document) as server:
    ...  # server.graph, server.authority, server.env(), server.requests, server.add_tenant(…)
"""

from .catalogue import AUDIT_ROLES, PARTNER_ROLES
from .clients import Client, Refusal, client_certificate, federated_token
from .consent_page import session_cookie
from .faults import (
    Body,
    Challenge,
    Changed,
    ContentType,
    Cut,
    EmptyPage,
    Fault,
    Held,
    HtmlPage,
    NextLink,
    Redirect,
    Reset,
    Silence,
    Status,
)
from .latency import LatencyProxy
from .records import BatchItem, Request, Stray, TokenRequest, Write
from .server import CLIENT_ID, CLIENT_SECRET, USER, GraphServer
from .tenant import Tenant

__all__ = [
    "AUDIT_ROLES",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "PARTNER_ROLES",
    "USER",
    "BatchItem",
    "Body",
    "Challenge",
    "Changed",
    "Client",
    "ContentType",
    "Cut",
    "EmptyPage",
    "Fault",
    "GraphServer",
    "Held",
    "HtmlPage",
    "LatencyProxy",
    "NextLink",
    "Redirect",
    "Refusal",
    "Request",
    "Reset",
    "Silence",
    "Status",
    "Stray",
    "Tenant",
    "TokenRequest",
    "Write",
    "client_certificate",
    "federated_token",
    "session_cookie",
]
