"""A tenant that has its name, its people and its ids in every place where a tenant can have them."""

from __future__ import annotations

from uuid import UUID, uuid5

import msgspec

from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH
from auditor.model.access_resources import (
    AccessApplications,
    AccessClients,
    AccessConditions,
    AccessDevices,
    AccessFilter,
    AccessFlows,
    AccessGrantControls,
    AccessGuests,
    AccessLocations,
    AccessPlatforms,
    AccessSessionControls,
    AccessUsers,
    AppConsentRequest,
    AuthenticationStrength,
    ConditionalAccessPolicy,
    ConfigurationDrift,
    DirectoryAudit,
    DriftedProperty,
    LastSignIn,
    RoleDefinition,
    RolePermission,
    SecureSignInSession,
    SignIn,
    SignInActivity,
)
from auditor.model.resources import (
    AppRoleAssignment,
    ConditionSet,
    ConsentReviewer,
    DelegatedPermissionClassification,
    DelegatedScope,
    DirectorySetting,
    OAuth2PermissionGrant,
    Organization,
    PermissionGrantPolicy,
    ServicePrincipal,
    SettingValue,
    User,
    VerifiedDomain,
    VerifiedPublisher,
)
from auditor.model.snapshot import Call, Provenance, Snapshot, Tenant, Unread
from auditor.snapshot.samples import sample

_SPACE = UUID("d5f0b3aa-1111-4222-8333-444444444444")
replace = msgspec.structs.replace


