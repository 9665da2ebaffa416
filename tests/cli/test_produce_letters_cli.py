#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`kloop produce --dead-letter`: what was not delivered, fed back, is exactly what is missing; nothing is lost silently.

    test_produce_letters_cli.py KLOOP [unittest's arguments]
"""
import base64
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from recording_broker import SILENCE, RecordingBroker
from sink_process import SECONDS, without_rates

KLOOP = None
os.environ["KLOOP_CONFIG"] = ""

REFUSED = 29  # TOPIC_AUTHORIZATION_FAILED: not tried again
SHORT = ["-X", "delivery.timeout.ms=600", "-X", "request.timeout.ms=300", "-X", "linger.ms=0", "-X", "max.block.ms=600",
         "-X", "reconnect.backoff.ms=10"]


def b64(data):
    return base64.b64encode(data).decode()


def all_refused(_topic, _partition):
    return REFUSED


class Letters(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.dead = os.path.join(self.folder, "dead.json")

    def produce(self, broker, *flags, stdin=b"", **options):
        return subprocess.run([KLOOP, "produce", "-b", broker.place, *flags], input=stdin, capture_output=True,
                              timeout=SECONDS, **options)

    def letters(self):
        with open(self.dead, encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def test_the_form(self):
        with RecordingBroker(KLOOP, {"t": 2}, all_refused) as broker:
            start = int(time.time() * 1000)
            done = self.produce(broker, "-t", "t", "-K:", "-H", "h=v", "-H", "n", "--dead-letter", self.dead,
                                stdin=b"k:v\n\xff:\x80\n")
            end = int(time.time() * 1000)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(f"kloop produce: 2 dead letters in '{self.dead}'; --input json -l FILE sends them again",
                      done.stderr.decode())
        letters = sorted(self.letters(), key=lambda one: "key64" in one)
        for letter in letters:
            self.assertTrue(start <= letter.pop("timestamp") <= end)
            self.assertIn("topic 't' partition", letter.pop("message"))
        rest = {"topic": "t", "headers": [{"key": "h", "value": "v"}, {"key": "n", "value": None}], "outcome": "failed",
                "error": "TOPIC_AUTHORIZATION_FAILED"}
        self.assertEqual(letters, [{"key": "k", "value": "v", **rest},
                                   {"key64": b64(b"\xff"), "value64": b64(b"\x80"), **rest}])

    def test_fed_back_they_are_what_is_missing_byte_for_byte(self):
        """Every second partition refuses; what it refused comes the second time, with its time and all its bytes."""
        pieces = [None, b"", b"text", "\u00e9\U0001f600\n\"\\\x00".encode(), b"\xff\xfe\x00\x80", bytes(range(256))]
        records = []
        for n in range(600):
            key, value = pieces[n % 6], pieces[n // 6 % 6]
            record = {"topic": "tu"[n % 2], "headers": []}
            for name, data in (("key", key), ("value", value)):
                record[name + "64" if data is not None else name] = data if data is None else b64(data)
            if n % 3 == 0:
                record["timestamp"] = n
            if n % 5 == 0:
                record["partition"] = n % 4
            for i in range(n % 3):
                record["headers"].append({"key64": b64(b"h\xff%d" % i), "value": None} if n % 7 == 0 else
                                         {"key": f"h{i}", "value64": b64(bytes([i, 255]))})
            records.append(record)
        refused = {"on": True}

        def refuse(_topic, partition):
            return REFUSED if refused["on"] and partition % 2 else 0

        lines = "".join(json.dumps(r) + "\n" for r in records).encode()
        with RecordingBroker(KLOOP, {"t": 4, "u": 4}, refuse) as broker:
            # Two batches in a partition tell no more than one, and the broker of a test is slow.
            flags = ("--input", "json", "-X", "linger.ms=200")
            done = self.produce(broker, *flags, "--dead-letter", self.dead, stdin=lines)
            self.assertEqual(done.returncode, 1, done)
            first = len(broker.records)
            letters = self.letters()
            self.assertEqual(first + len(letters), len(records))
            self.assertGreater(len(letters), 50)
            # Flags do not touch a record that says everything itself.
            refused["on"] = False
            done = self.produce(broker, *flags, "-l", self.dead, "-t", "none", "-k", "key", "-H", "h=v")
            self.assertEqual(done.returncode, 0, done)
            self.assertEqual(len(broker.records), len(records))
        wanted, got = [], []
        for r in records:
            key, value = [None if r.get(k) is None and r.get(k + "64") is None else base64.b64decode(r[k + "64"])
                          for k in ("key", "value")]
            headers = [(base64.b64decode(h["key64"]) if "key64" in h else h["key"].encode(),
                        base64.b64decode(h["value64"]) if "value64" in h else None) for h in r["headers"]]
            wanted.append((r["topic"], r.get("partition", -1), r.get("timestamp", -1), key or b"", value or b"",
                           key is None, value is None, headers))
        times = {n for n in range(600)}
        asked = {(w[0], w[3], w[5]): 0 for w in wanted}
        for topic, partition, timestamp, key, value, headers in broker.records:
            got.append((topic, timestamp if timestamp in times else -1, key or b"", value or b"", key is None,
                        value is None, headers))
            asked[topic, key or b"", key is None] += 1
        self.assertEqual(sorted(got), sorted((w[0], *w[2:]) for w in wanted))
        # A partition that was asked for is asked for again, and no other.
        self.assertEqual({(x["topic"], x.get("partition")) for x in letters if "partition" in x},
                         {(t, p) for t, p in {(r["topic"], r.get("partition")) for r in records} if p in (1, 3)})

    def test_the_time_of_the_first_sending_is_kept(self):
        with RecordingBroker(KLOOP, {"t": 1}, all_refused) as broker:
            self.produce(broker, "-t", "t", "--dead-letter", self.dead, stdin=b"a\n")
            letter, = self.letters()
            broker.refuse = lambda topic, partition: 0
            self.assertEqual(self.produce(broker, "--input", "json", "-l", self.dead).returncode, 0)
        self.assertEqual(broker.records, [("t", 0, letter["timestamp"], None, b"a", [])])

    def test_what_the_producer_never_took(self):
        with RecordingBroker(KLOOP, {"t": 1}) as broker:
            done = self.produce(broker, "-t", "t", "--dead-letter", self.dead, stdin=b"a\n" + b"x" * 2_000_000 + b"\nb\n")
        self.assertEqual(done.returncode, 1)
        letter, = self.letters()
        self.assertEqual((letter["error"], len(letter["value"])), ("MESSAGE_TOO_LARGE", 2_000_000))
        self.assertIn("max.request.size", letter["message"])

    def test_events_and_letters_together(self):
        with RecordingBroker(KLOOP, {"t": 2}, lambda topic, partition: REFUSED * partition) as broker:
            done = self.produce(broker, "-t", "t", "--events", "--dead-letter", self.dead, "-K:", stdin=b"".join(
                b"%d:%d\n" % (n, n) for n in range(100)))
        events = [json.loads(line) for line in done.stdout.splitlines()]
        bad = [(e["key"], e["error"], e["outcome"]) for e in events if e["name"] == "producer_send_error"]
        self.assertEqual(sorted(bad), sorted((x["key"], x["error"], x["outcome"]) for x in self.letters()))
        self.assertGreater(len(bad), 10)

    def test_outcomes_that_are_not_known(self):
        """A broker that takes the request and says nothing: the letter says unknown."""
        with RecordingBroker(KLOOP, {"t": 1}, lambda topic, partition: SILENCE) as broker:
            done = self.produce(broker, "-t", "t", "--dead-letter", self.dead, *SHORT, stdin=b"a\n")
        self.assertEqual(done.returncode, 1, done)
        letter, = self.letters()
        self.assertEqual((letter["value"], letter["outcome"]), ("a", "unknown"))
        self.assertIn(b"1 may or may not be stored", done.stderr)

    def test_nobody_listens(self):
        done = subprocess.run([KLOOP, "produce", "-b", "127.0.0.1:1", "-t", "t", "--dead-letter", self.dead, *SHORT],
                              input=b"a\nb\n", capture_output=True, timeout=SECONDS)
        self.assertEqual(done.returncode, 3)
        self.assertEqual([x["value"] for x in self.letters()], ["a", "b"])

    def test_ctrl_c_twice_leaves_letters(self):
        with subprocess.Popen([KLOOP, "produce", "-b", "127.0.0.1:1", "-t", "t", "--dead-letter", self.dead, "-T"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            p.stdin.write(b"a\nb\n")
            p.stdin.flush()
            self.assertEqual(p.stdout.readline() + p.stdout.readline(), b"a\nb\n")
            p.send_signal(signal.SIGINT)
            line = b""
            while b"no more input is read" not in line:
                line = p.stderr.readline()
            p.send_signal(signal.SIGINT)
            _, errors = p.communicate(timeout=SECONDS)
        self.assertEqual(p.returncode, 130)
        self.assertIn(b"2 not delivered", errors)
        self.assertEqual([(x["value"], x["error"]) for x in self.letters()],
                         [("a", "PRODUCER_CLOSED"), ("b", "PRODUCER_CLOSED")])

    # ---- The file ----

    def fill(self, *flags, stdin=b"a\n", **options):
        with RecordingBroker(KLOOP, {"t": 1}, all_refused) as broker:
            return self.produce(broker, "-t", "t", "--dead-letter", self.dead, *flags, stdin=stdin, **options)

    def test_letters_are_appended(self):
        self.assertEqual(self.fill().returncode, 1)
        self.assertEqual(os.stat(self.dead).st_mode & 0o777, 0o600)
        self.assertEqual(self.fill(stdin=b"b\n").returncode, 1)
        self.assertEqual([x["value"] for x in self.letters()], ["a", "b"])

    def test_a_last_line_without_an_end(self):
        with open(self.dead, "wb") as f:
            f.write(b'{"value":"cut of')
        self.fill()
        with open(self.dead, "rb") as f:
            first, second = f.read().splitlines()
        self.assertEqual((first, json.loads(second)["value"]), (b'{"value":"cut of', "a"))

    def test_a_run_without_failures_leaves_an_empty_file(self):
        with RecordingBroker(KLOOP, {"t": 1}) as broker:
            done = self.produce(broker, "-t", "t", "--dead-letter", self.dead, stdin=b"a\n")
        self.assertEqual((done.returncode, without_rates(done.stderr)), (0, b"kloop produce: 1 delivered\n"))
        self.assertEqual(os.path.getsize(self.dead), 0)

    def test_one_that_cannot_be_written_is_refused_before_anything_is_sent(self):
        for path in (os.path.join(self.folder, "no", "folder"), self.folder):
            with RecordingBroker(KLOOP, {"t": 1}) as broker:
                done = self.produce(broker, "-t", "t", "--dead-letter", path, stdin=b"a\n")
            self.assertEqual((done.returncode, broker.records), (2, []))
            self.assertIn(f"--dead-letter '{path}': ", done.stderr.decode())

    def test_one_that_is_read_too(self):
        """It would never end."""
        self.fill()
        for flags, options in ((["-l", self.dead], {}), ([], {"stdin": open(self.dead, "rb")})):
            done = subprocess.run([KLOOP, "produce", "-b", "127.0.0.1:1", "--input", "json", "--dead-letter", self.dead,
                                   *flags], capture_output=True, timeout=SECONDS, **options)
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"is an input too", done.stderr)
            if options:
                options["stdin"].close()
        self.assertEqual(len(self.letters()), 1)

    def test_a_device_that_is_full(self):
        self.dead = "/dev/full"
        done = self.fill(stdin=b"a\nb\nc\n")
        self.assertEqual(done.returncode, 1)
        errors = done.stderr.decode()
        self.assertIn("--dead-letter /dev/full: No space left on device; 3 undelivered records are in no file", errors)
        self.assertIn("0 delivered, 3 not delivered", errors)

    def test_a_file_that_cannot_grow(self):
        """What fits is whole, the rest is counted, and input ends: going on would only lose more."""
        limit = 20_000

        def small():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        count = 300
        done = self.fill("--events", stdin=b"".join(b"%0100d\n" % n for n in range(count)), preexec_fn=small)
        self.assertEqual(done.returncode, 1)
        kept = self.letters()
        self.assertTrue(0 < len(kept) < count)
        self.assertLessEqual(os.path.getsize(self.dead), limit)
        failed = json.loads(done.stdout.splitlines()[-1])["failed"]
        self.assertIn(f"File too large; {failed - len(kept)} undelivered records are in no file", done.stderr.decode())
        self.assertIn(f"{len(kept)} dead letters in", done.stderr.decode())

    def test_input_ends_when_letters_cannot_be_written(self):
        with RecordingBroker(KLOOP, {"t": 1}, all_refused) as broker, subprocess.Popen(
                [KLOOP, "produce", "-b", broker.place, "-t", "t", "--dead-letter", "/dev/full", "-X", "linger.ms=0"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            p.stdin.write(b"a\n")
            p.stdin.flush()
            # The input is still open.
            errors = p.stderr.read().decode()
            self.assertEqual(p.wait(SECONDS), 1)
        self.assertIn("1 undelivered records are in no file", errors)

    # ---- Pipes ----

    def test_from_one_cluster_to_another(self):
        """kloop produce --dead-letter - | kloop produce --input json"""
        with RecordingBroker(KLOOP, {"t": 2}, lambda topic, partition: REFUSED * partition) as one, \
                RecordingBroker(KLOOP, {"t": 1}) as other:
            lines = b"".join(b"%d:%d\n" % (n, n) for n in range(200))
            with subprocess.Popen([KLOOP, "produce", "-q", "-b", one.place, "-t", "t", "-K:", "--dead-letter", "-"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
                first.stdin.write(lines)
                first.stdin.close()
                second = subprocess.run([KLOOP, "produce", "-b", other.place, "--input", "json"], stdin=first.stdout,
                                        capture_output=True, timeout=SECONDS)
                self.assertEqual(first.wait(SECONDS), 1)
        self.assertEqual(second.returncode, 0, second)
        self.assertGreater(len(other.records), 20)
        self.assertEqual(sorted(r[3] for r in one.records + other.records), sorted(b"%d" % n for n in range(200)))

    def test_a_reader_that_goes_away(self):
        reader, writer = os.pipe()
        os.close(reader)
        with RecordingBroker(KLOOP, {"t": 1}, all_refused) as broker:
            done = subprocess.run([KLOOP, "produce", "-b", broker.place, "-t", "t", "--dead-letter", "-"], input=b"a\nb\n",
                                  stdout=writer, stderr=subprocess.PIPE, timeout=SECONDS)
        os.close(writer)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"Broken pipe; 2 undelivered records are in no file", done.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    KLOOP = os.path.abspath(sys.argv.pop(1))
    unittest.main()
