"""What the calls return and report. The fields have the names of the command's ``--json``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional, Tuple


@dataclass(frozen=True)
class Progress:
    """How far a call is."""

    phase: str
    """What it does: ``sum``, ``compress``, ``compare``, ``copy``, ``fetch`` or ``verify``; and ``open`` and ``close``
    packed files."""
    done: int
    """Bytes that the phase is through with."""
    total: int
    """Bytes that it has to go through."""


@dataclass(frozen=True)
class FileCounts:
    """How many files of a directory became, or would become, what."""

    unchanged: int
    changed: int
    added: int
    removed: int
    moved: int


@dataclass(frozen=True)
class DirectoryInfo:
    """What an index says of a directory."""

    entries: int
    files: int
    bytes: int
    """Of all files."""
    excludes: List[str]
    """Patterns of what was left out."""
    packed_files: int = 0
    """How many packed files are opened in its target."""


@dataclass(frozen=True)
class PackedInfo:
    """What an index says of a packed file."""

    bytes: int
    blake3: str
    """The hash of the packed file."""
    streams: int
    """How many streams of it are opened."""
    unknown_streams: int
    """How many of them cannot be packed again here, and are fetched as they are."""
    recipe_bytes: int


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
    warnings: List[str]
    """What went wrong apart from the content."""
    seconds: float
    files: Optional[int] = None
    """Of a directory, how many it has."""
    packed: Optional[PackedInfo] = None
    """Of a packed file that was opened. The target is what is in it then."""


@dataclass(frozen=True)
class PublishResult:
    """What `publish` put where."""

    changed: bool
    """Whether there is a new version: if not, all of this was there."""
    pointer: str
    """What clients are given in place of an index."""
    serial: int
    """The number of the version."""
    published_at: int
    """When that was, in seconds since the beginning of 1970."""
    expires_at: Optional[int]
    """When clients refuse it, in the same."""
    index: str
    files: List[str]
    """The names of the files of this version."""
    removed: List[str]
    """Those of the files that were removed."""
    target_bytes: int
    payload_bytes: int
    """Bytes of what clients fetch parts of."""
    index_bytes: int
    warnings: List[str]
    """What could not be removed."""
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
    warnings: List[str]
    """What went wrong apart from the content."""
    seconds: float
    files: Optional[FileCounts] = None
    """Of a directory, what would become of how many."""
    changes: Optional[List[Tuple[str, str, Optional[str]]]] = None
    """Of a directory, what would happen to each file or directory in it that would not stay as it is: ``add``,
    ``change``, ``move`` or ``remove``, its path, with a slash behind that of a directory, and where it was, if it
    moves."""
    closing_seconds: Optional[float] = None
    """Of a packed file, how long packing it again will take."""


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
    changed: bool
    """Whether the output was written: a file that is the new version already is left alone."""
    warnings: List[str]
    """What went wrong apart from the content."""
    seconds: float
    files: Optional[FileCounts] = None
    """Of a directory, what became of how many."""
    files_kept: Optional[List[str]] = None
    """Of a directory, the paths that were left as they are; `warnings` says why."""
    opened_bytes: Optional[int] = None
    """Of a packed file, the bytes of what is in it: those that matched or were fetched."""
    as_published_bytes: Optional[int] = None
    """Of a packed file, bytes of the fetched that could not be packed again here."""


@dataclass(frozen=True)
class InspectResult:
    """What is in an index."""

    format: str
    """``gosync``, ``go-sync`` or ``zsync``."""
    version: str
    target: Optional[str]
    """What it calls its target."""
    target_bytes: int
    index_bytes: int
    block_sizes: List[int]
    payload: Optional[str]
    """What the compressed payload is called, if there is one."""
    payload_bytes: int
    """Bytes of what is published beside the index."""
    hashes: List[Tuple[str, str]]
    """Of the whole target: what each is called, and its digits."""
    urls: List[str]
    """Where a control file of zsync says that its target is."""
    signed_by: Optional[str]
    """The key's number, where a key was given."""
    trusted_comment: Optional[str]
    directory: Optional[DirectoryInfo] = None
    packed: Optional[PackedInfo] = None
    """Of a packed file. The target is what is in it then."""


@dataclass(frozen=True)
class VerifyResult:
    """Whether a file is the target of an index."""

    ok: bool
    file_bytes: Optional[int]
    """None of a directory."""
    target_bytes: int
    wrong_bytes: Optional[int]
    """None of a directory."""
    wrong_ranges: List[Tuple[int, int]]
    """Where each begins, and where it ends. None where only the hash of the whole is wrong."""
    seconds: float
    missing: Optional[List[str]] = None
    """Of a directory, the paths where something is missing."""
    different: Optional[List[str]] = None
    """Of a directory, the paths where something else is."""
    modes: Optional[List[str]] = None
    """Of a directory, the paths of what has another mode."""
