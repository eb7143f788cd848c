"""Indexes made in parts, here and on a cluster of Dask: the bytes are those of one build."""

import importlib.util
import io
import pickle
import struct
from pathlib import Path

import blake3
import distributed
import pytest

import gosync
import gosync.format

EXAMPLE = Path(__file__).resolve().parent.parent / "examples/dask_build.py"


@pytest.fixture
def target(versions, tmp_path):
    """A file of five mebibytes and a bit, and the index and payload of one build."""
    path = tmp_path / "target.img"
    path.write_bytes((versions[1].read_bytes() + b"a line of text\n" * 50_000) * 5)
    return path


def single(target, **options):
    built = gosync.build(target, f"{target}.single", **options)
    payload = Path(built.payload) if built.payload else None
    content = payload and payload.read_bytes()
    if payload:
        payload.unlink()
    return Path(built.index).read_bytes(), content


@pytest.mark.parametrize("options", [{}, {"block_size": [65_536, 1024]}, {"compress": 1}], ids=str)
def test_parts_make_what_one_build_makes(target, options):
    index, payload = single(target, **options)
    made = [gosync.build(target, part=(number, 3), **options) for number in (3, 1, 2)]
    assert [Path(part.index).name for part in made] == [f"target.img.gosync.{number}-of-3" for number in (3, 1, 2)]
    assert all(part.blake3 is None and part.target_bytes == target.stat().st_size for part in made)
    merged = gosync.merge([part.index for part in made], f"{target}.gosync")
    assert Path(merged.index).read_bytes() == index and merged.index_bytes == len(index)
    if payload:
        assert Path(merged.payload).read_bytes() == payload and Path(merged.payload).name == "target.img.gosync-payload"
        assert sum(part.payload_bytes for part in made) == len(payload)
    else:
        assert merged.payload is None and sum(part.payload_bytes for part in made) == target.stat().st_size
    assert pickle.loads(pickle.dumps(made)) == made


@pytest.mark.parametrize("options", [{}, {"block_size": [2**21, 1024]}, {"compress": 1}], ids=str)
def test_a_part_is_what_the_page_says(target, options):
    whole, _ = single(target, **options)
    index, length = gosync.format.read(whole), target.stat().st_size
    unit = max(2**20, index.layers[0].block_size)
    units = -(-length // unit)
    for number, count in ((1, 1), (1, 3), (2, 3), (3, 3), (7, 30)):
        made = gosync.build(target, part=(number, count), **options)
        part = Path(made.index).read_bytes()
        magic, version, flags, size = struct.unpack("<8sHHI", part[:16])
        assert (magic, version, flags) == (b"\x89GOSYPT\n", 1, 0)
        header, padded = part[16 : 16 + size], (16 + size + 7) // 8 * 8
        assert part[16 + size : padded] == bytes(padded - 16 - size)
        assert part[padded : padded + 32] == blake3.blake3(part[:padded]).digest()
        start, end = (min(units * at // count * unit, length) for at in (number - 1, number))
        payload = Path(made.payload).read_bytes() if made.payload else b""
        assert header[-48:] == struct.pack("<QQ", start, end) + blake3.blake3(payload).digest()
        # All before that is as in the index, but for the hashes, and the length of the payload.
        columns = []
        for layer in index.layers:
            record = 4 + layer.strong_len + layer.lengths_len
            first, last = start // layer.block_size, -(-end // layer.block_size)
            columns.append(layer.records[first * record : last * record])
        columns.append(b"".join(index.tree[start // 2**20 : -(-end // 2**20)]))
        assert part[padded + 32 :] == b"".join(columns)
        expected = whole[16 : 16 + len(header) - 48].replace(index.blake3, bytes(32))
        for old, new in zip([*(layer.records for layer in index.layers), b"".join(index.tree)], columns):
            expected = expected.replace(blake3.blake3(old).digest(), blake3.blake3(new).digest())
        if made.payload:
            old, new = (index.payload.preamble + struct.pack("<Q", at) for at in (index.payload.length, len(payload)))
            expected = expected.replace(old, new)
        assert header[:-48] == expected


def test_a_part_in_a_stream(target, tmp_path):
    for number in (1, 2):
        stream = io.BytesIO()
        assert gosync.build(target, stream, part=(number, 2)).index_bytes == len(stream.getvalue())
        (tmp_path / str(number)).write_bytes(stream.getvalue())
    gosync.merge([tmp_path / "1", tmp_path / "2"], tmp_path / "merged")
    assert (tmp_path / "merged").read_bytes() == single(target)[0]


def test_parts_that_make_no_index(target, tmp_path):
    one, two, _ = (gosync.build(target, part=(number, 3)).index for number in (1, 2, 3))
    for parts, message in (([], "no parts"), ([one, two], "in none of the parts"), ([one, two, two], "has too")):
        with pytest.raises(ValueError, match=message):
            gosync.merge(parts, tmp_path / "merged")
    for part in ((0, 2), (3, 2)):
        with pytest.raises(ValueError, match="from 1 to N"):
            gosync.build(target, part=part)
    with pytest.raises(ValueError, match="parts"):
        gosync.build(target, part=(1, 2), format="go-sync")
    with pytest.raises(gosync.CorruptError, match="no part of an index"):
        gosync.merge([target], tmp_path / "merged")
    with pytest.raises(FileNotFoundError, match="absent"):
        gosync.merge([tmp_path / "absent"], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_a_cluster_makes_what_one_build_makes(target, tmp_path):
    spec = importlib.util.spec_from_file_location("dask_build", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        (tmp_path / "made").mkdir()
        output = tmp_path / "made/target.gosync"
        for options, arguments in (({}, ["--parts", "4"]), ({"compress": 1}, ["--parts", "3", "--compress", "1"])):
            index, payload = single(target, **options)
            example.main([str(target), "-o", str(output), "--scheduler", cluster.scheduler_address, *arguments])
            assert output.read_bytes() == index
        assert (tmp_path / "made/target.img.gosync-payload").read_bytes() == payload
        with distributed.Client(cluster) as client, pytest.raises(ValueError, match="block sizes"):
            example.build(client, target, tmp_path / "made/other", 2, block_size=1000)
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["target.gosync", "target.img.gosync-payload"]
