"""The tenants of a configuration whose entries name a list of customers in place of a tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor.jobs.audit_request import SILENT, Interaction
from auditor.model.configuration import Configuration
from auditor.model.customers import CustomerList

if TYPE_CHECKING:
    from auditor.history import History
    from auditor.jobs.secret_references import Secrets


class ListedConfiguration(NamedTuple):
    """A configuration with every customer of its lists as a tenant, and the lists, in the order of the configuration.

    A list with an error keeps the customers of the last one: they are still audited, and the error has to be reported.
    """

    configuration: Configuration
    lists: tuple[CustomerList, ...] = ()


def with_customers(
    configuration: Configuration,
    secrets: Secrets,
    history: History | None = None,
    *,
    now: str = "",
    record: bool = False,
    at_most_hours_old: float = 0,
    interaction: Interaction = SILENT,
) -> ListedConfiguration:
    """The configuration with its lists of customers read, and each customer as a tenant of it.

    `now` is the UTC time of the run. `history` has the lists of earlier runs, for comparison and in place of a list
    that can't be read; with `record`, it keeps what was read now. A kept list that is at most `at_most_hours_old` is
    used without a read. Whatever is wrong with a list is in its `error`. Raises HistoryError.
    """
    return ListedConfiguration(configuration)
