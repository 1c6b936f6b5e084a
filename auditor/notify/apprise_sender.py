"""Send one message through apprise, in the format that the service takes, and say without secrets what went wrong.

An address of apprise holds secrets: tokens in its path, passwords, hosts. Apprise, requests and urllib3 write some of
them to their logs, so nothing they log during a send reaches a handler. The reason for a failure is one of a few fixed
sentences with a status code.
"""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.model.configuration import Event
from auditor.model.history import OutboxMessage
from auditor.notify.delivery import TIMEOUT, Sent, TargetAnswer
from auditor.notify.message_text import clip, cut, plain

if TYPE_CHECKING:
    from apprise import NotifyBase

ADVICE = "Compare it with the examples in docs/notifications.md."
NOT_AN_ADDRESS = f"the address isn't one that apprise accepts. {ADVICE}"
NOT_INSTALLED = (
    "apprise isn't installed: run 'pipx inject consent-auditor apprise' if you installed the program with pipx,"
    " or 'pip install apprise' in its virtual environment"
)

_LARGEST_ATTACHMENT = 10_000_000
_TITLE_ROOM = 20
"""Characters that apprise adds when it writes the title into the body."""
_HTML_ROOM = 1.5
"""How much longer a message can be as HTML."""
_TYPES = {
    Event.FAILURE.value: "failure",
    Event.CHANGE.value: "warning",
    Event.RECOVERY.value: "success",
    Event.EXPIRY.value: "warning",
}
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_STATUS = re.compile(r"error[= ]\(?([1-5]\d\d)\b|\(([45]\d\d), b?['\"]")
_REASONS = (
    ("CERTIFICATE_VERIFY_FAILED", "its certificate isn't trusted. Set REQUESTS_CA_BUNDLE, for mail SSL_CERT_FILE"),
    ("ProxyError", "the proxy doesn't let the message through. Check HTTPS_PROXY"),
    ("timed out", "no answer in time"),
    ("imeout", "no answer in time"),
    ("refused", "the connection was refused"),
    ("Name or service not known", "its host name isn't known"),
    ("getaddrinfo", "its host name isn't known"),
    ("resolve", "its host name isn't known"),
    ("onnection", "the connection failed"),
)
_LOCK = threading.Lock()


def send_with_apprise(address: str, message: OutboxMessage) -> Sent:
    """Send the message and return how the service answered. Proxy and CA come from the environment, as for requests.

    Never raises, and waits at most a minute.
    """
    with _LOCK, _quiet() as log:
        try:
            import apprise

            service = _service(address)
            if service is None:
                return Sent(TargetAnswer.REFUSED, NOT_AN_ADDRESS)
            body, body_format = _written(service, message)
            title = clip(plain(message.title), service.title_maxlen if service.title_maxlen > 0 else len(message.title))
            sender = apprise.Apprise(asset=service.asset)
            sender.add(service)
            accepted = sender.notify(
                body=body,
                title=title,
                notify_type=_TYPES.get(message.event, "info"),
                body_format=body_format,
                attach=_attachment(service, message),
            )
        except ModuleNotFoundError as error:
            return Sent(TargetAnswer.DOWN, _missing(error))
        except Exception as error:  # noqa: BLE001 - a plugin can raise anything, and no text of it is safe
            return Sent(TargetAnswer.REFUSED, f"the service's plugin failed ({type(error).__name__})")
        return Sent(TargetAnswer.ACCEPTED) if accepted else _failure(log)


def problem_with(address: str) -> str:
    """Why the address can't be used, in one sentence without it; empty if apprise accepts it. Sends nothing."""
    with _LOCK, _quiet():
        try:
            return "" if _service(address) else NOT_AN_ADDRESS
        except ModuleNotFoundError as error:
            return _missing(error)
        except Exception:  # noqa: BLE001 - a plugin can raise anything, and no text of it is safe
            return NOT_AN_ADDRESS


def _missing(error: ModuleNotFoundError) -> str:
    return NOT_INSTALLED if error.name == "apprise" else f"the service needs the Python package {error.name}"


def _service(address: str) -> NotifyBase | None:
    """The service with its own timeouts if the address has some, without apprise's name and pictures."""
    import apprise

    asset = apprise.AppriseAsset(
        app_id="consent-auditor",
        app_desc="consent-auditor",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask="",
        async_mode=False,
    )
    service = apprise.Apprise.instantiate(address.strip(), asset=asset)
    if service is None:
        return None
    defaults = apprise.URLBase
    if service.socket_connect_timeout == type(service).socket_connect_timeout:
        service.socket_connect_timeout = TIMEOUT
    if service.socket_read_timeout == defaults.socket_read_timeout:
        service.socket_read_timeout = TIMEOUT
    return service


def _written(service: NotifyBase, message: OutboxMessage) -> tuple[str, str]:
    """The body in the format that the service takes, cut to its length, and the name of that format."""
    taken = service.resolve_format("markdown").value
    limit = service.body_maxlen - (len(message.title) + _TITLE_ROOM if service.title_maxlen <= 0 else 0)
    if taken == "text":
        return cut(message.text, limit), "text"
    return cut(message.body, int(limit / _HTML_ROOM) if taken == "html" else limit), "markdown"


def _attachment(service: NotifyBase, message: OutboxMessage) -> object:
    """The file to attach; none if it isn't there any more, is too large, or the service takes no files."""
    path = Path(message.attachment) if message.attachment else None
    if path is None or not service.attachment_support or not path.is_file():
        return None
    if path.stat().st_size > _LARGEST_ATTACHMENT:
        return None
    from apprise.attachment.file import AttachFile

    return AttachFile(path=str(path))  # type: ignore[no-untyped-call]


def _failure(log: list[str]) -> Sent:
    """What the log says about a failed send, as one of a few sentences."""
    text = "\n".join(log)
    if found := _STATUS.search(text):
        status = int(found[1] or found[2])
        if status == _TOO_MANY_REQUESTS:
            return Sent(TargetAnswer.BUSY, f"the service takes no more messages for now ({status})")
        if status >= _SERVER_ERROR:
            return Sent(TargetAnswer.DOWN, f"the service failed ({status})")
        return Sent(TargetAnswer.REFUSED, f"the service refused the message ({status})")
    reason = next((reason for mark, reason in _REASONS if mark in text), "")
    if reason:
        return Sent(TargetAnswer.DOWN, reason)
    return Sent(TargetAnswer.REFUSED, "the service didn't accept the message")


class _Captured(logging.Handler):
    """Keeps what apprise logs, to find a status in it."""

    def __init__(self, into: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._into = into

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the text."""
        self._into.append(record.getMessage())


@contextmanager
def _quiet() -> Iterator[list[str]]:
    """Nothing that a library logs in this block reaches a handler of the program; apprise's lines are returned."""
    log: list[str] = []
    logger = logging.getLogger("apprise")
    kept = (logger.level, logger.propagate, logger.handlers)
    handler = _Captured(log)
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.DEBUG)
    outer = [one for one in (*logging.root.handlers, logging.lastResort) if one is not None]
    for one in outer:
        one.addFilter(_is_own)
    try:
        with warnings.catch_warnings():
            # Not ours to fix, and the text of a warning can hold an address.
            warnings.simplefilter("ignore")
            yield log
    finally:
        for one in outer:
            one.removeFilter(_is_own)
        level, logger.propagate, logger.handlers = kept
        logger.setLevel(level)


def _is_own(record: logging.LogRecord) -> bool:
    """Whether the program itself wrote the record."""
    return record.name.split(".")[0] == "auditor"
