"""SYSTEM::HttpRequest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, Field, model_validator

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import LARGEST_ANSWER
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.execute.web.request import Reply, send
from core_lib.execute.web.secrets import PERMISSIONS, SecretReference, read_secret, secrets_scope
from core_lib.framework.models import Cause, Message, Target
from core_lib.helper.clock import utc_now

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429, 500, 502, 503, 504})


def _query(text: str) -> str:
    try:
        jmespath.compile(text)
    except JMESPathError as error:
        raise ValueError(f"not a JMESPath expression: {error}") from error
    return text


Query = Annotated[str, AfterValidator(_query)]


class Expectation(Message):
    """What the answer has to say."""

    path: Query = Field(description="JMESPath into the JSON answer, e.g. `status`")
    equals: Any = Field(default=True, description="What has to be there")


class Poll(Message):
    """Asking again until the answer is as expected."""

    every: timedelta = Field(default=timedelta(seconds=10), ge=timedelta(seconds=1), description="Time between two requests")
    within: timedelta = Field(gt=timedelta(0), le=timedelta(days=2), description="Give up after this time")


class HttpRequestParams(Message):
    """What is asked of whom, and what the answer must be."""

    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] = Field(default="GET", description="Method")
    url: str = Field(pattern=r"^https?://[^\s]+$", max_length=4000, description="URL; see the settings http.*")
    headers: dict[str, str] = Field(default_factory=dict, description="Headers")
    secret_headers: dict[str, SecretReference] = Field(default_factory=dict, description="Headers whose values are secrets")
    body: str | None = Field(default=None, description="Body as text")
    json_body: Any = Field(default=None, alias="Json", description="Body as JSON")
    expected_statuses: tuple[int, ...] = Field(default=(), description="Statuses that are right; default: 200 to 299")
    expect: Expectation | None = Field(default=None, description="What the JSON answer has to say")
    poll: Poll | None = Field(default=None, description="Ask again until the answer is right")
    keep: dict[str, Query] = Field(default_factory=dict, description="Values to keep as outputs: JMESPath by name")

    @model_validator(mode="after")
    def _one_body(self) -> HttpRequestParams:
        if self.body is not None and self.json_body is not None:
            raise ValueError("give either Body or Json")
        return self


Context = ActionContext[HttpRequestParams]


class HttpRequest(Action[HttpRequestParams]):
    """Asks a web service. Methods that change something carry an Idempotency-Key, the same for every try of the same request."""

    kind = "SYSTEM::HttpRequest"
    purpose = "Sends a web request and checks the answer, or asks until the answer is right."
    permissions = PERMISSIONS
    Params = HttpRequestParams
    outputs: ClassVar[Mapping[str, str]] = {"Status": "status of the answer", "Values": "what Keep names, by name"}
    example: ClassVar[Mapping[str, Any]] = {
        "Url": "https://shop.example.com/health",
        "SecretHeaders": {"Authorization": "resolve:secretsmanager:shop/health:SecretString:header"},
        "Expect": {"Path": "status", "Equals": "ready"},
        "Poll": {"Every": "PT5S", "Within": "PT5M"},
        "Keep": {"Version": "build.number"},
    }

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The secrets in its headers."""
        headers = params.get("SecretHeaders") or {}
        references = headers.values() if isinstance(headers, Mapping) else [headers]
        return secrets_scope(map(str, references), target, partition)

    def start(self, ctx: Context) -> Step:
        """Settle when to give up; the request itself is sent by `check`."""
        within = ctx.params.poll.within if ctx.params.poll else timedelta()
        return Again(after=0, scratch={"until": (utc_now() + within).isoformat()})

    def check(self, ctx: Context) -> Step:
        """Send the request and look at the answer."""
        poll = ctx.params.poll
        late = utc_now() >= datetime.fromisoformat(ctx.scratch["until"])
        try:
            reply = self._send(ctx)
        except ConnectionError:
            if poll is None or late:
                raise
            return Again(after=poll.every.total_seconds(), message="no answer yet")
        wrong = _fault(ctx.params, reply)
        if wrong is None:
            return _done(ctx.params, reply)
        if poll is not None and not late:
            return Again(after=poll.every.total_seconds(), message=wrong)
        transient = poll is None and reply.status in _WORTH_ANOTHER_TRY
        cause = Cause.TIMEOUT if poll else Cause.TRANSIENT if transient else Cause.PERMANENT
        return Failed(wrong if poll is None else f"after {poll.within}: {wrong}", cause=cause)

    def cancel(self, ctx: Context) -> Step:
        """Between two requests, at once."""
        _ = ctx
        return Done(changed=False, message="not asked any more")

    def undo(self, ctx: Context) -> Step:
        """Nobody knows what a request did."""
        _ = ctx
        return Done(changed=False, message="what a request did cannot be undone from here")

    def _send(self, ctx: Context) -> Reply:
        params = ctx.params
        headers = {"Accept": "application/json, */*;q=0.5", "User-Agent": "core-automation-platform", **params.headers}
        headers |= {name: read_secret(reference, ctx.client) for name, reference in params.secret_headers.items()}
        if params.method not in _SAFE:
            headers.setdefault("Idempotency-Key", ctx.token("request"))
        content = params.body.encode() if params.body is not None else None
        if params.json_body is not None:
            headers.setdefault("Content-Type", "application/json")
            content = json.dumps(params.json_body).encode()
        return send(params.method, params.url, settings=ctx.settings.http, headers=headers, content=content)


def _fault(params: HttpRequestParams, reply: Reply) -> str | None:
    """What is wrong with the answer."""
    right = reply.status in params.expected_statuses if params.expected_statuses else 200 <= reply.status < 300
    if not right:
        return f"the answer is {reply.status}"
    if params.expect is None:
        return None
    found = _search(params.expect.path, reply)
    return None if found == params.expect.equals else f"{params.expect.path} is not {json.dumps(params.expect.equals)}"


def _done(params: HttpRequestParams, reply: Reply) -> Step:
    values = {name: _search(path, reply) for name, path in params.keep.items()}
    if len(json.dumps(values)) > LARGEST_ANSWER:
        return Failed("what Keep names is too large to be kept", hint=f"keep less than {LARGEST_ANSWER // 1024} KiB")
    return Done(outputs={"Status": reply.status, "Values": values}, changed=params.method not in _SAFE)


def _search(path: str, reply: Reply) -> Any:
    """What the path finds in a JSON answer; nothing in any other."""
    try:
        return jmespath.search(path, json.loads(reply.text))
    except (ValueError, JMESPathError):
        return None
