"""What the SDK, aiohttp and the libraries cost without us: small programs, each measured as a separate process.

``python benchmarks/baselines.py NAME AUTHORITY GRAPH`` runs one (of a file, ``NAME FILE``); it imports nothing of this
project. Each is written as a user of the library would write it, after the library's documentation. The credential and
the certificate authority come from the environment, as for the program.

libraries     import click, msgspec, yaml and tabulate, as an offline check does at most
gunzip-structs every service principal and delegated grant of a packed snapshot: gzip, msgspec into structs, none kept
sdk-bytes     sign in with azure-identity and read one object with msgraph-sdk, as bytes
sdk-models    the same, as the SDK's own model
sdk-pages     every service principal and delegated grant, with the SDK's models and its page iterator
aiohttp       sign in and read one object with aiohttp and msgspec
aiohttp-pages every service principal and delegated grant with aiohttp and msgspec
aiohttp-structs the same, both at the same time, each row decoded into a struct of msgspec
aiohttp-fleet the requests in a file, tenant by tenant, so many tenants at once
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any

COLLECTIONS = ("servicePrincipals", "oauth2PermissionGrants")
PAGE = 999
_AT_ONCE = 1 << 20
SCOPE = "00000003-0000-0000-c000-000000000000/.default"
"""Graph by its app id, because the test server has another name than Graph."""


def libraries() -> None:
    """Import the libraries that an offline check can use."""
    for name in ("click", "msgspec", "yaml", "tabulate"):
        import_module(name)


def _sdk(authority: str, graph: str) -> Any:
    """A client of the SDK for these addresses; for Microsoft's own, ``GraphServiceClient(credential)`` is enough."""
    from azure.identity.aio import ClientSecretCredential
    from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
    from msgraph.graph_request_adapter import GraphRequestAdapter
    from msgraph.graph_service_client import GraphServiceClient
    from msgraph_core import GraphClientFactory  # type: ignore[import-untyped]  # ships no types

    credential = ClientSecretCredential(*_app(), authority=authority, disable_instance_discovery=True)
    host = graph.partition("//")[2].partition(":")[0]
    provider = AzureIdentityAuthenticationProvider(credential, scopes=[SCOPE], allowed_hosts=[host])
    adapter = GraphRequestAdapter(provider, client=GraphClientFactory.create_with_default_middleware())
    adapter.base_url = f"{graph}/v1.0"
    return credential, GraphServiceClient(request_adapter=adapter)


def _app() -> tuple[str, str, str]:
    return os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["AZURE_CLIENT_SECRET"]


async def sdk_bytes(authority: str, graph: str) -> None:
    """The first answer of the SDK without its models."""
    credential, client = _sdk(authority, graph)
    request = client.organization.to_get_request_information()
    answer = await client.request_adapter.send_primitive_async(request, "bytes", {})
    assert b'"value"' in answer, answer
    await credential.close()


async def sdk_models(authority: str, graph: str) -> None:
    """The first answer of the SDK as its documentation shows it."""
    credential, client = _sdk(authority, graph)
    answer = await client.organization.get()
    assert answer.value
    await credential.close()


async def sdk_pages(authority: str, graph: str) -> None:
    """Two collections with the page iterator of msgraph-core."""
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from msgraph.generated.oauth2_permission_grants import oauth2_permission_grants_request_builder as of_grants
    from msgraph.generated.service_principals import service_principals_request_builder as of_principals
    from msgraph_core.tasks.page_iterator import PageIterator  # type: ignore[import-untyped]  # ships no types

    credential, client = _sdk(authority, graph)
    read: list[Any] = []

    def keep(one: Any) -> bool:
        read.append(one)
        return True

    principals = of_principals.ServicePrincipalsRequestBuilder.ServicePrincipalsRequestBuilderGetQueryParameters
    grants = of_grants.Oauth2PermissionGrantsRequestBuilder.Oauth2PermissionGrantsRequestBuilderGetQueryParameters
    for first in (
        await client.service_principals.get(RequestConfiguration(query_parameters=principals(top=PAGE))),
        await client.oauth2_permission_grants.get(RequestConfiguration(query_parameters=grants(top=PAGE))),
    ):
        await PageIterator(first, client.request_adapter).iterate(keep)
    print(len(read))
    await credential.close()


async def aiohttp_first(authority: str, graph: str) -> None:
    """The first answer with as little between as there can be."""
    import aiohttp
    import msgspec

    async with aiohttp.ClientSession() as session:
        token = await _token(session, authority)
        async with session.get(f"{graph}/v1.0/organization", headers=token) as answer:
            assert "value" in (got := msgspec.json.decode(await answer.read())), got


async def aiohttp_pages(authority: str, graph: str) -> None:
    """Two collections, each page decoded into plain values."""
    import aiohttp
    import msgspec

    read: list[Any] = []
    async with aiohttp.ClientSession() as session:
        token = await _token(session, authority)
        for name in COLLECTIONS:
            link = f"{graph}/v1.0/{name}?$top={PAGE}"
            while link:
                async with session.get(link, headers=token) as answer:
                    page = msgspec.json.decode(await answer.read())
                read += page["value"]
                link = page.get("@odata.nextLink", "")
    print(len(read))


