"""Error answers in the wire protocol of the call, so that botocore parses them as if AWS had sent them.

Sources: https://smithy.io/2.0/aws/protocols/index.html (awsJson, awsQuery, ec2Query, restXml, restJson1, rpcv2Cbor).
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from xml.sax.saxutils import escape

from deployments.local.gateway.naming import Call


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer made by the gateway itself."""

    status: int
    body: bytes
    headers: dict[str, str]


def error_answer(call: Call, code: str, message: str, status: int) -> Answer:
    """An error of AWS in the protocol of `call`."""
    request_id = str(uuid.uuid4())
    match call.protocol:
        case "json" | "rest-json":
            body = json.dumps({"__type": code, "message": message}).encode()
            kind = "application/x-amz-json-1.1" if call.protocol == "json" else "application/json"
            headers = {"Content-Type": kind, "x-amzn-ErrorType": code}
        case "cbor":
            body = _cbor_map({"__type": code, "message": message})
            headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        case "s3":
            body = _xml(f"<Error>{_code(code, message)}<RequestId>{request_id}</RequestId></Error>")
            headers = {"Content-Type": "application/xml", "x-amz-request-id": request_id}
        case "ec2":
            inner = f"<Errors><Error>{_code(code, message)}</Error></Errors><RequestID>{request_id}</RequestID>"
            body = _xml(f"<Response>{inner}</Response>")
            headers = {"Content-Type": "text/xml"}
        case _:
            kind = "Receiver" if status >= 500 else "Sender"
            inner = f"<Error><Type>{kind}</Type>{_code(code, message)}</Error><RequestId>{request_id}</RequestId>"
            body = _xml(f"<ErrorResponse>{inner}</ErrorResponse>")
            headers = {"Content-Type": "text/xml"}
    return Answer(status, body, headers | {"x-amzn-RequestId": request_id})


def json_answer(document: object, status: int = 200) -> Answer:
    """A JSON answer of an awsJson service."""
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": str(uuid.uuid4())}
    return Answer(status, json.dumps(document).encode(), headers)


def query_answer(operation: str, inner: str, namespace: str) -> Answer:
    """A successful answer of a query service; `inner` is the XML inside `<OperationResult>`."""
    request_id = str(uuid.uuid4())
    body = _xml(
        f'<{operation}Response xmlns="{namespace}"><{operation}Result>{inner}</{operation}Result>'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Answer(200, body, {"Content-Type": "text/xml", "x-amzn-RequestId": request_id})


def _code(code: str, message: str) -> str:
    return f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"


def _xml(document: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'.encode()


def _cbor_map(values: dict[str, str]) -> bytes:
    """RFC 8949 encoding of a small map of text to text."""
    parts = [bytes([0xA0 + len(values)])]
    for text in (text for pair in values.items() for text in pair):
        raw = text.encode()
        size = len(raw)
        parts.append((bytes([0x60 + size]) if size < 24 else b"\x79" + size.to_bytes(2, "big")) + raw)
    return b"".join(parts)
