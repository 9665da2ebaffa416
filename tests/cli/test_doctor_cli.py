#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The command `kloop doctor` from outside: what it finds on the way to a sink, to scripted brokers, and to ones behind TLS and
a login; and that `kloop meta`, produce and perf go the same way.

    test_doctor_cli.py KLOOP [unittest's arguments]
"""
import json
import os
import pty
import re
import resource
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

import certificate_files
from scripted_broker import OFFERED, SECONDS, Broker, partition, topic
from secure_broker import SASL_OFFERED, SecureBroker, bearer, plain, scram, server_context
from sink_process import Sink

KLOOP = None
CERTIFICATES = None
NO_TLS = None
USERS = {"alice": "alice-s3cret"}
WRONG = "never-to-be-se3n"
WRITE = 1 << 4
DESCRIBE = 1 << 8


def no_tls():
    """Why nobody can be played in TLS here, or None."""
    holder, port = closed_port()
    with holder:
        done = run("-b", f"127.0.0.1:{port}", *x(security_protocol="SSL"))
    if b"built without TLS" in done.stderr:
        return "this kloop was built without TLS"
    return certificate_files.missing()


def setUpModule():
    global CERTIFICATES, NO_TLS
    NO_TLS = no_tls()
    if NO_TLS:
        return
    CERTIFICATES = certificate_files.Certificates()
    CERTIFICATES.__enter__()
    CERTIFICATES.make("broker")
    CERTIFICATES.make("old", days=(-40, -10))
    CERTIFICATES.make("early", days=(20, 300))
    CERTIFICATES.make("soon", days=(-300, 9.5))
    CERTIFICATES.make("other", names="DNS:elsewhere.example")
    CERTIFICATES.make("itself", by="itself")
    CERTIFICATES.make("between", authority=True)
    CERTIFICATES.make("below", by="between")
    CERTIFICATES.make("alice")


def tearDownModule():
    if CERTIFICATES:
        CERTIFICATES.__exit__()


def run(*arguments, command="doctor", **options):
    environment = {**os.environ, "KLOOP_CONFIG": "", **options.pop("env", {})}
    done = subprocess.run([KLOOP, command, *arguments], capture_output=True, timeout=SECONDS, env=environment, **options)
    for secret in (USERS["alice"], WRONG):
        assert secret.encode() not in done.stdout + done.stderr, "a secret was shown"
    return done


def x(**properties):
    """Flags of a configuration; _ stands for a dot."""
    return [word for key, value in properties.items() for word in ("-X", f"{key.replace('_', '.')}={value}")]


def closed_port():
    """A port that nobody listens on, held for as long as the answer lives."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    return holder, holder.getsockname()[1]


class Base(unittest.TestCase):
    def enterContext(self, thing):  # unittest has it from 3.11 on
        self.addCleanup(thing.__exit__, None, None, None)
        return thing.__enter__()

    def broker(self, **how):
        return self.enterContext(Broker(KLOOP, **how))

    def secure(self, **how):
        return self.enterContext(SecureBroker(KLOOP, **how))

    def text(self, *arguments, code=0):
        done = run(*arguments)
        self.assertEqual(done.returncode, code, (done.stdout.decode(), done.stderr))
        return done.stdout.decode()

    def seen(self, *arguments, code=0):
        """The object of --json."""
        done = run("--json", *arguments)
        self.assertEqual(done.returncode, code, (done.stdout.decode(), done.stderr))
        self.assertEqual(done.stdout.count(b"\n"), 1)
        seen = json.loads(done.stdout)
        self.assertEqual(seen["exit_code"], code)
        self.assertEqual(seen["outcome"] == "failed", code == 3)
        self.assertEqual(sum(seen["counts"].values()), len(seen["steps"]))
        return seen

    def steps(self, *arguments, code=0, target="bootstrap"):
        """Outcome by step."""
        seen = self.seen(*arguments, code=code)
        return [(s["step"], s["outcome"]) for s in seen["steps"] if s["target"] == target]

    def step(self, name, *arguments, code=3, target="bootstrap", outcome="failed"):
        """The one step of that name."""
        found = [s for s in self.seen(*arguments, code=code)["steps"] if s["step"] == name and s["target"] == target]
        self.assertEqual([s["outcome"] for s in found], [outcome], found)
        return found[0]


class CommandLine(Base):
    def test_help(self):
        for flag in ("--help", "-h"):
            done = run(flag)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            lines = done.stdout.decode().split("\n")
            self.assertLessEqual(len(lines), 40)
            self.assertLessEqual(max(map(len, lines)), 120)
            self.assertIn("usage: kloop doctor", lines[0])
            for word in ("-b, --bootstrap-server", "-t, --topic", "-m, --timeout", "-J, --json", "-X, ", "-F, ", "--print-config",
                         "-q, --quiet"):
                self.assertRegex(done.stdout.decode(), rf"(?m)^  {re.escape(word)}")

    def test_what_is_wrong_is_said_and_nobody_is_asked(self):
        for arguments, words in (
                ([], "bootstrap.servers"),
                (["-b", "localhost"], "bootstrap.servers: 'localhost' has no port"),
                (["--bootstrap-servers", "x:1"], "did you mean '--bootstrap-server'?"),
                (["-b", "x:1", "-t", ""], "the name of a topic is wanted"),
                (["-b", "x:1", "-t", b"\xff"], "the name of a topic is wanted, in UTF-8"),
                (["-b", "x:1", "--timeout", "0"], "a number from 0.001 to 3600 is wanted"),
                (["-b", "x:1", "events"], "'events' belongs to no flag; -b names a broker, -t a topic"),
                (["-b", "x:1", *x(security_protocol="SSLL")], "security.protocol"),
                (["-b", "x:1", *x(security_protocol="SASL_SSL")], "sasl.mechanism"),
                (["-b", "x:1", *x(security_protocol="SASL_PLAINTEXT", sasl_mechanism="PLAIN")], "sasl."),
                (["-b", "x:1", "-F", "/does/not/exist"], "/does/not/exist")):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, b""), done.stderr)
            self.assertIn(words, done.stderr.decode(errors="replace"), arguments)

    def test_print_config_hides_what_is_secret(self):
        done = run("-b", "x:1", "--print-config", *x(security_protocol="SASL_PLAINTEXT", sasl_mechanism="PLAIN",
                                                    sasl_username="alice", sasl_password=WRONG))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout.decode(), r"(?m)^security\.protocol +SASL_PLAINTEXT +-X")


