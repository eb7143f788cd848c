"""Directories, as chapter 5 of FORMAT.md has them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import List, Optional, Tuple

from ._blake3 import blake3
from ._input import Numbers

DIRECTORY = 0x8000_0001
KINDS = ("directory", "file", "link", "name")


@dataclass(frozen=True)
class Entry:
    """What is at a path. `target` is where a link leads to, or the path of the file that a name is one more of.

    `user` and `group` are a number and a name, and `xattrs` names and values, where they were recorded.
    """

    path: bytes
    kind: str
    mode: int = 0
    seconds: int = 0
    nanoseconds: int = 0
    length: int = 0
    blake3: bytes = b""
    target: bytes = b""
    user: Optional[Tuple[int, str]] = None
    group: Optional[Tuple[int, str]] = None
    xattrs: Optional[Tuple[Tuple[bytes, bytes], ...]] = None


@dataclass(frozen=True)
class PackedFiles:
    """The packed files that are opened in the target of a directory: `recipes_length` bytes of this hash come
    behind the listing."""

    recipes_length: int
    blake3: bytes
    files: int
    length: int
    opened_length: int


@dataclass(frozen=True)
class Directory:
    """What an index says of a directory: its target begins with `listing_length` bytes of this hash."""

    listing_length: int
    blake3: bytes
    entries: int
    files: int
    length: int
    excludes: str
    packed: Optional[PackedFiles] = None

    @staticmethod
    def read(section: bytes) -> Directory:
        """What is in the section."""
        rest = _Input(section)
        version = rest.read(1)[0]
        _require(version in (1, 2), f"version {version} of directories is not known")
        length, hash = rest.number(), rest.read(32)
        entries, files, size = rest.number(), rest.number(), rest.number()
        excludes = rest.text(1 << 20).decode()
        packed = None
        if version == 2:
            packed = PackedFiles(rest.number(), rest.read(32), rest.number(), rest.number(), rest.number())
        _require(rest.at == len(section), "something follows the end of the section")
        return Directory(length, hash, entries, files, size, excludes, packed)


def listing(data: bytes) -> List[Entry]:
    """The entries of a listing. Raises `CorruptError`, which says what is wrong."""
    rest = _Input(data)
    count = rest.number()
    column, hashes = _Input(rest.text(len(data))), rest
    entries: List[Entry] = []
    seconds = 0
    for _ in range(count):
        entry, seconds = _entry(column, hashes, entries, seconds)
        entries.append(entry)
    _require(bool(entries), "it lists nothing")
    if hashes.at < len(data):
        entries = _with_extras(hashes, entries)
    _require(column.at == len(column.data) and hashes.at == len(data), "something follows its end")
    return entries


@dataclass(frozen=True)
class OpenedFile:
    """A content of a directory that is opened in its target: its number among the contents, its opened bytes, their
    hash, and its recipe, which `Recipe.read` reads."""

    content: int
    length: int
    blake3: bytes
    recipe: bytes


def recipes(data: bytes) -> List[OpenedFile]:
    """The packed files of the recipes behind a listing. Raises `CorruptError`, which says what is wrong."""
    rest = _Input(data)
    found: List[OpenedFile] = []
    following = 0
    while rest.at < len(data):
        content = following + rest.number()
        length = rest.number()
        _require(length <= 2**62, "a packed file is opened to too many bytes")
        found.append(OpenedFile(content, length, rest.read(32), rest.text(len(data))))
        following = content + 1
    return found


def _with_extras(rest: _Input, entries: List[Entry]) -> List[Entry]:
    flags = rest.read(1)[0]
    _require(flags in (1, 2, 3), "something follows its end")
    if flags & 1:
        owned: List[Entry] = []
        last = None
        while len(owned) < len(entries):
            count = rest.number()
            owner = (_principal(rest), _principal(rest))
            _require(0 < count <= len(entries) - len(owned) and owner != last, "it tells owners in another form")
            owned += [replace(entry, user=owner[0], group=owner[1]) for entry in entries[len(owned) :][:count]]
            last = owner
        entries = owned
    if flags & 2:
        entries = [replace(entry, xattrs=()) for entry in entries]
        at = 0
        for number in range(rest.number()):
            more = rest.number()
            at += more
            _require(at < len(entries) and (more > 0 or number == 0), "it has attributes of no entry")
            xattrs = tuple((rest.text(255), rest.text(1 << 16)) for _ in range(rest.number()))
            names = [name for name, _ in xattrs]
            good = all(name and 0 not in name for name in names) and names == sorted(set(names))
            _require(good and bool(xattrs), "it has attributes that cannot be")
            entries[at] = replace(entries[at], xattrs=xattrs)
    return entries


def _principal(rest: _Input) -> Tuple[int, str]:
    number, name = rest.number(), rest.text(255)
    try:
        text = name.decode()
    except UnicodeDecodeError:
        text = ":"
    bad = any(letter == ":" or unicodedata.category(letter) == "Cc" for letter in text)
    _require(number < 2**32 and not bad, "it has a user or group that cannot be")
    return number, text


def _entry(column: _Input, hashes: _Input, before: List[Entry], seconds: int) -> Tuple[Entry, int]:
    last = before[-1].path if before else None
    shared, rest = column.number(), column.text(4096)
    path = (last or b"")[:shared] + rest
    _require(shared == _shared(last or b"", path), f"{path!r} shares another number of bytes")
    kind = column.read(1)[0]
    _require(kind < len(KINDS), f"{path!r} is of an unknown kind")
    _check_path(path, kind, last, before)
    if kind == 3:
        of = column.number()
        _require(of < len(before) and before[of].kind == "file", f"{path!r} is one more name of no file")
        return Entry(path, KINDS[kind], target=before[of].path), seconds
    mode = column.number() if kind < 2 else 0
    seconds, nanoseconds = seconds + column.signed(), column.number()
    seconds = (seconds + 2**63) % 2**64 - 2**63
    _require(mode <= 0o777 and nanoseconds < 10**9, f"{path!r} has a mode or time that is none")
    if kind == 2:
        target = column.text(4095)
        _require(target != b"" and 0 not in target, f"{path!r} is a link to nothing that can be")
        return Entry(path, KINDS[kind], 0, seconds, nanoseconds, target=target), seconds
    if kind == 0:
        return Entry(path, KINDS[kind], mode, seconds, nanoseconds), seconds
    length = column.number()
    _require(length <= 2**62, f"{path!r} is too long")
    hash = hashes.read(32) if length else blake3(b"")
    return Entry(path, KINDS[kind], mode, seconds, nanoseconds, length, hash), seconds


def _check_path(path: bytes, kind: int, last: Optional[bytes], before: List[Entry]) -> None:
    if last is None:
        _require(path == b"" and kind == 0, "it does not begin with the directory itself")
        return
    _require(last < path, f"{path!r} is not in its order")
    names = path.split(b"/")
    bad = any(name in (b"", b".", b"..") or len(name) > 255 or 0 in name for name in names)
    _require(not bad and len(path) <= 4096 and names[0].lower() != b".gosync", f"{path!r} is no path")
    parent = path.rpartition(b"/")[0]
    above = next((entry for entry in reversed(before) if entry.path == parent), None)
    _require(above is not None and above.kind == "directory", f"{path!r} is in no directory")


def _shared(one: bytes, other: bytes) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))


class _Input(Numbers):
    WRONG = "the listing of the directory is damaged"

    def signed(self) -> int:
        number = self.number()
        return number >> 1 ^ -(number & 1)


_require = _Input.require
