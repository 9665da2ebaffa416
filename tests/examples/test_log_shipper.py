#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""examples/log_shipper.c beside a model cluster: files that grow, are renamed and cut; brokers that stall; kill -9.

    test_log_shipper.py SHIPPER TOLD_BROKER [unittest's arguments]
"""
import collections
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SECONDS = 120  # a program that hangs is an error, not a slow machine
SHIPPER = BROKER = None


class Broker:
    """told_broker.c with the topic "logs"."""

    def __enter__(self):
        self.process = subprocess.Popen([BROKER, "logs", "3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.place = self.process.stdout.readline().split()[-1]
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        code = self.process.wait(SECONDS)
        self.process.stdout.close()
        assert code == 0, code

    def tell(self, order):
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def values(self):
        """All lines that are stored, in the order of their partition."""
        found, line = [], self.tell("values")
        while line != ".":
            found.append(line.split(" ", 1)[1])
            line = self.process.stdout.readline().rstrip("\n")
        return found

    def wait_for(self, wanted):
        """Until each of these is there, at least once."""
        deadline = time.monotonic() + SECONDS
        while True:
            found = self.values()
            missing = set(wanted) - set(found)
            if not missing:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(missing)} lines never came, such as {sorted(missing)[:3]}")
            time.sleep(0.02)


class Shipper:
    """The program, with its stderr in a file."""

    def __init__(self, folder, place, *files, flags=()):
        self.errors = os.path.join(folder, "stderr")
        self.checkpoint = os.path.join(folder, "checkpoint")
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen([SHIPPER, *flags, place, "logs", self.checkpoint, *files], stderr=errors)

    def said(self):
        with open(self.errors, encoding="utf-8") as f:
            return f.read()

    def wait_said(self, words, times=1):
        deadline = time.monotonic() + SECONDS
        while self.said().count(words) < times:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"it never said '{words}': {self.said()}")
            time.sleep(0.02)

    def wait_begun(self):
        """Until a file is in the checkpoint: from then on signals are heard."""
        deadline = time.monotonic() + SECONDS
        while not self.stored_to():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"it never began: {self.said()}")
            time.sleep(0.02)

    def wait_told(self, words, times=1):
        """By SIGUSR1."""
        self.wait_begun()
        deadline, seen = time.monotonic() + SECONDS, self.said().count(words)
        while self.said().count(words) < seen + times:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"it never told '{words}': {self.said()}")
            self.process.send_signal(signal.SIGUSR1)
            time.sleep(0.05)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(SECONDS)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stored_to(self):
        """Inode and offset of each file, by its path; of none while there is no checkpoint."""
        if not os.path.exists(self.checkpoint):
            return {}
        with open(self.checkpoint, encoding="utf-8") as f:
            rows = [line.rstrip("\n").split(" ", 3) for line in f]
        return {path: (int(inode), int(offset)) for inode, offset, _, path in rows}

    def wait_stored_to(self, path, offset):
        deadline = time.monotonic() + SECONDS
        while self.stored_to().get(path, (0, 0))[1] != offset:
            if time.monotonic() > deadline:
                raise AssertionError(f"{path} is stored to {self.stored_to()}, not {offset}")
            time.sleep(0.02)


IMPATIENT = ["-X", "request.timeout.ms=400", "-X", "delivery.timeout.ms=1000", "-X", "linger.ms=0"]


def lines(name, first, count):
    return [f"{name} {i:06}" for i in range(first, first + count)]


def append(path, some):
    with open(path, "a", encoding="utf-8") as f:
        f.write("".join(line + "\n" for line in some))


class ShipperTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.a, self.b = (os.path.join(self.folder, name) for name in ("a.log", "b.log"))
        self.running = None
        self.addCleanup(lambda: self.running and self.running.process.poll() is None and self.running.kill())
        self.broker = Broker()
        self.broker.__enter__()
        self.addCleanup(self.broker.__exit__)

    def start(self, *files, flags=()):
        self.running = Shipper(self.folder, self.broker.place, *(files or (self.a, self.b)), flags=flags)
        return self.running

    def once_in_order(self, wanted):
        """Each line of one file is there once, and they are in their order."""
        name = wanted[0].split()[0]
        self.assertEqual([line for line in self.broker.values() if line.startswith(name + " ")], wanted)

    def test_files_that_grow_and_are_renamed(self):
        first, second, third = lines("a", 0, 5000), lines("a", 5000, 5000), lines("a", 10000, 10)
        other = lines("b", 0, 100)
        append(self.a, first)
        ship = self.start()
        self.broker.wait_for(first)
        # b comes later, and one line of it in two pieces.
        with open(self.b, "w", encoding="utf-8") as f:
            f.write("\n".join(other[:-1]) + "\n" + other[-1][:3])
            f.flush()
            self.broker.wait_for(other[:-1])
            # The writer goes on with the renamed file for a moment, and leaves its last line without an end.
            with open(self.a, "a", encoding="utf-8") as old:
                os.rename(self.a, self.a + ".1")
                old.write("\n".join(second))
            append(self.a, third)
            f.write(other[-1][3:] + "\n")
        self.broker.wait_for(first + second + third + other)
        self.assertEqual(ship.end(), 0)
        self.once_in_order(first + second + third)
        self.once_in_order(other)
        self.assertEqual(ship.stored_to(), {p: (os.stat(p).st_ino, os.path.getsize(p)) for p in (self.a, self.b)})
        # Another start finds nothing to do, and goes on from there.
        ship = self.start()
        last = lines("a", 10010, 10)
        append(self.a, last)
        self.broker.wait_for(last)
        self.assertEqual(ship.end(signal.SIGINT), 0)
        self.once_in_order(first + second + third + last)

    def test_a_file_that_is_cut(self):
        first, second = lines("a", 0, 1000), lines("a", 1000, 10)
        append(self.a, first)
        ship = self.start()
        self.broker.wait_for(first)
        ship.wait_stored_to(self.a, os.path.getsize(self.a))
        os.truncate(self.a, 0)
        ship.wait_said("is shorter than it was")
        # The checkpoint comes along before anything new is there: else, after a kill, what the file has grown by meanwhile would
        # be taken for old.
        ship.wait_stored_to(self.a, 0)
        append(self.a, second)
        self.broker.wait_for(second)
        self.assertEqual(ship.end(), 0)
        self.once_in_order(first + second)
        self.assertEqual(ship.stored_to()[self.a][1], os.path.getsize(self.a))

    def test_a_line_that_is_longer_than_the_buffer(self):
        long = "a " + "x" * 700_000
        append(self.a, [long, "a end", "", "a after an empty one"])
        ship = self.start(self.a)
        self.broker.wait_for(["a end", "a after an empty one", ""])
        self.assertEqual(ship.end(), 0)
        self.assertEqual("".join(line for line in self.broker.values() if "x" in line), long)

    def test_killed_and_renamed_twice_meanwhile(self):
        pieces = [lines("a", 20_000 * i, 20_000) for i in range(4)]
        append(self.a, pieces[0])
        ship = self.start(self.a, flags=["-X", "batch.size=1000"])
        self.broker.wait_for(pieces[0][:100])
        ship.kill()
        saved = ship.stored_to()[self.a][1]
        for i, piece in enumerate(pieces[1:]):
            for n in (2, 1):
                if os.path.exists(f"{self.a}.{n}"):
                    os.rename(f"{self.a}.{n}", f"{self.a}.{n + 1}")
            if i < 2:
                os.rename(self.a, self.a + ".1")
            append(self.a, piece)
        ship = self.start(self.a)
        self.broker.wait_for(sum(pieces, []))
        self.assertEqual(ship.end(), 0)
        # Once, but for what was on its way when it was killed.
        counts = collections.Counter(self.broker.values())
        safe = saved // len("a 000000\n")
        self.assertEqual({counts[line] for line in pieces[0][:safe] + sum(pieces[1:], [])}, {1})

    def test_records_that_are_not_delivered_are_sent_again(self):
        some = lines("a", 0, 3000)
        append(self.a, some[:1000])
        ship = self.start(flags=IMPATIENT)
        self.broker.wait_for(some[:1000])
        self.assertEqual(self.broker.tell("stall"), "stalled")
        append(self.a, some[1000:])
        ship.wait_said("nobody knows")
        self.assertEqual(self.broker.tell("go on"), "going on")
        self.broker.wait_for(some)
        ship.wait_stored_to(self.a, os.path.getsize(self.a))
        self.assertEqual(ship.end(), 0)

    def test_cut_while_nobody_answers(self):
        # The way back led into what the file had grown by since, and its first lines were never sent.
        first, lost, second = lines("a", 0, 100), lines("a", 100, 100), lines("b", 0, 500)
        append(self.a, first)
        ship = self.start(self.a, flags=IMPATIENT)
        ship.wait_stored_to(self.a, os.path.getsize(self.a))
        self.assertEqual(self.broker.tell("stall"), "stalled")
        append(self.a, lost)
        ship.wait_told("200 lines sent")
        os.truncate(self.a, 0)
        ship.wait_said("is shorter than it was")
        ship.wait_stored_to(self.a, 0)
        append(self.a, second)
        ship.wait_said("nobody knows")
        self.assertEqual(self.broker.tell("go on"), "going on")
        self.broker.wait_for(second)
        ship.wait_stored_to(self.a, os.path.getsize(self.a))
        self.assertEqual(ship.end(), 0)

    def test_deleted_while_nobody_answers(self):
        # It is still open, so what was not stored of it can be sent again.
        first, second = lines("a", 0, 100), lines("b", 0, 100)
        self.assertEqual(self.broker.tell("stall"), "stalled")
        append(self.a, first)
        ship = self.start(self.a, flags=IMPATIENT)
        ship.wait_told("100 lines sent")
        os.unlink(self.a)
        ship.wait_said("nobody knows")
        append(self.a, second)
        self.assertEqual(self.broker.tell("go on"), "going on")
        self.broker.wait_for(first + second)
        self.assertEqual(ship.end(), 0)

    def test_no_descriptor_for_the_next_file(self):
        # A folder that could not be read was taken for one without renamed files, and a whole one was passed over.
        first, second, third = lines("a", 0, 3000), lines("a", 3000, 3000), lines("a", 6000, 10)
        append(self.a, first)
        ship = self.start(self.a)
        self.broker.wait_for(first)
        self.assertEqual(self.broker.tell("stall"), "stalled")
        with open(self.a, "a", encoding="utf-8") as old:
            old.write("a last\n")
        ship.wait_told("3001 lines sent")
        open_now = len(os.listdir(f"/proc/{ship.process.pid}/fd"))
        resource.prlimit(ship.process.pid, resource.RLIMIT_NOFILE, (open_now, 4096))
        os.rename(self.a, self.a + ".2")
        append(self.a, second)
        os.rename(self.a, self.a + ".1")
        append(self.a, third)
        ship.wait_said(f"{self.a}: Too many open files")
        resource.prlimit(ship.process.pid, resource.RLIMIT_NOFILE, (4096, 4096))
        ship.wait_told("6011 lines sent")
        self.assertEqual(self.broker.tell("go on"), "going on")
        self.broker.wait_for(second + third)
        self.assertEqual(ship.end(), 0)
        self.once_in_order(first + ["a last"] + second + third)
        self.assertEqual(ship.stored_to(), {self.a: (os.stat(self.a).st_ino, os.path.getsize(self.a))})

    def test_a_silent_file_is_renamed(self):
        # Its writer says one thing more before it turns to the new one, long after its last line but soon after the renaming.
        first, second = lines("a", 0, 10), lines("a", 11, 10)
        append(self.a, first)
        os.utime(self.a, (1, 1))
        ship = self.start(self.a)
        ship.wait_stored_to(self.a, os.path.getsize(self.a))
        with open(self.a, "a", encoding="utf-8") as old:
            os.rename(self.a, self.a + ".1")
            append(self.a, second)
            for _ in range(2):  # so it has looked at the file in between
                ship.wait_told("10 lines sent", 2)
                time.sleep(0.25)
            old.write("a 000010\n")
        self.broker.wait_for(first + second)
        self.assertEqual(ship.end(), 0)
        self.once_in_order(first + ["a 000010"] + second)

    def test_memory_is_bounded_while_nobody_answers(self):
        self.assertEqual(self.broker.tell("stall"), "stalled")
        with open(self.a, "w", encoding="utf-8") as f:
            for i in range(100_000):
                f.write(f"a {i:06} {'.' * 600}\n")
        ship = self.start(self.a, flags=["-X", "buffer.memory=2097152", "-X", "batch.size=100000", "-X",
                                         "compression.type=none"])
        ship.wait_begun()
        # What is held, and what was read: the statistics tell when it has stopped reading.
        deadline = time.monotonic() + SECONDS
        before = None
        while time.monotonic() < deadline:
            told = ship.said().count("lines sent")
            ship.process.send_signal(signal.SIGUSR1)
            ship.wait_said("lines sent", told + 1)
            now = ship.said().splitlines()[-1]
            if now == before and "read to 0," not in now:
                break
            before = now
            time.sleep(0.3)
        with open(f"/proc/{ship.process.pid}/status", encoding="ascii") as f:
            peak, = (int(line.split()[1]) for line in f if line.startswith("VmHWM:"))
        held = int(ship.said().split(" bytes held")[-2].split()[-1])
        self.assertLessEqual(held, 2_097_152)
        self.assertLess(int(now.split("read to ")[1].split(",")[0]), 5_000_000)
        if os.environ.get("KLOOP_TEST_SHORT") != "1":  # a sanitizer needs more
            self.assertLess(peak, 40_000)
        self.broker.tell("go on")
        deadline = time.monotonic() + SECONDS
        while len(self.broker.values()) < 100_000 and time.monotonic() < deadline:
            time.sleep(0.2)
        self.assertEqual(ship.end(), 0)
        self.once_in_order([f"a {i:06} {'.' * 600}" for i in range(100_000)])

    def test_ended_while_nobody_answers(self):
        self.assertEqual(self.broker.tell("stall"), "stalled")
        some = lines("a", 0, 100)
        append(self.a, some)
        ship = self.start(self.a)
        ship.wait_told("100 lines sent")
        # The second one does not wait for the ten seconds of the first.
        ship.process.send_signal(signal.SIGTERM)
        time.sleep(0.05)
        self.assertEqual(ship.end(), 1)
        self.assertEqual(ship.stored_to()[self.a][1], 0)
        self.broker.tell("go on")
        ship = self.start(self.a)
        self.broker.wait_for(some)
        self.assertEqual(ship.end(), 0)

    def test_words(self):
        for arguments, words in (([], "usage:"), (["-X"], "-X needs KEY=VALUE"), (["-X", "lingr.ms=1", "h", "t", "c", "f"],
                                                                                 "linger.ms")):
            done = subprocess.run([SHIPPER, *arguments], capture_output=True, text=True, timeout=SECONDS, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, done.stderr)

    def test_what_it_does_not_begin_with(self):
        append(self.a, lines("a", 0, 1))
        nowhere, wrong = (os.path.join(self.folder, name) for name in ("none/checkpoint", "wrong"))
        append(wrong, ["these are not places"])
        for topic, checkpoint, words in (("logs", nowhere, "No such file"), ("logs", wrong, "'these are not places' is no line"),
                                         ("logs", self.folder, self.folder), ("no topic", self.a + ".c", "no topic")):
            done = subprocess.run([SHIPPER, self.broker.place, topic, checkpoint, self.a], capture_output=True, text=True,
                                  timeout=SECONDS, check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(words, done.stderr)
        self.assertEqual(self.broker.values(), [])


if __name__ == "__main__":
    SHIPPER, BROKER = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
