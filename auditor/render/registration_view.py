"""What to register once for all customers, as a document for the administrator who does it."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.facts.ids import ADMIN_CENTER, cloud_named
from auditor.model.document import (
    Block,
    Cell,
    Document,
    Grid,
    Heading,
    Paragraph,
    Point,
    Points,
    Title,
    code,
    count,
    series,
)
from auditor.model.registration import (
    AZ_SCRIPT,
    CERTIFICATE_FILE,
    CONFIGURATION_FILE,
    CUSTOMERS_FILE,
    POWERSHELL_SCRIPT,
    Registration,
)
from auditor.render.labels import flat

LIST_NAMES = {"gdap": "delegated admin relationships (GDAP)", "contracts": "contracts"}
"""The lists of a partner's customers, by the key of a configuration."""


def document(registration: Registration, *, role: str, has_files: bool) -> Document:
    """The steps, in their order. `role` is who can take them, `has_files` whether the scripts were written, too."""
    number = len(registration.permissions)
    return (
        Title(f"Register {flat(registration.name)} once for all customers"),
        Paragraph(
            f"One app registration in your own tenant, with {count(number, 'permission')} that only read, and without a"
            " secret. It gives no access by itself: each customer consents to it, and can take that back."
        ),
        Paragraph(f"Who can register it: {role}."),
        Heading("What customers are asked for"),
        *_permissions(registration, has_files=has_files),
        *(_listing(registration, has_files=has_files) if registration.listing else ()),
        Heading("1. Make a certificate"),
        *_certificate(),
        Heading("2. Register the app"),
        *_register(registration, has_files=has_files),
        Heading("3. List your customers, and ask them"),
        Points(tuple(map(Point, _next(registration, has_files=has_files)))),
    )


def _permissions(registration: Registration, *, has_files: bool) -> Iterator[Block]:
    packs = registration.packs
    yield Paragraph(
        f"The least application permissions of Microsoft Graph for {_packs(packs)}. With other packs, run this again."
    )
    rows = tuple((Cell(code(one.name)), Cell(one.reads), Cell(code(one.id))) for one in registration.permissions)
    yield _table(("Permission", "Reads", "App role ID"), rows, has_ids=has_files)


def _table(heads: tuple[str, ...], rows: tuple[tuple[Cell, ...], ...], *, has_ids: bool) -> Grid:
    """The table; a terminal is too narrow for the ids in its last column."""
    return Grid(heads, rows, 1) if has_ids else Grid(heads[:-1], tuple(row[:-1] for row in rows), 1)


def _packs(names: tuple[str, ...]) -> str:
    if len(names) > 4:
        return f"the {len(names)} packs that are about an app"
    return series([code(name) for name in names])


def _listing(registration: Registration, *, has_files: bool) -> Iterator[Block]:
    yield Heading("What only your own tenant grants")
    yield Paragraph(
        "To list your customers. The scripts give it to the app's enterprise application in your own tenant, and not to"
        " the registration, so that no customer is asked for it. The portal can't do that."
    )
    rows = tuple((Cell(code(one.name)), Cell(one.title), Cell(code(one.id))) for one in registration.listing)
    yield _table(("Permission", "Lists the customers by", "App role ID"), rows, has_ids=has_files)


def _certificate() -> Iterator[Block]:
    yield Paragraph(
        "On the machine that runs the audit, so that the key never leaves it. If the audit runs in a pipeline or in"
        " Kubernetes, use a federated credential, and skip this step."
    )
    yield Points(
        (
            Point(
                "With openssl: "
                + code(
                    "umask 077; openssl req -x509 -newkey rsa:3072 -sha256 -days 365 -nodes -subj /CN=consent-auditor"
                    f" -keyout key.pem -out cert.pem; cat key.pem cert.pem > {CERTIFICATE_FILE}; rm key.pem"
                )
            ),
            Point("With PowerShell: see docs/app-registration.md, Certificate."),
        )
    )


def _register(registration: Registration, *, has_files: bool) -> Iterator[Block]:
    where = "" if has_files else ", which -o FOLDER writes"
    yield Paragraph(f"With a script{where}, or in the portal. Read a script before you run it.")
    yield Points(
        (
            Point(f"Azure CLI: {code(f'CERTIFICATE=cert.pem bash {AZ_SCRIPT}')}"),
            Point(f"PowerShell: {code(f'./{POWERSHELL_SCRIPT} -CertificatePath cert.cer')}"),
            Point("Portal:", tuple(map(Point, _portal(registration)))),
        )
    )


def _portal(registration: Registration) -> Iterator[str]:
    cloud = cloud_named(registration.cloud)
    portal = cloud.portal if cloud.is_national else ADMIN_CENTER
    yield f"{code(portal)} > Entra ID > App registrations > New registration. Name: {flat(registration.name)}."
    yield "Supported account types: accounts in any organizational directory (Multitenant)."
    yield f"Redirect URI: platform Web, {code(registration.redirect_uri)}. Select Register."
    yield (
        "API permissions: remove User.Read. Add a permission > Microsoft Graph > Application permissions, each one of"
        " the table above. Don't grant admin consent, unless you audit your own tenant, too."
    )
    yield "Certificates & secrets > Certificates > Upload certificate: cert.pem. Don't add a client secret."
    yield "Authentication > App instance property lock > Configure: on, for all properties."
    yield "Overview: copy Application (client) ID."


def _next(registration: Registration, *, has_files: bool) -> Iterator[str]:
    at = CONFIGURATION_FILE if has_files else "the configuration"
    company = "" if registration.provider else ", and the name of your company"
    yield f"Put the client ID into {at}{company}."
    if registration.customers == "csv":
        yield f"List your customers in {CUSTOMERS_FILE if has_files else 'a CSV file'}: their tenant ID, name and tags."
    else:
        yield f"Check {at}: it takes your customers from the {LIST_NAMES[registration.customers]} in your own tenant."
    yield f"Write the links and messages: {code('consent-auditor fleet onboard -o onboarding.html')}. Send each one."
    yield f"See who has consented: {code('consent-auditor fleet onboard')}."
    yield f"Audit them all: {code('consent-auditor nightly run')}."
