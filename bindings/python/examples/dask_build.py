"""Make the index of a large file on a Dask cluster, each task of which sums a part of the file.

    python dask_build.py app.img --parts 64 --scheduler tcp://scheduler:8786

Every worker has to have `gosync` installed and to see the file and the folder of the index
under the same names, as on a shared file system. Without a scheduler this machine is the
cluster. A task reads its own part of the file only, and its beginning; this process reads the
parts of the index, which come to a few hundredths of the file.
"""

import argparse
import os
import tempfile

from distributed import Client

import gosync


def build(client, file, output, parts, **options):
    """Make the index of `file` at `output` out of `parts` tasks, with the options of `gosync.build`.

    It has the same bytes as that of one `gosync.build`. Where a task fails nothing is written.
    """
    folder, name = os.path.split(os.path.abspath(output))
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=folder) as parts_folder:
        # A worker runs as many tasks at once as it has threads, so each task takes one.
        tasks = [
            client.submit(
                gosync.build,
                os.path.abspath(file),
                os.path.join(parts_folder, f"{number}-of-{parts}"),
                part=(number, parts),
                threads=1,
                pure=False,
                **options,
            )
            for number in range(1, parts + 1)
        ]
        return gosync.merge([made.index for made in client.gather(tasks)], output)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Make the index of a file on a Dask cluster.")
    parser.add_argument("file")
    parser.add_argument("-o", "--output", help="where the index goes [default: FILE.gosync]")
    parser.add_argument("--parts", type=int, default=16, help="how many tasks to make of it")
    parser.add_argument("--compress", type=int, help="write FILE.gosync-payload too, at this level of zstd")
    parser.add_argument("--scheduler", help="the cluster's address [default: a cluster on this machine]")
    chosen = parser.parse_args(arguments)
    output = chosen.output or chosen.file + ".gosync"
    with Client(chosen.scheduler) as client:
        made = build(client, chosen.file, output, chosen.parts, compress=chosen.compress)
    print(f"{made.index}: {made.index_bytes} bytes for {made.target_bytes}, BLAKE3 {made.blake3}")


if __name__ == "__main__":
    main()
