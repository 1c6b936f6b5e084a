"""Errors between this program and Microsoft, each with advice.

No message contains a token, a secret, a certificate's content or a response's body.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from auditor.model.errors import NO_AUDIT, USAGE, AuditorError
from auditor.model.snapshot import Unread
from auditor.model.unread_messages import ASKED_TO_WAIT, AnsweringService


class GraphError(AuditorError):
    """The audit cannot continue; `advice` says what to try."""

    exit_code = NO_AUDIT
    heading = "No audit was made"


class CredentialError(GraphError):
    """There is no access token; `code` is the AADSTS code, if Entra ID returned one."""

    def __init__(self, message: str, *, advice: str = "", code: str = "") -> None:
        super().__init__(message, advice=advice)
        self.code = code


class NoCredential(CredentialError):
    """No credential is set, or not all of one; the advice is for a command with ``--auth``."""


class NetworkSettingsError(GraphError):
    """A proxy or a certificate file named in the environment cannot be used."""


REPORT_IT = "Try again. If the problem persists, report it with the command and what “consent-auditor -V” prints."
"""Advice for what only a bug of a library or of this program explains."""


class EndpointError(GraphError):
    """An endpoint that an option or the environment names is not the address of a host."""

    exit_code = USAGE
    heading = "Error"


class WriteRefused(GraphError):
    """A request that is not a read. It was not sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, advice=REPORT_IT)


class ForeignHost(GraphError):
    """A request to a host other than the tenant's Graph. It was not sent."""


class IncompleteList(GraphError):
    """A list of which not all pages can be read."""


class EndlessPages(IncompleteList):
    """The next links of a list lead back to a page that was already read."""


class ShortList(IncompleteList):
    """A list with fewer entries than Graph counts."""


class Unreachable(GraphError):
    """No complete answer: the connection failed, broke or timed out."""


class ConnectionFailed(Unreachable):
    """No connection: nothing listens there, or the host name or the proxy is wrong."""


class UntrustedCertificate(Unreachable):
    """The server's certificate is not trusted; a retry would not help."""


class BatchRefused(Unreachable):
    """Graph refused a whole batch, so that none of its requests was answered; `unread` is the same for a snapshot."""

    def __init__(self, message: str, unread: Unread, *, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.unread = unread


class NothingRead(GraphError):
    """Graph refused every read that matters."""


class Throttled(Unreachable):
    """A service asks to wait for `seconds`, which is longer than the run may take if the error reaches a person."""

    def __init__(self, service: AnsweringService, host: str, seconds: float, left: float) -> None:
        rounded = math.ceil(seconds)
        super().__init__(
            ASKED_TO_WAIT.format(service=service, host=host, seconds=rounded, left=math.floor(left)),
            advice=f"Try again in {rounded} seconds, or add --wait to wait as long as Microsoft asks.",
        )
        self.seconds = seconds


class LibraryFailed(GraphError):
    """A library raised an error that none of its documentation mentions."""


class NotJson(GraphError):
    """An answer that does not come from Graph: a proxy's page, or a body that is not JSON."""


class AnswerTooLarge(GraphError):
    """An answer that is larger than any of Graph's."""


class BrokenJson(NotJson):
    """An answer with the content type JSON that cannot be decoded, probably cut off on the way."""


class TokenRefused(GraphError):
    """Graph answered 401 to a token that was just fetched."""


@contextmanager
def foreign_code(explain: Callable[[Exception], GraphError]) -> Iterator[None]:
    """Turn every exception of a library that is called inside into a `GraphError`: what `explain` makes of it.

    This is the one place for it, so that no class of exception is forgotten. Our own errors pass unchanged, also if a
    library wrapped them. So do `KeyboardInterrupt` and the cancellation of the task, which aren't an `Exception`. A
    library also raises `CancelledError` where nobody cancelled this task, as where a task that it started was lost.
    """
    try:
        yield
    except GraphError:
        raise
    except asyncio.CancelledError as error:
        if _is_cancelled():
            raise
        raise explain(CancelledByLibrary(str(error))) from None
    except Exception as error:  # noqa: BLE001 -- whatever a library raises, the person gets a reason and advice
        # Without the cause, because a library's exception can contain the request, and with it a token or a secret.
        raise (_wrapped(error) or explain(error)) from None


class CancelledByLibrary(RuntimeError):
    """A library stopped, as if this task had been cancelled."""


def _is_cancelled() -> bool:
    """Whether somebody asked the current task to stop. What is called in a thread has no task."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    return task is not None and task.cancelling() > 0


@contextmanager
def ignoring_failures() -> Iterator[None]:
    """Ignore every exception of a library inside, where everything that matters was done before."""
    with suppress(GraphError), foreign_code(lambda error: GraphError(class_name(error))):
        yield


def class_name(error: Exception) -> str:
    """The name of the exception's class, which says nothing about the request; at most 80 characters."""
    return type(error).__name__[:80]


def _wrapped(error: BaseException) -> GraphError | None:
    """The error of ours that a library caught and raised again as its own."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, GraphError):
            return cause
        seen.add(id(cause))
        cause = cause.__cause__
    return None
