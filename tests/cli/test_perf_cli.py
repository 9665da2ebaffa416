#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The command `kloop perf` from outside: flags, the lines of the report, exit codes, every way in which a run can end.

    test_perf_cli.py KLOOP [unittest's arguments]

The broker is `kloop sink`; figures are only held against each other, never against a clock.
"""
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

from sink_process import SECONDS, Sink

KLOOP = None
os.environ["KLOOP_CONFIG"] = ""

INTERVAL = re.compile(r"(\d+) records sent, (\d+\.\d) records/sec \((\d+\.\d\d) MB/sec\), (\d+\.\d) ms avg latency, "
                      r"(\d+\.\d) ms max latency\.")
TOTAL = re.compile(r"(\d+)( steady state)? records sent, (\d+\.\d{6}) records/sec \((\d+\.\d\d) MB/sec\), "
                   r"(\d+\.\d\d) ms avg latency, (\d+\.\d\d) ms max latency, (\d+) ms 50th, (\d+) ms 95th, "
                   r"(\d+) ms 99th, (\d+) ms 99\.9th\.")
FIELDS = ["records", "ok", "failed", "unknown", "wall_s", "rec_per_s", "mb_per_s", "user_s", "sys_s",
          "cpu_ns_per_record", "max_rss_kb", "p50_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms", "threads", "vcsw",
          "ivcsw", "loop_hold_max_ms"]
INTENDED = ["intended_p50_ms", "intended_p99_ms", "intended_max_ms"]


def run(*arguments, **options):
    return subprocess.run([KLOOP, "perf", *arguments], capture_output=True, timeout=SECONDS, text=True, **options)


def nowhere():
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        return f"127.0.0.1:{s.getsockname()[1]}"


class CommandLine(unittest.TestCase):
    def test_help(self):
        for flag in ("--help", "-h"):
            done = run(flag)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            lines = done.stdout.split("\n")
            self.assertLessEqual(len(lines), 40)
            self.assertLessEqual(max(map(len, lines)), 120)
            self.assertIn("usage: kloop perf", lines[0])
            self.assertIn("examples:", lines)
            self.assertEqual(sum(line.lstrip().startswith("--help") for line in lines), 1)

    def test_what_is_wrong_is_said(self):
        good = ["--topic", "t", "--num-records", "10", "--record-size", "10", "-b", "127.0.0.1:1"]
        for arguments, words in (
                ([], "--topic is missing"),
                (["--topic", "t"], "--num-records is missing"),
                (["--topic", "t", "--num-records", "10"], "exactly one of --record-size"),
                ([*good, "--payload-monotonic"], "exactly one of --record-size"),
                ([*good, "--num-recrods", "10"], "did you mean '--num-records'?"),
                ([*good, "--num-records", "0"], "a number from 1 on is wanted"),
                ([*good, "--num-records", "1e3"], "a number from 1 on is wanted"),
                ([*good, "--record-size", "-1"], "a number from 0 to"),
                ([*good, "--throughput", "0"], "would never send anything"),
                ([*good, "--throughput", "fast"], "a number from"),
                ([*good, "--warmup-records", "10"], "fewer than --num-records"),
                ([*good, "--reporting-interval", "0"], "a number from 1"),
                ([*good, "--partitions", "3"], "--partitions goes with --sink"),
                ([*good, "--sink"], "--bootstrap-server and --sink"),
                ([*good, "--payload-delimiter", "\\q"], "behind a backslash"),
                ([*good, "--producer-props"], "--producer-props needs a value"),
                ([*good, "--producer-props", "acks"], "--producer-props 'acks': KEY=VALUE is wanted"),
                ([*good, "-X", "lingerms=5"], "linger.ms"),
                ([*good, "-X", "linger.ms=soon"], "linger.ms"),
                ([*good, "-X", "acks=1", "enable.idempotence=true"], "enable.idempotence"),
                ([*good, "-X", "partitioner.class=RoundRobin"], "did you mean 'round_robin'?"),
                ([*good, "-X", "partitioner.class=com.example.Ours"], "uniform_sticky, round_robin, random, consistent"),
                ([*good, "-F", "/nowhere/at/all"], "No such file or directory"),
                ([*good, "--producer-props", "acks=1", "--command-property", "linger.ms=1"],
                 "--command-property and --producer-props"),
                ([*good, "--producer.config", "/dev/null", "--command-config", "/dev/null"],
                 "--command-config and --producer.config"),
                ([*good, "--key-distribution", "zipf"], "none, range or random is wanted"),
                ([*good, "--key-distribution", "range"], "needs --record-key-range"),
                ([*good, "--record-key-range", "5"], "goes with --key-distribution"),
                ([*good, "--key-distribution", "random", "--record-key-range", "0"], "a number from 1 on"),
                ([*good, "--random-seed", "x"], "number"),
                ([*good, "--report", "latency.html"], ".hgrm, .csv or .json"),
                ([*good, "--report", "/nowhere/at/all.csv"], "No such file or directory"),
                ([*good, "--trace", "/nowhere/at/all"], "/nowhere/at/all"),
                ([*good, "--progress", "maybe"], "auto, always or never is wanted"),
                ([*good, "--transactional-id", "x"], "no transactions yet"),
                ([*good, "--transaction-duration-ms", "5"], "no transactions yet"),
                ([*good[:4], *good[6:], "--payload-file", "/nowhere"], "No such file or directory"),
                ([*good[:4], *good[6:], "--payload-file", "/dev/null"], "the file is empty"),
                ([*good[:4], *good[6:], "--payload-file", "/dev/null", "--payload-delimiter", ""],
                 "needs --record-size"),
                ([*good, "-t", "no good name"], "no good name"),
                (["word"], "'word' belongs to no flag")):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertIn(words, done.stderr)

    def test_no_broker_is_named(self):
        done = run("--topic", "t", "--num-records", "10", "--record-size", "10")
        self.assertEqual(done.returncode, 2)
        self.assertIn("bootstrap.servers", done.stderr)

    def test_the_config_and_where_it_came_from(self):
        with tempfile.NamedTemporaryFile("w", suffix=".properties") as f:
            f.write("# mine\nlinger.ms = 7\nbatch.size=1000\nacks=all\n")
            f.flush()
            done = run("--print-config", "-b", "127.0.0.1:9092", "-F", f.name, "-X", "batch.size=2000",
                       "-X", "bootstrap.servers=other:1")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            rows = {line.split()[0]: line.split(None, 2)[1:] for line in done.stdout.splitlines()}
            self.assertEqual(rows["linger.ms"], ["7", f"{f.name}:2"])
            self.assertEqual(rows["batch.size"], ["2000", "-X"])
            self.assertEqual(rows["bootstrap.servers"], ["127.0.0.1:9092", "-b"])
            self.assertEqual(rows["client.id"], ["perf-producer-client", "kloop perf"])
            self.assertEqual(rows["compression.type"][1], "default")

    def test_a_file_with_a_bad_line(self):
        with tempfile.NamedTemporaryFile("w", suffix=".properties") as f:
            f.write("acks=all\nlinger.ms=never\n")
            f.flush()
            done = run("--print-config", "-F", f.name)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"{f.name}:2: ", done.stderr)
            self.assertIn("linger.ms", done.stderr)


class Report(unittest.TestCase):
    def check(self, done, records, *, intended=False, size=100):
        """A run in which all went well; answers the JSON."""
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        lines = done.stdout.splitlines()
        total, = [m for m in map(TOTAL.fullmatch, lines) if m and not m[2]]
        figures = json.loads(lines[-1])
        self.assertEqual(sorted(figures), sorted(FIELDS + INTENDED * intended))
        self.assertEqual([figures[k] for k in ("records", "ok", "failed", "unknown")], [records, records, 0, 0])
        self.assertEqual(int(total[1]), records)
        self.assertAlmostEqual(float(total[3]), figures["rec_per_s"], delta=0.1 + figures["rec_per_s"] * 1e-4)
        self.assertAlmostEqual(figures["rec_per_s"] * figures["wall_s"] / records, 1, places=2)
        self.assertAlmostEqual(figures["mb_per_s"], figures["rec_per_s"] * size / 2**20, delta=0.01 * figures["mb_per_s"]
                               + 0.001)
        self.assertLessEqual(figures["p50_ms"], figures["p95_ms"])
        self.assertLessEqual(figures["p95_ms"], figures["p99_ms"])
        self.assertLessEqual(figures["p99_ms"], figures["p999_ms"])
        self.assertLessEqual(figures["p999_ms"], figures["max_ms"])
        self.assertGreater(figures["max_ms"], 0)
        self.assertEqual(figures["threads"], 1)
        self.assertGreater(figures["max_rss_kb"], 0)
        self.assertAlmostEqual(figures["cpu_ns_per_record"],
                               (figures["user_s"] + figures["sys_s"]) * 1e9 / records,
                               delta=0.01 * figures["cpu_ns_per_record"] + 1)
        return figures

    def test_a_sink_of_its_own(self):
        done = run("--sink", "--num-records", "50000", "--record-size", "100", "--json")
        self.check(done, 50000)
        stored, = [line for line in done.stdout.splitlines() if line.startswith("the sink stored ")]
        stored = json.loads(stored[len("the sink stored "):])
        self.assertEqual(stored["records"], 50000)
        topic, = stored["topics"]
        self.assertEqual((topic["topic"], len(topic["next_offsets"]), sum(topic["next_offsets"])),
                         ("kloop-perf", 6, 50000))

    def test_partitions_of_the_sink(self):
        done = run("--sink", "--partitions", "3", "--topic", "mine", "--num-records", "1000", "--record-size", "0",
                   "--json")
        self.check(done, 1000, size=0)
        self.assertIn('"topics":[{"topic":"mine","next_offsets":[', done.stdout)

    def test_turns_of_the_loop_in_cpu_time(self):
        done = run("--sink", "--num-records", "1000", "--record-size", "100", "--json", "--cpu-hold")
        figures = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual(list(figures), [*FIELDS, "cpu_hold_max_ms"])
        self.assertGreater(figures["cpu_hold_max_ms"], 0)

    def test_over_a_thousand_partitions(self):
        for partitioner in ("org.apache.kafka.clients.producer.RoundRobinPartitioner", "round_robin"):
            with Sink(KLOOP, "--topic", "t:1000", "--check") as sink:
                done = run("-b", sink.place, "--topic", "t", "--num-records", "3000", "--record-size", "10", "--json",
                           "--producer-props", f"partitioner.class={partitioner}")
                self.check(done, 3000, size=10)
            self.assertEqual((sink.code, sink.errors), (0, b""))
            self.assertEqual(sink.stored["topics"][0]["next_offsets"], [3] * 1000)

    def test_the_bytes_arrive_as_they_should(self):
        with Sink(KLOOP, "--topic", "t:2", "--check") as sink:
            done = run("-b", sink.place, "--topic", "t", "--num-records", "30000", "--record-size", "37", "--json",
                       "-X", "compression.type=lz4", "linger.ms=0")
            self.check(done, 30000, size=37)
        self.assertEqual((sink.code, sink.errors), (0, b""))
        self.assertEqual(sink.stored["records"], 30000)
        self.assertEqual(sum(sink.stored["topics"][0]["next_offsets"]), 30000)

    def test_old_flags_and_a_file(self):
        with Sink(KLOOP, "--topic", "t:1") as sink, tempfile.NamedTemporaryFile("w") as f:
            f.write(f"bootstrap.servers={sink.place}\nacks=1\n")
            f.flush()
            for flags in (["--producer.config", f.name], ["--command-config", f.name, "--producer-props", "acks=all"],
                          ["-F", "/dev/null", "--command-property", "acks=all", f"bootstrap.servers={sink.place}"]):
                done = run("--topic", "t", "--num-records", "100", "--record-size", "10", "--throughput", "-1", "--json",
                           "--quiet", *flags)
                self.check(done, 100, size=10)
        self.assertEqual(sink.stored["records"], 300)

    def test_payloads(self):
        with Sink(KLOOP, "--topic", "t:1") as sink, tempfile.NamedTemporaryFile("wb") as f:
            f.write(b"aa|bb|cc")
            f.flush()
            common = ["-b", sink.place, "--topic", "t", "--num-records", "1000", "--json"]
            self.check(run(*common, "--payload-file", f.name, "--payload-delimiter", "|"), 1000, size=2)
            self.check(run(*common, "--payload-file", f.name, "--payload-delimiter", "", "--record-size", "4"), 1000,
                       size=4)
            self.check(run(*common, "--payload-file", f.name), 1000, size=8)
            self.check(run(*common, "--payload-monotonic"), 1000, size=2.89)

    def test_intervals(self):
        done = run("--sink", "--num-records", "600", "--record-size", "100", "--throughput", "1000",
                   "--reporting-interval", "100", "--json", "-X", "linger.ms=0")
        figures = self.check(done, 600, intended=True)
        windows = [m for m in map(INTERVAL.fullmatch, done.stdout.splitlines()) if m]
        self.assertGreaterEqual(len(windows), 4)
        self.assertLessEqual(sum(int(m[1]) for m in windows), 600)
        # 600 records at 1000 a second take no less than their time.
        self.assertGreaterEqual(figures["wall_s"], 0.599)
        self.assertGreaterEqual(figures["intended_max_ms"], figures["max_ms"] * 0.99)
        self.assertGreaterEqual(figures["intended_p50_ms"], figures["p50_ms"] * 0.99)
        self.assertRegex(done.stdout, r"(?m)^latency from the intended send in us: 50th \d+, ")

    def test_a_rate_that_is_almost_none(self):
        """A time beyond 64 bits was taken for one that is over."""
        with subprocess.Popen([KLOOP, "perf", "--sink", "--num-records", "10", "--record-size", "1", "--throughput", "1e-12",
                               "--reporting-interval", "50", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as p:
            for _ in range(3):
                p.stdout.readline()
            p.send_signal(signal.SIGINT)
            out, _ = p.communicate(timeout=SECONDS)
        self.assertEqual((p.returncode, json.loads(out.splitlines()[-1])["records"]), (130, 1))

    def test_warm_up(self):
        done = run("--sink", "--num-records", "3000", "--record-size", "100", "--warmup-records", "1000",
                   "--throughput", "5000", "--reporting-interval", "50")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0], "Warmup first 1000 records. Steady state results will print after the complete test "
                                   "summary.")
        self.assertEqual(lines.count("In steady state."), 1)
        totals = [m for m in map(TOTAL.fullmatch, lines) if m]
        self.assertEqual([(m[1], m[2]) for m in totals], [("3000", None), ("2000", " steady state")])

    def test_the_report_for_people(self):
        done = run("--sink", "--num-records", "30000", "--record-size", "100", "-X", "compression.type=gzip")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?m)^delivered   30,000 of 30,000 records, 2\.86 MB in \d+\.\d\d s$")
        self.assertRegex(done.stdout, r"(?m)^batches     [\d,]+, on average [\d.]+ records in [\d,]+ bytes; compressed to "
                                      r"[\d.]+ %, [\d.]+ : 1$")
        self.assertRegex(done.stdout, r"(?m)^requests    [\d,]+; batches sent again: 0$")
        self.assertRegex(done.stdout, r"(?m)^broker 1    127\.0\.0\.1:\d+, [\d,]+ batches, round trip p50 [\d.]+ ms, p99 [\d.]+ ms$")
        self.assertNotIn("so far", done.stdout)

    def test_the_histogram(self):
        for env, letters in (({"LC_ALL": "C.UTF-8"}, "█▏▎▍▌▋▊▉"), ({"LC_ALL": "C"}, "#|")):
            done = run("--sink", "--num-records", "30000", "--record-size", "100", "--histogram", "--json",
                       env={**os.environ, **env}, encoding="utf-8")
            self.check(done, 30000)
            rows = re.findall(rf"(?m)^ +[\d.]+ m?s +([\d,]+) +[\d.]+% +([\d.]+)% ?([{letters}]*)$", done.stdout)
            self.assertGreaterEqual(len(rows), 1)
            self.assertEqual(sum(int(count.replace(",", "")) for count, _, _ in rows), 30000)
            self.assertEqual(rows[-1][1], "100.00")
            self.assertTrue(all(bool(bar) == (count != "0") for count, _, bar in rows), rows)

    def test_files_for_other_programs(self):
        with tempfile.TemporaryDirectory() as folder:
            def report(name, *more):
                path = os.path.join(folder, name)
                self.check(run("--sink", "--num-records", "2000", "--record-size", "100", "--json", "--report", path, *more), 2000,
                           intended=bool(more))
                with open(path, encoding="ascii") as file:
                    return file.read()
            rows = [line.split(",") for line in report("a.csv", "--throughput", "8000").splitlines()]
            self.assertEqual(rows[0], ["from", "up_to_us", "records", "so_far"])
            for kind in ("actual", "intended"):
                mine = [[int(word) for word in row[1:]] for row in rows[1:] if row[0] == kind]
                self.assertEqual(sum(count for _, count, _ in mine), 2000)
                self.assertEqual(mine[-1][2], 2000)
                self.assertEqual(mine, sorted(mine))
            whole = json.loads(report("a.json"))
            self.assertEqual(whole["figures"]["ok"], 2000)
            self.assertEqual(sum(count for _, count in whole["latency_up_to_us_and_records"]), 2000)
            self.assertEqual(whole["figures"]["max_ms"] * 1000, whole["latency_up_to_us_and_records"][-1][0])
            lines = report("a.hgrm").splitlines()
            self.assertEqual(lines[0].split(), ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"])
            steps = [[float(word) for word in line.split()] for line in lines[2:] if not line.startswith("#")]
            self.assertEqual(steps, sorted(steps))
            self.assertEqual(steps[-1][1:], [1.0, 2000.0])
            self.assertRegex(lines[-2], r"^#\[Max     = +[\d.]+, Total count    = +2000\]$")

    def test_a_trace(self):
        with tempfile.NamedTemporaryFile("r") as file:
            self.check(run("--sink", "--num-records", "1000", "--record-size", "100", "--json", "--trace", file.name), 1000)
            kinds = [json.loads(line)["kind"] for line in file.read().splitlines()]
            self.assertIn("sealed", kinds)

    def test_looking_inside(self):
        """SIGUSR1: what the producer looks like, on stderr, and on it goes."""
        with subprocess.Popen([KLOOP, "perf", "--sink", "--num-records", "1000000000", "--record-size", "100", "--throughput",
                               "1000", "--reporting-interval", "20"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
            p.stdout.readline()
            p.send_signal(signal.SIGUSR1)
            while "kloop-perf" not in p.stderr.readline():
                pass
            self.assertTrue(INTERVAL.fullmatch(p.stdout.readline().rstrip("\n")))
            p.send_signal(signal.SIGINT)
            p.communicate(timeout=SECONDS)
        self.assertEqual(p.returncode, 130)

    def test_a_file_that_cannot_be_written(self):
        done = run("--sink", "--num-records", "10", "--record-size", "1", "--report", "/dev/full/x.csv")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--report '/dev/full/x.csv'", done.stderr)

    def test_keys(self):
        """One key goes to one partition, and many go to all of them, the same each time."""
        seen = []
        for words in (["range", "--record-key-range", "1"], ["range", "--record-key-range", "1000"],
                      ["random", "--record-key-range", "1000"], ["random", "--record-key-range", "1000"],
                      ["random", "--record-key-range", "1000", "--random-seed", "5"]):
            with Sink(KLOOP, "--topic", "t:4") as sink:
                self.check(run("-b", sink.place, "--topic", "t", "--num-records", "4000", "--record-size", "10", "--json",
                               "--key-distribution", *words), 4000, size=10)
            seen.append(sink.stored["topics"][0]["next_offsets"])
        self.assertEqual(sorted(seen[0]), [0, 0, 0, 4000])
        for offsets in seen[1:]:
            self.assertTrue(all(offset > 800 for offset in offsets), seen)
        self.assertEqual(seen[2], seen[3])
        self.assertNotEqual(seen[2], seen[4])

    def test_metrics(self):
        done = run("--sink", "--num-records", "3000", "--record-size", "100", "--print-metrics", "-X", "client.id=me")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)^Metric Name +Value$")
        self.assertRegex(done.stdout, r"(?m)^producer-metrics:record-send-total:\{client-id=me\} +: 3000\.000$")
        self.assertRegex(done.stdout, r"(?m)^producer-node-metrics:request-latency-max:\{client-id=me, node-id=node-1\} +: \d")
        self.assertRegex(done.stdout, r"(?m)^producer-topic-metrics:record-send-total:\{client-id=me, topic=kloop-perf\} +: 3000\.000$")

    def test_a_buffer_much_smaller_than_the_work(self):
        done = run("--sink", "--num-records", "20000", "--record-size", "1000", "--json", "-X",
                   "buffer.memory=1000000", "batch.size=10000", "max.request.size=100000")
        self.check(done, 20000, size=1000)


class Failures(unittest.TestCase):
    SHORT = ["-X", "delivery.timeout.ms=600", "request.timeout.ms=300", "linger.ms=0", "max.block.ms=600",
             "reconnect.backoff.ms=10"]

    def failed(self, done, code):
        self.assertEqual(done.returncode, code, done)
        figures = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual(figures["records"], figures["ok"] + figures["failed"] + figures["unknown"])
        return figures

    def test_nobody_listens(self):
        place = nowhere()
        done = run("-b", place, "--topic", "t", "--num-records", "10", "--record-size", "10", "--json", *self.SHORT)
        figures = self.failed(done, 3)
        self.assertEqual((figures["ok"], figures["failed"]), (0, 10))
        self.assertIn(place, done.stderr)
        self.assertIn("10 records not delivered", done.stderr)

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
            done = run("-b", place, "--topic", "t", "--num-records", "10", "--record-size", "10", "--json", *self.SHORT)
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
        self.assertEqual(self.failed(done, 3)["ok"], 0)
        self.assertIn(place, done.stderr)

    def test_a_topic_that_is_not_there(self):
        with Sink(KLOOP) as sink:
            done = run("-b", sink.place, "--topic", "missing", "--num-records", "10", "--record-size", "10", "--json",
                       *self.SHORT)
            self.assertEqual(self.failed(done, 1)["failed"], 10)
            self.assertIn("missing", done.stderr)

    def test_records_that_are_too_large(self):
        done = run("--sink", "--num-records", "10", "--record-size", "2000000", "--json")
        self.assertEqual(self.failed(done, 1)["failed"], 10)
        self.assertIn("10 records not delivered", done.stderr)
        self.assertIn("max.request.size", done.stderr)

    def test_a_producer_that_cannot_go_on(self):
        """It does not try the records that are left."""
        with Sink(KLOOP, "--topic", "t:1", "--error", "PRODUCER_FENCED@1") as sink:
            done = run("-b", sink.place, "--topic", "t", "--num-records", "100000000", "--record-size", "10", "--json",
                       "-X", "linger.ms=0")
        figures = self.failed(done, 5)
        self.assertEqual(figures["ok"], 0)
        self.assertGreater(figures["failed"] + figures["unknown"], 0)
        self.assertIn("PRODUCER_FENCED", done.stderr)

    def test_a_broker_that_refuses_some(self):
        with Sink(KLOOP, "--topic", "t:1", "--error", "MESSAGE_TOO_LARGE@0.5") as sink:
            # One record a batch, however busy the machine is: of a few large ones, none may be refused.
            done = run("-b", sink.place, "--topic", "t", "--num-records", "200", "--record-size", "10", "--json",
                       "--throughput", "2000", "-X", "linger.ms=0", "batch.size=1")
            figures = self.failed(done, 1)
            self.assertGreater(figures["ok"], 0)
            self.assertGreater(figures["failed"], 0)
            self.assertIn("MESSAGE_TOO_LARGE", done.stderr)
        self.assertEqual(sink.stored["records"], figures["ok"])

    def test_the_sink_is_killed_in_the_middle(self):
        with Sink(KLOOP, "--topic", "t:1", "--discard") as sink:
            with subprocess.Popen([KLOOP, "perf", "-b", sink.place, "--topic", "t", "--num-records", "1000000",
                                   "--record-size", "10", "--json", "--throughput", "20000", "--reporting-interval",
                                   "50", *self.SHORT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
                while int(INTERVAL.fullmatch(p.stdout.readline().rstrip("\n"))[1]) == 0:
                    pass
                sink.kill()
                # It is not tried for all the records that are left: Ctrl-C, twice for no more waiting.
                line = p.stdout.readline()
                while not line.startswith("0 records sent"):
                    line = p.stdout.readline()
                p.send_signal(signal.SIGINT)
                p.send_signal(signal.SIGINT)
                out, errors = p.communicate(timeout=SECONDS)
        self.assertEqual(p.returncode, 130)
        figures = json.loads(out.splitlines()[-1])
        self.assertGreater(figures["ok"], 0)
        self.assertGreater(figures["failed"] + figures["unknown"], 0)
        self.assertIn("127.0.0.1", errors)

    def test_ctrl_c(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
            with subprocess.Popen([KLOOP, "perf", "--sink", "--num-records", "1000000000", "--record-size", "100",
                                   "--json", "--reporting-interval", "20"], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True) as p:
                while int(INTERVAL.fullmatch(p.stdout.readline().rstrip("\n"))[1]) == 0:
                    pass
                p.send_signal(number)
                out, errors = p.communicate(timeout=SECONDS)
            self.assertEqual((p.returncode, errors), (code, ""))
            figures = json.loads(out.splitlines()[-1])
            self.assertGreater(figures["ok"], 0)
            self.assertEqual(figures["failed"], 0)
            stored, = [line for line in out.splitlines() if line.startswith("the sink stored ")]
            self.assertEqual(json.loads(stored[len("the sink stored "):])["records"], figures["ok"])

    def test_signals_behind_the_end(self):
        """A third Ctrl-C, or a question, that came when the run was over ended it before its report was written."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        try:
            while True:
                os.write(writer, b"\n" * 65536)
        except BlockingIOError:
            os.set_blocking(writer, True)
        with subprocess.Popen([KLOOP, "perf", "--sink", "--num-records", "1000000000", "--record-size", "100", "--throughput",
                               "1000", "--json", "--progress", "always", "--reporting-interval", "1000000000"], stdout=writer,
                              stderr=subprocess.PIPE, text=True) as p:
            os.close(writer)
            # The live line: it runs.
            p.stderr.read(1)
            p.send_signal(signal.SIGINT)
            with open(f"/proc/{p.pid}/task/{p.pid}/children", encoding="ascii") as f:
                while f.read():
                    f.seek(0)
            # Its sink has ended, so the report is next, and that cannot be written yet.
            for number in (signal.SIGUSR1, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                p.send_signal(number)
            with open(reader, encoding="ascii") as f:
                figures = json.loads(f.read().splitlines()[-1])
            p.communicate(timeout=SECONDS)
        self.assertEqual(p.returncode, 130)
        self.assertEqual(figures["records"], figures["ok"])

    def test_no_process_is_left_behind(self):
        """The sink ends with its parent, also when that is killed."""
        with subprocess.Popen([KLOOP, "perf", "--sink", "--num-records", "1000000000", "--record-size", "100",
                               "--reporting-interval", "20"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True) as p:
            p.stdout.readline()
            with open(f"/proc/{p.pid}/task/{p.pid}/children", encoding="ascii") as f:
                child, = f.read().split()
            handle = os.pidfd_open(int(child))
            p.kill()
        ready, _, _ = select.select([handle], [], [], SECONDS)
        os.close(handle)
        self.assertTrue(ready)

    def test_the_reader_goes_away(self):
        """kloop perf ... | head -1: the run ends, all that was sent is accounted for, and it is said what happened."""
        with subprocess.Popen([KLOOP, "perf", "--sink", "--num-records", "1000000000", "--record-size", "100",
                               "--reporting-interval", "20"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
            self.assertTrue(INTERVAL.fullmatch(p.stdout.readline().rstrip("\n")))
            p.stdout.close()
            errors = p.stderr.read()
            self.assertEqual(p.wait(SECONDS), 1)
        self.assertEqual(errors, "kloop perf: standard output: Broken pipe\n")

    def test_nobody_reads_the_report(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([KLOOP, "perf", "--sink", "--num-records", "10", "--record-size", "1"], stdout=full,
                                  stderr=subprocess.PIPE, timeout=SECONDS, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output: No space left on device", done.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    KLOOP = os.path.abspath(sys.argv.pop(1))
    unittest.main()
