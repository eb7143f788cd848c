"""The command, and what Ctrl-C does to it and to calls."""

import os
import signal
import subprocess
import sys

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


def test_exit_codes(versions, tmp_path):
    old, _ = versions
    assert run("--help").stdout.startswith("Bring a file")
    assert run("patch").returncode == 2
    failed = run("diff", old, tmp_path / "absent")
    assert failed.returncode == 1 and "absent" in failed.stderr
    assert run("diff", old, old).returncode == 3




def test_ctrl_c_ends_a_call(tmp_path):
    """While the work waits for a server that never answers."""
    program = """
import socket, sys, gosync
with socket.create_server(("127.0.0.1", 0)) as silent:
    print("ready", flush=True)
    try:
        gosync.diff("absent", f"http://127.0.0.1:{silent.getsockname()[1]}/index",
                    network=gosync.Network(read_timeout=2, retries=0))
    except KeyboardInterrupt:
        print("interrupted")
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert output == "interrupted\n"


def test_ctrl_c_ends_the_command(tmp_path):
    server = subprocess.Popen([sys.executable, "-m", "gosync", "serve", str(tmp_path), "--bind", "127.0.0.1:0"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stderr.readline() or server.stdout.readline()
    server.send_signal(signal.SIGINT)
    output = server.communicate(timeout=60)
    assert server.returncode in (-signal.SIGINT, 130) and "Traceback" not in "".join(output)


def test_calls_work_in_a_forked_process(versions):
    """Where threads of the parent do not exist."""
    old, new = versions
    gosync.build(new)
    child = os.fork()
    if child == 0:
        os._exit(0 if gosync.diff(old, f"{new}.gosync").matched_bytes > 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
