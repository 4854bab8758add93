"""The one connection to DynamoDB that all tables of a CMDB share.

PynamoDB makes a botocore client for every model class; with eight tables per client that is slow to start and holds many
sockets. `CmdbConnection` is made once and handed to all models. It also turns what AWS says into errors of the platform, except
for refused conditions: those are answers, which the repositories read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from threading import Lock
from typing import Any, cast

from botocore.exceptions import BotoCoreError
from pynamodb.connection import Connection
from pynamodb.connection._botocore_private import BotocoreBaseClientPrivate
from pynamodb.connection.base import MetaTable
from pynamodb.exceptions import VerboseClientError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from core_lib.framework.errors import AwsError, ConflictError, NotFoundError

Item = dict[str, Any]
"""An item in DynamoDB's own notation: attribute name to `{type: value}`."""

TRANSACTION_LIMIT = 100
_BATCH_WRITE_LIMIT = 25
_BATCH_GET_LIMIT = 100
_ATTEMPTS = 12
_CONDITION_CODES = ("ConditionalCheckFailedException", "TransactionCanceledException")
_BUSY_CODES = frozenset({
    "TransactionInProgressException", "TransactionConflictException", "ProvisionedThroughputExceededException",
    "ThrottlingException", "RequestLimitExceeded",
})  # fmt: skip
_REFUSED = "ConditionalCheckFailed"
_BUSY_REASONS = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"})


class BusyError(AwsError):
    """DynamoDB was busy with the same items; the call is worth repeating (and was repeated, if you see this)."""


def _patiently() -> Retrying:
    """Up to 12 attempts with random, growing pauses (about 8 s in all)."""
    return Retrying(
        retry=retry_if_exception_type(BusyError),
        wait=wait_random_exponential(multiplier=0.02, max=2),
        stop=stop_after_attempt(_ATTEMPTS),
        reraise=True,
    )


