"""The main job: build, diff and patch."""

import io
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import gosync


@pytest.fixture
def published(versions):
    old, new = versions
    built = gosync.build(new)
    return old, new, Path(f"{new}.gosync"), built


def test_the_main_job(published):
    old, new, index, built = published
    assert built.index == str(index) and built.format == "gosync"
    assert built.target_bytes == new.stat().st_size and built.index_bytes == index.stat().st_size
    assert re.fullmatch("[0-9a-f]{64}", built.blake3)

    found = gosync.diff(old, index)
    assert found.target_bytes == built.target_bytes and found.seed_bytes == old.stat().st_size
    assert found.matched_bytes + found.missing_bytes == found.target_bytes
    assert 0 < found.missing_bytes < 30_000 and found.missing_ranges > 0

    done = gosync.patch(old, index)
    assert old.read_bytes() == new.read_bytes()
    assert done.output_bytes == built.target_bytes
    assert done.matched_bytes > 250_000 and 0 < done.fetched_bytes < 40_000
    assert gosync.diff(old, index).missing_bytes == 0


KEYS = Path(__file__).parents[3] / "schemes" / "gosync" / "tests" / "vectors"


def test_signed_indexes(versions, tmp_path):
    old, new = versions
    index, made, key = tmp_path / "new.bin.gosync", tmp_path / "made.bin", KEYS / "minisign.pub"
    gosync.build(new, sign=KEYS / "minisign.key")
    gosync.patch(old, index, output=made, public_key=key)
    assert made.read_bytes() == new.read_bytes()
    inside = gosync.inspect(index, public_key=key)
    assert inside.signed_by is not None and "file:new.bin.gosync" in inside.trusted_comment
    os.remove(f"{index}.minisig")
    gosync.merge([gosync.build(new, part=(part, 2)).index for part in (1, 2)], index, sign=KEYS / "minisign.key")
    assert gosync.verify(new, index, public_key=key).ok
    os.remove(f"{index}.minisig")
    with pytest.raises(gosync.Error):
        gosync.diff(old, index, public_key=key)
    with pytest.raises((gosync.Error, ValueError), match="password"):
        gosync.build(new, sign=KEYS / "minisign.encrypted.key")
    with pytest.raises(ValueError, match="signed"):
        gosync.build(new, io.BytesIO(), sign=KEYS / "minisign.key")


def test_inspect_and_verify(published):
    old, new, index, built = published
    inside = gosync.inspect(index)
    assert (inside.format, inside.target, inside.target_bytes) == ("gosync", "new.bin", new.stat().st_size)
    assert inside.hashes == [("BLAKE3", built.blake3)] and inside.block_sizes == built.block_sizes
    assert inside == gosync.inspect(index.read_bytes()) and inside.signed_by is None
    assert gosync.verify(new, index).ok
    wrong = gosync.verify(old, index)
    assert not wrong.ok and wrong.file_bytes == old.stat().st_size and wrong.wrong_bytes > 0
    assert wrong.wrong_bytes == sum(end - start for start, end in wrong.wrong_ranges)
    assert re.match(r"\d+\.\d+", gosync.__version__)


def test_control_files_of_zsync(versions, tmp_path):
    old, new = versions
    control, made = tmp_path / "new.bin.zsync", tmp_path / "made.bin"
    subprocess.run([sys.executable, "-m", "gosync", "-q", "zsyncmake", "-o", control, new], check=True)
    found = gosync.diff(old, control)
    assert found.matched_bytes + found.missing_bytes == new.stat().st_size and found.matched_bytes > 200_000
    done = gosync.patch(old, control, output=made)
    assert made.read_bytes() == new.read_bytes() and done.fetched_bytes == found.missing_bytes
    inside = gosync.inspect(control)
    assert (inside.format, inside.target, inside.urls) == ("zsync", "new.bin", ["new.bin"])
    assert [name for name, _ in inside.hashes] == ["SHA-1", "SHA-256"]
    assert gosync.verify(new, control).ok and not gosync.verify(old, control).ok
    odd = control.read_bytes().replace(b"\n", b"\nProducer: someone\n", 1)
    result = io.BytesIO()
    with pytest.warns(UserWarning, match="Producer.*ignored"):
        gosync.patch(old, odd, new, result)
    assert result.getvalue() == new.read_bytes()
    with pytest.raises(gosync.CorruptError):
        gosync.diff(old, control.read_bytes()[:100])
    with pytest.raises(ValueError, match="cannot be signed"):
        gosync.diff(old, control, public_key=KEYS / "minisign.pub")


