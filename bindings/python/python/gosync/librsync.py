"""Signatures, deltas and patches as librsync's, with the calls of python-librsync.

>>> import gosync.librsync as librsync
>>> signature = librsync.signature(open("old", "rb"))
>>> delta = librsync.delta(open("new", "rb"), signature)
>>> librsync.patch(open("old", "rb"), delta, open("made", "wb"))

All arguments are binary file objects: files, ``io.BytesIO``, ``mmap``, pipes, or
anything else with a ``read``. What is written can be read by librsync, and by rdiff.
"""

from __future__ import annotations

import tempfile
from typing import IO, Optional, TypeVar, cast, overload

from . import _native
from ._manner import manner
from ._streams import Readable, SeekableReadable, Writable

__all__ = ["LibrsyncError", "debug", "delta", "patch", "signature"]

# What a temporary file holds in memory before it becomes one on disk.
MAX_SPOOL = 5 << 20

# The other numbers of python-librsync. Levels are syslog's, from 0, an emergency, to 7, all there is.
TRACE_LEVELS = tuple(range(8))
RS_DONE = 0
RS_BLOCKED = 1
RS_JOB_BLOCKSIZE = 65536
RS_DEFAULT_STRONG_LEN = 8
RS_DEFAULT_BLOCK_LEN = 2048


Output = TypeVar("Output", bound=Writable)


class LibrsyncError(Exception):
    """Why there is no result. `code` is the number that librsync has for it."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class _NotAFile(AssertionError, TypeError):
    """As python-librsync raises it, and as Python would."""


def debug(level: int = 7) -> None:
    """Take the level of librsync's trace, which is not written here: there is no librsync."""
    assert level in TRACE_LEVELS, f"Invalid log level {level}"


@overload
def signature(
    f: Readable,
    s: None = None,
    block_size: Optional[int] = 2048,
    *,
    hash: str = "blake2",
    rollsum: str = "rabinkarp",
    strong_length: Optional[int] = None,
    threads: Optional[int] = None,
) -> IO[bytes]: ...
@overload
def signature(
    f: Readable,
    s: Output,
    block_size: Optional[int] = 2048,
    *,
    hash: str = "blake2",
    rollsum: str = "rabinkarp",
    strong_length: Optional[int] = None,
    threads: Optional[int] = None,
) -> Output: ...
def signature(
    f: Readable,
    s: Optional[Writable] = None,
    block_size: Optional[int] = 2048,
    *,
    hash: str = "blake2",
    rollsum: str = "rabinkarp",
    strong_length: Optional[int] = None,
    threads: Optional[int] = None,
) -> Writable:
    """Write the signature of `f` to `s`, or to a temporary file, and return that.

    A `block_size` of ``None`` is chosen by the size of `f`, where that can be told.
    `hash` is ``blake2`` or ``md4``, `rollsum` is ``rabinkarp`` or ``rollsum``, and
    `strong_length` the bytes of each block's hash to keep: by default all, with -1 as few
    as are safe for a file that nobody tampered with. What python-librsync wrote was
    ``hash="md4", rollsum="rollsum", strong_length=8``.
    """
    _check(f, "read")
    s = _output(s)
    _native.librsync_signature(f, s, block_size, hash, rollsum, strong_length, manner(threads))
    return _rewound(s)


@overload
def delta(f: Readable, s: Readable, d: None = None, *, threads: Optional[int] = None) -> IO[bytes]: ...
@overload
def delta(f: Readable, s: Readable, d: Output, *, threads: Optional[int] = None) -> Output: ...
def delta(f: Readable, s: Readable, d: Optional[Writable] = None, *, threads: Optional[int] = None) -> Writable:
    """Write the delta that leads to `f`, the new file, from the file whose signature is
    `s`, to `d` or to a temporary file, and return that."""
    _check(f, "read")
    d = _output(d)
    _native.librsync_delta(f, s, d, manner(threads))
    return _rewound(d)


@overload
def patch(f: SeekableReadable, d: Readable, o: None = None, *, limit: Optional[int] = None) -> IO[bytes]: ...
@overload
def patch(f: SeekableReadable, d: Readable, o: Output, *, limit: Optional[int] = None) -> Output: ...
def patch(
    f: SeekableReadable, d: Readable, o: Optional[Writable] = None, *, limit: Optional[int] = None
) -> Writable:
    """Write what the delta `d` makes of `f`, the old file, to `o` or to a temporary file,
    and return that. `f` has to be seekable.

    The result may have up to `limit` bytes. A delta does not say what it is for: with
    another `f` it makes something else, without complaint.
    """
    _check(f, "seek")
    o = _output(o)
    _native.librsync_patch(f, d, o, limit, manner(None))
    return _rewound(o)


def _check(file: object, method: str) -> None:
    """That there is what a call cannot do without. Only `patch` needs a file that can seek."""
    if not callable(getattr(file, method, None)):
        raise _NotAFile("Must provide seekable file-like object")


def _output(given: Optional[Writable]) -> Writable:
    if given is not None:
        return given
    return cast(IO[bytes], tempfile.SpooledTemporaryFile(max_size=MAX_SPOOL, mode="w+b"))


def _rewound(output: Writable) -> Writable:
    seek = getattr(output, "seek", None)
    if callable(seek):
        try:
            seek(0)
        except OSError:
            # A pipe has the method, but not the ability.
            pass
    return output
