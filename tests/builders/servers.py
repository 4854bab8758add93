"""Small real servers on this machine: a mailbox that speaks SMTP, and a web server that answers what a test tells it."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_string, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Mailbox:
    """What arrived. `refuse`: recipients that get this answer instead of a welcome; `busy`: connections turned away first."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[list[str]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    busy: int = 0


class _Smtp(socketserver.StreamRequestHandler):
    """Just enough of RFC 5321."""

    def handle(self) -> None:
        box: Mailbox = self.server.box  # type: ignore[attr-defined]
        if box.busy:
            box.busy -= 1
            self._say("421 too busy")
            return
        self._say("220 stub")
        recipients: list[str] = []
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            verb = line[:4].upper()
            if verb == "RCPT":
                address = line.partition("<")[2].partition(">")[0]
                answer = box.refuse.get(address, "250 ok")
                if answer.startswith("250"):
                    recipients.append(address)
                self._say(answer)
            elif verb == "DATA":
                self._say("354 go on")
                self._take(box, recipients)
                recipients = []
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _take(self, box: Mailbox, recipients: list[str]) -> None:
        lines = []
        while (line := self.rfile.readline().decode()) != ".\r\n":
            lines.append(line)
        box.mails.append(message_from_string("".join(lines), policy=policy.default))
        box.envelopes.append(recipients)
        self._say("250 taken")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """An SMTP server on a free port of this machine."""
    box = Mailbox()
    with _Server(("127.0.0.1", 0), _Smtp) as server:
        server.box = box  # type: ignore[attr-defined]
        box.port = server.server_address[1]
        with _running(server):
            yield box


@dataclass
class Asked:
    """One request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Web:
    """A web server: `answer(asked)` gives status and JSON. `asked` has everything that arrived."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answer: Callable[[Asked], tuple[int, Any]] = lambda asked: (200, {})


@contextmanager
def web() -> Iterator[Web]:
    """A web server on a free port of this machine."""
    site = Web()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.command, self.path, {key.lower(): value for key, value in self.headers.items()}, body)
            site.asked.append(asked)
            status, content = site.answer(asked)
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815 - the names http.server wants

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name http.server has
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_address[1]}"
        with _running(server):
            yield site


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
