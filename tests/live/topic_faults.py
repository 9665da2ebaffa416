# SPDX-License-Identifier: BSD-2-Clause
"""What can happen to a topic while records are sent to it."""

import time

from judges import Difference
from probe import NoAnswer
from transfer import Watch


class _Once(Watch):
    """Something that is done when a third of the records is acked."""

    def __init__(self, cluster, topic, partitions, count):
        self.cluster, self.topic, self.partitions, self.count = cluster, topic, partitions, count
        self.at = None

    def tick(self, acked, given_up):
        if self.at is None and acked >= self.count / 3:
            self.at = acked
            self.act()

    def act(self):
        raise NotImplementedError

    def done(self, acked):
        if self.at is None or self.at >= 0.9 * self.count:
            raise Difference("the producer was done before anything could happen to the topic: no test of anything")
        return f"; at {self.at:,}"


class Grow(_Once):
    """More partitions: from one record on keys have other places."""

    def __init__(self, cluster, topic, partitions, count, to):
        super().__init__(cluster, topic, partitions, count)
        self.to = to

    def act(self):
        self.cluster.clerk.ask("grow", topic=self.topic, partitions=self.to)
        self.cluster.wait_full(self.topic, self.to, len(self.cluster.nodes))

    def terms(self):
        return {"grown_from": self.partitions, "partitions": self.to}


class Delete(_Once):
    """The topic is gone for good."""

    def __init__(self, cluster, topic, partitions, count):
        super().__init__(cluster, topic, partitions, count)
        self.gone_at = 0

    def act(self):
        self.cluster.clerk.ask("delete", topic=self.topic)
        for node in self.cluster.nodes:
            self.cluster.wait_until(f"end of {self.topic} at node {node.number}",
                                    lambda n=node: not self.cluster.partitions(self.topic, n))
        self.gone_at = time.time_ns() // 1_000_000

    def terms(self):
        return {"gone_at": self.gone_at, "there": False}


class Recreate(Delete):
    """Gone, and made again under its name: another topic, with another id and an empty log."""

    def act(self):
        super().act()
        self.cluster.create(self.topic, self.partitions)
        self.gone_at = time.time_ns() // 1_000_000

    def terms(self):
        return {"gone_at": self.gone_at}


class RecreateAtOnce(Recreate):
    """As Recreate, so soon that the producer may never have seen that it was gone."""

    def act(self):
        self.cluster.clerk.ask("delete", topic=self.topic)
        self.cluster.create(self.topic, self.partitions)
        self.gone_at = time.time_ns() // 1_000_000


class TooFewReplicas(_Once):
    """min.insync.replicas is not met: as many are wanted as there are nodes, and one dies. It comes back when nothing was acked
    for a second, or, if the producer is to give up, when it has done so for the first time."""

    def __init__(self, cluster, topic, partitions, count, victim, until_given_up=False):
        super().__init__(cluster, topic, partitions, count)
        self.node = cluster.node(victim)
        self.until_given_up = until_given_up
        self.last = self.since = self.back_at = None

    def act(self):
        self.node.kill()

    def tick(self, acked, given_up):
        super().tick(acked, given_up)
        if self.at is None or self.back_at is not None:
            return
        if acked != self.last:
            self.last, self.since = acked, time.monotonic()
        # Until the others know of the death it is a leader that does not answer, which proves nothing here.
        if given_up if self.until_given_up else time.monotonic() - self.since >= 1 and self._refused():
            self.node.start()
            self.back_at = acked

    def _refused(self):
        others = [node for node in self.cluster.nodes if node is not self.node]
        try:
            seen = [one for other in others for one in self.cluster.partitions(self.topic, other)]
        except NoAnswer:
            return False
        return seen and all(one.leader > 0 and one.leader != self.node.number and self.node.number not in one.isr for one in seen)

    def done(self, acked):
        words = super().done(acked)
        if self.back_at is None:
            raise Difference("the producer was done before replicas were too few: no test of anything")
        self.cluster.wait_ready()
        self.cluster.wait_full(self.topic, self.partitions, len(self.cluster.nodes))
        return f"{words} node {self.node.number} died, back at {self.back_at:,}"
