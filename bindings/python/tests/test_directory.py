"""Directories: build, diff, patch, verify and inspect."""

import filecmp
import os
import subprocess
import sys

import pytest

import gosync
import gosync.format


@pytest.fixture
def trees(tmp_path):
    """An old version and a new one, in directories."""
    for name in ("site", "new/site"):
        for number in range(20):
            path = tmp_path / name / f"pages/{number % 3}/page {number}.html"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"page {number}\n".encode() * 300)
            os.utime(path, (1_600_000_000, 1_600_000_000))
    new = tmp_path / "new/site"
    (new / "pages/1/page 1.html").write_bytes(b"all new")
    os.rename(new / "pages/2/page 2.html", new / "moved.html")
    (new / "added.txt").write_bytes(b"added")
    (new / "left out.log").write_bytes(b"not to be published")
    (tmp_path / "site/gone.txt").write_bytes(b"gone")
    (tmp_path / "site/mine.log").write_bytes(b"mine")
    return tmp_path / "site", new


def same(one, other):
    found = filecmp.dircmp(one, other, ignore=[".gosync", "mine.log", "left out.log"])
    below = all(same(os.path.join(one, name), os.path.join(other, name)) for name in found.common_dirs)
    return below and not (found.left_only or found.right_only or found.diff_files)


@pytest.mark.parametrize("compress", [None, 0, 3])
def test_a_directory_is_brought_up_to_date(trees, server, compress):
    old, new = trees
    built = gosync.build(new, exclude=["*.log"], compress=compress)
    assert (built.files, built.index) == (21, f"{new}.gosync")
    assert (built.payload is not None) == (compress == 3)
    index = f"{server.url}/new/site.gosync"
    inside = gosync.inspect(index)
    assert (inside.directory.files, inside.directory.excludes) == (21, ["*.log"])
    assert gosync.format.read(f"{new}.gosync").directory.files == 21

    found = gosync.diff(old, index)
    assert found.files == gosync.FileCounts(unchanged=18, changed=1, added=2, removed=0, moved=0)
    assert ("add", "added.txt", None) in found.changes and found.missing_bytes < 2_000
    wrong = gosync.verify(old, index)
    assert not wrong.ok and wrong.different == ["pages/1/page 1.html"] and "moved.html" in wrong.missing

    done = gosync.patch(old, index, delete=True)
    assert done.changed and done.files == gosync.FileCounts(unchanged=18, changed=1, added=1, removed=1, moved=1)
    assert same(old, new) and (old / "mine.log").exists() and done.files_kept == []
    again = gosync.patch(old, index, delete=True)
    assert not again.changed and again.fetched_bytes == 0
    assert gosync.verify(old, index).ok


def test_a_new_directory_may_share_files_with_the_old_one(trees, tmp_path):
    old, new = trees
    gosync.build(new, exclude=["*.log"])
    gosync.patch(old, f"{new}.gosync", output=tmp_path / "out", link=True)
    assert same(tmp_path / "out", new) and (old / "gone.txt").exists()
    page = "pages/0/page 0.html"
    assert os.path.samefile(old / page, tmp_path / "out" / page)


def test_what_is_no_directory_is_told_apart(trees, versions, tmp_path):
    (old, new), (file, _) = trees, versions
    gosync.build(new)
    gosync.build(file)
    for call in (gosync.patch, gosync.diff, gosync.verify):
        with pytest.raises(ValueError, match="is no directory"):
            call(file, f"{new}.gosync")
        with pytest.raises(ValueError, match="is a directory"):
            call(old, f"{file}.gosync")
    with pytest.raises(ValueError, match="delete is for directories"):
        gosync.patch(file, f"{file}.gosync", delete=True)
    with pytest.raises(ValueError, match="directories"):
        gosync.build(file, exclude=["x"])
    with pytest.raises(ValueError, match="whole index"):
        gosync.build(new, part=(1, 2))
    with pytest.raises(ValueError, match="link"):
        gosync.patch(old, f"{new}.gosync", link=True)


def test_times_are_as_late_as_the_environment_says(trees, tmp_path, monkeypatch):
    _, new = trees
    made = []
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    for _ in range(2):
        gosync.build(new, tmp_path / "x.gosync")
        made.append((tmp_path / "x.gosync").read_bytes())
        os.utime(new / "added.txt")
    assert made[0] == made[1]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    with pytest.raises(ValueError, match="SOURCE_DATE_EPOCH"):
        gosync.build(new)


def test_a_pointer_leads_to_a_directory(trees, tmp_path):
    old, new = trees
    folder = tmp_path / "published"
    (new / ".gosyncignore").write_text("*.log\n")
    publish = [sys.executable, "-m", "gosync", "publish", new, "--to", folder]
    subprocess.run(publish, check=True)
    pointer = folder / "site.gosync-latest"
    before = pointer.read_bytes()
    assert gosync.patch(old, pointer, delete=True).changed and same(old, new)
    assert not gosync.patch(old, pointer, delete=True).changed
    (new / "added.txt").write_bytes(b"changed")
    subprocess.run(publish, check=True)
    assert gosync.patch(old, pointer).changed and same(old, new)
    pointer.write_bytes(before)
    with pytest.raises(gosync.CorruptError, match="version 2 was here before"):
        gosync.patch(old, pointer)
