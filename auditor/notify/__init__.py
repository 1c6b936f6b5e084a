"""Decide what to send to whom after a run, and send it."""

from auditor.notify.composition import messages_for
from auditor.notify.delivery import deliver
from auditor.notify.expiries import expiries_of

__all__ = ["deliver", "expiries_of", "messages_for"]
