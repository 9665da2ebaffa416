#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the objects of the engine, and of sasl, ask of the world, read from the objects themselves: memory, strings, codec libraries, and
nothing that could read a clock, open a socket, start a thread or print.

    engine_symbols.py [--nm NM] OBJECT...     the layer of an object is the kloop_LAYER.dir in its path

An #include can be hidden behind a macro or a function declared by hand; an undefined symbol cannot.
"""

import argparse
import os
import re
import subprocess
import sys

from layers import MAY_USE, report

LIBC = {
    "malloc", "calloc", "realloc", "free", "abort",
    "memcpy", "memmove", "memset", "memcmp", "memchr", "bcmp",
    "strlen", "strnlen", "strcmp", "strncmp", "strchr", "strrchr",
    "strcpy", "stpcpy",  # made of snprintf by -Os
    "snprintf", "vsnprintf",
}
# What compilers ask for on their own.
COMPILER = re.compile(r"_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|__cpu_model|__cpu_indicator_init|__[a-z]+[sdt]i[23]")
# The libraries below the codecs, for objects of codecs/ only.
CODEC_LIBRARIES = re.compile(r"(ZSTD|LZ4|LZ4F)_\w+|(deflate|inflate)\w*_?|crc32|crc32_z|zError|zlibVersion")


def layer_of(path):
    found = re.search(r"kloop_(\w+)\.dir/", path)
    return found.group(1) if found else None


def symbols(nm, objects):
    """Yields (object, name, defined)."""
    out = subprocess.run([nm, "-A", "-P", "-g", *objects], check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        place, rest = line.split(": ", 1)
        name, kind = rest.split()[:2]
        yield place, name, kind not in "Uwv"


def allowed(layer, name):
    # A fortified build asks for __memcpy_chk where others ask for memcpy.
    fortified = re.fullmatch(r"__(\w+)_chk", name)
    if name in LIBC or COMPILER.fullmatch(name) or (fortified and fortified.group(1) in LIBC):
        return True
    return layer == "codecs" and CODEC_LIBRARIES.fullmatch(name) is not None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nm", default="nm")
    parser.add_argument("objects", nargs="+")
    args = parser.parse_args()

    home, wanted = {}, []
    for path, name, defined in symbols(args.nm, args.objects):
        if defined:
            home[name] = layer_of(path)
        else:
            wanted.append((path, name))
    faults = []
    for path, name in wanted:
        layer = layer_of(path)
        file = os.path.normpath(re.sub(r".*kloop_\w+\.dir/(.*)\.o$", rf"{layer}/\1", path))
        if name in home:
            # sasl reads a configuration, as any program would.
            if home[name] not in MAY_USE[layer] and not (layer == "sasl" and name.startswith("kloop_")):
                faults.append(f"{file} uses {name} of {home[name]}: against the arrow")
        elif not allowed(layer, name):
            faults.append(f"{file} needs {name}, which is not among what {layer} may ask for")
    return report("engine symbols", faults, f"{len(args.objects)} objects, {len({n for _, n in wanted} - set(home))} from outside")


sys.exit(main())
