#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a library shows to programs.

    library_symbols.py [--nm NM] --list FILE... --shared libkloop.so --static libkloop.a [--update]

The shared library exports exactly the symbols of the lists beside this file, each with the version node since when it is
there: a line that goes away breaks programs, a line that comes is a promise. libkloop-engine has exports_engine.txt,
libkloop that and exports_driver.txt. --update writes the last list anew, to be read in the diff. In the static library
every name that could clash with a program's own begins with kloop_ or kl_.
"""

import argparse
import os
import re
import subprocess
import sys

from layers import report

HERE = os.path.dirname(os.path.abspath(__file__))


def listed(name):
    """The lines of a list; of a new one, none."""
    path = os.path.join(HERE, name)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return f.read().splitlines()


def names(*command):
    """(name, kind) of each defined global symbol."""
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in out.splitlines()]
    return [(row[0], row[1]) for row in rows if len(row) >= 3]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--list", action="append", required=True)
    parser.add_argument("--shared", required=True)
    parser.add_argument("--static", required=True)
    parser.add_argument("--update", action="store_true")
    args = parser.parse_args()
    faults = []

    exports = []
    for name, kind in names(args.nm, "-D", "-P", "--defined-only", args.shared):
        symbol, _, version = name.partition("@@")
        # The node itself is listed as an absolute symbol.
        if kind == "A" and re.fullmatch(r"KLOOP_\d+\.\d+", symbol.partition("@")[0]):
            continue
        if not symbol.startswith("kloop_"):
            faults.append(f"exported without our prefix: {symbol}")
        if not re.fullmatch(r"KLOOP_\d+\.\d+", version):
            faults.append(f"exported without a version node: {name}")
        exports.append(f"{symbol} {version}")
    exports.sort()
    if args.update and not faults:
        before = {line for name in args.list[:-1] for line in listed(name)}
        with open(os.path.join(HERE, args.list[-1]), "w", encoding="utf-8") as f:
            f.write("".join(line + "\n" for line in exports if line not in before))
    wanted = set()
    for name in args.list:
        lines = listed(name)
        if lines != sorted(set(lines)):
            faults.append(f"tests/house/{name} is not sorted")
        wanted |= set(lines)
    faults += [f"not in tests/house/{args.list[-1]}: {line}" for line in sorted(set(exports) - wanted)]
    faults += [f"no longer exported: {line}" for line in sorted(wanted - set(exports))]

    members = names(args.nm, "-P", "-g", "--defined-only", args.static)
    for name, _ in sorted(set(members)):
        if not name.startswith(("kloop_", "kl_")):
            faults.append(f"in the static library without our prefix: {name}")
    return report("library symbols", faults, f"{len(exports)} exported, {len(members)} in the static library")


sys.exit(main())
