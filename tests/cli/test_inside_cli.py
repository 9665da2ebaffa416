#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Looking inside `kloop perf` and `kloop produce` from outside: SIGUSR1, and --stats in both of its forms.

    test_inside_cli.py KLOOP [unittest's arguments]

Nothing is held against a clock: a signal is answered when its last line is there, a file is read when the run is over.
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

from sink_process import SECONDS, Sink

KLOOP = None
os.environ["KLOOP_CONFIG"] = ""

# What can be read into a struct without a gap, as readers of librdkafka's statistics do.
OF_PRODUCER = ("name client_id type ts time age replyq msg_cnt msg_size msg_max msg_size_max simple_cnt metadata_cache_cnt "
               "brokers topics tx tx_bytes rx rx_bytes txmsgs txmsg_bytes rxmsgs rxmsg_bytes").split()
SAMPLE = re.compile(r"kloop_[a-z0-9_]+\{[a-z_]+=\"(?:[^\"\\\n]|\\[\\\"n])*\"(?:,[a-z_]+=\"(?:[^\"\\\n]|\\[\\\"n])*\")*\} (?:\d+(?:\.\d+)?|NaN)")


def no_twins(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), names
    return dict(pairs)


class Inside(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def perf(self, *arguments, **options):
        return subprocess.run([KLOOP, "perf", "--sink", "--topic", "t", "--partitions", "3", "--record-size", "100",
                               "--quiet", *arguments], capture_output=True, timeout=SECONDS, text=True, **options)

    def started(self, command, *arguments):
        """A program that is killed if it hangs."""
        p = subprocess.Popen([KLOOP, command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        guard = threading.Timer(SECONDS, p.kill)
        guard.start()
        self.addCleanup(guard.cancel)
        return p

    def ask(self, process, *until):
        """SIGUSR1; the lines up to one that has one of these in it."""
        process.send_signal(signal.SIGUSR1)
        lines = []
        while not lines or not any(part in lines[-1] for part in until):
            line = process.stderr.readline()
            self.assertTrue(line, "it ended: " + "".join(lines))
            lines.append(line)
        return "".join(lines)

    def interrupt(self, process):
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=SECONDS)
        self.assertEqual(process.returncode, 130)

    def test_a_question_to_one_that_works(self):
        with Sink(KLOOP, "--topic", "t:2") as sink:
            with self.started("produce", "-b", sink.place, "-t", "t", "--events", "-X", "linger.ms=0", "-X",
                              "client.id=me") as p:
                p.stdin.write("a\nb\n")
                p.stdin.flush()
                for name in ("startup_complete", "producer_send_success", "producer_send_success"):
                    self.assertEqual(json.loads(p.stdout.readline())["name"], name)
                said = self.ask(p, "held up")
                self.assertIn("producer me, open for ", said)
                self.assertIn("  records   2 accepted: 2 acked, 0 failed, 0 unknown, 0 pending", said)
                self.assertIn("  topic t  2 partitions (2 led): 2 acked", said)
                p.communicate(timeout=SECONDS)
                self.assertEqual(p.returncode, 0)

    def test_a_question_to_one_that_is_held_up(self):
        with Sink(KLOOP, "--topic", "t:1") as sink:
            place = sink.place
        with self.started("produce", "-b", place, "-t", "t", "--events") as p:
            p.stdin.write("a\n")
            p.stdin.flush()
            self.assertIn("startup_complete", p.stdout.readline())
            said = ""
            # At first it may not have read the line yet.
            while "suspended" not in said:
                said = self.ask(p, "held up", "suspended")
            self.assertIn("  t: 1 records suspended, because no broker has told of the topic's partitions", said)
            p.send_signal(signal.SIGINT)
            # Two that come at once are one.
            while "no more input" not in p.stderr.readline():
                self.assertIsNone(p.poll())
            self.interrupt(p)

    def test_perf_answers_too(self):
        with self.started("perf", "--sink", "--topic", "t", "--num-records", "1000000", "--record-size", "10",
                          "--throughput", "1000", "--reporting-interval", "100") as p:
            # An interval is over: it runs, and listens.
            self.assertIn("records sent", p.stdout.readline())
            said = self.ask(p, "held up")
            self.assertRegex(said, r"broker 1    127\.0\.0\.1:\d+  ready for ")
            self.interrupt(p)

    def test_json(self):
        done = self.perf("--num-records", "5000", "--stats", self.path("stats.json"), "-X", "client.id=a \"b\"")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open(self.path("stats.json"), encoding="utf-8") as file:
            lines = file.readlines()
        # The last one is that of the end.
        for line in lines:
            now = json.loads(line, object_pairs_hook=no_twins)
            for name in OF_PRODUCER:
                self.assertIn(name, now)
        self.assertEqual(now["client_id"], 'a "b"')
        self.assertEqual(now["txmsgs"], 5000)
        self.assertEqual(now["msg_cnt"], 0)
        rows = now["topics"]["t"]["partitions"].values()
        self.assertEqual(sum(row["txmsgs"] for row in rows), 5000)
        self.assertEqual(sum(b["tx"] for b in now["brokers"].values()), now["tx"])
        self.assertEqual(sum(b["rxbytes"] for b in now["brokers"].values()), now["rx_bytes"])

    def test_counters_only_rise(self):
        done = self.perf("--num-records", "25000", "--throughput", "10000", "--stats", self.path("stats.json"))
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("stats.json"), encoding="utf-8") as file:
            every = [json.loads(line) for line in file]
        self.assertGreaterEqual(len(every), 2)
        for before, after in zip(every, every[1:]):
            for name in ("ts", "tx", "tx_bytes", "rx", "rx_bytes", "txmsgs", "txmsg_bytes"):
                self.assertLessEqual(before[name], after[name], name)
            for index, row in before["topics"]["t"]["partitions"].items():
                self.assertLessEqual(row["txmsgs"], after["topics"]["t"]["partitions"][index]["txmsgs"])

    def test_prometheus(self):
        path = self.path("stats.prom")
        done = self.perf("--num-records", "5000", "--stats", path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertTrue(text.endswith("\n"))
        for line in text.splitlines():
            if not line.startswith("# "):
                self.assertIsNotNone(SAMPLE.fullmatch(line), line)
        self.assertIn('kloop_records_acked_total{client_id="perf-producer-client"} 5000\n', text)
        self.assertEqual(os.listdir(self.folder), ["stats.prom"])

    def test_a_file_that_cannot_be_written(self):
        for name in ("nowhere/stats.json", "nowhere/stats.prom"):
            done = self.perf("--num-records", "1", "--stats", self.path(name))
            self.assertEqual(done.returncode, 2)
            self.assertIn("--stats '" + self.path(name) + "': No such file or directory", done.stderr)
        done = subprocess.run([KLOOP, "produce", "-b", "127.0.0.1:1", "-t", "t", "--stats", self.path("nowhere/x")],
                              input="", capture_output=True, timeout=SECONDS, text=True)
        self.assertEqual(done.returncode, 2)

    def test_a_dash_is_stderr(self):
        """It was a file of that name."""
        for flag, word in (("--stats", "txmsgs"), ("--trace", "kind")):
            done = self.perf("--num-records", "10", flag, "-", cwd=self.folder)
            self.assertEqual(done.returncode, 0, done)
            self.assertIn(word, json.loads(done.stderr.splitlines()[-1]))
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_file_that_is_full(self):
        """What was asked for and is not there is no success, though all was delivered."""
        for flag in ("--stats", "--trace"):
            done = self.perf("--num-records", "10", flag, "/dev/full")
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"kloop perf: {flag} '/dev/full': ", done.stderr)
            self.assertIn("delivered   10 of 10 records", done.stdout)
        with Sink(KLOOP, "--topic", "t:1") as sink:
            done = subprocess.run([KLOOP, "produce", "-b", sink.place, "-t", "t", "--stats", "/dev/full"], input="a\n",
                                  capture_output=True, timeout=SECONDS, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("1 delivered", done.stderr)
        self.assertIn("--stats '/dev/full': No space left on device", done.stderr)

    def test_of_produce(self):
        with Sink(KLOOP, "--topic", "t:2") as sink:
            done = subprocess.run([KLOOP, "produce", "-b", sink.place, "-t", "t", "--stats", self.path("stats.json")],
                                  input="a\nb\nc\n", capture_output=True, timeout=SECONDS, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("stats.json"), encoding="utf-8") as file:
            last = json.loads(file.readlines()[-1])
        self.assertEqual(last["topics"]["t"]["acked"], 3)


if __name__ == "__main__":
    KLOOP = os.path.abspath(sys.argv.pop(1))
    unittest.main()