class OfASink(Base):
    def test_all_is_well(self):
        sink = self.enterContext(Sink(KLOOP, "--topic", "events:2"))
        done = run("-b", sink.place, "-t", "events")
        self.assertEqual((done.returncode, done.stderr), (0, b"kloop doctor: all 8 steps are ok\n"))
        lines = [re.sub(r" +\d+(\.\d+)? (ms|s)  ", "  TIME  ", line) for line in done.stdout.decode().splitlines()]
        lines = [re.sub("[A-Za-z0-9_-]{22}", "ID", line) for line in lines]
        self.assertEqual(lines, [
            f"{sink.place}, of bootstrap.servers",
            "  ok       name  TIME  127.0.0.1, nothing to look up",
            f"  ok       tcp  TIME  {sink.place}",
            "  ok       versions  TIME  Kafka 4.1 or newer, Produce 13, Metadata 13, ApiVersions 4, InitProducerId 5",
            "  ok       metadata  TIME  cluster ID, 1 broker",
            "cluster ID",
            "  ok       cluster  TIME  1 broker, controller 1, 1 topic with 2 partitions that may be seen",
            "  ok       producer_id  TIME  may be one: idempotent producing is allowed",
            f"broker 1, at {sink.place}, controller",
            "  ok       listener                advertised as in bootstrap.servers, and reached above",
            "topic events",
            "  ok       topic  TIME  2 partitions, 1 replica each, all in sync, WRITE is allowed"])
        # What is not well alone.
        done = run("-q", "-b", sink.place, "-t", "events")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def test_for_machines(self):
        sink = self.enterContext(Sink(KLOOP, "--topic", "events:2"))
        seen = self.seen("-b", sink.place, "-t", "events")
        self.assertEqual((seen["outcome"], seen["security_protocol"], seen["sasl_mechanism"], seen["bootstrap_servers"]),
                         ("ok", "PLAINTEXT", None, sink.place))
        self.assertRegex(seen["cluster_id"], "^[A-Za-z0-9_-]{22}$")
        self.assertEqual(seen["counts"], {"ok": 8, "warning": 0, "failed": 0, "skipped": 0})
        self.assertEqual([(s["target"], s["step"], s["name"], s["broker"]) for s in seen["steps"]], [
            *(("bootstrap", step, sink.place, None) for step in ("name", "tcp", "versions", "metadata")),
            *(("cluster", step, seen["cluster_id"], None) for step in ("cluster", "producer_id")),
            ("broker", "listener", sink.place, 1), ("topic", "topic", "events", None)])
        for step in seen["steps"]:
            self.assertEqual(set(step), {"step", "target", "name", "broker", "outcome", "us", "says", "advice", "facts"})
            self.assertTrue(step["step"] == "listener" or step["us"] >= 0)
            self.assertIsNone(step["advice"])
        facts = {s["step"]: s["facts"] for s in seen["steps"]}
        self.assertEqual(facts["name"], {"host": "127.0.0.1", "source": "address", "addresses": ["127.0.0.1"]})
        self.assertEqual(facts["versions"]["Produce"], 13)
        self.assertEqual(facts["topic"], {"topic": "events", "partitions": 2, "leaderless": 0, "leaders_unreachable": 0,
                                          "under_replicated": 0, "may_write": True})

    def test_the_servers_may_come_from_a_file(self):
        sink = self.enterContext(Sink(KLOOP))
        with tempfile.NamedTemporaryFile("w", suffix=".properties") as file:
            file.write(f"bootstrap.servers={sink.place}\n")
            file.flush()
            self.text("-F", file.name)

    def test_both_addresses_of_a_name(self):
        """The sink is at one of them only, which costs no more than a step."""
        sink = self.enterContext(Sink(KLOOP))
        port = sink.place.rpartition(":")[2]
        seen = self.seen("-b", f"localhost:{port}")
        self.assertEqual(seen["steps"][0]["facts"], {"host": "localhost", "source": "localhost",
                                                     "addresses": ["127.0.0.1", "::1"]})
        self.assertEqual([s["name"] for s in seen["steps"] if s["target"] == "broker"], [sink.place] * 5)

    def test_nobody_reads(self):
        sink = self.enterContext(Sink(KLOOP))
        with open("/dev/full", "wb") as full:
            done = subprocess.run([KLOOP, "doctor", "-b", sink.place], stdout=full, stderr=subprocess.PIPE, timeout=SECONDS)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"kloop doctor: standard output: No space left", done.stderr)

    def test_topics_that_are_not_there(self):
        sink = self.enterContext(Sink(KLOOP, "--topic", "a", "--auto-create", "3"))
        step = self.step("topic", "-b", sink.place, "-t", "nosuch", "nosuch", target="topic")
        self.assertIn("there is no such topic", step["says"])
        self.assertIn("auto.create.topics.enable", step["advice"])
        step = self.step("topic", "-b", sink.place, "-t", "nosuch", *x(allow_auto_create_topics="false"), target="topic")
        self.assertEqual(step["advice"], "kafka-topics.sh --create --topic nosuch")
        self.assertIn("a-z A-Z", self.step("topic", "-b", sink.place, "-t", "a b", target="topic")["advice"])
        sink.__exit__()
        self.assertEqual([t["topic"] for t in sink.stored["topics"]], ["a"])
        sink.__exit__ = lambda *_: None


