"""Graph itself, without a network: a call in, an answer out."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from .answer import Answer
from .call import VERSIONS, Call
from .catalogue import ROUTES
from .clock import Clock
from .errors import GraphError, bad_request, no_segment, no_token
from .faults import Fault, Script
from .query import check_options, context, page, selected
from .records import Write
from .routes import Key, Route, find
from .tenant import Row, Tenant
from .tokens import Caller, Mint
from .writes import write


@dataclass
class Graph:
    """Serves the tenants' snapshots by Graph's rules. The switches may be turned between requests."""

    tenants: dict[str, Tenant]
    mint: Mint
    script: Script
    clock: Clock
    scripts: dict[str, Script] = field(default_factory=dict)
    """Faults of one tenant alone, by its id."""
    latencies: dict[str, float] = field(default_factory=dict)
    """Seconds before each answer to a tenant, by its id."""
    page_size: int | Mapping[str, int] | None = None
    premium: bool = True
    ignored_roles: frozenset[str] = frozenset()
    unavailable: frozenset[str] = frozenset()
    unknown_properties: frozenset[str] = frozenset()
    inner_error: str = "innerError"
    refused_writes: list[Write] = field(default_factory=list)
    writable: bool = False

    def caller(self, call: Call) -> Caller:
        """Whose token came with `call`; 401 without a good one."""
        caller = self.mint.read(call.headers.get("authorization"))
        if caller.tenant_id not in self.tenants:
            raise no_token("The token is from a tenant that this server does not have.")
        return caller

    def fault(self, call: Call, caller: Caller | None) -> Fault | None:
        """The scripted fault for a call: one for every tenant, or one of the caller's."""
        if (found := self.script.take(call)) or caller is None or caller.tenant_id not in self.scripts:
            return found
        return self.scripts[caller.tenant_id].take(call)

    def answer(self, call: Call, known: Caller | None = None) -> Answer:
        """The proper answer to one call, errors included; `known` is its caller, if that was found out before."""
        try:
            return self._read(call, known or self.caller(call))
        except GraphError as error:
            return self.failed(call, error)

    def written(self, call: Call, raw: bytes) -> Answer:
        """The answer to a write, on a server that takes those of a remediation."""
        try:
            return write(self.tenants[self.caller(call).tenant_id], call, json.loads(raw or b"{}"))
        except GraphError as error:
            return self.failed(call, error)

    def failed(self, call: Call, error: GraphError) -> Answer:
        """An error as Graph words it, with the ids support asks for."""
        request_id = str(uuid.uuid4())
        client_id = call.headers.get("client-request-id", request_id)
        body = error.body(
            date=self.clock.stamp(), request_id=request_id, client_request_id=client_id, inner=self.inner_error
        )
        headers = {"request-id": request_id, "client-request-id": client_id, **error.headers}
        return Answer(error.status, body, headers)

    def _read(self, call: Call, caller: Caller) -> Answer:
        if call.method != "GET":
            self.refused_writes.append(Write(call.method, f"/{call.version}{call.path}", call.in_batch))
            raise GraphError(405, "MethodNotAllowed", f"This server is for reading; it takes no {call.method}.")
        if call.version not in VERSIONS:
            raise no_segment(call.version)
        route, keys = find(ROUTES, call.version, call.path)
        if {route.section, *route.segments} & self.unavailable:
            raise no_segment(route.segments[-1])
        self._permit(route, keys, caller)
        tenant = self.tenants[caller.tenant_id]
        if refused := tenant.unread(route.section):
            raise GraphError(int(refused["status"]), str(refused["code"]), "As it was when the snapshot was taken.")
        check_options(call)
        found = route.read(tenant, call.version, keys)
        if isinstance(found, list):
            return Answer(200, page(call, route, found, self._page_size(route), self.unknown_properties))
        return Answer(200, self._one(call, route, found))

    def _one(self, call: Call, route: Route, row: Row) -> Row:
        if "$filter" in call.query or "$top" in call.query:
            raise bad_request("One object cannot be filtered or paged.")
        return {"@odata.context": context(call, entity=True), **selected(call, route, row, self.unknown_properties)}

    def _page_size(self, route: Route) -> int | None:
        if isinstance(self.page_size, Mapping):
            return self.page_size.get(route.section)
        return self.page_size

    def _permit(self, route: Route, keys: list[Key], caller: Caller) -> None:
        """403 unless one of the permissions is held; an app may always see itself."""
        if route.section == "signIns" and not self.premium:
            raise GraphError(
                403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Sign-in logs need a premium license."
            )
        needs = route.needs + (route.delegated if caller.delegated else ())
        if set(needs) & (caller.allowed - self.ignored_roles):
            return
        if route.own and self._is_own(route, keys[0], caller):
            return
        raise route.workload.refusal(route.needs)

    def _is_own(self, route: Route, key: Key, caller: Caller) -> bool:
        if key.name == "appId":
            return key.value.casefold() == caller.app_id.casefold()
        row = self.tenants[caller.tenant_id].first(route.section, "id", key.value)
        return row is not None and str(row.get("appId", "")).casefold() == caller.app_id.casefold()
