"""FORMAT.md against what is written: `gosync.format` was made from that page alone."""

import gzip
import io
import os
import random
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import blake3
import pytest
import xxhash
import zstandard

import gosync
import gosync.format
from gosync import _blake3

ROOT = Path(__file__).resolve().parents[3]
KIB = 1024


def text(length):
    """Numbered lines of some words: neither random nor all the same."""
    words = random.Random(length)
    line = lambda at: f"{at} {words.choice(['north', 'east', 'south', 'west'])} {words.randrange(40)}\n"
    return "".join(map(line, range(length // 8 + 1))).encode()[:length]


def mixed(length):
    """Some of everything, with zeros between, of a hole and of less than a block; and the beginning again."""
    data = text(length // 2) + bytes(length // 8) + random.Random(1).randbytes(length // 8)
    return data + data[: length - len(data) - 700] + bytes(700) if length > 5000 else text(length)


def expand(frame, dictionary):
    kind = zstandard.DICT_TYPE_FULLDICT if dictionary.startswith(b"\x37\xa4\x30\xec") else zstandard.DICT_TYPE_RAWCONTENT
    dictionary = zstandard.ZstdCompressionDict(dictionary, dict_type=kind)
    return zstandard.ZstdDecompressor(dict_data=dictionary).decompress(frame)


LENGTHS = [0, 1, 63, 64, 65, 1023, 65_535, 65_537, 300_001, 2**20, 2**20 + 1, 2 * 2**20 + 777]
SIZES = [None, [64 * KIB, 256], [16 * KIB, 4 * KIB, KIB], 64, 4096]
OPTIONS = [*((sizes, level) for sizes in SIZES for level in (None, 3)), (2**21, None), (None, 12)]


@pytest.mark.parametrize(("sizes", "compress"), OPTIONS, ids=str)
def test_what_is_built_is_what_the_page_says(tmp_path, sizes, compress):
    sampled = random.Random(3)
    for length in LENGTHS if compress is None else LENGTHS[:9]:
        target = mixed(length)
        path = tmp_path / f"target-{length}.bin"
        path.write_bytes(target)
        built = gosync.build(path, block_size=sizes, compress=compress)
        index = gosync.format.read(built.index)
        assert (index.name, index.length, index.odds) == (path.name, length, 32)
        assert index.blake3 == blake3.blake3(target).digest() == bytes.fromhex(built.blake3)
        assert [layer.block_size for layer in index.layers] == built.block_sizes
        check_chosen(index, target)
        for layer in index.layers:
            assert len(layer) == -(-length // layer.block_size)
            blocks = range(len(layer))
            for block in {*sampled.sample(blocks, min(len(layer), 60)), *blocks[-1:]}:
                data, record = target[block * layer.block_size :][: layer.block_size], layer[block]
                assert record.weak == weak_sum(data)
                assert record.strong == xxhash.xxh3_128_digest(data, seed=index.salt)[: layer.strong_len]
                assert (record.frames > 0) == (compress is not None)
        # All nodes make the hash; that of the last mebibyte is by hand, where it is short.
        assert len(index.tree) == -(-length // 2**20)
        last = target[(len(index.tree) - 1) * 2**20 :]
        if 0 < len(last) < 70_000:
            assert index.tree[-1] == _blake3.node(last, (len(index.tree) - 1) * 1024, len(index.tree) == 1)
        if compress is None:
            assert index.payload is None and list(index.frames()) == []
        else:
            assert index.payload.name == f"{path.name}.gosync-payload" and index.payload.length == built.payload_bytes
            check_payload(index, target, Path(built.payload).read_bytes(), sampled)


def weak_sum(data):
    sum = 1
    for byte in data:
        sum = sum * 0x08104225 + byte & 0xFFFFFFFF
    return sum


def check_chosen(index, target):
    """What `gosync` chooses, as 'Lengths, odds and salt' has it."""
    salt = blake3.blake3(derive_key_context="gosync index v2 salt")
    salt.update(struct.pack("<Q", len(target)) + target[: 64 * KIB])
    assert index.salt == int.from_bytes(salt.digest()[:8], "little")
    log = lambda number: max(1, (number - 1).bit_length())
    places = 1 if len(index.layers) > 1 else log(2 * len(target))
    bits = log(len(index.layers[-1])) + places + 32
    assert {layer.strong_len for layer in index.layers} == {min(max(-(-(bits - 32) // 8), 3), 16)}


def check_payload(index, target, payload, sampled):
    """That the frames, one after another, are the payload, and make the target twice."""
    frames, ends, offset = list(index.frames()), [0, 0], 0
    for frame in frames:
        # A coarse frame is before the fine ones of its bytes.
        is_fine = ends[0] > ends[1]
        size, *_ = index.payload.fine if is_fine else index.payload.coarse
        assert (frame.target.start, frame.payload.start) == (ends[is_fine], offset)
        assert frame.target.stop == min(frame.target.start + size, len(target))
        assert 0 < len(frame.payload) <= len(frame.target)
        ends[is_fine], offset = frame.target.stop, frame.payload.stop
    assert ends == [len(target)] * 2 and offset == len(payload) == index.payload.length
    for frame in sampled.sample(frames, min(len(frames), 200)):
        content = payload[frame.payload.start : frame.payload.stop]
        made = index.payload.decode(content, frame, target[: frame.target.start], expand)
        assert made == target[frame.target.start : frame.target.stop]
    refers = lambda frame: len(frame.target) > len(frame.payload) > 1 and payload[frame.payload.start] > 0
    assert len(target) < 300_000 or any(map(refers, frames))
    kinds = {len(frame.payload) if len(frame.payload) in (1, len(frame.target)) else 0 for frame in frames}
    assert len(target) < 300_000 or {0, 1} <= kinds


@pytest.mark.parametrize("length", [0, 5, 200 * 2**20])
def test_layers_by_the_length_alone(tmp_path, length):
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(length)
    index = gosync.format.read(gosync.build(path).index)
    assert len(index.layers[0]) <= 16_384 and len(index.tree) == length // 2**20 + (length % 2**20 > 0)
    assert [layer.block_size for layer in index.layers] == [65_536, 8_192, 1_024, 128]
    for layer in index.layers if length else []:
        block = bytes(min(layer.block_size, length))
        assert layer[len(layer) - 1].weak == layer[0].weak == weak_sum(block)


def test_the_page_shows_what_is_read():
    index = gosync.format.read(page_bytes("fox.gosync"))
    assert (index.name, index.length) == ("fox.txt", 215) and len(index.head) == 0xF0
    assert index.layers[1][3].weak == 0xE819B727 and index.layers[1][3].strong == bytes.fromhex("d8bf11")


def test_what_is_signed_is_the_head(versions):
    index = gosync.build(versions[1]).index
    command = [sys.executable, "-m", "gosync", "inspect", index, "--signed-part", f"{index}.head"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert gosync.format.read(index).head == Path(f"{index}.head").read_bytes()


FOX = ROOT / "schemes/gosync/tests/vectors/fox.gosync"


def test_no_other_package_is_needed(monkeypatch):
    monkeypatch.setattr(_blake3, "_package", None)
    assert gosync.format.read(FOX).length == 215
    for length in (0, 1, 64, 65, 1024, 1025, 4097):
        assert _blake3.blake3(text(length)) == blake3.blake3(text(length)).digest()


def test_every_wrong_byte_and_every_end_is_noticed():
    whole = FOX.read_bytes()
    for at in range(len(whole)):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :]):
            with pytest.raises(gosync.CorruptError, match="cannot be used"):
                gosync.format.read(damaged)
    with pytest.raises(gosync.CorruptError, match="something follows"):
        gosync.format.read(whole + b"\0")


def altered(at, new, old_len=None, whole=None):
    """The index with `new` in its header in place of as many bytes, or of so many, under a good checksum."""
    whole = whole or FOX.read_bytes()
    old_size = 16 + struct.unpack_from("<I", whole, 12)[0]
    header = whole[:at] + new + whole[min(at + (len(new) if old_len is None else old_len), old_size) : old_size]
    header = header[:12] + struct.pack("<I", len(header) - 16) + header[16:]
    header += bytes(-len(header) % 8)
    return header + blake3.blake3(header).digest() + whole[old_size + -old_size % 8 + 32 :]


SECTION = struct.pack("<QIQ", 1, 7, 4) + blake3.blake3(b"more").digest()


@pytest.mark.parametrize(
    ("at", "new", "message"),
    [
        (8, b"\x03", "version 3"),
        (10, b"\x01", "flags 1"),
        (0x18, b"../", "file name"),
        (0x18, b"\xff", "file name"),
        (0x18, b"c:", "file name"),
        (0x18, b" . . . ", "file name"),
        (0x10, struct.pack("<Q", 1025), "1025"),
        (0x10, struct.pack("<Q", 1024), "cut off"),
        (0x1F, struct.pack("<Q", 2**38), "too many blocks"),
        (0x1F, struct.pack("<Q", 2**63 + 1), "too many blocks"),
        (0x1F, struct.pack("<Q", 2**20), "cut off|hash"),
        (0x27, bytes(32), "hash of the target"),
        (0x47, b"\x01", "kind"),
        (0x48, b"\x01", "kind"),
        (0x49, b"\x00", "kind"),
        (0x49, b"\x11", "kind"),
        (0x53, b"\x11", "17"),
        (0x53, b"\x00", "is 0"),
        (0x5B, b"\x40", "no layers"),
        (0x5B, b"\xc0", "no layers"),
        (0x80, b"\x20", "no layers"),
        (0x5F, b"\x01", "layer of 128"),
        (0x60, b"\x01", "layer of 128"),
        (0xA5, b"\x02", "is 2"),
        (0xA6, b"\x02", "the tree"),
        (0xC6, SECTION, "section 7|cut off"),
        (0xC6, SECTION[:11] + b"\x80" + SECTION[12:], "critical"),
        (0xC6, struct.pack("<Q", 1 << 40), str(1 << 40)),
        (0xCE, b"\0", "longer than its fields"),
    ],
)
def test_a_header_that_makes_no_sense(at, new, message):
    with pytest.raises(gosync.CorruptError, match=message):
        gosync.format.read(altered(at, new))


def test_unknown_sections_are_skipped():
    index = gosync.format.read(altered(0xC6, SECTION, 8) + b"more")
    assert index.name == "fox.txt"
    with pytest.raises(gosync.CorruptError, match="section 7"):
        gosync.format.read(altered(0xC6, SECTION, 8) + b"most")


def test_frames_that_do_not_fill_their_block(tmp_path):
    path = tmp_path / "target"
    path.write_bytes(text(5000))
    whole = Path(gosync.build(path, block_size=[4096, 256], compress=3).index).read_bytes()
    index = gosync.format.read(whole)
    layer = index.layers[1]
    longer = bytearray(layer.records)
    longer[-1] += 1
    forged = whole.replace(layer.records, longer)
    hashes = [blake3.blake3(records).digest() for records in (layer.records, longer)]
    forged = altered(forged.index(hashes[0]), hashes[1], whole=forged)
    with pytest.raises(gosync.CorruptError, match="frames of a block"):
        list(gosync.format.read(forged).frames())


@pytest.mark.skipif(sys.platform == "win32", reason="names that Windows does not have")
def test_a_directory_is_what_the_page_says(tmp_path):
    tree = tmp_path / "tree"
    (tree / "d").mkdir(parents=True)
    (tree / "a").write_bytes(text(70_000))
    (tree / "d/large").write_bytes(text(2**20))
    (tree / "d/same").write_bytes(text(70_000))
    (tree / "d/empty").write_bytes(b"")
    (tree / "z\n").write_bytes(b"short")
    (tree / "left.log").write_bytes(b"out")
    (tree / "a").chmod(0o640)
    os.symlink("../nowhere", tree / "d/link")
    os.link(tree / "a", tree / "b")
    os.utime(tree / "a", ns=(5, -7_000_000_123))
    command = [sys.executable, "-m", "gosync", "build", str(tree), "--exclude", "*.log"]
    subprocess.run(command, check=True, capture_output=True)

    index = gosync.format.read(tmp_path / "tree.gosync")
    directory = index.directory
    data = (tmp_path / "tree.gosync-listing").read_bytes()
    assert (directory.listing_length, directory.blake3) == (len(data), blake3.blake3(data).digest())
    entries = gosync.format.listing(data)
    assert directory.excludes == "*.log\n" and directory.entries == len(entries)
    files = [entry for entry in entries if entry.kind in ("file", "name")]
    sizes = [(tree / os.fsdecode(entry.path)).stat().st_size for entry in files]
    assert (directory.files, directory.length) == (len(files), sum(sizes))
    target = data
    placed = set()
    for entry in entries:
        path = tree / os.fsdecode(entry.path)
        status = path.lstat()
        if entry.kind in ("directory", "file"):
            assert entry.mode == status.st_mode & 0o777
        if entry.kind != "name":
            assert entry.seconds * 10**9 + entry.nanoseconds == status.st_mtime_ns
        if entry.kind == "link":
            assert os.fsencode(os.readlink(path)) == entry.target
        if entry.kind == "name":
            assert path.samefile(tree / os.fsdecode(entry.target))
        if entry.kind == "file":
            content = path.read_bytes()
            assert (entry.length, entry.blake3) == (len(content), blake3.blake3(content).digest())
            if content and entry.blake3 not in placed:
                placed.add(entry.blake3)
                unit = max(index.layers[-1].block_size, 65_536 if len(content) >= 2**20 else 1)
                target += bytes(-len(target) % unit) + content
    assert (index.length, index.blake3) == (len(target), blake3.blake3(target).digest())

    for length in range(len(data)):
        with pytest.raises(gosync.CorruptError):
            gosync.format.listing(data[:length])
    with pytest.raises(gosync.CorruptError):
        gosync.format.listing(data + b"x")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no users with numbers")
def test_owners_and_attributes_are_what_the_page_says(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a").write_bytes(b"a file")
    os.link(tree / "a", tree / "b")
    xattrs: tuple = ()
    if hasattr(os, "setxattr"):
        try:
            os.setxattr(tree / "a", "user.kind", b"fish")
            xattrs = ((b"user.kind", b"fish"),)
        except OSError:
            pass
    command = [sys.executable, "-m", "gosync", "build", str(tree), "--owner", "--xattrs"]
    subprocess.run(command, check=True, capture_output=True)
    data = (tmp_path / "tree.gosync-listing").read_bytes()
    root, one, more = gosync.format.listing(data)
    status = (tree / "a").stat()
    for entry in (root, one, more):
        assert entry.user is not None and entry.user[0] == status.st_uid
        assert entry.group is not None and entry.group[0] == status.st_gid
    assert (root.xattrs, one.xattrs, more.xattrs) == ((), xattrs, ())
    for at in range(len(data)):
        forged = bytearray(data)
        forged[at] ^= 0x80
        try:
            gosync.format.listing(bytes(forged))
        except gosync.CorruptError:
            pass


def page_bytes(name):
    """The bytes of an example on the page."""
    page = (ROOT / "FORMAT.md").read_text()
    lines = re.search(rf"```hex {name}\n(.*?)```", page, re.DOTALL)[1].splitlines()
    return bytes.fromhex("".join(line.split("|")[0].split(":")[1] for line in lines))


def test_a_pointer_is_what_the_page_says(tmp_path):
    fox = gosync.format.pointer(page_bytes("fox.gosync-latest"))
    assert (fox.name, fox.serial, fox.expires_at - fox.published_at) == ("fox.txt", 7, 365 * 24 * 3600)
    head = gosync.format.read(FOX).head
    assert fox.head == blake3.blake3(head).digest()
    assert fox.index == f"fox.txt-7-{fox.head.hex()[:16]}.gosync"

    file = tmp_path / "new.img"
    file.write_bytes(text(70_000))
    key = str(ROOT / "schemes/gosync/tests/vectors/minisign.key")
    for serial, more in ((1, []), (2, ["--sign", key, "--expires", "1d", "--compress"])):
        command = [sys.executable, "-m", "gosync", "publish", str(file), "--to", str(tmp_path / "pub"), *more]
        subprocess.run(command, check=True, capture_output=True)
        made = gosync.format.pointer(tmp_path / "pub/new.img.gosync-latest")
        index = gosync.format.read(tmp_path / "pub" / made.index)
        assert (made.name, made.serial) == ("new.img", serial)
        assert made.head == blake3.blake3(index.head).digest() and made.index[-23:-7] == made.head.hex()[:16]
        assert (made.expires_at > 0) == bool(more) == made.signature.startswith(b"untrusted comment: ")
        content = index.payload.name if index.payload else index.name
        assert f"-{blake3.blake3((tmp_path / 'pub' / content).read_bytes()).hexdigest()[:16]}.gosync-" in content


def test_every_wrong_byte_of_a_pointer_is_noticed():
    whole = page_bytes("fox.gosync-latest")
    for at in range(len(whole)):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :]):
            with pytest.raises(gosync.CorruptError, match="the pointer cannot be used"):
                gosync.format.pointer(damaged)
    for name in (b"", b"..", b"a/b", b"a\\b", b"c:x", b"a\nb", b"\xff", b"https://x/y"):
        for names in ((name, b"x"), (b"x", name)):
            fields = struct.pack("<QQQ32s", 1, 0, 0, bytes(32)) + b"".join(bytes([len(n)]) + n for n in names)
            forged = b"\x89GOSYLT\n" + struct.pack("<HHI", 1, 0, len(fields)) + fields
            with pytest.raises(gosync.CorruptError, match="no file name"):
                gosync.format.pointer(forged + blake3.blake3(forged).digest())


def test_a_packed_file_is_closed_by_zlib(tmp_path):
    wheel, inner = tmp_path / "app.whl", io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        file.writestr("data", text(70_000))
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as file:
        for length in range(0, 60_000, 3000):
            file.writestr(str(length), text(length))
        file.writestr("stored", b"as it is", compress_type=zipfile.ZIP_STORED)
        file.writestr("inner.whl", inner.getvalue(), compresslevel=1)
    built = gosync.build(wheel, unpack=True)
    index = gosync.format.read(built.index)
    packed = index.packed
    assert packed is not None and built.packed is not None
    assert (packed.length, packed.blake3) == (wheel.stat().st_size, blake3.blake3(wheel.read_bytes()).digest())
    assert [stream.plain for stream in packed.streams[:-1]] == list(range(0, 60_000, 3000))
    assert [stream.plain for stream in packed.streams[-1].inner] == [70_000]
    assert {encoder.family for encoder in packed.encoders} == {1}
    # Python's own zlib makes the same bytes of what the payload has.
    payload, target = Path(built.payload).read_bytes(), bytearray(index.length)
    for frame in index.frames():
        content, before = payload[frame.payload.start : frame.payload.stop], bytes(target[: frame.target.start])
        target[frame.target.start : frame.target.stop] = index.payload.decode(content, frame, before, expand)
    assert packed.close(bytes(target)) == wheel.read_bytes()
    with pytest.raises(gosync.CorruptError, match="not made of this"):
        packed.close(bytes(index.length))


@pytest.mark.parametrize("streams", [1, 200])
def test_a_damaged_recipe_is_refused(tmp_path, streams):
    path = tmp_path / "data.gz"
    path.write_bytes(b"".join(gzip.compress(text(1000 + at)) for at in range(streams)))
    index = Path(gosync.build(path, unpack=True).index).read_bytes()
    packed = gosync.format.read(index).packed
    assert len(packed.streams) == streams and packed.streams[0].packed.start == 10
    size = struct.unpack_from("<Q", index, 16 + struct.unpack_from("<I", index, 12)[0] - 40)[0]
    section = index[-size:]
    assert gosync.format.Packed.read(section) == packed
    for cut in range(size):
        with pytest.raises(gosync.CorruptError):
            gosync.format.Packed.read(section[:cut])
    for wrong in (section + b"x", b"\2" + section[1:]):
        with pytest.raises(gosync.CorruptError):
            gosync.format.Packed.read(wrong)
