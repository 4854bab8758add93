"""S3 and DynamoDB, as the artefact store and the CMDB rely on them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.contract.backends import REGION, Backend, name


@pytest.fixture
def bucket(backend: Backend) -> str:
    made = name("bucket")
    backend.client("s3").create_bucket(Bucket=made, CreateBucketConfiguration={"LocationConstraint": REGION})
    return made


@pytest.fixture
def table(backend: Backend) -> str:
    made = name("table")
    backend.client("dynamodb").create_table(
        TableName=made,
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("p", "s", "g")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return made


def test_object_is_not_overwritten_when_if_none_match_is_given(backend: Backend, bucket: str) -> None:
    s3 = backend.client("s3")
    s3.put_object(Bucket=bucket, Key="a", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=bucket, Key="a", Body=b"2", IfNoneMatch="*")
    assert refused.value.response["Error"]["Code"] == "PreconditionFailed"
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"


def test_presigned_address_serves_the_object(backend: Backend, bucket: str) -> None:
    s3 = backend.client("s3")
    s3.put_object(Bucket=bucket, Key="deep/a", Body=b"1")
    address = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "deep/a"})
    assert httpx.get(address).content == b"1"


def test_object_listing_pages_in_order(backend: Backend, bucket: str) -> None:
    s3 = backend.client("s3")
    for number in range(7):
        s3.put_object(Bucket=bucket, Key=f"k/{number}", Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="k/", PaginationConfig={"PageSize": 3})
    assert [item["Key"] for page in pages for item in page["Contents"]] == [f"k/{number}" for number in range(7)]


def test_conditional_put_has_one_winner_under_concurrency(backend: Backend, table: str) -> None:
    dynamodb = backend.client("dynamodb")

    def put(number: int) -> bool:
        try:
            dynamodb.put_item(
                TableName=table,
                Item={"p": {"S": "lock"}, "s": {"S": "x"}, "holder": {"N": str(number)}},
                ConditionExpression="attribute_not_exists(p)",
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(put, range(48))) == 1


def test_transaction_is_all_or_nothing_and_names_the_reason(backend: Backend, table: str) -> None:
    dynamodb = backend.client("dynamodb")
    dynamodb.put_item(TableName=table, Item={"p": {"S": "t"}, "s": {"S": "2"}})

    def put(key: str) -> dict[str, Any]:
        item = {"p": {"S": "t"}, "s": {"S": key}}
        return {"Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(p)"}}

    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as refused:
        dynamodb.transact_write_items(TransactItems=[put("1"), put("2")])
    reasons = [reason["Code"] for reason in refused.value.response["CancellationReasons"]]
    assert reasons == ["None", "ConditionalCheckFailed"]
    assert "Item" not in dynamodb.get_item(TableName=table, Key={"p": {"S": "t"}, "s": {"S": "1"}})


def test_index_query_pages_backwards(backend: Backend, table: str) -> None:
    dynamodb = backend.client("dynamodb")
    for number in range(5):
        dynamodb.put_item(TableName=table, Item={"p": {"S": f"p{number}"}, "s": {"S": str(number)}, "g": {"S": "one"}})
    found: list[str] = []
    start: dict[str, Any] = {}
    while True:
        page = dynamodb.query(
            TableName=table, IndexName="by-g", KeyConditionExpression="g = :g", ScanIndexForward=False, Limit=2,
            ExpressionAttributeValues={":g": {"S": "one"}}, **start,
        )  # fmt: skip
        found += [item["s"]["S"] for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert found == ["4", "3", "2", "1", "0"]


def test_counter_loses_no_update_under_concurrency(backend: Backend, table: str) -> None:
    dynamodb = backend.client("dynamodb")
    key = {"p": {"S": "counter"}, "s": {"S": "x"}}

    def add(_: int) -> None:
        dynamodb.update_item(
            TableName=table, Key=key, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}}
        )

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(add, range(100)))
    assert dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]["n"]["N"] == "100"
