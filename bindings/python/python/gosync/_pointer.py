"""Pointers, as chapter 6 of FORMAT.md has them."""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Union

from ._blake3 import blake3
from ._input import Input


@dataclass(frozen=True)
class Pointer:
    """What a pointer says. Times are seconds since the beginning of 1970; one that never expires has 0.

    `signed` is what a signature signs, and `signature` is the text of that, which nobody has verified here.
    """

    name: str
    serial: int
    published_at: int
    expires_at: int
    index: str
    head: bytes
    signed: bytes
    signature: bytes


def pointer(data: Union[str, "os.PathLike[str]", bytes]) -> Pointer:
    """The pointer in a file, or that these bytes are. Raises `CorruptError`, which says what is wrong."""
    data = data if isinstance(data, bytes) else Path(data).read_bytes()
    _require(len(data) <= 4096, "it is too long")
    rest = _Input(data)
    magic, version, flags, size = struct.unpack("<8sHHI", rest.read(16))
    _require(magic == b"\x89GOSYLT\n", "it is none")
    _require((version, flags) == (1, 0), f"version {version} with flags {flags} is not known")
    _require(size <= 568, "it is too long")
    fields, covered = _Input(rest.read(size)), data[: rest.at]
    _require(rest.read(32) == blake3(covered), "its checksum does not hold")
    serial, published_at, expires_at, head = struct.unpack("<QQQ32s", fields.read(56))
    name, index = fields.name(), fields.name()
    _require(fields.at == size, "it has more than its fields")
    good = serial > 0 and (expires_at == 0 or expires_at > published_at)
    _require(good, "its serial number or its times cannot be")
    return Pointer(name, serial, published_at, expires_at, index, head, data[: rest.at], data[rest.at :])


class _Input(Input):
    WRONG = "the pointer cannot be used"

    def name(self) -> str:
        name = self.read(self.read(1)[0]).decode(errors="surrogateescape")
        bad = re.search(r"[/\\\x00-\x1f\x7f-\x9f\ud800-\udfff]|^[A-Za-z]:|^[. ]*$", name)
        self.require(bad is None, f"{name!r} is no file name")
        return name


_require = _Input.require