class OfACluster(Base):
    def test_topics(self):
        broker = self.broker()
        me = (1, "127.0.0.1", broker.port, None)
        for topics, outcome, says, advice in (
                ([topic("t", partition(0, 1, [1], [1]), allowed=WRITE | DESCRIBE)], "ok", "WRITE is allowed", None),
                ([topic("t", partition(0, 1, [1], [1]))], "ok", "all in sync", None),
                ([topic("t", partition(0, 1, [1], [1]), allowed=DESCRIBE)], "failed", "WRITE is not allowed",
                 "kafka-acls.sh --add --allow-principal User:NAME --producer --topic t"),
                ([topic("t", error=29)], "failed", "TOPIC_AUTHORIZATION_FAILED", "lacks DESCRIBE"),
                ([topic("t", error=5)], "failed", "LEADER_NOT_AVAILABLE", "ask again"),
                ([topic("t", error=87)], "failed", "INVALID_RECORD", "."),
                ([], "failed", "there is no such topic", "kafka-topics.sh"),
                ([topic("t", partition(0, -1, [1], []), partition(1, 1, [1], [1]))], "failed", "1 without a leader, namely 0",
                 "wait until they expire"),
                ([topic("t", partition(0, 1, [1, 2, 3], [1]), partition(1, 1, [1, 2, 3], [1, 2, 3]))], "warning",
                 "1 with replicas that are not in sync", "no more than 1 in sync")):
            broker.brokers, broker.topics = [me], topics
            step = self.step("topic", "-b", broker.place, "-t", "t", target="topic", outcome=outcome,
                             code=3 if outcome == "failed" else 0)
            self.assertIn(says, step["says"])
            self.assertEqual(advice is None, step["advice"] is None)
            self.assertIn(advice or "", step["advice"] or "")

    def test_many_partitions_are_not_all_named(self):
        broker = self.broker()
        broker.topics = [topic("t", *(partition(n, -1, [1], []) for n in range(100)))]
        step = self.step("topic", "-b", broker.place, "-t", "t", target="topic")
        self.assertIn("namely 0, 1, 2, 3, 4, 5, 6, ...", step["says"])

    def test_partitions_of_brokers_that_cannot_be_reached(self):
        holder, port = closed_port()
        broker = self.broker(topics=[topic("t", partition(0, 1, [1], [1]), partition(1, 2, [2], [2]))])
        broker.brokers = [(1, "127.0.0.1", broker.port, None), (2, "127.0.0.1", port, None)]
        with holder:
            step = self.step("topic", "-b", broker.place, "-t", "t", target="topic")
        self.assertIn("1 led by brokers that cannot be reached, namely 1", step["says"])

    def test_advertised_listeners(self):
        holder, port = closed_port()
        broker = self.broker()
        with holder:
            for host, at, name, words in (
                    ("no-such-name.invalid", 9092, "name", "set advertised.listeners=PLAINTEXT://HOST:PORT"),
                    ("kafkabox", 9092, "name", "known within one network of containers"),
                    ("127.0.0.1", port, "tcp", "broker 7 tells its clients to come to 127.0.0.1:"),
                    ("0.0.0.0", broker.port, "listener", "not to the address of every network"),
                    ("127.0.0.1", 0, "listener", "set advertised.listeners of broker 7")):
                broker.brokers = [(1, "127.0.0.1", broker.port, None), (7, host, at, None)]
                seen = self.seen("-b", broker.place, "--timeout", "20", code=3)
                found = [s for s in seen["steps"] if s["broker"] == 7 and s["step"] == name]
                self.assertEqual([s["outcome"] for s in found], ["failed"], (host, seen))
                self.assertIn(words, found[0]["advice"])
                self.assertEqual([s["outcome"] for s in seen["steps"] if s["broker"] == 1], ["ok"])

    def test_another_cluster_at_the_place_of_a_broker(self):
        other = self.broker(cluster="another")
        broker = self.broker()
        broker.brokers = [(1, "127.0.0.1", broker.port, None), (2, "127.0.0.1", other.port, None)]
        step = self.step("metadata", "-b", broker.place, target="broker")
        self.assertIn("another cluster than a-cluster answers where broker 2 is said to be", step["advice"])

    def test_entries_of_two_clusters(self):
        one, two = self.broker(), self.broker(cluster="another")
        found = [s for s in self.seen("-b", f"{one.place},{two.place}", code=3)["steps"] if s["step"] == "metadata"]
        self.assertEqual([s["outcome"] for s in found], ["ok", "failed"])
        self.assertIn("lead to different clusters", found[1]["advice"])

    def test_a_producer_id(self):
        for error, outcome, words in ((31, "failed", "IDEMPOTENT_WRITE on the cluster"), (14, "warning", "ask again"),
                                      (48, "failed", ".")):
            broker = self.broker(producer_id=lambda b, version, correlation, error=error: b.encode(
                "InitProducerId", version, correlation,
                {"throttleTimeMs": 0, "errorCode": error, "producerId": -1, "producerEpoch": -1}))
            step = self.step("producer_id", "-b", broker.place, target="cluster", outcome=outcome,
                             code=3 if outcome == "failed" else 0)
            self.assertIn(words, step["advice"])
            self.assertNotIn("producer_id", dict(self.steps("-b", broker.place, *x(acks="1"), target="cluster")))

    def test_versions_that_are_not_there(self):
        for offered, words in (([{"apiKey": 0, "minVersion": 99, "maxVersion": 100}, *OFFERED[1:]], "Kafka 0.11 or newer"),
                               (OFFERED[:3], "enable.idempotence=true")):
            broker = self.broker(offered=offered)
            self.assertIn(words, self.step("versions", "-b", broker.place)["advice"])

    def test_no_brokers_at_all(self):
        broker = self.broker(metadata=lambda b, version, correlation: b.encode(
            "Metadata", version, correlation, {**b.metadata_body(version), "brokers": []}))
        self.assertIn("tells of no broker", self.step("cluster", "-b", broker.place, target="cluster")["advice"])

    def test_many_brokers(self):
        """More than are asked at once, and more than there may be sockets."""
        broker = self.broker(host="0.0.0.0")
        broker.brokers = [(n, f"127.0.0.{n}", broker.port, None) for n in range(1, 101)]
        done = run("--json", "-b", f"127.0.0.200:{broker.port}", "--timeout", "60",
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
        steps = json.loads(done.stdout)["steps"]
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([s["broker"] for s in steps if s["step"] == "versions" and s["broker"]], list(range(1, 101)))

    def test_names_that_would_move_the_cursor(self):
        broker = self.broker(cluster="a\x1b[2Jb")
        broker.brokers = [(1, "127.0.0.1", broker.port, None), (2, "a\x1b[2J\n.invalid", 1, None)]
        for done in (run("-b", broker.place), run("--json", "-b", broker.place)):
            self.assertEqual(done.returncode, 3)
            self.assertNotIn(b"\x1b", done.stdout + done.stderr)


def speak(text):
    def greet(connection):
        connection.recv(1)
        connection.sendall(text)
        connection.recv(1 << 16)
    return greet


def silence(connection):
    while connection.recv(1 << 16):
        pass


class Nobody(Base):
    def test_every_entry_tells(self):
        holder, port = closed_port()
        good = self.broker()
        with holder:
            seen = self.seen("-b", f"127.0.0.1:{port},no-such-name.invalid:9,{good.place}", "-t", "t", "--timeout", "20", code=3)
        found = {(s["name"], s["step"]): s for s in seen["steps"] if s["target"] == "bootstrap"}
        self.assertEqual(found[f"127.0.0.1:{port}", "tcp"]["outcome"], "failed")
        self.assertIn("is the broker up", found[f"127.0.0.1:{port}", "tcp"]["advice"])
        self.assertEqual(found["no-such-name.invalid:9", "name"]["outcome"], "failed")
        self.assertIn("getent hosts no-such-name.invalid", found["no-such-name.invalid:9", "name"]["advice"])
        self.assertEqual(found[good.place, "metadata"]["outcome"], "ok")

    def test_topics_are_skipped(self):
        holder, port = closed_port()
        with holder:
            step = self.step("topic", "-b", f"127.0.0.1:{port}", "-t", "t", target="topic", outcome="skipped")
        self.assertEqual(step["says"], "no broker could be asked")

    def test_who_is_no_kafka(self):
        for greet, words in ((speak(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "web server"),
                             (speak(b"\xff\xff\xff\xff\xff\xff"), "is this the port of a broker?"),
                             (speak(struct.pack(">ii", 4, 123456)), "is this the port of a broker?"),
                             (lambda connection: connection.close(), "security.protocol=SSL")):
            broker = self.broker(greet=greet)
            step = self.step("versions", "-b", broker.place)
            self.assertIn(words, step["advice"])

    def test_who_says_nothing(self):
        broker = self.broker(greet=silence)
        step = self.step("versions", "-b", broker.place, "--timeout", "0.2")
        self.assertEqual(step["says"], "no answer to ApiVersions within 0.2 s")
        self.assertGreaterEqual(step["us"], 200000)
        self.assertIn("security.protocol=SSL", step["advice"])

    def test_who_sends_a_byte_now_and_then(self):
        """Each of them kept the time limit from being looked at."""
        def drip(connection):
            connection.recv(1)
            connection.sendall(struct.pack(">i", 1 << 20))
            while True:
                connection.sendall(b"x")
        broker = self.broker(greet=drip)
        self.step("versions", "-b", broker.place, "--timeout", "0.5")

    def test_metadata_that_does_not_come(self):
        broker = self.broker(metadata=lambda b, version, correlation: struct.pack(">i", correlation) + b"\0\0")
        self.assertIn("cannot be read", self.step("metadata", "-b", broker.place)["says"])


class InTls(Base):
    def setUp(self):
        if NO_TLS:
            self.skipTest(NO_TLS)

    def flags(self, **more):
        return x(security_protocol="SSL", ssl_truststore_location=CERTIFICATES.file("ca.crt"), **more)

    def behind(self, name, **how):
        return self.secure(tls=server_context(CERTIFICATES.file(f"{name}.pem")), **how)

    def test_all_is_well(self):
        broker = self.behind("broker", topics=[topic("t", partition(0, 1, [1], [1]))])
        seen = self.seen("-b", broker.place, "-t", "t", *self.flags())
        self.assertEqual([s["step"] for s in seen["steps"] if s["target"] == "bootstrap"],
                         ["name", "tcp", "tls", "versions", "metadata"])
        facts, = (s["facts"] for s in seen["steps"] if s["step"] == "tls")
        self.assertEqual((facts["version"], facts["subject"], facts["issuer"], facts["chain"], facts["resumed"], facts["verdict"]),
                         ("TLSv1.3", "CN=broker", "CN=ca", ["CN=broker"], False, "ok"))
        self.assertIn("IP:127.0.0.1", facts["names"])
        self.assertIn(facts["days_left"], (299, 300))
        text = self.text("-b", broker.place, *self.flags())
        self.assertRegex(text, r"(?m)^  ok       tls .* TLSv1\.3, TLS_")
        self.assertRegex(text, r"(?m)^ +CN=broker, for .*IP:127\.0\.0\.1")
        self.assertRegex(text, r"(?m)^ +issued by CN=ca, valid from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d, (299|300) days left$")

    def test_tls_1_2(self):
        broker = self.secure(tls=server_context(CERTIFICATES.file("broker.pem"), newest=ssl.TLSVersion.TLSv1_2))
        step = self.step("tls", "-b", broker.place, *self.flags(), code=0, outcome="ok")
        self.assertEqual(step["facts"]["version"], "TLSv1.2")

    def test_certificates(self):
        for name, outcome, words in (
                ("soon", "warning", "expires in 9 days"),
                ("below", "ok", None),
                ("old", "failed", "has expired"),
                ("early", "failed", "not valid yet"),
                ("other", "failed", "elsewhere.example"),
                ("itself", "failed", "signed by itself")):
            broker = self.behind(name)
            step = self.step("tls", "-b", broker.place, *self.flags(), outcome=outcome, code=3 if outcome == "failed" else 0)
            self.assertIn(words or "", step["advice"] or step["says"])
            self.assertEqual(step["facts"]["subject"], f"CN={name}")
            if outcome == "failed":
                self.assertEqual(broker.asked, [])
            if name == "below":
                self.assertEqual(step["facts"]["chain"], ["CN=below", "CN=between"])

    def test_a_ca_that_is_not_known(self):
        broker = self.behind("broker")
        step = self.step("tls", "-b", broker.place,
                         *x(security_protocol="SSL", ssl_truststore_location=CERTIFICATES.file("itself.crt")))
        self.assertIn("not trusted", step["says"])

    def test_files_that_are_not_there(self):
        for command in ("doctor", "meta"):
            done = run("-b", "x:1", *x(security_protocol="SSL", ssl_truststore_location="/does/not/exist"), command=command)
            self.assertEqual((done.returncode, done.stdout), (2, b""))
            self.assertIn(b"/does/not/exist", done.stderr)

    def test_a_name_that_nobody_looks_at(self):
        broker = self.behind("other")
        self.text("-b", broker.place, *self.flags(ssl_endpoint_identification_algorithm="none"))

    def test_a_certificate_of_ours(self):
        broker = self.secure(tls=server_context(CERTIFICATES.file("broker.pem"), asks_for=CERTIFICATES.file("ca.crt")))
        step = self.step("tls", "-b", broker.place, *self.flags())
        self.assertIn("ssl.keystore", step["says"])
        step = self.step("tls", "-b", broker.place, *self.flags(ssl_keystore_location=CERTIFICATES.file("alice.pem")), code=0,
                         outcome="ok")
        self.assertIs(step["facts"]["certificate_sent"], True)

    def test_plain_text_to_a_port_of_tls(self):
        broker = self.behind("broker")
        step = self.step("versions", "-b", broker.place)
        self.assertIn("set security.protocol=SSL", step["advice"])
        self.assertIn("not trusted", step["advice"])
        step = self.step("versions", "-b", broker.place, *x(ssl_truststore_location=CERTIFICATES.file("ca.crt")))
        self.assertEqual(step["advice"], "asked so, it answers in TLS: set security.protocol=SSL")

    def test_tls_to_a_port_of_plain_text(self):
        broker = self.broker()
        step = self.step("tls", "-b", broker.place, *self.flags())
        self.assertEqual(step["facts"]["port_speaks"], "PLAINTEXT")
        self.assertIn("set security.protocol=PLAINTEXT", step["advice"])
        # And nothing else was said there.
        self.assertEqual({api for api, _ in broker.asked}, {"ApiVersions"})

    def test_handshakes_that_do_not_end(self):
        for greet in (silence, lambda connection: (connection.recv(1), connection.sendall(b"\x16\x03"), silence(connection))):
            broker = self.broker(greet=greet)
            step = self.step("tls", "-b", broker.place, "--timeout", "0.2", *self.flags())
            self.assertIn("TLS was not agreed upon within 0.2 s", step["says"])
            self.assertIn("security.protocol=PLAINTEXT", step["advice"])

    def test_handshakes_that_are_none(self):
        for greet in (lambda connection: (connection.recv(1 << 16), connection.close()), speak(b"\x16\x03\x03\xff\xff" + b"x" * 70000), speak(b"\0" * 4096),
                      speak(b"HTTP/1.1 400 Bad Request\r\n\r\n"), speak(b"\x15\x03\x03\x00\x02\x02\x28")):
            broker = self.broker(greet=greet)
            step = self.step("tls", "-b", broker.place, *self.flags())
            self.assertTrue(step["says"])

    def test_produce_ends_with_3(self):
        """Also where nobody can be trusted, and long before the records' two minutes are over."""
        broker = self.behind("itself")
        done = run("-b", broker.place, "-t", "t", *self.flags(), command="produce", input=b"one\n")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(b"is not trusted", done.stderr)
        self.assertIn(b"kloop doctor", done.stderr)
        self.assertEqual(broker.asked, [])

        # Another address of the name, at which nobody is, does not make it better.
        done = run("-b", f"localhost:{broker.port}", "-t", "t", *self.flags(), command="produce", input=b"one\n")
        self.assertEqual(done.returncode, 3, done.stderr)
        # And in plain text, to which a port of TLS answers with an alert.
        broker = self.broker(greet=speak(b"\x15\x03\x03\x00\x02\x02\x50"))
        done = run("-b", broker.place, "-t", "t", command="produce", input=b"one\n")
        self.assertEqual(done.returncode, 3, done.stderr)

    def test_a_certificate_of_ours_that_soon_expires(self):
        broker = self.behind("broker")
        for command in ("doctor", "meta"):
            flags = ("-b", broker.place, *self.flags(ssl_keystore_location=CERTIFICATES.file("soon.pem")))
            self.assertIn(f"kloop {command}: note: ".encode(), run(*flags, command=command).stderr)
            self.assertNotIn(b"note:", run("-q", *flags, command=command).stderr)

    def test_meta_goes_the_same_way(self):
        broker = self.behind("broker", topics=[topic("t", partition(0, 1, [1], [1]))])
        done = run("-b", broker.place, "--api", *self.flags(), command="meta")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b' topic "t" with 1 partitions:', done.stdout)
        done = run("-b", broker.place, *x(security_protocol="SSL"), command="meta")
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"is not trusted", done.stderr)


