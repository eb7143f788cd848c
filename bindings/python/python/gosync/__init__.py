"""Bring a file from an old version to a new one by moving only what changed.

>>> gosync.build("app-2.0.img")                             # publish it, and app-2.0.img.gosync
>>> gosync.patch("app.img", "https://example.org/app-2.0.img.gosync")

`gosync.librsync` and `gosync.zsync` are for users of python-librsync and pyzsync, and
`gosync.format` reads an index in plain Python.
"""

from __future__ import annotations

import os
import warnings
from typing import IO, Any, Dict, Iterable, Optional, Sequence, Tuple, Union, cast

from . import _native
from ._manner import OnProgress, manner
from ._streams import Writable
from .errors import CancelledError, CorruptError, Error, SourceError
from .network import Network
from .results import BuildResult, DiffResult, InspectResult, PatchResult, Progress, VerifyResult

__all__ = [
    "BuildResult",
    "CancelledError",
    "CorruptError",
    "DiffResult",
    "Error",
    "InspectResult",
    "Network",
    "PatchResult",
    "Progress",
    "SourceError",
    "VerifyResult",
    "__version__",
    "build",
    "diff",
    "inspect",
    "merge",
    "patch",
    "verify",
]

__version__: str = _native.__version__

Path = Union[str, "os.PathLike[str]"]
Index = Union[Path, bytes, bytearray, memoryview, IO[bytes]]


def build(
    file: Path,
    output: Union[Path, Writable, None] = None,
    *,
    format: str = "gosync",
    block_size: Union[int, Sequence[int], None] = None,
    compress: Optional[int] = None,
    part: Optional[Tuple[int, int]] = None,
    sign: Optional[Path] = None,
    key_password: Optional[str] = None,
    threads: Optional[int] = None,
    progress: Optional[OnProgress] = None,
    network: Optional[Network] = None,
) -> BuildResult:
    """Make the index of `file`, to be published beside it.

    `output` is where it goes: a path, the URL of an object, or a binary stream; without
    it ``FILE.gosync``. `format` is ``gosync`` or ``go-sync``. `block_size` is one, or
    those of the layers from the coarsest to the finest; without it the file decides.
    With `compress`, a level of zstd from 1 to 15, ``FILE.gosync-payload`` is written beside the
    index, to be published in the place of `file`.

    With a `part`, such as ``(2, 5)``, the second of five, only that is made, for `merge`. It
    goes to ``FILE.gosync.2-of-5``, and its payload, if any, to the same with
    ``.gosync-payload`` behind it.

    `sign` is the file of a secret key of minisign's, and `key_password` its password, if it has
    one. The signature goes to ``INDEX.minisig``, for those who give a `public_key`.
    """
    if output is None:
        output = os.fspath(file) + ".gosync" + ("" if part is None else f".{part[0]}-of-{part[1]}")
    sizes = [] if block_size is None else [block_size] if isinstance(block_size, int) else list(block_size)
    how = (network or Network(), manner(threads, progress))
    key = None if sign is None else (sign, key_password)
    made = _native.build(file, output, format, sizes, compress, part, key, *how)
    return BuildResult(index=os.fspath(output) if isinstance(output, (str, os.PathLike)) else None, **made)


def merge(
    parts: Iterable[Path],
    output: Path,
    *,
    sign: Optional[Path] = None,
    key_password: Optional[str] = None,
    threads: Optional[int] = None,
    progress: Optional[OnProgress] = None,
    network: Optional[Network] = None,
) -> BuildResult:
    """Make one index of all its parts, which `build` made with ``part=``, in any order.

    `output` is where it goes, a path or the URL of an object; a compressed payload goes
    beside it. The index is what one `build` would have made, to the byte. Parts that do not
    go together are a ``ValueError``, damaged ones a `CorruptError`. `sign` and `key_password` are
    as with `build`.
    """
    key = None if sign is None else (sign, key_password)
    made = _native.merge(list(parts), output, key, network or Network(), manner(threads, progress))
    return BuildResult(index=os.fspath(output), **made)


def diff(
    seed: Path,
    index: Index,
    *,
    seeds: Iterable[Path] = (),
    public_key: Optional[Path] = None,
    threads: Optional[int] = None,
    progress: Optional[OnProgress] = None,
    network: Optional[Network] = None,
) -> DiffResult:
    """Tell what of the target of `index` is in `seed`, an old version, and in `seeds`.

    `index` is a path, a URL, a binary stream, or the bytes of an index or a control file of
    zsync. With a
    `public_key`, which is minisign's, as text or in a file, it has to be signed.
    """
    network = network or Network()
    found = _native.diff([seed, *seeds], _index(index), public_key, network, manner(threads, progress))
    return DiffResult(**_told(found))


def inspect(
    index: Index, *, public_key: Optional[Path] = None, network: Optional[Network] = None
) -> InspectResult:
    """Tell what is in `index`: a path, a URL, a binary stream, or bytes.

    With a `public_key`, which is minisign's, as text or in a file, it has to be signed.
    """
    return InspectResult(**_told(_native.inspect(_index(index), public_key, network or Network(), manner(None))))


def verify(
    file: Path,
    index: Index,
    *,
    public_key: Optional[Path] = None,
    threads: Optional[int] = None,
    progress: Optional[OnProgress] = None,
    network: Optional[Network] = None,
) -> VerifyResult:
    """Tell whether `file` is the target of `index`, and if not, what of it is wrong."""
    how = (network or Network(), manner(threads, progress))
    return VerifyResult(**_told(_native.verify(file, _index(index), public_key, *how)))


def patch(
    seed: Path,
    index: Index,
    source: Union[Path, Iterable[Path], None] = None,
    output: Union[Path, Writable, None] = None,
    *,
    seeds: Iterable[Path] = (),
    public_key: Optional[Path] = None,
    threads: Optional[int] = None,
    progress: Optional[OnProgress] = None,
    network: Optional[Network] = None,
) -> PatchResult:
    """Bring `seed`, an old version, to the target of `index`; fetch only what is missing.

    `index` is a path, a URL, a binary stream, or the bytes of an index or a control file of
    zsync. With a `public_key`, which is minisign's, as text or in a file, it has to be signed. `source`
    is the path or URL of the target, or several, which are mirrors; without it the file
    that the index names, beside the index. `output` is a path or a binary stream; without it
    the result takes the place of `seed`, at once and only when all of it is verified.

    `seed` need not exist. `seeds` are more files that may hold parts of the target.
    `progress` is called with a `Progress` some times in a second, in this thread, and
    cancels by returning ``False`` or raising. What was fetched until then is kept for
    the next call, as it is after Ctrl-C or a failure of the source.
    """
    if source is None:
        sources = []
    elif isinstance(source, (str, os.PathLike)):
        sources = [source]
    else:
        sources = list(source)
    if output is None:
        output = os.fspath(seed)
    network = network or Network()
    done = _native.patch(
        [seed, *seeds], _index(index), public_key, sources, output, network, manner(threads, progress)
    )
    return PatchResult(**_told(done))


def _told(result: Dict[str, Any]) -> Dict[str, Any]:
    """`result`, when it was told what is wrong with a control file and does no harm."""
    for what in result.pop("ignored"):
        warnings.warn(f"{what}; this is ignored", stacklevel=3)
    return result


def _index(index: Index) -> Union[Path, bytes]:
    if hasattr(index, "read"):
        index = cast(IO[bytes], index).read()
    if isinstance(index, (bytearray, memoryview)):
        index = bytes(index)
    return index
