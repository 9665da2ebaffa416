# SPDX-License-Identifier: BSD-2-Clause
"""A broker that answers what a test has written down, byte for byte or as `kloop wire` encodes it; each connection in a
thread of its own."""
import json
import socket
import struct
import subprocess
import threading

SECONDS = 120
# key: name, first flexible version
APIS = {3: ("Metadata", 9), 17: ("SaslHandshake", 99), 18: ("ApiVersions", 3), 22: ("InitProducerId", 2),
        36: ("SaslAuthenticate", 2)}
OFFERED = [{"apiKey": 0, "minVersion": 3, "maxVersion": 11}, {"apiKey": 3, "minVersion": 0, "maxVersion": 12},
           {"apiKey": 18, "minVersion": 0, "maxVersion": 3}, {"apiKey": 22, "minVersion": 0, "maxVersion": 5}]


def topic(name, *partitions, error=0, internal=False, allowed=-2147483648):
    return {"errorCode": error, "name": name, "topicId": "AAAAAAAAAAAAAAAAAAAAAQ", "isInternal": internal,
            "partitions": list(partitions), "topicAuthorizedOperations": allowed}


def partition(index, leader, replicas, isr, offline=(), error=0):
    return {"errorCode": error, "partitionIndex": index, "leaderId": leader, "leaderEpoch": 7,
            "replicaNodes": list(replicas), "isrNodes": list(isr), "offlineReplicas": list(offline)}


class Broker:
    """with Broker(KLOOP, brokers=..., topics=...) as broker: ... broker.place ...

    greet(connection) may do everything by itself: then nothing is answered. asked has the requests as (API, version)."""

    def __init__(self, kloop, *, brokers=None, topics=(), controller=-1, offered=None, greet=None, versions=None,
                 metadata=None, producer_id=None, host="127.0.0.1", cluster="a-cluster"):
        self.kloop, self.brokers, self.topics, self.controller = kloop, brokers, list(topics), controller
        self.offered = OFFERED if offered is None else offered
        self.greet, self.versions, self.metadata, self.producer_id = greet, versions, metadata, producer_id
        self.cluster = cluster
        self.listener = socket.create_server((host, 0))
        self.port = self.listener.getsockname()[1]
        self.place = f"{host}:{self.port}"
        self.asked, self.open = [], []

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        # close() alone would leave a thread in accept().
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.open:
            connection.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.settimeout(SECONDS)
            self.open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _secure(self, connection):
        """The connection as requests come from it."""
        return connection

    def _serve(self, connection):
        try:
            connection = self._secure(connection)
            if self.greet:
                self.greet(connection)
                return
            while True:
                frame = self._read(connection, struct.unpack(">i", self._read(connection, 4))[0])
                key, version, correlation = struct.unpack(">hhi", frame[:8])
                answer = self._answer(APIS[key][0], version, correlation, frame)
                if answer is None:
                    connection.close()
                    return
                connection.sendall(struct.pack(">i", len(answer)) + answer)
        except (OSError, EOFError):  # an error of TLS is an OSError
            connection.close()

    @staticmethod
    def _read(connection, count):
        data = b""
        while len(data) < count:
            piece = connection.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def _answer(self, api, version, correlation, frame):
        self.asked.append((api, version))
        own = {"ApiVersions": self.versions, "Metadata": self.metadata, "InitProducerId": self.producer_id}.get(api)
        if own:
            return own(self, version, correlation)
        return self.encode(api, version, correlation, self._body(api, version, frame))

    def _body(self, api, version, frame):
        if api == "ApiVersions":
            return self.versions_body(version)
        if api == "InitProducerId":
            return {"throttleTimeMs": 0, "errorCode": 0, "producerId": 1, "producerEpoch": 0}
        if api == "SaslHandshake":
            return {"errorCode": 34, "mechanisms": []}  # ILLEGAL_SASL_STATE: there is no login here
        return self.metadata_body(version)

    def versions_body(self, version, error=0):
        body = {"errorCode": error, "apiKeys": self.offered}
        if version >= 1:
            body["throttleTimeMs"] = 0
        return body

    def metadata_body(self, version, error=0):
        brokers = self.brokers or [(1, "127.0.0.1", self.port, None)]
        body = {"brokers": [{"nodeId": n, "host": h, "port": p, "rack": r} for n, h, p, r in brokers],
                "controllerId": self.controller, "topics": self.topics, "clusterId": self.cluster, "throttleTimeMs": 0}
        if version >= 13:
            body["errorCode"] = error
        return body

    def encode(self, api, version, correlation, body):
        """The content of a frame, by `kloop wire`."""
        line = f"{api} {version} response {json.dumps(body)}\n"
        done = subprocess.run([self.kloop, "wire", "encode"], input=line.encode(), capture_output=True, timeout=SECONDS,
                              check=True)
        text = done.stdout.decode().strip()
        assert not text.startswith("error"), (line, text)
        flexible = api != "ApiVersions" and version >= next(f for n, f in APIS.values() if n == api)
        return struct.pack(">i", correlation) + (b"\0" if flexible else b"") + bytes.fromhex(text)
