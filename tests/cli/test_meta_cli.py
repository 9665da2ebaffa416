#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The command `kloop meta` from outside: what it shows of a sink and of clusters that a script plays, and what it says
when nobody answers.

    test_meta_cli.py KLOOP [unittest's arguments]
"""
import json
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from scripted_broker import OFFERED, SECONDS, Broker, partition, topic
from sink_process import Sink

KLOOP = None


def run(*arguments, **options):
    environment = {**os.environ, "KLOOP_CONFIG": "", **options.pop("env", {})}
    return subprocess.run([KLOOP, "meta", *arguments], capture_output=True, timeout=SECONDS, env=environment, **options)


def closed_port():
    """A port that nobody listens on, held for as long as the answer lives."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    return holder, holder.getsockname()[1]


class Base(unittest.TestCase):
    def told(self, done, code=0):
        self.assertEqual(done.returncode, code, (done.stdout, done.stderr))
        return done.stdout.decode()

    def said(self, done, code):
        self.assertEqual((done.returncode, done.stdout), (code, b""), done.stderr)
        return done.stderr.decode(errors="replace")

    def broker(self, **how):
        broker = Broker(KLOOP, **how)
        self.enterContext(broker)
        return broker

    def enterContext(self, thing):  # unittest has it from 3.11 on
        thing.__enter__()
        self.addCleanup(thing.__exit__, None, None, None)
        return thing


class CommandLine(Base):
    def test_help(self):
        for flag in ("--help", "-h"):
            done = run(flag)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            lines = done.stdout.decode().split("\n")
            self.assertLessEqual(len(lines), 40)
            self.assertLessEqual(max(map(len, lines)), 120)
            self.assertIn("usage: kloop meta", lines[0])
            for word in ("-b, --bootstrap-server", "-t, --topic", "--api", "-J, --json", "-m, --timeout", "-X, ", "-F, ",
                         "--print-config", "-q, --quiet", "-L"):
                self.assertRegex(done.stdout.decode(), rf"(?m)^  {re.escape(word)}")

    def test_what_is_wrong_is_said_and_nobody_is_asked(self):
        for arguments, words in (
                ([], "bootstrap.servers"),
                (["-b", "localhost"], "bootstrap.servers: 'localhost' has no port"),
                (["-b", "localhost:9092,"], "bootstrap.servers: entry 2 of the list is empty"),
                (["--bootstrap-servers", "x:1"], "did you mean '--bootstrap-server'?"),
                (["--topics", "x"], "did you mean '--topic'?"),
                (["-b"], "-b needs a value"),
                (["-b", "x:1", "-t"], "-t needs a value"),
                (["-b", "x:1", "-t", ""], "the name of a topic is wanted"),
                # These were asked for all the same, and nobody had an answer, or JSON with them in it was none.
                (["-b", "x:1", "-t", b"\xff"], "the name of a topic is wanted, in UTF-8"),
                (["-b", "x:1", "-t", "a" * 40000], "the name of a topic is wanted, in UTF-8"),
                (["-b", "x:1", "--timeout", "0"], "a number from 0.001 to 3600 is wanted"),
                (["-b", "x:1", "--timeout", "soon"], "a number from 0.001 to 3600 is wanted"),
                (["-b", "x:1", "events"], "'events' belongs to no flag; -t asks for a topic"),
                (["-b", "x:1", "-X", "clientid=x"], "client.id"),
                (["-b", "x:1", "-X", "request.timeout.ms=0"], "1 to 2147483647"),
                (["-b", "x:1", "-F", "/does/not/exist"], "/does/not/exist")):
            self.assertIn(words, self.said(run(*arguments), 2), arguments)

    def test_print_config(self):
        with tempfile.NamedTemporaryFile("w", suffix=".properties") as file:
            file.write("request.timeout.ms=1234\nclient.id=from-file\n")
            file.flush()
            text = self.told(run("-b", "x:1", "-F", file.name, "-X", "client.id=me", "--print-config"))
        self.assertRegex(text, r"(?m)^bootstrap\.servers +x:1 +-b\b")
        self.assertRegex(text, r"(?m)^client\.id +me +-X\b")
        self.assertRegex(text, rf"(?m)^request\.timeout\.ms +1234 +.*{re.escape(os.path.basename(file.name))}")


class OfASink(Base):
    def sink(self, *flags, **how):
        return self.enterContext(Sink(KLOOP, *flags, **how))

    def test_lines_are_those_of_kcat(self):
        sink = self.sink("--topic", "events:2", "a.b")
        done = run("-b", sink.place)
        text = self.told(done)
        self.assertEqual(done.stderr, b"")
        lines = text.splitlines()
        cluster = lines.pop(1)
        self.assertRegex(cluster, "^ cluster [A-Za-z0-9_-]{22}$")
        self.assertEqual(lines, [
            f"Metadata for all topics (from broker 1: {sink.place}/1):",
            " 1 brokers:",
            f"  broker 1 at {sink.place} (controller)",
            " 2 topics:",
            '  topic "a.b" with 1 partitions:',
            "    partition 0, leader 1, replicas: 1, isrs: 1",
            '  topic "events" with 2 partitions:',
            "    partition 0, leader 1, replicas: 1, isrs: 1",
            "    partition 1, leader 1, replicas: 1, isrs: 1"])
        # The habits of kcat's users.
        self.assertEqual(self.told(run("-L", "-b", sink.place)), text)
        self.assertEqual(self.told(run("-Lb", sink.place)), text)

    def test_json_has_the_names_of_kcat(self):
        sink = self.sink("--topic", "events:2", "b")
        for flag in ("-J", "--json"):
            text = self.told(run("-b", sink.place, "-t", "events", flag))
            self.assertEqual(text.count("\n"), 1)
            seen = json.loads(text)
            self.assertEqual(seen["originating_broker"], {"id": 1, "name": f"{sink.place}/1"})
            self.assertEqual(seen["query"], {"topic": "events"})
            self.assertEqual(seen["controllerid"], 1)
            self.assertRegex(seen["clusterid"], "^[A-Za-z0-9_-]{22}$")
            host, port = sink.address
            self.assertEqual(seen["brokers"], [{"id": 1, "name": sink.place, "host": host, "port": port, "rack": None}])
            events, = seen["topics"]
            self.assertRegex(events.pop("topic_id"), "^[A-Za-z0-9_-]{22}$")
            self.assertEqual(events, {"topic": "events", "partitions": [
                {"partition": p, "leader": 1, "leader_epoch": 0, "replicas": [{"id": 1}], "isrs": [{"id": 1}],
                 "offline": []} for p in (0, 1)]})
            self.assertEqual(seen["summary"], {"brokers": 1, "topics": 1, "partitions": 2, "leaderless": 0,
                                               "under_replicated": 0, "with_offline_replicas": 0})
        seen = json.loads(self.told(run("-b", sink.place, "-J")))
        self.assertEqual((seen["query"], [t["topic"] for t in seen["topics"]]), ({"topic": "*"}, ["b", "events"]))

    def test_topics_that_are_named(self):
        sink = self.sink("--topic", "a", "b", "c", "--auto-create", "3")
        for flags in (("-t", "c", "-t", "a"), ("--topic", "c", "a"), ("-t", "c", "-ta", "-t", "c")):
            text = self.told(run("-b", sink.place, *flags))
            self.assertEqual(re.findall('topic "(.*)" with', text), ["a", "c"])
        seen = json.loads(self.told(run("-b", sink.place, "-J", "-t", "c", "a")))
        self.assertEqual(seen["query"], {"topic": "c,a", "topics": ["c", "a"]})

    def test_an_unknown_topic_is_said_and_not_made(self):
        # Also by brokers who can only be asked in ways that would make it.
        for limit in ((), ("--max-version", "Metadata=3"), ("--max-version", "Metadata=1"), ("--max-version", "Metadata=0")):
            with Sink(KLOOP, "--topic", "a", "other", "--auto-create", "3", *limit) as sink:
                for _ in range(2):
                    done = run("-b", sink.place, "-t", "a", "nosuch")
                    text = self.told(done, 1)
                    self.assertIn('\n  topic "nosuch" with 0 partitions: ! UNKNOWN_TOPIC_OR_PARTITION: ', text)
                    self.assertIn('\n  topic "a" with 1 partitions:\n', text)
                    self.assertNotIn("other", text)
                seen = json.loads(self.told(run("-b", sink.place, "-t", "nosuch", "-J"), 1))
                missing, = seen["topics"]
                self.assertEqual((missing["topic"], missing["error"], missing["error_code"], missing["partitions"]),
                                 ("nosuch", "UNKNOWN_TOPIC_OR_PARTITION", 3, []))
                self.assertTrue(missing["error_text"])
            self.assertEqual([t["topic"] for t in sink.stored["topics"]], ["a", "other"])

    def test_a_name_that_no_topic_can_have(self):
        sink = self.sink("--topic", "a")
        text = self.told(run("-b", sink.place, "-t", "a b"), 1)
        self.assertIn("INVALID_TOPIC_EXCEPTION", text)

    def test_versions(self):
        sink = self.sink("--topic", "a")
        text = self.told(run("-b", sink.place, "--api"))
        self.assertIn(" API versions of broker 1, as of Kafka 4.1 or newer:\n", text)
        for key, name, offered, ours in ((0, "Produce", "0-13", "13"), (3, "Metadata", "0-13", "13"),
                                         (18, "ApiVersions", "0-4", "4"), (22, "InitProducerId", "0-5", "5")):
            self.assertRegex(text, rf"(?m)^ +{key}  {name} +{offered} +{ours}$")
        self.assertRegex(text, r"(?m)^ +1  Fetch +4-18$")
        seen = json.loads(self.told(run("-b", sink.place, "--api", "-J")))
        broker, = seen["brokers"]
        self.assertEqual(broker["as_of_kafka"], "4.1")
        self.assertIn({"key": 0, "name": "Produce", "min": 0, "max": 13, "kloop": 13}, broker["apis"])
        self.assertIn({"key": 1, "name": "Fetch", "min": 4, "max": 18, "kloop": None}, broker["apis"])

    def test_versions_of_an_older_broker(self):
        sink = self.sink("--topic", "a", "--max-version", "Produce=7", "Metadata=8", "ApiVersions=2", "FindCoordinator=2",
                         "InitProducerId=1")
        text = self.told(run("-b", sink.place, "--api"))
        self.assertIn("as of Kafka 2.1 or newer", text)
        self.assertRegex(text, r"(?m)^ +0  Produce +3-7 +7$")
        self.assertRegex(text, r"(?m)^ +18  ApiVersions +0-2 +2$")
        text = self.told(run("-b", sink.place, "--api", "-X", "api.version.max=Produce=5, Metadata=4"))
        self.assertRegex(text, r"(?m)^ +0  Produce +3-7 +5$")
        self.assertRegex(text, r"(?m)^ +3  Metadata +0-8 +4$")

    def test_both_addresses_of_a_name(self):
        try:
            sink = self.sink("--topic", "a", listen="[::1]:0")
        except AssertionError:
            self.skipTest("there is no IPv6 here")
        # Somebody has to hold the other address, else another test may get the port there.
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", sink.address[1]))
            text = self.told(run("-b", f"localhost:{sink.address[1]}"))
        self.assertIn(f"(from broker 1: localhost:{sink.address[1]}/1)", text)
        self.assertIn(f"  broker 1 at ::1:{sink.address[1]} (controller)\n", text)

    def test_nobody_reads(self):
        sink = self.sink("--topic", "a")
        with open("/dev/full", "wb") as full:
            done = subprocess.run([KLOOP, "meta", "-b", sink.place], stdout=full, stderr=subprocess.PIPE, timeout=SECONDS)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output: No space left", done.stderr)


class OfACluster(Base):
    TOPICS = (
        topic("whole", partition(1, 3, [3, 1], [1, 3]), partition(0, 1, [1, 3], [1, 3])),
        topic("__inner", partition(0, 1, [1], [1]), internal=True),
        topic("ill", partition(0, -1, [2, 1], [2], offline=[2], error=5), partition(1, 1, [1, 2, 3], [1]),
              partition(2, 3, [3, 2], [3, 2], offline=[2], error=9)),
        topic("secret", error=29))

    def cluster(self, **how):
        how.setdefault("topics", self.TOPICS)
        broker = self.broker(**how)
        broker.brokers = [(3, "127.0.0.1", broker.port, "b"), (1, "kafka.example", 9092, "a")]
        broker.controller = 3
        return broker

    def test_marks_and_order(self):
        broker = self.cluster()
        done = run("-b", broker.place)
        text = self.told(done)
        secret = next(line for line in text.splitlines() if "secret" in line)
        self.assertRegex(secret, r'^  topic "secret" with 0 partitions: ! TOPIC_AUTHORIZATION_FAILED: [A-Z][^.]+$')
        self.assertEqual([line for line in text.splitlines() if "secret" not in line], [
            f"Metadata for all topics (from broker 3: {broker.place}/3):",
            " cluster a-cluster",
            " 2 brokers:",
            "  broker 1 at kafka.example:9092, rack a",
            f"  broker 3 at {broker.place} (controller), rack b",
            " 4 topics:",
            '  topic "__inner" with 1 partitions: internal',
            "    partition 0, leader 1, replicas: 1, isrs: 1",
            '  topic "ill" with 3 partitions:',
            "    partition 0, leader -1, replicas: 2,1, isrs: 2, offline: 2, LEADER_NOT_AVAILABLE ! no leader, under-replicated",
            "    partition 1, leader 1, replicas: 1,2,3, isrs: 1 ! under-replicated",
            "    partition 2, leader 3, replicas: 3,2, isrs: 3,2, offline: 2, REPLICA_NOT_AVAILABLE",
            '  topic "whole" with 2 partitions:',
            "    partition 0, leader 1, replicas: 1,3, isrs: 1,3",
            "    partition 1, leader 3, replicas: 3,1, isrs: 1,3"])
        self.assertEqual(done.stderr.decode(), "kloop meta: of 6 partitions, 1 without a leader, 2 under-replicated, 2 with "
                                               "offline replicas\n")
        done = run("-b", broker.place, "-q")
        self.assertEqual((self.told(done), done.stderr), (text, b""))

    def test_the_same_in_json(self):
        broker = self.cluster()
        seen = json.loads(self.told(run("-b", broker.place, "--json", "--quiet")))
        self.assertEqual([(b["id"], b["rack"]) for b in seen["brokers"]], [(1, "a"), (3, "b")])
        topics = {t["topic"]: t for t in seen["topics"]}
        self.assertEqual(list(topics), ["__inner", "ill", "secret", "whole"])
        self.assertTrue(topics["__inner"]["internal"])
        self.assertEqual(topics["secret"]["error"], "TOPIC_AUTHORIZATION_FAILED")
        first, second, third = topics["ill"]["partitions"]
        self.assertEqual((first["leader"], first["leaderless"], first["under_replicated"], first["error"], first["offline"]),
                         (-1, True, True, "LEADER_NOT_AVAILABLE", [{"id": 2}]))
        self.assertNotIn("leaderless", second)
        self.assertNotIn("under_replicated", third)
        self.assertEqual(seen["summary"], {"brokers": 2, "topics": 4, "partitions": 6, "leaderless": 1,
                                           "under_replicated": 2, "with_offline_replicas": 2})

    def test_a_topic_that_was_named_and_must_not_be_seen(self):
        broker = self.cluster(topics=[topic("secret", error=29)])
        self.told(run("-b", broker.place), 0)
        self.told(run("-b", broker.place, "-t", "secret"), 1)

    def test_a_broker_that_is_none_of_its_own_list(self):
        broker = self.broker()
        broker.brokers = [(7, "kafka.example", 9092, None)]
        text = self.told(run("-b", broker.place))
        self.assertIn(f"(from broker -1: {broker.place}/bootstrap):", text)

    def test_names_that_would_move_the_cursor(self):
        """A terminal is not for brokers to write on."""
        broker = self.broker(topics=[topic("a\x1b[2Jb", partition(0, 1, [1], [1]))])
        broker.brokers = [(1, "host\r\n", 1, "\x1b[31mred")]
        text = self.told(run("-b", broker.place))
        self.assertIn('topic "a?[2Jb" with', text)
        self.assertIn("broker 1 at host??:1, rack ?[31mred\n", text)
        self.assertEqual(json.loads(self.told(run("-b", broker.place, "-J")))["brokers"][0]["rack"], "\x1b[31mred")

    def test_a_host_that_is_too_long(self):
        """Cut in the middle of a letter it made JSON that nobody can read."""
        broker = self.broker()
        for letter in ("\u00e9", "\U0001f600"):
            for before in ("", "a"):
                host = before + letter * 200
                broker.brokers = [(1, host, 1, None)]
                one, = json.loads(self.told(run("-b", broker.place, "-J")))["brokers"]
                self.assertEqual(one["host"], host)
                self.assertTrue(one["name"].startswith(host[:50]))

    def test_versions_of_every_broker(self):
        newer = self.broker(offered=[{**api, "maxVersion": api["maxVersion"] + 1} for api in OFFERED] +
                            [{"apiKey": 200, "minVersion": 0, "maxVersion": 1}])
        holder, port = closed_port()
        with holder:
            broker = self.broker()
            broker.brokers = [(4, "127.0.0.1", port, None), (2, "127.0.0.1", newer.port, None),
                              (1, "127.0.0.1", broker.port, None), (3, "127.0.0.1", broker.port, None)]
            text = self.told(run("-b", broker.place, "--api"), 1)
            seen = json.loads(self.told(run("-b", broker.place, "--api", "-J"), 1))
        tables = text[text.index(" API versions of"):]
        self.assertEqual([line for line in tables.splitlines() if not line.startswith("  ")], [
            " API versions of brokers 1, 3, as of Kafka 3.8 or newer:",
            " API versions of broker 2, as of Kafka 4.0 or newer:",
            f" API versions of broker 4 at 127.0.0.1:{port}: ! Connection refused"])
        self.assertRegex(tables, r"(?m)^   200  \(newer than kloop\) +0-1$")
        self.assertEqual([b["id"] for b in seen["brokers"]], [1, 2, 3, 4])
        self.assertEqual(seen["brokers"][3]["error"], "Connection refused")
        self.assertEqual(seen["brokers"][1]["as_of_kafka"], "4.0")
        self.assertIn({"key": 200, "name": None, "min": 0, "max": 1, "kloop": None}, seen["brokers"][1]["apis"])

    def test_what_kloop_cannot_speak(self):
        broker = self.broker(offered=[{"apiKey": 0, "minVersion": 99, "maxVersion": 100},
                                      {"apiKey": 3, "minVersion": 0, "maxVersion": 12},
                                      {"apiKey": 18, "minVersion": 0, "maxVersion": 3}])
        text = self.told(run("-b", broker.place, "--api"))
        self.assertRegex(text, r"(?m)^ +0  Produce +99-100 +! none in common$")
        self.assertRegex(text, r"(?m)^ +22  InitProducerId +- +! not offered$")

    def test_many_brokers(self):
        """More than are asked at once, and more than there may be sockets."""
        broker = self.broker()
        broker.brokers = [(n, "127.0.0.1", broker.port, None) for n in range(1, 101)]
        seen = json.loads(self.told(run("-b", broker.place, "--api", "-J", "--timeout", "60",
                                        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))))
        self.assertEqual([len(b["apis"]) for b in seen["brokers"]], [len(OFFERED)] * 100)
        self.assertEqual(len(broker.asked), 102)


