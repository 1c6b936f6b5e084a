"""Addresses of Graph below the version, as the SDK's request builders make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_http.middleware import ParametersNameDecodingHandler
from msgraph.graph_service_client import GraphServiceClient

Options = Mapping[str, str | Sequence[str]]
_APP = "{+baseurl}/servicePrincipals(appId='{appId}')"


class Addresses:
    """Where each thing is. `options` are query options by their name without the dollar sign."""

    def __init__(self, builders: GraphServiceClient) -> None:
        self._graph = builders

    def organization(self, **options: str | Sequence[str]) -> str:
        """The tenant itself."""
        return _address(self._graph.organization.to_get_request_information(), options)

    def authorization_policy(self) -> str:
        """Which consent policies govern ordinary users."""
        return _address(self._graph.policies.authorization_policy.to_get_request_information())

    def permission_grant_policies(self) -> str:
        """The consent policies, with their includes and excludes."""
        return _address(self._graph.policies.permission_grant_policies.to_get_request_information())

    def permission_grant_policy(self, policy_id: str) -> str:
        """One consent policy."""
        policies = self._graph.policies.permission_grant_policies
        return _address(policies.by_permission_grant_policy_id(policy_id).to_get_request_information())

    def admin_consent_request_policy(self) -> str:
        """The admin consent workflow."""
        return _address(self._graph.policies.admin_consent_request_policy.to_get_request_information())

    def directory_settings(self) -> str:
        """Tenant-wide settings; in beta only, for which there is no builder in the SDK for v1.0."""
        return _address(RequestInformation(Method.GET, "{+baseurl}/settings"))

    def service_principal(self, app_id: str, **options: str | Sequence[str]) -> str:
        """An app's service principal, by the app's id."""
        principal = self._graph.service_principals_with_app_id(app_id)
        return _address(principal.to_get_request_information(), options)

    def of_service_principal(self, app_id: str, collection: str) -> str:
        """A collection below an app's service principal; the SDK has no builder below the alternate key."""
        return _address(RequestInformation(Method.GET, f"{_APP}/{collection}", {"appId": app_id}))

    def service_principals(self, **options: str | Sequence[str]) -> str:
        """All service principals."""
        return _address(self._graph.service_principals.to_get_request_information(), options)

    def grants(self, **options: str | Sequence[str]) -> str:
        """All delegated grants."""
        return _address(self._graph.oauth2_permission_grants.to_get_request_information(), options)

    def role_definitions(self, **options: str | Sequence[str]) -> str:
        """Directory roles."""
        roles = self._graph.role_management.directory.role_definitions
        return _address(roles.to_get_request_information(), options)

    def role_assignments(self, **options: str | Sequence[str]) -> str:
        """Who holds directory roles."""
        holders = self._graph.role_management.directory.role_assignments
        return _address(holders.to_get_request_information(), options)

    def users(self, **options: str | Sequence[str]) -> str:
        """All users."""
        return _address(self._graph.users.to_get_request_information(), options)

    def user(self, name: str, **options: str | Sequence[str]) -> str:
        """One user, by object id or user principal name."""
        return _address(self._graph.users.by_user_id(name).to_get_request_information(), options)

    def member_of(self, name: str, **options: str | Sequence[str]) -> str:
        """The groups and roles that a user is a direct member of."""
        return _address(self._graph.users.by_user_id(name).member_of.to_get_request_information(), options)

    def consent_requests(self, **options: str | Sequence[str]) -> str:
        """Apps for which users asked an admin's consent."""
        requests = self._graph.identity_governance.app_consent.app_consent_requests
        return _address(requests.to_get_request_information(), options)

    def user_consent_requests(self, request_id: str) -> str:
        """Who asked for one of those apps; the list of apps leaves this out."""
        requests = self._graph.identity_governance.app_consent.app_consent_requests
        return _address(
            requests.by_app_consent_request_id(request_id).user_consent_requests.to_get_request_information()
        )

    def sign_ins(self, **options: str | Sequence[str]) -> str:
        """The sign-in log."""
        return _address(self._graph.audit_logs.sign_ins.to_get_request_information(), options)

    def directory_audits(self, **options: str | Sequence[str]) -> str:
        """The directory's audit log."""
        return _address(self._graph.audit_logs.directory_audits.to_get_request_information(), options)


def _address(info: RequestInformation, options: Options | None = None) -> str:
    """The relative address, with the dollar signs that the SDK's handler would put back on the wire."""
    for name, value in (options or {}).items():
        info.query_parameters[f"%24{name}"] = value if isinstance(value, str) else list(value)
    path, mark, query = info.url.partition("?")
    return path + mark + ParametersNameDecodingHandler().decode_uri_encoded_string(query, ["$"])


def quoted(text: str) -> str:
    """`text` as a literal of a filter."""
    return "'" + text.replace("'", "''") + "'"
