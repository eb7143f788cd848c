"""The command: ``python -m gosync`` is ``gosync``."""

import signal
import sys

from . import _native


def main() -> int:
    # The command ends in order by itself; Python would have it wait for a traceback. What a shell
    # has a script's background job ignore stays ignored.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _native.command(["gosync", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
