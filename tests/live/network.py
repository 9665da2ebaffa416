# SPDX-License-Identifier: BSD-2-Clause
"""The network between kloop and a cluster, when proxy.py stands in it: who comes to cluster.remote_bootstrap goes through."""

import json
import os
import subprocess
import sys

import child
from libraries import HERE

# What can be wrong with a network, as proxy.py takes it.
FINE = {}
HOLD = {"hold": True}
DRIP = {"drip": True}


def delay(seconds, jitter=0.0):
    return {"delay": seconds, "jitter": jitter}


def cut(times):
    return {"cut": times}


def stall(after):
    return {"stall": after}


def around(cluster, listener=None):
    """listener: one that is remote; without it the one that all clusters have."""
    if listener:
        return Network([(node.ports[listener], node.targets[listener]) for node in cluster.nodes])
    return Network([(node.remote_port, node.remote_target) for node in cluster.nodes])


class Network:
    """with around(cluster) as network: bytes pass. Nodes are named by their numbers; none stands for all of them.
    routes: pairs of ports, for each node where to listen and where to connect to."""

    def __init__(self, routes):
        self.routes = routes
        self.process = None

    def __enter__(self):
        routes = [f"{listen}:{target}" for listen, target in self.routes]
        self.process = child.start([sys.executable, "-B", os.path.join(HERE, "proxy.py"), *routes], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True, bufsize=1)
        self.figures()
        return self

    def __exit__(self, *_):
        child.end(self.process)

    def _order(self, nodes, **words):
        routes = [number - 1 for number in nodes or range(1, len(self.routes) + 1)]
        self.process.stdin.write(json.dumps({"routes": routes, **words}) + "\n")
        return json.loads(self.process.stdout.readline())

    def rule(self, rule, *nodes, way="both"):
        self._order(nodes, way=way, rule=rule)

    def reset(self, *nodes):
        """Ends all connections; what was under way is lost."""
        self._order(nodes, reset=True)

    def figures(self):
        """For each node what went through so far."""
        return self._order(())
