#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each public header compiles alone, twice in a row, as C99, C11 and C++11, without a warning, with every compiler here."""

import os
import shutil
import subprocess
import sys

from layers import ROOT, report

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
LANGUAGES = [("c", "c99"), ("c", "c11"), ("c++", "c++11")]
# The first name of each row that is installed is used.
COMPILERS = {"c": [("gcc",), ("clang-14", "clang")], "c++": [("g++",), ("clang++-14", "clang++")]}


def main():
    folder = os.path.join(ROOT, "include", "kloop")
    headers = sorted(os.listdir(folder))
    faults, runs = [], 0
    for language, standard in LANGUAGES:
        here = [next(filter(shutil.which, names), None) for names in COMPILERS[language]]
        here = [name for name in here if name]
        if not here:
            faults.append(f"no compiler for {standard}: apt-get install {COMPILERS[language][0][0]}")
        for compiler in here:
            for header in headers:
                text = f"#include <kloop/{header}>\n" * 2
                command = [compiler, "-x", language, f"-std={standard}", *WARNINGS, "-fsyntax-only",
                           "-I", os.path.dirname(folder), "-"]
                done = subprocess.run(command, input=text, capture_output=True, text=True)
                runs += 1
                if done.returncode:
                    faults.append(f"<kloop/{header}> as {standard} with {compiler}:\n{done.stderr.rstrip()}")
    return report("public headers", faults, f"{len(headers)} headers, {runs} compilations")


sys.exit(main())
