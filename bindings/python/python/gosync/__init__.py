"""Bring a file or a directory from an old version to a new one by moving only what changed.

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
from .results import (
    BuildResult,
    DiffResult,
    DirectoryInfo,
    FileCounts,
    InspectResult,
    PackedInfo,
    PatchResult,
    Progress,
    PublishResult,
    VerifyResult,
)

__all__ = [
    "BuildResult",
    "CancelledError",
    "CorruptError",
    "DiffResult",
    "DirectoryInfo",
    "Error",
    "FileCounts",
    "InspectResult",
    "Network",
    "PackedInfo",
    "PatchResult",
    "Progress",
    "PublishResult",
    "SourceError",
    "VerifyResult",
    "__version__",
    "build",
    "diff",
    "inspect",
    "merge",
    "patch",
    "publish",
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
    unpack: Optional[bool] = None,
    exclude: Iterable[str] = (),
    owner: bool = False,
    xattrs: bool = False,
    sign: Optional[Path] = None,
    key_password: Optional[str] = None,
    threads: Optional[int] = None,
    progress: Optional[OnProgress] = None,
    network: Optional[Network] = None,
) -> BuildResult:
    """Make the index of `file`, a file or a directory, to be published beside it.

    `output` is where it goes: a path, the URL of an object, or a binary stream; without
    it ``FILE.gosync``. `format` is ``gosync`` or ``go-sync``. `block_size` is one, or
    those of the layers from the coarsest to the finest; without it the file decides.
    With `compress`, a level of zstd from 1 to 15, ``FILE.gosync-payload`` is written beside the
    index, to be published in the place of `file`.

    A packed file (zip, jar, wheel, gz, tar.gz) is opened where that pays, unless `unpack` is
    ``False``: the payload has what is in it, and is to be published beside index and file. With
    ``True`` it is opened in any case. The packed files in a directory are opened where that pays, if it
    has a payload anyway or mostly packed files; with ``True`` in any directory.

    With a `part`, such as ``(2, 5)``, the second of five, only that is made, for `merge`. It
    goes to ``FILE.gosync.2-of-5``, and its payload, if any, to the same with
    ``.gosync-payload`` behind it.

    Of a directory, `exclude` has patterns of what to leave out, in the syntax of .gitignore, and
    `owner` and `xattrs` record users, groups and extended attributes. One with more than 200 files
    has a payload without `compress` too, because each file would be a request; with ``compress=0``
    it has none. No time is later than the variable SOURCE_DATE_EPOCH says.

    `sign` is the file of a secret key of minisign's, and `key_password` its password, if it has
    one. The signature goes to ``INDEX.minisig``, for those who give a `public_key`.
    """
    key = None if sign is None else (sign, key_password)
    how = (network or Network(), manner(threads, progress))
    exclude = list(exclude)
    if os.path.isdir(file):
        if format != "gosync" or part is not None or hasattr(output, "write"):
            raise ValueError("a directory has a whole index in the format gosync, at a path or a URL")
        file = os.path.abspath(file)
        output = file + ".gosync" if output is None else output
        contents = {"exclude": exclude, "owner": owner, "xattrs": xattrs, "latest": _latest()}
        made = _native.build_tree(file, output, contents, _sizes(block_size), compress, unpack, key, *how)
        return BuildResult(index=os.fspath(output), **made)
    if exclude or owner or xattrs:
        raise ValueError("exclude, owner and xattrs are for directories, and this is a file")
    if output is None:
        output = os.fspath(file) + ".gosync" + ("" if part is None else f".{part[0]}-of-{part[1]}")
    made = _with_packed(_native.build(file, output, format, _sizes(block_size), compress, part, unpack, key, *how))
    return BuildResult(index=os.fspath(output) if isinstance(output, (str, os.PathLike)) else None, **made)


def publish(
    file: Path,
    to: Path,
    *,
    name: Optional[str] = None,
    keep: Optional[int] = None,
    expires: Optional[int] = None,
    compress: Optional[int] = None,
    unpack: Optional[bool] = None,
    sign: Optional[Path] = None,
    key_password: Optional[str] = None,
    threads: Optional[int] = None,
    progress: Optional[OnProgress] = None,
    network: Optional[Network] = None,
) -> PublishResult:
    """Put a new version of `file` into the folder `to`, where a pointer leads clients to the newest.

    `to` is a directory, or an ``s3``, ``gs``, ``az`` or ``ssh`` URL. The pointer is
    ``NAME.gosync-latest``, which `patch` and the others take for an index; `name` is that of the
    file, unless given. With `keep`, all versions but the last so many are removed. Clients refuse
    the pointer `expires` seconds from now, if given. `compress`, `unpack`, `sign` and `key_password` are as
    with `build`. If somebody else publishes the same at the same time, one of the two is an `Error`.
    """
    key = None if sign is None else (sign, key_password)
    name = name or os.path.basename(os.fspath(file))
    how = (network or Network(), manner(threads, progress))
    return PublishResult(**_native.publish(file, to, name, keep, expires, compress, unpack, key, *how))


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
    source: Union[Path, Iterable[Path], None] = None,
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
    `public_key`, which is minisign's, as text or in a file, it has to be signed. Where the index
    describes a directory, `source` is as with `patch`: the listing of the new version comes from there.
    """
    how = (network or Network(), manner(threads, progress))
    found = _told(_native.diff([seed, *seeds], _index(index), public_key, _sources(source), *how))
    return DiffResult(**_with_counts(found))


