"""Values as JSON bytes, whatever text they hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec


def encoded(value: Any, hook: Callable[[Any], Any] = dict) -> bytes:
    """The value as JSON on one line; what JSON has no form for goes through `hook` (a read-only mapping: ``dict``).

    Half a surrogate pair, which an ill-encoded argument of the command line becomes and no UTF-8 can hold, is written
    as a visible escape.
    """
    try:
        return msgspec.json.encode(value, enc_hook=hook)
    except UnicodeEncodeError:
        return msgspec.json.encode(_whole(msgspec.to_builtins(value, enc_hook=hook)))


def _whole(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_whole(key): _whole(each) for key, each in value.items()}
        case list() | tuple():
            return [_whole(each) for each in value]
        case _:
            return value
