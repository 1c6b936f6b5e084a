"""The lists of customers that were read last, with the customers that are no longer in them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, update

from auditor.history.run_rows import storable
from auditor.history.tables import customer_lists, customers
from auditor.model.customers import Customer, CustomerList, ListKind


def kept_list(connection: Connection, source: str) -> CustomerList | None:
    """The list of a source as it was kept last, or none."""
    head = connection.execute(select(customer_lists).where(customer_lists.c.source == storable(source))).first()
    if head is None:
        return None
    rows = connection.execute(
        select(customers.c.customer).where(customers.c.source == head.source).order_by(customers.c.key)
    )
    found = tuple(msgspec.json.decode(row.customer, type=Customer) for row in rows)
    return CustomerList(
        source=source,
        kind=ListKind(head.kind),
        taken=head.taken,
        tried=head.tried,
        customers=tuple(one for one in found if not one.gone),
        new=tuple(one for one in found if one.since == head.taken and not (one.gone or head.error)),
        gone=tuple(one for one in found if one.gone),
        error=head.error,
        advice=head.advice,
    )


def keep_list(connection: Connection, found: CustomerList) -> None:
    """Keep the list in place of the one before. A row is only written if its customer differs."""
    source = storable(found.source)
    head = {"kind": found.kind.value, "taken": found.taken, "tried": found.tried}
    head |= {"error": storable(found.error), "advice": storable(found.advice)}
    if not connection.execute(update(customer_lists).where(customer_lists.c.source == source).values(**head)).rowcount:
        connection.execute(insert(customer_lists).values(source=source, **head))
    rows = connection.execute(select(customers.c.key, customers.c.customer).where(customers.c.source == source))
    before = {row.key: row.customer for row in rows}
    now = {storable(one.key): one for one in (*found.customers, *found.gone)}
    for key, one in now.items():
        text = storable(msgspec.json.encode(one).decode())
        if before.get(key) == text:
            continue
        values = {"tenant": storable(one.tenant), "label": storable(one.label), "gone": one.gone, "customer": text}
        if key in before:
            where = (customers.c.source == source, customers.c.key == key)
            connection.execute(update(customers).where(*where).values(**values))
        else:
            connection.execute(insert(customers).values(source=source, key=key, **values))
    for key in before.keys() - now.keys():
        connection.execute(delete(customers).where(customers.c.source == source, customers.c.key == key))


def customers_called(connection: Connection, names: Iterable[str]) -> tuple[Customer, ...]:
    """The customers with these ids, names of files or labels, once for each list that has them."""
    found = connection.execute(select(customers.c.customer).where(_is_called(names)).order_by(customers.c.key))
    return tuple(msgspec.json.decode(row.customer, type=Customer) for row in found)


def delete_customers(connection: Connection, names: Iterable[str]) -> int:
    """Delete the tenants with these ids, names of files or labels from every list, and return their number."""
    return connection.execute(delete(customers).where(_is_called(names))).rowcount


def _is_called(names: Iterable[str]) -> ColumnElement[bool]:
    meant = [name.lower() for name in names]
    columns = (customers.c.tenant, customers.c.key, customers.c.label)
    return or_(*(func.lower(column).in_(meant) for column in columns))


def delete_gone(connection: Connection, before: str) -> None:
    """Delete the customers that are gone since a time before this one."""
    connection.execute(delete(customers).where(customers.c.gone != "", customers.c.gone < before))
