"""moto behind one lock: `python -m deployments.local.emulators.moto_server --fd N [--state FOLDER]`.

moto's stores are not safe for concurrent writers (lost updates under load), so every request runs alone. With a state
folder, what a request changed is on disk a moment later, see `moto_state`.
"""

from __future__ import annotations

import argparse
import io
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from deployments.local.emulators.moto_state import MotoState

_READS = ("Describe", "List", "Get", "Search", "Lookup", "BatchGet")
_StartResponse = Callable[..., Any]


class LockedMoto:
    """The WSGI application: moto, one request at a time, and a little administration under `/_core/`."""

    def __init__(self, state: MotoState | None) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.RLock()
        self._state = state
        if state is not None:
            state.restore()
            threading.Thread(target=state.keep_saving, args=(self._lock,), daemon=True, name="state").start()

    def __call__(self, environ: dict[str, Any], start_response: _StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length) if length else b"")
        path = environ.get("PATH_INFO", "")
        with self._lock:
            if path.startswith("/_core/"):
                return _answer(start_response, self._administer(path))
            answer = [b"".join(self._moto(environ, start_response))]
            if self._state is not None and not _is_read(environ):
                self._state.touch(environ.get("HTTP_X_MOTO_ACCOUNT_ID", ""))
            return answer

    def stop(self) -> None:
        """Write what has not been written yet."""
        if self._state is not None:
            with self._lock:
                self._state.save()

    def _administer(self, path: str) -> object:
        match path:
            case "/_core/health":
                return {"healthy": True}
            case "/_core/accounts":
                return accounts()
            case "/_core/reset":
                from moto.core.base_backend import BackendDict
                from moto.organizations.models import organizations_backends

                BackendDict.reset()
                organizations_backends.master_accounts.clear()
                if self._state is not None:
                    self._state.clear()
                return {}
        return {"error": f"no such path: {path}"}


def accounts() -> list[dict[str, str]]:
    """Every account of every organization: id, e-mail, status, management account."""
    from moto.organizations.models import organizations_backends

    found: list[tuple[str, Any]] = [(owner, backend) for owner, _, backend in organizations_backends.iter_backends()]
    return [
        {"id": account.id, "email": account.email, "status": account.status, "management": management}
        for management, backend in found
        for account in backend.accounts
    ]


def _is_read(environ: dict[str, Any]) -> bool:
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return str(target).rsplit(".", 1)[-1].startswith(_READS)
    return environ.get("REQUEST_METHOD") in ("GET", "HEAD")


def _answer(start_response: _StartResponse, document: object) -> Iterable[bytes]:
    body = json.dumps(document).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="moto_server", description="moto behind one lock.")
    parser.add_argument("--fd", type=int, required=True, help="an inherited socket that listens")
    parser.add_argument("--state", type=Path, help="folder that keeps the state; in memory when left out")
    arguments = parser.parse_args()
    app = LockedMoto(MotoState(arguments.state) if arguments.state else None)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        make_server("127.0.0.1", 0, app, threaded=True, request_handler=_QuietHandler, fd=arguments.fd).serve_forever()
    finally:
        app.stop()


class _QuietHandler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """No line per request: the gateway keeps the log of calls."""


if __name__ == "__main__":
    main()
