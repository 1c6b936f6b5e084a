"""Every address the server knows, with the permissions that Microsoft documents for it."""

from __future__ import annotations

from . import readers
from .filters import Filter
from .routes import BETA, Paging, Route, Workload, eq

_APPS = ("Application.Read.All", "Directory.Read.All", "Application.ReadWrite.All", "Directory.ReadWrite.All")
_AUTHORIZATION = ("Policy.Read.All", "Policy.ReadWrite.Authorization")
_CONSENT_POLICY = ("Policy.Read.All", "Policy.ReadWrite.ConsentRequest")
_GRANT_POLICIES = ("Policy.Read.PermissionGrant", "Policy.ReadWrite.PermissionGrant")
_GRANTS = (
    "Directory.Read.All",
    "DelegatedPermissionGrant.Read.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.ReadWrite.All",
)
_DIRECTORY = ("Directory.Read.All", "Directory.ReadWrite.All")
_SETTINGS = ("GroupSettings.Read.All", "GroupSettings.ReadWrite.All", *_DIRECTORY)
_REQUESTS = ("ConsentRequest.Read.All", "ConsentRequest.ReadWrite.All")
_ROLES = ("RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory", "RoleManagement.Read.All", *_DIRECTORY)
_USERS = ("User.Read.All", "User.ReadWrite.All", *_DIRECTORY)
_AUDIT = ("AuditLog.Read.All",)
_PARTNER = ("DelegatedAdminRelationship.Read.All", "DelegatedAdminRelationship.ReadWrite.All")
_MONITORING = ("ConfigurationMonitoring.Read.All", "ConfigurationMonitoring.ReadWrite.All")

_COMPARED = frozenset({"eq", "ne", "ge", "gt", "le", "lt", "startswith"})
_LOGS = Paging(1000, 1000)
_ONE_PAGE = Paging(999, 999)
_PARTNER_PAGE = Paging(100, 300)
_REQUEST_FILTER = Filter({**eq("id", "appId", "appDisplayName"), "userConsentRequests/*/status": frozenset({"eq"})})
_SP_FILTER = Filter(
    {
        **eq("servicePrincipalType", "accountEnabled"),
        "appId": frozenset({"eq", "in", "startswith"}),
        "id": frozenset({"eq", "in"}),
        "displayName": frozenset({"eq", "in", "startswith"}),
    }
)
_GRANT_FILTER = Filter(eq("clientId", "consentType"), frozenset({"and"}))
_GRANT_FILTER_BETA = Filter(eq("clientId", "consentType", "principalId", "resourceId"), frozenset({"and"}))
_ROLE_FILTER = Filter(eq("id", "displayName", "isBuiltIn", "templateId"))
_ASSIGNMENT_FILTER = Filter(eq("roleDefinitionId", "principalId", "directoryScopeId"))
_AUDIT_FILTER = Filter(
    dict.fromkeys(("activityDisplayName", "activityDateTime", "category", "result", "correlationId"), _COMPARED)
)
_DRIFT_FILTER = Filter(
    {
        "firstReportedDateTime": frozenset({"eq", "ne", "ge", "le"}),
        "baselineResourceDisplayName": frozenset({"eq", "ne", "startswith"}),
        "resourceType": frozenset({"eq", "ne", "startswith"}),
        **dict.fromkeys(("id", "monitorId", "status", "tenantId"), frozenset({"eq", "ne"})),
    }
)
_SIGN_IN_FILTER = Filter(
    dict.fromkeys(
        (
            *("appId", "createdDateTime", "userId", "userPrincipalName", "correlationId"),
            *("status/errorCode", "resourceId"),
        ),
        _COMPARED,
    ),
    most_alternatives=15,
)

