import functools
import http.server
import os
import random
import shutil
import signal
import threading

import pytest


@pytest.fixture(autouse=True, scope="session")
def ctrl_c_counts():
    """Also where the tests are a script's background job, in which a shell has it ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def versions(tmp_path):
    """An old version and a new one that shares most of it, in files."""
    source = random.Random(7)
    old = source.randbytes(300_000)
    new = old[:100_000] + b"something new" + old[120_000:] + source.randbytes(5_000)
    (tmp_path / "old.bin").write_bytes(old)
    (tmp_path / "new.bin").write_bytes(new)
    return tmp_path / "old.bin", tmp_path / "new.bin"


@pytest.fixture
def rdiff():
    return require("rdiff")


def require(program):
    """Where `program` is. As in testkit: where it is missing the test is skipped, or fails."""
    found = shutil.which(program)
    if found is None:
        missing = f"{program} is not installed; `cargo xtask test` installs it"
        if os.environ.get("GOSYNC_REQUIRE_PEERS") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder; where `release` is, files that are no index come once that is set."""

    daemon_threads = True
    release = None


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.server.release is not None and not self.path.endswith(".gosync"):
            self.server.release.wait(30)
        super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    with Server(("127.0.0.1", 0), functools.partial(Handler, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        server.url = f"http://127.0.0.1:{server.server_port}"
        yield server
        if server.release is not None:
            server.release.set()
        server.shutdown()
        thread.join()
