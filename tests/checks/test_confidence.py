"""A failure that rests on documentation is likely, and never turns into a pass, also inside other checks."""

from __future__ import annotations

import pytest

from auditor.checks.combinations import AllOf, AnyOf, Not
from auditor.checks.consent_policies import AssignedPolicies, UsersCanConsent, Wording
from auditor.checks.kind import CheckContext, CheckKind
from auditor.checks.properties import PropertyIs
from auditor.model.decision import Confidence
from auditor.model.rule import FindingOutcome
from auditor.snapshot.samples import patched, sample

NOBODY = AssignedPolicies(expect="none")
"""A likely failure on the sample."""
NO_REGISTRATION = PropertyIs(path="authorizationPolicy.defaultUserRolePermissions.allowedToCreateApps", equals=False)
"""A certain failure on the sample."""
REGISTRATION = PropertyIs(path="authorizationPolicy.defaultUserRolePermissions.allowedToCreateApps", equals=True)
"""A certain pass on the sample."""
EVERYBODY = UsersCanConsent(expect="allowed", asked_by="unverified-app", scopes={"microsoft-graph": ("User.Read",)})
"""Would pass if documentation could make a rule pass."""
SENSITIVE = UsersCanConsent(expect="allowed", asked_by="unverified-app", scopes={"microsoft-graph": ("Mail.Read",)})
"""A likely failure on the sample: Microsoft documents that the managed policy excludes this permission."""


@pytest.mark.parametrize(
    ("check", "outcome", "confidence"),
    [
        pytest.param(NOBODY, "fail", "likely", id="by documentation"),
        pytest.param(SENSITIVE, "fail", "likely", id="a scope by documentation"),
        pytest.param(EVERYBODY, "unknown", "certain", id="no pass by documentation"),
        pytest.param(NO_REGISTRATION, "fail", "certain", id="by what was read"),
        pytest.param(Not(check=NOBODY), "unknown", "certain", id="not, of a likely failure"),
        pytest.param(Not(check=NO_REGISTRATION), "pass", "certain", id="not, of a certain failure"),
        pytest.param(AllOf(checks=(NOBODY, NO_REGISTRATION)), "fail", "certain", id="all, one certain failure"),
        pytest.param(AllOf(checks=(NOBODY, SENSITIVE)), "fail", "likely", id="all, only likely failures"),
        pytest.param(AllOf(checks=(NOBODY, REGISTRATION)), "fail", "likely", id="all, a likely failure and a pass"),
        pytest.param(AnyOf(checks=(NOBODY, NO_REGISTRATION)), "fail", "likely", id="any, one likely failure"),
        pytest.param(AnyOf(checks=(NO_REGISTRATION, NO_REGISTRATION)), "fail", "certain", id="any, certain failures"),
        pytest.param(AnyOf(checks=(NOBODY, REGISTRATION)), "pass", "certain", id="any, one pass"),
        pytest.param(AnyOf(checks=(NOBODY, EVERYBODY)), "unknown", "certain", id="any, one unknown"),
    ],
)
def test_documentation_makes_a_rule_fail_but_never_pass(check: CheckKind, outcome: str, confidence: str) -> None:
    result = check.judge(CheckContext(sample("unreadable-policies")))
    assert (result.outcome, result.confidence) == (FindingOutcome(outcome), Confidence(confidence))


@pytest.mark.parametrize(
    ("wording", "outcome"),
    [
        pytest.param(Wording(forbids=("contoso",)), "fail", id="names it"),
        pytest.param(Wording(allows=("microsoft-user-default-low",)), "fail", id="accepts another"),
        pytest.param(Wording(contains=("microsoft-user-default-low",)), "fail", id="requires another"),
        pytest.param(Wording(forbids=("microsoft-user-default-legacy",)), "unknown", id="forbids another"),
        pytest.param(Wording(allows=("contoso",)), "unknown", id="accepts it"),
    ],
)
def test_the_text_of_a_benchmark_fails_a_policy_of_which_only_the_name_is_known(wording: Wording, outcome: str) -> None:
    role = {"permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.contoso"]}
    tenant = patched(sample("unreadable-policies"), {"authorizationPolicy": {"defaultUserRolePermissions": role}})
    result = AssignedPolicies(expect="none", wording=wording).judge(CheckContext(tenant))
    assert result.outcome is FindingOutcome(outcome)
    assert (result.confidence is Confidence.LIKELY) is (outcome == "fail")
