#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""An #include against the arrow of the layers fails here, and so does a system header that a layer has no business with."""

import os
import re
import sys

from layers import ENGINE, MAY_USE, PUBLIC, ROOT, may_see_public, report, sources

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^">]+)[">]')

# The engine's side may include only what is listed. <stdio.h> is there for snprintf alone: engine_symbols.py sees to that.
PLAIN = {"inttypes.h", "limits.h", "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h",
         "stdio.h", "stdlib.h", "string.h"}
PROCESSOR = {"arm_acle.h", "arm_neon.h", "cpuid.h", "immintrin.h"}
CODEC_LIBRARIES = {"lz4.h", "lz4frame.h", "lz4hc.h", "zlib.h", "zstd.h", "zstd_errors.h"}
SYSTEM = {"base": PLAIN | PROCESSOR, "codecs": PLAIN | CODEC_LIBRARIES, "protocol": PLAIN, "core": PLAIN, "broker": PLAIN, "sasl": PLAIN,
          "include": {"stdbool.h", "stddef.h", "stdint.h", "string.h"}}

# A library's headers stay where the library is used.
LIBRARIES = {
    "uv": {"driver", "cli", "examples", "tests", "bench"},
    "uv.h": {"include", "driver", "cli", "examples", "tests", "bench"},
    "ares.h": {"driver", "cli"},
    "openssl": {"driver", "tests", "fuzz", "bench"},
    "jansson.h": {"wiretools", "cli", "tests"},
    "cmocka.h": {"tests"},
    "snappy-c.h": {"tests", "fuzz", "bench"},
}


def complaint(layer, quote, target):
    """What is wrong with this include in a file of this layer, or None."""
    first = target.split("/")[0]
    if quote == '"':
        if "/" not in target or first not in MAY_USE:
            return "write it from the root of the tree, as in \"base/check.h\"; public ones as <kloop/...>"
        if not os.path.exists(os.path.join(ROOT, target)):
            return "there is no such file"
        if layer == "include":
            return "a public header sees only <kloop/...>"
        if first not in MAY_USE[layer]:
            return f"{layer} may not see {first}"
        return None
    if first == "kloop":
        header = target[len("kloop/"):]
        if not os.path.exists(os.path.join(ROOT, "include", target)):
            return "there is no such file"
        if header not in PUBLIC:
            return "say in tests/house/layers.py from where on this header may be seen"
        if layer != "include" and not may_see_public(layer, header):
            return f"this header belongs to {PUBLIC[header]} and what stands on it"
        return None
    if first in LIBRARIES:
        return None if layer in LIBRARIES[first] else f"{first} has no place in {layer}"
    if layer in SYSTEM and target not in SYSTEM[layer]:
        return f"not among the system headers of {layer} (tests/house/include_order.py)"
    return None


def main():
    faults = []
    files = sources()
    for path in files:
        layer = path.split(os.sep)[0]
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                hit = INCLUDE.match(line)
                why = complaint(layer, *hit.groups()) if hit else None
                if why:
                    faults.append(f"{path}:{number}: {line.strip()}: {why}")
    if not faults and "--quiet" in sys.argv:
        return 0
    return report("include order", faults, f"{len(files)} files, engine layers {', '.join(ENGINE)}")


sys.exit(main())