def inspect(
    index: Index, *, public_key: Optional[Path] = None, network: Optional[Network] = None
) -> InspectResult:
    """Tell what is in `index`: a path, a URL, a binary stream, or bytes.

    With a `public_key`, which is minisign's, as text or in a file, it has to be signed.
    """
    told = _told(_native.inspect(_index(index), public_key, network or Network(), manner(None)))
    if "directory" in told:
        told["directory"] = DirectoryInfo(**told["directory"])
    return InspectResult(**_with_packed(told))


def verify(
    file: Path,
    index: Index,
    *,
    public_key: Optional[Path] = None,
    threads: Optional[int] = None,
    progress: Optional[OnProgress] = None,
    network: Optional[Network] = None,
) -> VerifyResult:
    """Tell whether `file`, or a directory, is the target of `index`, and if not, what of it is wrong."""
    how = (network or Network(), manner(threads, progress))
    return VerifyResult(**_told(_native.verify(file, _index(index), public_key, *how)))


def patch(
    seed: Path,
    index: Index,
    source: Union[Path, Iterable[Path], None] = None,
    output: Union[Path, Writable, None] = None,
    *,
    seeds: Iterable[Path] = (),
    delete: bool = False,
    checksum: bool = False,
    owner: bool = False,
    xattrs: bool = False,
    link: bool = False,
    public_key: Optional[Path] = None,
    threads: Optional[int] = None,
    progress: Optional[OnProgress] = None,
    network: Optional[Network] = None,
) -> PatchResult:
    """Bring `seed`, an old version, to the target of `index`; fetch only what is missing.

    `index` is a path, a URL, a binary stream, or the bytes of an index or a control file of
    zsync; a path or URL may be that of a pointer, which `publish` made. With a `public_key`, which is
    minisign's, as text or in a file, it has to be signed. `source`
    is the path or URL of the target, or several, which are mirrors; without it the file
    that the index names, beside the index. `output` is a path or a binary stream; without it
    the result takes the place of `seed`, at once and only when all of it is verified.

    `seed` need not exist. `seeds` are more files that may hold parts of the target.

    Where the index describes a directory, `seed` is one, and `delete` removes what is not in the
    new version, but for what was left out of that. `checksum` reads every file, and does not go by
    length and time; `owner` and `xattrs` set what `build` recorded; with another `output`, `link`
    makes files that did not change further names of those in `seed`. What somebody changed
    meanwhile is left as it is: `files_kept` of the result has such paths, and `warnings` why.

    `progress` is called with a `Progress` some times in a second, in this thread, and
    cancels by returning ``False`` or raising. What was fetched until then is kept for
    the next call, as it is after Ctrl-C or a failure of the source.
    """
    if output is None:
        output = os.fspath(seed)
    wishes = {"delete": delete, "checksum": checksum, "owner": owner, "xattrs": xattrs, "link": link}
    how = (wishes, network or Network(), manner(threads, progress))
    done = _told(_native.patch([seed, *seeds], _index(index), public_key, _sources(source), output, *how))
    return PatchResult(**_with_counts(done))


def _sizes(block_size: Union[int, Sequence[int], None]) -> Sequence[int]:
    return [] if block_size is None else [block_size] if isinstance(block_size, int) else list(block_size)


def _sources(source: Union[Path, Iterable[Path], None]) -> Sequence[Path]:
    if source is None:
        return []
    return [source] if isinstance(source, (str, os.PathLike)) else list(source)


def _latest() -> Optional[int]:
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        return int(epoch) if epoch else None
    except ValueError:
        raise ValueError(f"SOURCE_DATE_EPOCH has to be a number of seconds, and is {epoch!r}") from None


def _with_counts(result: Dict[str, Any]) -> Dict[str, Any]:
    """`result`, whose numbers of files are a dataclass."""
    if "files" in result:
        result["files"] = FileCounts(**result["files"])
    return result


def _with_packed(result: Dict[str, Any]) -> Dict[str, Any]:
    """`result`, in which what is said of a packed file is a dataclass."""
    if "packed" in result:
        result["packed"] = PackedInfo(**result["packed"])
    return result


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
