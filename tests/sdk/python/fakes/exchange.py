"""A request to a fake, and what it answers."""

import json
from dataclasses import dataclass, field
from functools import cached_property

from .scene import Invalid

# What the gateway was given to show to providers.
SECRET = "sk-upstream-secret-0001"


class Failed(Exception):
    """Ends a stream before it is over: the connection is gone."""


@dataclass
class Call:
    """A request below a fake's base address."""

    path: str
    headers: dict
    raw: bytes

    @cached_property
    def body(self):
        return json.loads(self.raw)

    def needs_header(self, name, value):
        found = self.headers.get(name)
        if found != value:
            raise Invalid(f"the header {name} is {found!r}")


@dataclass
class Reply:
    status: int = 200
    body: dict | None = None
    # Instead of a body; each piece is sent by itself.
    pieces: list = field(default_factory=list)
    kind: str = "application/json"


def event(value, name=None, end="\n"):
    """An event of a stream."""
    head = f"event: {name}{end}" if name else ""
    return f"{head}data: {json.dumps(value, ensure_ascii=False)}{end}{end}".encode()


def stream(pieces):
    return Reply(pieces=pieces, kind="text/event-stream")
