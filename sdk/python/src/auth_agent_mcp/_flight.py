"""One question at a time: whoever asks while an answer is on its way waits for that answer.

The question runs in a task of its own, so that a caller who hangs up takes nobody else's answer away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Flight(Generic[Result]):
    """At most one running question."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Result] | None = None

    async def join(self, question: Callable[[], Awaitable[Result]]) -> Result:
        """Starts the question or joins the one that runs."""
        task = self._task
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            task = self._task = asyncio.ensure_future(_run(question))
            task.add_done_callback(_retrieve)
        return await asyncio.shield(task)


async def _run(question: Callable[[], Awaitable[Result]]) -> Result:
    return await question()


def _retrieve(task: asyncio.Task[Result]) -> None:
    """When every caller has hung up, nobody else looks at the exception."""
    if not task.cancelled():
        task.exception()