def test_an_output_of_its_own(published, tmp_path):
    old, new, index, _ = published
    before = old.read_bytes()
    gosync.patch(old, str(index), output=tmp_path / "made.bin")
    assert (tmp_path / "made.bin").read_bytes() == new.read_bytes() and old.read_bytes() == before


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, io.BytesIO])
def test_indexes_and_results_in_memory(versions, kind):
    old, new = versions
    index, made = io.BytesIO(), io.BytesIO()
    built = gosync.build(new, index, format="go-sync", block_size=1000)
    assert built.index is None and built.blake3 is None and built.block_sizes == [1000]
    assert index.getvalue().startswith(b"G0S9NC")
    gosync.patch(old, kind(index.getvalue()), new, made)
    assert made.getvalue() == new.read_bytes()


def test_an_index_in_memory_does_not_say_where_the_target_is(published):
    old, _, index, _ = published
    with pytest.raises(ValueError, match="give the source"):
        gosync.patch(old, index.read_bytes())


def test_layers_as_asked_for(versions):
    old, new = versions
    built = gosync.build(new, block_size=[16384, 2048])
    assert built.block_sizes == [16384, 2048]
    gosync.patch(old, built.index)
    assert old.read_bytes() == new.read_bytes()


def test_a_compressed_payload(versions, server):
    old, new = versions
    new.write_bytes(new.read_bytes() + b"a long line of text\n" * 50_000)
    built = gosync.build(new, compress=3)
    content = new.read_bytes()
    new.unlink()
    assert built.payload == f"{new}.gosync-payload" and built.payload_bytes < len(content) / 2
    done = gosync.patch(old, f"{server.url}/new.bin.gosync")
    # This server knows no ranges, so all of the payload is fetched, but no more.
    assert old.read_bytes() == content and done.fetched_bytes <= built.payload_bytes


