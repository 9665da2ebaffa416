#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A bad network between clients and nodes: passes on what comes in at some ports to others, as late, as broken or as little as
it is told. A program of its own, so that nobody else's work shows in the delays; network.py is its handle.

    proxy.py LISTEN:TARGET...    routes 0, 1, ... on 127.0.0.1

Each line on stdin is an order, each is answered by a line with figures:

    {"routes": [0, 2], "way": "up", "rule": {"delay": 0.1, "jitter": 0.05, "drip": true, "hold": true, "cut": 3, "stall": 100}}
    {"routes": [1], "reset": true}

Ways: up is towards the node, down is back, both. A rule takes the place of the one before; {} is a network that does no harm.
delay, jitter: seconds. drip: one byte at a time. hold: nothing passes, and nobody is told; when the rule goes what was held goes
on its way, also when its sender gave up long ago: a network may do that. cut: so many times a connection ends in the middle of
a frame, for both sides, with all that was under way. stall: so many bytes of each connection pass, then nothing more of it until
the rule goes. reset: all connections end so at once.

The bytes of one way of one connection:

    source --read--> queue, each piece with the time when it is due --> sink
                     holds 256 KiB at most; then nobody reads, and the sender feels it
"""

import collections
import json
import os
import random
import selectors
import socket
import struct
import sys
import time

_PIECE = 1 << 16
_QUEUE_MAX = 1 << 18
# Of single bytes, in one turn of the loop.
_DRIPS = 256
_RESET = struct.pack("ii", 1, 0)


class Rule:
    def __init__(self, words):
        self.delay = words.get("delay", 0.0)
        self.jitter = words.get("jitter", 0.0)
        self.drip = words.get("drip", False)
        self.hold = words.get("hold", False)
        self.cut = words.get("cut", 0)
        self.stall = words.get("stall")


class Frames:
    """Where in a stream of frames a byte is: each begins with its length in four bytes."""

    def __init__(self):
        self.head, self.left = b"", 0

    def pass_on(self, data):
        at = 0
        while at < len(data):
            if self.left == 0:
                part = data[at:at + 4 - len(self.head)]
                self.head += part
                at += len(part)
                if len(self.head) == 4:
                    self.left, self.head = struct.unpack(">I", self.head)[0], b""
            else:
                part = min(self.left, len(data) - at)
                self.left -= part
                at += part

    def middle(self, data):
        """How many bytes of data may pass so that the stream ends within a frame."""
        if self.left > 1:
            return min(len(data), self.left // 2)
        if self.left == 0 and self.head:
            return 0
        at = self.left
        if len(data) < at + 5:
            # Within the length itself is within a frame too.
            return min(len(data), at + 2)
        return min(len(data), at + 4 + struct.unpack_from(">I", data, at)[0] // 2)


class Flow:
    """One way of one connection."""

    def __init__(self, link, way, source, sink):
        self.link, self.way, self.source, self.sink = link, way, source, sink
        self.queue, self.queued, self.last_due = collections.deque(), 0, 0.0
        self.frames = Frames()
        # The source has said all, everything is passed on.
        self.ended = self.over = False
        # What the sink takes no more of just now.
        self.blocked = False
        self.passed = 0

    @property
    def rule(self):
        return self.link.route.rules[self.way]

    @property
    def wants_read(self):
        return not self.ended and self.queued < _QUEUE_MAX

    def read(self, now):
        try:
            data = self.source.recv(_PIECE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            # To the other side that may be news for later.
            data = b""
        rule = self.rule
        self.last_due = max(self.last_due, now + rule.delay + (random.random() * rule.jitter if rule.jitter else 0.0))
        self.queue.append((self.last_due, data))
        self.queued += len(data)
        self.ended = not data

    def due(self, now):
        """Seconds until there is something to do; None: not before something happens."""
        if self.over or self.blocked or not self.queue or self.rule.hold or not self.allowed(1):
            return None
        return max(0.0, self.queue[0][0] - now)

    def allowed(self, size):
        """How many of so many bytes may pass. The end of a connection is one that has to wait behind them."""
        stall = self.rule.stall
        return size if stall is None else max(0, min(size, stall - self.passed))

    def pump(self, now):
        """Passes on what is due. False: the connection is to be cut."""
        rule = self.rule
        drips = 0
        while self.queue and not self.over and not rule.hold and self.queue[0][0] <= now and self.allowed(1):
            due, data = self.queue.popleft()
            if not data:
                self.finish()
                return True
            size = self.allowed(len(data))
            if rule.cut > 0:
                size = self.frames.middle(data)
            elif rule.drip:
                size, drips = 1, drips + 1
            sent = self.send(data[:size])
            self.queued -= sent
            if sent < len(data) and not self.over:
                self.queue.appendleft((due, data[sent:]))
            if rule.cut > 0 and sent == size and size < len(data):
                rule.cut -= 1
                return False
            if self.blocked or drips >= _DRIPS:
                break
        return True

    def send(self, data):
        try:
            sent = self.sink.send(data) if data else 0
        except (BlockingIOError, InterruptedError):
            self.blocked = True
            return 0
        except OSError:
            # Nobody there any more: what is left goes nowhere.
            self.queue.clear()
            self.queued = 0
            self.ended = self.over = True
            return 0
        self.passed += sent
        self.frames.pass_on(data[:sent])
        self.blocked = sent < len(data)
        self.link.route.bytes[self.way] += sent
        return sent

    def finish(self):
        self.over = True
        try:
            self.sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Link:
    """A connection: two sockets, two flows."""

    def __init__(self, route, client):
        self.route, self.client = route, client
        self.node = socket.socket()
        self.connecting = True
        for end in (self.client, self.node):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.up = Flow(self, "up", self.client, self.node)
        self.down = Flow(self, "down", self.node, self.client)
        self.interest = {self.client: 0, self.node: 0}
        self.closed = False
        self.node.connect_ex(("127.0.0.1", route.target))

    def flows(self, end):
        """Who reads from it, who writes to it."""
        return (self.up, self.down) if end is self.client else (self.down, self.up)

    def ready(self, end, mask, now):
        reader, writer = self.flows(end)
        if mask & selectors.EVENT_WRITE:
            if end is self.node and self.connecting:
                if self.node.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    self.reset()
                    return
                self.connecting = False
            writer.blocked = False
        if mask & selectors.EVENT_READ:
            reader.read(now)

    def pump(self, now):
        if self.closed:
            return
        if (not self.connecting and not self.up.pump(now)) or not self.down.pump(now):
            self.route.cuts += 1
            self.reset()
        elif self.up.over and self.down.over:
            self.close()

    def watch(self, selector):
        """What the selector is to tell of."""
        for end in (self.client, self.node):
            reader, writer = self.flows(end)
            wanted = 0
            if not self.closed:
                wanted = (selectors.EVENT_READ if reader.wants_read else 0) | (selectors.EVENT_WRITE if writer.blocked else 0)
                if end is self.node and self.connecting:
                    wanted = selectors.EVENT_WRITE
            if wanted == self.interest[end]:
                continue
            if not wanted:
                selector.unregister(end)
            elif not self.interest[end]:
                selector.register(end, wanted, (self, end))
            else:
                selector.modify(end, wanted, (self, end))
            self.interest[end] = wanted

    def reset(self):
        for end in (self.client, self.node):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.closed = True

    def close(self):
        self.closed = True


class Route:
    def __init__(self, listen, target):
        self.target = target
        self.door = socket.socket()
        self.door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.door.bind(("127.0.0.1", listen))
        self.door.listen(64)
        self.door.setblocking(False)
        self.rules = {"up": Rule({}), "down": Rule({})}
        self.bytes = {"up": 0, "down": 0}
        self.links = []
        self.accepted = self.cuts = 0

    def accept(self):
        try:
            client, _ = self.door.accept()
        except OSError:
            return
        self.accepted += 1
        self.links.append(Link(self, client))

    def figures(self):
        return {"accepted": self.accepted, "cuts": self.cuts, "open": len(self.links), **self.bytes,
                "held": sum(flow.queued for link in self.links for flow in (link.up, link.down))}


class Proxy:
    def __init__(self, routes):
        self.routes = routes
        self.selector = selectors.DefaultSelector()
        self.orders = b""
        for route in routes:
            self.selector.register(route.door, selectors.EVENT_READ, route)
        os.set_blocking(0, False)
        self.selector.register(0, selectors.EVENT_READ, None)

    def obey(self):
        """False: whoever gave orders is gone."""
        data = os.read(0, _PIECE)
        self.orders += data
        *lines, self.orders = self.orders.split(b"\n")
        for line in lines:
            order = json.loads(line)
            for number in order.get("routes", ()):
                route = self.routes[number]
                for way in ("up", "down") if order.get("way", "both") == "both" else (order["way"],):
                    if "rule" in order:
                        route.rules[way] = Rule(order["rule"])
                if order.get("reset"):
                    for link in route.links:
                        link.reset()
            sys.stdout.write(json.dumps([route.figures() for route in self.routes]) + "\n")
            sys.stdout.flush()
        return bool(data)

    def turn(self):
        """Waits for something to do and does it; false at the end."""
        now = time.monotonic()
        waits = [wait for route in self.routes for link in route.links for flow in (link.up, link.down)
                 if not (flow is link.up and link.connecting) and (wait := flow.due(now)) is not None]
        going_on = True
        for key, mask in self.selector.select(min(waits, default=None)):
            now = time.monotonic()
            if key.data is None:
                going_on = self.obey()
            elif isinstance(key.data, Route):
                key.data.accept()
            else:
                link, end = key.data
                if not link.closed:
                    link.ready(end, mask, now)
        now = time.monotonic()
        for route in self.routes:
            for link in route.links:
                link.pump(now)
                link.watch(self.selector)
                if link.closed:
                    link.client.close()
                    link.node.close()
            route.links = [link for link in route.links if not link.closed]
        return going_on


def main():
    proxy = Proxy([Route(*map(int, pair.split(":"))) for pair in sys.argv[1:]])
    while proxy.turn():
        pass


if __name__ == "__main__":
    main()
