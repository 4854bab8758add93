"""Clients that share what is expensive: one real botocore client per (service, region), one light view of it per role.

A botocore client costs milliseconds and hundreds of kilobytes: service model, endpoint rules, retry state, connection
pool. None of it depends on the account. So all accounts share the client of a (service, region), with its open connections, and
each gets a view that signs with its own role. A view binds its role for the duration of one call in the calling thread;
the shared client by itself holds credentials that refuse to sign, so a call without a role cannot happen.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from core_lib.framework.errors import AssumeRoleError
from core_lib.helper.roles import RoleCredentials

V = TypeVar("V")


@dataclass(frozen=True)
class Binding:
    """Whose credentials sign the calls of a view, and the account they count for."""

    account: str
    credentials: RoleCredentials


_bound: ContextVar[Binding | None] = ContextVar("core_aws_binding", default=None)


def current_binding() -> Binding | None:
    """The binding of the call in progress; None outside of a view's call."""
    return _bound.get()


@contextmanager
def unbound() -> Iterator[None]:
    """Outside of any view: a role is fetched while a call is being signed, and that fetch is no call of the view."""
    token = _bound.set(None)
    try:
        yield
    finally:
        _bound.reset(token)


class NoRole:
    """Credentials of a shared client: outside of a view's call they refuse to sign.

    botocore signs with them, inside of a call, the address of a source in another region (CopySnapshot and the like).
    """

    method = "core-no-role"
    account_id = None

    def get_frozen_credentials(self) -> Any:
        """Those of the view whose call is in progress.

        Raises:
            AssumeRoleError: signing without a view, which is never right.
        """
        binding = _bound.get()
        if binding is not None:
            return binding.credentials.get_frozen_credentials()
        raise AssumeRoleError("a client was used without a role", hint="get clients from AwsSessions.client")

    def get_deferred_property(self, name: str) -> Callable[[], None]:  # noqa: ARG002 - botocore's signature
        """botocore asks for `account_id` to choose endpoints; there is none."""
        return lambda: None


class _View:
    """What a view adds to the class of its client."""

    _core_binding: Binding

    def _make_api_call(self, operation_name: str, api_params: Any) -> Any:
        token = _bound.set(self._core_binding)
        try:
            return super()._make_api_call(operation_name, api_params)  # type: ignore[misc]
        finally:
            _bound.reset(token)

    def close(self) -> None:
        """Nothing: the connections belong to the shared client."""


def view(shared: Any, binding: Binding) -> Any:
    """A view of a shared client that signs with the binding's credentials. Costs microseconds.

    Views share the client's event hooks: whoever registers one on a view hears the calls of all accounts.
    """
    twin = object.__new__(shared.core_view_class)
    twin.__dict__.update(vars(shared))
    twin._core_binding = binding
    return twin


def make_shared(client: Any) -> Any:
    """Prepare a client for views: a class for them, and the hook that puts their credentials on each request."""
    kind = type(client)
    client.core_view_class = type(kind.__name__, (_View, kind), {})
    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register_first(f"request-created.{service}", _sign_with_binding, unique_id="core-binding")
    client.meta.events.register(f"needs-retry.{service}", _renew_expired, unique_id="core-expired")
    return client


def _sign_with_binding(request: Any, **_: Any) -> None:
    binding = _bound.get()
    if binding is not None:
        request.context["signing"] = {**request.context.get("signing", {}), "request_credentials": binding.credentials}


def _renew_expired(response: Any, attempts: int, **_: Any) -> int | None:
    """An expired session is renewed and the call repeated at once, one time."""
    binding = _bound.get()
    if binding is None or response is None or attempts > 1:
        return None
    code = response[1].get("Error", {}).get("Code")
    if code not in ("ExpiredToken", "ExpiredTokenException", "RequestExpired"):
        return None
    binding.credentials.expire()
    return 0


def close_when_unused(client: Any) -> None:
    """Close the connections of a client when the last user of it (or of a view of it) lets go."""
    endpoint = client._endpoint
    weakref.finalize(endpoint, endpoint.http_session.close).atexit = False


class Cache(Generic[V]):
    """A bounded mapping that forgets what was not used for longest. Thread-safe; a missing value is made only once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Hashable, V] = OrderedDict()
        self._lock = threading.Lock()
        self._making: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value of a key; `make` is called when there is none, by one thread while others of the same key wait."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            turn = self._making.setdefault(key, threading.Lock())
        with turn:
            with self._lock:
                if key in self._values:
                    return self._values[key]
            value = make()
            with self._lock:
                self._values[key] = value
                self._making.pop(key, None)
                while len(self._values) > self._size:
                    self._values.popitem(last=False)
            return value

    def clear(self) -> list[V]:
        """Forget everything; what was there is returned."""
        with self._lock:
            values = list(self._values.values())
            self._values.clear()
        return values

    def __len__(self) -> int:
        return len(self._values)
