"""What can stop a connection after consent: Conditional Access, a missing mailbox, and settings that weren't read."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from auditor.model.decision import AppRef


class Reach(StrEnum):
    """Whether a policy applies when the subject connects the app: surely, or in cases that the data doesn't decide."""

    REACHES = "reaches"
    MAY_REACH = "may-reach"


class Effect(StrEnum):
    """What a policy does where it applies.

    ``stops``: it blocks, or demands a device, an app or a strength that a vendor's server or an unmanaged device can't
    give. ``asks``: it demands what a user can give during the sign-in, such as a second factor.
    """

    STOPS = "stops"
    ASKS = "asks"
    UNKNOWN = "unknown"


class Access(StrEnum):
    """What Conditional Access does when the subject connects the app, after consent."""

    STOPS = "stops"
    MAY_STOP = "may-stop"
    ASKS = "asks"
    PASSES = "passes"
    UNKNOWN = "unknown"


class AccessPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A Conditional Access policy that applies, or may apply, to the sign-in.

    `enforced` is false for a policy that only reports, and none if its state isn't known. `demand` is a clause about
    the policy (``requires a device that …``). `applies` says to whom, to what and when it applies; `depends_on` are the
    facts that weren't read and decide whether it does. `notes` are advice about it, and `codes` the
    error codes that a user sees.
    """

    id: str
    name: str
    enforced: bool | None
    reach: Reach
    effect: Effect
    demand: str
    codes: tuple[str, ...] = ()
    applies: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The name in quotation marks, or the id of a policy without one, if it has at least that."""
        if self.name:
            return f'"{self.name}"'
        return f"policy {self.id}" if self.id else "a policy whose name was not read"


class Mailbox(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a licence gives the user a mailbox in Exchange Online: none means unknown. `because` is a sentence."""

    licensed: bool | None
    because: str


class NotChecked(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can stop the connection and that this audit can't read; `how` is a command that shows it."""

    what: str
    why: str
    how: str = ""


class AfterConsent(msgspec.Struct, frozen=True, kw_only=True):
    """What can stop the connection of one app after consent; no decision depends on it.

    `because` is a sentence about `access`. `mailbox` is none if the app asks for no mailbox, or for no particular user.
    """

    app: AppRef
    subject: str
    access: Access
    because: str
    policies: tuple[AccessPolicy, ...] = ()
    mailbox: Mailbox | None = None
    not_checked: tuple[NotChecked, ...] = ()
