"""pyzsync's four steps."""

import gzip
import hashlib
import io
import mmap
import os
import pickle
import random
import threading

import pytest

import gosync.zsync as pyzsync


def weak(block):
    """From the definition."""
    a = sum(block) & 0xFFFF
    b = sum((len(block) - at) * byte for at, byte in enumerate(block)) & 0xFFFF
    return b << 16 | a


def hashes_of(data, blocksize):
    blocks = [data[at : at + blocksize] for at in range(0, len(data), blocksize)]
    return [(weak(block), hashlib.md5(block).digest()) for block in blocks]


def check(old, new, blocksize):
    """All four steps, each held against a slow one."""
    hashes = pyzsync.block_checksums(io.BytesIO(new), blocksize)
    assert list(hashes) == hashes_of(new, blocksize)

    instructions, request = pyzsync.zsync_delta(io.BytesIO(old), hashes, blocksize)
    assert len(instructions) == len(hashes)
    for block, instruction in enumerate(instructions):
        content = new[block * blocksize : (block + 1) * blocksize]
        if block in request:
            assert instruction == (block * blocksize, weak(content), hashlib.md5(content).digest())
        else:
            assert old[instruction : instruction + blocksize] == content

    blocks = list(pyzsync.get_blocks(io.BytesIO(new), request, blocksize))
    assert blocks == [(block, new[block * blocksize : (block + 1) * blocksize]) for block in request]
    merged = pyzsync.merge_instructions_blocks(instructions, blocks, blocksize)
    result = io.BytesIO()
    pyzsync.patchstream(io.BytesIO(old), result, merged, blocksize)
    assert result.getvalue() == new
    return request


