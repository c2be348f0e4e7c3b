"""Results that are there already, as coroutines of the interpreter's own kind.

Never compiled: a native coroutine that returns at once is awaited in half the time of a compiled object,
which has to raise StopIteration with its value.
"""

from __future__ import annotations

from typing import Any


async def result_of(value: Any) -> Any:
    """Return value."""
    return value
