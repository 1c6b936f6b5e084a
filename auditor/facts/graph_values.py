"""The words, ids and names that Microsoft documents for the properties of Microsoft Graph that a snapshot holds."""

from __future__ import annotations

from functools import cache

import msgspec

from auditor.facts import load_table


class GraphValues(msgspec.Struct, frozen=True, kw_only=True):
    """The lists in ``graph_values.json``, which names their sources.

    `words` are the documented words of each property that holds one, by ``Type.property``, in Microsoft's letter case.
    `policies` are the ids of Microsoft's consent policies. The templates of directory settings and of built-in
    directory roles have the same ids in every tenant. `action_words` are the parts of the actions that a role allows,
    `json_names` the names of properties of objects that a snapshot keeps as they are, and `json_words` the documented
    words of such properties: the status of a request for admin consent, and the result of its review.
    """

    words: dict[str, tuple[str, ...]]
    policies: tuple[str, ...]
    setting_templates: dict[str, str]
    role_templates: dict[str, str]
    action_words: tuple[str, ...]
    json_names: tuple[str, ...]
    json_words: tuple[str, ...]


@cache
def graph_values() -> GraphValues:
    """The lists, read once, by the first caller."""
    return load_table("graph_values", GraphValues)
