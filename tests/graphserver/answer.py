"""One answer before it is put on the wire, and how the wire may mistreat it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

JSON_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


class Wire(Enum):
    """What happens to the bytes of an answer."""

    WHOLE = "sent as it should be"
    RESET = "the connection is reset before anything is sent"
    CUT = "half of the body is sent, then the connection ends"
    SILENT = "nothing is sent; the connection stays open"


@dataclass(frozen=True)
class Answer:
    """A status, headers and a body: a JSON value, or bytes that are sent as they are. It's sent once `held` is set."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE
    wire: Wire = Wire.WHOLE
    held: threading.Event | None = None
