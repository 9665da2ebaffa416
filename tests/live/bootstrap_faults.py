# SPDX-License-Identifier: BSD-2-Clause
"""What stands behind bootstrap.servers: addresses where nobody answers, and a cluster that moves while records are under way."""

import contextlib
import socket

import probe
from cluster import PORTS
from judges import Difference
from network import Network
from transfer import Watch


@contextlib.contextmanager
def dead_ends(node):
    """A list in which only one of four works: a port where nobody listens, one that takes connections and says nothing, a name
    that does not lead to a broker, and a name of two addresses of which the first is dead (::1; the node has 127.0.0.1)."""
    closed = PORTS.take()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"127.0.0.1:{closed},127.0.0.1:{silent.getsockname()[1]},localhost:{closed},localhost:{node.port}"


class Move(Watch):
    """The node stops when a third is acked, and comes back with what it stored, at another port. Nobody listens where clients
    know it to be; only who asks bootstrap.servers anew, where a proxy stands for the name, learns of it.

        a third acked -> stopping -> node started at its new port, name follows -> more acked: over
    """

    tail = True

    def __init__(self, cluster, count):
        self.cluster, self.count = cluster, count
        self.node = cluster.nodes[0]
        self.name_port = PORTS.take()
        self.name = Network([(self.name_port, self.node.port)])
        self.stopping_at = self.back_at = None

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.name_port}"

    def tick(self, acked, given_up):
        if self.stopping_at is None:
            if acked >= self.count / 3:
                self.node.ask_to_stop()
                self.stopping_at = acked
        elif self.back_at is None:
            if not self.node.alive:
                self._move()
                self.back_at = acked
        elif acked > self.back_at:
            self.over = True

    def _move(self):
        self.name.__exit__()
        self.node.port = PORTS.take()
        self.node.write_properties(self.cluster.nodes, 1)
        self.node.start()
        self.name = Network([(self.name_port, self.node.port)])
        self.name.__enter__()

    def __enter__(self):
        self.name.__enter__()
        return self

    def __exit__(self, *_):
        self.name.__exit__()
        # Scenarios to come ask the clerk, who must find the node.
        self.cluster.wait_until("answer at the new port", lambda: probe.answers(self.node.port), still={1})
        self.cluster.clerk.ask("connect", bootstrap=self.cluster.bootstrap)

    def done(self, acked):
        if not self.over:
            raise Difference(f"the producer was done before the cluster had moved: stopped at {self.stopping_at}, back at "
                             f"{self.back_at}")
        self.cluster.wait_ready()
        self.cluster.clerk.ask("connect", bootstrap=self.cluster.bootstrap)
        return f"; stopped at {self.stopping_at:,}, elsewhere since {self.back_at:,}"
