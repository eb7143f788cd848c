"""What file objects have to be able to do, of whatever class they are."""

from __future__ import annotations

from typing import Any, Protocol


class Readable(Protocol):
    """A binary stream."""

    def read(self, size: int, /) -> bytes: ...


class SeekableReadable(Readable, Protocol):
    """One that can be read in any order."""

    def seek(self, offset: int, /) -> Any: ...


class Writable(Protocol):
    """A binary stream that takes bytes."""

    def write(self, data: bytes, /) -> Any: ...