class Secret:
    """The names and ids of one tenant, made of one word that is not in any dictionary."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.slug = word.lower()
        self.first, self.last, self.group, self.own = (f"{word}{end}" for end in ("ina", "mann", "fin", "net"))
        self.upn = f"{self.first}.{self.last}@{self.slug}.com".lower()
        self.guest = f"{self.first}_{self.slug}.com#EXT#@{self.slug}.onmicrosoft.com".lower()
        self.policy = f"{self.slug}-approved-apps"
        self.ids = {name: str(uuid5(_SPACE, f"{word}/{name}")) for name in ("tenant", "user", "group", "own-app", "sp")}

    @property
    def strings(self) -> tuple[str, ...]:
        """What must not be found, in lower case: every name contains the word."""
        return (self.slug, *self.ids.values(), *(i.replace("-", "") for i in self.ids.values()))


def named_tenant(secret: Secret, base: str = "custom-policy") -> Snapshot:
    """The sample with all secret names and IDs put in."""
    s, ids = secret, secret.ids
    tenant = sample(base)
    sections = tenant.sections
    user = User(id=ids["user"], userPrincipalName=s.upn, displayName=f"{s.first} {s.last}", userType="Member")
    own = ServicePrincipal(
        id=ids["sp"],
        appId=ids["own-app"],
        displayName=f"{s.own} for {s.word} staff",
        appDisplayName=s.own,
        appOwnerOrganizationId=ids["tenant"],
        accountEnabled=True,
        replyUrls=(f"https://{s.own}.{s.slug}.com/cb", f"https://{s.slug}.sharepoint.com/x"),
        servicePrincipalNames=(ids["own-app"], f"api://{s.slug}.com/{s.own}"),
        tags=(f"{s.slug}-tag", "HideApp"),
        verifiedPublisher=VerifiedPublisher(displayName=f"{s.word} Ltd", verifiedPublisherId="4711"),
        oauth2PermissionScopes=(
            DelegatedScope(
                id=str(uuid5(_SPACE, f"{s.word}/scope")),
                value=f"{s.own}.Read",
                type="User",
                isEnabled=True,
                adminConsentDisplayName=f"Read {s.own}",
                userConsentDisplayName=f"Let {s.word} read",
            ),
        ),
    )
    policy = PermissionGrantPolicy(
        id=s.policy,
        displayName=f"Approved by {s.word}",
        description=f"Ask {s.upn}",
        includes=(
            ConditionSet(
                id=str(uuid5(_SPACE, f"{s.word}/set")),
                permissionType="delegated",
                clientApplicationIds=(ids["own-app"],),
                clientApplicationTenantIds=(ids["tenant"],),
            ),
        ),
        excludes=(),
    )
    message = (
        f"User {s.upn} ({ids['user'].replace('-', '')}) of '{s.word}' may not; see https://{s.slug}.com/{ids['user']}"
    )
    new = replace(
        sections,
        organization=Organization(
            id=ids["tenant"],
            displayName=s.word,
            tenantType="AAD",
            verifiedDomains=(VerifiedDomain(name=f"{s.slug}.com"), VerifiedDomain(name=f"{s.slug}.onmicrosoft.com")),
        ),
        permissionGrantPolicies=(*(sections.permissionGrantPolicies or ()), policy),
        servicePrincipals=(*(sections.servicePrincipals or ()), own),
        users=(user, replace(user, id=ids["group"], userPrincipalName=s.guest)),
        oauth2PermissionGrants=(
            *(sections.oauth2PermissionGrants or ()),
            OAuth2PermissionGrant(
                id=f"g-{s.slug}",
                clientId=ids["sp"],
                consentType="Principal",
                principalId=ids["user"],
                resourceId=ids["sp"],
                scope=f"{s.own}.Read",
            ),
        ),
        appRoleAssignedTo={
            **(sections.appRoleAssignedTo or {}),
            ids["own-app"]: (
                AppRoleAssignment(
                    id=f"a-{s.slug}",
                    principalId=ids["group"],
                    principalType="Group",
                    principalDisplayName=s.group,
                    resourceDisplayName=s.own,
                    appRoleId=str(uuid5(_SPACE, f"{s.word}/role")),
                ),
            ),
        },
        appRoleAssignments={
            ids["own-app"]: (
                AppRoleAssignment(
                    id=f"h-{s.slug}",
                    principalId=ids["sp"],
                    principalType="ServicePrincipal",
                    principalDisplayName=s.own,
                    resourceDisplayName=f"{s.word} API",
                    appRoleId=str(uuid5(_SPACE, f"{s.word}/role")),
                ),
            ),
        },
        servicePrincipalSignInActivities=(
            SignInActivity(appId=ids["own-app"], id=f"l-{s.slug}", lastSignInActivity=LastSignIn()),
        ),
        delegatedPermissionClassifications={
            **(sections.delegatedPermissionClassifications or {}),
            ids["own-app"]: (
                DelegatedPermissionClassification(
                    permissionId=str(uuid5(_SPACE, f"{s.word}/scope")),
                    permissionName=f"{s.own}.Read",
                    classification="low",
                ),
            ),
        },
        conditionalAccessPolicies=(_access_policy(s),),
        roleDefinitions=(
            RoleDefinition(
                id=str(uuid5(_SPACE, f"{s.word}/custom")),
                displayName=f"{s.word} helpers",
                isBuiltIn=False,
                isEnabled=True,
                rolePermissions=(
                    RolePermission(
                        allowedResourceActions=(
                            f"microsoft.directory/servicePrincipals/managePermissionGrantsForSelf.{s.policy}",
                        )
                    ),
                ),
            ),
        ),
        directorySettings=(
            DirectorySetting(
                id=str(uuid5(_SPACE, f"{s.word}/setting")),
                displayName=f"{s.word} settings",
                templateId="dffd5d46-495d-40a9-8e21-954ff55e198a",
                values=(
                    SettingValue(name="ConstrainGroupSpecificConsentToMembersOfGroupId", value=ids["group"]),
                    SettingValue(name="CustomBlockedWordsList", value=f"{s.slug},ceo"),
                ),
            ),
        ),
        appConsentRequests=(
            AppConsentRequest(
                id=str(uuid5(_SPACE, f"{s.word}/request")),
                appId=ids["own-app"],
                appDisplayName=s.own,
                pendingScopes=({"displayName": f"{s.own}.Read"},),
                userConsentRequests=({"reason": f"{s.first} needs it", "createdBy": {"user": {"id": ids["user"]}}},),
            ),
        ),
        signIns=(
            SignIn(
                id=str(uuid5(_SPACE, f"{s.word}/sign-in")),
                appId=ids["own-app"],
                appDisplayName=s.own,
                userId=ids["user"],
                userPrincipalName=s.upn,
                userDisplayName=f"{s.first} {s.last}",
                resourceDisplayName=s.own,
            ),
        ),
        directoryAudits=(
            DirectoryAudit(
                id=f"Directory_{s.slug}",
                activityDisplayName="Consent to application",
                initiatedBy={"user": {"userPrincipalName": s.upn, "ipAddress": "203.0.113.7"}},
                targetResources=({"displayName": s.own, "modifiedProperties": [{"newValue": f'"{s.word}"'}]},),
            ),
        ),
        configurationDrifts=(
            ConfigurationDrift(
                resourceType="microsoft.entra.servicePrincipal",
                resourceInstanceIdentifier={"displayName": s.own},
                driftedProperties=(DriftedProperty(propertyName=f"{s.slug}Enabled"),),
            ),
        ),
    )
    if new.adminConsentRequestPolicy is not None:
        reviewers = (ConsentReviewer(query=f"/users/{ids['user']}", queryType="MicrosoftGraph"),)
        new = replace(new, adminConsentRequestPolicy=replace(new.adminConsentRequestPolicy, reviewers=reviewers))
    unread = {
        f"users/{s.upn}": Unread(status=403, code="Denied", message=message, request_id=ids["user"]),
        "directorySettings": Unread(status=403, code=f"Denied{s.word}", message=message),
    }
    calls = (
        Call(section="users", address=f"/v1.0/users/{s.upn.replace('@', '%40')}?$select=id", status=200),
        Call(section="servicePrincipals", address=f"/v1.0/servicePrincipals(appId='{ids['own-app']}')", status=404),
        Call(section="servicePrincipals", address=f"/v1.0/servicePrincipals(appId='{MICROSOFT_GRAPH}')", status=200),
    )
    return replace(
        tenant,
        tenant=Tenant(id=ids["tenant"], name=s.word),
        sections=new,
        unread=unread,
        covers={},
        provenance=Provenance(reader=ids["own-app"], permissions=("Policy.Read.All",), calls=calls),
    )


def _access_policy(s: Secret) -> ConditionalAccessPolicy:
    """A Conditional Access policy with names and IDs of the tenant wherever one can have them."""
    ids, rule = s.ids, AccessFilter(mode="exclude", rule=f'device.displayName -eq "{s.word}-laptop"')
    return ConditionalAccessPolicy(
        id=str(uuid5(_SPACE, f"{s.word}/access")),
        displayName=f"{s.word}: managed devices",
        state="enabled",
        conditions=AccessConditions(
            applications=AccessApplications(
                includeApplications=(EXCHANGE_ONLINE, ids["own-app"]),
                excludeApplications=("Office365", ids["own-app"]),
                includeUserActions=("urn:user:registerdevice",),
                includeAuthenticationContextClassReferences=("c1",),
                applicationFilter=AccessFilter(mode="include", rule=f"CustomSecurityAttribute.{s.word}_Apps"),
                unknownConditions=("networkAccess",),
            ),
            users=AccessUsers(
                includeUsers=("All", ids["user"]),
                excludeUsers=(ids["user"],),
                includeGroups=(ids["group"],),
                excludeGroups=(ids["group"],),
                includeRoles=("62e90394-69f5-4237-9190-012177145e10",),
                excludeRoles=(),
                includeGuestsOrExternalUsers=AccessGuests(
                    guestOrExternalUserTypes="internalGuest,b2bCollaborationMember"
                ),
                excludeGuestsOrExternalUsers=AccessGuests(guestOrExternalUserTypes="serviceProvider"),
            ),
            clientApplications=AccessClients(
                includeServicePrincipals=("ServicePrincipalsInMyTenant", ids["sp"]),
                excludeServicePrincipals=(ids["sp"],),
            ),
            clientAppTypes=("all",),
            platforms=AccessPlatforms(includePlatforms=("all",), excludePlatforms=("iOS",)),
            locations=AccessLocations(includeLocations=("All",), excludeLocations=("AllTrusted", ids["group"])),
            devices=AccessDevices(deviceFilter=rule),
            authenticationFlows=AccessFlows(transferMethods="deviceCodeFlow,authenticationTransfer"),
            signInRiskLevels=("high",),
            insiderRiskLevels="minor,elevated",
        ),
        grantControls=AccessGrantControls(
            operator="OR",
            builtInControls=("compliantDevice",),
            customAuthenticationFactors=(ids["group"],),
            termsOfUse=(ids["group"],),
            authenticationStrength=AuthenticationStrength(
                id=str(uuid5(_SPACE, f"{s.word}/strength")),
                displayName=f"{s.word} keys",
                policyType="custom",
                requirementsSatisfied="mfa",
                allowedCombinations=("fido2",),
            ),
        ),
        sessionControls=AccessSessionControls(secureSignInSession=SecureSignInSession(isEnabled=True)),
    )
