#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each .c of a listed folder is in the folder's CMakeLists.txt, and no two files of the tree share a name."""

import collections
import os
import sys

from layers import ROOT, report, sources

# tests, fuzz and bench find their programs by name.
BY_NAME = {"tests", "fuzz", "bench"}


def main():
    faults = []
    files = sources()
    for path in files:
        folder, name = os.path.split(path)
        if not name.endswith(".c") or folder.split(os.sep)[0] in BY_NAME:
            continue
        listing = os.path.join(ROOT, folder, "CMakeLists.txt")
        if not os.path.exists(listing):
            faults.append(f"{path}: its folder has no CMakeLists.txt")
            continue
        with open(listing, encoding="utf-8") as f:
            if name not in f.read().replace("(", " ").replace(")", " ").split():
                faults.append(f"{path}: not in {os.path.relpath(listing, ROOT)}")
    # A name tells what is inside. The public header of an idea may share it with the inner one.
    places = collections.defaultdict(list)
    for path in files:
        if not path.startswith("include" + os.sep):
            places[os.path.basename(path)].append(path)
    for name, paths in sorted(places.items()):
        if len(paths) > 1:
            faults.append(f"{name}: one name, several files: {', '.join(paths)}")
    return report("source lists", faults, f"{len(files)} files")


sys.exit(main())
