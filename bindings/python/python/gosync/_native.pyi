from os import PathLike
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from ._streams import Readable, SeekableReadable, Writable

_Path = Union[str, PathLike[str]]
_Manner = Mapping[str, Any]

__version__: str

def command(args: Sequence[str]) -> int: ...
def build(
    file: _Path,
    output: Any,
    format: str,
    block_sizes: Sequence[int],
    compress: Optional[int],
    part: Optional[Tuple[int, int]],
    unpack: Optional[bool],
    key: Optional[Tuple[_Path, Optional[str]]],
    network: Any,
    manner: _Manner,
) -> Dict[str, Any]: ...
def build_tree(
    directory: _Path,
    output: _Path,
    contents: Mapping[str, Any],
    block_sizes: Sequence[int],
    compress: Optional[int],
    unpack: Optional[bool],
    key: Optional[Tuple[_Path, Optional[str]]],
    network: Any,
    manner: _Manner,
) -> Dict[str, Any]: ...
def publish(
    file: _Path,
    to: _Path,
    name: str,
    keep: Optional[int],
    expires: Optional[int],
    compress: Optional[int],
    unpack: Optional[bool],
    key: Optional[Tuple[_Path, Optional[str]]],
    network: Any,
    manner: _Manner,
) -> Dict[str, Any]: ...
def merge(
    parts: Sequence[_Path],
    output: _Path,
    key: Optional[Tuple[_Path, Optional[str]]],
    network: Any,
    manner: _Manner,
) -> Dict[str, Any]: ...
def inspect(
    index: Union[bytes, _Path], public_key: Optional[_Path], network: Any, manner: _Manner
) -> Dict[str, Any]: ...
def verify(
    file: _Path, index: Union[bytes, _Path], public_key: Optional[_Path], network: Any, manner: _Manner
) -> Dict[str, Any]: ...
def diff(
    seeds: Sequence[_Path],
    index: Union[bytes, _Path],
    public_key: Optional[_Path],
    sources: Sequence[_Path],
    network: Any,
    manner: _Manner,
) -> Dict[str, Any]: ...
def patch(
    seeds: Sequence[_Path],
    index: Union[bytes, _Path],
    public_key: Optional[_Path],
    sources: Sequence[_Path],
    output: Any,
    wishes: Mapping[str, Any],
    network: Any,
    manner: _Manner,
) -> Dict[str, Any]: ...
def keep_apart(output: Writable, inputs: Sequence[Readable]) -> None: ...
def block_checksums(stream: Readable, block_size: int, manner: _Manner) -> Tuple[bytes, bytes]: ...
def find_blocks(
    stream: Readable, weak: bytes, strong: bytes, block_size: int, manner: _Manner
) -> List[Optional[int]]: ...
def librsync_signature(
    basis: Readable,
    output: Writable,
    block_size: Optional[int],
    hash: str,
    rollsum: str,
    strong_length: Optional[int],
    manner: _Manner,
) -> None: ...
def librsync_delta(new: Readable, signature: Readable, output: Writable, manner: _Manner) -> None: ...
def librsync_patch(
    basis: SeekableReadable, delta: Readable, output: Writable, limit: Optional[int], manner: _Manner
) -> None: ...
