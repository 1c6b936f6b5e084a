"""Ids of consent policies: as a tenant assigns them, with a prefix, and as the text of a benchmark names them."""

from __future__ import annotations

from auditor.facts.ids import POLICY_LEGACY, POLICY_LOW, POLICY_MAIL_CLIENTS, POLICY_RECOMMENDED
from auditor.packs.pack_errors import Problems, nearest
from auditor.packs.typo_suggestions import SURE, slip_of
from auditor.packs.yaml_nodes import Node, Scalar, items_of

PREFIXES = ("ManagePermissionGrantsForSelf", "ManagePermissionGrantsForOwnedResource")
"""What stands before the id, with a dot, where a policy is assigned to the default user role."""

RESERVED = "microsoft-"
"""How Microsoft's own policies begin; nobody else may begin an id so."""

BUILT_IN = (
    *(POLICY_LEGACY, POLICY_LOW, POLICY_RECOMMENDED, POLICY_MAIL_CLIENTS),
    *("microsoft-dynamically-managed-permissions-for-chat", "microsoft-dynamically-managed-permissions-for-team"),
    *("microsoft-pre-approval-apps-for-chat", "microsoft-pre-approval-apps-for-team"),
    "microsoft-pre-approval-apps-for-group",
    *("microsoft-all-application-permissions", "microsoft-all-application-permissions-verified"),
    *("microsoft-application-admin", "microsoft-company-admin"),
)
"""The policies that Microsoft ships (Entra, "Manage app consent policies", and live tenants)."""

_FORMS = tuple(f"{prefix}." for prefix in PREFIXES)
_EXPECTED = " or ".join(f"{form}ID" for form in _FORMS)
_ALMOST = 0.9
"""How alike an id of a tenant's own must be to one of Microsoft's to be taken for a slip of it."""


def check_assigned(node: Node | None, match: str, problems: Problems) -> None:
    """Report what can never be an entry of the policies assigned to users, or with `prefix` begin one."""
    for item in items_of(node):
        if not (isinstance(item, Scalar) and (text := item.text.strip())):
            continue
        low = text.lower()
        if match == "exact":
            # Graph keeps the entry in the letters in which somebody wrote it.
            message = f'match: exact regards the letter case of "{text}", which differs between tenants'
            problems.warn(item.at, message)
        form = next((form for form in _FORMS if low.startswith(form.lower())), "")
        if match == "prefix" and any(form.lower().startswith(low) for form in _FORMS):
            continue
        if not form or (match != "prefix" and len(text) == len(form)):
            problems.add(item.at, f'"{text}" is no assigned policy', expected=_EXPECTED, near=_form_of(text))
        elif match == "prefix":
            _begins(item, text[len(form) :], problems)
        else:
            _id(item, text[len(form) :], problems)


def check_named(node: Node | None, problems: Problems) -> None:
    """Report what can be no id of a policy; here ids stand without what stands before them where they are assigned."""
    for item in items_of(node):
        if not (isinstance(item, Scalar) and (text := item.text.strip())):
            continue
        prefix, dot, rest = text.partition(".")
        if dot and (nearest(prefix, PREFIXES, SURE) or prefix.lower() in {p.lower() for p in PREFIXES}):
            problems.add(
                item.at,
                f'"{text}" has the prefix of an assigned policy',
                expected="the id of a policy alone",
                near=rest,
            )
        else:
            _id(item, text, problems)


def _form_of(text: str) -> str:
    """The entry that was probably meant; nothing where there is no id in it."""
    prefix, dot, rest = text.partition(".")
    glued = next((p for p in PREFIXES if text.lower().startswith(p.lower())), "")
    if glued:
        prefix, rest = glued, text[len(glued) :].strip(".:-_/ ")
    elif not dot:
        prefix, rest = PREFIXES[0], "" if nearest(text, PREFIXES, SURE) else text
    form = nearest(prefix, PREFIXES) or PREFIXES[0]
    return f"{form}.{slip_of(rest, BUILT_IN) or rest}" if rest else ""


def _id(item: Scalar, text: str, problems: Problems) -> None:
    """Ids of a tenant's own may be anything but almost one of Microsoft's."""
    low = text.lower()
    if low in BUILT_IN:
        return
    is_reserved = low.startswith(RESERVED)
    message = f'"{text}" is no policy of Microsoft\'s'
    if near := nearest(low, BUILT_IN, SURE if is_reserved else _ALMOST):
        problems.add(item.at, message, near=near)
    elif is_reserved:
        problems.warn(item.at, f"{message} that is known", near=nearest(low, BUILT_IN))


def _begins(item: Scalar, text: str, problems: Problems) -> None:
    """What follows the form, of which only the beginning is given."""
    low = text.lower()
    if RESERVED.startswith(low) or any(known.startswith(low) for known in BUILT_IN):
        return
    starts = {known[: len(low)] for known in BUILT_IN}
    is_reserved = low.startswith(RESERVED)
    if near := nearest(low, starts, SURE if is_reserved else _ALMOST):
        problems.add(item.at, f'no policy of Microsoft\'s begins with "{text}"', near=near)
    elif is_reserved:
        problems.warn(item.at, f'no policy of Microsoft\'s that is known begins with "{text}"')
