"""Bytes that are read from their start on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .errors import CorruptError


@dataclass
class Input:
    """What is read, and how far that has come. `WRONG` begins what is said of bytes that cannot be."""

    data: bytes
    at: int = 0
    WRONG: ClassVar[str] = ""

    def read(self, size: int) -> bytes:
        self.require(size <= len(self.data) - self.at, "it is cut off")
        self.at += size
        return self.data[self.at - size : self.at]

    @classmethod
    def require(cls, holds: bool, what: str) -> None:
        if not holds:
            raise CorruptError(f"{cls.WRONG}: {what}")


class Numbers(Input):
    """The same, with numbers of seven bits in a byte, and what has its length before it."""

    def number(self) -> int:
        number = shift = 0
        while True:
            byte = self.read(1)[0]
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                self.require(number < 2**64 and (byte > 0 or shift == 0), "a number is too large or too long")
                return number
            shift += 7
            self.require(shift < 70, "a number is too large or too long")

    def text(self, most: int) -> bytes:
        size = self.number()
        self.require(size <= most, "something in it is too long")
        return self.read(size)
