"""Random faults of the network, of Graph and of the sign-in, and the tenants that they are tried on."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.checks.lost_data import NULL_WHILE_NOTHING_IS_WRONG, after, enumerated, losses, with_new_value
from tests.graphserver import (
    Body,
    Challenge,
    Changed,
    ContentType,
    Cut,
    EmptyPage,
    Fault,
    GraphServer,
    HtmlPage,
    NextLink,
    Redirect,
    Reset,
    Status,
)
from tests.oracle import pool

Json = dict[str, Any]

TARGETS = (
    "/$batch",
    "/v1.0/organization",
    "/policies/authorizationPolicy",
    "/policies/permissionGrantPolicies",
    "/beta/policies/permissionGrantPolicies",
    "/policies/adminConsentRequestPolicy",
    "/identity/conditionalAccess/policies",
    "/beta/settings",
    "/servicePrincipals?",
    "/v1.0/oauth2PermissionGrants",
    "/roleManagement/directory/roleDefinitions",
    "/roleManagement/directory/roleAssignments",
    f"/users/{pool.ALICE}?",
    f"/users/{pool.ALICE}/memberOf",
    *(f"appId='{app}')?" for app in (pool.CLIENT, *pool.RESOURCES)),
    *(f"appId='{app}')/appRoleAssignedTo" for app in (pool.CLIENT, pool.GRAPH, pool.EXCHANGE)),
    *(f"appId='{app}')/delegatedPermissionClassifications" for app in pool.RESOURCES),
    f"appId='{pool.CLIENT}')/oauth2PermissionGrants",
    "/v1.0/",
    "/beta/",
)
"""Parts of addresses that distinguish what an audit reads; the last two are of everything."""

ABSENT = "Request_ResourceNotFound"
STATUSES = (400, 403, 403, 403, 404, 405, 409, 410, 423, 429, 500, 501, 503, 504)
CODES = (None, None, ABSENT, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "")
BODIES: tuple[Any, ...] = (
    *(b"", b"{", b"null", b"[]", b"\xff\xfe{}", b'{"value": [}', b"NaN", b'{"value": [{"id": "x"}]} trailing'),
    *({}, [], {"value": None}, {"value": {}}, {"value": [None]}, {"value": ["text"]}, {"value": [{}]}, {"value": 1}),
    *({"responses": []}, {"responses": [{"id": "0", "status": 404}]}, {"error": {"code": "Oops", "message": "no"}}),
    b'{"value": [], "value": [{"id": "x"}]}',
    b'{"a":' * 3000 + b"1" + b"}" * 3000,
)
LINKS = ("https://elsewhere.example/v1.0/users", "http://localhost/v1.0/users", "//", "/relative", "garbage", " ")
WHOLE_ANSWERS: SearchStrategy[Fault] = st.one_of(
    st.builds(Status, st.sampled_from(STATUSES), code=st.sampled_from(CODES)),
    st.builds(Status, st.sampled_from((429, 503)), st.sampled_from((1, 2.5, "soon", -1, 10_000))),
    st.builds(HtmlPage, st.sampled_from((200, 200, 403, 404, 503))),
    st.builds(Body, st.sampled_from(BODIES), st.sampled_from((200, 200, 204, 403, 404))),
    st.sampled_from((ContentType(), Cut(), Reset(), EmptyPage(), Redirect("https://elsewhere.example/"))),
    st.builds(NextLink, st.sampled_from((None, *LINKS))),
    st.builds(Challenge, st.sampled_from(("e30=", "not base64", "eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="))),
)
"""What takes the place of a whole answer."""


@dataclass(frozen=True)
class Mutation:
    """One loss, or one value that is new to this version, somewhere in the body of an answer."""

    seed: int

    def __call__(self, body: Any) -> Any:
        """The body with the change; of a batch, one of its answers is changed."""
        chance = random.Random(self.seed)
        if not isinstance(body, dict):
            return body
        if isinstance(responses := body.get("responses"), list) and responses:
            number = chance.randrange(len(responses))
            changed = {**responses[number], "body": self(responses[number].get("body"))}
            return {**body, "responses": [*responses[:number], changed, *responses[number + 1 :]]}
        if isinstance(body.get("value"), list):
            return {**body, "value": _mutated(body["value"], chance)}
        (changed,) = _mutated([body], chance)
        return changed


MUTATIONS = st.integers(0, 10_000).map(lambda seed: Changed(Mutation(seed)))


def _mutated(rows: list[Any], chance: random.Random) -> list[Any]:
    document = {"sections": {"rows": rows}}
    new_values = [path for path in enumerated(document) if _is_property(path)]
    if new_values and chance.random() < NEW_VALUES:
        changed = with_new_value(document, chance.choice(new_values))
    elif lost := [one for one in losses(document) if len(one.path) > 1 and _is_lost(one.path)]:
        changed = after(document, chance.choice(lost))
    else:
        changed = document
    found: list[Any] = changed["sections"]["rows"]
    return found


NEW_VALUES = 0.4
"""How many of the changes are new values of enumerations."""


def _is_property(path: tuple[str | int, ...]) -> bool:
    """Whether the path leads to a property of Graph, and not to an annotation."""
    return not any(isinstance(step, str) and "@" in step for step in path)


def _is_lost(path: tuple[str | int, ...]) -> bool:
    """Whether Graph would always return the property: without one that it may leave out, it is another tenant."""
    return _is_property(path) and path[-1] not in NULL_WHILE_NOTHING_IS_WRONG


class PlannedFault(NamedTuple):
    """What goes wrong at which addresses, and how many times; ``None`` for always."""

    target: str
    kind: Fault
    times: int | None


class FaultPlan(NamedTuple):
    """What goes wrong in one audit: with Graph, with the sign-in, and how many rows a page has."""

    graph: tuple[PlannedFault, ...]
    sign_in: tuple[PlannedFault, ...]
    page_size: int | None

    def on(self, server: GraphServer, document: Mapping[str, Any]) -> None:
        """Let `server` serve the tenant with these faults."""
        server.serve(document, page_size=self.page_size)
        for target, kind, times in self.graph:
            server.fault(target, kind, times=times)
        for target, kind, times in self.sign_in:
            server.token_fault(kind, match=target, times=times)


def _says_absent(fault: PlannedFault) -> bool:
    """Whether Graph says this of an object that the tenant lacks: true of another tenant, and not a fault."""
    if fault.target not in ("/v1.0/", f"/users/{pool.ALICE}?") and not fault.target.endswith("')?"):
        return False
    kind = fault.kind
    return isinstance(kind, Status) and kind.status == 404 and (kind.code or ABSENT) == ABSENT


@st.composite
def plans(draw: DrawFn) -> FaultPlan:
    """At most three faults of Graph: most of them refuse one read, or change a value in its answer."""
    kinds = st.one_of(
        st.builds(Status, st.just(403)),
        MUTATIONS,
        MUTATIONS,
        WHOLE_ANSWERS,
    )
    every = st.builds(PlannedFault, st.sampled_from(TARGETS), kinds, st.sampled_from((None, None, 1, 2)))
    faults = every.filter(lambda one: not _says_absent(one))
    # Few sign-ins fail, because an audit that can't sign in says nothing.
    fails = st.integers(0, 29).map(lambda number: number == 29)
    sign_in = [draw(st.builds(PlannedFault, st.just("/oauth2/v2.0/token"), WHOLE_ANSWERS, st.sampled_from((None, 1))))]
    return FaultPlan(
        graph=tuple(draw(st.lists(faults, max_size=3))),
        sign_in=tuple(sign_in if draw(fails) else ()),
        page_size=draw(st.sampled_from((None, None, 1, 2))),
    )