def test_only_signed_indexes_with_a_key(published):
    old, new, index, _ = published
    vectors = Path(__file__).parents[3] / "schemes/gosync/tests/vectors"
    key = vectors / "minisign.pub"
    before = old.read_bytes()
    with pytest.raises(gosync.Error, match="minisig"):
        gosync.patch(old, index, public_key=key)
    command = [sys.executable, "-m", "gosync", "build", new, "--sign", vectors / "minisign.key"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert gosync.diff(old, index, public_key=key.read_text().splitlines()[1]).missing_bytes > 0
    signature = Path(f"{index}.minisig")
    text = signature.read_text()
    signature.write_text(text.replace("file:", "File:"))
    with pytest.raises(gosync.CorruptError, match="minisig"):
        gosync.patch(old, index, public_key=key)
    with pytest.raises(ValueError, match="in memory"):
        gosync.patch(old, index.read_bytes(), new, public_key=key)
    assert old.read_bytes() == before
    signature.write_text(text)
    gosync.patch(old, index, public_key=key)
    assert old.read_bytes() == new.read_bytes()


def test_more_seeds_and_threads(published, tmp_path):
    old, new, index, _ = published
    absent = tmp_path / "absent.bin"
    assert gosync.diff(absent, index).matched_bytes == 0
    for threads in (1, 3):
        found = gosync.diff(absent, index, seeds=[old, new], threads=threads)
        assert found.missing_bytes == 0 and found.seed_bytes == old.stat().st_size + new.stat().st_size
    gosync.patch(absent, index, threads=1)
    assert absent.read_bytes() == new.read_bytes()


def test_a_pipe_takes_the_result(published):
    old, new, index, _ = published
    reading, writing = os.pipe()
    received = []
    with open(reading, "rb") as reader:
        thread = threading.Thread(target=lambda: received.append(reader.read()))
        thread.start()
        with open(writing, "wb", buffering=0) as writer:
            gosync.patch(old, index, output=writer)
        thread.join()
    assert received == [new.read_bytes()]


def test_progress_is_reported_in_the_calling_thread(published):
    old, _, index, _ = published
    heard = []
    gosync.patch(old, index, progress=lambda progress: heard.append((threading.get_ident(), progress)))
    assert {thread for thread, _ in heard} == {threading.get_ident()}
    assert {"compare", "fetch", "verify"} <= {progress.phase for _, progress in heard}
    assert all(0 <= progress.done <= progress.total for _, progress in heard)


def test_over_http(published, server):
    old, new, _, built = published
    done = gosync.patch(old, f"{server.url}/new.bin.gosync")
    assert old.read_bytes() == new.read_bytes()
    assert done.index_bytes <= built.index_bytes and done.requests >= 2


class Stop(Exception):
    pass


@pytest.mark.parametrize("raises", [False, True])
def test_a_callback_cancels(published, server, raises):
    old, _, _, _ = published
    before = old.read_bytes()
    server.release = threading.Event()

    def answer(progress):
        # What the server sends comes when the answer has long been heard.
        threading.Timer(0.5, server.release.set).start()
        if raises:
            raise Stop(progress.phase)
        return False

    with pytest.raises(Stop if raises else gosync.CancelledError):
        gosync.patch(old, f"{server.url}/new.bin.gosync", progress=answer)
    assert old.read_bytes() == before


def test_trouble_with_files_names_them(published, tmp_path):
    old, _, index, _ = published
    with pytest.raises(FileNotFoundError) as raised:
        gosync.build(tmp_path / "absent")
    assert raised.value.filename == str(tmp_path / "absent")
    with pytest.raises(FileNotFoundError) as raised:
        gosync.diff(old, tmp_path / "absent.gosync")
    assert raised.value.filename == str(tmp_path / "absent.gosync")
    with pytest.raises(IsADirectoryError):
        gosync.diff(old, tmp_path)
    with pytest.raises(FileNotFoundError, match="missing/"):
        gosync.patch(old, index, output=tmp_path / "missing/made")


def test_trouble_with_data_has_its_own_exceptions(published, server, tmp_path):
    old, new, index, _ = published
    damaged = bytearray(index.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "damaged.gosync").write_bytes(damaged)
    with pytest.raises(gosync.CorruptError, match="damaged.gosync"):
        gosync.diff(old, tmp_path / "damaged.gosync")
    with pytest.raises(gosync.SourceError, match="absent.gosync"):
        gosync.diff(old, f"{server.url}/absent.gosync")
    before = old.read_bytes()
    new.write_bytes(bytes(len(new.read_bytes())))
    with pytest.raises(gosync.CorruptError):
        gosync.patch(old, index)
    assert old.read_bytes() == before


def test_arguments_that_make_no_sense(published, tmp_path):
    old, new, index, _ = published
    for call in (
        lambda: gosync.build(new, format="tar"),
        lambda: gosync.build(new, block_size=0),
        lambda: gosync.build(new, compress=16),
        lambda: gosync.build(new, io.BytesIO(), compress=3),
        lambda: gosync.diff(old, index, threads=0),
        lambda: gosync.diff(old, "gopher://host/index"),
        lambda: gosync.diff(old, index, network=gosync.Network(read_timeout=-1)),
    ):
        with pytest.raises(ValueError):
            call()
    with pytest.raises(TypeError):
        gosync.diff(7, index)
    with pytest.raises(FileNotFoundError, match="no-such.pem"):
        gosync.diff(old, index, network=gosync.Network(ca_certificates=["no-such.pem"]))


def test_what_is_read_is_not_written_over(published, tmp_path):
    old, new, index, _ = published
    linked = tmp_path / "linked"
    os.link(index, linked)
    before = [path.read_bytes() for path in (old, new, index)]
    for call in (
        lambda: gosync.build(new, new),
        lambda: gosync.build(new, index.parent / (new.name + ".gosync-payload"), compress=3),
        lambda: gosync.patch(old, index, output=linked),
        lambda: gosync.patch(old, index, output=new),
        lambda: gosync.patch(index, index),
    ):
        with pytest.raises(ValueError, match="the same file as"):
            call()
    assert before == [path.read_bytes() for path in (old, new, index)]


def test_a_seed_that_cannot_be_read_is_a_warning(published, tmp_path):
    old, new, index, _ = published
    out = tmp_path / "out"
    done = gosync.patch(old, index, output=out, seeds=[tmp_path])
    assert out.read_bytes() == new.read_bytes()
    assert len(done.warnings) == 1 and "cannot be read" in done.warnings[0]
    assert gosync.diff(old, index).warnings == []


def test_a_stream_that_fails_ends_the_call(published):
    old, _, index, _ = published

    class Full(io.RawIOBase):
        def write(self, data):
            raise OSError(28, "No space left on device", "the stream")

    with pytest.raises(OSError) as raised:
        gosync.patch(old, index, output=Full())
    assert raised.value.errno == 28 and raised.value.filename == "the stream"


def test_no_stream_is_what_is_read(versions, tmp_path):
    old, new = versions
    gosync.build(new)
    index = f"{new}.gosync"
    before = [old.read_bytes(), new.read_bytes()]
    with open(old, "r+b") as over_old, open(new, "r+b") as over_new, open(index, "r+b") as over_index:
        for call in [
            lambda: gosync.build(new, over_new),
            lambda: gosync.patch(old, index, output=over_old),
            lambda: gosync.patch(old, index, output=over_new),
            lambda: gosync.patch(old, index, output=over_index),
        ]:
            with pytest.raises(ValueError, match="same file"):
                call()
    assert before == [old.read_bytes(), new.read_bytes()]


def test_whether_anything_changed_is_told(versions):
    old, new = versions
    gosync.build(new)
    assert [gosync.patch(old, f"{new}.gosync").changed for _ in range(2)] == [True, False]
    with open(os.devnull, "wb") as out:
        assert gosync.patch(old, f"{new}.gosync", output=out).changed


def test_versions_only_go_forward(tmp_path, versions):
    old, new = versions
    folder = tmp_path / "pub"
    first = gosync.publish(old, folder, name="app")
    assert (first.serial, first.expires_at, len(first.files)) == (1, None, 2)
    pointer = folder / "app.gosync-latest"
    before = pointer.read_bytes()
    second = gosync.publish(new, folder, name="app", keep=1, expires=3600, compress=3)
    assert (second.serial, second.removed, second.warnings) == (2, first.files, [])
    assert second.expires_at == second.published_at + 3600
    out = tmp_path / "out"
    assert gosync.patch(old, pointer, output=out).changed
    assert out.read_bytes() == Path(new).read_bytes()
    assert not gosync.patch(out, pointer).changed
    assert gosync.verify(out, pointer).ok and gosync.diff(out, pointer).missing_bytes == 0
    pointer.write_bytes(before)
    for call in (gosync.patch, gosync.diff, gosync.verify):
        with pytest.raises(gosync.CorruptError, match="version 2 was here before"):
            call(out, pointer)
    pointer.write_bytes(b"damaged")
    with pytest.raises(gosync.CorruptError):
        gosync.patch(out, pointer)
