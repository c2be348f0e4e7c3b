"""Results that are there already, as coroutines of the interpreter's own kind.

Never compiled: `await` of a native coroutine that returns at once costs 0.19 us, of a compiled object, which
must raise StopIteration with its value, 0.37 us (bench/micro).
"""

from __future__ import annotations

from typing import Any


async def result_of(value: Any) -> Any:
    """Return value."""
    return value
