"""Packed files: chapters 7 and 8 of FORMAT.md."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Iterator, List, Optional, Tuple

from ._input import Numbers

PACKED = 0x80000002


@dataclass(frozen=True)
class Encoder:
    """What makes streams: family 1 is zlib, and the others are those of its parameters."""

    family: int
    level: int
    memory: int
    strategy: int
    fingerprint: int


@dataclass(frozen=True)
class Stream:
    """A stream that was opened, where it is in what is around it, and the number of its encoder."""

    packed: range
    plain: int
    encoder: int
    corrections: Optional[bytes]
    inner: List[Stream]


@dataclass(frozen=True)
class Packed:
    """What an index says of a packed file: its target is made into a file of `length` bytes of this hash."""

    length: int
    blake3: bytes
    encoders: List[Encoder]
    streams: List[Stream]

    @staticmethod
    def read(section: bytes) -> Packed:
        """What is in the section."""
        rest = _Input(section)
        _require(rest.read(1) == b"\1", "its version is not known")
        length, hash, kind, size = struct.unpack("<Q32sBQ", rest.read(49))
        data = section[rest.at :]
        _require(kind < 2, "its recipe is compressed in an unknown way")
        if kind == 1:
            _require(size <= 65_536 + 64 * len(data), "its recipe is too long")
            inflate = zlib.decompressobj(-15)
            try:
                data = inflate.decompress(data, size + 1)
            except zlib.error:
                data = b""
            _require(inflate.eof and not inflate.unused_data, "its recipe cannot be decompressed")
        _require(len(data) == size, "its recipe has another length")
        encoders, streams, of = _recipe(data)
        _require(of == length, "its recipe is for another file")
        return Packed(length, hash, encoders, streams)

    def opened(self) -> int:
        """How many bytes the target has."""
        return _opened(self.length, self.streams)

    def close(self, target: bytes) -> bytes:
        """The packed file, where zlib makes all of its streams."""
        closed, at = self._close(target, 0, self.length, self.streams)
        _require(at == len(target) and len(closed) == self.length, "it is not made of this")
        return closed

    def _close(self, target: bytes, at: int, length: int, streams: List[Stream]) -> Tuple[bytes, int]:
        closed = bytearray()
        for stream in streams:
            literal = stream.packed.start - len(closed)
            closed += target[at : at + literal]
            plain, at = self._close(target, at + literal, stream.plain, stream.inner)
            encoder = self.encoders[stream.encoder]
            _require(encoder.family == 1 and stream.corrections is None, "zlib does not make it")
            deflate = zlib.compressobj(encoder.level, zlib.DEFLATED, -15, encoder.memory, encoder.strategy)
            closed += deflate.compress(plain) + deflate.flush()
            _require(len(closed) == stream.packed.stop, "it is not made of this")
        literal = length - len(closed)
        return bytes(closed + target[at : at + literal]), at + literal


def _recipe(data: bytes) -> Tuple[List[Encoder], List[Stream], int]:
    rest = _Input(data)
    _require(rest.read(1) == b"\1", "the version of its recipe is not known")
    length = rest.number()
    count = rest.number()
    _require(length <= 2**62 and count <= 255, "a length or a number in its recipe is too large")
    encoders = [Encoder(*struct.unpack("<4BQ", rest.read(12))) for _ in range(count)]
    streams = _streams(rest, length, count, 2)
    _require(rest.at == len(data) and _opened(length, streams) <= 2**62, "something follows its end, or is too long")
    return encoders, streams, length


def _streams(rest: _Input, length: int, encoders: int, nested: int) -> List[Stream]:
    count = rest.number()
    _require(count <= (len(rest.data) - rest.at) // 3, "it has more streams than there can be")
    of: List[int] = []
    while len(of) < count:
        run, encoder = rest.number(), rest.number()
        _require(0 < run <= count - len(of) and encoder < encoders, "a run of streams is wrong")
        of += [encoder] * run
    gaps, sizes, plains = ([rest.number() for _ in range(count)] for _ in range(3))
    corrections = {at: rest.text(len(rest.data)) for at in _some(rest, count)}
    inner = {}
    for at in _some(rest, count):
        _require(nested > 1, "streams are nested too deep")
        inner[at] = _streams(rest, plains[at], encoders, nested - 1)
        _require(bool(inner[at]), "nothing is nested where something should be")
    streams: List[Stream] = []
    end = 0
    for at, (gap, size, plain) in enumerate(zip(gaps, sizes, plains)):
        packed = range(end + gap, end + gap + size)
        end = packed.stop
        _require(size > 0 and end <= length and plain <= 2**62, "a stream is not in the file")
        streams.append(Stream(packed, plain, of[at], corrections.get(at), inner.get(at, [])))
    return streams


def _some(rest: _Input, count: int) -> Iterator[int]:
    following = 0
    for _ in range(rest.number()):
        at = following + rest.number()
        _require(at < count, "something is of a stream that is not there")
        yield at
        following = at + 1


def _opened(length: int, streams: List[Stream]) -> int:
    return length + sum(_opened(stream.plain, stream.inner) - len(stream.packed) for stream in streams)


class _Input(Numbers):
    WRONG = "what the index says of its packed file is damaged"


_require = _Input.require
