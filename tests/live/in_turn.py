# SPDX-License-Identifier: BSD-2-Clause
"""One trouble after the other while records are under way: each lasts its time and is taken back, and the next one begins when
the cluster is whole again and records are acked. The feeder goes on until the last one is over."""

import collections
import time

from judges import Difference
from network import DRIP, FINE, HOLD, cut, delay
from probe import NoAnswer
from transfer import Watch

# seconds: how long. begin, end: what to call.
Trouble = collections.namedtuple("Trouble", "words begin end seconds")


class InTurn(Watch):
    """
        begin with so much acked -> on --its time--> off --cluster whole, something more acked--> next ... -> over
    """

    tail = True

    def __init__(self, cluster, topic, partitions, count, troubles):
        self.cluster, self.topic, self.partitions = cluster, topic, partitions
        self.start_at = count / 50
        self.waiting = collections.deque(troubles)
        self.on = self.until = None
        # Acked when the last one was taken back.
        self.after = None
        self.past = []

    def tick(self, acked, given_up):
        if self.on:
            if time.monotonic() >= self.until:
                self.on.end()
                self.past.append(f"{self.on.words} until {acked:,}")
                self.on, self.after = None, acked
        elif self.over or acked < self.start_at:
            pass
        elif self.after is None or (acked > self.after and self._whole()):
            if self.waiting:
                self.on = self.waiting.popleft()
                self.on.begin()
                self.until = time.monotonic() + self.on.seconds
            else:
                self.over = True

    def _whole(self):
        nodes = self.cluster.nodes
        try:
            return all(self.cluster.is_full(node, self.topic, self.partitions, len(nodes)) for node in nodes)
        except NoAnswer:
            return False

    def done(self, acked):
        if self.on:
            self.on.end()
        if not self.over:
            raise Difference(f"the producer was done before the troubles were; left: {len(self.waiting)}, done: {self.past}")
        return "; " + ", ".join(self.past)


def kill_each(cluster, seconds=4):
    """The others notice a death within 4.5 s: leaders that come back as they went, and leaders that have moved."""
    return [Trouble(f"node {node.number} dead {wait} s", node.kill, node.start, wait)
            for wait in (seconds, 3 * seconds) for node in cluster.nodes]


def freeze_each(cluster, seconds=20):
    return [Trouble(f"node {node.number} frozen {seconds} s", node.freeze, node.thaw, seconds) for node in cluster.nodes]


def _ruled(network, words, rule, seconds, *nodes, way="both", after=None):
    def end():
        network.rule(FINE, *nodes)
        if after:
            after()
    who = " and ".join(f"node {node}" for node in nodes) or "all nodes"
    return Trouble(f"{words} {who}", lambda: network.rule(rule, *nodes, way=way), end, seconds)


def delays(network):
    """A long line to one node, then lines to all that are longer than request.timeout.ms at times."""
    return [*(_ruled(network, "300 ms to", delay(0.15, 0.1), 6, node) for node in (1, 2, 3)),
            _ruled(network, "up to 3 s to", delay(0.1, 1.4), 15), _ruled(network, "100 ms to", delay(0.05), 6)]


def cuts(network):
    """Each connection of a node ends in the middle of a frame, again and again: of a request, then of an answer."""
    return [_ruled(network, f"{what} cut at", cut(8), 5, node, way=way)
            for way, what in (("up", "requests"), ("down", "answers")) for node in (1, 2, 3)]


def drips(network):
    """One byte at a time, which is one system call for each at the other end too."""
    return [_ruled(network, f"{what} byte by byte at", DRIP, 4, node, way=way)
            for way, what in (("up", "requests"), ("down", "answers")) for node in (1, 2, 3)]


def holes(network, way, seconds=9):
    """Nothing passes, and nobody is told. What was held goes on its way afterwards, though kloop has long given up on it: the
    broker meets requests that were sent again elsewhere. The last time everything held is lost, and the connection with it."""
    words = {"up": "requests held at", "down": "answers held at", "both": "silence at"}[way]
    return [*(_ruled(network, words, HOLD, seconds, node, way=way) for node in (1, 2, 3)),
            _ruled(network, words, HOLD, seconds, way=way),
            _ruled(network, f"for good: {words}", HOLD, seconds, way=way, after=network.reset)]