ROUTES: tuple[Route, ...] = (
    Route(
        "organization",
        "organization",
        "Organization",
        readers.organization,
        ("Organization.Read.All", "Organization.ReadWrite.All", *_DIRECTORY),
    ),
    Route(
        "policies/authorizationPolicy",
        "authorizationPolicy",
        "AuthorizationPolicy",
        readers.authorization_policy,
        _AUTHORIZATION,
        Workload.POLICY,
        show=readers.show_authorization_policy,
    ),
    Route(
        "policies/authorizationPolicy/{}",
        "authorizationPolicy",
        "AuthorizationPolicy",
        readers.authorization_policy,
        _AUTHORIZATION,
        Workload.POLICY,
        BETA,
        show=readers.show_authorization_policy,
    ),
    Route(
        "policies/permissionGrantPolicies",
        "permissionGrantPolicies",
        "PermissionGrantPolicy",
        readers.everything("permissionGrantPolicies"),
        _GRANT_POLICIES,
        show=readers.show_grant_policy,
        paging=_ONE_PAGE,
    ),
    Route(
        "policies/permissionGrantPolicies/{}",
        "permissionGrantPolicies",
        "PermissionGrantPolicy",
        readers.by_key("permissionGrantPolicies"),
        _GRANT_POLICIES,
        show=readers.show_grant_policy,
    ),
    *(
        Route(
            f"policies/permissionGrantPolicies/{{}}/{side}",
            "permissionGrantPolicies",
            "PermissionGrantConditionSet",
            readers.inside("permissionGrantPolicies", side, readers.show_condition_set),
            _GRANT_POLICIES,
            paging=_ONE_PAGE,
        )
        for side in ("includes", "excludes")
    ),
    Route(
        "policies/adminConsentRequestPolicy",
        "adminConsentRequestPolicy",
        "AdminConsentRequestPolicy",
        readers.only("adminConsentRequestPolicy"),
        _CONSENT_POLICY,
        Workload.POLICY,
    ),
    Route(
        "identity/conditionalAccess/policies",
        "conditionalAccessPolicies",
        "ConditionalAccessPolicy",
        readers.everything("conditionalAccessPolicies"),
        ("Policy.Read.All",),
        Workload.POLICY,
    ),
    Route(
        "servicePrincipals",
        "servicePrincipals",
        "ServicePrincipal",
        readers.everything("servicePrincipals"),
        _APPS,
        filters=_SP_FILTER,
        show=readers.show_service_principal,
    ),
    Route(
        "servicePrincipals/{}",
        "servicePrincipals",
        "ServicePrincipal",
        readers.by_key("servicePrincipals"),
        _APPS,
        own=True,
        show=readers.show_service_principal,
    ),
    Route(
        "servicePrincipals/{}/microsoft.graph.agentIdentity",
        "servicePrincipals",
        "AgentIdentity",
        readers.by_key("servicePrincipals"),
        _APPS,
        show=readers.show_service_principal,
    ),
    Route(
        "applications/{}/microsoft.graph.agentIdentityBlueprint/inheritablePermissions",
        "servicePrincipals",
        "InheritablePermission",
        readers.inside("servicePrincipals", "inheritablePermissions"),
        _APPS,
    ),
    *(
        Route(f"servicePrincipals/{{}}/{name}", name, type_name, readers.kept_for_app(name), _APPS)
        for name, type_name in (
            ("delegatedPermissionClassifications", "DelegatedPermissionClassification"),
            ("appRoleAssignedTo", "AppRoleAssignment"),
            ("appRoleAssignments", "AppRoleAssignment"),
        )
    ),
    Route(
        "servicePrincipals/{}/oauth2PermissionGrants",
        "oauth2PermissionGrants",
        "OAuth2PermissionGrant",
        readers.grants_to("servicePrincipals", "clientId"),
        _GRANTS,
    ),
    Route(
        "oauth2PermissionGrants",
        "oauth2PermissionGrants",
        "OAuth2PermissionGrant",
        readers.everything("oauth2PermissionGrants"),
        _GRANTS,
        versions=frozenset({"v1.0"}),
        filters=_GRANT_FILTER,
    ),
    Route(
        "oauth2PermissionGrants",
        "oauth2PermissionGrants",
        "OAuth2PermissionGrant",
        readers.everything("oauth2PermissionGrants"),
        _GRANTS,
        versions=BETA,
        filters=_GRANT_FILTER_BETA,
    ),
    Route(
        "oauth2PermissionGrants/{}",
        "oauth2PermissionGrants",
        "OAuth2PermissionGrant",
        readers.by_key("oauth2PermissionGrants"),
        _GRANTS,
    ),
    Route(
        "applications",
        "applications",
        "Application",
        readers.everything("applications"),
        _APPS,
        filters=Filter(eq("id", "appId", "displayName")),
    ),
    Route("applications/{}", "applications", "Application", readers.by_key("applications"), _APPS, own=True),
    Route(
        "identityGovernance/appConsent/appConsentRequests",
        "appConsentRequests",
        "AppConsentRequest",
        readers.everything("appConsentRequests"),
        _REQUESTS,
        Workload.POLICY,
        filters=_REQUEST_FILTER,
        show=readers.show_consent_request,
        counted=True,
    ),
    Route(
        "identityGovernance/appConsent/appConsentRequests/{}",
        "appConsentRequests",
        "AppConsentRequest",
        readers.by_key("appConsentRequests"),
        _REQUESTS,
        Workload.POLICY,
        show=readers.show_consent_request,
    ),
    Route(
        "identityGovernance/appConsent/appConsentRequests/{}/userConsentRequests",
        "appConsentRequests",
        "UserConsentRequest",
        readers.inside("appConsentRequests", "userConsentRequests"),
        _REQUESTS,
        Workload.POLICY,
        filters=Filter(eq("status")),
        counted=True,
    ),
    Route(
        "settings",
        "directorySettings",
        "DirectorySetting",
        readers.everything("directorySettings"),
        _SETTINGS,
        versions=BETA,
    ),
    Route(
        "reports/servicePrincipalSignInActivities",
        "servicePrincipalSignInActivities",
        "ServicePrincipalSignInActivity",
        readers.everything("servicePrincipalSignInActivities"),
        (*_AUDIT, "Directory.Read.All"),
        Workload.AUDIT,
        versions=BETA,
        filters=Filter(eq("appId")),
        paging=_LOGS,
    ),
    Route(
        "auditLogs/directoryAudits",
        "directoryAudits",
        "DirectoryAudit",
        readers.everything("directoryAudits"),
        _AUDIT,
        Workload.AUDIT,
        filters=_AUDIT_FILTER,
        paging=_LOGS,
    ),
    Route(
        "admin/configurationManagement/configurationDrifts",
        "configurationDrifts",
        "ConfigurationDrift",
        readers.everything("configurationDrifts"),
        _MONITORING,
        filters=_DRIFT_FILTER,
        unasked=frozenset({"driftedProperties", "resourceInstanceIdentifier"}),
    ),
    Route(
        "auditLogs/signIns",
        "signIns",
        "SignIn",
        readers.everything("signIns"),
        _AUDIT,
        Workload.AUDIT,
        filters=_SIGN_IN_FILTER,
        paging=_LOGS,
    ),
    *(
        route
        for name, type_name, filters in (
            ("roleDefinitions", "UnifiedRoleDefinition", _ROLE_FILTER),
            ("roleAssignments", "UnifiedRoleAssignment", _ASSIGNMENT_FILTER),
        )
        for route in (
            Route(
                f"roleManagement/directory/{name}",
                name,
                type_name,
                readers.everything(name),
                _ROLES,
                filters=filters,
            ),
            Route(f"roleManagement/directory/{name}/{{}}", name, type_name, readers.by_key(name), _ROLES),
        )
    ),
    Route(
        "users/{}",
        "users",
        "User",
        readers.user,
        _USERS,
        show=readers.without("memberOf"),
        unasked=frozenset({"userType", "accountEnabled", "assignedPlans"}),
    ),
    Route(
        "users/{}/memberOf",
        "users",
        "DirectoryObject",
        readers.groups_of_user,
        _DIRECTORY,
        delegated=("User.Read.All", "GroupMember.Read.All"),
    ),
    Route(
        "users/{}/oauth2PermissionGrants",
        "oauth2PermissionGrants",
        "OAuth2PermissionGrant",
        readers.grants_of_user,
        _GRANTS,
    ),
    Route(
        "tenantRelationships/delegatedAdminCustomers",
        "delegatedAdminCustomers",
        "DelegatedAdminCustomer",
        readers.everything("delegatedAdminCustomers"),
        _PARTNER,
        filters=Filter(eq("id", "tenantId", "displayName")),
        paging=_PARTNER_PAGE,
    ),
    Route(
        "tenantRelationships/delegatedAdminRelationships",
        "delegatedAdminRelationships",
        "DelegatedAdminRelationship",
        readers.everything("delegatedAdminRelationships"),
        _PARTNER,
        filters=Filter(eq("id", "status", "displayName", "customer/tenantId")),
        show=readers.without("accessAssignments"),
        paging=_PARTNER_PAGE,
    ),
    Route(
        "tenantRelationships/delegatedAdminRelationships/{}",
        "delegatedAdminRelationships",
        "DelegatedAdminRelationship",
        readers.by_key("delegatedAdminRelationships"),
        _PARTNER,
        show=readers.without("accessAssignments"),
    ),
    Route(
        "tenantRelationships/delegatedAdminRelationships/{}/accessAssignments",
        "delegatedAdminRelationships",
        "DelegatedAdminAccessAssignment",
        readers.inside("delegatedAdminRelationships", "accessAssignments"),
        _PARTNER,
        filters=Filter(eq("id", "status")),
        paging=_PARTNER_PAGE,
    ),
    Route(
        "contracts",
        "contracts",
        "Contract",
        readers.everything("contracts"),
        _DIRECTORY,
        filters=Filter(eq("customerId", "defaultDomainName", "displayName")),
    ),
)
"""First fit wins; two versions of one address are two routes where their rules differ."""

AUDIT_ROLES: tuple[str, ...] = (
    "Policy.Read.All",
    "Policy.Read.PermissionGrant",
    "Application.Read.All",
    "Directory.Read.All",
    "ConsentRequest.Read.All",
    "GroupSettings.Read.All",
    "AuditLog.Read.All",
    "ConfigurationMonitoring.Read.All",
    "RoleManagement.Read.Directory",
    "Organization.Read.All",
    "User.Read.All",
)
"""Enough to read every address above but those of a partner."""

PARTNER_ROLES: tuple[str, ...] = ("DelegatedAdminRelationship.Read.All", "Directory.Read.All")
"""Enough to read a partner's customers, in the partner's own tenant."""
