# SPDX-License-Identifier: BSD-2-Clause
"""The layers of the tree: who may know whom. The checks beside this file read it; there is no second list."""

import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

ENGINE = ("base", "codecs", "protocol", "core")

# Layer: the layers whose internal headers and symbols it may use.
#   base <- codecs <- protocol <- core <- driver <- cli, examples
#   base <- sasl, which sees the public headers; who uses it does so through <kloop/sasl.h>
#   protocol <- broker, wiretools <- cli, tests; core and broker never see each other
# The driver and the command use the engine through its public headers only; why they may see base is in docs/decisions.
MAY_USE = {
    "base": {"base"},
    "codecs": {"base", "codecs"},
    "protocol": {"base", "codecs", "protocol"},
    "core": {"base", "codecs", "protocol", "core"},
    "broker": {"base", "codecs", "protocol", "broker"},
    "sasl": {"base", "sasl"},
    "driver": {"base", "driver"},
    "wiretools": {"base", "codecs", "protocol", "wiretools"},
    "cli": {"base", "broker", "wiretools", "cli"},
    "examples": {"examples"},
}
# These may see everything.
for _name in ("tests", "fuzz", "bench"):
    MAY_USE[_name] = set(MAY_USE) | {"tests", "fuzz", "bench"}

# Public header: the lowest place in the chain from which it may be included.
_CHAIN = ("base", "codecs", "protocol", "core", "driver")
PUBLIC = {
    "export.h": "base",
    "types.h": "base",
    "broker_error.h": "base",
    "stats.h": "base",
    "fault.h": "protocol",
    "messages.h": "protocol",
    "wire.h": "protocol",
    "batch.h": "protocol",
    "record.h": "core",
    "config.h": "core",
    "config_keys.h": "core",
    "engine.h": "core",
    "sasl.h": "core",
    "hooks.h": "core",
    "kloop.h": "driver",
    "stats_text.h": "driver",
    "tls.h": "driver",
}


def may_see_public(layer, header):
    """Layers beside the chain (broker, wiretools, cli, tests ...) stand above protocol."""
    if layer not in _CHAIN:
        return True
    return _CHAIN.index(layer) >= _CHAIN.index(PUBLIC[header])


def sources(folders=None, endings=(".c", ".h")):
    """Files of the tree as paths from its root, sorted."""
    found = []
    for top in folders or ("include", *MAY_USE):
        for where, dirs, names in os.walk(os.path.join(ROOT, top)):
            dirs[:] = sorted(d for d in dirs if d != "corpus" and not d.startswith("."))
            found += [os.path.relpath(os.path.join(where, n), ROOT) for n in names if n.endswith(endings)]
    return sorted(found)


def report(name, faults, seen):
    """Prints what is wrong, one line each; answers the exit code."""
    for fault in faults:
        print(fault)
    if not faults:
        print(f"{name}: {seen}, all in order")
    return 1 if faults else 0
