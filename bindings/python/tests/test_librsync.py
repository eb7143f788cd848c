"""The calls of python-librsync, and rdiff as the witness."""

import importlib.metadata
import io
import mmap
import os
import random
import re
import subprocess
import sys
import tempfile
import threading

import pytest

import gosync.librsync as librsync

MAGICS = {
    ("md4", "rollsum"): 0x72730136,
    ("blake2", "rollsum"): 0x72730137,
    ("md4", "rabinkarp"): 0x72730146,
    ("blake2", "rabinkarp"): 0x72730147,
}


def run(rdiff, *args):
    subprocess.run([rdiff, *map(str, args)], check=True, capture_output=True, timeout=60)


def test_the_three_steps(versions, tmp_path):
    old, new = versions
    with open(old, "rb") as dst, open(new, "rb") as src, open(tmp_path / "made", "w+b") as synced:
        signature = librsync.signature(dst)
        delta = librsync.delta(src, signature)
        assert len(delta.read()) < 60_000
        delta.seek(0)
        assert librsync.patch(dst, delta, synced) is synced
        assert synced.read() == new.read_bytes()


@pytest.mark.parametrize("kinds", MAGICS)
def test_the_same_bytes_as_rdiff(rdiff, versions, tmp_path, kinds):
    old, new = versions
    hash, rollsum = kinds
    for block_size, strong_length in [(2048, None), (512, 8), (None, -1)]:
        signature = io.BytesIO()
        with open(old, "rb") as file:
            librsync.signature(file, signature, block_size, hash=hash, rollsum=rollsum, strong_length=strong_length)
        assert int.from_bytes(signature.getvalue()[:4], "big") == MAGICS[kinds]
        sizes = ["-b", block_size or 0, "-S", {None: 0}.get(strong_length, strong_length)]
        run(rdiff, "-f", "-H", hash, "-R", rollsum, *sizes, "signature", old, tmp_path / "signature")
        assert (tmp_path / "signature").read_bytes() == signature.getvalue()

        with open(new, "rb") as file:
            delta = librsync.delta(file, signature, io.BytesIO())
        run(rdiff, "-f", "delta", tmp_path / "signature", new, tmp_path / "delta")
        assert (tmp_path / "delta").read_bytes() == delta.getvalue()
        with open(old, "rb") as file:
            assert librsync.patch(file, delta).read() == new.read_bytes()


