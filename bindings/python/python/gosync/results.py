"""What the calls return and report. The fields have the names of the command's ``--json``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional


@dataclass(frozen=True)
class Progress:
    """How far a call is."""

    phase: str
    """What it does: ``sum``, ``compare``, ``copy``, ``fetch`` or ``verify``."""
    done: int
    """Bytes that the phase is through with."""
    total: int
    """Bytes that it has to go through."""


@dataclass(frozen=True)
class BuildResult:
    """What `build` or `merge` made."""

    index: Optional[str]
    """Where it was put, if it went into no stream."""
    format: str
    target_bytes: int
    index_bytes: int
    payload: Optional[str]
    """Where the compressed payload was put, if there is one."""
    payload_bytes: int
    """Bytes of what is to be published beside the index."""
    block_sizes: List[int]
    """Of the layers, from the coarsest to the finest; go-sync's format has one."""
    blake3: Optional[str]
    """The hash of the whole target; go-sync's format has none, and a part does not know it."""
    seconds: float


@dataclass(frozen=True)
class DiffResult:
    """What of a target is here, and what is not."""

    matched_bytes: int
    missing_bytes: int
    missing_ranges: int
    repeated_bytes: int
    """Of the matched, those that equal others which are missing."""
    target_bytes: int
    seed_bytes: int
    index_bytes: int
    """Bytes of the index that were received."""
    seconds: float


@dataclass(frozen=True)
class PatchResult:
    """What `patch` did."""

    matched_bytes: int
    kept_bytes: int
    """Of the matched, those that an interrupted run had left."""
    fetched_bytes: int
    """Bytes of the target that were received."""
    index_bytes: int
    """Bytes of the index that were received."""
    output_bytes: int
    requests: int
    refetched_blocks: int
    """Blocks that came out wrong at first."""
    seconds: float
