# SPDX-License-Identifier: BSD-2-Clause
"""Does the comparison see what it is there to see, and does the network between do what it is told?"""

import os
import socket
import struct
import time

from cluster import PORTS
from judges import Mismatch
from network import DRIP, FINE, HOLD, Network, cut, delay, stall
from transfer import BYTES, SEED

# A broker that knows nothing of a producer yet takes any first sequence. In a topic made a moment ago the first batch may find
# no leader while the second one finds it, and from then on the first is out of order for ever: once in some dozens of runs
# Java's producer hung on that. (kloop keeps one batch in flight until the first one is acked.)
ONE_IN_FLIGHT = {"max.in.flight.requests.per.connection": "1"}


def check_the_check(run):
    """Kafka's own producer in kloop's place: first honest, then wrong at one record of each kind. The check must see just
    that."""
    count = 3000
    source, _ = run.bench.input(count, 50)

    def sent(topic, cheats):
        run.cluster.create(topic, 3)
        events = os.path.join(run.bench.folder, f"{topic}.events")
        clerk = run.bench.clerk
        clerk.ask("twin", topic=topic, file=source, events=events, cheats=cheats,
                  config={"linger.ms": "5", "compression.type": "lz4", **ONE_IN_FLIGHT})
        # A topic of before that went with its records long ago excuses none of these.
        found = clerk.ask("check", topic=topic, partitions=3, count=count, bytes=BYTES, keys=50, seed=SEED, events=events,
                          late_ms=1000, gone_at=1, seconds=60)
        clerk.ask("delete", topic=topic)
        return found

    def keyed(start):
        """A record with a key, from this one on."""
        with open(source, "rb") as file:
            lines = file.read().split(b"\n")
        return next(n for n in range(start, count) if b"\t" in lines[n])

    honest = sent("live.honest", {})
    if honest["differences"] or honest["stored"] != count or honest["acked"] != count:
        raise Mismatch(f"Kafka's own producer is found guilty: {honest}")
    cheats = {"drop": 100, "twice": 300, "late": keyed(500), "change": 700, "misplace": keyed(900), "header": 1100, "lie": 1300,
              "silent": 1500, "again": 1700, "deny": 1900, "swap": 2100, "tardy": 2300}
    wanted = {"corrupt": 1, "duplicated": 1, "failed_but_stored": 1, "false_offset": 1, "headers_wrong": 1, "lost": 2,
              "misplaced": 1, "reordered": 1, "reported_late": 1, "reported_out_of_order": 1, "reported_twice": 1,
              "unreported": 1}
    found = sent("live.cheating", cheats)
    if found["differences"] != wanted:
        raise Mismatch(f"planted {wanted}\n  found {found['differences']}\n  " + "\n  ".join(found["cases"]))
    return f"{len(cheats)} planted faults of {count:,} records found, none else"


# ---- the network -------------------------------------------------------------------------------------------------------------

_SECONDS = 20


def check_the_network(_):
    """A client, a server, and proxy.py between them; each rule must show, and nothing else."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = PORTS.take()
        with Network([(port, server.getsockname()[1])]) as between:
            for trial in (_passed, _dripped, _late, _held, _stalled, _cut, _reset):
                with socket.create_connection(("127.0.0.1", port), _SECONDS) as client:
                    node, _ = server.accept()
                    with node:
                        node.settimeout(_SECONDS)
                        trial(between, client, node)
                between.rule(FINE)
    return "bytes pass, drip, come late, are held, and connections end in the middle of frames"


def _frames(count, size):
    return b"".join(struct.pack(">I", size) + bytes([n % 251]) * size for n in range(count))


def _received(end, size):
    """So many bytes, or what came before the end."""
    data = b""
    try:
        while len(data) < size and (more := end.recv(1 << 16)):
            data += more
    except ConnectionResetError:
        pass
    return data


def _wanted(what, found):
    if not found:
        raise Mismatch(f"proxy.py: {what}")


def _passed(_, client, node):
    data = _frames(100, 3000)
    for source, sink in ((client, node), (node, client)):
        source.sendall(data)
        _wanted("bytes were changed", _received(sink, len(data)) == data)
    client.shutdown(socket.SHUT_WR)
    _wanted("one side's end did not pass", node.recv(1) == b"")


def _dripped(between, client, node):
    between.rule(DRIP)
    data = _frames(20, 150)
    client.sendall(data)
    _wanted("bytes were changed when dripping", _received(node, len(data)) == data)


def _late(between, client, node):
    between.rule(delay(0.3), way="down")
    began = time.monotonic()
    node.sendall(b"answer")
    _wanted("the answer was changed", _received(client, 6) == b"answer")
    _wanted("the answer was not late", time.monotonic() - began >= 0.3)


def _held(between, client, node):
    """What was sent arrives after its sender has gone."""
    between.rule(HOLD, way="up")
    client.sendall(b"request")
    client.close()
    node.settimeout(0.2)
    try:
        _wanted("something came through, if only the end", node.recv(7) is None)
    except TimeoutError:
        pass
    node.settimeout(_SECONDS)
    between.rule(FINE)
    _wanted("what was held did not come", _received(node, 100) == b"request")


def _stalled(between, client, node):
    between.rule(stall(150), way="up")
    data = _frames(3, 100)
    for part in (data[:100], data[100:]):
        client.sendall(part)
    _wanted("what came before the stall was changed", _received(node, 150) == data[:150])
    node.settimeout(0.2)
    try:
        _wanted("something came after the stall", node.recv(1) is None)
    except TimeoutError:
        pass
    node.settimeout(_SECONDS)
    node.sendall(b"answer")
    _wanted("the other way stalled too", _received(client, 6) == b"answer")
    between.rule(FINE)
    _wanted("what had stalled did not come", _received(node, len(data) - 150) == data[150:])


def _cut(between, client, node):
    before = between.figures()[0]["cuts"]
    between.rule(cut(1), way="up")
    client.sendall(_frames(3, 100))
    came = _received(node, 312)
    _wanted(f"{len(came)} bytes came: that is not within a frame", len(came) % 104 != 0)
    _wanted("the client's side goes on", _received(client, 1) == b"")
    _wanted("a cut is not counted", between.figures()[0]["cuts"] == before + 1)


def _reset(between, client, node):
    between.reset()
    _wanted("a side goes on after a reset", _received(client, 1) == b"" and _received(node, 1) == b"")
