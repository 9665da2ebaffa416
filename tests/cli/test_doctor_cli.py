#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The command `kloop doctor` from outside: what it finds on the way to a sink and to scripted brokers, and how it shows that.
What is behind TLS and a login is in test_doctor_secure_cli.py.

    test_doctor_cli.py KLOOP [unittest's arguments]
"""
import json
import os
import pty
import re
import resource
import struct
import subprocess
import sys
import tempfile

from doctor_case import WRONG, Base, Tested, closed_port, main, run, silence, speak, x
from scripted_broker import OFFERED, SECONDS, partition, topic
from sink_process import Sink

WRITE = 1 << 4
DESCRIBE = 1 << 8


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
        sink = self.enterContext(Sink(Tested.kloop, "--topic", "events:2"))
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
        sink = self.enterContext(Sink(Tested.kloop, "--topic", "events:2"))
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
        sink = self.enterContext(Sink(Tested.kloop))
        with tempfile.NamedTemporaryFile("w", suffix=".properties") as file:
            file.write(f"bootstrap.servers={sink.place}\n")
            file.flush()
            self.text("-F", file.name)

    def test_both_addresses_of_a_name(self):
        """The sink is at one of them only, which costs no more than a step."""
        sink = self.enterContext(Sink(Tested.kloop))
        port = sink.place.rpartition(":")[2]
        seen = self.seen("-b", f"localhost:{port}")
        self.assertEqual(seen["steps"][0]["facts"], {"host": "localhost", "source": "localhost",
                                                     "addresses": ["127.0.0.1", "::1"]})
        self.assertEqual([s["name"] for s in seen["steps"] if s["target"] == "broker"], [sink.place] * 5)

    def test_nobody_reads(self):
        sink = self.enterContext(Sink(Tested.kloop))
        with open("/dev/full", "wb") as full:
            done = subprocess.run([Tested.kloop, "doctor", "-b", sink.place], stdout=full, stderr=subprocess.PIPE, timeout=SECONDS)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"kloop doctor: standard output: No space left", done.stderr)

    def test_topics_that_are_not_there(self):
        sink = self.enterContext(Sink(Tested.kloop, "--topic", "a", "--auto-create", "3"))
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

    def test_more_brokers_than_there_are(self):
        """Each may be visited, and costs memory for that."""
        broker = self.broker()
        broker.brokers = [(n, "127.0.0.1", 1, None) for n in range(10001)]
        self.assertIn("it tells of 10001 brokers, which is more than any cluster has", self.step("metadata", "-b", broker.place)["says"])

    def test_names_that_would_move_the_cursor(self):
        broker = self.broker(cluster="a\x1b[2Jb")
        broker.brokers = [(1, "127.0.0.1", broker.port, None), (2, "a\x1b[2J\n.invalid", 1, None), (3, "a\x1b[2Jb", 1, None),
                          (4, "\U0001f600" * 200, 1, None)]
        for done in (run("-b", broker.place), run("--json", "-b", broker.place)):
            self.assertEqual(done.returncode, 3)
            self.assertNotIn(b"\x1b", done.stdout + done.stderr)
            done.stdout.decode()


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

    def test_a_port_with_zeros(self):
        """The configuration allows any number of them; an assertion did not."""
        holder, port = closed_port()
        with holder:
            step = self.step("tcp", "-b", f"127.0.0.1:{'0' * 300}{port}")
        self.assertEqual(step["name"], f"127.0.0.1:{port}")

    def test_one_step(self):
        done = run("-b", "no-such-name.invalid:9", "--timeout", "20")
        self.assertEqual((done.returncode, done.stderr), (3, b"kloop doctor: of 1 step 1 failed\n"))

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


def on_a_terminal(*arguments, **env):
    """What a terminal gets of the command, and its exit code."""
    master, slave = pty.openpty()
    environment = {**os.environ, "KLOOP_CONFIG": "", "TERM": "xterm", "LC_ALL": "C.UTF-8", **env}
    environment = {k: v for k, v in environment.items() if v is not None}
    with subprocess.Popen([Tested.kloop, "doctor", *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment) as process:
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
    main(sys.argv, __doc__)
