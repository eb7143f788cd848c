"""The frames of a compressed payload, as FORMAT.md has them."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Callable, Tuple

Shape = Tuple[int, int, int]
"""Bytes of the target in a frame, in the prefix before it, and in the region that it may refer to."""


@dataclass(frozen=True)
class Frame:
    """Bytes of the target, the shape of their frame, and where the payload has it."""

    target: range
    shape: Shape
    payload: range


@dataclass(frozen=True)
class Payload:
    """The compressed payload, where it is not the target itself."""

    name: str
    kind: int
    fine: Shape
    coarse: Shape
    preamble: bytes
    length: int

    def lengths_len(self, block_size: int) -> int:
        """Bytes of a record that tell how long the frames of its block are."""
        if block_size >= self.coarse[0]:
            return 4 if block_size > self.coarse[0] else 6
        return 1 if block_size <= 256 else 2 if block_size <= 65_536 else 3

    def decode(self, content: bytes, frame: Frame, made: bytes, zstd: Callable[[bytes, bytes], bytes]) -> bytes:
        """What a frame makes: `made` is the target as far as that, ``zstd(frame, dictionary)`` a decoder of zstd."""
        start, size, (_, prefix_len, region_len), region = frame.target.start, len(frame.target), frame.shape, b""
        if len(content) in (1, size):
            return content * (size // len(content))
        if region_len:
            digits = re.match(rb"[\x80-\xff]{0,8}[\0-\x7f]|", content)[0]  # type: ignore[index]
            distance, content = sum((digit & 127) << 7 * at for at, digit in enumerate(digits)), content[len(digits) :]
            region = made[start - distance :][:region_len] if distance else b""
            if not content:
                return region[:size]
        headers = struct.pack("<4sBII", b"\x28\xb5\x2f\xfd", 0xA0, size, 5 + 8 * len(content))[:-1]
        return zstd(headers + content, self.preamble + region + made[max(start - prefix_len, 0) : start])
