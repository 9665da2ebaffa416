#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every C and C++ file has the form that .clang-format gives it. --fix gives it to them.

Exit code 77 (skipped) without clang-format 14: other versions disagree with it about details.
"""

import os
import shutil
import subprocess
import sys

from layers import ROOT, report, sources


def find_tool():
    for name in ("clang-format-14", "clang-format"):
        tool = shutil.which(name)
        if tool and " 14." in subprocess.run([tool, "--version"], capture_output=True, text=True).stdout:
            return tool
    return None


def main():
    tool = find_tool()
    if not tool:
        print("format: there is no clang-format-14: ./dev setup")
        return 77
    files = [os.path.join(ROOT, path) for path in sources(None, (".c", ".h", ".cc"))]
    if not files:
        return report("format", ["no files found"], "0 files")
    if "--fix" in sys.argv[1:]:
        return subprocess.run([tool, "-i", *files]).returncode
    result = subprocess.run([tool, "--dry-run", "-Werror", *files], capture_output=True, text=True)
    bad = sorted({os.path.relpath(line.split(":")[0], ROOT) for line in result.stderr.splitlines()
                  if "-Wclang-format-violations" in line})
    if result.returncode and not bad:
        bad = result.stderr.splitlines()[:5] or [f"{tool} ended with {result.returncode}"]
    code = report("format", bad, f"{len(files)} files")
    if bad:
        print("python3 tests/house/format.py --fix puts them in form")
    return code


sys.exit(main())
