"""BLAKE3 with what it is made of, as in section 2 of the BLAKE3 paper.

In plain Python, which takes some two seconds for a megabyte; whole files are hashed by the
package `blake3` where that is installed.
"""

from __future__ import annotations

import struct
from typing import List, Sequence

try:
    from blake3 import blake3 as _package
except ImportError:
    _package = None  # type: ignore[assignment, misc]

_WORD = 0xFFFFFFFF
_START, _END, _PARENT, _ROOT = 1, 2, 4, 8
_IV = [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19]
_PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
_COLUMNS = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)]
_DIAGONALS = [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]


def blake3(data: bytes) -> bytes:
    """The hash of `data`."""
    return _package(data).digest() if _package is not None else node(data, 0, True)


def root(nodes: Sequence[bytes], is_root: bool = True) -> bytes:
    """The hash of data whose subtrees of one size, but for the last, are these."""
    if len(nodes) <= 1:
        return nodes[0] if nodes else blake3(b"")
    left = 1 << ((len(nodes) - 1).bit_length() - 1)
    return parent(root(nodes[:left], False), root(nodes[left:], False), is_root)


def node(data: bytes, chunk: int, is_root: bool = False) -> bytes:
    """What BLAKE3 gives for the subtree of `data`, the first of whose chunks has the number `chunk`."""
    if len(data) <= 1024:
        return _chunk(data, chunk, is_root)
    left = 1024 << (((len(data) - 1) // 1024).bit_length() - 1)
    return parent(node(data[:left], chunk), node(data[left:], chunk + left // 1024), is_root)


def parent(left: bytes, right: bytes, is_root: bool = False) -> bytes:
    """What BLAKE3 gives for two subtrees that lie side by side."""
    return struct.pack("<8I", *_compress(_IV, left + right, 0, 64, _PARENT | (_ROOT if is_root else 0)))


def _chunk(data: bytes, chunk: int, is_root: bool) -> bytes:
    value = _IV
    last = max(len(data) - 1, 0) // 64 * 64
    for at in range(0, last + 1, 64):
        block = data[at : at + 64]
        flags = (_START if at == 0 else 0) | (_END | (_ROOT if is_root else 0) if at == last else 0)
        value = _compress(value, block.ljust(64, b"\0"), chunk, len(block), flags)
    return struct.pack("<8I", *value)


def _compress(value: List[int], block: bytes, counter: int, length: int, flags: int) -> List[int]:
    message = struct.unpack("<16I", block)
    v = [*value, *_IV[:4], counter & _WORD, counter >> 32, length, flags]
    for _ in range(7):
        for at, (a, b, c, d) in enumerate(_COLUMNS + _DIAGONALS):
            for word, turns in ((message[2 * at], (16, 12)), (message[2 * at + 1], (8, 7))):
                v[a] = (v[a] + v[b] + word) & _WORD
                v[d] = _turned(v[d] ^ v[a], turns[0])
                v[c] = (v[c] + v[d]) & _WORD
                v[b] = _turned(v[b] ^ v[c], turns[1])
        message = tuple(message[at] for at in _PERMUTATION)
    return [low ^ high for low, high in zip(v, v[8:])]


def _turned(word: int, by: int) -> int:
    return (word >> by | word << (32 - by)) & _WORD
