#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The command `kloop produce` from outside: lines to records, events back, exit codes, every way in which a run can end.

    test_produce_cli.py KLOOP [unittest's arguments]

The broker is `kloop sink --check`, or a server of the test's own that keeps the bytes it was sent.
"""
import array
import base64
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import unittest

from sink_process import SECONDS, Sink, without_rates

KLOOP = None
# A file of the user who runs the tests is not part of them.
os.environ["KLOOP_CONFIG"] = ""


def run(*arguments, stdin=b"", **options):
    return subprocess.run([KLOOP, "produce", *arguments], input=stdin, capture_output=True, timeout=SECONDS, **options)


def nowhere():
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        return f"127.0.0.1:{s.getsockname()[1]}"


def events_of(done):
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


SHORT = ["-X", "delivery.timeout.ms=600", "-X", "request.timeout.ms=300", "-X", "linger.ms=0", "-X", "max.block.ms=600",
         "-X", "reconnect.backoff.ms=10"]


class CommandLine(unittest.TestCase):
    def test_help(self):
        for flag in ("--help", "-h"):
            done = run(flag)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            lines = done.stdout.decode().split("\n")
            self.assertLessEqual(len(lines), 40)
            self.assertLessEqual(max(map(len, lines)), 120)
            self.assertIn("usage: kloop produce", lines[0])
            self.assertIn("examples:", lines)

    def test_what_is_wrong_is_said(self):
        good = ["-b", "127.0.0.1:1", "-t", "t"]
        for arguments, words in (
                (["-b", "127.0.0.1:1"], "-t TOPIC is missing"),
                (["-t", "t"], "bootstrap.servers"),
                ([*good, "--evnets"], "did you mean '--events'?"),
                ([*good, "-y"], "there is no option '-y'"),
                ([*good, "-t"], "-t needs a value"),
                ([*good, "-p", "-2"], "a number from -1"),
                ([*good, "-p", "x"], "a number from -1"),
                ([*good, "-c", "-1"], "a number from 0"),
                ([*good, "-K", ""], "1 to 64 bytes"),
                ([*good, "-K", "\\y"], "behind a backslash"),
                ([*good, "-z", "brotli"], "compression.type"),
                ([*good, "-X", "acks"], "KEY=VALUE is wanted"),
                ([*good, "-X", "acks=2"], "acks"),
                ([*good, "-X", "lingerms=2"], "linger.ms"),
                ([*good, "-F", "/nowhere/at/all"], "No such file or directory"),
                ([*good, "-l", "/nowhere/at/all"], "No such file or directory"),
                ([*good, "--input", "xml"], "lines or json is wanted"),
                ([*good, "--rate", "0"], "a rate above 0 is wanted, as 500/s"),
                ([*good, "--rate", "5x"], "a rate above 0 is wanted, as 500/s"),
                ([*good, "--byte-rate", "-1"], "a rate above 0 is wanted, as 500kB/s"),
                ([*good, "--dead-letter", "/nowhere/at/all"], "--dead-letter '/nowhere/at/all': No such file"),
                ([*good, "--dead-letter", "/"], "--dead-letter '/': Is a directory"),
                ([*good, "/nowhere/at/all"], "'/nowhere/at/all': No such file or directory"),
                ([*good, "/"], "'/': Is a directory"),
                ([*good, "--events", "-T"], "--events and -T both write to standard output"),
                ([*good, "--events", "--dead-letter", "-"], "--dead-letter - and --events both write to standard output"),
                ([*good, "-T", "--dead-letter", "-"], "--dead-letter - and -T both write to standard output"),
                ([*good, "--input", "json", "-K:"], "-K is about lines"),
                ([*good, "--input", "json", "-Z"], "-Z is about lines"),
                ([*good, "--reader-property", "parse.key"], "key=value is wanted"),
                ([*good, "--reader-property", "parse.key=yes"], "true or false is wanted"),
                ([*good, "--reader-property", "parse.keys=true"], "did you mean 'parse.key'?"),
                ([*good, "--progress", "maybe"], "auto, always or never"),
                (["-b", "127.0.0.1:1", "-t", "no good name"], "no good name")):
            done = run(*arguments, stdin=b"x\n")
            self.assertEqual((done.returncode, done.stdout), (2, b""), arguments)
            self.assertIn(words, done.stderr.decode())

    def test_the_config_and_where_it_came_from(self):
        done = run("--print-config", "-b", "127.0.0.1:9092", "-z", "zstd", "-X", "linger.ms=3")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        rows = {line.split()[0]: line.split(None, 2)[1:] for line in done.stdout.decode().splitlines()}
        self.assertEqual(rows["compression.type"], ["zstd", "-z"])
        self.assertEqual(rows["linger.ms"], ["3", "-X"])


class Records(unittest.TestCase):
    """Each record is told of as it was sent, and the sink takes it."""

    def produced(self, stdin, *flags, partitions=1):
        """The success events."""
        with Sink(KLOOP, "--topic", f"t:{partitions}", "--check") as sink:
            done = run("-b", sink.place, "-t", "t", "--events", *flags, stdin=stdin)
            self.assertEqual(done.returncode, 0, done)
            self.assertEqual(done.stderr.decode().splitlines()[-1].split()[-1], "delivered")
        self.assertEqual((sink.code, sink.errors), (0, b""))
        first, *events, closed, data = events_of(done)
        self.assertEqual(sorted(first), ["name", "timestamp"])
        self.assertEqual([e["name"] for e in (first, closed, data)],
                         ["startup_complete", "shutdown_complete", "tool_data"])
        self.assertEqual({e["name"] for e in events} | {"producer_send_success"}, {"producer_send_success"})
        self.assertEqual([data[k] for k in ("sent", "acked", "failed", "unknown")], [len(events), len(events), 0, 0])
        self.assertEqual(sink.stored["records"], len(events))
        times = [e["timestamp"] for e in (first, *events, closed, data)]
        self.assertEqual(times, sorted(times))
        return events

    def pairs(self, stdin, *flags):
        return [(e["key"], e["value"]) for e in self.produced(stdin, *flags)]

    def test_lines(self):
        for stdin, pairs in ((b"", []), (b"a\n", ["a"]), (b"a", ["a"]), (b"a\n\nb\r\n", ["a", "", "b\r"]),
                             ("\u00e9 \U0001f600 \" \\ \t\x01\n".encode(), ["\u00e9 \U0001f600 \" \\ \t\x01"])):
            self.assertEqual(self.pairs(stdin), [(None, value) for value in pairs])

    def test_keys(self):
        lines = b"k:v\n:v\nk:\n:\nno key\nk:v:w\n\n"
        self.assertEqual(self.pairs(lines, "-K:"), [
            ("k", "v"), ("", "v"), ("k", ""), ("", ""), (None, "no key"), ("k", "v:w"), (None, "")])
        self.assertEqual(self.pairs(lines, "-K", ":", "-Z"), [
            ("k", "v"), (None, "v"), ("k", None), (None, None), (None, "no key"), ("k", "v:w"), (None, None)])
        self.assertEqual(self.pairs(b"k\tv\nv\n", "-K", "\\t", "-k", "fixed"), [("k", "v"), ("fixed", "v")])
        self.assertEqual(self.pairs(b"k::v\nk:v::w\n", "-K", "::"), [("k", "v"), ("k:v", "w")])
        self.assertEqual(self.pairs(b"v\n", "-k", "fixed"), [("fixed", "v")])
        self.assertEqual(self.pairs(b"k:v\n", "--input", "lines", "-K:", "-k", "fixed"), [("k", "v")])

    def test_bytes_that_are_no_text(self):
        event, = self.produced(b"\xff\xfe:\x80\n", "-K:")
        self.assertEqual(list(event), ["name", "timestamp", "key64", "value64", "topic", "partition", "offset", "age_ms"])
        self.assertEqual((event["key64"], event["value64"]),
                         (base64.b64encode(b"\xff\xfe").decode(), base64.b64encode(b"\x80").decode()))

    def test_offsets_count(self):
        events = self.produced(b"".join(b"%d\n" % n for n in range(1000)))
        self.assertEqual([(e["offset"], e["value"]) for e in events], [(n, str(n)) for n in range(1000)])
        self.assertEqual({(e["topic"], e["partition"]) for e in events}, {("t", 0)})
        self.assertEqual(list(events[0]), ["name", "timestamp", "key", "value", "topic", "partition", "offset", "age_ms"])

    def test_partition(self):
        self.assertEqual({e["partition"] for e in self.produced(b"a\nb\n", "-p", "2", partitions=4)}, {2})
        self.assertEqual(len(self.produced(b"a\nb\n", "-p", "-1", partitions=4)), 2)

    def test_keys_choose_the_partition_as_java_does(self):
        keys = ["", "a", "ab", "abc", "abcd", "abcde", "key", "hello", "\u00e9"] + [str(n) for n in range(50)]
        events = self.produced("".join(f"{k}:v\n" for k in keys).encode(), "-K:", partitions=6)
        self.assertEqual({e["key"]: e["partition"] for e in events}, {k: java_partition(k.encode(), 6) for k in keys})

    def test_partitioners(self):
        def partitions(partitioner, *keys):
            events = self.produced("".join(f"{k}:v\n" for k in keys).encode(), "-K:", "-X", partitioner, partitions=7)
            of = {e["key"]: e["partition"] for e in events}
            return [of[k] for k in keys]
        for name in ("RoundRobinPartitioner", "org.apache.kafka.clients.producer.RoundRobinPartitioner"):
            self.assertEqual(partitions(f"partitioner.class={name}", *"abcdefgh"), [0, 1, 2, 3, 4, 5, 6, 0])
        # As librdkafka and sarama put them.
        self.assertEqual(partitions("partitioner=consistent", "kafka", "21", ""), [6, 6, 0])
        self.assertEqual(partitions("partitioner.class=sarama_hash", "kafka", "21", ""), [4, 3, 2])

    def test_count(self):
        self.assertEqual(self.pairs(b"a\nb\nc\n", "-c", "2"), [(None, "a"), (None, "b")])
        self.assertEqual(self.pairs(b"a\nb\nc\n", "-c", "0"), [])
        self.assertEqual(self.pairs(b"a\n", "-c", "5"), [(None, "a")])

    def test_delimiter_and_file(self):
        with tempfile.NamedTemporaryFile("wb") as f:
            f.write(b"a\nb|c|")
            f.flush()
            self.assertEqual(self.pairs(b"not read", "-D", "|", "-l", f.name), [(None, "a\nb"), (None, "c")])

    def test_headers_and_codecs(self):
        # The sink looks at every record: a header that is none would be a complaint.
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            self.assertEqual(self.pairs(b"a\nb\n", "-z", codec, "-H", "h=v", "-H", "empty=", "-H", "null", "-H", "h=w"),
                             [(None, "a"), (None, "b")])

    def test_many_lines(self):
        count = 200_000
        events = self.produced(b"".join(b"line %d\n" % n for n in range(count)), partitions=3)
        self.assertEqual(sorted(int(e["value"].split()[1]) for e in events), list(range(count)))
        offsets = {}
        for event in events:
            p = event["partition"]
            self.assertEqual(event["offset"], offsets.get(p, 0))
            offsets[p] = event["offset"] + 1

    def test_a_buffer_much_smaller_than_the_input(self):
        events = self.produced(b"".join(b"%0500d\n" % n for n in range(20000)), "-X", "buffer.memory=500000",
                               "-X", "max.request.size=100000", "-X", "batch.size=5000")
        self.assertEqual([int(e["value"]) for e in events], list(range(20000)))

    def test_events_that_nobody_reads_for_a_while(self):
        """Nothing is lost, and input waits: events do not pile up without end."""
        count = 100_000
        with Sink(KLOOP, "--topic", "t:1") as sink, subprocess.Popen(
                [KLOOP, "produce", "-b", sink.place, "-t", "t", "--events"], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            os.set_blocking(p.stdin.fileno(), False)
            lines = b"".join(b"%0100d\n" % n for n in range(count))
            sent = 0
            stalled = 0
            while stalled < 3 and sent < len(lines):
                try:
                    sent += os.write(p.stdin.fileno(), lines[sent:sent + 65536])
                    stalled = 0
                except BlockingIOError:
                    stalled += 1
                    # Not to synchronise, only not to spin: how far it got does not matter.
                    threading.Event().wait(0.2)
            os.set_blocking(p.stdin.fileno(), True)
            rest = threading.Thread(target=lambda: (p.stdin.write(lines[sent:]), p.stdin.close()))
            rest.start()
            events = [json.loads(line) for line in p.stdout]
            rest.join()
            self.assertEqual(p.wait(SECONDS), 0)
        self.assertEqual([int(e["value"]) for e in events[1:-2]], list(range(count)))

    def test_a_conversation_through_pipes(self):
        """What was read is sent and told of while the input is still open."""
        with Sink(KLOOP, "--topic", "t:1") as sink, subprocess.Popen(
                [KLOOP, "produce", "-b", sink.place, "-t", "t", "--events", "-q"], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            self.assertEqual(json.loads(p.stdout.readline())["name"], "startup_complete")
            for n in range(20):
                p.stdin.write(b"%d\n" % n)
                p.stdin.flush()
                self.assertEqual(json.loads(p.stdout.readline())["value"], str(n))
            out, errors = p.communicate(timeout=SECONDS)
            self.assertEqual((p.returncode, errors), (0, b""))
            self.assertEqual(json.loads(out.splitlines()[-1])["acked"], 20)

    def test_without_events(self):
        with Sink(KLOOP, "--topic", "t:1") as sink:
            done = run("-b", sink.place, "-t", "t", stdin=b"a\nb\n")
            self.assertEqual((done.returncode, done.stdout, without_rates(done.stderr)),
                             (0, b"", b"kloop produce: 2 delivered\n"))
            done = run("-b", sink.place, "-t", "t", "--quiet", stdin=b"a\nb\n")
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))


def java_partition(key, partitions):
    """Utils.toPositive(Utils.murmur2(key)) % partitions of Kafka's clients."""
    def wrap(n):
        return n & 0xffffffff
    m, h = 0x5bd1e995, wrap(0x9747b28c ^ len(key))
    whole = len(key) // 4 * 4
    for i in range(0, whole, 4):
        k = wrap(int.from_bytes(key[i:i + 4], "little") * m)
        h = wrap(wrap(h * m) ^ wrap((k ^ k >> 24) * m))
    tail = key[whole:]
    if tail:
        h = wrap((h ^ int.from_bytes(tail, "little")) * m)
    h = wrap((h ^ h >> 13) * m)
    return ((h ^ h >> 15) & 0x7fffffff) % partitions


class Failures(unittest.TestCase):
    def failed(self, done, code, values):
        """One error event for each record; answers them."""
        self.assertEqual(done.returncode, code, done)
        first, *events, closed, data = events_of(done)
        self.assertEqual([e["name"] for e in (first, closed, data)],
                         ["startup_complete", "shutdown_complete", "tool_data"])
        self.assertEqual(sorted(e["value"] for e in events), sorted(values))
        bad = [e for e in events if e["name"] == "producer_send_error"]
        for event in bad:
            self.assertEqual(list(event), ["name", "timestamp", "key", "value", "topic", "partition", "outcome", "error",
                                           "message", "age_ms"])
        self.assertEqual([data[k] for k in ("sent", "acked", "failed", "unknown")],
                         [len(events), len(events) - len(bad), sum(e["outcome"] == "failed" for e in bad),
                          sum(e["outcome"] == "unknown" for e in bad)])
        return bad

    def test_nobody_listens(self):
        place = nowhere()
        values = [str(n) for n in range(500)]
        done = run("-b", place, "-t", "t", "--events", *SHORT, stdin="\n".join(values).encode())
        bad = self.failed(done, 3, values)
        self.assertEqual({e["outcome"] for e in bad}, {"failed"})
        for event in bad:
            self.assertIn(place, event["message"])
        self.assertIn(b"500 not delivered", done.stderr)

    def test_a_host_that_has_no_address(self):
        done = run("-b", "no-such-host.invalid:9092", "-t", "t", "--events", *SHORT, stdin=b"a\n")
        bad, = self.failed(done, 3, ["a"])
        self.assertIn("no-such-host.invalid", bad["message"])

    def test_nothing_to_send_and_nobody_listens(self):
        done = run("-b", nowhere(), "-t", "t", "--events", *SHORT)
        self.failed(done, 0, [])

    def test_somebody_who_speaks_http(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            def serve():
                while True:
                    try:
                        client, _ = server.accept()
                    except OSError:
                        return
                    with client:
                        client.recv(1000)
                        client.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            thread = threading.Thread(target=serve)
            thread.start()
            place = f"127.0.0.1:{server.getsockname()[1]}"
            done = run("-b", place, "-t", "t", "--events", *SHORT, stdin=b"a\nb\n")
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
        for event in self.failed(done, 3, ["a", "b"]):
            self.assertIn(place, event["message"])

    def test_somebody_who_says_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            place = f"127.0.0.1:{server.getsockname()[1]}"
            done = run("-b", place, "-t", "t", "--events", *SHORT, stdin=b"a\nb\n")
        self.failed(done, 3, ["a", "b"])

    def test_a_topic_that_is_not_there(self):
        with Sink(KLOOP) as sink:
            done = run("-b", sink.place, "-t", "missing", "--events", *SHORT, stdin=b"a\n")
        bad, = self.failed(done, 1, ["a"])
        self.assertIn("UNKNOWN_TOPIC_OR_PARTITION", bad["error"] + bad["message"])

    def test_a_partition_that_is_not_there(self):
        with Sink(KLOOP, "--topic", "t:2") as sink:
            done = run("-b", sink.place, "-t", "t", "-p", "7", "--events", *SHORT, stdin=b"a\nb\n")
        for event in self.failed(done, 1, ["a", "b"]):
            self.assertEqual(event["outcome"], "failed")

    def test_records_that_are_too_large(self):
        big = "x" * 2_000_000
        with Sink(KLOOP, "--topic", "t:1") as sink:
            done = run("-b", sink.place, "-t", "t", "--events", stdin=f"a\n{big}\nb\n".encode())
        bad, = self.failed(done, 1, ["a", big, "b"])
        self.assertEqual((bad["error"], bad["outcome"]), ("MESSAGE_TOO_LARGE", "failed"))
        self.assertIn("max.request.size", bad["message"])

    def test_a_broker_that_refuses(self):
        with Sink(KLOOP, "--topic", "t:1", "--error", "TOPIC_AUTHORIZATION_FAILED@1") as sink:
            done = run("-b", sink.place, "-t", "t", "--events", *SHORT, stdin=b"a\nb\n")
        for event in self.failed(done, 1, ["a", "b"]):
            self.assertEqual((event["error"], event["outcome"], event["partition"]),
                             ("TOPIC_AUTHORIZATION_FAILED", "failed", 0))

    def test_a_broker_that_is_never_ready(self):
        """The last thing that stood in the way is named."""
        with Sink(KLOOP, "--topic", "t:1", "--error", "NOT_ENOUGH_REPLICAS@1") as sink:
            done = run("-b", sink.place, "-t", "t", "--events", *SHORT, stdin=b"a\n")
        bad, = self.failed(done, 1, ["a"])
        self.assertIn("NOT_ENOUGH_REPLICAS", bad["error"] + bad["message"])

    def test_a_producer_that_cannot_go_on(self):
        """It ends by itself, with no line to wait for: the input stays open."""
        for code in ("PRODUCER_FENCED", "CLUSTER_AUTHORIZATION_FAILED"):
            with Sink(KLOOP, "--topic", "t:1", "--error", f"{code}@1") as sink, subprocess.Popen(
                    [KLOOP, "produce", "-b", sink.place, "-t", "t", "--events", *SHORT], stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
                p.stdin.write(b"a\nb\n")
                p.stdin.flush()
                out, errors = p.stdout.read(), p.stderr.read()
                p.wait(SECONDS)
            done = subprocess.CompletedProcess(p.args, p.returncode, out, errors)
            for event in self.failed(done, 5, ["a", "b"]):
                self.assertEqual((event["error"], event["outcome"]), (code, "failed"))
            self.assertIn(b"0 delivered, 2 not delivered", errors)

    def test_a_broker_that_comes_later(self):
        """What was read before is delivered then."""
        place = nowhere()
        with subprocess.Popen([KLOOP, "produce", "-b", place, "-t", "t", "--events", "-X", "reconnect.backoff.max.ms=50"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            p.stdin.write(b"a\nb\n")
            p.stdin.close()
            # Nobody was there.
            self.assertIn(b"Connection refused", p.stderr.readline())
            with Sink(KLOOP, "--topic", "t:1", listen=place) as sink:
                out, _ = p.stdout.read(), p.stderr.read()
                p.wait(SECONDS)
            done = subprocess.CompletedProcess(p.args, p.returncode, out)
        self.assertEqual(self.failed(done, 0, ["a", "b"]), [])
        self.assertEqual(sink.stored["records"], 2)

    def test_the_sink_is_killed_in_the_middle(self):
        with Sink(KLOOP, "--topic", "t:1", "--discard") as sink, subprocess.Popen(
                [KLOOP, "produce", "-b", sink.place, "-t", "t", "--events", *SHORT], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            p.stdout.readline()
            p.stdin.write(b"before\n")
            p.stdin.flush()
            lines = [p.stdout.readline()]
            self.assertEqual(json.loads(lines[0])["name"], "producer_send_success")
            sink.kill()
            out, _ = p.communicate(b"after\n" * 10, timeout=SECONDS)
        self.assertEqual(p.returncode, 1)
        events = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([e["name"] for e in events],
                         ["producer_send_error"] * 10 + ["shutdown_complete", "tool_data"])
        for event in events[:10]:
            self.assertIn(sink.place, event["message"])

    def test_ctrl_c(self):
        """Once: what was read is delivered."""
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with Sink(KLOOP, "--topic", "t:1") as sink, subprocess.Popen(
                    [KLOOP, "produce", "-b", sink.place, "-t", "t", "--events", "-X", "linger.ms=60000"],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
                p.stdout.readline()
                p.stdin.write(b"a\nb\nc")
                p.stdin.flush()
                # The pipe is empty when all was read.
                while pipe_bytes(p.stdin.fileno()):
                    threading.Event().wait(0.01)
                p.send_signal(number)
                # The input stays open: its end would be the end of a third line.
                out = p.stdout.read()
                p.wait(SECONDS)
            self.assertEqual(p.returncode, code)
            events = [json.loads(line) for line in out.splitlines()]
            self.assertEqual([e.get("value") for e in events[:-2]], ["a", "b"])
            self.assertEqual({e["name"] for e in events[:-2]}, {"producer_send_success"})
            self.assertEqual(sink.stored["records"], 2)

    def test_ctrl_c_twice(self):
        """No more waiting: what is not delivered is told of, and counted."""
        with subprocess.Popen([KLOOP, "produce", "-b", nowhere(), "-t", "t", "--events"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            p.stdout.readline()
            p.stdin.write(b"a\nb\n")
            p.stdin.flush()
            while pipe_bytes(p.stdin.fileno()):
                threading.Event().wait(0.01)
            p.send_signal(signal.SIGINT)
            line = b""
            while b"no more input is read" not in line:
                line = p.stderr.readline()
            p.send_signal(signal.SIGINT)
            out, errors = p.communicate(timeout=SECONDS)
        self.assertEqual(p.returncode, 130)
        events = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([e["value"] for e in events[:-2]], ["a", "b"])
        self.assertEqual(events[-1]["failed"], 2)
        self.assertIn(b"2 not delivered", errors)

    def test_nobody_reads_the_events(self):
        with Sink(KLOOP, "--topic", "t:1") as sink:
            reader, writer = os.pipe()
            os.close(reader)
            done = subprocess.run([KLOOP, "produce", "-b", sink.place, "-t", "t", "--events"], input=b"a\n" * 1000,
                                  stdout=writer, stderr=subprocess.PIPE, timeout=SECONDS)
            os.close(writer)
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"standard output: Broken pipe", done.stderr)

    def test_input_that_cannot_be_read(self):
        with Sink(KLOOP, "--topic", "t:1") as sink:
            folder = os.open("/", os.O_RDONLY)
            done = subprocess.run([KLOOP, "produce", "-b", sink.place, "-t", "t", "--events"], stdin=folder,
                                  capture_output=True, timeout=SECONDS)
            os.close(folder)
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"standard input: Is a directory", done.stderr)
            done = subprocess.run([KLOOP, "produce", "-b", sink.place, "-t", "t", "--events"], capture_output=True,
                                  timeout=SECONDS, preexec_fn=lambda: os.close(0))
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"standard input: Bad file descriptor", done.stderr)


def pipe_bytes(handle):
    count = array.array("i", [0])
    fcntl.ioctl(handle, termios.FIONREAD, count)
    return count[0]


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    KLOOP = os.path.abspath(sys.argv.pop(1))
    unittest.main()
