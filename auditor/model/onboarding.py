"""Which customers have consented to the app of the audit, and what to send to those who haven't."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from auditor.model.errors import FAILING, NO_AUDIT, OK, UNKNOWN

FORMAT = "consent-auditor/onboarding"
VERSION = 1


class ConsentStatus(StrEnum):
    """What a customer's tenant says about the app; the order is that of the reports, what needs you first."""

    LOST = "lost"
    """It had consented before, and has no app any more, or an app without a permission."""
    PARTLY = "partly"
    """There is a token, but it lacks permissions that the packs need."""
    DISABLED = "disabled"
    """The app is turned off in the tenant."""
    NO_TENANT = "no-such-tenant"
    NOT_YET = "not-yet"
    UNKNOWN = "unknown"
    """No answer, or one that says nothing about the tenant: throttling, the network, your own credential."""
    CONSENTED = "consented"

    @property
    def rank(self) -> int:
        """The place in reports."""
        return list(ConsentStatus).index(self)


class ReadyMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to send as it is: the subject, and plain text in paragraphs. `mailto` opens a mail program with it."""

    subject: str
    text: str
    mailto: str = ""


class AskedPermission(msgspec.Struct, frozen=True, kw_only=True):
    """An application permission of Microsoft Graph that the packs need, and what it is for, in plain words."""

    name: str
    id: str
    reads: str
    without: str = ""


class CustomerConsent(msgspec.Struct, frozen=True, kw_only=True):
    """One customer. `name` is that of the configuration, `tenant` the id, or the domain that the configuration has.

    `says` is the status in a sentence. `missing` are the permissions that its token lacks, `lost` those of them that it
    had before. `consented` is the UTC time when the consent was last seen, empty if it never was. `code` is the error
    of the sign-in, `reason` why the status isn't known. `role` is who can act in the customer's tenant, and `message`
    what to send them; none if there is nothing to send. `link` is the admin consent link, empty without a client id.
    """

    name: str
    tenant: str
    status: ConsentStatus
    says: str
    tags: tuple[str, ...] = ()
    listed_by: str = ""
    client_id: str = ""
    missing: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    consented: str = ""
    code: str = ""
    reason: str = ""
    advice: str = ""
    role: str = ""
    link: str = ""
    message: ReadyMessage | None = None


class ProblemKind(StrEnum):
    """What a problem is about."""

    OWN = "own"
    """Your app registration or credential, whatever the tenant."""
    LIST = "list"
    """A list of customers, which may have more of them."""
    TENANT = "tenant"
    """These tenants, or the way to them."""


class OnboardingProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that prevents an answer, once, with the customers that it concerns."""

    kind: ProblemKind
    text: str
    advice: str
    code: str = ""
    customers: tuple[str, ...] = ()


class OnboardingSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How many customers have each status. `not_asked` are the snapshots, which need no consent."""

    customers: int = 0
    consented: int = 0
    partly: int = 0
    not_yet: int = 0
    lost: int = 0
    disabled: int = 0
    no_such_tenant: int = 0
    unknown: int = 0
    not_asked: int = 0


class Onboarding(msgspec.Struct, frozen=True, kw_only=True):
    """The consent of all customers at one time.

    `permissions` are those that the packs of any customer need. `not_asked` are names of tenants that are snapshots.
    `notes` say in sentences what limits the answer, such as a history that couldn't be read.
    """

    format: str = FORMAT
    version: int = VERSION
    tool: str = ""
    taken: str = ""
    provider: str = ""
    app_name: str = ""
    redirect_uri: str = ""
    answer: str = ""
    summary: OnboardingSummary = OnboardingSummary()
    permissions: tuple[AskedPermission, ...] = ()
    customers: tuple[CustomerConsent, ...] = ()
    problems: tuple[OnboardingProblem, ...] = ()
    not_asked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """3 if nothing could be asked, 1 if a customer hasn't consented, 4 if something is unknown, else 0."""
        made = self.summary
        if made.unknown == made.customers:
            return NO_AUDIT
        if made.consented + made.unknown < made.customers:
            return FAILING
        return UNKNOWN if made.unknown or any(one.kind is ProblemKind.LIST for one in self.problems) else OK
