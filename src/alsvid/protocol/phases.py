"""What a connection waits for: an engine's `phase`, by which the connection chooses its deadline."""

from __future__ import annotations

IDLE = 0  # the first octet of a request
HEAD = 1  # the rest of a head
CONTENT = 2  # content of a request
ANSWER = 3  # the application
DISCARD = 4  # content that nobody reads any more
SHUT = 5  # nothing: it is to be closed
