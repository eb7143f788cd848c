"""The command, and what Ctrl-C does to it and to calls."""

import gzip
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import gosync


def run(*args, **options):
    command = [sys.executable, "-m", "gosync", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


def test_the_main_job(versions):
    old, new = versions
    assert run("build", new).returncode == 0
    done = run("patch", old, f"{new}.gosync", "--json")
    assert done.returncode == 0 and '"event":"done"' in done.stdout
    assert old.read_bytes() == new.read_bytes()


def test_the_wheel_installs_the_command():
    program = Path(sys.executable).with_name("gosync")
    assert subprocess.run([program, "--version"], capture_output=True, text=True).stdout.startswith("gosync ")


def test_exit_codes(versions, tmp_path):
    old, _ = versions
    assert run("--help").stdout.startswith("Bring a file")
    assert run("patch").returncode == 2
    failed = run("diff", old, tmp_path / "absent")
    assert failed.returncode == 1 and "absent" in failed.stderr
    assert run("diff", old, old).returncode == 3




CALLS = {
    "work on all cores": "librsync.signature(open('endless', 'rb'))",
    "work on a stream": "zsync.block_checksums(gzip.open('endless.gz', 'rb'))",
    "a read that waits": "librsync.signature(os.fdopen(os.pipe()[0], 'rb'))",
    "an answer that does not come": "gosync.diff('absent', url, network=gosync.Network(read_timeout=600, retries=0))",
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_ctrl_c_ends_a_call(call, tmp_path):
    with open(tmp_path / "endless", "wb") as file:
        file.truncate(1 << 38)
    # 20 GB of zeros, in so many members.
    (tmp_path / "endless.gz").write_bytes(gzip.compress(bytes(1 << 20)) * 20_000)
    program = f"""
import gzip, os, socket, gosync
from gosync import librsync, zsync
with socket.create_server(("127.0.0.1", 0)) as silent:
    url = f"http://127.0.0.1:{{silent.getsockname()[1]}}/index"
    try:
        print("ready", flush=True)
        {call}
    except KeyboardInterrupt:
        print("interrupted")
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.2)  # for the call to begin, mostly; before it the result is the same
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert output == "interrupted\n"


def test_ctrl_c_does_not_wait_for_a_silent_server(versions, tmp_path):
    """The work that is left behind keeps the output to itself until the server is gone."""
    old, new = versions
    index, out = tmp_path / "new.bin.gosync", tmp_path / "out.bin"
    gosync.build(new)
    connections = []

    def interrupt(silent):
        connections.append(silent.accept()[0])
        assert connections[0].recv(1)
        os.kill(os.getpid(), signal.SIGINT)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        thread = threading.Thread(target=interrupt, args=[silent])
        thread.start()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/new.bin"
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            gosync.patch(old, index, url, out, network=gosync.Network(read_timeout=600, retries=0))
        assert time.monotonic() - start < 60
        thread.join()
        assert not out.exists()
        with pytest.raises((gosync.Error, OSError), match="is locked"):
            gosync.patch(old, index, new, out)
        assert gosync.patch(old, index, new, tmp_path / "other.bin").output_bytes == new.stat().st_size
        connections[0].close()
    for _ in range(600):
        try:
            gosync.patch(old, index, new, out)
            break
        except (gosync.Error, OSError) as error:
            assert "is locked" in str(error)
            time.sleep(0.05)
    assert out.read_bytes() == new.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_ctrl_c_ends_the_command(tmp_path):
    server = subprocess.Popen([sys.executable, "-m", "gosync", "serve", str(tmp_path), "--bind", "127.0.0.1:0"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stderr.readline() or server.stdout.readline()
    server.send_signal(signal.SIGINT)
    output = server.communicate(timeout=60)
    assert server.returncode in (-signal.SIGINT, 130) and "Traceback" not in "".join(output)


@pytest.mark.skipif(os.name != "posix", reason="there are no background jobs")
def test_what_a_background_job_ignores_stays_ignored(tmp_path):
    ignore = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); import gosync.__main__; gosync.__main__.main()"
    server = subprocess.Popen([sys.executable, "-c", ignore, "serve", str(tmp_path), "--bind", "127.0.0.1:0"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stderr.readline() or server.stdout.readline()
    server.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        server.wait(0.3)
    server.kill()
    server.communicate()


def test_calls_work_in_a_forked_process(versions):
    """Where threads of the parent do not exist."""
    old, new = versions
    gosync.build(new)
    child = os.fork()
    if child == 0:
        os._exit(0 if gosync.diff(old, f"{new}.gosync").matched_bytes > 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
