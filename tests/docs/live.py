"""The program as the docs show it: run for real, offline or against the tenant that the test server plays."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from auditor.checks.kind import plan_for
from auditor.checks.required_reads import permissions_for
from auditor.facts.ids import CLOUDS
from auditor.packs.load import load_packs
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.docs.pages import ROOT, arguments
from tests.graphserver import CLIENT_ID, CLIENT_SECRET, GraphServer
from tests.limits import HUNG_AFTER

LACKING = "Policy.Read.PermissionGrant"
"""What the app of the shown ``doctor`` was not given, so that there is something to see."""

SECRET_ID = "7c0f3f43-9f6b-4d38-8a52-6b1f0c1f5d77"
_ENDS = re.compile(r"ends on 14 May 2101, in\s+\d+ days")
_TOOK = re.compile(r"\bin \d+ ms\b")


@cache
def output(command: str) -> tuple[str, ...]:
    """The lines that a command prints to standard output, as into a pipe."""
    words = arguments(command)
    if words[0] != "doctor":
        return tuple(_run(words, {}).split("\n"))
    with _tenant(lacking=LACKING) as server:
        said = _against(server, words)
        for local, real in ((server.authority, CLOUDS["global"].authority), (server.graph, CLOUDS["global"].graph)):
            said = said.replace(local.removeprefix("https://"), real.removeprefix("https://"))
    said = _ENDS.sub("ends on 14 May 2027, in 168 days", _TOOK.sub("in 80 ms", said))
    return tuple(said.split("\n"))


@cache
def requests_of(command: str) -> tuple[str, ...]:
    """The addresses that a command reads, items of a batch one by one, in their order."""
    with _tenant() as server:
        _against(server, arguments(command))
        return tuple(
            f"/{request.version}{item}"
            for request in server.requests
            for item in ([i.url for i in request.items] or [request.raw_path.removeprefix(f"/{request.version}")])
        )


@contextmanager
def _tenant(lacking: str = "") -> Iterator[GraphServer]:
    """The default tenant, and an app with the least permissions that the TrackerRMS packs need."""
    least = {needed.permission for needed in permissions_for(plan_for(load_packs(["trackerrms-uk"])))}
    document = json.loads(dumps(sample("managed-default")))
    secret = {"keyId": SECRET_ID, "hint": CLIENT_SECRET[:3], "endDateTime": "2101-05-14T09:12:33Z"}
    document["sections"]["applications"] = [{"id": "app", "appId": CLIENT_ID, "passwordCredentials": [secret]}]
    with GraphServer(document, roles=least - {lacking}) as server:
        yield server


def _against(server: GraphServer, words: list[str]) -> str:
    there = ["--authority-host", server.authority, "--graph-endpoint", server.graph]
    return _run([*words, *there], server.env())


def _run(words: list[str], environ: dict[str, str]) -> str:
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "auditor", *words],
        cwd=ROOT,
        env={**kept, "PYTHONUTF8": "1", "CONSENT_AUDITOR_STATE": str(ROOT / "no-history"), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=HUNG_AFTER,
        check=False,
    )
    assert done.returncode in (0, 1, 4), done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout.rstrip("\n")
