"""A web server and a mail server for notifications that answer as a test says."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CUT, SILENT = "cut", "silent"


class WebServer:
    """Answers each POST with `answer`: a status, `CUT` (no answer) or `SILENT` (none until the test ends)."""

    def __init__(self) -> None:
        self.answer: int | str = 200
        self.received: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.over = threading.Event()
        self.port = 0

    @contextmanager
    def running(self, context: ssl.SSLContext | None = None) -> Iterator[WebServer]:
        """The server, on a free port of this machine."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.over.set()
            server.shutdown()
            server.server_close()
            thread.join()


def _handler(of: WebServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            of.paths.append(self.path)
            if of.answer == CUT:
                self.connection.close()
                return
            if of.answer == SILENT:
                of.over.wait()
                return
            if of.answer == 200:
                of.received.append(json.loads(text))
            self.send_response(int(of.answer))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    return Handler


class MailServer:
    """Accepts every mail, or refuses with `refuses` (``451``) after its text was sent."""

    def __init__(self) -> None:
        self.refuses = ""
        self.mails: list[str] = []
        self.port = 0

    @contextmanager
    def running(self) -> Iterator[MailServer]:
        """The server, on a free port of this machine."""
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _mail_handler(self))
        server.daemon_threads = True
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _mail_handler(of: MailServer) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 mail.contoso.example")
            while line := self.rfile.readline():
                command = line.decode().strip().split(" ")[0].upper()
                if command == "DATA":
                    self._say("354 go on")
                    mail = b"".join(iter(self.rfile.readline, b".\r\n")).decode()
                    if not of.refuses:
                        of.mails.append(mail)
                    self._say(f"{of.refuses} later" if of.refuses else "250 accepted")
                elif command == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 mail.contoso.example")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    return Handler
