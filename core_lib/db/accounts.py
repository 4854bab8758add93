"""The account directory: every account of the client's organization, as targeting sees it."""

from __future__ import annotations

from collections.abc import Iterable

from core_lib.db.connection import CmdbConnection, Item
from core_lib.db.paging import Page, page_size, read_cursor, write_cursor
from core_lib.db.tables import AccountRow
from core_lib.framework.errors import NotFoundError
from core_lib.framework.models import Account

_DIRECTORY = "accounts"


class Accounts:
    """The accounts of one client. Rows are read and written in DynamoDB's own notation, because there are thousands."""

    def __init__(self, table: type[AccountRow], connection: CmdbConnection) -> None:
        self._table: str = table.Meta.table_name
        self._connection = connection

    def put_many(self, accounts: Iterable[Account]) -> None:
        """Write these accounts, 25 per call, replacing what is there.

        Raises:
            AwsError: DynamoDB left some unprocessed to the end; the message names them. Calling again is safe.
        """
        self._connection.put_many(self._table, [_item(account) for account in accounts])

    def get(self, account_id: str) -> Account:
        """One account by its id.

        Raises:
            NotFoundError: it is not in the directory.
        """
        found = list(self._connection.get_many(self._table, [_key(account_id)]))
        if not found:
            raise NotFoundError(
                f"account {account_id} is not in the directory", hint="'core registry sync' reads the organization again"
            )
        return _account(found[0])

    def all(self) -> list[Account]:
        """All accounts in the order of their ids: one query, read page after page."""
        rows = self._connection.query_all(self._table, "directory", _DIRECTORY, ConsistentRead=True)
        return [_account(row) for row in rows]

    def list(self, *, limit: int = 100, cursor: str | None = None) -> Page[Account]:
        """A page of accounts in the order of their ids."""
        start = read_cursor(cursor, self._table)
        answer = self._connection.call(
            "Query",
            TableName=self._table,
            Limit=page_size(limit),
            KeyConditionExpression="directory = :all",
            ExpressionAttributeValues={":all": {"S": _DIRECTORY}},
            **({"ExclusiveStartKey": start} if start else {}),
        )
        accounts = tuple(_account(row) for row in answer["Items"])
        return Page(accounts, write_cursor(answer.get("LastEvaluatedKey"), self._table))


def _key(account_id: str) -> Item:
    return {"directory": {"S": _DIRECTORY}, "account": {"S": account_id}}


def _item(account: Account) -> Item:
    return {**_key(account.id), "b": {"S": account.model_dump_json(exclude_defaults=True)}}


def _account(item: Item) -> Account:
    return Account.model_validate_json(item["b"]["S"])
