"""Packed files, published and updated by what is in them."""

import os
import random
import zipfile

import blake3
import pytest

import gosync
import gosync.format


def words(seed, count):
    source = random.Random(seed)
    return " ".join(f"word{source.randrange(5000)}" for _ in range(count))


def wheel(path, changed):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for member in range(10):
            code = words(member, 20_000) + " changed" * (member == changed)
            file.writestr(zipfile.ZipInfo(f"module_{member}.py"), code, compress_type=zipfile.ZIP_DEFLATED)
    return path


@pytest.fixture
def wheels(tmp_path):
    return wheel(tmp_path / "old.whl", None), wheel(tmp_path / "new.whl", 3)


def test_only_what_changed_is_fetched(wheels):
    old, new = wheels
    built = gosync.build(new)
    published = new.read_bytes()
    hash = blake3.blake3(published).hexdigest()
    assert built.payload == f"{new}.gosync-payload" and built.packed.streams == 10
    assert (built.packed.bytes, built.packed.blake3, built.packed.unknown_streams) == (len(published), hash, 0)
    assert gosync.inspect(built.index).packed == built.packed
    new.unlink()

    found = gosync.diff(old, built.index)
    assert found.missing_bytes < 10_000 and found.target_bytes == built.target_bytes > len(published)
    assert 0 < found.closing_seconds < 10
    phases = set()
    done = gosync.patch(old, built.index, progress=lambda progress: phases.add(progress.phase))
    assert old.read_bytes() == published
    assert done.output_bytes == len(published) and done.opened_bytes == built.target_bytes
    assert done.fetched_bytes < 8_000 and done.as_published_bytes == 0 and done.changed
    assert phases <= {"open", "compare", "copy", "fetch", "verify", "close"}
    assert gosync.verify(old, built.index).ok
    assert not gosync.patch(old, built.index).changed
    old.write_bytes(published[:-1] + b"x")
    assert not gosync.verify(old, built.index).ok


def test_how_it_is_published(wheels, tmp_path):
    _, new = wheels
    plain = tmp_path / "plain"
    plain.write_text(words(1, 50_000))
    as_it_is = gosync.build(new, unpack=False)
    assert as_it_is.packed is None and as_it_is.payload is None and as_it_is.target_bytes == new.stat().st_size
    assert gosync.build(new, block_size=2**20).packed is None
    assert gosync.build(new, unpack=True, compress=5).packed is not None
    assert gosync.build(plain).packed is None
    with pytest.raises(ValueError, match="nothing in"):
        gosync.build(plain, unpack=True)
    for options in ({"format": "go-sync"}, {"part": (1, 2)}):
        with pytest.raises(ValueError, match="unpack is for"):
            gosync.build(new, unpack=True, **options)


def test_what_cannot_be_packed_here_is_fetched_as_it_is(wheels):
    old, new = wheels
    index = unknown(gosync.build(new).index)
    published = new.read_bytes()
    assert gosync.inspect(index).packed.unknown_streams == 10
    done = gosync.patch(old, index)
    assert old.read_bytes() == published
    assert len(published) * 0.9 < done.as_published_bytes <= done.fetched_bytes
    old.write_bytes(b"old")
    new.unlink()
    with pytest.raises(gosync.Error, match="a newer version"):
        gosync.patch(old, index)
    assert old.read_bytes() == b"old"


def unknown(path):
    """The index, in which the fingerprint of each encoder is another."""
    with open(path, "rb") as file:
        index = bytearray(file.read())
    header = 16 + int.from_bytes(index[12:16], "little")
    size = int.from_bytes(index[header - 40 : header - 32], "little")
    section = index[-size:]
    packed = gosync.format.read(bytes(index)).packed
    for encoder in packed.encoders:
        fingerprint = encoder.fingerprint.to_bytes(8, "little")
        assert section.count(fingerprint) == 1, "the recipe is there as it is"
        section = section.replace(fingerprint, bytes(8))
    index[-size:] = section
    index[header - 32 : header] = blake3.blake3(section).digest()
    head = header + -header % 8
    index[head : head + 32] = blake3.blake3(index[:head]).digest()
    with open(path, "wb") as file:
        file.write(index)
    return path


def test_those_in_a_directory(tmp_path):
    for name, changed in [("old", None), ("new", 3)]:
        (tmp_path / name / "lib").mkdir(parents=True)
        wheel(tmp_path / name / "lib" / "a.whl", changed)
        wheel(tmp_path / name / "lib" / "b.whl", 5)
        os.utime(tmp_path / name / "lib" / "b.whl", (10**9, 10**9))
        (tmp_path / name / "README").write_text(name)
    old, new = tmp_path / "old", tmp_path / "new"
    built = gosync.build(new)
    assert gosync.inspect(built.index).directory.packed_files == 2
    found = gosync.diff(old, built.index)
    assert found.missing_bytes < 15_000 and found.closing_seconds > 0
    done = gosync.patch(old, built.index)
    assert done.files.changed == 2 and done.fetched_bytes < 12_000 and done.opened_bytes > done.output_bytes
    assert (old / "lib" / "a.whl").read_bytes() == (new / "lib" / "a.whl").read_bytes()
    assert gosync.verify(old, built.index).ok

    packed = gosync.format.read(built.index).directory.packed
    recipes = (old / ".gosync" / "recipes").read_bytes()
    assert len(recipes) == packed.recipes_length and blake3.blake3(recipes).digest() == packed.blake3
    files = gosync.format.recipes(recipes)
    assert len(files) == packed.files == 2 and sum(file.length for file in files) == packed.opened_length

    assert gosync.inspect(gosync.build(new, unpack=False).index).directory.packed_files == 0
    (new / "large").write_text(words(9, 1_000_000))
    assert gosync.inspect(gosync.build(new).index).directory.packed_files == 0
    assert gosync.inspect(gosync.build(new, unpack=True).index).directory.packed_files == 2
    with pytest.raises(ValueError, match="leave out compress=0"):
        gosync.build(new, unpack=True, compress=0)
    with pytest.raises(ValueError, match="no packed file in"):
        gosync.build(tmp_path / "old" / ".gosync", unpack=True)
