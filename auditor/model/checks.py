"""The closed set of check kinds: what a rule may ask of a tenant.

Names in YAML are in kebab case. The kinds about a vendor's app come first, then the tenant's settings, what was
granted, and the ways to combine checks. `auditor.packs` holds arguments against each other when a pack is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

import msgspec
from msgspec import UNSET, UnsetType

from auditor.facts.ids import CONSENT_SETTINGS_TEMPLATE

Value = str | int | bool
"""What a setting is compared with; text is compared without regard to letter case."""

Match = Literal["id", "exact", "prefix"]
Publisher = Literal["any", "unverified"]
Owner = Literal["any", "foreign", "not-microsoft"]
"""``foreign``: of another tenant that is not Microsoft's. ``not-microsoft``: of this tenant, or foreign."""
State = Literal["any", "disabled", "gone", "unusable"]
Scopes = Mapping[str, tuple[str, ...]]
"""Names of permissions by resource: ``microsoft-graph``, ``exchange-online`` or an app id."""


TEMPLATES = MappingProxyType({"consent-policy-settings": CONSENT_SETTINGS_TEMPLATE})
"""Directory setting templates that a rule may call by name."""


class Check(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", rename="kebab"):
    """Base of the closed set of check kinds; a kind is a question that `judge` knows how to answer."""


class UsersCanConnect(Check, frozen=True, tag="users-can-connect"):
    """An ordinary member can connect the pack's app without an administrator."""


class ScopesUserConsentable(Check, frozen=True, tag="scopes-user-consentable"):
    """Every required scope exists on its resource and a user may be asked for it."""


class ScopesClassified(Check, frozen=True, tag="scopes-classified"):
    """Required scopes are classified `level`, where an assigned consent policy depends on that."""

    level: str = "low"


class AdminConsentCovers(Check, frozen=True, tag="admin-consent-covers"):
    """A tenant-wide grant of the app covers every required scope."""


class AppEnabled(Check, frozen=True, tag="app-enabled"):
    """Nobody switched the app off: not this tenant, not its publisher, not Microsoft."""


class AppAssignment(Check, frozen=True, tag="app-assignment"):
    """The app needs no assignment, or somebody is assigned to it."""


class PublisherVerified(Check, frozen=True, tag="publisher-verified"):
    """The app's publisher is verified, where an assigned consent policy or risk step-up depends on that."""


class UserConsentSetting(Check, frozen=True, tag="user-consent-setting"):
    """What the tenant's user consent setting is, by its name in the portal, is one of `allowed`.

    Names: ``none``, ``low``, ``recommended``, ``legacy``, ``custom``. Judged for being known, if `allowed`
    holds every name.
    """

    allowed: tuple[str, ...] = ("none", "low", "recommended", "legacy", "custom")


class ConsentWorkflow(Check, frozen=True, tag="consent-workflow"):
    """The admin consent workflow is on and its requests reach somebody.

    `reviewers-exist` asks that a named reviewer be a user, group or role that is still there, as far as users were
    read. `compare-setting` also reads the older directory setting ``EnableAdminConsentRequests``, on which
    some benchmarks rest, and says when the two differ.
    """

    reviewers_exist: bool = False
    compare_setting: bool = False


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """Base of the tables inside a check."""

    noun: ClassVar[str] = "this table"


class Test(Part, frozen=True):
    """One condition on one property: `path` and exactly one test.

    `missing-means` is the value that Graph documents for a property that it leaves out; without it a missing
    property is unknown. `none-of`, `all-of` and `any-of` are for lists of text, compared by `match`.
    """

    __test__: ClassVar[bool] = False
    noun: ClassVar[str] = "a test"
    path: str
    equals: Value | UnsetType = UNSET
    one_of: tuple[Value, ...] | UnsetType = UNSET
    at_most: int | UnsetType = UNSET
    at_least: int | UnsetType = UNSET
    present: bool | UnsetType = UNSET
    none_of: tuple[str, ...] | UnsetType = UNSET
    all_of: tuple[str, ...] | UnsetType = UNSET
    any_of: tuple[str, ...] | UnsetType = UNSET
    match: Match = "id"
    missing_means: Value | UnsetType = UNSET


class Setting(Check, frozen=True, tag="setting"):
    """One property of a section has a value: `path` and exactly one test."""

    path: str
    equals: Value | UnsetType = UNSET
    one_of: tuple[Value, ...] | UnsetType = UNSET
    at_most: int | UnsetType = UNSET
    at_least: int | UnsetType = UNSET
    present: bool | UnsetType = UNSET
    missing_means: Value | UnsetType = UNSET


class Contains(Check, frozen=True, tag="list"):
    """A list of text contains none, all or any of some values, compared by `match`.

    ``id`` (the default) and ``prefix`` do not regard letter case, ``exact`` does.
    """

    path: str
    none_of: tuple[str, ...] | UnsetType = UNSET
    all_of: tuple[str, ...] | UnsetType = UNSET
    any_of: tuple[str, ...] | UnsetType = UNSET
    match: Match = "id"


class Every(Check, frozen=True, tag="every"):
    """Every item of the list `of` that is like `where` has what `has` says."""

    of: str
    has: tuple[Test, ...]
    where: tuple[Test, ...] = ()


class Count(Check, frozen=True, tag="count"):
    """The number of items of the list `of` that are like `where`."""

    of: str
    where: tuple[Test, ...] = ()
    at_most: int | UnsetType = UNSET
    at_least: int | UnsetType = UNSET


class DirectorySettingIs(Check, frozen=True, tag="directory-setting"):
    """A value of a directory settings object; Graph keeps each as text, so ``true`` is compared as text.

    `missing-means` is the template's default, which holds while the object or the value is not there;
    `skip-when-missing` makes the rule not applicable then. Without either a missing value fails.
    """

    name: str
    template: str = "consent-policy-settings"
    equals: Value | UnsetType = UNSET
    one_of: tuple[Value, ...] | UnsetType = UNSET
    present: bool | UnsetType = UNSET
    missing_means: Value | UnsetType = UNSET
    skip_when_missing: bool = False


class UsersCanConsent(Check, frozen=True, tag="users-can-consent"):
    """Whether an ordinary user may consent to scopes, each asked for by itself.

    `asked-by` is a hypothetical app that no policy names; without it the app is the pack's, and without
    `lists` and `scopes` they are the ones that it requires. Risk-based step-up is left out of it.
    """

    expect: Literal["nobody", "allowed"]
    asked_by: Literal["unverified-app", "verified-app", "own-app"] | UnsetType = UNSET
    lists: tuple[str, ...] = ()
    scopes: Scopes = {}


class Wording(Part, frozen=True):
    """What the text of a benchmark says of policy ids, to be told where the content of a policy differs."""

    noun: ClassVar[str] = "a wording"
    allows: tuple[str, ...] = ()
    forbids: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    none: Literal["passes", "fails"] = "passes"


class AssignedPolicies(Check, frozen=True, tag="assigned-policies"):
    """What the policies let users consent to that are assigned to them, judged by content and not by name.

    ``none``: to nothing. ``at-most-low``: to permissions classified low, for apps of this tenant and of verified
    publishers. ``not-everything``: not to every risky permission for any app. The text of `wording` must
    hold as well; where name and content differ the reason says so. Custom directory roles, which let the people who
    hold them consent to more, are not looked at: the benchmarks speak of every user.
    """

    expect: Literal["none", "at-most-low", "not-everything"]
    wording: Wording | UnsetType = UNSET


class DelegatedGrants(Check, frozen=True, tag="delegated-grants"):
    """No delegated grant has scopes of the `lists` or `scopes` (any scope, without either) and all that is said.

    A grant to an app that is no longer in the directory matches `state` only, for nothing else is known of it.
    """

    consent: Literal["any", "tenant-wide", "users"] = "any"
    lists: tuple[str, ...] = ()
    scopes: Scopes = {}
    publisher: Publisher = "any"
    owner: Owner = "any"
    state: State = "any"


class AppRolesHeld(Check, frozen=True, tag="app-roles-held"):
    """No app holds an application permission of the `lists`, and is as `publisher`, `owner` and `state` say."""

    lists: tuple[str, ...]
    publisher: Publisher = "any"
    owner: Owner = "any"
    state: State = "any"


class Classifications(Check, frozen=True, tag="classifications"):
    """No permission of the `lists` or `scopes` is classified `level`, on any resource that was read."""

    lists: tuple[str, ...] = ()
    scopes: Scopes = {}
    level: str = "low"


class AnyOf(Check, frozen=True, tag="any"):
    """At least one of the checks holds."""

    checks: tuple[AnyCheck, ...]


class AllOf(Check, frozen=True, tag="all"):
    """Every one of the checks holds."""

    checks: tuple[AnyCheck, ...]


class Not(Check, frozen=True, tag="not"):
    """The check does not hold."""

    check: AnyCheck


AnyCheck = (
    UsersCanConnect
    | ScopesUserConsentable
    | ScopesClassified
    | AdminConsentCovers
    | AppEnabled
    | AppAssignment
    | PublisherVerified
    | UserConsentSetting
    | ConsentWorkflow
    | Setting
    | Contains
    | Every
    | Count
    | DirectorySettingIs
    | UsersCanConsent
    | AssignedPolicies
    | DelegatedGrants
    | AppRolesHeld
    | Classifications
    | AnyOf
    | AllOf
    | Not
)