def test_streams_of_every_kind(versions, tmp_path):
    old, new = versions
    expected = librsync.signature(io.BytesIO(old.read_bytes())).read()
    difference = librsync.delta(io.BytesIO(new.read_bytes()), io.BytesIO(expected)).read()

    class OnlyReads:
        def __init__(self, path):
            self.file = open(path, "rb")

        def read(self, size):
            return self.file.read(min(size, 777))

    def mapped(path):
        with open(path, "rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def spooled(path):
        file = tempfile.SpooledTemporaryFile(max_size=1 << 10)
        file.write(path.read_bytes())
        file.seek(0)
        return file

    def pipe(path):
        reading, writing = os.pipe()

        def write():
            with open(writing, "wb") as writer:
                writer.write(path.read_bytes())

        threading.Thread(target=write).start()
        return open(reading, "rb")

    for kind in (lambda path: open(path, "rb"), OnlyReads, mapped, spooled, pipe):
        assert librsync.signature(kind(old), threads=2).read() == expected
        assert librsync.delta(kind(new), io.BytesIO(expected), threads=1).read() == difference
        if kind not in (OnlyReads, pipe):
            assert librsync.patch(kind(old), io.BytesIO(difference)).read() == new.read_bytes()
    (tmp_path / "signature").write_bytes(expected)
    (tmp_path / "delta").write_bytes(difference)
    assert librsync.delta(open(new, "rb"), pipe(tmp_path / "signature")).read() == difference
    assert librsync.patch(open(old, "rb"), pipe(tmp_path / "delta")).read() == new.read_bytes()


def test_a_temporary_file_is_spooled_and_rewound():
    data = random.Random(1).randbytes(100_000)
    signature = librsync.signature(io.BytesIO(data))
    assert isinstance(signature, tempfile.SpooledTemporaryFile) and signature.tell() == 0


def test_an_output_that_cannot_seek():
    reading, writing = os.pipe()
    with open(reading, "rb") as reader:
        with open(writing, "wb") as writer:
            librsync.signature(io.BytesIO(b"data"), writer)
        assert len(reader.read()) == 12 + 4 + 32


def test_what_is_wrong_has_librsyncs_number(versions, tmp_path):
    old, new = versions
    signature = librsync.signature(io.BytesIO(old.read_bytes())).read()
    delta = librsync.delta(io.BytesIO(new.read_bytes()), io.BytesIO(signature)).read()
    (tmp_path / "cut").write_bytes(signature[:-1])
    cases = [
        (106, "corrupt", lambda: librsync.patch(io.BytesIO(b""), io.BytesIO(delta[:4] + b"\x60"))),
        (103, "cut: the signature ends", lambda: librsync.delta(io.BytesIO(b""), open(tmp_path / "cut", "rb"))),
        (103, "the delta ends", lambda: librsync.patch(io.BytesIO(old.read_bytes()), io.BytesIO(delta[:-1]))),
        (103, "another basis", lambda: librsync.patch(io.BytesIO(b"short"), io.BytesIO(delta))),
        (104, "no delta", lambda: librsync.patch(io.BytesIO(b""), io.BytesIO(signature))),
        (104, "no signature", lambda: librsync.delta(io.BytesIO(b""), io.BytesIO(delta))),
        (108, "1000", lambda: librsync.patch(open(old, "rb"), io.BytesIO(delta), limit=1000)),
    ]
    for code, text, call in cases:
        with pytest.raises(librsync.LibrsyncError, match=text) as raised:
            call()
        assert raised.value.code == code, text
    for arguments in ({"block_size": 0}, {"hash": "sha1"}, {"rollsum": "adler"}, {"strong_length": 33}, {"threads": 0}):
        with pytest.raises(ValueError):
            librsync.signature(io.BytesIO(b"data"), **arguments)
    with pytest.raises(TypeError):
        librsync.signature("a path")


def test_what_else_python_librsync_has():
    """Scripts take its constants, and switch its trace on."""
    librsync.debug()
    librsync.debug(level=librsync.TRACE_LEVELS[0])
    for level in (-1, 8, "debug"):
        with pytest.raises(AssertionError, match="Invalid log level"):
            librsync.debug(level)
    assert (librsync.RS_DONE, librsync.RS_BLOCKED, librsync.RS_JOB_BLOCKSIZE) == (0, 1, 65536)
    assert (librsync.RS_DEFAULT_STRONG_LEN, librsync.RS_DEFAULT_BLOCK_LEN, librsync.MAX_SPOOL) == (8, 2048, 5 << 20)

    class OnlyReads:
        def read(self, size):
            return b""

    for call in (
        lambda: librsync.signature("a path"),
        lambda: librsync.delta("a path", io.BytesIO()),
        lambda: librsync.patch("a path", io.BytesIO()),
        lambda: librsync.patch(OnlyReads(), io.BytesIO()),
    ):
        with pytest.raises(AssertionError, match="Must provide seekable file-like object"):
            call()


def test_the_readme_of_python_librsync(versions, tmp_path, monkeypatch):
    """The example as that package shows it, with Python 3's `open` for Python 2's `file`."""
    try:
        text = importlib.metadata.metadata("python-librsync")["Description"]
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("python-librsync is not installed; `cargo xtask test` installs it")
    example = re.search(r"(?:^ {4}.*\n|^\n)*^ {4}import librsync\n(?:^ {4}.*\n|^\n)*", text, re.MULTILINE)[0]
    names = {name: tmp_path / name for name in re.findall(r"'([\w.-]+\.pdf)'", example)}
    old, new = versions
    for (name, path), content in zip(names.items(), (old, new)):
        path.write_bytes(content.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "librsync", librsync)
    variables = {"file": open}
    exec(re.sub("^ {4}", "", example, flags=re.MULTILINE), variables)
    variables["synced"].close()
    assert len(names) == 3 and (tmp_path / "Resume-latest.pdf").read_bytes() == new.read_bytes()


def test_what_is_read_is_not_written_to(versions, tmp_path):
    old, new = versions
    signature = librsync.signature(io.BytesIO(old.read_bytes()), io.BytesIO())
    delta = librsync.delta(io.BytesIO(new.read_bytes()), signature, io.BytesIO())
    linked = tmp_path / "linked"
    os.link(old, linked)
    before = old.read_bytes()
    with open(old, "rb") as read, open(linked, "r+b") as written, open(new, "rb") as other:
        memory = io.BytesIO(before)
        for call in [
            lambda: librsync.signature(read, written),
            lambda: librsync.signature(written, written),
            lambda: librsync.delta(read, signature, written),
            lambda: librsync.delta(other, signature, signature),
            lambda: librsync.patch(read, delta, written),
            lambda: librsync.patch(memory, delta, memory),
            lambda: librsync.patch(memory, delta, delta),
        ]:
            with pytest.raises(ValueError, match="same file|as well"):
                call()
        os.remove(linked)
        with pytest.raises(ValueError, match="same file"):
            librsync.patch(read, delta, written)
    assert old.read_bytes() == before
    with open(os.devnull, "r+b") as null:
        assert librsync.signature(null, null) is null, "nothing is lost of a device"
