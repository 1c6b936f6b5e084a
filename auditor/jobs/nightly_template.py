"""The configuration that ``nightly init`` writes: the shortest one that works, and every other key as a comment."""

from __future__ import annotations

from auditor.jobs.nightly_forms import live_tenant

_EXAMPLE = "contoso.onmicrosoft.com"


def configuration_template(tenant: str = "") -> str:
    """The text, with this tenant if it is the id or a domain of one."""
    given = tenant.strip()
    return _TEMPLATE.replace(_EXAMPLE, given if given and live_tenant(given) is None else _EXAMPLE, 1)


_TEMPLATE = """\
# Nightly runs of consent-auditor. Relative paths start in the folder of this file. Every key: docs/nightly.md
# Test this file:  consent-auditor nightly check --config FILE
# Run it:          consent-auditor nightly run --config FILE
version: 1

tenants:
  # A live tenant, by its ID or a domain. Without a credential here, the AZURE_... variables are used.
  - tenant: contoso.onmicrosoft.com
    packs: [trackerrms-uk, cisa-scuba]        # consent-auditor packs list
    # apps: [thunderbird, em-client]          # consent-auditor apps list
    # name: contoso                           # in reports, folders, metrics and messages; default: the tenant
    # tags: [gold]
    # credential:
    #   client-id: 00000000-0000-0000-0000-000000000000
    #   secret: {env: CONTOSO_SECRET}         # or certificate: {file: contoso.pem}
    # fail-on: high                           # critical, high, medium (default), low, info or never
    # fail-on-new: medium                     # in place of fail-on: only findings that the last run didn't have
    # fail-on-change: true                    # in place of fail-on: any change that can matter

  # A snapshot file, evaluated again in each run:
  # - {name: acme, snapshot: acme.json, packs: [trackerrms-uk]}

  # A CSV file with the columns tenant, name and tags; client-id, cloud, packs and group if you need them:
  # - {csv: customers.csv, packs: [trackerrms-uk]}

  # A folder with a snapshot or bundle for each tenant, named after the file:
  # - {snapshots: sent-by-customers/, packs: [trackerrms-uk]}

  # The customers of a partner: delegated admin relationships (gdap) or contracts.
  # Such a list gives no access: that comes from each customer's consent to your app.
  # - gdap:
  #     tenant: partner.onmicrosoft.com       # your own tenant, where the app may read the list
  #     credential: {client-id: 00000000-0000-0000-0000-000000000000, secret: {env: PARTNER_SECRET}}
  #   packs: [trackerrms-uk]
  #   tags: [msp]
  #   except: [Test customer]                 # by ID, domain or name; or only: [...]

# What applies to each tenant that doesn't set it itself:
# defaults:
#   packs: [trackerrms-uk]
#   waivers: [waivers.yaml]
#   abused: [abused-apps.yaml]                # your own list of apps that attackers use
#   reports: {folder: audit-results/, formats: [html, json]}   # audit-results/NAME/report.html
#   timeout: 120                              # seconds for all requests to Microsoft of one tenant
#   concurrency: 50                           # tenants that are read at the same time

# Where runs are kept. Default: a file of SQLite in the state folder of your user.
# history: {url: {env: CONSENT_AUDITOR_DB}}   # PostgreSQL; or {file: history.db}
# keep: {days: 400, runs: 500}                # runs in which something changed are always kept

# A dashboard of all tenants and nights, as static pages: open audit-results/site/index.html.
# site: audit-results/site/

# Whom to notify. The addresses are those of apprise (https://github.com/caronc/apprise/wiki).
# They are secrets, so they are never in this file. A reference says where they are:
# Use {env: NAME}, {file: PATH}, {systemd: NAME} or {keyvault: https://VAULT.vault.azure.net/secrets/NAME}.
# notify:
#   - url: {env: TEAMS_URL}
#     on: [change, failure, recovery, expiry]   # also: always, digest
#     at-least: high
#     remind-after: 7d

# A service that notices a run that didn't happen (healthchecks.io or the like):
# heartbeat: {url: {env: HEARTBEAT_URL}}
# schedule: {every: 24h}                      # how often a run is due
# metrics: /var/lib/node_exporter/consent-auditor.prom
"""
