#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Builds the engine with one mistake after the other, and lets the simulator look for it: it must find each.

    plant_bugs.py [--build DIR] [--seeds N] [--jobs J] [--list] [NAME ...]

Seeds are tried first, then the stories, then more seeds. The simulator of the sound engine must find nothing in the same
seeds that it needs for the broken ones."""

import argparse
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# So many seeds come before the stories, and all others behind them.
SOME = 500


def planted():
    """The names, as the build knows them."""
    with open(os.path.join(HERE, "CMakeLists.txt"), encoding="utf-8") as f:
        listed = re.search(r"set\(_plants([^)]*)\)", re.sub("#.*", "", f.read()))
    return listed.group(1).split()


def has_place(name):
    """Is there a place in the engine, or in the mechanisms of SASL, where this mistake is made?"""
    define = "KL_PLANT_" + name.upper()
    for layer in ("core", "sasl"):
        for entry in sorted(os.listdir(os.path.join(ROOT, layer))):
            with open(os.path.join(ROOT, layer, entry), encoding="utf-8") as f:
                if define in f.read():
                    return True
    return False


def build(folder, name):
    configure = ["cmake", "-S", ROOT, "-B", folder, "-DCMAKE_BUILD_TYPE=Release", f"-DKLOOP_PLANT_BUG={name}",
                 "-DKLOOP_BUILD_BENCH=OFF"]
    if not os.path.exists(os.path.join(folder, "CMakeCache.txt")):
        configure += ["-G", "Ninja"]
    with open(os.path.join(folder, "plant.log"), "w", encoding="utf-8") as log:
        for command in (configure, ["cmake", "--build", folder, "--target", "kloop-sim"]):
            if subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False).returncode:
                sys.exit(f"{name or 'sound'}: cannot be built, see {log.name}")
    return os.path.join(folder, "bin", "kloop-sim")


def tell(program):
    """The story that found it and what was broken, or None."""
    command = [program, "--scenario", "all", "--stop-after", "1"]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, errors="replace", check=False)
    found = re.search(r"^scenario (\w+) failed: (.*)$", run.stdout, re.MULTILINE)
    return (found.group(1), found.group(2)) if found else None


def look(program, seeds, jobs):
    """The seed that found it and what was broken, or None."""
    command = [program, "--seed", "1", "--seeds", str(seeds), "--stop-after", "1", "--jobs", str(jobs)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, errors="replace", check=False)
    found = re.search(r"^seed (\d+) failed: (.*)$", run.stdout, re.MULTILINE)
    if run.returncode not in (0, 1):
        sys.exit(f"{program} ends with {run.returncode}:\n{run.stdout}")
    return (int(found.group(1)), found.group(2)) if found else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "planted"), help="the build folder")
    parser.add_argument("--seeds", type=int, default=20000, help="within how many seeds each must be found")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    known = planted()
    if arguments.list:
        print("\n".join(known))
        return 0
    for name in arguments.names:
        if name not in known:
            parser.error(f"there is no planted bug {name}: {', '.join(known)}")
    os.makedirs(arguments.build, exist_ok=True)
    missed = 0
    farthest = 0
    for name in arguments.names or known:
        if not has_place(name):
            print(f"{name:36} has no place in core/ or sasl/")
            missed += 1
            continue
        program = build(arguments.build, name)
        start = time.monotonic()
        found = look(program, min(SOME, arguments.seeds), arguments.jobs)
        story = None if found else tell(program)
        if not found and not story:
            found = look(program, arguments.seeds, arguments.jobs)
        took = time.monotonic() - start
        if found:
            farthest = max(farthest, found[0])
            print(f"{name:36} found by seed {found[0]} in {took:.1f} s: {found[1]}", flush=True)
        elif story:
            print(f"{name:36} found by the story {story[0]} in {took:.1f} s: {story[1]}", flush=True)
        else:
            missed += 1
            print(f"{name:36} NOT found in {arguments.seeds} seeds, {took:.1f} s", flush=True)
    program = build(arguments.build, "")
    sound = look(program, max(farthest, 100), arguments.jobs)
    if sound:
        missed += 1
        print(f"{'(sound engine)':36} seed {sound[0]} fails too: {sound[1]}")
    else:
        print(f"{'(sound engine)':36} nothing in {max(farthest, 100)} seeds")
    return 1 if missed else 0


sys.exit(main())
