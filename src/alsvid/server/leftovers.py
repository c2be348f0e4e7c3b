"""What an application that was cut has left: tasks that refuse to end, threads that block.

Python waits for both when it ends, for ever if need be. Here they get a moment; what is left then is told,
and the process ends without it.
"""

from __future__ import annotations

import asyncio
import threading
import time


async def end_leftovers(timeout_s: float) -> list[str]:
    """Cancel the tasks and dismiss the threads that are left; return the names of those that did not end."""
    loop = asyncio.get_running_loop()
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    if tasks:
        _, pending = await asyncio.wait(tasks, timeout=timeout_s)
    else:
        pending = set()
    names = [f"task {task.get_name()}" for task in pending]
    # Asyncio's own way to end its threads waits for them without a limit (3.11) or for minutes.
    executor = getattr(loop, "_default_executor", None)
    if executor is not None:
        executor.shutdown(wait=False, cancel_futures=True)
    return names + _threads_left(timeout_s)


def _threads_left(timeout_s: float) -> list[str]:
    end = time.monotonic() + timeout_s
    left = []
    for thread in threading.enumerate():
        if thread is threading.current_thread() or thread.daemon:
            continue
        thread.join(max(0.0, end - time.monotonic()))
        if thread.is_alive():
            left.append(f"thread {thread.name}")
    return left