class WithALogin(Base):
    def flags(self, mechanism, password=USERS["alice"], protocol="SASL_PLAINTEXT", **more):
        return x(security_protocol=protocol, sasl_mechanism=mechanism, sasl_username="alice", sasl_password=password, **more)

    @staticmethod
    def logins(**bend):
        return {"PLAIN": lambda: plain(USERS), **{name: lambda name=name: scram(USERS, name, **bend)
                                                  for name in ("SCRAM-SHA-256", "SCRAM-SHA-512")}}

    def test_all_is_well(self):
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
            broker = self.secure(logins=self.logins(), lifetime_ms=30000)
            step = self.step("sasl", "-b", broker.place, *self.flags(mechanism), code=0, outcome="ok")
            self.assertEqual(step["facts"]["mechanism"], mechanism)
            self.assertEqual(step["facts"]["offered"], ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
            self.assertEqual(step["facts"]["session_lifetime_ms"], 30000)
            self.assertIn("to be renewed within 30 s", step["says"])
            self.assertEqual(broker.early, [])

    def test_a_sink_that_knows_alice(self):
        sink = self.enterContext(Sink(KLOOP, "--topic", "t", "--user", f"alice:{USERS['alice']}"))
        step = self.step("sasl", "-b", sink.place, "-t", "t", *self.flags("SCRAM-SHA-512"), code=0, outcome="ok")
        self.assertIn("SCRAM-SHA-512", step["facts"]["offered"])
        self.step("sasl", "-b", sink.place, *self.flags("SCRAM-SHA-512", WRONG))
        step = self.step("metadata", "-b", sink.place)
        self.assertEqual(step["facts"]["port_speaks"], "SASL_PLAINTEXT")

    def test_plain_is_for_tls(self):
        broker = self.secure(logins=self.logins())
        step = self.step("sasl", "-b", broker.place, *self.flags("PLAIN"), code=0, outcome="warning")
        self.assertIn("security.protocol=SASL_SSL", step["advice"])

    def test_both(self):
        if NO_TLS:
            self.skipTest(NO_TLS)
        broker = self.secure(tls=server_context(CERTIFICATES.file("broker.pem")), logins=self.logins())
        flags = self.flags("PLAIN", protocol="SASL_SSL", ssl_truststore_location=CERTIFICATES.file("ca.crt"))
        self.assertEqual(self.steps("-b", broker.place, *flags),
                         [(step, "ok") for step in ("name", "tcp", "tls", "versions", "sasl", "metadata")])
        done = run("-b", broker.place, "--api", *flags, command="meta")
        self.assertEqual(done.returncode, 0, done.stderr)
        # A login is no reason to be less careful about whom one talks to.
        broker = self.secure(tls=server_context(CERTIFICATES.file("itself.pem")), logins=self.logins())
        self.step("tls", "-b", broker.place, *flags)
        self.assertEqual((broker.asked, broker.early), ([], []))

    def test_a_wrong_password(self):
        for mechanism in self.logins():
            broker = self.secure(logins=self.logins())
            step = self.step("sasl", "-b", broker.place, *self.flags(mechanism, WRONG))
            self.assertIn("SASL_AUTHENTICATION_FAILED", step["says"])
            self.assertIn(f"it refuses the login of {mechanism}: ", step["says"])
            self.assertIn("sasl.jaas.config, or sasl.username and sasl.password", step["says"])
            # Brokers count what they refuse.
            self.assertEqual([api for api, _ in broker.asked].count("SaslAuthenticate"), 1 if mechanism == "PLAIN" else 2)
            self.assertEqual(broker.early, [])

    def test_a_mechanism_that_is_not_offered(self):
        broker = self.secure(logins={"SCRAM-SHA-512": self.logins()["SCRAM-SHA-512"]})
        step = self.step("sasl", "-b", broker.place, *self.flags("PLAIN"))
        self.assertIn("it offers: SCRAM-SHA-512", step["says"])
        self.assertNotIn("SaslAuthenticate", [api for api, _ in broker.asked])

    def test_a_listener_without_a_login(self):
        for offered in (OFFERED, SASL_OFFERED):
            broker = self.broker(offered=offered)
            step = self.step("sasl", "-b", broker.place, *self.flags("PLAIN"))
            self.assertIn("set security.protocol=PLAINTEXT", step["advice"])

    def test_nobody_logs_in_who_has_to(self):
        broker = self.secure(logins=self.logins())
        step = self.step("metadata", "-b", broker.place)
        self.assertEqual(step["facts"], {"port_speaks": "SASL_PLAINTEXT", "port_offers": "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"})
        self.assertIn("set security.protocol=SASL_PLAINTEXT", step["advice"])

    def test_who_hangs(self):
        for api in ("SaslHandshake", "SaslAuthenticate", "Metadata", "ApiVersions"):
            broker = self.secure(logins=self.logins(), hang=api)
            name = {"Metadata": "metadata", "ApiVersions": "versions"}.get(api, "sasl")
            step = self.step(name, "-b", broker.place, "--timeout", "0.5", *self.flags("SCRAM-SHA-256"))
            self.assertEqual(step["says"], f"no answer to {api} within 0.5 s")

    def test_servers_that_cannot_be_trusted(self):
        for name, change in (("first", lambda s: s.replace("r=", "r=x", 1)), ("first", lambda s: re.sub("r=[^,]*", "r=", s)),
                             ("first", lambda s: re.sub("i=.*", "i=2147483648", s)), ("first", lambda s: re.sub("i=.*", "i=1", s)),
                             ("first", lambda s: re.sub("i=.*", "i=2147483647", s)), ("first", lambda s: ""),
                             ("first", lambda s: "x" * 60000), ("final", lambda s: "v=" + "A" * 43 + "="),
                             ("final", lambda s: ""), ("final", lambda s: "e=other-error")):
            broker = self.secure(logins=self.logins(
                bend=lambda which, text, name=name, change=change: change(text) if which == name else text))
            step = self.step("sasl", "-b", broker.place, *self.flags("SCRAM-SHA-256"))
            self.assertTrue(step["says"], change)
            self.assertNotIn("Metadata", [api for api, _ in broker.asked])

    def test_words_that_would_move_the_cursor(self):
        def angry():
            yield None
            from secure_broker import Refused
            raise Refused("no\x1b[2J\n" + "\u00e9" * 5000)
        broker = self.secure(logins={"PLAIN": angry})
        for done in (run("-b", broker.place, *self.flags("PLAIN")), run("--json", "-b", broker.place, *self.flags("PLAIN"))):
            self.assertEqual(done.returncode, 3)
            self.assertNotIn(b"\x1b", done.stdout)
            done.stdout.decode()

    def test_a_token_from_a_file(self):
        broker = self.secure(logins={"OAUTHBEARER": lambda: bearer({"a.good.token"})})
        with tempfile.NamedTemporaryFile("w") as file:
            flags = x(security_protocol="SASL_PLAINTEXT", sasl_mechanism="OAUTHBEARER",
                      sasl_oauthbearer_token_endpoint_url=f"file://{file.name}")
            self.assertIn("it is empty", self.step("sasl", "-b", broker.place, *flags)["says"])
            file.write("  a.good.token\n")
            file.flush()
            step = self.step("sasl", "-b", broker.place, *flags, code=0, outcome="warning")
            self.assertEqual(step["facts"]["mechanism"], "OAUTHBEARER")
            file.write("x")
            file.flush()
            self.step("sasl", "-b", broker.place, *flags)
        self.assertIn("No such file", self.step("sasl", "-b", broker.place, *flags)["says"])

    def test_produce_and_perf_end_with_3(self):
        """Within a second or two, and not when the records' two minutes are over."""
        broker = self.secure(logins=self.logins())
        flags = self.flags("SCRAM-SHA-256", WRONG)
        done = run("-b", broker.place, "-t", "t", *flags, command="produce", input=b"one\ntwo\n")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(b"SASL_AUTHENTICATION_FAILED", done.stderr)
        self.assertIn(b"kloop doctor", done.stderr)
        done = run("--bootstrap-server", broker.place, "--topic", "t", "--num-records", "1000", "--record-size", "10", *flags,
                   command="perf")
        self.assertEqual(done.returncode, 3, done.stderr)

    def test_whoever_is_let_in_by_nobody_ends_with_3(self):
        """Without a login brokers can be reached, and tell what they speak; it was 1."""
        broker = self.secure(logins=self.logins())
        limits = x(delivery_timeout_ms="300", request_timeout_ms="200", linger_ms="0")
        done = run("-b", broker.place, "-t", "t", *limits, command="produce", input=b"one\n")
        self.assertEqual(done.returncode, 3, done.stderr)
        done = run("--bootstrap-server", broker.place, "--topic", "t", "--num-records", "10", "--record-size", "10", *limits,
                   command="perf")
        self.assertEqual(done.returncode, 3, done.stderr)

    def test_produce_ends_though_there_is_more_to_read(self):
        broker = self.secure(logins=self.logins())
        with subprocess.Popen([KLOOP, "produce", "-b", broker.place, "-t", "t", *self.flags("PLAIN", WRONG)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**os.environ, "KLOOP_CONFIG": ""}) as process:
            process.stdin.write(b"one\n")
            process.stdin.flush()
            self.assertEqual(process.wait(timeout=SECONDS), 3)


def on_a_terminal(*arguments, **env):
    """What a terminal gets of the command, and its exit code."""
    master, slave = pty.openpty()
    environment = {**os.environ, "KLOOP_CONFIG": "", "TERM": "xterm", "LC_ALL": "C.UTF-8", **env}
    environment = {k: v for k, v in environment.items() if v is not None}
    with subprocess.Popen([KLOOP, "doctor", *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment) as process:
        os.close(slave)
        seen = b""
        try:
            while piece := os.read(master, 1 << 16):
                seen += piece
        except OSError:  # its other end is closed
            pass
        os.close(master)
        return seen.decode(), process.wait(timeout=SECONDS)


class OnATerminal(Base):
    def test_signs_and_colours(self):
        broker = self.broker(topics=[topic("t", error=29)])
        seen, code = on_a_terminal("-b", broker.place, "-t", "t", NO_COLOR=None)
        self.assertEqual(code, 3)
        self.assertIn("\x1b[32m\u2713 ok\x1b[0m", seen)
        self.assertIn("\x1b[31m\u2717 failed\x1b[0m", seen)
        seen, _ = on_a_terminal("-b", broker.place, "-t", "t", NO_COLOR="1")
        self.assertNotIn("\x1b[3", seen)
        seen, _ = on_a_terminal("-b", broker.place, "-t", "t", NO_COLOR="1", LC_ALL="C", LC_CTYPE="C", LANG="C")
        self.assertTrue(seen.isascii())

    def test_lines_are_broken_between_words(self):
        broker = self.broker(topics=[topic("t", error=29)])
        seen, _ = on_a_terminal("-b", broker.place, "-t", "t", NO_COLOR="1", COLUMNS="80")
        self.assertLessEqual(max(map(len, seen.replace("\r", "").split("\n"))), 80)

    def test_a_wait_does_not_look_like_a_hang(self):
        broker = self.broker(greet=silence)
        seen, code = on_a_terminal("-b", broker.place, "--timeout", "1", NO_COLOR="1")
        self.assertEqual(code, 3)
        self.assertRegex(seen, rf"\r[01] s: {re.escape(broker.place)}: connected, but it has not told its API versions\x1b\[K")
        for arguments in (["-q"], ["--json", "-q"]):
            seen, _ = on_a_terminal("-b", broker.place, "--timeout", "1", *arguments, NO_COLOR="1")
            self.assertNotIn(" s: ", seen)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    KLOOP = os.path.abspath(sys.argv.pop(1))
    unittest.main()
