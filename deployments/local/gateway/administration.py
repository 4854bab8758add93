"""The gateway's own HTTP API under `/_gateway/`: health, faults, log, reset."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from deployments.local.gateway.call_log import CallLog
from deployments.local.gateway.faults import FaultBook, FaultRule
from deployments.local.gateway.upstream import UpstreamDown, Upstreams

_RULES = TypeAdapter(list[FaultRule])


class Administration:
    """Routes of the administration; paths that do not exist answer 404 with the list of those that do."""

    def __init__(self, upstreams: Upstreams, faults: FaultBook, log: CallLog, forget: Callable[[], None]) -> None:
        self._upstreams = upstreams
        self._faults = faults
        self._log = log
        self._forget = forget

    async def handle(self, method: str, raw_path: str, body: bytes) -> web.Response:
        """Answer one administrative request."""
        path, _, query = raw_path.removeprefix("/_gateway/").partition("?")
        match method, path.rstrip("/"):
            case "GET", "health":
                return await self._health()
            case "GET", "faults":
                return web.json_response([rule.statistics() for rule in self._faults.rules])
            case "POST", "faults":
                return self._set_faults(body)
            case "DELETE", "faults":
                self._faults.rules = []
                return web.json_response([])
            case "GET", "log":
                limit = parse_qs(query).get("limit", ["1000"])[0]
                return web.json_response(self._log.as_dict(int(limit) if limit.isdigit() else 1000))
            case "DELETE", "log":
                self._log.clear()
                return web.json_response({})
            case "POST", "reset":
                return await self._reset()
        known = ["GET health", "GET|POST|DELETE faults", "GET|DELETE log", "POST reset"]
        return web.json_response({"error": f"no such path: {method} {path}", "known": known}, status=404)

    async def _health(self) -> web.Response:
        states: dict[str, str] = {}
        for name, path in (("ministack", "/_ministack/health"), ("moto", "/_core/health")):
            try:
                reply = await self._upstreams.admin("ministack" if name == "ministack" else "moto", "GET", path)
                states[name] = "up" if reply.status == 200 else f"status {reply.status}"
            except UpstreamDown:
                states[name] = "down"
        healthy = all(state == "up" for state in states.values())
        return web.json_response({"healthy": healthy, "upstreams": states}, status=200 if healthy else 503)

    def _set_faults(self, body: bytes) -> web.Response:
        """Replace all rules, or none when one of them is not valid."""
        try:
            self._faults.rules = _RULES.validate_json(body)
        except ValidationError as problem:
            details = [{"where": list(error["loc"]), "message": error["msg"]} for error in problem.errors()]
            return web.json_response({"error": "not a list of fault rules", "details": details}, status=400)
        return web.json_response([rule.statistics() for rule in self._faults.rules])

    async def _reset(self) -> web.Response:
        """Wipe both emulators, the learned keys, the faults and the log."""
        await self._upstreams.admin("ministack", "POST", "/_ministack/reset")
        await self._upstreams.admin("moto", "POST", "/_core/reset")
        self._faults.rules = []
        self._log.clear()
        self._forget()
        return web.json_response({})
