#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The command `kloop sink` from outside: flags, the lines it prints, what it answers over a socket, how it ends.

    test_sink_cli.py KLOOP [unittest's arguments]

The bytes of requests and answers are made and read by `kloop wire`.
"""
import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import unittest

from sink_process import SECONDS, Client, Sink

KLOOP = None


def run(*arguments, **options):
    return subprocess.run([KLOOP, "sink", *arguments], capture_output=True, timeout=SECONDS, **options)


class CommandLine(unittest.TestCase):
    def test_help(self):
        for flag in ("--help", "-h"):
            done = run(flag)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            lines = done.stdout.decode().split("\n")
            self.assertLessEqual(len(lines), 40)
            self.assertLessEqual(max(map(len, lines)), 120)
            self.assertIn("usage: kloop sink", lines[0])
            self.assertIn("examples:", lines)
            for word in ("--listen", "-t, --topic", "--auto-create", "--delay-ms", "--check", "--discard", "--error",
                         "--max-version", "--user", "--session-ms", "--scram-iterations", "--progress", "-q, --quiet"):
                self.assertRegex(done.stdout.decode(), rf"(?m)^  {word} ?")

    def test_what_is_wrong_is_said_and_nothing_starts(self):
        for arguments, words in (
                (["--lissten", "x"], "did you mean '--listen'?"),
                (["--xyzzy"], "there is no option '--xyzzy'"),
                (["--listen"], "--listen needs a value"),
                (["--listen", "nowhere"], "HOST:PORT is wanted"),
                (["--listen", "127.0.0.1:99999"], "HOST:PORT is wanted"),
                (["--listen", "203.0.113.1:0"], "that is no address of this machine"),
                (["--listen", "no-such-host.invalid:0"], "cannot listen: no-such-host.invalid is not known here"),
                (["--topic", "a b:1"], "no name for a topic"),
                (["--topic", "..:1"], "no name for a topic"),
                (["--topic", "t:0"], "1 to 100000 partitions"),
                (["--topic", "t:x"], "NAME:PARTITIONS is wanted"),
                (["--topic", "t:1", "t:2"], "stands there twice"),
                (["--auto-create", "-1"], "a number from 0"),
                (["--delay-ms", "soon"], "a number from 0"),
                (["--error", "NONE@0.5"], "no error of this name"),
                (["--error", "NO_SUCH_ERROR@0.5"], "no error of this name"),
                (["--error", "NOT_LEADER_OR_FOLLOWER"], "CODE@RATE is wanted"),
                (["--error", "NOT_LEADER_OR_FOLLOWER@2"], "0 to 1"),
                (["--error", "NOT_LEADER_OR_FOLLOWER@101%"], "0 to 1"),
                (["--max-version", "Produse=7"], "did you mean 'Produce'?"),
                (["--max-version", "Produce"], "Produce=V is wanted, with V from 3 to 13"),
                (["--max-version", "Produce=99"], "Produce=V is wanted, with V from 3 to 13"),
                (["--user", "alice"], "--user: NAME:PASSWORD is wanted"),
                (["--user", ":secret"], "--user: NAME:PASSWORD is wanted"),
                (["--user", "alice:"], "--user: NAME:PASSWORD is wanted"),
                (["--user", "a" * 256 + ":b"], "each of 1 to 255 bytes"),
                (["--user", "a:b", "--session-ms", "0"], "a number from 1"),
                (["--session-ms", "5"], "without --user there are none"),
                (["--user", "a:b", "--scram-iterations", "0"], "a number from 1"),
                (["--progress", "perhaps"], "auto, always or never is wanted"),
                (["--error"] + ["19@0"] * 17, "too many of them"),
                (["word"], "'word' belongs to no flag")):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, b""), arguments)
            self.assertIn(words, done.stderr.decode())
            self.assertIn("kloop sink --help", done.stderr.decode())

    def test_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            done = run("--listen", f"127.0.0.1:{other.getsockname()[1]}")
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"127.0.0.1:{other.getsockname()[1]}: Address already in use; somebody listens there already. --listen "
                          "HOST:0 takes a port that is free", done.stderr.decode())


class Running(unittest.TestCase):
    def client(self, sink):
        client = Client(KLOOP, sink.address)
        self.addCleanup(client.socket.close)
        return client

    def test_it_says_where_it_listens_and_what_it_stored(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Sink(KLOOP, "--topic", "a:2", "b") as sink:
                self.assertRegex(sink.place, r"^127\.0\.0\.1:[1-9][0-9]*$")
                sink.end(number)
            self.assertEqual(sink.code, 0)
            self.assertEqual(sink.errors, b"")
            self.assertEqual(sink.stored, {
                "records": 0, "bytes": 0, "batches": 0, "duplicates": 0, "refused": 0, "requests": 0, "connections": 0,
                "complaints": 0, "topics": [{"topic": "a", "next_offsets": [0, 0]}, {"topic": "b", "next_offsets": [0]}]})

    def test_a_login_costs_what_was_asked_for(self):
        """By RFC 7677 a client takes no fewer than 4096 iterations."""
        for iterations, code, words in (("4095", 3, b"4095"), ("4097", 0, b"")):
            with Sink(KLOOP, "--topic", "t", "--user", "alice:secret", "--scram-iterations", iterations) as sink:
                done = subprocess.run(
                    [KLOOP, "produce", "-b", sink.place, "-t", "t", "-X", "security.protocol=SASL_PLAINTEXT", "-X",
                     "sasl.mechanism=SCRAM-SHA-512", "-X", "sasl.username=alice", "-X", "sasl.password=secret"],
                    input=b"one\n", capture_output=True, timeout=SECONDS)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(words, done.stderr)

    def test_users_are_let_in_and_nobody_else(self):
        with Sink(KLOOP, "--topic", "t", "--user", "alice:alice:secret", "bob:b", "--session-ms", "60000") as sink:
            for mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"):
                for user, password, good in (("alice", "alice:secret", True), ("bob", "b", True), ("alice", "b", False),
                                             ("eve", "b", False)):
                    done = subprocess.run(
                        [KLOOP, "produce", "-b", sink.place, "-t", "t", "-X", "security.protocol=SASL_PLAINTEXT", "-X",
                         f"sasl.mechanism={mechanism}", "-X", f"sasl.username={user}", "-X", f"sasl.password={password}"],
                        input=b"one\ntwo\n", capture_output=True, timeout=SECONDS)
                    self.assertEqual(done.returncode == 0, good, (mechanism, user, done.stderr))
                    self.assertNotIn(b"alice:secret", done.stderr)
            done = subprocess.run([KLOOP, "produce", "-b", sink.place, "-t", "t", "-X", "delivery.timeout.ms=1500", "-X",
                                   "request.timeout.ms=500", "-X", "linger.ms=0", "-X", "max.block.ms=1000"],
                                  input=b"one\n", capture_output=True, timeout=SECONDS)
            self.assertNotEqual(done.returncode, 0)
        self.assertEqual(sink.stored["records"], 12)

    def test_every_way_to_write_a_topic(self):
        """The value was once looked for in the word after the flag: --topic=a was refused, and -ta made a topic "-ta"."""
        for words in (["--topic", "a:2", "b"], ["--topic=a:2", "b"], ["-t", "a:2", "-t", "b:1"], ["-ta:2", "-tb"],
                      ["-qta:2", "b"]):
            with Sink(KLOOP, *words) as sink:
                pass
            self.assertEqual(sink.stored["topics"], [{"topic": "a", "next_offsets": [0, 0]}, {"topic": "b", "next_offsets": [0]}])

    def test_ipv6(self):
        try:
            with socket.create_server(("::1", 0), family=socket.AF_INET6):
                pass
        except OSError:
            self.skipTest("there is no IPv6 here")
        with Sink(KLOOP, listen="[::1]:0") as sink:
            self.assertRegex(sink.place, r"^\[::1\]:[1-9][0-9]*$")
            answer = self.client(sink).ask("Metadata", 8, {
                "topics": [], "allowAutoTopicCreation": False, "includeClusterAuthorizedOperations": False,
                "includeTopicAuthorizedOperations": False})
            self.assertEqual([(b["host"], b["port"]) for b in answer["brokers"]], [("::1", sink.address[1])])

    def metadata(self, client, *topics):
        return client.ask("Metadata", 8, {
            "topics": [{"name": t} for t in topics], "allowAutoTopicCreation": True,
            "includeClusterAuthorizedOperations": False, "includeTopicAuthorizedOperations": False})

    def test_metadata_names_this_place(self):
        with Sink(KLOOP, "--topic", "t:3") as sink:
            answer = self.metadata(self.client(sink), "t", "other")
            broker, = answer["brokers"]
            self.assertEqual((broker["host"], broker["port"]), sink.address)
            t, other = answer["topics"]
            self.assertEqual((t["name"], t["errorCode"], len(t["partitions"])), ("t", 0, 3))
            self.assertEqual({p["leaderId"] for p in t["partitions"]}, {broker["nodeId"]})
            self.assertEqual((other["name"], other["errorCode"]), ("other", 3))

    def test_topics_are_made_when_asked_for(self):
        with Sink(KLOOP, "--auto-create", "4") as sink:
            client = self.client(sink)
            for _ in range(100):
                topic, = self.metadata(client, "new")["topics"]
                if topic["errorCode"] == 0:
                    break
            self.assertEqual(len(topic["partitions"]), 4)
        self.assertEqual(sink.stored["topics"], [{"topic": "new", "next_offsets": [0] * 4}])

    def test_records_are_counted(self):
        for flags in ((), ("--discard",), ("--check",), ("--check", "--discard")):
            with Sink(KLOOP, "--topic", "t:2", *flags) as sink:
                client = self.client(sink)
                batch = client.batch(7)
                for turn in range(3):
                    answer = client.ask("Produce", 8, client.produce_body("t", {0: batch, 1: client.batch(2)}))
                    self.assertEqual([(p["errorCode"], p["baseOffset"])
                                      for p in answer["responses"][0]["partitionResponses"]],
                                     [(0, 7 * turn), (0, 2 * turn)])
            self.assertEqual(sink.code, 0)
            self.assertEqual(sink.errors, b"")
            self.assertEqual(sink.stored["records"], 27)
            self.assertEqual(sink.stored["batches"], 6)
            self.assertGreater(sink.stored["bytes"], 27 * 100)
            self.assertEqual(sink.stored["topics"], [{"topic": "t", "next_offsets": [21, 6]}])
            self.assertEqual((sink.stored["requests"], sink.stored["connections"]), (3, 1))

    def test_pipelined_requests_are_answered_in_order(self):
        with Sink(KLOOP, "--topic", "t:1", "--discard", "--delay-ms", "1") as sink:
            client = self.client(sink)
            frame = client.frame("Produce", 8, client.produce_body("t", {0: client.batch(3)}), 0)
            frames = [frame[:8] + struct.pack(">i", n) + frame[12:] for n in range(500)]
            client.socket.sendall(b"".join(frames))
            for n in range(500):
                length, correlation = struct.unpack(">ii", client.read(8))
                client.read(length - 4)
                self.assertEqual(correlation, n)
        self.assertEqual(sink.stored["records"], 1500)

    def test_answers_that_nobody_reads(self):
        """A client that only sends is not read for ever, and does not keep the others waiting."""
        with Sink(KLOOP, "--topic", "t:1", "--discard") as sink:
            client = self.client(sink)
            deaf = self.client(sink)
            frame = client.frame("Metadata", 8, {
                "topics": None, "allowAutoTopicCreation": False, "includeClusterAuthorizedOperations": False,
                "includeTopicAuthorizedOperations": False}, 1)
            deaf.socket.setblocking(False)
            sent = 0
            idle = 0
            while idle < 50 and sent < 1 << 28:
                try:
                    sent += deaf.socket.send(frame * 1000)
                    idle = 0
                except BlockingIOError:
                    # The sink may only be busy: it is asked for something else, which takes its turn.
                    self.metadata(client, "t")
                    idle += 1
            self.assertLess(sent, 1 << 28)
            self.metadata(client, "t")

    def test_delay(self):
        """Never earlier; how much later is for bench/measure_sink.py to say."""
        with Sink(KLOOP, "--delay-ms", "30") as sink:
            client = self.client(sink)
            frame = client.frame("ApiVersions", 0, {}, 1)
            start = time.monotonic()
            client.socket.sendall(frame)
            client.read(8)
            self.assertGreaterEqual(time.monotonic() - start, 0.030)

    def test_errors_on_demand(self):
        for rate, wanted in (("1", 20), ("100%", 20), ("0", 0)):
            with Sink(KLOOP, "--topic", "t:1", "--error", f"NOT_LEADER_OR_FOLLOWER@{rate}") as sink:
                client = self.client(sink)
                body = client.produce_body("t", {0: client.batch(1)})
                codes = [client.ask("Produce", 8, body)["responses"][0]["partitionResponses"][0]["errorCode"]
                         for _ in range(20)]
                self.assertEqual(codes, [6] * wanted + [0] * (20 - wanted))
            self.assertEqual(sink.stored["records"], 20 - wanted)
            self.assertEqual(sink.stored["refused"], wanted)
        with Sink(KLOOP, "--topic", "t:1", "--error", "19@50%") as sink:
            client = self.client(sink)
            body = client.produce_body("t", {0: client.batch(1)})
            codes = [client.ask("Produce", 8, body)["responses"][0]["partitionResponses"][0]["errorCode"]
                     for _ in range(100)]
            self.assertEqual(set(codes), {0, 19})
        self.assertEqual(sink.stored["records"], codes.count(0))

    def test_versions_on_demand(self):
        with Sink(KLOOP, "--max-version", "Produce=7", "Metadata=4") as sink:
            client = self.client(sink)
            keys = {k["apiKey"]: (k["minVersion"], k["maxVersion"]) for k in client.ask("ApiVersions", 2, {})["apiKeys"]}
            self.assertEqual(keys[0], (3, 7))
            self.assertEqual(keys[3][1], 4)

    def test_check_finds_what_is_broken(self):
        with Sink(KLOOP, "--topic", "t:1", "--check") as sink:
            client = self.client(sink)
            batch = bytearray(client.batch(3))
            batch[-1] ^= 1
            answer = client.ask("Produce", 8, client.produce_body("t", {0: bytes(batch)}))
            self.assertEqual(answer["responses"][0]["partitionResponses"][0]["errorCode"], 2)
        self.assertEqual(sink.code, 1)
        self.assertEqual(sink.stored["records"], 0)
        self.assertEqual(sink.stored["complaints"], 1)
        self.assertIn("kloop sink: ", sink.errors.decode())

    def test_check_counts(self):
        """A batch that says it has more records than there are, with a CRC that is right."""
        with Sink(KLOOP, "--topic", "t:1", "--check") as sink:
            client = self.client(sink)
            batch = bytearray(client.batch(3))
            batch[57:61] = struct.pack(">i", 4)
            batch[17:21] = struct.pack(">I", crc32c(batch[21:]))
            answer = client.ask("Produce", 8, client.produce_body("t", {0: bytes(batch)}))
            self.assertEqual(answer["responses"][0]["partitionResponses"][0]["errorCode"], 87)  # INVALID_RECORD
        self.assertEqual((sink.code, sink.stored["records"], sink.stored["complaints"]), (1, 0, 1))

    def test_check_follows_sequences(self):
        """As a broker does: what comes twice is stored once, and a gap is refused."""
        for flags in (("--check",), ("--check", "--discard")):
            with Sink(KLOOP, "--topic", "t:1", *flags) as sink:
                client = self.client(sink)
                producer = client.ask("InitProducerId", 1, {"transactionalId": None, "transactionTimeoutMs": 60000})["producerId"]
                seen = []
                for sequence in (0, 3, 3, 9, 6):
                    body = client.produce_body("t", {0: client.batch(3, producer=(producer, 0, sequence))})
                    part = client.ask("Produce", 8, body)["responses"][0]["partitionResponses"][0]
                    seen.append((part["errorCode"], part["baseOffset"]))
                self.assertEqual(seen, [(0, 0), (0, 3), (0, 3), (45, -1), (0, 6)])  # OUT_OF_ORDER_SEQUENCE_NUMBER
            self.assertEqual((sink.stored["records"], sink.stored["duplicates"], sink.stored["topics"][0]["next_offsets"]), (9, 1, [9]))

    def test_a_batch_without_a_producer_id_may_be_numbered(self):
        """franz-go numbers them from 0; no broker looks at it."""
        with Sink(KLOOP, "--topic", "t:1", "--check") as sink:
            client = self.client(sink)
            batch = bytearray(client.batch(3))
            batch[53:57] = bytes(4)  # the base sequence, which the CRC covers
            batch[17:21] = struct.pack(">I", crc32c(batch[21:]))
            answer = client.ask("Produce", 8, client.produce_body("t", {0: bytes(batch)}))
            self.assertEqual(answer["responses"][0]["partitionResponses"][0]["errorCode"], 0)
        self.assertEqual((sink.code, sink.stored["complaints"], sink.errors), (0, 0, b""))

    def test_what_it_does_not_speak(self):
        """As Kafka does with an API that it does not have: the connection ends. And somebody is told."""
        for key, name in ((60, "DescribeCluster"), (71, "GetTelemetrySubscriptions"), (32000, "unknown")):
            with Sink(KLOOP, "--topic", "t", "--check") as sink:
                client = self.client(sink)
                client.socket.sendall(struct.pack(">ihhih", 10, key, 0, 1, -1))
                self.assertEqual(client.socket.recv(1), b"")
                self.client(sink).ask("ApiVersions", 0, {})
            self.assertEqual((sink.code, sink.stored["complaints"]), (1, 1))
            self.assertIn(f"this broker does not offer it, api {key} ({name}), version 0", sink.errors.decode())

    def test_a_coordinator_is_looked_for(self):
        with Sink(KLOOP, "--topic", "t", "--check") as sink:
            client = self.client(sink)
            for _ in range(3):
                client.socket.sendall(struct.pack(">ihhih", 10 + 3, 10, 0, 1, -1) + b"\0\1g")
                length, = struct.unpack(">i", client.read(4))
                self.assertEqual(struct.unpack(">ih", client.read(length)[:6]), (1, 15))
        self.assertEqual(sink.code, 0)
        self.assertEqual(sink.errors.decode().count("looks for a coordinator"), 1)

    def test_what_nobody_is_told_of_is_stored_before_it_ends(self):
        """acks=0: whoever has written it has gone home."""
        for _ in range(10):
            with Sink(KLOOP, "--topic", "t:1") as sink:
                client = Client(KLOOP, sink.address)
                client.ask("ApiVersions", 0, {})
                body = client.produce_body("t", {0: client.batch(3)}, acks=0)
                frame = client.frame("Produce", 8, body, 2)
                client.socket.sendall(frame * 40)
                client.socket.close()
                sink.end()
            self.assertEqual(sink.stored["records"], 120)

    def test_a_client_that_speaks_http(self):
        with Sink(KLOOP) as sink:
            client = self.client(sink)
            client.socket.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual(client.socket.recv(1), b"")
            # The others do not notice.
            self.client(sink).ask("ApiVersions", 0, {})
        self.assertEqual(sink.code, 0)

    def test_clients_that_come_and_go(self):
        with Sink(KLOOP) as sink:
            for n in range(200):
                with Client(KLOOP, sink.address) as client:
                    if n % 3 == 1:
                        client.socket.sendall(b"\0\0\0")
                    if n % 3 == 2:
                        # Closing with a reset.
                        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.client(sink).ask("ApiVersions", 0, {})
        self.assertEqual(sink.code, 0)
        self.assertEqual(sink.stored["connections"], 201)

    def test_connections_that_are_open_at_the_end(self):
        with Sink(KLOOP, "--topic", "t:1", "--delay-ms", "3600000") as sink:
            client = self.client(sink)
            client.send("ApiVersions", 0, {})
            half = self.client(sink)
            half.socket.sendall(b"\0\0")
        self.assertEqual(sink.code, 0)

    def test_no_file_descriptors_left(self):
        """A listener that cannot accept waits, and goes on when somebody has left."""
        command = f"ulimit -n 24; exec {KLOOP} sink --listen 127.0.0.1:0"
        with subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE) as process:
            place = process.stdout.readline().decode().split()[-1].rsplit(":", 1)
            address = (place[0], int(place[1]))
            clients = [Client(KLOOP, address) for _ in range(40)]
            frame = clients[0].frame("ApiVersions", 0, {}, 1)
            clients[0].socket.sendall(frame)
            clients[0].read(8)
            for client in clients[:30]:
                client.socket.close()
            clients[-1].socket.sendall(frame)
            clients[-1].read(8)
            for client in clients[30:]:
                client.socket.close()
            process.terminate()
            self.assertEqual(process.wait(SECONDS), 0)


class Faces(unittest.TestCase):
    """What people see of it while it runs."""

    def test_no_topics(self):
        for flags, words in (((), b"there are no topics, and none will be made: --topic"), (("--quiet",), b""),
                             (("--auto-create", "1"), b""), (("--topic", "t"), b"")):
            with Sink(KLOOP, *flags) as sink:
                sink.end()
            self.assertIn(words, sink.errors)
            self.assertEqual(bool(words), bool(sink.errors))

    def test_a_line_that_is_drawn(self):
        """When told to, also into a pipe; else only on a terminal."""
        for flags, drawn in ((("--progress", "always"), True), ((), False), (("--progress", "always", "-q"), False)):
            with Sink(KLOOP, "--topic", "t:1", *flags) as sink:
                seen = b""
                with Client(KLOOP, sink.address) as client:
                    client.ask("Produce", 8, client.produce_body("t", {0: client.batch(100)}))
                    while drawn and b"rec/s" not in seen:
                        seen += read_soon(sink.process.stderr.fileno())
            self.assertEqual(b"rec/s" in seen + sink.errors, drawn)

    def test_at_a_terminal(self):
        """A line that tells how it gets on, and is gone when Ctrl-C ends it."""
        ours, theirs = pty.openpty()
        with subprocess.Popen([KLOOP, "sink", "--listen", "127.0.0.1:0", "--topic", "t:1"], stdin=theirs, stdout=theirs,
                              stderr=theirs, env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"}, start_new_session=True,
                              preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)) as process:
            os.close(theirs)
            text = b""
            while b"waiting for a client" not in text:
                text += read_soon(ours)
            os.write(ours, b"\x03")
            while piece := read_soon(ours):
                text += piece
            self.assertEqual(process.wait(SECONDS), 0)
        os.close(ours)
        lines = text.decode().split("\r\n")
        self.assertRegex(lines[0], "^listening on 127.0.0.1:[0-9]+$")
        self.assertEqual(lines[2], "")
        # What is left of the line when all its taking back was done, as a terminal shows it.
        stored = lines[1].rsplit("\r", 1)[1]
        self.assertEqual(json.loads(stored[stored.index("{"):])["records"], 0)

    def test_complaints_are_not_a_flood(self):
        with Sink(KLOOP, "--topic", "t", "--check") as sink:
            for _ in range(80):
                with Client(KLOOP, sink.address) as client:
                    client.socket.sendall(struct.pack(">ihhih", 10, 60, 0, 1, -1))
                    self.assertEqual(client.socket.recv(1), b"")
        lines = sink.errors.decode().splitlines()
        self.assertEqual(sink.stored["complaints"], 80)
        self.assertLessEqual(len(lines), 51)
        self.assertIn("30 more lines like these are not shown", lines[-1])


def read_soon(fd):
    """b"": the other end has gone."""
    if not select.select([fd], [], [], SECONDS)[0]:
        raise AssertionError("nothing comes")
    try:
        return os.read(fd, 65536)
    except OSError:
        return b""  # a terminal says it so


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


class Endings(unittest.TestCase):
    def test_nobody_reads_the_last_line(self):
        with subprocess.Popen([KLOOP, "sink", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            process.stdout.readline()
            process.stdout.close()
            process.terminate()
            self.assertEqual(process.wait(SECONDS), 1)
            self.assertIn(b"standard output: Broken pipe", process.stderr.read())

    def test_nobody_reads_the_first_line(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([KLOOP, "sink", "--listen", "127.0.0.1:0"], stdout=full, stderr=subprocess.PIPE,
                                  timeout=SECONDS)
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    KLOOP = os.path.abspath(sys.argv.pop(1))
    unittest.main()
