"""Each fix carried out for real: its requests go to a Graph that takes writes, and a live audit is made again."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from auditor.checks.required_reads import plan_for
from auditor.consent.decide import decide
from auditor.fixes import fixes_for
from auditor.jobs.tenant_reader import read_tenant
from auditor.model.decision import Fix
from auditor.model.live_tenant import LiveTenant
from auditor.model.snapshot import Snapshot
from auditor.packs.find import load_packs
from auditor.snapshot.samples import sample, sample_names
from auditor.snapshot.write import dumps
from tests.fixes.tenants import BENCHMARKS, rule_fixes
from tests.graphserver import GraphServer

PACKS = load_packs(["trackerrms-uk"])
assert PACKS[0].app is not None
APP = PACKS[0].app
CASES = [
    (name, fix.key or fix.route)
    for name in sample_names()
    for fix in fixes_for(sample(name), APP)
    if fix.steps.graph and not fix.fill_in and fix.proven.subject == "ordinary member"
]


def live(server: GraphServer) -> Snapshot:
    """The tenant as the real SDKs read it now."""
    target = LiveTenant(authority_host=server.authority, graph_endpoint=server.graph)
    return read_tenant(target, plan_for(PACKS), apps=[APP], environ=server.env())


def carry_out(server: GraphServer, fix: Fix) -> None:
    """Send the printed requests with an HTTP client, putting in the ids that earlier ones returned."""
    returned: dict[str, str] = {}
    with httpx.Client(verify=server.trust, headers=server.bearer()) as client:
        for request in fix.steps.graph:
            url, body = request.url, json.dumps(request.body)
            for placeholder, value in returned.items():
                url, body = url.replace(placeholder, value), body.replace(placeholder, value)
            url = url.replace("https://graph.microsoft.com", server.graph)
            answer = client.request(request.method, url, content=body, headers={"Content-Type": "application/json"})
            assert answer.is_success, (request.method, url, answer.text)
            if request.returns:
                returned[request.returns] = answer.json()["id"]


@pytest.mark.parametrize(("name", "key"), CASES, ids=[f"{name}:{key}" for name, key in CASES])
def test_a_live_check_after_the_fix_gives_the_promised_outcome(name: str, key: str) -> None:
    document: dict[str, Any] = json.loads(dumps(sample(name)))
    with GraphServer(document, writable=True) as server:
        offered = {fix.key or fix.route: fix for fix in fixes_for(live(server), APP)}
        carry_out(server, offered[key])
        after = decide(live(server), APP)
    assert after.outcome.value == offered[key].proven.outcome


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        pytest.param("CIS-5.1.5.1", "R9-none", id="no user consent"),
        pytest.param("MS.AAD.5.2v1", "R9-low-only", id="low-impact consent only"),
        pytest.param("MS.AAD.5.1v1", "R13-register-apps", id="no app registration"),
        pytest.param("MS.AAD.5.3v1", "R8", id="workflow"),
    ],
)
def test_a_benchmark_that_is_audited_live_after_the_fix_passes(rule: str, key: str) -> None:
    """The rule's fix leaves the entries for teams and chats in the list."""
    with GraphServer(json.loads(dumps(sample("managed-default"))), writable=True) as server:
        target = LiveTenant(authority_host=server.authority, graph_endpoint=server.graph)

        def read() -> Snapshot:
            return read_tenant(target, plan_for(BENCHMARKS), packs=BENCHMARKS, environ=server.env())

        carry_out(server, rule_fixes(read())[rule][key])
        after = read()
    assert rule not in rule_fixes(after)
    policy = after.sections.authorizationPolicy
    role = policy.defaultUserRolePermissions if policy else None
    assert sum("ForOwnedResource" in one for one in (role and role.permissionGrantPoliciesAssigned) or ()) == 2


def test_there_are_fixes_to_carry_out() -> None:
    assert {key for _, key in CASES} >= {"R3", "R4", "R5", "R7"}


def test_a_server_that_does_not_allow_writes_refuses_them() -> None:
    with GraphServer(json.loads(dumps(sample("app-disabled")))) as server:
        (fix,) = (f for f in fixes_for(live(server), APP) if f.route == "R7")
        with pytest.raises(AssertionError, match="405 Method Not Allowed"):
            carry_out(server, fix)
        assert len(server.refused_writes) == 1
