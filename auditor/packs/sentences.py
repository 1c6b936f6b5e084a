"""What a check asks for, in sentences for people who do not read YAML: each is true where the rule passes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import assert_never

from msgspec import UNSET, UnsetType

from auditor.facts.ids import RESOURCE_NAMES
from auditor.facts.scope_lists import RESOURCES
from auditor.model import checks as kinds
from auditor.model.checks import AnyCheck, Scopes, Test
from auditor.model.document import Point, code
from auditor.packs.outcomes import never_fails

_SETTINGS = MappingProxyType(
    {
        "none": "no user consent",
        "low": "verified publishers and low-impact permissions only",
        "recommended": "as Microsoft recommends",
        "legacy": "any app",
        "custom": "a policy of the tenant's own",
    }
)
_REACH = MappingProxyType(
    {
        "none": "The consent policies that are assigned to users let them consent to nothing.",
        "at-most-low": "The consent policies that are assigned to users let them consent to permissions classified low"
        " at most, for apps of this tenant and of verified publishers.",
        "not-everything": "The consent policies that are assigned to users do not let them consent to every risky"
        " permission for any app.",
    }
)
_ASKED_BY = MappingProxyType(
    {
        "unverified-app": "an app of another tenant without a verified publisher",
        "verified-app": "an app of another tenant with a verified publisher",
        "own-app": "an app of this tenant",
    }
)
_CONSENT = MappingProxyType(
    {
        "any": "No delegated grant",
        "tenant-wide": "No delegated grant for the whole tenant",
        "users": "No delegated grant of single users",
    }
)
_STATE = MappingProxyType({"disabled": "is disabled", "gone": "is gone", "unusable": "is disabled or gone"})
_MATCH = MappingProxyType(
    {"id": "letter case does not count", "exact": "letter case counts", "prefix": "compared by how the entry begins"}
)


def sentence(check: AnyCheck) -> Point:
    """The check in a sentence, with a list below it where there is more than one thing to say."""
    match check:
        case kinds.AnyOf(checks=checks):
            return Point("At least one of these holds:", tuple(map(sentence, checks)))
        case kinds.AllOf(checks=checks):
            return Point("All of these hold:", tuple(map(sentence, checks)))
        case kinds.Not(check=one):
            return Point("This does not hold:", (sentence(one),))
        case kinds.Setting() | kinds.Contains():
            return Point(f"{_about(check)}.")
        case kinds.Every():
            return Point(f"{_those('In every item', check.of, check.where)}:", tuple(map(_point, check.has)))
        case kinds.Count():
            return Point(f"{_those('The number of items', check.of, check.where)} is {_bounds(check)}.")
        case kinds.DirectorySettingIs():
            return Point(_directory_setting(check))
        case kinds.UsersCanConsent():
            return Point(_users_can_consent(check))
        case kinds.AssignedPolicies():
            return Point(_REACH[check.expect], _wording(check.wording))
        case kinds.DelegatedGrants():
            return Point(_delegated_grants(check))
        case kinds.AppRolesHeld():
            return Point(
                f"No app{_publisher(check.publisher, check.owner)} holds an application permission of"
                f" {_lists(check.lists)}{_stating(check.state)}."
            )
        case kinds.Classifications():
            return Point(
                f"No permission of {_permissions(check.lists, check.scopes)} is classified {code(check.level)}, on any"
                " resource that was read."
            )
        case _:
            return Point(_of_the_app_or_tenant(check))


_Simple = (
    kinds.UsersCanConnect
    | kinds.ScopesUserConsentable
    | kinds.ScopesClassified
    | kinds.AdminConsentCovers
    | kinds.AppEnabled
    | kinds.AppAssignment
    | kinds.PublisherVerified
    | kinds.UserConsentSetting
    | kinds.ConsentWorkflow
)


def _of_the_app_or_tenant(check: _Simple) -> str:
    match check:
        case kinds.UsersCanConnect():
            return "An ordinary member of the tenant can connect the app without an administrator."
        case kinds.ScopesUserConsentable():
            return (
                "Every permission that the app requires exists on its resource, and is granted already or is one that"
                " users may grant."
            )
        case kinds.ScopesClassified():
            return (
                f"Every permission that the app requires is classified {code(check.level)} on its own resource. The"
                " rule does not apply where no assigned consent policy looks at classifications."
            )
        case kinds.AdminConsentCovers():
            return (
                "The consent of an administrator for the whole tenant covers every permission that the app requires."
                " The rule does not apply where users may consent for themselves."
            )
        case kinds.AppEnabled():
            return "Nobody switched the app off: not this tenant, not its publisher and not Microsoft."
        case kinds.AppAssignment():
            return "The app needs no assignment, or somebody is assigned to it."
        case kinds.PublisherVerified():
            return (
                "The publisher of the app is verified. The rule does not apply where neither an assigned consent policy"
                " nor risk-based step-up consent depends on that."
            )
        case kinds.UserConsentSetting():
            return _user_consent_setting(check)
        case kinds.ConsentWorkflow():
            return _workflow(check)
        case _:
            assert_never(check)


def _user_consent_setting(check: kinds.UserConsentSetting) -> str:
    if never_fails(check):
        return "The user consent setting of the tenant is known, whatever it is."
    names = _series([f"{code(name)} ({_SETTINGS[name]})" for name in check.allowed], "or")
    return f"The user consent setting of the tenant is {names}."


def _workflow(check: kinds.ConsentWorkflow) -> str:
    text = "The admin consent workflow is on, and at least one reviewer is named"
    if check.reviewers_exist:
        text += " who was seen to exist"
    if check.compare_setting:
        text += f". The older directory setting {code('EnableAdminConsentRequests')} is compared with it"
    return f"{text}."


def _directory_setting(check: kinds.DirectorySettingIs) -> str:
    where = f"The directory setting {code(check.name)} of the template {code(check.template)}"
    if check.skip_when_missing:
        return f"{where} {_test(check)}. The rule does not apply where it is not set."
    return f"{where} {_test(check)}{_missing(check.missing_means)}."


def _users_can_consent(check: kinds.UsersCanConsent) -> str:
    asking = "the app" if isinstance(check.asked_by, UnsetType) else _ASKED_BY[check.asked_by]
    named = _permissions(check.lists, check.scopes) if check.lists or check.scopes else "what the app requires"
    if check.expect == "nobody":
        return f"An ordinary user may not consent to any permission of {named}, if {asking} asks for it."
    return f"An ordinary user may consent to every permission of {named}, if {asking} asks for it."


def _wording(wording: kinds.Wording | UnsetType) -> tuple[Point, ...]:
    if isinstance(wording, UnsetType):
        return ()
    names = _series([code(name) for name in wording.allows or wording.forbids or wording.contains], "or")
    letter = f"forbids {names}" if wording.forbids else f"asks for {names}"
    if wording.contains:
        letter += " among others"
    return (
        Point(f"The text of the benchmark, which goes by name, {letter}. That must hold as well."),
        Point(
            f"Where no policy is assigned to users, the text {'is met' if wording.none == 'passes' else 'is not met'}."
        ),
        Point("Where the name and the content of a policy differ, the reason says so."),
    )


def _delegated_grants(check: kinds.DelegatedGrants) -> str:
    what = f" holds a permission of {_permissions(check.lists, check.scopes)}" if check.lists or check.scopes else ""
    whose = _publisher(check.publisher, check.owner)
    state = f" that {_STATE[check.state]}" if check.state != "any" else ""
    if not what and not whose and not state:
        return f"{_CONSENT[check.consent]} is there."
    if not what:
        return f"{_CONSENT[check.consent]} belongs to an app{whose}{state}."
    belongs = f" and belongs to an app{whose}{state}" if whose or state else ""
    return f"{_CONSENT[check.consent]}{what}{belongs}."


def _publisher(publisher: str, owner: str) -> str:
    text = {"foreign": " of another tenant", "not-microsoft": " other than Microsoft's"}.get(owner, "")
    return f"{text} without a verified publisher" if publisher == "unverified" else text


def _stating(state: str) -> str:
    return f" and {_STATE[state]}" if state != "any" else ""


def _permissions(lists: Sequence[str], scopes: Scopes) -> str:
    """The lists and the scopes by name, as something that a permission can be of."""
    named = [_lists(lists)] if lists else []
    for key, values in scopes.items():
        resource = RESOURCE_NAMES.get(RESOURCES.get(key, key.lower()), key)
        named.append(f"{_series([code(value) for value in values], 'and')} ({resource})")
    return _series(named, "and")


def _lists(names: Sequence[str]) -> str:
    return f"the {'list' if len(names) == 1 else 'lists'} {_series([code(name) for name in names], 'and')}"


def _those(what: str, of: str, where: Sequence[Test]) -> str:
    """``Every item of X``, with the conditions that single items out."""
    text = f"{what} of {code(of)}"
    if not where:
        return text
    return f"{text} (of those where {_series([_about(test) for test in where], 'and')})"


def _point(test: Test) -> Point:
    return Point(f"{_about(test)}.")


def _about(test: Test | kinds.Setting | kinds.Contains) -> str:
    return f"{code(test.path)} {_test(test)}{_missing(getattr(test, 'missing_means', UNSET))}"


def _bounds(check: kinds.Count) -> str:
    if check.at_most is not UNSET:
        return f"at most {code(str(check.at_most))}"
    return f"at least {code(str(check.at_least))}"


def _test(test: Test | kinds.Setting | kinds.Contains | kinds.DirectorySettingIs) -> str:
    """The one test that is given, as the second half of a sentence about what it tests."""
    given = {name: value for name in _WORDS if (value := getattr(test, name, UNSET)) is not UNSET}
    name, value = next(iter(given.items()))
    if name == "present":
        return "has a value" if value else "has no value"
    joint = "or" if name in ("one_of", "any_of", "none_of") else "and"
    shown = _series([code(_shown(one)) for one in (value if isinstance(value, tuple) else (value,))], joint)
    how = f" ({_MATCH[getattr(test, 'match', 'id')]})" if name in ("none_of", "all_of", "any_of") else ""
    return f"{_WORDS[name]} {shown}{how}"


_WORDS = MappingProxyType(
    {
        "equals": "is",
        "one_of": "is one of",
        "at_most": "is at most",
        "at_least": "is at least",
        "present": "has",
        "none_of": "holds none of",
        "all_of": "holds all of",
        "any_of": "holds at least one of",
    }
)


def _missing(value: object) -> str:
    return "" if isinstance(value, UnsetType) else f" (where it is missing, it counts as {code(_shown(value))})"


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _series(texts: Iterable[str], last: str) -> str:
    *most, end = texts
    return f"{', '.join(most)} {last} {end}" if most else end
