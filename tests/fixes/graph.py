"""A stand-in for Graph behind ``az rest``: reads answer from a snapshot, writes change it as a fix's proof does.

The ``az`` on the path of a script is a few lines that pass their arguments through bash's own TCP to this process; the
queries are evaluated by JMESPath itself.
"""

from __future__ import annotations

import json
import re
import socketserver
import stat
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jmespath  # type: ignore[import-untyped]
import msgspec

from auditor.fixes.app_changes import grant_id
from auditor.fixes.change import NotApplicable
from auditor.fixes.change_kinds import apply
from auditor.model.decision import GraphRequest
from auditor.model.snapshot import Snapshot
from tests.limits import HUNG_AFTER

_AZ = """\
#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/{port}
printf '%s\\0' "$#" "$@" >&3
IFS= read -r code <&3
if [ "$code" = 0 ]; then cat <&3; else cat <&3 >&2; fi
exit "$code"
"""


class FakeGraph:
    """One tenant. `writes` are the requests that changed something or tried to."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.writes: list[GraphRequest] = []
        self.discards = False
        """Whether a change of the assigned policies is accepted and forgotten, as in Microsoft-managed mode."""

    def az(self, arguments: list[str]) -> tuple[int, str]:
        """The exit code of ``az rest``, and what it prints."""
        assert arguments[0] == "rest", arguments
        options = dict(zip(arguments[1::2], arguments[2::2], strict=True))
        assert options["--resource"] == "https://graph.microsoft.com"
        assert options["--output"] == "tsv"
        try:
            answer = self._answer(options)
        except (NotApplicable, KeyError) as wrong:
            return 1, f"Bad Request: {wrong}\n"
        found = jmespath.search(options.get("--query", "@"), answer) if answer is not None else None
        return 0, "".join(f"{line}\n" for line in _tsv(found))

    def _answer(self, options: dict[str, str]) -> Any:
        method, url = options["--method"].upper(), options["--url"]
        if method == "GET":
            return json.loads(msgspec.json.encode(self._read(url)))
        body = json.loads(options["--body"])
        request = GraphRequest(method=method, url=url, body=body, returns=str(uuid.uuid4()))
        self.writes.append(request)
        if not (self.discards and url.endswith("/authorizationPolicy")):
            self.snapshot = apply(self.snapshot, request)
        return {"id": request.returns, **body} if method == "POST" else None

    def _read(self, url: str) -> Any:
        parts = urlsplit(url)
        path = unquote(parts.path).removeprefix("/v1.0/")
        wanted = _filter(parse_qs(parts.query).get("$filter", [""])[0])
        for pattern, read in _READS:
            if found := re.fullmatch(pattern, path):
                answer = read(self.snapshot, *found.groups())
                return {"value": [one for one in answer if wanted(one)]} if isinstance(answer, list) else answer
        raise KeyError(path)


def _filter(text: str) -> Callable[[dict[str, Any]], bool]:
    terms = re.findall(r"(\w+) eq '([^']*)'", text)
    assert bool(terms) == bool(text), text
    return lambda one: all(str(one.get(name)).lower() == value.lower() for name, value in terms)


def _rows(values: Any) -> list[dict[str, Any]]:
    return [msgspec.structs.asdict(value) for value in values or ()]


def _principals(s: Snapshot) -> list[dict[str, Any]]:
    return _rows(s.sections.servicePrincipals)


def _principal(s: Snapshot, object_id: str) -> dict[str, Any]:
    return next(p for p in _principals(s) if p["id"] == object_id)


def _policies(s: Snapshot) -> list[dict[str, Any]]:
    """With their condition sets, each of which has an id in Graph."""
    found = _rows(s.sections.permissionGrantPolicies)
    for policy in found:
        policy["includes"] = [{**one, "id": one["id"] or "new"} for one in _rows(policy["includes"])]
    return found


def _grants(s: Snapshot) -> list[dict[str, Any]]:
    return [{**msgspec.structs.asdict(row), "id": grant_id(row)} for row in s.sections.oauth2PermissionGrants or ()]


def _classified(s: Snapshot, app_id: str) -> list[dict[str, Any]]:
    section = s.sections.delegatedPermissionClassifications or {}
    return [row for key, rows in section.items() if key.lower() == app_id.lower() for row in _rows(rows)]


def _held(s: Snapshot, object_id: str) -> list[dict[str, Any]]:
    app_id = _principal(s, object_id)["appId"].lower()
    listed = s.sections.appRoleAssignments or {}
    return [row for key, rows in listed.items() if key.lower() == app_id for row in _rows(rows)]


def _assigned(s: Snapshot, object_id: str) -> list[dict[str, Any]]:
    app_id = _principal(s, object_id)["appId"].lower()
    return [
        row
        for key, rows in (s.sections.appRoleAssignedTo or {}).items()
        if key.lower() == app_id
        for row in _rows(rows)
    ]


_READS: tuple[tuple[str, Callable[..., Any]], ...] = (
    (r"organization", lambda s: [{"id": s.tenant.id}]),
    (r"servicePrincipals", _principals),
    (r"servicePrincipals/([^/]+)", _principal),
    (r"servicePrincipals/([^/]+)/appRoleAssignedTo", _assigned),
    (r"servicePrincipals/([^/]+)/appRoleAssignments", _held),
    (r"servicePrincipals\(appId='([^']+)'\)/delegatedPermissionClassifications", _classified),
    (r"oauth2PermissionGrants", _grants),
    (r"oauth2PermissionGrants/([^/]+)", lambda s, one: next(row for row in _grants(s) if row["id"] == one)),
    (r"policies/permissionGrantPolicies", _policies),
    (r"policies/authorizationPolicy", lambda s: s.sections.authorizationPolicy),
    (r"policies/adminConsentRequestPolicy", lambda s: s.sections.adminConsentRequestPolicy),
)


def _tsv(found: Any) -> Iterator[str]:
    """As the Azure CLI writes tab-separated values: nothing for null, a line for each entry of a list."""
    if isinstance(found, list):
        yield from map(str, found)
    elif found is not None:
        yield str(found)


@contextmanager
def serving(graph: FakeGraph, folder: Path) -> Iterator[Path]:
    """A folder with an ``az`` that connects to `graph`, for the front of a PATH."""

    class Call(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            code, text = graph.az([self._word() for _ in range(int(self._word()))])
            self.wfile.write(f"{code}\n{text}".encode())

        def _word(self) -> str:
            return b"".join(iter(lambda: self.rfile.read(1), b"\0")).decode()

    with socketserver.TCPServer(("127.0.0.1", 0), Call) as server:
        az = folder / "az"
        az.write_text(_AZ.format(port=server.server_address[1]))
        az.chmod(az.stat().st_mode | stat.S_IXUSR)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield folder
        finally:
            server.shutdown()
            thread.join()


def run(script: str, folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """The script, run by bash with that ``az``."""
    return subprocess.run(
        ["bash"],
        input=script,
        env={"PATH": f"{folder}:/usr/bin:/bin", "PAUSE": "0", **given},
        cwd=folder,
        text=True,
        capture_output=True,
        timeout=HUNG_AFTER,
        check=False,
    )
