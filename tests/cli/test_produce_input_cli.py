#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `kloop produce` reads: JSON, lines in the ways of kcat and of kafka-console-producer, files, rates, bad input.

    test_produce_input_cli.py KLOOP [unittest's arguments]

The broker is one of the test's own, which keeps what it was sent byte for byte.
"""
import base64
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from recording_broker import RecordingBroker
from sink_process import SECONDS, Sink, without_rates

KLOOP = None
# A file of the user who runs the tests is not part of them.
os.environ["KLOOP_CONFIG"] = ""


def produce(broker, *flags, stdin=b"", **options):
    return subprocess.run([KLOOP, "produce", "-b", broker.place, *flags], input=stdin, capture_output=True,
                          timeout=SECONDS, **options)


def lines_of(*objects):
    return "".join(json.dumps(o) + "\n" for o in objects).encode()


def b64(data):
    return base64.b64encode(data).decode()


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def delivered(self, *flags, stdin=b"", topics=None, code=0):
        """Topic, key, value, headers of each record, in order by topic."""
        with RecordingBroker(KLOOP, topics or {"t": 1}) as broker:
            done = produce(broker, *flags, stdin=stdin)
        self.assertEqual(done.returncode, code, done)
        self.done = done
        self.records = sorted(broker.records, key=lambda r: r[0])
        return [(r[0], *r[3:]) for r in self.records]

    def values(self, *flags, **options):
        return [r[2] for r in self.delivered("-t", "t", *flags, **options)]


class Json(Folder):
    def one(self, record, *flags):
        if "-t" not in flags:
            flags += ("-t", "t")
        self.delivered("--input", "json", *flags, stdin=lines_of(record), topics={"t": 3, "u": 1})
        self.assertEqual(len(self.records), 1)
        return self.records[0]

    def test_every_member(self):
        record = {"topic": "u", "partition": 0, "timestamp": 1700000000123, "key": "k", "value": "v",
                  "headers": [{"key": "a", "value": "1"}, {"key": "a", "value": None}, {"key": "", "value": ""}]}
        self.assertEqual(self.one(record), ("u", 0, 1700000000123, b"k", b"v", [(b"a", b"1"), (b"a", None), (b"", b"")]))

    def test_null_is_null_and_empty_is_empty(self):
        self.assertEqual(self.one({"key": None, "value": None})[3:], (None, None, []))
        self.assertEqual(self.one({"key": "", "value": ""})[3:], (b"", b"", []))
        self.assertEqual(self.one({"topic": None, "partition": None, "timestamp": None, "headers": None,
                                   "value": "v"})[3:], (None, b"v", []))
        self.assertEqual(self.one({"key64": None, "value64": None})[3:], (None, None, []))

    def test_base64_twins(self):
        key, value, name, header = b"\xff\x00", bytes(range(256)), b"h\xfe", b"\x80"
        record = {"key64": b64(key), "value64": b64(value), "headers": [{"key64": b64(name), "value64": b64(header)}]}
        self.assertEqual(self.one(record)[3:], (key, value, [(name, header)]))
        self.assertEqual(self.one({"value64": ""})[3:], (None, b"", []))

    def test_text_in_all_its_forms(self):
        self.assertEqual(self.one({"value": "\u00e9\U0001f600\n\"\\\x00/"})[4], "\u00e9\U0001f600\n\"\\\x00/".encode())
        self.assertEqual(self.delivered("-t", "t", "--input", "json", stdin=b'{"value":"\\u00e9\\/\\ud83d\\ude00"}\r\n'),
                         [("t", None, "\u00e9/\U0001f600".encode(), [])])

    def test_flags_fill_in_what_a_line_leaves_open(self):
        flags = ("-t", "t", "-p", "2", "-k", "fixed", "-H", "h=v")
        self.assertEqual(self.one({"value": "v"}, *flags)[1], 2)
        self.assertEqual(self.records[0][3:], (b"fixed", b"v", [(b"h", b"v")]))
        record = {"topic": "u", "partition": 0, "key": None, "value": "v", "headers": []}
        self.assertEqual(self.one(record, *flags)[1], 0)
        self.assertEqual(self.records[0][3:], (None, b"v", []))

    def test_many_topics_in_one_run(self):
        topics = {f"t{n}": 2 for n in range(20)}
        records = [{"topic": f"t{n % 20}", "value": str(n)} for n in range(1000)]
        self.delivered("--input", "json", stdin=lines_of(*records), topics=topics)
        self.assertEqual(sorted((r[0], r[4]) for r in self.records),
                         sorted((r["topic"], r["value"].encode()) for r in records))

    def test_events_name_the_topic_of_each_record(self):
        records = lines_of({"topic": "u", "value": "a"}, {"topic": "t", "key64": "/w==", "value": "b"})
        self.delivered("--input", "json", "--events", stdin=records, topics={"t": 1, "u": 1})
        events = [json.loads(line) for line in self.done.stdout.splitlines()]
        self.assertEqual(sorted((e["topic"], e["value"]) for e in events[1:-2]), [("t", "b"), ("u", "a")])
        self.assertEqual([e["key64"] for e in events[1:-2] if e["topic"] == "t"], ["/w=="])

    def test_blank_lines_are_nothing(self):
        self.assertEqual(self.values("--input", "json", stdin=b'\n  \r\n{"value":"a"}\n\n{"value":"b"}'), [b"a", b"b"])

    def test_other_delimiters(self):
        self.assertEqual(self.values("--input", "json", "-D", "\\0", stdin=b'{"value":\n"a"}\0{"value":"b"}\0'), [b"a", b"b"])

    def test_the_members_of_dead_letters_are_read_over(self):
        letter = {"value": "v", "outcome": "failed", "error": "MESSAGE_TOO_LARGE", "message": "it is"}
        self.assertEqual(self.one(letter)[3:], (None, b"v", []))

    def test_bad_lines_say_where_and_why(self):
        good = b'{"value":"before"}\n'
        for line, words in (
                (b"hello", "byte 1: "),
                (b'{"value":"v"', "byte 13: the JSON text ends too early"),
                (b'{"value":"v"} x', "byte 15: "),
                (b'"v"', "byte 1: a string where an object"),
                (b"[]", "an array where an object"),
                (b'{"value":5}', "byte 10: value: an integer where a string or null"),
                (b'{"value":{"a":1}}', "value: an object where a string or null (put it in quotes"),
                (b'{"value":true}', "value: a bool where"),
                (b'{"key":1.5,"value":"v"}', "byte 8: key: a fractional number where"),
                (b'{"key":"k"}', 'the record has no value; write "value":null for a tombstone'),
                (b'{"vlaue":"v"}', "byte 2: a record has no member 'vlaue', did you mean 'value'?"),
                (b'{"value":"v","offset":3}', "a record has no member 'offset'"),
                (b'{"value":"v","value":"w"}', "byte 14: "),
                (b'{"value":"v","value64":"dg=="}', "value64: value is there too"),
                (b'{"key":null,"key64":null,"value":"v"}', "key64: key is there too"),
                (b'{"value64":"dg="}', "byte 12: value64: "),
                (b'{"value64":"d g="}', "value64: "),
                (b'{"value64":7}', "value64: an integer where a base64 string"),
                (b'{"value":"\xff"}', "byte 11: "),
                (b'{"value":"\\ud800"}', "byte 11: half a surrogate pair"),
                (b'{"value":"a\0b"}', "byte 12: control character"),
                (b'{"value":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nesting deeper than"),
                (b'{"value":"v","partition":2147483648}', "partition: out of range"),
                (b'{"value":"v","timestamp":9223372036854775808}', "timestamp: out of range"),
                (b'{"value":"v","\\u0076alue":"w"}', "byte 14: a key that is there already"),
                (b'{"topic":7,"value":"v"}', "topic: an integer where a string"),
                (b'{"topic":"","value":"v"}', "topic: this is no topic's name"),
                (b'{"topic":"a\\u0000b","value":"v"}', "topic: this is no topic's name"),
                (b'{"topic":"no good","value":"v"}', "no good"),
                (b'{"partition":-1,"value":"v"}', "partition: out of range, 0 to 2147483647"),
                (b'{"partition":"1","value":"v"}', "partition: a string where an integer"),
                (b'{"partition":1.0,"value":"v"}', "partition: a fractional number where an integer"),
                (b'{"timestamp":-5,"value":"v"}', "timestamp: out of range, 0 to 9223372036854775807"),
                (b'{"timestamp":"2026-01-01","value":"v"}', "timestamp: a string where an integer"),
                (b'{"headers":{},"value":"v"}', "headers: an object where an array"),
                (b'{"headers":["h"],"value":"v"}', "headers: a string where an object with key and value"),
                (b'{"headers":[{"value":"x"}],"value":"v"}', "a header has no key"),
                (b'{"headers":[{"key":null,"value":"x"}],"value":"v"}', "a header has no key"),
                (b'{"headers":[{"key":"h"}],"value":"v"}', "a header has no value"),
                (b'{"headers":[{"key":"h","value":1}],"value":"v"}', "value: an integer where a string or null"),
                (b'{"headers":[{"key":"h","value":"x","more":1}],"value":"v"}', "a header has no member 'more'"),
                (b'{"value":"v","error":7}', "error: an integer where a string"),
                (b"\xef\xbb\xbf{}", "byte 1: ")):
            with self.subTest(line):
                self.assertEqual(self.values("--input", "json", stdin=good + b"\n" + line + b"\n" + good, code=4), [b"before"])
                errors = self.done.stderr.decode()
                self.assertIn("kloop produce: standard input, line 3", errors)
                self.assertIn(words, errors)
                self.assertIn("-E goes on", errors)
                self.assertIn("1 delivered", errors)

    def test_a_line_without_a_topic(self):
        self.delivered("--input", "json", stdin=b'{"topic":"t","value":"a"}\n{"value":"b"}\n', code=4)
        self.assertEqual([r[4] for r in self.records], [b"a"])
        self.assertIn(b"line 2: it names no topic, and there is no -t TOPIC", self.done.stderr)

    def test_bad_lines_can_be_passed_over(self):
        stdin = b"".join(b'{"value":"%d"}\n%s' % (n, b"bad\n" if n % 2 else b"") for n in range(40))
        self.assertEqual(self.values("--input", "json", "-E", stdin=stdin, code=4), [b"%d" % n for n in range(40)])
        errors = self.done.stderr.decode()
        self.assertEqual(errors.count("line "), 10)
        self.assertIn("20 lines skipped that were no records", errors)

    def test_bad_input_and_a_broker_that_refuses(self):
        """Exit code 4 promises that all earlier lines were delivered."""
        with RecordingBroker(KLOOP, {"t": 1}, lambda topic, partition: 29) as broker:
            done = produce(broker, "-t", "t", "--input", "json", stdin=b'{"value":"a"}\nbad\n')
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"line 2", done.stderr)

    def test_what_the_producer_refuses_is_told_of_as_such(self):
        stdin = lines_of({"topic": "t", "value": "x" * 2_000_000}, {"topic": "t", "value": "small"})
        self.delivered("--input", "json", "--events", stdin=stdin, code=1)
        events = [json.loads(line) for line in self.done.stdout.splitlines()]
        errors = [e for e in events if e["name"] == "producer_send_error"]
        self.assertEqual([(e["error"], e["topic"], len(e["value"])) for e in errors],
                         [("MESSAGE_TOO_LARGE", "t", 2_000_000)])
        self.assertEqual(events[-1]["acked"], 1)

    def test_more_than_the_buffer_holds(self):
        """A line that is refused for want of room comes again, and once only."""
        records = [{"value": f"{n:0500}"} for n in range(3000)]
        self.assertEqual(self.values("--input", "json", "-X", "buffer.memory=200000", "-X", "max.request.size=100000",
                                     "-X", "batch.size=5000", stdin=lines_of(*records)),
                         [r["value"].encode() for r in records])


class Lines(Folder):
    def records_from(self, stdin, *flags, **options):
        return [(r[1:]) for r in self.delivered("-t", "t", *flags, stdin=stdin, **options)]

    def test_headers_of_every_record(self):
        self.assertEqual(self.records_from(b"v\n", "-H", "h=v", "-H", "empty=", "-H", "null", "-H", "h=w=x"),
                         [(None, b"v", [(b"h", b"v"), (b"empty", b""), (b"null", None), (b"h", b"w=x")])])

    def test_empty_lines(self):
        self.assertEqual(self.values(stdin=b"a\n\nb\n"), [b"a", b"", b"b"])
        self.assertEqual(self.values("-Z", stdin=b"a\n\nb\n"), [b"a", None, b"b"])
        self.assertEqual(self.values("--skip-empty", stdin=b"\na\n\nb\n\n"), [b"a", b"b"])

    def test_as_kafka_console_producer_reads(self):
        headers = ("--reader-property", "parse.headers=true", "--reader-property", "parse.key=true")
        self.assertEqual(self.records_from(b"h1:v1,h2:v2:x,h3:\tk\tv\tw\n\tk\tv\n", *headers), [
            (b"k", b"v\tw", [(b"h1", b"v1"), (b"h2", b"v2:x"), (b"h3", b"")]), (b"k", b"v", [])])
        self.assertEqual(self.records_from(b"k|v\n|\n", "--property", "parse.key=true", "--reader-property",
                                           "key.separator=|"), [(b"k", b"v", []), (b"", b"", [])])
        self.assertEqual(self.records_from(b"a=1;b=NULL#NULL#NULL\nNULL#k#v\n", *headers, *[
            word for pair in ("headers.delimiter=#", "key.separator=#", "headers.separator=;", "headers.key.separator==",
                              "null.marker=NULL") for word in ("--reader-property", pair)]),
            [(None, None, [(b"a", b"1"), (b"b", None)]), (b"k", b"v", [])])

    def test_lines_that_kafka_console_producer_refuses(self):
        for stdin, flags, words in (
                (b"k\tv\nvalue\n", ["parse.key=true"], "line 2: there is no '\\t' behind the key"),
                (b"h:1\tv\nvalue\n", ["parse.headers=true"], "line 2: there is no '\\t' behind the headers"),
                (b"h:1\tv\nh\tv\n", ["parse.headers=true"], "line 2: there is no ':' behind the name of header 'h'")):
            flags = [word for pair in flags for word in ("--reader-property", pair)]
            self.assertEqual(len(self.records_from(stdin, *flags, code=4)), 1)
            self.assertIn(words, self.done.stderr.decode())
        self.assertEqual(self.records_from(b"value\n", "--reader-property", "parse.key=true", "--reader-property",
                                           "ignore.error=true"), [(None, b"value", [])])

    def test_codecs_in_order_of_choice(self):
        with Sink(KLOOP, "--topic", "t:1", "--check") as sink:
            done = subprocess.run([KLOOP, "produce", "-b", sink.place, "-t", "t", "-z", "zstd,lz4,none"], input=b"a\n",
                                  capture_output=True, timeout=SECONDS)
        self.assertEqual((done.returncode, sink.code, sink.stored["records"]), (0, 0, 1), done)

    def test_letters_of_kcat_that_need_nothing(self):
        self.assertEqual(self.values("-P", "-E", "-q", stdin=b"a\n"), [b"a"])
        self.assertEqual(self.done.stderr, b"")

    def test_verbose(self):
        """Each failure when it happens, and all of them at the end."""
        with RecordingBroker(KLOOP, {"t": 1}, lambda topic, partition: 29) as broker, subprocess.Popen(
                [KLOOP, "produce", "-b", broker.place, "-t", "t", "-v", "-X", "linger.ms=0"], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            for _ in range(2):
                p.stdin.write(b"a\n")
                p.stdin.flush()
                self.assertTrue(p.stderr.readline().startswith(b"kloop produce: not delivered: topic 't' partition 0: "))
            _, errors = p.communicate(timeout=SECONDS)
        self.assertTrue(errors.startswith(b"kloop produce: 2 records not delivered: "), errors)

    def test_tee(self):
        stdin = b"a:b\n\n\xff\xfelast"
        self.assertEqual(self.values("-T", "-K:", stdin=stdin), [b"b", b"", b"\xff\xfelast"])
        self.assertEqual(self.done.stdout, stdin + b"\n")
        reader, writer = os.pipe()
        os.close(reader)
        with RecordingBroker(KLOOP, {"t": 1}) as broker:
            done = subprocess.run([KLOOP, "produce", "-b", broker.place, "-t", "t", "-T"], input=b"a\nb\n", stdout=writer,
                                  stderr=subprocess.PIPE, timeout=SECONDS)
        os.close(writer)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output: Broken pipe; 2 lines were not written", done.stderr)
        self.assertEqual(self.values("-T", "-c", "1", stdin=b"a\nb\n"), [b"a"])
        self.assertEqual(self.done.stdout, b"a\n")


class Files(Folder):
    def test_each_file_is_a_record(self):
        a, b, empty = self.file("a", b"one\ntwo\n"), self.file("b", bytes(range(256))), self.file("c", b"")
        self.assertEqual(self.records_of_files(a, b, empty, "-k", "k", "-K:"),
                         [(b"k", b"one\ntwo\n"), (b"k", bytes(range(256))), (b"k", b"")])
        self.assertIn(b"each file was sent as one record; -l sends its lines", self.done.stderr)
        self.assertEqual(self.records_of_files(empty, "-Z"), [(None, None)])
        self.assertEqual(self.records_of_files(self.file("d", b"one line\n")), [(None, b"one line\n")])
        self.assertEqual(without_rates(self.done.stderr), b"kloop produce: 1 delivered\n")

    def records_of_files(self, *flags, stdin=b""):
        return [r[1:3] for r in self.delivered("-t", "t", *flags, stdin=stdin)]

    def test_files_of_lines_one_after_the_other(self):
        a, b = self.file("a", b"1\n2"), self.file("b", b"3\n")
        for flags in (("-l", a, b), (a, "-l", b), (a, b, "--lines")):
            self.assertEqual(self.values(*flags), [b"1", b"2", b"3"])
        self.assertEqual(self.values("-l", a, "-", b, stdin=b"x\ny\n"), [b"1", b"2", b"x", b"y", b"3"])
        self.assertEqual(self.values(a, "-", stdin=b"x\ny\n"), [b"1\n2", b"x", b"y"])
        self.assertEqual(self.values("-l", a, b, "-c", "2"), [b"1", b"2"])

    def test_files_of_json(self):
        a, b = self.file("a", b'{"value":"1"}\n'), self.file("b", b'{"value":"2"}\nbad\n')
        self.assertEqual(self.values("--input", "json", a, b, code=4), [b"1", b"2"])
        self.assertIn(f"kloop produce: {b}, line 2, byte 1: ".encode(), self.done.stderr)

    def test_many_files(self):
        """More than there are descriptors."""
        paths = [self.file(f"{n:04}", b"%d" % n) for n in range(1500)]
        self.assertEqual(self.values(*paths), [b"%d" % n for n in range(1500)])

    def test_all_names_are_looked_at_first(self):
        a = self.file("a", b"1\n")
        with RecordingBroker(KLOOP, {"t": 1}) as broker:
            done = produce(broker, "-t", "t", "-l", a, os.path.join(self.folder, "b"))
        self.assertEqual((done.returncode, broker.records), (2, []))
        self.assertIn(b"b': No such file or directory", done.stderr)

    def test_a_named_pipe(self):
        path = os.path.join(self.folder, "fifo")
        os.mkfifo(path)

        def write():
            with open(path, "wb") as f:
                f.write(b"1\n2\n")
        writer = threading.Thread(target=write)
        writer.start()
        self.assertEqual(self.values("-l", path), [b"1", b"2"])
        writer.join()

    def test_a_file_that_is_no_record(self):
        path = os.path.join(self.folder, "large")
        with open(path, "wb") as f:
            f.truncate(300 << 20)
        self.assertEqual(self.values(path, code=4), [])
        self.assertIn(b"large: more than 268435456 bytes are no record; with -l it is read as lines", self.done.stderr)
        with open(path, "r+b") as f:
            f.write(b"a\nb\n")
        self.assertEqual(self.values("-l", path, code=4), [b"a", b"b"])
        self.assertIn(b"large, line 3: it has more than 268435456 bytes; -D says what stands between records",
                      self.done.stderr)


class Rates(Folder):
    """No test here can fail on a slow machine: a rate is a limit, and nothing is said of how near it comes."""

    def seconds(self, *flags, stdin):
        start = time.monotonic()
        values = self.values(*flags, stdin=stdin)
        self.assertEqual(values, stdin.splitlines())
        return time.monotonic() - start

    def test_records(self):
        lines = b"".join(b"%d\n" % n for n in range(21))
        for rate in ("40", "40/s", "2400/min", "0.04k/s"):
            # The first one goes at once.
            self.assertGreaterEqual(self.seconds("--rate", rate, stdin=lines), 0.5)

    def test_bytes(self):
        lines = b"x" * 1000 + b"\n"
        self.assertGreaterEqual(self.seconds("--byte-rate", "10kB/s", stdin=lines * 6), 0.5)

    def test_all_arrive_at_a_high_rate(self):
        lines = b"".join(b"%d\n" % n for n in range(20_000))
        self.assertGreaterEqual(self.seconds("--rate", "50k/s", stdin=lines), 0.39)

    def test_waiting_is_not_busy(self):
        """A loop that turned while it waits would use all of its time."""
        with RecordingBroker(KLOOP, {"t": 1}) as broker, subprocess.Popen(
                [KLOOP, "produce", "-q", "-b", broker.place, "-t", "t", "--rate", "20/s"], stdin=subprocess.PIPE) as p:
            start = time.monotonic()
            p.stdin.write(b"x\n" * 41)
            p.stdin.close()
            _, status, usage = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
            self.assertLess(usage.ru_utime + usage.ru_stime, (time.monotonic() - start) / 2)
        self.assertEqual(p.returncode, 0)

    def test_a_silence_is_not_made_up_for(self):
        """Records that come late do not come all at once behind it."""
        with RecordingBroker(KLOOP, {"t": 1}) as broker, subprocess.Popen(
                [KLOOP, "produce", "-b", broker.place, "-t", "t", "--rate", "20/s", "--events", "-X", "linger.ms=0"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            p.stdout.readline()
            p.stdin.write(b"first\n")
            p.stdin.flush()
            p.stdout.readline()
            # Not to synchronise: it is the silence itself.
            time.sleep(1)
            start = time.monotonic()
            out, _ = p.communicate(b"x\n" * 13, timeout=SECONDS)
            self.assertEqual(p.returncode, 0)
            # Of the second of silence, a tenth may count.
            self.assertGreaterEqual(time.monotonic() - start, 0.5)
        self.assertEqual(len(out.splitlines()), 13 + 2)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    KLOOP = os.path.abspath(sys.argv.pop(1))
    unittest.main()
