# SPDX-License-Identifier: BSD-2-Clause
"""What is done to a cluster while records are under way. Each step waits for something to be seen, never for time to pass."""

from judges import Difference
from probe import NoAnswer
from transfer import Watch


class _OneNode(Watch):
    """Takes a node away when a third of the records is acked; gives it back when the others lead all its partitions and two
    thirds are acked, or nothing else can be."""

    verb = "?"

    def __init__(self, cluster, topic, partitions, count, victim):
        self.cluster, self.topic, self.partitions, self.count = cluster, topic, partitions, count
        self.node = cluster.node(victim)
        self.others = [node for node in cluster.nodes if node is not self.node]
        self.led = self.rules = self.gone_at = self.moved_at = self.back_at = None

    def tick(self, acked, given_up):
        if self.gone_at is None:
            if acked >= self.count / 3:
                self.led = self._leaders().count(self.node.number)
                self.rules = self.cluster.clerk.ask("controller") == self.node.number
                self.take()
                self.gone_at = acked
        elif self.moved_at is None:
            if self._moved():
                self.moved_at = acked
        elif self.back_at is None and acked >= 2 * self.count / 3:
            self.give_back()
            self.back_at = acked

    def _leaders(self):
        """In the eyes of the others; empty if none of them answers just now."""
        for other in self.others:
            try:
                return [one.leader for one in self.cluster.partitions(self.topic, other)]
            except NoAnswer:
                continue
        return []

    def _moved(self):
        leaders = self._leaders()
        return bool(leaders) and all(leader > 0 and leader != self.node.number for leader in leaders)

    def done(self, acked):
        if self.gone_at is None or self.gone_at >= 0.9 * self.count:
            raise Difference(f"the producer was done before node {self.node.number} could be {self.verb}: no test of anything")
        if not self.led:
            raise Difference(f"node {self.node.number} led no partition: no test of anything")
        if self.moved_at is None:
            self.cluster.wait_until("move of the leaders", self._moved)
            self.moved_at = acked
        if self.back_at is None:
            self.give_back()
            self.back_at = acked
        self.cluster.wait_ready()
        self.cluster.wait_full(self.topic, self.partitions, len(self.cluster.nodes))
        role = f"leader of {self.led}" + (" and controller" if self.rules else "")
        return (f"; node {self.node.number}, {role}, {self.verb} at {self.gone_at:,}, leaders moved at {self.moved_at:,}, "
                f"back at {self.back_at:,}")


class Kill(_OneNode):
    verb = "killed"

    def take(self):
        self.node.kill()

    def give_back(self):
        self.node.start()


class Freeze(_OneNode):
    """Stopped in the middle of whatever it did; wakes up believing that it still leads."""

    verb = "frozen"

    def take(self):
        self.node.freeze()

    def give_back(self):
        self.node.thaw()


class FreezeBriefly(Freeze):
    """As Freeze, but back as soon as the others have taken over, with the requests of before still in its socket."""

    def tick(self, acked, given_up):
        super().tick(acked, given_up)
        if self.moved_at is not None and self.back_at is None:
            self.give_back()
            self.back_at = acked


class Roll(Watch):
    """Every node is stopped in the orderly way and started again, one after the other, as in an upgrade."""

    def __init__(self, cluster, topic, partitions, count):
        self.cluster, self.topic, self.partitions, self.count = cluster, topic, partitions, count
        self.waiting = list(cluster.nodes)
        self.down = None
        self.at = []

    def tick(self, acked, given_up):
        share = (len(self.at) + 1) / (len(self.cluster.nodes) + 2)
        if self.down is None and self.waiting and acked >= share * self.count and self._full():
            self._stop(acked)
        elif self.down is not None and not self.down.alive:
            self.down.start()
            self.down = None

    def _stop(self, acked):
        self.down = self.waiting.pop(0)
        self.down.ask_to_stop()
        self.at.append(acked)

    def _full(self):
        nodes = self.cluster.nodes
        try:
            return all(self.cluster.is_full(node, self.topic, self.partitions, len(nodes)) for node in nodes)
        except NoAnswer:
            return False

    def done(self, acked):
        if self.down is not None:
            self.down.wait_stopped()
            self.down.start()
        if not self.at:
            raise Difference("the producer was done before any node could be stopped: no test of anything")
        self.cluster.wait_ready()
        self.cluster.wait_full(self.topic, self.partitions, len(self.cluster.nodes))
        return f"; {len(self.at)} nodes restarted, at " + ", ".join(f"{at:,}" for at in self.at)


class Starve(Watch):
    """Two of three nodes die when a third of the records is acked, so that nothing can be acked any more. They come back when
    the last acks have come in; or, if the producer is to give up, when it has done so for the first time."""

    def __init__(self, cluster, topic, partitions, count, survivor, until_given_up=False):
        self.cluster, self.topic, self.partitions, self.count = cluster, topic, partitions, count
        self.dead = [node for node in cluster.nodes if node.number != survivor]
        self.until_given_up = until_given_up
        self.gone_at = self.back_at = None
        self.last = self.same = 0

    def tick(self, acked, given_up):
        if self.gone_at is None:
            if acked >= self.count / 3:
                for node in self.dead:
                    node.kill()
                self.gone_at = self.last = acked
        elif self.back_at is None:
            self.same = self.same + 1 if acked == self.last else 0
            self.last = acked
            if given_up if self.until_given_up else self.same == 20:
                for node in self.dead:
                    node.start()
                self.back_at = acked

    def done(self, acked):
        if self.back_at is None or self.back_at >= 0.9 * self.count:
            raise Difference("the producer was done before the nodes could be killed: no test of anything")
        self.cluster.wait_ready()
        self.cluster.wait_full(self.topic, self.partitions, len(self.cluster.nodes))
        return f"; two nodes killed at {self.gone_at:,}, back at {self.back_at:,}"


def starve_until_given_up(cluster, topic, partitions, count, survivor):
    return Starve(cluster, topic, partitions, count, survivor, until_given_up=True)
