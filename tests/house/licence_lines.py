#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each file that we wrote says its licence in its first lines."""

import os
import sys

from layers import MAY_USE, ROOT, report, sources

LINE = "SPDX-License-Identifier: BSD-2-Clause"
ENDINGS = (".c", ".h", ".cc", ".java", ".py", ".cmake", ".map", "CMakeLists.txt")
ALONE = ("CMakeLists.txt", "dev", ".ci/run")


def main():
    folders = ["include", "cmake", *MAY_USE]
    files = sources(folders, ENDINGS) + list(ALONE)
    faults = []
    for path in files:
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            # C and Java: the very first line; scripts may have their #! before it.
            head = [f.readline(), f.readline()]
        if path.endswith((".c", ".h", ".cc", ".java")):
            fine = head[0] == f"/* {LINE} */\n"
        else:
            fine = any(LINE in line for line in head)
        if not fine:
            faults.append(f"{path}:1: no {LINE}")
    return report("licence lines", faults, f"{len(files)} files")


sys.exit(main())
