#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The shared libraries of a release, stripped as a package strips them, are no larger than promised.

    library_sizes.py [--strip STRIP] LIBRARY=BYTES...

What makes them grow is told by:  nm -S --size-sort -t d LIBRARY | tail -40
"""

import argparse
import os
import subprocess
import sys
import tempfile

from layers import report


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--strip", default="strip")
    parser.add_argument("libraries", nargs="+", metavar="LIBRARY=BYTES")
    args = parser.parse_args()
    faults, seen = [], []
    with tempfile.TemporaryDirectory() as folder:
        for word in args.libraries:
            path, _, most = word.rpartition("=")
            name = os.path.basename(path)
            stripped = os.path.join(folder, name)
            subprocess.run([args.strip, "--strip-unneeded", "-o", stripped, path], check=True)
            size = os.path.getsize(stripped)
            seen.append(f"{name} {size}")
            if size > int(most):
                faults.append(f"{name}: {size} bytes stripped, at most {most} are promised")
    return report("library sizes", faults, ", ".join(seen))


sys.exit(main())
