# SPDX-License-Identifier: BSD-2-Clause
"""A running `kloop sink`, and a client that speaks bytes to it: shared by the tests of the command."""
import base64
import json
import signal
import socket
import struct
import subprocess

SECONDS = 120  # a program that hangs is an error, not a slow machine


def without_rates(text):
    """What `kloop produce` said on stderr, without what only a run says that takes long."""
    mark, end = ("records/s", "\n") if isinstance(text, str) else (b"records/s", b"\n")
    return end[:0].join(line for line in text.splitlines(keepends=True) if mark not in line)


class Sink:
    """with Sink(KLOOP, "--topic", "t:3") as sink: ... sink.place ...; afterwards sink.stored and sink.code."""

    def __init__(self, kloop, *flags, listen="127.0.0.1:0"):
        self.command = [kloop, "sink", "--listen", listen, *flags]
        self.stored = None
        self.code = None
        self.errors = None

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline().decode()
        if not line.startswith("listening on "):
            raise AssertionError(f"{line!r} {self.process.communicate(timeout=SECONDS)}")
        self.place = line[len("listening on "):].rstrip("\n")
        host, port = self.place.rsplit(":", 1)
        self.address = (host.strip("[]"), int(port))
        return self

    def end(self, number=signal.SIGTERM):
        """What it printed at its end, as a dict."""
        if self.code is None:
            self.process.send_signal(number)
            out, self.errors = self.process.communicate(timeout=SECONDS)
            self.code = self.process.returncode
            if self.code >= 0:
                line, = out.decode().splitlines()
                self.stored = json.loads(line)
        return self.stored

    def kill(self):
        self.end(signal.SIGKILL)

    def __exit__(self, *_):
        self.end()


class Client:
    """One connection. Requests are made by `kloop wire encode`, whose bytes are Kafka's."""

    # API: key, first flexible version
    APIS = {"Produce": (0, 9), "Metadata": (3, 9), "ApiVersions": (18, 3), "InitProducerId": (22, 2)}

    def __init__(self, kloop, address):
        self.kloop = kloop
        self.socket = socket.create_connection(address, timeout=SECONDS)
        self.correlation = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def wire(self, command, line):
        done = subprocess.run([self.kloop, "wire", command], input=line.encode() + b"\n", capture_output=True,
                              timeout=SECONDS, check=True)
        answer = done.stdout.decode().rstrip("\n")
        assert not answer.startswith("error"), answer
        return answer

    def batch(self, count, size=100, producer=(-1, -1, -1)):
        """A record batch; producer is the id, the epoch and the first sequence number, or those of nobody."""
        records = [{"offset": i, "timestamp": 1700000000000, "key": None, "value": "QUJD" * (size // 3 + 1),
                    "headers": []} for i in range(count)]
        return bytes.fromhex(self.wire("batch-encode", json.dumps({
            "baseOffset": 0, "partitionLeaderEpoch": -1, "magic": 2, "compression": "none", "timestampType": "create",
            "transactional": False, "control": False, "lastOffsetDelta": count - 1, "baseTimestamp": 1700000000000,
            "maxTimestamp": 1700000000000, "producerId": producer[0], "producerEpoch": producer[1], "baseSequence": producer[2],
            "records": records})))

    def frame(self, api, version, body, correlation):
        """The bytes of a request."""
        key, flexible = self.APIS[api]
        header = struct.pack(">hhih", key, version, correlation, 1) + b"c"
        if version >= flexible:
            header += b"\0"
        body = bytes.fromhex(self.wire("encode", f"{api} {version} request {json.dumps(body)}"))
        return struct.pack(">i", len(header) + len(body)) + header + body

    def send(self, api, version, body):
        self.correlation += 1
        self.socket.sendall(self.frame(api, version, body, self.correlation))
        return self.correlation

    def read(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError(data)
            data += piece
        return data

    def answer(self, api, version):
        """Correlation id and body of the next answer."""
        length, = struct.unpack(">i", self.read(4))
        data = self.read(length)
        flexible = version >= self.APIS[api][1] and api != "ApiVersions"
        body = data[5:] if flexible else data[4:]
        text = self.wire("decode", f"{api} {version} response {body.hex()}")
        return struct.unpack(">i", data[:4])[0], json.loads(text)

    def ask(self, api, version, body):
        sent = self.send(api, version, body)
        correlation, answer = self.answer(api, version)
        assert correlation == sent
        return answer

    def produce_body(self, topic, batches, acks=-1):
        """Produce 8; batches by partition."""
        return {"transactionalId": None, "acks": acks, "timeoutMs": 1000, "topicData": [{
            "name": topic, "partitionData": [{"index": p, "records": base64.b64encode(b).decode()}
                                             for p, b in batches.items()]}]}
