"""Read an index of our own format, version 2, in plain Python: FORMAT.md, and nothing else.

>>> index = gosync.format.read("app-2.0.img.gosync")
>>> [(layer.block_size, len(layer)) for layer in index.layers]
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, List, Optional, Tuple, Union

from ._blake3 import blake3, root
from ._input import Input
from ._packed import PACKED, Encoder, Packed, Stream
from ._payload import Frame, Payload
from ._pointer import Pointer, pointer
from ._tree import DIRECTORY, Directory, Entry, OpenedFile, PackedFiles, listing, recipes

__all__ = [
    "Directory",
    "Encoder",
    "Entry",
    "Frame",
    "Index",
    "Layer",
    "OpenedFile",
    "Packed",
    "PackedFiles",
    "Payload",
    "Pointer",
    "Record",
    "Stream",
    "listing",
    "pointer",
    "read",
    "recipes",
]


@dataclass(frozen=True)
class Record:
    """What an index says of a block: its sums, how long its frames are, and the coarse one where it is one."""

    weak: int
    strong: bytes
    frames: int
    coarse: int


@dataclass(frozen=True)
class Layer:
    """The records of all blocks of one size: a sequence of `Record`. `lengths_len` bytes of one are about frames."""

    block_size: int
    records: bytes
    strong_len: int
    lengths_len: int

    def __len__(self) -> int:
        return len(self.records) // (4 + self.strong_len + self.lengths_len)

    def __getitem__(self, block: int) -> Record:
        if not 0 <= block < len(self):
            raise IndexError(f"there is no block {block} of {len(self)}")
        sums, size = 4 + self.strong_len, 4 + self.strong_len + self.lengths_len
        record = self.records[block * size : (block + 1) * size]
        cut = sums + (3 if self.lengths_len == 6 else 0)
        coarse, rest = (int.from_bytes(n, "little") + (0 < len(n) < 4) for n in (record[sums:cut], record[cut:]))
        return Record(int.from_bytes(record[:4], "little"), record[4:sums], coarse + rest, coarse)


@dataclass(frozen=True)
class Index:
    """What an index says of its target. A signature signs the head; the tree has a node for each mebibyte."""

    head: bytes
    name: str
    length: int
    blake3: bytes
    odds: int
    salt: int
    layers: List[Layer]
    payload: Optional[Payload]
    tree: List[bytes]
    directory: Optional[Directory] = None
    packed: Optional[Packed] = None

    def frames(self) -> Iterator[Frame]:
        """All frames of the payload, in its order."""
        if self.payload is not None:
            yield from self._frames(self.payload, 0, range(self.length), range(self.payload.length))

    def _frames(self, payload: Payload, depth: int, target: range, within: range) -> Iterator[Frame]:
        layer, offset = self.layers[depth], within.start
        for at in target[:: layer.block_size]:
            block, record = range(at, min(at + layer.block_size, target.stop)), layer[at // layer.block_size]
            inner, after = offset + record.coarse, offset + record.frames
            if record.coarse:
                yield Frame(block, payload.coarse, range(offset, inner))
            if layer.block_size == payload.fine[0]:
                yield Frame(block, payload.fine, range(inner, after))
            else:
                yield from self._frames(payload, depth + 1, block, range(inner, after))
            offset = after
        _require(offset == within.stop, "the frames of a block are not those of its parts")


def read(index: Union[str, "os.PathLike[str]", bytes]) -> Index:
    """The index in a file, or that these bytes are. Raises `CorruptError`, which says what is wrong."""
    index = index if isinstance(index, bytes) else Path(index).read_bytes()
    rest = _Input(index)
    magic, version, flags, size = rest.take("8sHHI")
    _require(magic == b"\x89GOSYNC\n", "it is not one of gosync")
    _require((version, flags) == (2, 0), f"version {version} with flags {flags} is not known")
    _require(size <= 65_536, "its header is too long")
    header, padding, covered = _Input(rest.read(size)), rest.read(-size % 8), index[: rest.at]
    _require(rest.read(32) == blake3(covered), "the checksum of its header does not hold")
    _require(not any(padding), "its header is not padded with zeros")
    head, name = index[: rest.at], header.name()
    length, target_hash, weak, strong, strong_len, odds, salt = header.take("Q32sBBBBQ")
    _require((weak, strong) == (2, 2) and 1 <= strong_len <= 16, "its sums are of an unknown kind or length")
    parts = [header.take("IB32s") for _ in range(header.number("Q", 1, 16))]
    sizes = [size for size, *_ in parts]
    _require(sizes == [1 << bit for bit in range(24, 5, -1) if 1 << bit in sizes], "its block sizes make no layers")
    _require(-(-length // sizes[-1]) < 1 << 32, "it has too many blocks")
    payload = None
    if header.number("B", 0, 1):
        payload_name, (kind, *sizes_of) = header.name(), header.take("B6I")
        fine, coarse = tuple(sizes_of[::2]), tuple(sizes_of[1::2])
        preamble = header.read(header.number("Q", 8, 1024))
        payload = Payload(payload_name, kind, fine, coarse, preamble, *header.take("Q"))
        _require(payload.name != "" and payload.kind == 1, "its payload has no name, or is of an unknown kind")
        _require(fine[0] == sizes[-1] <= 65_535 and coarse[0] in sizes, "its frames are no blocks")
        far = max(fine[1:] + coarse[1:])
        _require(coarse[0] <= 131_072 and far <= 4_194_304, "its frames are too large, or go back too far")
        little = all(prefix + region <= 262_144 + 64 * size for size, prefix, region in (fine, coarse))
        _require(little, "its frames have more read for them than they are worth")
        fits = all(region == 0 or region >= size for size, _, region in (fine, coarse))
        _require(fits, "its regions are shorter than their frames")
    (tree_hash,) = header.take("32s")
    sections = [header.take("IQ32s") for _ in range(header.number("Q", 0, 65_536))]
    _require(header.at == size, "its header is longer than its fields")
    unknown = [id for id, *_ in sections if id >> 31 and id not in (DIRECTORY, PACKED)]
    _require(not unknown, "it has a section that is critical and unknown")
    layers = []
    for block_size, lengths_len, hash in parts:
        what, expected = f"the layer of {block_size}", payload.lengths_len(block_size) if payload else 0
        _require(lengths_len == expected, f"{what} has lengths of {lengths_len} bytes in its records")
        records = rest.part(-(-length // block_size) * (4 + strong_len + lengths_len), hash, what)
        layers.append(Layer(block_size, records, strong_len, lengths_len))
    nodes = rest.part(-(-length >> 20) * 32, tree_hash, "the tree")
    found = {id: rest.part(section_len, hash, f"section {id}") for id, section_len, hash in sections}
    _require(len(found) == len(sections), "it has a section twice")
    _require(rest.at == len(index), "something follows its end")
    tree = [nodes[at : at + 32] for at in range(0, len(nodes), 32)]
    _require(root(tree) == target_hash, "the tree does not give the hash of the target")
    directory = Directory.read(found[DIRECTORY]) if DIRECTORY in found else None
    packed = Packed.read(found[PACKED]) if PACKED in found else None
    _require(packed is None or (payload is not None and packed.opened() == length), "its packed file is another")
    return Index(head, name, length, target_hash, odds, salt, layers, payload, tree, directory, packed)


class _Input(Input):
    WRONG = "the index cannot be used"

    def take(self, fields: str) -> Tuple[Any, ...]:
        return struct.unpack("<" + fields, self.read(struct.calcsize("<" + fields)))

    def number(self, field: str, least: int, most: int) -> int:
        number: int = self.take(field)[0]
        _require(least <= number <= most, f"a number in its header is {number}, and not {least} to {most}")
        return number

    def name(self) -> str:
        name = self.read(self.number("Q", 0, 1024)).decode(errors="surrogateescape")
        bad = re.search(r"[/\\\x00-\x1f\x7f-\x9f\ud800-\udfff]|^[A-Za-z]:|^[. ]+$", name)
        _require(bad is None, f"{name!r} is no file name")
        return name

    def part(self, size: int, hash: bytes, what: str) -> bytes:
        part = self.read(size)
        _require(blake3(part) == hash, f"{what} does not have the hash that the header gives")
        return part


_require = _Input.require
