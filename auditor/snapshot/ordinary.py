"""Words too ordinary to give anybody away, and too common to be cut out of a text wherever they stand."""

from __future__ import annotations

ORDINARY = frozenset(
    """
    a about access account accounting accounts ad admin administrator administrators admins ag agency all allow
    allowed alpha and api app application applications apps asset assigned associates audit auth authorization
    azure b.v. bank beta bv calendar calendars care centre center certificate chat city client clients cloud co
    com company connect connected consent consultants consulting contact contacts corp corporate corporation
    council customer customers data default demo department desktop dev development device devices digital
    directory domain dynamics education email employees energy engineering enterprise entra europe events example
    exchange executive external family file files finance first for foundation free from global gmbh government
    grant grants graph group groups guest guests head health help high holding holdings home hr hub id inc
    industries info information insurance integration internal international internet invest it job jobs just key
    last law legal limited list llc llp local log login low ltd mail mailbox main managed management manager
    managers mark marketing may media medical medium member members mfa microsoft mobile money my name national
    net network new none not offboarding office offline old on onboarding online open operations or org
    organization owner owners page partner partners payroll people permission permissions personal plc policy
    portal power privilege product production profile project projects public publisher publishing read reader
    recruiting recruitment register registration report reports request research resource resources retail
    reviewer reviewers risk role roles root rose sa sales school scope scopes search secure security selection
    send server service services setting settings share sharepoint shared sign site sites software solutions some
    staff staffing standard store stores student students support sync system systems task tasks team teams tech
    technologies technology tenant test testing the tier to token tool tools trade trading training transport
    travel trust uk university unknown us use user users vendor verified video web will with work workflow works
    world write
    """.split()
)
"""Lower-case words. A name that is one of these is replaced where it stands as a name, but not inside texts."""

MAIL_HOSTS = frozenset(
    """
    aol.com gmail.com gmx.com gmx.de googlemail.com hotmail.com icloud.com live.com mail.com me.com msn.com
    outlook.com proton.me protonmail.com web.de yahoo.com
    """.split()
)
"""Domains of mail that say nothing about a tenant."""

MICROSOFT_HOSTS = (
    "aadrm.com",
    "azure.cn",
    "azure.com",
    "azure.net",
    "azure.us",
    "chinacloudapi.cn",
    "live.com",
    "microsoft.com",
    "microsoft.us",
    "microsoftonline.cn",
    "microsoftonline.com",
    "microsoftonline.us",
    "office.com",
    "office.net",
    "office365.com",
    "office365.us",
    "outlook.com",
    "powerbi.com",
    "skype.com",
    "skypeforbusiness.com",
    "teams.microsoft.com",
    "windows.net",
    "windowsazure.com",
    "yammer.com",
)
"""Domains of Microsoft's own resources, which stay readable, but for `TENANT_HOSTS`."""

TENANT_HOSTS = (
    "azure-api.net",
    "azurewebsites.net",
    "b2clogin.com",
    "ciamlogin.com",
    "crm.dynamics.com",
    "mail.protection.outlook.com",
    "onmicrosoft.cn",
    "onmicrosoft.com",
    "onmicrosoft.de",
    "onmicrosoft.us",
    "partner.onmschina.cn",
    "sharepoint.cn",
    "sharepoint.com",
    "sharepoint.us",
    "vault.azure.net",
    "blob.core.windows.net",
    "cloudapp.azure.com",
)
"""Domains below which the name of a customer stands."""
