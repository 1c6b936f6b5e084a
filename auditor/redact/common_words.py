"""Words too ordinary to give anybody away, and too common to be cut out of a text wherever they stand."""

from __future__ import annotations

SHORT = frozenset(
    """
    act add age ago aim air all am an and any api app apr are art as ask at aug bad be big bit box but buy by can car
    ceo cfo cio com con css csv cto cut das day de dec del den der die dns do du due ein el en end es est etc eu ex
    far feb few fix for fri from fur gap get go got gpo had has he her hi him his how hr html http id if im in int io
    ip is isp ist it its jan jpg jul jun key la lan las law le les let log lot low mac map mar max may mdm me men met
    mfa min mon ms my net new no non nor not nov now och oct of off og ok old on one op or org os our out own par pay
    pc pdf per pin png pre pro put raw red rev rfc row run sat saw say sec see sep set she sku sms so sql sso sub sue
    sum sun tag tax tcp ten the thu tls to too top tot try tue tv two txt ui uk und up uri url us usa use van via vm
    von vpn vs wan was way we web wed who why wie win www xml yaml yes yet you za ze zip zu zur
    """.split()
)
"""Words of two or three letters that are too common to stand for anybody."""

ORDINARY = SHORT | frozenset(
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
    "atlassian.net",
    "azure-api.net",
    "azurefd.net",
    "azurewebsites.net",
    "b2clogin.com",
    "ciamlogin.com",
    "crm.dynamics.com",
    "mail.onmicrosoft.com",
    "mail.protection.outlook.com",
    "okta.com",
    "onmicrosoft.cn",
    "onmicrosoft.com",
    "onmicrosoft.de",
    "onmicrosoft.us",
    "partner.onmschina.cn",
    "service-now.com",
    "sharepoint.cn",
    "sharepoint.com",
    "sharepoint.us",
    "vault.azure.net",
    "blob.core.windows.net",
    "cloudapp.azure.com",
)
"""Domains below which the name of a customer stands."""
