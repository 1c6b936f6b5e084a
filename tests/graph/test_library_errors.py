"""Whatever a library raises, wherever: one section is unread with its reason, or one sentence ends the audit.

The real SDKs read a tenant over TLS while one of their calls raises an exception that nobody expected there.
"""

from __future__ import annotations

import asyncio
import binascii
import functools
import gc
import inspect
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple
from unittest import mock

import h11
import httpcore
import httpx
import msgspec
import pytest
from azure.core.exceptions import AzureError, ServiceRequestError
from hypothesis import given
from hypothesis import strategies as st
from kiota_abstractions.api_error import APIError
from kiota_http._exceptions import ResponseError

from auditor.graph.graph_errors import GraphError, foreign_code
from auditor.graph.network import read_network
from auditor.graph.transport import GetRequest, GraphClient
from auditor.model.sections import Sections
from auditor.model.snapshot import Plan, Snapshot
from tests.graph.live_tenants import CLIENT, GRAPH, POLICY, PREFLIGHT, Sleeps, read, tenant, with_client
from tests.graphserver import CLIENT_SECRET, GraphServer, Silence
from tests.graphserver.call import Call
from tests.limits import HUNG_AFTER

PLAN = Plan(
    sections=(*PREFLIGHT.sections, "directorySettings", "appConsentRequests"),
    clients=(CLIENT,),
    resources=(GRAPH,),
    beta_policies=(POLICY,),
    whole=("oauth2PermissionGrants",),
)
"""A batch of v1.0, one of beta, a list of several pages, and a read that needs an earlier result."""

CALLS = (
    # The credential
    "azure.identity.aio:ClientSecretCredential.__init__",
    "azure.identity.aio:ClientSecretCredential.get_token",
    "azure.identity.aio:ClientSecretCredential.close",
    "azure.identity.aio._internal.aad_client:AadClient.obtain_token_by_client_secret",
    "azure.core.pipeline.transport:AsyncioRequestsTransport.send",
    "azure.core.pipeline.policies:ContentDecodePolicy.on_response",
    "azure.core.pipeline.policies:AsyncRetryPolicy.send",
    # The adapter, its authentication and its middleware
    "msgraph.graph_request_adapter:GraphRequestAdapter.__init__",
    "msgraph.graph_service_client:GraphServiceClient.__init__",
    "msgraph_core:AzureIdentityAuthenticationProvider.__init__",
    "msgraph_core:AzureIdentityAuthenticationProvider.authenticate_request",
    "msgraph_core:GraphClientFactory.create_with_custom_middleware",
    "kiota_http.httpx_request_adapter:HttpxRequestAdapter.send_primitive_async",
    "kiota_http.httpx_request_adapter:HttpxRequestAdapter.get_http_response_message",
    "kiota_http.httpx_request_adapter:HttpxRequestAdapter.get_request_from_request_information",
    "kiota_http.httpx_request_adapter:HttpxRequestAdapter.start_tracing_span",
    "kiota_http.middleware:UserAgentHandler.send",
    "kiota_http.middleware:ParametersNameDecodingHandler.send",
    "kiota_http.middleware:ParametersNameDecodingHandler.decode_uri_encoded_string",
    "kiota_abstractions.request_information:RequestInformation.set_stream_content",
    "kiota_abstractions.native_response_handler:NativeResponseHandler.handle_response_async",
    # The transport
    "httpx:AsyncClient.__init__",
    "httpx:AsyncClient.send",
    "httpx:AsyncClient.aclose",
    "httpx:AsyncHTTPTransport.__init__",
    "httpx:AsyncHTTPTransport.handle_async_request",
    "httpx:AsyncHTTPTransport.aclose",
    "httpcore:AsyncConnectionPool.handle_async_request",
    "httpcore:AnyIOBackend.connect_tcp",
    "httpcore._backends.anyio:AnyIOStream.start_tls",
    "httpcore._backends.anyio:AnyIOStream.read",
    "httpcore._backends.anyio:AnyIOStream.write",
    "h11:Connection.next_event",
    "h11:Connection.send",
    "ssl:create_default_context",
    # The response
    "httpx:Response.__init__",
    "httpx:Response.aread",
    "httpx:Response.aiter_bytes",
    "httpx:Response.aclose",
    "httpx:Headers.items",
    "msgspec.json:decode",
    "msgspec.json:encode",
    "msgspec.json:format",
    "base64:urlsafe_b64decode",
)
"""The calls of the libraries that raise, as ``module:name``."""

QUOTED = "Authorization: Bearer eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln"
"""What a library's message may quote, and ours never."""


