"""Section 4, step by step: what a user meets who presses Connect, in every world left open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from .grants import GRAPH, Grants
from .policies import Documented, Policies, Scope
from .reading import Json, Reading, among, same
from .settings import FOR_SELF, Settings
from .worlds import World, every_world

SILENT = "connects-silently"
LACKING = "connects-but-lacks-scopes"
PROMPT = "user-may-consent"
NEEDS_ADMIN = "needs-admin"
BLOCKED = "blocked"
DEPENDS = "depends"

Outcome = tuple[str, frozenset[str]]
"""What happens, and the AADSTS codes that may be seen when it does."""

IMPLICIT: tuple[Scope, ...] = ((GRAPH, "user.read"), (GRAPH, "offline_access"))
BASICS = ("openid", "profile", "email", "user.read", "offline_access")
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
CONSENTING_ROLES = [
    GLOBAL_ADMINISTRATOR,
    "e8611ab8-c189-46e8-94e1-60213ab1f814",  # Privileged Role Administrator
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",  # Application Administrator
    "158c047a-c907-4556-b7ef-446551a6b5f7",  # Cloud Application Administrator
]
FOR_ALL = "managePermissionGrantsForAll"
UNDOCUMENTED = "a refusal with a code that is not documented"
DISABLED_BY_MICROSOFT = ("AADSTS70001", "AADSTS700016")
UNSEEN_GATES = ((), (UNDOCUMENTED,), DISABLED_BY_MICROSOFT)
UNSEEN_REPLY_URLS = (("AADSTS50011",), ("AADSTS500113",))


@dataclass(frozen=True)
class Verdict:
    """What may happen, over all worlds."""

    outcome: str
    outcomes: frozenset[str]
    codes: frozenset[str]
    scopes: Mapping[Scope, str]


def nothing_documented(policy_id: str, tenant_id: str) -> Json | None:
    """Microsoft's documentation isn't used for a policy that was not read."""
    return None


def judge(
    snapshot: Json, app: Json, subject: Json | None = None, documented: Documented = nothing_documented
) -> Verdict:
    """Whether this user, or an ordinary member, can connect this app in the tenant of the snapshot."""
    attempt = Attempt(Reading(snapshot), app, subject or {}, documented)
    seen = {outcome for outcome, _ in every_world(attempt.outcome)}
    outcomes = frozenset(outcome for outcome, _ in seen)
    codes = frozenset(code for _, possible in seen for code in possible)
    scopes = {scope: attempt.scope_in_all_worlds(scope) for scope in attempt.asked_for}
    return Verdict(next(iter(outcomes)) if len(outcomes) == 1 else DEPENDS, outcomes, codes, scopes)


def lowered(scope: Json) -> Scope:
    """The name by which a requested scope is known here."""
    return scope["resource"].casefold(), scope["value"].casefold()


class Attempt:
    """One user pressing Connect once. Every method that takes a world answers for that world."""

    def __init__(self, reading: Reading, app: Json, subject: Json, documented: Documented) -> None:
        """4.1: the inputs."""
        self.reading = reading
        self.settings = Settings(reading)
        self.app = app
        self.subject = subject
        self.client_id: str = app["client_id"]
        self.asked_for = [lowered(scope) for scope in app["scopes"]]
        self.required = list(dict.fromkeys(lowered(scope) for scope in app["scopes"] if scope["required"]))
        self.for_self = self._policies_of_own_roles(FOR_SELF)
        self.for_all = self._policies_of_own_roles(FOR_ALL)
        in_play = [*(self.settings.assigned or []), *self.for_self, *self.for_all]
        self.policies = Policies(reading, app, documented, in_play)
        self.grants = Grants(reading, self.client_id, subject.get("id"), [*self.asked_for, *IMPLICIT])

    def outcome(self, world: World) -> Outcome:
        """Section 4 from the top."""
        request = self.request(world)
        refusal = self.unknown_scope(world, request) | self.first_gate(world, request)
        if refusal:
            return BLOCKED, frozenset(refusal - {UNDOCUMENTED})
        if self.app["prompt_consent"]:  # 4.4: the page is forced on everyone
            return world.settle("user consent", partial(self.user_consent, missing=request), about=())
        lacking = [scope for scope in request if not self.grants.satisfied(world, scope)]
        if not self.consent_in_place(world, request, lacking):
            return world.settle("user consent", partial(self.user_consent, missing=lacking), about=())
        if self.assignment_required(world) and not self.user_is_assigned(world):
            return BLOCKED, frozenset({"AADSTS50105"})
        return LACKING if lacking else SILENT, frozenset()

    # --- 4.2 and 4.3: the request and the gates ---

    def request(self, world: World) -> list[Scope]:
        """The required scopes, and those that Entra adds to an initial consent (section 3)."""
        if self.grants.any_row(world):
            return self.required
        return list(dict.fromkeys([*self.required, *IMPLICIT]))

    def unknown_scope(self, world: World, request: list[Scope]) -> set[str]:
        """4.2 step 4. It has no place in the order of the gates: if a gate is shut too, either code may be seen."""
        for scope in request:
            if self.resource(world, scope) is not None and self.policies.permission(world, scope) is None:
                return {"AADSTS650053"}
        return set()

    def first_gate(self, world: World, request: list[Scope]) -> set[str]:
        """4.3: the codes of the first gate that is shut; G6 and G8 cannot be seen through Graph."""
        client = self.reading.service_principal(world, self.client_id)
        wanted, registered = self.app.get("redirect_uris"), (client or {}).get("replyUrls")
        if client == {}:  # not read: what a missing property rules out (G1, G2, G7) may yet be so
            unseen = UNSEEN_GATES + (UNSEEN_REPLY_URLS if wanted else ())
            if shut := world.ask(("a gate of the unread client",), unseen):
                return set(shut)
        if client is not None:
            if client.get("isDisabled") is True:  # G1
                return {UNDOCUMENTED}
            if client.get("disabledByMicrosoftStatus") not in (None, "", "NotDisabled"):  # G2
                return set(DISABLED_BY_MICROSOFT)
            if not self._enabled(world, client, self.client_id):  # G3
                return {"AADSTS7000112"}
        if any(self.resource(world, scope) is None for scope in request):  # G4
            return {"AADSTS650052", "AADSTS500011", "AADSTS65005"}
        for scope in request:  # G5
            if not self._enabled(world, self.resource(world, scope) or {}, scope[0]):
                return {"AADSTS500014"}
        if wanted and registered is not None and not set(wanted) & set(registered):  # G7
            return {"AADSTS50011"} if registered else {"AADSTS500113"}
        return set()

    def resource(self, world: World, scope: Scope) -> Json | None:
        """The service principal of the API that a scope belongs to."""
        return self.reading.service_principal(world, scope[0])

    def _enabled(self, world: World, principal: Json, app_id: str) -> bool:
        return world.known(principal.get("accountEnabled"), ("enabled", app_id.casefold()), (True, False))

    # --- 4.4: existing grants ---

    def consent_in_place(self, world: World, request: list[Scope], lacking: list[Scope]) -> bool:
        """Whether no page is shown: a dynamic request wants every scope, `.default` and v1 only rows."""
        if self.app["mode"] == "dynamic":
            return not lacking
        return self.grants.any_row(world) and all(self.grants.any_row_for(world, scope[0]) for scope in request)

    # --- 4.5: user consent ---

    def user_consent(self, world: World, missing: list[Scope]) -> Outcome:
        """The function of that name in 4.5; a user who may consent for all (4.9) passes before it."""
        if self.admin_may_consent(world, missing):
            return PROMPT, frozenset()
        if self.assignment_required(world):
            return NEEDS_ADMIN, self.refusal_codes(world, risky=False)
        if not (self.for_self or self.for_all or self.default_policies_hold(world)):
            return NEEDS_ADMIN, self.refusal_codes(world, risky=False)
        if not all(self.ruling(world, scope)[1] for scope in missing):
            return NEEDS_ADMIN, self.refusal_codes(world, risky=False)
        if world.settle("stepped up", partial(self.stepped_up, missing=missing), about=()):
            return NEEDS_ADMIN, self.refusal_codes(world, risky=True)
        return PROMPT, frozenset()

    def ruling(self, world: World, scope: Scope) -> tuple[bool, bool]:
        """Whether this user may grant the scope to everybody, and whether for themself.

        The two hang together: a policy of a role for all that was not read answers both, so that it is asked once.
        """

        def both(world: World) -> tuple[bool, bool]:
            for_all = any(self.policies.approves(world, one, scope) for one in self.for_all)
            return for_all, for_all or self.approved(world, scope)

        return world.settle("ruling", both, about=scope)

    def approved(self, world: World, scope: Scope) -> bool:
        """2.2 and 1.3: approval by any one policy that the user has is enough; no policy approves nothing."""
        if any(self.policies.approves(world, one, scope) for one in self.for_self):
            return True
        if not self.default_policies_hold(world):
            return False
        if self.settings.assigned is None:
            return world.ask(("default users may consent to", *scope), (False, True))
        return any(self.policies.approves(world, one, scope) for one in self.settings.assigned)

    def default_policies_hold(self, world: World) -> bool:
        """1.3 and 4.9: whether any policy is assigned to default users, and holds for this one."""
        if self.settings.assigned == []:
            return False
        if self.settings.assigned is None and not world.ask(("user consent is enabled",), (False, True)):
            return False
        guest = same(self.subject.get("userType"), "Guest")
        return not guest or self.settings.guests_consent_like_members(world)

    def admin_may_consent(self, world: World, missing: list[Scope]) -> bool:
        """4.9: four roles consent to any delegated permission, a custom role to what its policies approve."""
        if any(among(role, CONSENTING_ROLES) for role in self.subject.get("roles", [])):
            return True
        return bool(self.for_all) and all(self.ruling(world, scope)[0] for scope in missing)

    def _policies_of_own_roles(self, action: str) -> list[str]:
        """1.3: the policies that the actions of the user's custom roles name."""
        names = [one.rpartition("/")[2].partition(".") for one in self.subject.get("role_actions", [])]
        return [policy_id for name, _, policy_id in names if same(name, action)]

    def stepped_up(self, world: World, missing: list[Scope]) -> bool:
        """1.6: step-up is on, and the app looks risky."""
        return self.looks_risky(world, missing) and self.settings.step_up_on(world)

    def looks_risky(self, world: World, missing: list[Scope]) -> bool:
        """1.6: registered elsewhere, publisher not verified, more than the basic scopes asked."""
        if all(resource == GRAPH and value in BASICS for resource, value in missing):
            return False
        foreign = not same(self.policies.owner(world), self.reading.tenant_id)
        return foreign and self.policies.publisher(world) is None

    def refusal_codes(self, world: World, risky: bool) -> frozenset[str]:
        """4.11: 90094 without the admin consent workflow, 90095 with it; others for a risky app."""
        workflow_on = self.settings.workflow_on(world)
        if risky:
            return frozenset({"AADSTS900981"} if workflow_on else {"AADSTS90094", "AADSTS900941"})
        return frozenset({"AADSTS90095"} if workflow_on else {"AADSTS90094"})

    # --- 4.6: assignment ---

    def assignment_required(self, world: World) -> bool:
        """Whether only assigned users get in. A service principal still to come does not require it (4.7)."""
        client = self.reading.service_principal(world, self.client_id)
        if client is None:
            return False
        return world.known(client.get("appRoleAssignmentRequired"), ("assignment required",), (False, True))

    def user_is_assigned(self, world: World) -> bool:
        """Direct or group assignment, or Global Administrator; of the ordinary member it is open."""
        if among(GLOBAL_ADMINISTRATOR, self.subject.get("roles", [])):
            return True
        rows = self.reading.part("appRoleAssignedTo", self.client_id)
        if rows is None:
            return world.ask(("user is assigned",), (False, True))
        people = [row.get("principalId") for row in rows if among(row.get("principalType"), ["User", "Group"])]
        if not self.subject:
            return bool(people) and world.ask(("user is assigned",), (False, True))
        return any(among(mine, people) for mine in [self.subject["id"], *self.subject.get("groups", [])])

    # --- scope by scope ---

    def scope_in_all_worlds(self, scope: Scope) -> str:
        """The verdict on one scope if it is the same in every world."""
        found = {verdict for verdict, _ in every_world(partial(self.scope_verdict, scope=scope))}
        return found.pop() if len(found) == 1 else "unknown"

    def scope_verdict(self, world: World, scope: Scope) -> str:
        """Granted already, else what 4.5 says of this one; gates and risk concern the request."""
        if self.grants.satisfied(world, scope):
            return "granted"
        if self.policies.permission(world, scope) is None:
            return "blocked"
        if self.admin_may_consent(world, [scope]):
            return "consentable"
        if self.assignment_required(world) or not self.ruling(world, scope)[1]:
            return "blocked"
        return "consentable"
