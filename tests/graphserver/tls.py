"""One certificate authority per process, trusted by nobody but the tests."""

from __future__ import annotations

import atexit
import functools
import os
import ssl
import tempfile
from pathlib import Path

import trustme


@functools.cache
def _authority() -> trustme.CA:
    return trustme.CA()


@functools.cache
def ca_file() -> Path:
    """The authority's certificate in PEM, in a file that goes when the process goes."""
    handle, name = tempfile.mkstemp(suffix=".pem", prefix="graphserver-ca-")
    with os.fdopen(handle, "wb") as file:
        file.write(_authority().cert_pem.bytes())
    atexit.register(lambda: Path(name).unlink(missing_ok=True))
    return Path(name)


@functools.cache
def server_context() -> ssl.SSLContext:
    """The server's side of TLS, for localhost by name and by number."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    _authority().issue_cert("localhost", "127.0.0.1").configure_cert(context)
    context.set_alpn_protocols(["http/1.1"])
    return context


@functools.cache
def client_context() -> ssl.SSLContext:
    """A client's side of TLS that trusts the authority and nothing else."""
    return ssl.create_default_context(cafile=str(ca_file()))
