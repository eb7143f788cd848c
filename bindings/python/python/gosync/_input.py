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
