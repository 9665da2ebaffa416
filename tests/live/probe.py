# SPDX-License-Identifier: BSD-2-Clause
"""Questions to a node, by hand over a socket: do you answer, who leads what, where do your logs end. Independent of all that is
tested here."""

import collections
import socket
import struct
import time

Metadata = collections.namedtuple("Metadata", "brokers topics")
Partition = collections.namedtuple("Partition", "error leader replicas isr")
Topic = collections.namedtuple("Topic", "error partitions")

_API_VERSIONS, _METADATA, _LIST_OFFSETS = 18, 3, 2


class NoAnswer(Exception):
    pass


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        size = struct.calcsize(">" + form)
        if self.at + size > len(self.data):
            raise NoAnswer(f"the answer ends at byte {len(self.data)}")
        (value,) = struct.unpack_from(">" + form, self.data, self.at)
        self.at += size
        return value

    def text(self):
        size = self.take("h")
        if size < 0:
            return None
        self.at += size
        return self.data[self.at - size:self.at].decode()

    def array(self, element):
        return [element() for _ in range(self.take("i"))]


def _ask(port, key, version, body, seconds):
    frame = struct.pack(">hhih", key, version, 7, -1) + body
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as link:
            link.sendall(struct.pack(">i", len(frame)) + frame)
            data = b""
            while len(data) < 4 or len(data) < 4 + struct.unpack(">i", data[:4])[0]:
                more = link.recv(1 << 16)
                if not more:
                    raise NoAnswer("closed by the node")
                data += more
    except OSError as broken:
        raise NoAnswer(str(broken)) from None
    answer = _Reader(data)
    answer.take("i")
    if answer.take("i") != 7:
        raise NoAnswer("another request's answer")
    return answer


def session_seconds(port, user, password, patience=15.0):
    """Logs in by PLAIN, proves nothing any more, and asks again and again: how long it is answered. None: for all that time."""
    def ask(link, key, version, body):
        frame = struct.pack(">hhih", key, version, 7, -1) + body
        link.sendall(struct.pack(">i", len(frame)) + frame)
        head = _exactly(link, 4)
        return _exactly(link, struct.unpack(">i", head)[0])

    words = f"\0{user}\0{password}".encode()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as link:
            ask(link, 17, 1, struct.pack(">h", 5) + b"PLAIN")
            ask(link, 36, 1, struct.pack(">i", len(words)) + words)
            began = time.monotonic()
            while time.monotonic() - began < patience:
                try:
                    ask(link, _METADATA, 4, struct.pack(">i", 0) + b"\0")
                except (NoAnswer, ConnectionError):
                    return time.monotonic() - began
                time.sleep(0.1)
    except OSError as broken:
        raise NoAnswer(str(broken)) from None
    return None


def _exactly(link, size):
    data = b""
    while len(data) < size:
        more = link.recv(size - len(data))
        if not more:
            raise NoAnswer("closed by the node")
        data += more
    return data


def answers(port, seconds=1.0):
    """Whether ApiVersions is answered without an error."""
    try:
        return _ask(port, _API_VERSIONS, 0, b"", seconds).take("h") == 0
    except NoAnswer:
        return False


def metadata(port, topic=None, seconds=1.0):
    """Brokers by id and topics by name, as this node sees them. Asks for one topic, or for none; creates nothing."""
    names = struct.pack(">i", 0) if topic is None else struct.pack(">ih", 1, len(topic)) + topic.encode()
    answer = _ask(port, _METADATA, 4, names + b"\0", seconds)
    answer.take("i")
    brokers = {}

    def broker():
        node = answer.take("i")
        brokers[node] = (answer.text(), answer.take("i"))
        answer.text()

    def partition():
        error, index, leader = answer.take("h"), answer.take("i"), answer.take("i")
        return index, Partition(error, leader, answer.array(lambda: answer.take("i")), answer.array(lambda: answer.take("i")))

    def one_topic():
        error, name = answer.take("h"), answer.text()
        answer.take("b")
        return name, Topic(error, [found for _, found in sorted(answer.array(partition))])

    answer.array(broker)
    answer.text()
    answer.take("i")
    return Metadata(brokers, dict(answer.array(one_topic)))


def ends(port, topic, partitions, seconds=5.0):
    """The next offset of each of these partitions that this node leads; of the others, nothing."""
    name = struct.pack(">h", len(topic)) + topic.encode()
    # As no replica, of one topic; the latest is asked for with a time of -1.
    body = struct.pack(">ii", -1, 1) + name + struct.pack(">i", len(partitions))
    body += b"".join(struct.pack(">iq", index, -1) for index in partitions)
    answer = _ask(port, _LIST_OFFSETS, 1, body, seconds)
    found = {}

    def partition():
        index, error, _, offset = answer.take("i"), answer.take("h"), answer.take("q"), answer.take("q")
        if error == 0:
            found[index] = offset

    answer.array(lambda: (answer.text(), answer.array(partition)))
    return found
