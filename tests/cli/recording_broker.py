# SPDX-License-Identifier: BSD-2-Clause
"""A broker that keeps the records it was sent, byte for byte, and refuses what a test wants refused.

    with RecordingBroker(KLOOP, {"t": 2}) as broker: ... broker.place ...; afterwards broker.records

A record is (topic, partition, timestamp, key, value, headers), in bytes; headers are pairs. refuse(topic, partition)
answers an error code for a batch, 0: take it, SILENCE: it is taken and no request is answered. One thread for each connection; `kloop wire` knows the protocol.
"""
import atexit
import base64
import json
import socket
import struct
import subprocess
import threading

APIS = {0: ("Produce", 3, 9), 3: ("Metadata", 4, 9), 18: ("ApiVersions", 0, 3), 22: ("InitProducerId", 0, 4)}
SILENCE = "silence"
# Of all brokers of a program: what takes most of their time is the start of a process.
WIRES = {}
WIRES_LOCK = threading.Lock()
FLEXIBLE_FROM = {"Produce": 9, "Metadata": 9, "ApiVersions": 3, "InitProducerId": 2}


@atexit.register
def end_wires():
    for wire in WIRES.values():
        wire.stdin.close()
        wire.stdout.close()
        wire.wait()


def raw(text):
    return None if text is None else base64.b64decode(text)


class RecordingBroker:
    def __init__(self, kloop, topics, refuse=lambda topic, partition: 0):
        self.kloop = kloop
        self.topics = topics
        self.refuse = refuse
        self.records = []
        self.offsets = {}
        self.lock = threading.Lock()

    def __enter__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.place = f"127.0.0.1:{self.port}"
        self.threads = [threading.Thread(target=self.accept)]
        self.clients = []
        self.threads[0].start()
        return self

    def __exit__(self, *_):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.threads[0].join()
        for client in self.clients:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads[1:]:
            thread.join()

    def wire(self, command, line):
        with WIRES_LOCK:
            wire = WIRES.get(command)
            if not wire:
                wire = WIRES[command] = subprocess.Popen([self.kloop, "wire", command], stdin=subprocess.PIPE,
                                                         stdout=subprocess.PIPE)
            wire.stdin.write(line.encode() + b"\n")
            wire.stdin.flush()
            answer = wire.stdout.readline().decode().rstrip("\n")
        assert not answer.startswith("error"), (answer, line[:200])
        return answer

    def accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            self.clients.append(client)
            self.threads.append(threading.Thread(target=self.serve, args=(client,)))
            self.threads[-1].start()

    def serve(self, client):
        with client, client.makefile("rb") as stream:
            while True:
                try:
                    head = stream.read(4)
                    frame = stream.read(struct.unpack(">i", head)[0]) if len(head) == 4 else b""
                    if not frame:
                        return
                    client.sendall(self.answer(frame))
                except OSError:
                    return

    def answer(self, frame):
        key, version, correlation, id_len = struct.unpack(">hhih", frame[:10])
        name, oldest, newest = APIS[key]
        at = 10 + max(id_len, 0)
        known = oldest <= version <= newest
        if name == "ApiVersions" and not known:
            version = 0
        flexible = version >= FLEXIBLE_FROM[name]
        body = {} if name == "ApiVersions" else self.decode(name, version, frame[at + flexible:])
        reply = getattr(self, "answer_" + name)(version, known, body)
        if reply is None:
            return b""
        data = bytes.fromhex(self.wire("encode", f"{name} {version} response {json.dumps(reply)}"))
        tags = b"\0" if flexible and name != "ApiVersions" else b""
        return struct.pack(">ii", 4 + len(tags) + len(data), correlation) + tags + data

    def decode(self, name, version, data):
        return json.loads(self.wire("decode", f"{name} {version} request {data.hex()}"))

    def answer_ApiVersions(self, version, known, _):
        reply = {"errorCode": 0 if known else 35, "apiKeys": [
            {"apiKey": key, "minVersion": oldest, "maxVersion": newest} for key, (_, oldest, newest) in APIS.items()]}
        if version >= 1:
            reply["throttleTimeMs"] = 0
        return reply

    def answer_Metadata(self, version, _known, body):
        wanted = body["topics"]
        names = list(self.topics) if wanted is None else [t["name"] for t in wanted]
        topics = []
        for name in names:
            count = self.topics.get(name)
            topics.append({"errorCode": 0 if count else 3, "name": name, "isInternal": False, "partitions": [
                {"errorCode": 0, "partitionIndex": p, "leaderId": 1, "replicaNodes": [1], "isrNodes": [1],
                 "offlineReplicas": []} for p in range(count or 0)]})
        reply = {"throttleTimeMs": 0, "brokers": [{"nodeId": 1, "host": "127.0.0.1", "port": self.port, "rack": None}],
                 "clusterId": "recording", "controllerId": 1, "topics": topics}
        for part in [p for t in topics for p in t["partitions"]]:
            if version >= 7:
                part["leaderEpoch"] = 0
            if version < 5:
                del part["offlineReplicas"]
        if version >= 8:
            reply["clusterAuthorizedOperations"] = -2147483648
            for topic in topics:
                topic["topicAuthorizedOperations"] = -2147483648
        return reply

    def answer_InitProducerId(self, _version, _known, _body):
        return {"throttleTimeMs": 0, "errorCode": 0, "producerId": 7, "producerEpoch": 0}

    def answer_Produce(self, version, _known, body):
        responses = []
        for topic in body["topicData"]:
            parts = []
            for part in topic["partitionData"]:
                error, offset = self.take(topic["name"], part["index"], raw(part["records"]))
                if error == SILENCE:
                    return None
                reply = {"index": part["index"], "errorCode": error, "baseOffset": offset, "logAppendTimeMs": -1}
                if version >= 5:
                    reply["logStartOffset"] = 0
                if version >= 8:
                    reply.update(recordErrors=[], errorMessage=None)
                parts.append(reply)
            responses.append({"name": topic["name"], "partitionResponses": parts})
        return {"responses": responses, "throttleTimeMs": 0}

    def take(self, topic, index, data):
        with self.lock:
            error = self.refuse(topic, index)
            offset = self.offsets.get((topic, index), 0)
            if error and error != SILENCE:
                return error, -1
            for record in records_of(data):
                self.records.append((topic, index, *record))
                self.offsets[topic, index] = self.offsets.get((topic, index), 0) + 1
        return error, offset


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        piece = self.data[self.at:self.at + count]
        assert len(piece) == count
        self.at += count
        return piece

    def varint(self):
        n = shift = 0
        while True:
            byte = self.take(1)[0]
            n |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return n >> 1 ^ -(n & 1)

    def bytes(self):
        count = self.varint()
        return None if count < 0 else self.take(count)


def records_of(data):
    """Of batches without a codec: timestamp, key, value, headers. By hand, for header names may be no text here."""
    all_of_them = Reader(data)
    while all_of_them.at < len(data):
        _, length = struct.unpack(">qi", all_of_them.take(12))
        batch = Reader(all_of_them.take(length))
        magic, _crc, attributes, _last, base, _max, _pid, _epoch, _sequence, count = struct.unpack(
            ">xxxxbIhiqqqhii", batch.take(49))
        assert (magic, attributes & 7) == (2, 0)
        for _ in range(count):
            record = Reader(batch.bytes())
            record.take(1)
            timestamp = base + record.varint()
            record.varint()
            key, value = record.bytes(), record.bytes()
            headers = [(record.bytes(), record.bytes()) for _ in range(record.varint())]
            yield timestamp, key, value, headers
