"""The arguments that all calls have, for the native side."""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional

from .results import Progress

OnProgress = Callable[[Progress], Optional[bool]]


def manner(threads: Optional[int], progress: Optional[OnProgress] = None) -> Dict[str, Any]:
    if threads is not None and threads < 1:
        raise ValueError(f"threads has to be above 0, and is {threads}")
    if progress is None:
        return {"threads": threads, "progress": None}
    callback = progress

    def report(phase: str, done: int, total: int) -> Optional[bool]:
        return callback(Progress(phase, done, total))

    return {"threads": threads, "progress": report}
