"""The four steps of pyzsync: the side with the old version does the matching.

>>> hashes = zsync.block_checksums(patched)                       # where the new version is
>>> instructions, request = zsync.zsync_delta(unpatched, hashes)  # where the old version is
>>> blocks = zsync.get_blocks(patched, request)                   # where the new version is
>>> instructions = zsync.merge_instructions_blocks(instructions, blocks)
>>> zsync.patchstream(unpatched, result, instructions)

One side computes the hashes once, for any number of others, and the blocks that one of
them asked for may be sent to all that have the same old version.

Streams are files, ``io.BytesIO``, ``mmap``, pipes, or anything else with a ``read``;
`patchstream` and `get_blocks` need a ``seek`` too.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import Any, Iterable, Iterator, List, Optional, Tuple, Union, cast, overload

from . import _native
from ._manner import manner
from ._streams import Readable, SeekableReadable, Writable

__all__ = ["Hashes", "block_checksums", "get_blocks", "merge_instructions_blocks", "patchstream", "zsync_delta"]

DEFAULT_BLOCKSIZE = 4096

Hash = Tuple[int, bytes]
"""The weak sum of a block, which is rsync's, and its MD5."""
Instruction = Union[int, bytes, Tuple[int, int, bytes]]
"""Where a block is in the old version; or its bytes; or, of a missing one, where it is in
the new version, its weak sum and its MD5."""

# Bytes that are read and written at once, where blocks lie one behind another.
_CHUNK = 1 << 20


class Hashes(Sequence[Hash]):
    """The hashes of all blocks: a sequence of tuples, in 20 bytes each. To be pickled, or
    sent as `weak` and `strong`, 4 bytes little-endian and 16 bytes for each block."""

    __slots__ = ("weak", "strong")

    def __init__(self, weak: bytes, strong: bytes) -> None:
        if len(weak) * 4 != len(strong) or len(weak) % 4 != 0:
            raise ValueError(f"{len(weak)} bytes of weak sums do not go with {len(strong)} bytes of strong sums")
        self.weak = weak
        self.strong = strong

    @classmethod
    def of(cls, hashes: Iterable[Hash]) -> Hashes:
        """Those of `hashes`, whatever they come in."""
        if isinstance(hashes, cls):
            return hashes
        weak, strong = bytearray(), bytearray()
        for weak_sum, strong_sum in hashes:
            if len(strong_sum) != 16:
                raise ValueError(f"a strong sum is 16 bytes long, not {len(strong_sum)}")
            weak += struct.pack("<I", weak_sum & 0xFFFFFFFF)
            strong += strong_sum
        return cls(bytes(weak), bytes(strong))

    def __len__(self) -> int:
        return len(self.weak) // 4

    @overload
    def __getitem__(self, index: int) -> Hash: ...
    @overload
    def __getitem__(self, index: slice) -> List[Hash]: ...
    def __getitem__(self, index: Union[int, slice]) -> Union[Hash, List[Hash]]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        at = range(len(self))[index]
        return struct.unpack_from("<I", self.weak, at * 4)[0], self.strong[at * 16 : at * 16 + 16]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Hashes):
            return self.weak == other.weak and self.strong == other.strong
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.weak, self.strong))

    def __repr__(self) -> str:
        return f"<Hashes of {len(self)} blocks>"

    def __reduce__(self) -> Tuple[Any, ...]:
        return Hashes, (self.weak, self.strong)


def block_checksums(
    instream: Readable, blocksize: int = DEFAULT_BLOCKSIZE, *, threads: Optional[int] = None
) -> Hashes:
    """The hashes of the blocks of `instream`, the new version, from where it stands on."""
    return Hashes(*_native.block_checksums(instream, blocksize, manner(threads)))


def zsync_delta(
    datastream: Readable,
    remote_hashes: Iterable[Hash],
    blocksize: int = DEFAULT_BLOCKSIZE,
    *,
    threads: Optional[int] = None,
) -> Tuple[List[Instruction], List[int]]:
    """Find in `datastream`, the old version, the blocks with `remote_hashes`.

    Returns an instruction for each block, and the numbers of those that are missing.
    """
    hashes = Hashes.of(remote_hashes)
    offsets = _native.find_blocks(datastream, hashes.weak, hashes.strong, blocksize, manner(threads))
    request = [block for block, offset in enumerate(offsets) if offset is None]
    instructions = cast(List[Instruction], offsets)
    for block in request:
        instructions[block] = (block * blocksize, *hashes[block])
    return instructions, request


def get_blocks(
    datastream: SeekableReadable, requests: Iterable[int], blocksize: int = DEFAULT_BLOCKSIZE
) -> Iterator[Tuple[int, bytes]]:
    """The numbers and the bytes of the blocks `requests` of `datastream`, the new version."""
    position = None
    for block in requests:
        if block != position:
            datastream.seek(block * blocksize)
        content = _read(datastream, blocksize)
        position = block + 1
        yield block, content


def merge_instructions_blocks(
    instructions: List[Instruction], blocks: Iterable[Tuple[int, bytes]], blocksize: int = DEFAULT_BLOCKSIZE
) -> List[Instruction]:
    """Put `blocks` into `instructions`, in place of those that are missing.

    A block that does not have its MD5 is refused with a ``ValueError``.
    """
    for block, content in blocks:
        instruction = instructions[block]
        if isinstance(instruction, tuple):
            if hashlib.md5(content).digest() != instruction[2]:
                raise ValueError(f"block {block} does not have the hash that it should have")
            instructions[block] = content
    return instructions


def patchstream(
    instream: SeekableReadable,
    outstream: Writable,
    delta: Iterable[Instruction],
    blocksize: int = DEFAULT_BLOCKSIZE,
) -> None:
    """Write the new version to `outstream`: what `delta` says, with blocks of `instream`,
    the old version. Where a block is still missing, or both have one file, a ``ValueError`` says so."""
    _native.keep_apart(outstream, [instream])
    most = max(1, _CHUNK // blocksize)
    start, count = 0, 0
    for number, element in enumerate(delta):
        if isinstance(element, int):
            if count > 0 and count < most and element == start + count * blocksize:
                count += 1
                continue
            _copy(instream, outstream, start, count * blocksize)
            start, count = element, 1
        elif isinstance(element, tuple):
            raise ValueError(f"block {number} is missing; merge it into the instructions first")
        else:
            _copy(instream, outstream, start, count * blocksize)
            count = 0
            outstream.write(element)
    _copy(instream, outstream, start, count * blocksize)


def _copy(instream: SeekableReadable, outstream: Writable, start: int, length: int) -> None:
    if length > 0:
        instream.seek(start)
        outstream.write(_read(instream, length))


def _read(stream: Readable, length: int) -> bytes:
    """So many bytes, or those up to the end: raw streams may return fewer at a time."""
    data = stream.read(length)
    while len(data) < length:
        more = stream.read(length - len(data))
        if not more:
            break
        data += more
    return data