class CmdbConnection(Connection):
    """A PynamoDB connection that is safe to share between threads and tables."""

    def __init__(
        self, region: str | None, *, connect_timeout: float = 5, read_timeout: float = 30, max_attempts: int = 10, pool: int = 50
    ) -> None:
        super().__init__(
            region=region,
            connect_timeout_seconds=connect_timeout,
            read_timeout_seconds=read_timeout,
            retry_configuration={"mode": "standard", "total_max_attempts": max_attempts},
            max_pool_connections=pool,
        )
        self._guard = Lock()

    @property
    def client(self) -> BotocoreBaseClientPrivate:
        """The botocore client, made once (making one is not thread-safe)."""
        if self._client is None:
            with self._guard:
                return super().client
        return self._client

    def close(self) -> None:
        """Close the sockets. The connection may be used again; it opens new ones."""
        with self._guard:
            if self._client is not None:
                self._client.close()
                self._client = None

    def share(self, table: MetaTable) -> None:
        """Make the keys of a table known to this connection."""
        with self._guard:
            self._tables[table.table_name] = table

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """One API call in DynamoDB's own notation.

        Raises:
            NotFoundError: the table does not exist.
            AwsError: anything else but a refused condition, which stays a `VerboseClientError`.
        """
        return self._make_api_call(operation, arguments)

    def _make_api_call(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        try:
            return _patiently()(self._send, operation_name, operation_kwargs)
        except BusyError as error:
            raise AwsError(f"DynamoDB stays busy: {error.message}", where=error.where, hint="try again later") from error

    def _send(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """One call with botocore's own retries; BusyError when it is worth another round."""
        try:
            return cast("dict[str, Any]", super()._make_api_call(operation, arguments))
        except VerboseClientError as error:
            code = error.response["Error"].get("Code", "")
            if code in _CONDITION_CODES or (operation == "DescribeTable" and code == "ResourceNotFoundException"):
                raise
            raise _translated(error, code, operation, self._get_table_name_for_error_context(arguments)) from error
        except BotoCoreError as error:
            raise AwsError(
                f"DynamoDB cannot be reached: {error}",
                where=operation,
                hint="check the network, AWS_ENDPOINT_URL and the credentials; a local platform is started with 'core up'",
            ) from error

    def transact(self, operations: Sequence[Mapping[str, Item]]) -> list[int]:
        """Write all of these `{"Put": ...}`, `{"Update": ...}`, `{"Delete": ...}`, `{"ConditionCheck": ...}` or none.

        Returns the positions of the operations whose condition was refused; empty means everything is written. Conflicts with
        other transactions and throttling are retried.
        Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
        """
        return _patiently()(self._transact_once, operations)

    def _transact_once(self, operations: Sequence[Mapping[str, Item]]) -> list[int]:
        try:
            self.call("TransactWriteItems", TransactItems=list(operations))
        except VerboseClientError as error:
            codes = [reason.code if reason else None for reason in error.cancellation_reasons]
            refused = [index for index, code in enumerate(codes) if code == _REFUSED]
            if refused:
                return refused
            if any(code in _BUSY_REASONS for code in codes):
                raise BusyError("other transactions keep changing the same items", where="TransactWriteItems") from error
            raise AwsError(
                f"DynamoDB refused a transaction: {error.cause_message or codes}", where="TransactWriteItems"
            ) from error
        return []

    def put_many(self, table: str, items: Sequence[Item]) -> None:
        """Write items unconditionally, 25 per call; what DynamoDB leaves unprocessed is sent again.

        Raises:
            AwsError: some items are still unprocessed after all attempts; the message lists their keys.
        """
        for start in range(0, len(items), _BATCH_WRITE_LIMIT):
            waiting = [{"PutRequest": {"Item": item}} for item in items[start : start + _BATCH_WRITE_LIMIT]]
            self._batch("BatchWriteItem", table, waiting)

    def _batch(self, operation: str, table: str, requests: list[Item]) -> None:
        remaining = requests

        def send() -> None:
            nonlocal remaining
            answer = self.call(operation, RequestItems={table: remaining})
            remaining = answer.get("UnprocessedItems", {}).get(table, [])
            if remaining:
                raise BusyError(f"{len(remaining)} items stay unprocessed: {_names(remaining)}", where=table)

        _patiently()(send)

    def get_many(self, table: str, keys: Sequence[Item]) -> Iterator[Item]:
        """Read items by key (strongly consistent), 100 per call; missing ones are left out, order is not kept."""
        for start in range(0, len(keys), _BATCH_GET_LIMIT):
            yield from self._get_batch(table, list(keys[start : start + _BATCH_GET_LIMIT]))

    def _get_batch(self, table: str, keys: list[Item]) -> list[Item]:
        found: list[Item] = []
        remaining = keys

        def receive() -> None:
            nonlocal remaining
            answer = self.call("BatchGetItem", RequestItems={table: {"Keys": remaining, "ConsistentRead": True}})
            found.extend(answer.get("Responses", {}).get(table, []))
            remaining = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            if remaining:
                raise BusyError(f"{len(remaining)} keys stay unprocessed", where=table)

        _patiently()(receive)
        return found

    def query_all(self, table: str, key: str, value: str, **arguments: Any) -> Iterator[Item]:
        """All items whose partition key `key` is `value`, page after page."""
        arguments |= {
            "TableName": table,
            "KeyConditionExpression": "#partition = :partition",
            "ExpressionAttributeNames": {"#partition": key, **arguments.pop("names", {})},
            "ExpressionAttributeValues": {":partition": {"S": value}, **arguments.pop("values", {})},
        }
        while True:
            answer = self.call("Query", **arguments)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _names(requests: list[Item]) -> str:
    keys = [list(request["PutRequest"]["Item"].values())[:2] for request in requests[:5]]
    shown = ["/".join(str(value.get("S")) for value in key) for key in keys]
    return ", ".join(shown) + (" ..." if len(requests) > len(shown) else "")


def _translated(
    error: VerboseClientError, code: str, operation: str, table: str | None
) -> AwsError | NotFoundError | ConflictError:
    message = error.response["Error"].get("Message", code)
    where = f"{operation} {table}" if table else operation
    if code == "ResourceNotFoundException":
        return NotFoundError(
            "a table of the CMDB does not exist", where=where, hint="register the client first: that creates its tables"
        )
    if code == "ResourceInUseException":
        return ConflictError("the table is already there or still being changed", where=where)
    if code in _BUSY_CODES:
        return BusyError(message, where=where)
    return AwsError(f"DynamoDB says {code}: {message}", where=where)
