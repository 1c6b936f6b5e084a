"""Whatever goes wrong on the way, an audit gives the right answer, a less firm one, or none (exit code 3)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache

import msgspec
import pytest
from hypothesis import HealthCheck, given, note, settings

from auditor.checks.kind import plan_for
from auditor.consent.subject import ORDINARY_MEMBER, Subject, subject_for
from auditor.graph.graph_errors import GraphError
from auditor.graph.network import read_network
from auditor.graph.preconnect import GraphConnector
from auditor.graph.transport import GraphHttpClient
from auditor.jobs import tenant_reader
from auditor.model.decision import Outcome
from auditor.model.rule import App, Pack
from auditor.model.snapshot import LiveTenant, Snapshot
from auditor.packs.load import load_packs
from tests.checks.lost_data import Answers, Json, answers_of, firmer
from tests.checks.random_tenants import tenants
from tests.consent.from_oracle import app_of, snapshot_of
from tests.graph.live_tenants import Sleeps
from tests.graph.random_faults import FaultPlan, plans
from tests.graphserver import Changed, Fault, GraphServer, HtmlPage, Status
from tests.oracle import pool
from tests.oracle.plain import UNVERIFIED, VERIFIED, tenant
from tests.oracle.plain import app as plain_app
from tests.oracle.strategies import apps

PACKS = ("trackerrms-uk", "cis-m365", "cisa-scuba", "eidsca", "zero-trust-assessment", "microsoft-recommended")
RUNS = {"same": 200, "soak": 10_000}
"""How many audits are made, by the profile of hypothesis: that of `make test`, and that of `make soak`."""
MANY = settings(
    deadline=None,
    max_examples=RUNS.get(settings.get_current_profile_name(), settings().max_examples),
    suppress_health_check=list(HealthCheck),
)


@cache
def packs() -> tuple[Pack, ...]:
    return load_packs((*PACKS, "grants-hygiene"))


class Auditor:
    """Audits the tenant of one server again and again, by the same event loop and with the same connections.

    The sign-in is made again each time. Waiting takes no time.
    """

    def __init__(self, server: GraphServer, runner: asyncio.Runner) -> None:
        self.server = server
        self._run = runner.run
        self._environ = server.env()
        self._target = LiveTenant(authority_host=server.authority, graph_endpoint=server.graph)
        connector = GraphConnector(server.graph, read_network(self._environ))
        self._http = GraphHttpClient(connector)

    def read(self, app: App, rules: tuple[Pack, ...], user: str) -> Snapshot | GraphError:
        """The tenant as the audit reads it now, or why no audit was made."""
        with pytest.MonkeyPatch.context() as patch:
            retry = Sleeps().retry()
            patch.setattr(tenant_reader, "retry_policy", lambda *_: retry)
            plan = plan_for(rules)
            read = tenant_reader.read_for(
                self._target, plan, apps=(app,), packs=rules, user=user, environ=self._environ, http=self._http
            )
            try:
                return self._run(read)
            except GraphError as error:
                return error

    def close(self) -> None:
        """Close the connections."""
        self._run(self._http.aclose())


@pytest.fixture(scope="module")
def auditor() -> Iterator[Auditor]:
    with ExitStack() as stack:
        server = stack.enter_context(GraphServer(pool.snapshot({})))
        runner = stack.enter_context(asyncio.Runner())
        one = Auditor(server, runner)
        stack.callback(one.close)
        yield one


@MANY
@given(tenants(), apps(), plans())
def test_an_audit_with_faults_says_what_is_true_or_less(
    auditor: Auditor, document: Json, plain: Json, plan: FaultPlan
) -> None:
    app = app_of(plain)
    rules = tuple(msgspec.structs.replace(pack, app=app) if pack.app else pack for pack in packs())
    plan.on(auditor.server, document)
    read = auditor.read(app, rules, pool.ALICE)
    if isinstance(read, GraphError):
        note(f"no audit: {read}")
        assert plan.graph or plan.sign_in
        return
    # The server has a list of requests, which is empty, and the tenants of the evaluator say nothing about requests.
    true = snapshot_of({**document, "sections": {"appConsentRequests": [], **document["sections"]}})
    for name in ("", pool.ALICE):
        subjects = [subject_for(one, name) if name else ORDINARY_MEMBER for one in (true, read)]
        # Without the user, an audit for that user ends with an error.
        before, later = (one if isinstance(one, Subject) else None for one in subjects)
        if before is not None and later is not None:
            found = firmer(answers_of(true, app, rules, before), answers_of(read, app, rules, later))
            assert found == [], f"{before.label}: {plan.graph}"


def _custom(includes: list[Json], excludes: list[Json]) -> Json:
    return {
        **pool.policy(
            pool.CUSTOM,
            [{"id": f"include-{number}", **one} for number, one in enumerate(includes)],
            [{"id": f"exclude-{number}", **one} for number, one in enumerate(excludes)],
        ),
        "displayName": "Woodgrove mail",
    }


EVERY_APP = pool.condition_set(certifiedClientApplicationsOnly=False)
CERTIFIED = pool.condition_set(certifiedClientApplicationsOnly=True)


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(_custom([CERTIFIED], []), id="an include for certified apps"),
        pytest.param(_custom([EVERY_APP], [CERTIFIED]), id="an exclude of certified apps"),
    ],
)
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Status(403), id="beta is refused"),
        pytest.param(Changed(lambda body: {**body, "includes": [], "excludes": []}), id="beta lacks the sets"),
    ],
)
def test_a_condition_that_only_beta_shows_is_unknown_where_beta_does_not_answer(
    auditor: Auditor, policy: Json, fault: Fault
) -> None:
    true, found = _without_and_with(auditor, tenant(pool.CUSTOM, client=VERIFIED, **_only(policy)), fault)
    assert found.decision.outcome is Outcome.DEPENDS
    assert firmer(true, found) == []


def test_a_rule_about_a_policy_that_concerns_no_audited_app_needs_its_beta_form(auditor: Auditor) -> None:
    """Without it, the exclude of certified apps would exclude all that the include lets users consent to."""
    publisher = {"clientApplicationPublisherIds": ["1234567"]}
    policy = _custom([{**EVERY_APP, **publisher}], [{**CERTIFIED, **publisher}])
    document = tenant(pool.CUSTOM, client=UNVERIFIED, **_only(policy))
    true, found = _without_and_with(auditor, document, Status(403))
    rule = "cis-m365:CIS-5.1.5.1"
    assert (true.findings[rule], found.findings[rule]) == ("fail", "unknown")
    assert firmer(true, found) == []


@pytest.mark.parametrize(
    "body", [pytest.param({}, id="an empty object"), pytest.param({"id": "authorizationPolicy"}, id="an id alone")]
)
def test_a_switch_that_graph_may_leave_out_is_unknown_in_an_object_that_lost_more(auditor: Auditor, body: Json) -> None:
    document = tenant(pool.CUSTOM, client=VERIFIED, **_only(_custom([EVERY_APP], [])))
    true, found = _without_and_with(auditor, document, Changed(lambda _: body), "/policies/authorizationPolicy")
    for rule in ("eidsca:EIDSCA.AP09", "microsoft-recommended:MS-STEP-UP"):
        assert (true.findings[rule], found.findings[rule]) == ("fail", "unknown"), rule
    assert firmer(true, found) == []


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(Status(404), "fail", id="Graph says that there is no such user"),
        pytest.param(Status(404, code="ResourceNotFound"), "pass", id="404 of a gateway"),
        pytest.param(HtmlPage(404), "pass", id="a web page with status 404"),
        pytest.param(Status(403), "pass", id="refused"),
    ],
)
def test_only_graph_itself_can_say_that_a_reviewer_does_not_exist(
    auditor: Auditor, fault: Fault, expected: str
) -> None:
    reviewer = {"query": f"/users/{pool.ALICE}", "queryType": "MicrosoftGraph", "queryRoot": None}
    workflow = {"isEnabled": True, "notifyReviewers": True, "requestDurationInDays": 30, "reviewers": [reviewer]}
    document = tenant(pool.CUSTOM, client=VERIFIED, adminConsentRequestPolicy=workflow, users=[{"id": pool.ALICE}])
    true, found = _without_and_with(auditor, document, fault, f"/users/{pool.ALICE}?", pool.ALICE)
    rule = "cisa-scuba:MS.AAD.5.3v1"
    assert (true.findings[rule], found.findings[rule]) == ("pass", expected)


def _only(policy: Json) -> Json:
    return {"risky": True, "permissionGrantPolicies": [policy]}


def _without_and_with(
    auditor: Auditor, document: Json, fault: Fault, where: str = "/beta/policies", user: str = ""
) -> tuple[Answers, Answers]:
    """What audits say of the tenant, and what they say with a fault; by default where beta has it."""
    auditor.server.serve(document)
    app = app_of(plain_app(["Mail.Read"]))
    rules = tuple(msgspec.structs.replace(pack, app=app) if pack.app else pack for pack in packs())
    before = auditor.read(app, rules, user)
    auditor.server.fault(where, fault, times=None)
    later = auditor.read(app, rules, user)
    assert isinstance(before, Snapshot) and isinstance(later, Snapshot)
    return answers_of(before, app, rules), answers_of(later, app, rules)
