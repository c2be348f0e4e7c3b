"""What `send()` returns: cheap when there is nothing to wait for.

Awaiting it makes no Future, no Event and no coroutine frame. The objects are coroutines by protocol too,
so that create_task, ensure_future, gather, wait_for and task groups take them. See also alsvid.asgi.results.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, cast


class Failed:
    """An error that belongs to the awaiter: awaiting it raises `error`."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __await__(self) -> Generator[Any, Any, Any]:
        return cast("Generator[Any, Any, Any]", self)

    def __iter__(self) -> Generator[Any, Any, Any]:
        return cast("Generator[Any, Any, Any]", self)

    def __next__(self) -> Any:
        raise self.error

    def send(self, value: Any) -> Any:
        """Raise the error, as a coroutine that fails at its first step."""
        raise self.error

    def throw(self, error: Any, value: Any = None, traceback: Any = None) -> Any:
        """Raise what is thrown in."""
        raise error if value is None else value

    def close(self) -> None:
        """Nothing to close."""


class Done:
    """Nothing was to be waited for, and there is no result. Stateless, so one object serves everybody."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, Any]:
        return _NOTHING

    def __iter__(self) -> Generator[Any, Any, Any]:
        return _NOTHING

    def __next__(self) -> Any:
        raise StopIteration

    def send(self, value: Any) -> Any:
        """End at once, as a coroutine that has nothing to wait for."""
        raise StopIteration

    def throw(self, error: Any, value: Any = None, traceback: Any = None) -> Any:
        """Raise what is thrown in."""
        raise error if value is None else value

    def close(self) -> None:
        """Nothing to close."""


# An iterator that has ended says so without making an exception, and stays ended.
_NOTHING = cast("Generator[Any, Any, Any]", iter(()))

DONE = Done()
