# SPDX-License-Identifier: BSD-2-Clause
"""Everything at once, for as long as it takes: nodes die, freeze and are restarted, the network is slow, cut, silent, leaders
move. What happens when follows from a seed; how long it takes follows from the machine.

Three lanes go on side by side, each a coroutine that says how many seconds it wants to wait:

    nodes      one trouble of a shuffled deck, then the cluster may become whole again (or not in time), then the next
    network    one trouble of another deck for one node or all, and a breath
    leaders    every partition's lead moves to its next replica
"""

import collections
import random
import time

from clerk import Refused
from judges import Difference
from network import DRIP, FINE, HOLD, cut, delay
from probe import NoAnswer
from transfer import Watch

_HEAL_SECONDS = 30
# In so many seconds everything that can happen has happened.
_ALL_SECONDS = 300
_POLL = 0.25
_NODES = (1, 2, 3)
_WAYS = ("up", "down")


class _Lane:
    def __init__(self, steps):
        self.steps, self.due = steps, 0.0


class Chaos(Watch):
    """log: a file in which every step is named, with its time. Nothing is broken any more when done() answers."""

    def __init__(self, cluster, network, topic, partitions, seconds, seed, log):
        self.cluster, self.network, self.topic, self.partitions = cluster, network, topic, partitions
        self.seconds = seconds
        self.log = open(log, "w", encoding="utf-8")  # pylint: disable=consider-using-with
        self.begun = None
        self.happened = collections.Counter()
        self.acked = self.given_up = 0
        self.lanes = [_Lane(self._nodes(random.Random(f"{seed} nodes"))), _Lane(self._network(random.Random(f"{seed} network"))),
                      _Lane(self._leaders(random.Random(f"{seed} leaders")))]

    def tick(self, acked, given_up):
        self.acked, self.given_up = acked, given_up
        if self.over:
            return
        now = time.monotonic()
        if self.begun is None:
            if not acked:
                return
            self.begun = now
        if now - self.begun >= self.seconds:
            self._end()
            return
        for lane in self.lanes:
            if time.monotonic() >= lane.due:
                wait = next(lane.steps)
                lane.due = time.monotonic() + wait

    def _end(self):
        self.over = True
        for lane in self.lanes:
            # Whatever is broken is made good behind the yield where it waits.
            lane.steps.close()
        self._say("all over")

    def done(self, acked):
        if not self.over:
            self._end()
        self.cluster.wait_ready(180)
        self.cluster.wait_full(self.topic, self.partitions, len(self.cluster.nodes), 180)
        self.log.close()
        never = {"kill -9", "freeze", "restart", "leader moved", "hole up", "hole down", "hole both", "cut of requests",
                 "cut of answers", "requests byte by byte", "delay"} - set(+self.happened)
        if not self.begun or (never and self.seconds >= _ALL_SECONDS):
            raise Difference(f"these never happened: {', '.join(sorted(never))}")
        return "; " + ", ".join(f"{count:,} x {what}" for what, count in sorted(self.happened.items()))

    def _say(self, words):
        at = time.monotonic() - self.begun if self.begun else 0
        clock = time.strftime("%H:%M:%S")
        self.log.write(f"{at:7.1f} s {clock}  {words} (acked {self.acked:,}, given up {self.given_up:,})\n")
        self.log.flush()

    # ---- nodes -----------------------------------------------------------------------------------------------------------

    def _nodes(self, dice):
        deck = [*((trouble, node) for trouble in (self._kill, self._freeze, self._restart) for node in _NODES),
                (self._starve, 1), (self._bounce, 1)]
        while True:
            dice.shuffle(deck)
            for trouble, number in deck:
                yield dice.uniform(1, 4)
                yield from trouble(self.cluster.node(number), dice)
                yield from self._heal()

    def _kill(self, node, dice):
        self._say(f"node {node.number} is killed")
        node.kill()
        try:
            yield dice.choice((1, 3, 8, 14))
        finally:
            node.start()
            self._say(f"node {node.number} is started")
        self.happened["kill -9"] += 1

    def _freeze(self, node, dice):
        seconds = dice.choice((2, 6, 12, 20))
        self._say(f"node {node.number} is frozen for {seconds} s")
        node.freeze()
        try:
            yield seconds
        finally:
            node.thaw()
            self._say(f"node {node.number} is awake")
        self.happened["freeze"] += 1

    def _restart(self, node, _):
        self._say(f"node {node.number} is to stop")
        node.ask_to_stop()
        try:
            while node.alive:
                yield _POLL
        finally:
            node.kill()
            node.start()
            self._say(f"node {node.number} is started")
        self.happened["restart"] += 1

    def _starve(self, _, dice):
        """Longer than a record may wait."""
        survivor = dice.choice(_NODES)
        dead = [node for node in self.cluster.nodes if node.number != survivor]
        seconds = dice.uniform(22, 28)
        self._say(f"all but node {survivor} are killed for {seconds:.0f} s")
        for node in dead:
            node.kill()
        try:
            yield seconds
        finally:
            for node in dead:
                node.start()
            self._say("all are started")
        self.happened["two of three killed"] += 1

    def _bounce(self, _, dice):
        """The whole cluster."""
        self._say("all nodes are killed")
        for node in self.cluster.nodes:
            node.kill()
        try:
            yield dice.uniform(0, 3)
        finally:
            for node in self.cluster.nodes:
                node.start()
            self._say("all are started")
        self.happened["three of three killed"] += 1

    def _heal(self):
        until = time.monotonic() + _HEAL_SECONDS
        while time.monotonic() < until:
            yield _POLL
            try:
                if all(self.cluster.is_full(node, self.topic, self.partitions, len(_NODES)) for node in self.cluster.nodes):
                    self.happened["made whole"] += 1
                    return
            except NoAnswer:
                pass
        self._say("not whole yet")

    # ---- network ---------------------------------------------------------------------------------------------------------

    def _network(self, dice):
        deck = [("delay", delay(0.05, 0.1), "both", (3, 6), (0,)), ("long delay", delay(0.3, 0.9), "both", (4, 8), _NODES),
                *((f"cut of {'requests' if way == 'up' else 'answers'}", cut(12), way, (3, 5), (0, *_NODES)) for way in _WAYS),
                *((f"{'requests' if way == 'up' else 'answers'} byte by byte", DRIP, way, (2, 4), _NODES) for way in _WAYS),
                *((f"hole {way}", HOLD, way, (2, 12), _NODES) for way in (*_WAYS, "both")),
                ("hole everywhere", HOLD, "both", (3, 10), (0,)), ("reset", FINE, "both", (0, 1), (0,))]
        while True:
            dice.shuffle(deck)
            for what, rule, way, seconds, whom in deck:
                yield dice.uniform(1, 4)
                number = dice.choice(whom)
                nodes = (number,) if number else ()
                self._say(f"network: {what}, {f'node {number}' if number else 'all nodes'}")
                self.network.rule(rule, *nodes, way=way)
                try:
                    yield dice.uniform(*seconds)
                finally:
                    # Half of the time what was held is lost, otherwise it comes late.
                    if what == "reset" or dice.random() < 0.5:
                        self.network.reset(*nodes)
                    self.network.rule(FINE, *nodes)
                    self._say("network: well")
                self.happened[what] += 1

    # ---- leaders ---------------------------------------------------------------------------------------------------------

    def _leaders(self, dice):
        while True:
            yield dice.uniform(8, 16)
            if all(node.alive and not node.frozen for node in self.cluster.nodes):
                try:
                    moved = self.cluster.clerk.ask("rotate", topic=self.topic, wait_seconds=60)
                    self._say(f"{moved} leaders moved")
                    self.happened["leader moved"] += moved
                except Refused as why:
                    self._say(f"no leader moved: {why}")
