"""JSON batching: up to twenty calls in one, answered in any order, each with its own status."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from .answer import Answer
from .call import Call, read_call
from .errors import GraphError, bad_request
from .graph import Graph
from .records import BatchItem
from .tokens import Caller

LIMIT = 20
Item = Mapping[str, Any]


def answer_batch(graph: Graph, call: Call, raw: bytes, order: random.Random) -> tuple[Answer, tuple[BatchItem, ...]]:
    """The answer to a $batch and what to remember of its items."""
    try:
        caller = graph.caller(call)
        items = _items(raw)
    except GraphError as error:
        return graph.failed(call, error), ()
    answers: dict[str, Answer] = {}
    records = []
    for item in items:
        child = _call(call, item)
        answers[item["id"]] = answer = _answer(graph, child, item, answers, caller)
        records.append(BatchItem(item["id"], child.method, item["url"], child.path, child.query, answer.status))
    responses = [_response(name, answer) for name, answer in answers.items()]
    order.shuffle(responses)
    return Answer(200, {"responses": responses}), tuple(records)


def _items(raw: bytes) -> list[Item]:
    """The items in an order that respects dependsOn; 400 for anything that isn't a batch."""
    try:
        items = msgspec.json.decode(raw)["requests"]
        ids = [item["id"] for item in items]
        wanted = all(isinstance(item[name], str) for item in items for name in ("id", "method", "url"))
    except (msgspec.DecodeError, KeyError, TypeError):
        raise bad_request("The batch has no list of requests with id, method and url.") from None
    if not wanted or not items or len(set(ids)) != len(ids):
        raise bad_request("Every request of a batch needs a unique id, a method and a url.")
    if len(items) > LIMIT:
        raise bad_request(f"A batch holds at most {LIMIT} requests, not {len(items)}.")
    return _in_order(items)


def _in_order(items: list[Item]) -> list[Item]:
    done: list[Item] = []
    waiting = list(items)
    while waiting:
        ready = [item for item in waiting if set(item.get("dependsOn", ())) <= {one["id"] for one in done}]
        if not ready:
            raise bad_request("dependsOn names no request of this batch, or goes round in a circle.")
        done += ready
        waiting = [item for item in waiting if item not in ready]
    return done


def _call(outer: Call, item: Item) -> Call:
    headers = {name.lower(): str(value) for name, value in (item.get("headers") or {}).items()}
    address = item["url"] if _is_absolute(item["url"]) else f"/{item['url'].lstrip('/')}"
    return read_call(item["method"], f"{outer.base}/{outer.version}{address}", headers, in_batch=True)


def _is_absolute(url: str) -> bool:
    return bool(urlsplit(url).scheme or url.startswith("//"))


def _answer(graph: Graph, call: Call, item: Item, earlier: Mapping[str, Answer], caller: Caller) -> Answer:
    if _is_absolute(item["url"]):
        return graph.failed(call, bad_request("The url of a batched request is relative to the version."))
    if any(earlier[name].status >= 400 for name in item.get("dependsOn", ())):
        return graph.failed(call, GraphError(424, "FailedDependency", "A request it depends on failed."))
    fault = graph.fault(call, caller)
    if fault is None:
        return graph.answer(call, caller)
    return fault.answer(call, lambda: graph.answer(call, caller), lambda error: graph.failed(call, error))


def _response(name: str, answer: Answer) -> dict[str, Any]:
    headers = {"Cache-Control": "no-cache", "Content-Type": "application/json", **answer.headers}
    body = answer.body.decode("utf-8", "replace") if isinstance(answer.body, bytes) else answer.body
    return {"id": name, "status": answer.status, "headers": headers, "body": body}
