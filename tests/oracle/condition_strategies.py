"""Hypothesis strategies for consent policies and their condition sets."""

from __future__ import annotations

from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from . import pool
from .reading import Json

Value = TypeVar("Value")

PUBLISHERS = ("1234567", "7654321")


def mostly(usual: Value, *others: Value) -> SearchStrategy[Value]:
    """The usual value, to which examples shrink; one of the others now and then."""
    return st.sampled_from([usual] * (8 * len(others)) + list(others))


def optional(properties: dict[str, SearchStrategy[Any]]) -> SearchStrategy[Json]:
    """Some of the properties; a missing one is one that was not selected."""
    return st.fixed_dictionaries({}, optional=properties)


def some(*values: str) -> SearchStrategy[list[str] | None]:
    """A list condition: a few of the values, or one of the ways to say `all`."""
    listed = st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)
    return st.one_of(st.sampled_from([["all"], ["ALL"], [], None]), listed, listed)


@st.composite
def condition_sets(draw: DrawFn) -> Json:
    """2.1: a condition set with at most a few conditions that say anything."""
    ids = [one for values in pool.PERMISSION_IDS.values() for one in values.values()]
    conditions: dict[str, SearchStrategy[Any]] = {
        "permissionClassification": st.sampled_from(["all", "low", "Low", "medium", "high"]),
        "permissions": some(*ids),
        "resourceApplication": st.sampled_from(["any", "Any", *pool.RESOURCES, None]),
        "clientApplicationIds": some(pool.CLIENT, pool.OTHER_CLIENT),
        "clientApplicationTenantIds": some(pool.TENANT, pool.VENDOR_TENANT, pool.OTHER_TENANT),
        "clientApplicationPublisherIds": some(*PUBLISHERS),
        "clientApplicationsFromVerifiedPublisherOnly": st.sampled_from([False, True, None]),
        "certifiedClientApplicationsOnly": mostly(False, True),
    }
    names = draw(st.lists(st.sampled_from(sorted(conditions)), max_size=3, unique=True))
    said = {name: draw(conditions[name]) for name in names}
    kind = draw(mostly("delegated", "delegatedUserConsentable", "application"))
    written_out = draw(st.booleans())
    return pool.condition_set(permissionType=kind, **said) if written_out else {"permissionType": kind, **said}


def custom_policies(policy_id: str) -> SearchStrategy[Json]:
    """A policy of the tenant's own, with at most two includes and one exclude."""
    return st.builds(
        pool.policy,
        st.just(policy_id),
        mostly(1, 0).flatmap(lambda least: st.lists(condition_sets(), min_size=least, max_size=2)),
        st.lists(condition_sets(), max_size=1),
    )


@st.composite
def policies(draw: DrawFn) -> list[Json]:
    """The list of policies: built-in ones in old and new wording, and custom ones; some may be missing."""
    known = [
        st.just(pool.legacy()),
        st.just(pool.low()),
        st.sampled_from([pool.recommended(), pool.recommended_2023()]),
        st.sampled_from([pool.mail_clients(pool.CLIENT), pool.mail_clients(pool.OTHER_CLIENT)]),
        custom_policies(pool.CUSTOM),
        custom_policies(pool.ANOTHER_CUSTOM),
    ]
    return [draw(one) for one in known if draw(mostly(True, False))]
