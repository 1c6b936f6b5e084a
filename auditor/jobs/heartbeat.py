"""Call an address at the start and at the end of a run, so that a service notices a run that didn't happen.

The addresses are those of healthchecks.io (https://healthchecks.io/docs/http_api/): ``URL/start``, ``URL`` for a run
that was made, ``URL/<exit code>`` for one that wasn't, each with ``?rid=`` and the id of the run. The address is a
secret: no message contains it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from auditor.graph.graph_errors import GraphError
from auditor.graph.network import read_network
from auditor.model.errors import NO_AUDIT, USAGE

TIMEOUT = 10.0
"""Seconds for one call."""
_ATTEMPTS = 3
_PAUSE = 2.0
_LARGEST_BODY = 10_000


class Heartbeat:
    """The address of a heartbeat. Each call returns what went wrong, as a sentence without the address."""

    def __init__(
        self,
        url: str,
        night: str,
        *,
        environ: Mapping[str, str] | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url.strip()
        self._night = night
        self._environ = os.environ if environ is None else environ
        self._pause = pause

    def __repr__(self) -> str:
        return f"<Heartbeat of {self._night}>"

    def started(self) -> str:
        """Call that a run starts."""
        return self._call("start", "")

    def ended(self, exit_code: int, text: str) -> str:
        """Call that a run ended, with the last lines of its output.

        A run with findings (exit codes 1 and 4) was made: the heartbeat is about runs, not about findings.
        """
        failed = exit_code in (USAGE, NO_AUDIT) or exit_code > 128
        return self._call(str(exit_code) if failed else "", text)

    def _call(self, suffix: str, text: str) -> str:
        parts = address_parts(self._url)
        if parts is None:
            return "the heartbeat isn't an address: it must begin with https:// or http://"
        address = with_suffix(parts, suffix, self._night)
        problem = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._pause(_PAUSE * attempt)
            problem, is_final = self._request(address, text)
            if not problem or is_final:
                break
        return problem

    def _request(self, address: str, text: str) -> tuple[str, bool]:
        """What went wrong, and whether another attempt is useless."""
        import httpx

        try:
            network = read_network(self._environ)
            transport = httpx.HTTPTransport(
                verify=network.ssl_context(), proxy=network.proxy_for(address) or None, trust_env=False
            )
            with httpx.Client(transport=transport, timeout=TIMEOUT, follow_redirects=True, trust_env=False) as client:
                body = text.encode("utf-8", "replace")[-_LARGEST_BODY:]
                response = client.post(address, content=body) if body else client.get(address)
        except GraphError as error:
            return f"the heartbeat could not be called: {error}", True
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return f"the heartbeat could not be called ({type(error).__name__})", isinstance(error, httpx.InvalidURL)
        status = response.status_code
        if response.is_success:
            return "", True
        return f"the heartbeat answered with status {status}", status < 500 and status != 429


def address_parts(url: str) -> SplitResult | None:
    """The parts of a web address, or none for something else."""
    try:
        parts = urlsplit(url.strip())
        is_address = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if is_address else None


def with_suffix(parts: SplitResult, suffix: str, night: str) -> str:
    """The address with the suffix at the end of its path, and the id of the run in its query."""
    path = "/".join(filter(None, (parts.path.rstrip("/"), suffix))) if suffix else parts.path
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "rid"]
    return urlunsplit(parts._replace(path=path, query=urlencode([*query, ("rid", night)]), fragment=""))