@pytest.mark.parametrize("blocksize", [1, 7, 32, 4096])
def test_every_length_around_a_block(blocksize):
    source = random.Random(blocksize)
    old = source.randbytes(5 * blocksize + 3)
    for length in sorted({0, 1, blocksize - 1, blocksize, blocksize + 1, 3 * blocksize, 4 * blocksize + 1}):
        check(old, old[:length], blocksize)
        check(old[:length], old, blocksize)
        check(old, old[2:][:length] + source.randbytes(1), blocksize)
    assert check(old, old, blocksize) == []
    assert check(b"", old, blocksize) == list(range(-(-len(old) // blocksize)))


def test_random_edits():
    source = random.Random(1)
    for _ in range(40):
        old = bytearray(source.choices(range(source.choice([2, 256])), k=source.randrange(2000)))
        new = bytearray(old)
        for _ in range(source.randrange(5)):
            at = source.randrange(len(new) + 1)
            new[at : at + source.randrange(50)] = source.randbytes(source.randrange(50))
        check(bytes(old), bytes(new), source.randrange(1, 100))


def test_what_moved_is_found():
    source = random.Random(2)
    pieces = [source.randbytes(10_000) for _ in range(4)]
    assert check(b"?" + b"".join(pieces), b"".join(reversed(pieces)), 1000) == []


def test_a_short_last_block_at_the_end_is_found():
    data = random.Random(3).randbytes(10_500)
    assert check(b"something in front" + data, data, 1000) == []


def test_hashes_come_in_any_form(versions):
    old, new = (path.read_bytes() for path in versions)
    hashes = pyzsync.block_checksums(io.BytesIO(new))
    expected = pyzsync.zsync_delta(io.BytesIO(old), hashes)
    forms = [pickle.loads(pickle.dumps(hashes)), list(hashes), iter(hashes), pyzsync.Hashes(hashes.weak, hashes.strong)]
    for form in forms:
        assert pyzsync.zsync_delta(io.BytesIO(old), form) == expected
    assert hashes[-1] == list(hashes)[-1] and hashes[2:4] == list(hashes)[2:4]
    assert hashes == forms[0] and hash(hashes) == hash(forms[0]) and hashes != list(hashes)


def test_streams_of_every_kind(versions, tmp_path):
    old, new = versions
    expected_hashes = pyzsync.block_checksums(io.BytesIO(new.read_bytes()))
    expected = pyzsync.zsync_delta(io.BytesIO(old.read_bytes()), expected_hashes)

    class OnlyReads:
        def __init__(self, path):
            self.file = open(path, "rb")

        def read(self, size):
            return self.file.read(min(size, 777))

    def mapped(path):
        with open(path, "rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def zipped(path):
        with gzip.open(tmp_path / "zipped.gz", "wb", compresslevel=1) as file:
            file.write(path.read_bytes())
        return gzip.open(tmp_path / "zipped.gz", "rb")

    def pipe(path):
        reading, writing = os.pipe()

        def write():
            with open(writing, "wb") as writer:
                writer.write(path.read_bytes())

        threading.Thread(target=write).start()
        return open(reading, "rb")

    def written(path):
        file = open(tmp_path / "written", "w+b")
        file.write(path.read_bytes())
        file.seek(0)
        return file

    def unbuffered(path):
        return open(path, "rb", buffering=0)

    for kind in (lambda path: open(path, "rb"), unbuffered, OnlyReads, mapped, zipped, pipe, written):
        assert pyzsync.block_checksums(kind(new)) == expected_hashes
        assert pyzsync.zsync_delta(kind(old), expected_hashes, threads=2) == expected


def test_a_stream_is_read_from_where_it_stands(versions):
    _, new = versions
    with open(new, "rb") as file:
        file.seek(10_000)
        hashes = pyzsync.block_checksums(file, 1000)
        assert hashes == pyzsync.block_checksums(io.BytesIO(new.read_bytes()[10_000:]), 1000)
        assert file.read() == b""


def test_code_written_for_pyzsync(versions, tmp_path):
    unpatched_file, patched_file = versions
    with open(unpatched_file, "rb") as unpatched, open(patched_file, "rb") as patched:
        with open(tmp_path / "result", "wb") as result:
            hashes = pyzsync.block_checksums(patched)
            instructions, to_request = pyzsync.zsync_delta(unpatched, hashes)
            blocks = pyzsync.get_blocks(patched, to_request)
            instructions = pyzsync.merge_instructions_blocks(instructions, blocks)
            pyzsync.patchstream(unpatched, result, instructions)
    assert (tmp_path / "result").read_bytes() == patched_file.read_bytes()


def test_what_is_wrong_is_refused():
    old, new = b"0123456789" * 10, b"abcdefghij" * 10
    hashes = pyzsync.block_checksums(io.BytesIO(new), 10)
    instructions, request = pyzsync.zsync_delta(io.BytesIO(old), hashes, 10)
    with pytest.raises(ValueError, match="block 0 is missing"):
        pyzsync.patchstream(io.BytesIO(old), io.BytesIO(), instructions, 10)
    with pytest.raises(ValueError, match="block 3 does not have the hash"):
        pyzsync.merge_instructions_blocks(instructions, [(3, b"klmnopqrst")], 10)
    with pytest.raises(ValueError, match="16 bytes"):
        pyzsync.zsync_delta(io.BytesIO(old), [(1, b"short")], 10)
    for blocksize in (0, 1 << 30):
        with pytest.raises(ValueError, match="block"):
            pyzsync.block_checksums(io.BytesIO(old), blocksize)
    with pytest.raises(TypeError, match="binary"):
        pyzsync.block_checksums(io.StringIO("text"))
    with pytest.raises(TypeError, match="file object"):
        pyzsync.block_checksums(old)

    class Broken(io.RawIOBase):
        def read(self, size=-1):
            raise OSError(5, "Input/output error", "broken")

    with pytest.raises(OSError, match="broken"):
        pyzsync.block_checksums(Broken())


def test_what_is_read_is_not_written_to(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10_000)
    hashes = pyzsync.block_checksums(io.BytesIO(b"x" * 10_000))
    with open(path, "rb") as read, open(path, "r+b") as written:
        instructions, _ = pyzsync.zsync_delta(read, hashes)
        with pytest.raises(ValueError, match="same file"):
            pyzsync.patchstream(read, written, instructions)