class WithoutText(Exception):
    """An exception whose message can't be made."""

    def __str__(self) -> str:
        raise AttributeError("no message")


class WithBadMessage(Exception):
    """An exception with a property that fails."""

    @property
    def message(self) -> str:
        """Never."""
        raise KeyError("message")


class _Nobody(Exception):
    """An exception with a name and a message of any length."""


def _builtin() -> Iterator[type[Exception]]:
    """Every exception of Python that a text can make."""
    waiting: list[type[Exception]] = [Exception]
    while waiting:
        kind = waiting.pop()
        waiting += [one for one in kind.__subclasses__() if one.__module__ == "builtins"]
        try:
            kind(QUOTED)
        except TypeError:
            continue
        yield kind


EXCEPTIONS: tuple[Callable[[], BaseException], ...] = (
    *(functools.partial(kind, QUOTED) for kind in _builtin() if not issubclass(kind, Warning)),
    *(functools.partial(kind) for kind in (StopAsyncIteration, KeyError, OSError, Exception, TimeoutError)),
    lambda: UnicodeDecodeError("utf-8", b"\xe9", 0, 1, QUOTED),
    lambda: UnicodeEncodeError("ascii", QUOTED, 0, 1, "not ASCII"),
    lambda: ExceptionGroup(QUOTED, [ValueError(QUOTED), ExceptionGroup("within", [KeyError("a")])]),
    lambda: OSError(24, "Too many open files"),
    lambda: ssl.SSLCertVerificationError(1, "CERTIFICATE_VERIFY_FAILED"),
    lambda: ssl.SSLError(1, QUOTED),
    lambda: binascii.Error("Incorrect padding"),
    lambda: h11.LocalProtocolError(f"Illegal header value {QUOTED!r}"),
    lambda: h11.RemoteProtocolError(QUOTED),
    lambda: httpx.InvalidURL(QUOTED),
    lambda: httpx.LocalProtocolError(f"Illegal header value {QUOTED!r}"),
    lambda: httpx.ReadError(QUOTED),
    lambda: httpx.ConnectError(QUOTED),
    lambda: httpx.DecodingError(QUOTED),
    lambda: httpx.StreamConsumed(),
    lambda: httpcore.ReadError(QUOTED),
    lambda: httpcore.UnsupportedProtocol(QUOTED),
    lambda: APIError(QUOTED),
    lambda: ResponseError(QUOTED),
    lambda: msgspec.DecodeError(QUOTED),
    lambda: AzureError(QUOTED),
    lambda: ServiceRequestError(QUOTED),
    lambda: asyncio.InvalidStateError(QUOTED),
    asyncio.CancelledError,
    lambda: asyncio.IncompleteReadError(b"", 5),
    WithoutText,
    WithBadMessage,
    lambda: type("N" * 5000, (_Nobody,), {})("M" * 100_000),
)


class Trouble(NamedTuple):
    """Which call raises what: after `after` calls that succeed, `times` times."""

    call: str
    make: Callable[[], BaseException]
    after: int
    times: int


@contextmanager
def raising(trouble: Trouble) -> Iterator[list[str]]:
    """Let a call of a library raise; the list grows by each time that it did. The server's own calls succeed."""
    module, _, path = trouble.call.partition(":")
    owner: Any = import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    original = inspect.getattr_static(owner, name)
    function = original.__func__ if isinstance(original, staticmethod | classmethod) else original
    made, calls = list[str](), 0

    def check() -> None:
        nonlocal calls
        if threading.current_thread().name == "graphserver":
            return
        calls += 1
        if trouble.after < calls <= trouble.after + trouble.times:
            made.append(trouble.call)
            raise trouble.make()

    async def iterated(*args: Any, **options: Any) -> Any:
        check()
        async for one in function(*args, **options):
            yield one

    async def awaited(*args: Any, **options: Any) -> Any:
        check()
        return await function(*args, **options)

    def called(*args: Any, **options: Any) -> Any:
        check()
        return function(*args, **options)

    is_async = inspect.iscoroutinefunction(function)
    replaced: Any = iterated if inspect.isasyncgenfunction(function) else awaited if is_async else called
    kind = type(original) if isinstance(original, staticmethod | classmethod) else (lambda same: same)
    with mock.patch.object(owner, name, kind(functools.wraps(function)(replaced))):
        yield made


@pytest.fixture(scope="module")
def server() -> Iterator[GraphServer]:
    """One tenant for all examples: nothing changes it."""
    with GraphServer(tenant(), page_size=3) as running:
        yield running
        # A library that fails while it closes a connection leaves it open, and the server waits for its end.
        with warnings.catch_warnings(action="ignore"):
            gc.collect()


pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def truth(server: GraphServer) -> Snapshot:
    """What is read if no library fails."""
    found = read(server, PLAN)
    assert found.unread == {}
    return found


@given(
    st.builds(
        Trouble,
        st.sampled_from(CALLS),
        st.sampled_from(EXCEPTIONS),
        st.integers(0, 5),
        st.sampled_from([1, 2, 1_000_000]),
    )
)
def test_any_exception_of_any_call_is_a_reason_or_one_sentence(
    server: GraphServer, truth: Snapshot, trouble: Trouble
) -> None:
    with raising(trouble):
        try:
            found = read(server, PLAN)
        except GraphError as error:
            said = [str(error), error.advice]
            assert all(said) and error.exit_code == 3
        else:
            _is_less_and_never_something_else(found, truth)
            said = [why.message or why.code for why in found.unread.values()]
            assert all(said)
    for text in said:
        assert "eyJ" not in text and CLIENT_SECRET not in text and len(text) < 1500


@pytest.mark.parametrize("call", CALLS)
def test_each_of_these_calls_is_made_and_may_fail(server: GraphServer, truth: Snapshot, call: str) -> None:
    makes: tuple[Callable[[], BaseException], ...] = (
        lambda: AssertionError("never"),
        lambda: RecursionError("maximum recursion depth exceeded"),
        asyncio.CancelledError,
    )
    for make in makes:
        with raising(Trouble(call, make, 0, 1_000_000)) as made:
            try:
                _is_less_and_never_something_else(read(server, PLAN), truth)
            except GraphError as error:
                assert "\n" not in str(error) and error.advice
        assert made, f"{call} is not called"


def _is_less_and_never_something_else(found: Snapshot, truth: Snapshot) -> None:
    """Each section of `found` is the true one, or is not complete and has a reason."""
    for name in Sections.__struct_fields__:
        value, true = getattr(found.sections, name), getattr(truth.sections, name)
        if value == true:
            continue
        reasons = [key for key in found.unread if key.partition("/")[0] == name]
        assert reasons, f"{name} is incomplete without a reason"
        if value is not None and true is not None and not isinstance(value, dict):
            assert {getattr(row, "id", row) for row in value} <= {getattr(row, "id", row) for row in true}


@pytest.mark.parametrize(
    "call",
    [
        "azure.identity.aio:ClientSecretCredential.get_token",
        "kiota_http.httpx_request_adapter:HttpxRequestAdapter.send_primitive_async",
        "msgraph_core:AzureIdentityAuthenticationProvider.authenticate_request",
        "httpx:AsyncHTTPTransport.handle_async_request",
        "httpx:Response.aread",
        "msgspec.json:decode",
    ],
)
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_stops_a_program_stops_it(server: GraphServer, call: str, kind: type[BaseException]) -> None:
    with raising(Trouble(call, kind, 0, 1_000_000)), pytest.raises(kind):
        read(server, PLAN)


def test_a_run_that_is_cancelled_ends_at_once() -> None:
    asked = threading.Event()

    def is_asked(call: Call) -> bool:
        asked.set()
        return True

    with GraphServer(tenant()) as silent:
        silent.fault(is_asked, Silence(), times=None)

        async def use(client: GraphClient) -> None:
            reading = asyncio.create_task(client.get("v1.0", GetRequest(url="/organization")))
            assert await asyncio.to_thread(asked.wait, HUNG_AFTER)
            reading.cancel()
            await reading

        with pytest.raises(asyncio.CancelledError):
            with_client(silent, use, retry=Sleeps().retry())


def test_a_cancellation_that_came_before_the_call_of_a_library_is_no_error_of_the_library() -> None:
    async def use() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()  # as Ctrl+C does while the program computes
        with foreign_code(lambda error: GraphError(f"wrong: {error}")):
            await asyncio.sleep(0)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(use())


def test_a_library_that_stops_as_if_it_was_cancelled_has_failed() -> None:
    async def use() -> None:
        with foreign_code(lambda error: GraphError(f"{type(error).__name__}")):
            raise asyncio.CancelledError

    with pytest.raises(GraphError, match="CancelledByLibrary"):
        asyncio.run(use())


def test_our_own_errors_pass_through_a_library_that_wraps_them() -> None:
    def explain(error: Exception) -> GraphError:
        return GraphError(f"wrong: {error}")

    with pytest.raises(GraphError, match=r"^ours$"), foreign_code(explain):
        try:
            raise GraphError("ours")
        except GraphError as error:
            raise ValueError("theirs") from error


def test_the_environment_of_the_test_is_the_servers(server: GraphServer) -> None:
    assert read_network(server.env()).trust == str(server.ca_file)