def speak(text):
    def greet(connection):
        connection.recv(1)
        connection.sendall(text)
        connection.recv(1 << 16)
    return greet


class Nobody(Base):
    """No broker that answers: exit code 3, and each place with its reason."""

    def reasons(self, *servers, flags=(), code=3):
        text = self.said(run("-b", ",".join(servers), *flags), code)
        lines = text.splitlines()
        self.assertEqual(lines[0], "kloop meta: no broker has answered")
        self.assertEqual(lines[-1], "kloop doctor with the same -b, -F and -X says more, and what to do.")
        return lines[1:-1]

    def test_every_place_is_named(self):
        holder, port = closed_port()
        with holder:
            lines = self.reasons(f"127.0.0.1:{port}", f"localhost:{port}", "no-such-name.invalid:9092", f"[::1]:{port}")
        self.assertEqual(len(lines), 4)
        self.assertEqual(lines[0], f"  127.0.0.1:{port}: Connection refused")
        self.assertRegex(lines[1], rf"^  localhost:{port}: 127\.0\.0\.1:{port}: Connection refused; \[::1\]:{port}: [A-Z].*")
        self.assertRegex(lines[2], r"^  no-such-name\.invalid:9092: the name has no address: ")
        self.assertRegex(lines[3], rf"^  \[::1\]:{port}: [A-Z].*")

    def test_who_is_no_kafka(self):
        for greet, words in (
                (speak(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "it speaks HTTP, and not Kafka"),
                (speak(b"\x15\x03\x03\x00\x02\x02\x46"), "it wants TLS: security.protocol=SSL, or SASL_SSL"),
                (speak(b"\xff\xff\xff\xff\xff\xff"), "what it answers is no Kafka"),
                (speak(struct.pack(">ii", 4, 123456)), "it answers something that was not asked"),
                (speak(struct.pack(">ii", 4, 7)), "its API versions cannot be read: "),
                (lambda connection: connection.close(), "when asked for its API versions; it may want TLS, or be no Kafka")):
            broker = self.broker(greet=greet)
            line, = self.reasons(broker.place)
            self.assertIn(words, line)
            self.assertTrue(line.startswith(f"  {broker.place}: "))

    def test_who_says_nothing(self):
        for flags, words in ((("-X", "request.timeout.ms=50"), "no answer to ApiVersions within 0.05 s"),
                             (("--timeout", "1"), "connected, but it has not told its API versions")):
            broker = self.broker(greet=lambda connection: connection.recv(1 << 16) and connection.recv(1))
            lines = self.reasons(broker.place, flags=flags)
            self.assertEqual(lines[0], f"  {broker.place}: {words}")
        self.assertEqual(lines[1:], ["That was all in 1 s; --timeout gives more."])

    def test_metadata_that_does_not_come(self):
        for answer, words in (
                (lambda broker, version, correlation: None, "it closed the connection when asked for Metadata 12; it may want a "
                                                            "login: security.protocol=SASL_PLAINTEXT"),
                (lambda broker, version, correlation: struct.pack(">i", correlation) + b"\0\0", "its answer to Metadata 12 cannot "
                                                                                               "be read: "),
                (lambda broker, version, correlation: struct.pack(">i", correlation + 1), "it answers something that was not")):
            broker = self.broker(metadata=answer)
            line, = self.reasons(broker.place)
            self.assertIn(words, line)

    def test_an_error_for_the_whole_question(self):
        broker = self.broker(offered=[{"apiKey": 3, "minVersion": 0, "maxVersion": 13},
                                      {"apiKey": 18, "minVersion": 0, "maxVersion": 4}],
                             metadata=lambda b, version, correlation: b.encode("Metadata", version, correlation,
                                                                              b.metadata_body(version, 129)))
        line, = self.reasons(broker.place)
        self.assertIn("its answer to Metadata is REBOOTSTRAP_REQUIRED: ", line)

    def test_quietly(self):
        holder, port = closed_port()
        with holder:
            text = self.said(run("-q", "-b", f"127.0.0.1:{'0' * 300}{port}"), 3)
        self.assertEqual(text, f"kloop meta: no broker has answered\n  127.0.0.1:{port}: Connection refused\n")

    def test_more_brokers_than_there_are(self):
        broker = self.broker()
        broker.brokers = [(n, "127.0.0.1", 1, None) for n in range(10001)]
        line, = self.reasons(broker.place)
        self.assertIn("it tells of 10001 brokers, which is more than any cluster has", line)

    def test_no_metadata_in_common(self):
        broker = self.broker(offered=[{"apiKey": 3, "minVersion": 50, "maxVersion": 60}])
        line, = self.reasons(broker.place)
        self.assertIn("it has no version of Metadata in common with kloop", line)

    def test_a_signal(self):
        broker = self.broker(greet=lambda connection: connection.recv(1 << 16) and connection.recv(1))
        with subprocess.Popen([KLOOP, "meta", "-b", broker.place], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            while not broker.open:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=SECONDS)
            self.assertEqual(process.returncode, -signal.SIGINT)


class Somebody(Base):
    """One entry that works is enough."""

    def works(self, *servers, flags=()):
        text = self.told(run("-b", ",".join(servers), *flags))
        self.assertIn(" cluster a-cluster\n", text)
        return text

    def test_beside_ones_that_do_not(self):
        holder, port = closed_port()
        good = self.broker()
        silent = self.broker(greet=lambda connection: connection.recv(1 << 16) and connection.recv(1))
        web = self.broker(greet=speak(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        with holder:
            self.works(f"127.0.0.1:{port}", web.place, "no-such-name.invalid:1", silent.place, good.place)
        self.assertEqual(len(good.asked), 2)

    def test_ones_that_are_silent_are_not_waited_for(self):
        good = self.broker()
        silent = self.broker(host="0.0.0.0", greet=lambda connection: connection.recv(1 << 16) and connection.recv(1))
        self.works(*(f"127.0.0.{n}:{silent.port}" for n in range(1, 4)), good.place)
        self.assertEqual(len(silent.open), 3)

    def test_a_broker_that_hangs_up_on_versions_it_does_not_know(self):
        broker = self.broker(versions=lambda b, version, correlation: None if version else b.encode(
            "ApiVersions", 0, correlation, b.versions_body(0)))
        self.works(broker.place)
        self.assertEqual([version for api, version in broker.asked if api == "ApiVersions"], [4, 0])

    def test_a_broker_that_says_that_it_does_not_know_a_version(self):
        broker = self.broker(versions=lambda b, version, correlation: b.encode(
            "ApiVersions", 0, correlation, b.versions_body(0, 35 if version else 0)))
        self.works(broker.place)
        self.assertEqual([version for api, version in broker.asked if api == "ApiVersions"], [4, 0])

    def test_spaces_in_the_list(self):
        good = self.broker()
        self.works(f" {good.place} ")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    KLOOP = os.path.abspath(sys.argv.pop(1))
    unittest.main()
