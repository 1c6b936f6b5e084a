"""Messages through the real apprise to a real web server and a real mail server, which fail in every way."""

from __future__ import annotations

import logging
import ssl
import subprocess
import sys
from collections.abc import Iterator
from email import message_from_string
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
import trustme

from auditor.model.history import OutboxMessage
from auditor.notify.apprise_sender import NOT_INSTALLED, problem_with, send_with_apprise
from auditor.notify.delivery import Sent, TargetAnswer
from auditor.notify.message_text import Line, LineKind, as_markdown, as_text, item
from tests.notify.servers import CUT, SILENT, MailServer, WebServer

SECRET = "s3cr3tt0ken"


@pytest.fixture
def web() -> Iterator[WebServer]:
    with WebServer().running() as server:
        yield server


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer().running() as server:
        yield server


def message(**changes: str) -> OutboxMessage:
    whole = {
        "id": "0123456789",
        "target": "admins",
        "tenant": "t",
        "run": "r",
        "created": "2026-11-22T02:00:00Z",
        "title": "contoso: users can no longer connect TrackerRMS",
        "body": "**Why:** a policy changed.\n\n- one\n- two\n\nMessage 0123456789",
        "text": "Why: a policy changed.\n\n- one\n- two\n\nMessage 0123456789",
        "event": "change",
    }
    return OutboxMessage(**{**whole, **changes})  # type: ignore[arg-type]


def address(server: WebServer, schema: str = "json", options: str = "") -> str:
    return f"{schema}://user:{SECRET}@127.0.0.1:{server.port}/{SECRET}/hook{'?' if options else ''}{options}"


def html_of(mail: EmailMessage) -> str:
    """The text of a mail."""
    body = mail.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def test_a_web_hook_gets_the_title_and_markdown(web: WebServer) -> None:
    assert send_with_apprise(address(web), message()) == Sent(TargetAnswer.ACCEPTED)
    (received,) = web.received
    assert received["title"] == "contoso: users can no longer connect TrackerRMS"
    assert received["message"].startswith("**Why:** a policy changed.")
    assert received["type"] == "warning"


def test_a_service_that_takes_plain_text_gets_plain_text(web: WebServer) -> None:
    send_with_apprise(address(web, options="format=text"), message())
    assert web.received[0]["message"].startswith("Why: a policy changed.")


def test_a_long_message_is_one_request_that_fits_the_service_and_keeps_its_id(web: WebServer) -> None:
    """Mattermost takes 4,000 characters, has no field for a title, and gets plain text."""
    rows = [
        item(f"rule {number} of this pack fails for a reason that takes some words", "high") for number in range(200)
    ]
    last = Line(kind=LineKind.FOOTER, text="Message 0123456789")
    sent = send_with_apprise(
        f"mmost://127.0.0.1:{web.port}/3ccdd113474722377935511fc85d3dd4", message(text=as_text([*rows, last]))
    )
    assert sent.answer is TargetAnswer.ACCEPTED
    (received,) = web.received
    text = received["text"]
    assert 3800 < len(text) <= 4000
    assert text.startswith("contoso: users can no longer connect TrackerRMS")
    assert text.endswith("Message 0123456789")
    assert "more lines. The report has everything." in text


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(429, Sent(TargetAnswer.BUSY, "the service takes no more messages for now (429)"), id="busy"),
        pytest.param(500, Sent(TargetAnswer.DOWN, "the service failed (500)"), id="server error"),
        pytest.param(503, Sent(TargetAnswer.DOWN, "the service failed (503)"), id="unavailable"),
        pytest.param(404, Sent(TargetAnswer.REFUSED, "the service refused the message (404)"), id="no such hook"),
        pytest.param(CUT, Sent(TargetAnswer.DOWN, "the connection failed"), id="cut connection"),
        pytest.param(SILENT, Sent(TargetAnswer.DOWN, "no answer in time"), id="no answer"),
    ],
)
def test_a_failure_says_why_without_the_address(web: WebServer, answer: int | str, expected: Sent) -> None:
    web.answer = answer
    assert send_with_apprise(address(web, options="rto=0.2"), message()) == expected