def _row_classes() -> dict[str, Any]:
    """A struct for the rows of each collection."""
    import msgspec

    text = str | None
    flag = bool | None
    texts = list[str] | None
    principal = [
        *((name, text, None) for name in ("id", "appId", "displayName", "appDisplayName", "appOwnerOrganizationId")),
        *((name, text, None) for name in ("disabledByMicrosoftStatus", "servicePrincipalType", "signInAudience")),
        *((name, flag, None) for name in ("accountEnabled", "appRoleAssignmentRequired")),
        *((name, texts, None) for name in ("replyUrls", "tags", "servicePrincipalNames")),
        *(("createdDateTime", text, None), ("verifiedPublisher", dict[str, text] | None, None)),
    ]
    grant = [(name, text, None) for name in ("id", "clientId", "consentType", "principalId", "resourceId", "scope")]
    classes = msgspec.defstruct("Principal", principal), msgspec.defstruct("Grant", grant)
    return dict(zip(COLLECTIONS, classes, strict=True))


def gunzip_structs(file: str) -> None:
    """Every row of two sections of a packed snapshot, decoded into a struct."""
    import gzip
    from zipfile import ZipFile

    import msgspec

    number = 0
    with ZipFile(file) as archive:
        for name, row in _row_classes().items():
            decoder, rest = msgspec.json.Decoder(row), b""
            with archive.open(f"{name}.jsonl.gz") as packed, gzip.open(packed) as lines:
                while text := lines.read(_AT_ONCE):
                    whole, _, rest = (rest + text).rpartition(b"\n")
                    number += len(decoder.decode_lines(whole))
    print(number)


async def aiohttp_structs(authority: str, graph: str) -> None:
    """Two collections at the same time, each row decoded into a struct."""
    import aiohttp
    import msgspec

    read: list[Any] = []

    async def rows(session: aiohttp.ClientSession, token: dict[str, str], name: str, row: Any) -> None:
        page = msgspec.defstruct(
            "Page",
            [("value", list[row]), ("next", str | None, msgspec.field(name="@odata.nextLink", default=None))],
        )
        decoder = msgspec.json.Decoder(page)
        link: str | None = f"{graph}/v1.0/{name}?$top={PAGE}"
        while link:
            async with session.get(link, headers=token) as answer:
                found: Any = decoder.decode(await answer.read())
            read.extend(found.value)
            link = found.next

    async with aiohttp.ClientSession() as session:
        token = await _token(session, authority)
        await asyncio.gather(*(rows(session, token, *one) for one in _row_classes().items()))
    print(len(read))


async def aiohttp_fleet(authority: str, graph: str, requests: str, concurrency: str) -> None:
    """The same requests for each of many tenants: those of one tenant one after the other, each answer decoded."""
    import aiohttp
    import msgspec

    with open(requests, encoding="utf-8") as file:
        tenants = msgspec.json.decode(file.read())
    hosts = {"authority": authority, "graph": graph}
    slots = asyncio.Semaphore(int(concurrency))

    async def one(session: aiohttp.ClientSession, steps: list[list[str]]) -> None:
        token: dict[str, str] = {}
        async with slots:
            for side, method, path, body in steps:
                kind = "application/x-www-form-urlencoded" if side == "authority" else "application/json"
                headers = {**token, "Content-Type": kind} if body else token
                async with session.request(
                    method, hosts[side] + path, data=body.encode() or None, headers=headers
                ) as answer:
                    got = msgspec.json.decode(await answer.read())
                if side == "authority":
                    token = {"Authorization": f"Bearer {got['access_token']}"}

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(one(session, steps) for steps in tenants.values()))
    print(len(tenants))


async def _token(session: Any, authority: str) -> dict[str, str]:
    tenant, client, secret = _app()
    form = {
        "grant_type": "client_credentials",
        "client_id": client,
        "client_secret": secret,
        "scope": SCOPE,
    }
    async with session.post(f"{authority}/{tenant}/oauth2/v2.0/token", data=form) as answer:
        return {"Authorization": f"Bearer {(await answer.json())['access_token']}"}


_OFFLINE: dict[str, Callable[..., None]] = {"libraries": libraries, "gunzip-structs": gunzip_structs}
_LIVE: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
    "sdk-bytes": sdk_bytes,
    "sdk-models": sdk_models,
    "sdk-pages": sdk_pages,
    "aiohttp": aiohttp_first,
    "aiohttp-pages": aiohttp_pages,
    "aiohttp-structs": aiohttp_structs,
    "aiohttp-fleet": aiohttp_fleet,
}

if __name__ == "__main__":
    if sys.argv[1] in _OFFLINE:
        _OFFLINE[sys.argv[1]](*sys.argv[2:])
    else:
        asyncio.run(_LIVE[sys.argv[1]](*sys.argv[2:]))