def test_nothing_that_is_logged_holds_a_secret(web: WebServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for answer in (200, 404, 500, CUT):
        web.answer = answer
        sent = send_with_apprise(address(web), message())
        assert SECRET not in repr(sent)
    send_with_apprise(f"json://127.0.0.1:1/{SECRET}", message())
    send_with_apprise(f"nosuchservice://{SECRET}", message())
    assert problem_with(f"slack://{SECRET}")
    assert SECRET not in caplog.text
    assert "/hook" not in caplog.text
    logging.getLogger("urllib3").debug("still heard")
    assert "still heard" in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="empty"),
        pytest.param("nosuchservice://token", id="unknown service"),
        pytest.param("slack://incomplete", id="incomplete"),
        pytest.param("not an address", id="no address"),
    ],
)
def test_an_address_that_apprise_does_not_accept_is_a_problem(url: str) -> None:
    assert "docs/notifications.md" in problem_with(url)
    assert send_with_apprise(url, message()).answer is TargetAnswer.REFUSED


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("workflows://prod-1.westeurope.logic.azure.com:443/abc/def", id="Teams workflow"),
        pytest.param("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7/#alerts", id="Slack"),
        pytest.param("mailtos://user:secret@mail.contoso.example?to=it@contoso.example", id="mail"),
        pytest.param("ntfys://ntfy.contoso.example/audits", id="ntfy"),
        pytest.param("jsons://hooks.contoso.example/audits", id="web hook"),
    ],
)
def test_the_documented_addresses_are_accepted(url: str) -> None:
    assert problem_with(url) == ""


def test_a_service_of_a_private_ca_is_reached_with_the_bundle_of_requests(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ca, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with WebServer().running(context) as server:
        sent = send_with_apprise(address(server, "jsons"), message())
        assert sent.answer is TargetAnswer.DOWN
        assert "REQUESTS_CA_BUNDLE" in sent.error
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        assert send_with_apprise(address(server, "jsons"), message()) == Sent(TargetAnswer.ACCEPTED)


def test_the_proxy_of_the_environment_is_used(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{web.port}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{web.port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert send_with_apprise("json://hooks.contoso.example/audits", message()).answer is TargetAnswer.ACCEPTED
    assert web.paths == ["http://hooks.contoso.example/audits"]


def test_a_mail_has_the_title_as_its_subject_html_text_and_the_report(mail: MailServer, tmp_path: Path) -> None:
    report = tmp_path / "report #1.html"
    report.write_text("<p>the report</p>", encoding="utf-8")
    to = f"mailto://127.0.0.1:{mail.port}?from=audit@contoso.example&to=it@contoso.example"
    assert send_with_apprise(to, message(attachment=str(report))) == Sent(TargetAnswer.ACCEPTED)
    made = message_from_string(mail.mails[0], policy=default)
    assert made["Subject"] == "contoso: users can no longer connect TrackerRMS"
    assert "<strong>Why:</strong>" in html_of(made)
    assert [part.get_filename() for part in made.iter_attachments()] == ["report #1.html"]


def test_a_mail_server_that_refuses_is_a_failure(mail: MailServer) -> None:
    mail.refuses = "451"
    to = f"mailto://127.0.0.1:{mail.port}?from=audit@contoso.example&to=it@contoso.example"
    sent = send_with_apprise(to, message())
    assert sent.answer is not TargetAnswer.ACCEPTED
    assert "451" in sent.error


def test_a_report_that_is_gone_does_not_stop_the_message(web: WebServer, tmp_path: Path) -> None:
    sent = send_with_apprise(address(web), message(attachment=str(tmp_path / "gone.html")))
    assert sent == Sent(TargetAnswer.ACCEPTED)
    assert web.received[0]["attachments"] == []


def test_a_name_with_markup_changes_nothing_in_a_mail(mail: MailServer) -> None:
    body = as_markdown([item("The app <img src=x onerror=a> *bold* [x](https://evil.example) is new")])
    to = f"mailto://127.0.0.1:{mail.port}?from=audit@contoso.example&to=it@contoso.example"
    send_with_apprise(to, message(body=body))
    html = html_of(message_from_string(mail.mails[0], policy=default))
    assert "<img" not in html
    assert "<em>" not in html
    assert "href" not in html


def test_without_apprise_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert send_with_apprise("json://localhost", message()) == Sent(TargetAnswer.DOWN, NOT_INSTALLED)
    assert problem_with("json://localhost") == NOT_INSTALLED


def test_apprise_is_imported_only_to_send() -> None:
    code = "import sys, auditor.notify; print('apprise' in sys.modules, 'requests' in sys.modules)"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.split() == ["False", "False"]
