#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`kloop produce` at a terminal, and the signals that end it.

    test_produce_terminal_cli.py KLOOP [unittest's arguments]
"""
import array
import codecs
import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest

from recording_broker import SILENCE, RecordingBroker
from sink_process import SECONDS, Sink, without_rates

KLOOP = None
os.environ["KLOOP_CONFIG"] = ""
os.environ["TERM"] = "xterm"


class Terminal:
    """A terminal with a program at it. What it prints is in text."""

    def __init__(self, *command, stdin=None, env=None):
        self.ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 100))

        def take_it():
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
        self.process = subprocess.Popen(command, stdin=theirs if stdin is None else stdin, stdout=theirs, stderr=theirs,
                                        start_new_session=True, preexec_fn=take_it,
                                        env=None if env is None else {**os.environ, **env})
        os.close(theirs)
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.text = ""
        self.at = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.ours)
        self.process.wait(SECONDS)

    def read(self):
        """False: nobody holds the other end any more."""
        ready, _, _ = select.select([self.ours], [], [], SECONDS)
        if not ready:
            raise AssertionError(f"nothing came behind {self.text!r}")
        try:
            data = os.read(self.ours, 65536)
        except OSError:
            return False
        self.text += self.decoder.decode(data)
        return bool(data)

    def expect(self, words):
        """Reads on until these words stand behind what was expected before."""
        deadline = time.monotonic() + SECONDS
        while (hit := self.text.find(words, self.at)) < 0:
            if time.monotonic() > deadline or not self.read():
                raise AssertionError(f"{words!r} is not in {self.text[self.at:]!r}")
        self.at = hit + len(words)

    def type(self, text):
        os.write(self.ours, text.encode())

    def end(self):
        while self.read():
            pass
        return self.process.wait(SECONDS)


class AtATerminal(unittest.TestCase):
    def test_lines_that_are_typed(self):
        with RecordingBroker(KLOOP, {"t": 1}) as broker:
            with Terminal(KLOOP, "produce", "-b", broker.place, "-t", "t") as t:
                t.expect("each line you type becomes a record; Ctrl-D ends.\r\n> ")
                t.type("one\n")
                t.expect("one\r\n> ")
                t.type("two\n")
                t.expect("two\r\n> ")
                t.type("\x04")
                self.assertEqual(t.end(), 0)
                self.assertIn("kloop produce: 2 delivered\r\n", t.text)
        self.assertEqual([r[4] for r in broker.records], [b"one", b"two"])

    def test_ctrl_c_in_the_middle_of_a_line(self):
        with RecordingBroker(KLOOP, {"t": 1}) as broker:
            with Terminal(KLOOP, "produce", "-b", broker.place, "-t", "t", "-X", "linger.ms=60000") as t:
                t.expect("> ")
                t.type("one\n")
                t.expect("> ")
                t.type("tw\x03")
                self.assertEqual(t.end(), 130)
                self.assertIn("no more input is read", t.text)
                self.assertIn("standard input was read up to line 1\r\n", t.text)
        self.assertEqual([r[4] for r in broker.records], [b"one"])

    def test_failures_are_told_at_once(self):
        with RecordingBroker(KLOOP, {"t": 1}, lambda topic, partition: 29) as broker:
            with Terminal(KLOOP, "produce", "-b", broker.place, "-t", "t", "-X", "linger.ms=0") as t:
                t.expect("> ")
                t.type("one\n")
                t.expect("kloop produce: not delivered: topic 't' partition 0: TOPIC_AUTHORIZATION_FAILED")
                t.type("\x04")
                self.assertEqual(t.end(), 1)

    def test_quiet(self):
        with RecordingBroker(KLOOP, {"t": 1}) as broker:
            with Terminal(KLOOP, "produce", "-q", "-b", broker.place, "-t", "t") as t:
                t.type("one\n\x04")
                self.assertEqual(t.end(), 0)
                self.assertEqual(t.text.replace("^D\b\b", ""), "one\r\n")

    def test_bad_input_that_is_typed(self):
        with RecordingBroker(KLOOP, {"t": 1}) as broker:
            with Terminal(KLOOP, "produce", "--input", "json", "-E", "-b", broker.place, "-t", "t") as t:
                t.expect("> ")
                t.type("{}\n")
                t.expect("line 1, byte 1: the record has no value")
                t.expect("> ")
                t.type('{"value":"v"}\n')
                t.expect("> ")
                t.type("\x04")
                self.assertEqual(t.end(), 4)
        self.assertEqual([r[4] for r in broker.records], [b"v"])

    def run_with_pipe(self, *flags, env=None, lines=b"x\n" * 1000):
        """Input from a pipe, and the rest at a terminal."""
        reader, writer = os.pipe()
        with RecordingBroker(KLOOP, {"t": 1}) as broker:
            with Terminal(KLOOP, "produce", "-b", broker.place, "-t", "t", *flags, stdin=reader, env=env) as t:
                os.close(reader)
                os.write(writer, lines)
                yield t
                os.close(writer)
                yield t.end()

    def test_the_live_line(self):
        run = self.run_with_pipe()
        t = next(run)
        t.expect(" rec/s")
        t.expect("no errors")
        self.assertEqual(next(run), 0)
        # It is taken back before the last words.
        self.assertRegex(t.text, r"\x1b\[J[^ ]*\r(kloop produce: .* records/s.*\r\n)?kloop produce: 1000 delivered\r\n$")

    def test_no_live_line(self):
        for flags, words in ((("--progress", "never"), "kloop produce: 1000 delivered\r\n"), (("-q",), "")):
            run = self.run_with_pipe(*flags)
            t = next(run)
            self.assertEqual(next(run), 0)
            self.assertEqual(without_rates(t.text), words)

    def test_events_have_the_screen_for_themselves(self):
        run = self.run_with_pipe("--events", lines=b"a\n")
        t = next(run)
        self.assertEqual(next(run), 0)
        lines = without_rates(t.text).split("\r\n")
        self.assertEqual([json.loads(line)["name"] for line in lines[:4]],
                         ["startup_complete", "producer_send_success", "shutdown_complete", "tool_data"])
        self.assertEqual(lines[4:], ["kloop produce: 1 delivered", ""])


class Signals(unittest.TestCase):
    def started(self, place, *flags, lines=b"a\nb\n", **options):
        """Running, with all lines read."""
        p = subprocess.Popen([KLOOP, "produce", "-b", place, "-t", "t", "-T", *flags], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        p.stdin.write(lines)
        p.stdin.flush()
        for _ in lines.splitlines():
            p.stdout.readline()
        return p

    def finish(self, p):
        # The input stays open.
        errors = p.stderr.read().decode()
        p.stdout.read()
        p.wait(SECONDS)
        for f in (p.stdin, p.stdout, p.stderr):
            f.close()
        return errors

    def test_hangup(self):
        with RecordingBroker(KLOOP, {"t": 1}) as broker:
            p = self.started(broker.place, "-X", "linger.ms=60000")
            p.send_signal(signal.SIGHUP)
            self.assertIn("2 delivered", self.finish(p))
            self.assertEqual(p.returncode, 129)

    def test_hangup_under_nohup(self):
        with RecordingBroker(KLOOP, {"t": 1}) as broker:
            p = self.started(broker.place, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
            p.send_signal(signal.SIGHUP)
            p.stdin.write(b"c\n")
            p.stdin.flush()
            self.assertEqual(p.stdout.readline(), b"c\n")
            p.stdin.close()
            self.assertIn("3 delivered", self.finish(p))
            self.assertEqual(p.returncode, 0)

    def test_a_question(self):
        with RecordingBroker(KLOOP, {"t": 1}, lambda topic, partition: SILENCE) as broker:
            p = self.started(broker.place, "-X", "linger.ms=0")
            p.send_signal(signal.SIGUSR1)
            line = b""
            while b"read" not in line:
                line = p.stderr.readline()
            self.assertEqual(line, b"kloop produce: 2 read, 0 delivered, 0 not, 2 under way; at line 2 of standard input\n")
            for _ in range(2):
                p.send_signal(signal.SIGINT)
                while b"no more input" not in line and p.poll() is None:
                    line = p.stderr.readline()
            self.finish(p)
            self.assertEqual(p.returncode, 130)

    def test_sigterm_does_not_wait_for_long(self):
        """Nothing answers, and records would have minutes; whoever sends SIGTERM kills soon."""
        with RecordingBroker(KLOOP, {"t": 1}, lambda topic, partition: SILENCE) as broker:
            p = self.started(broker.place, "-X", "delivery.timeout.ms=600000", "-X", "request.timeout.ms=500000")
            p.send_signal(signal.SIGTERM)
            self.assertIn("2 may or may not be stored", self.finish(p))
            self.assertEqual(p.returncode, 143)

    def test_two_at_once(self):
        """The producer was gone before the end of the input was told of, and closed again: that was a crash."""
        with RecordingBroker(KLOOP, {"t": 1}, lambda topic, partition: SILENCE) as broker:
            p = self.started(broker.place)
            os.kill(p.pid, signal.SIGSTOP)
            os.waitpid(p.pid, os.WUNTRACED)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
                p.send_signal(number)
            errors = self.finish(p)
        self.assertIn(p.returncode, (130, 143), errors)
        self.assertIn("0 delivered, 2 ", errors)

    def test_a_file_is_written_however_many_there_are(self):
        """Readers are not waited for behind a third signal, but a file has none: its letters were dropped."""
        with tempfile.TemporaryDirectory() as folder:
            dead = os.path.join(folder, "dead.json")
            with RecordingBroker(KLOOP, {"t": 1}, lambda topic, partition: SILENCE) as broker:
                p = self.started(broker.place, "--dead-letter", dead)
                os.kill(p.pid, signal.SIGSTOP)
                os.waitpid(p.pid, os.WUNTRACED)
                for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
                    p.send_signal(number)
                errors = self.finish(p)
            self.assertIn(f"2 dead letters in '{dead}'", errors)
            # Nothing waited there.
            self.assertNotIn("standard output", errors)
            with open(dead, encoding="utf-8") as file:
                self.assertEqual([json.loads(line)["value"] for line in file], ["a", "b"])

    def test_while_a_rate_is_waited_for(self):
        with RecordingBroker(KLOOP, {"t": 1}) as broker:
            p = subprocess.Popen([KLOOP, "produce", "-b", broker.place, "-t", "t", "-T", "--rate", "1/h"],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            p.stdin.write(b"a\nb\nc\n")
            p.stdin.flush()
            self.assertEqual(p.stdout.readline(), b"a\n")
            p.send_signal(signal.SIGINT)
            errors = self.finish(p)
            self.assertEqual(p.returncode, 130)
        self.assertIn("standard input was read up to line 1\n", errors)
        self.assertIn("1 delivered", errors)

    def test_between_files(self):
        """What was read is told by the name of the file and the line."""
        with tempfile.TemporaryDirectory() as folder, RecordingBroker(KLOOP, {"t": 1}) as broker:
            paths = [os.path.join(folder, name) for name in "ab"]
            for path in paths:
                with open(path, "wb") as f:
                    f.write(b"1\n2\n3\n")
            p = subprocess.Popen([KLOOP, "produce", "-b", broker.place, "-t", "t", "-T", "-l", *paths, "--rate", "6/h"],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            p.stdout.readline()
            p.send_signal(signal.SIGINT)
            self.assertIn(f"{paths[0]} was read up to line 1\n", self.finish(p))

    def test_a_third_one_does_not_wait_for_readers(self):
        with Sink(KLOOP, "--topic", "t:1") as sink, subprocess.Popen(
                [KLOOP, "produce", "-b", sink.place, "-t", "t", "--events"], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            # More than the pipe holds, in events that nobody reads.
            feeder = threading.Thread(target=feed, args=(p.stdin, b"x" * 1000 + b"\n", 3000))
            feeder.start()
            # Full: the last event that fitted may have left a little.
            while bytes_in(p.stdout) < 50_000:
                time.sleep(0.01)
            p.send_signal(signal.SIGINT)
            while b"no more input is read" not in p.stderr.readline():
                pass
            # Signals that come while one is being looked at are one signal: so send until it has ended.
            for _ in range(SECONDS * 10):
                p.send_signal(signal.SIGINT)
                try:
                    p.wait(0.1)
                    break
                except subprocess.TimeoutExpired:
                    pass
            feeder.join()
            self.assertEqual(p.returncode, 130)
            self.assertIn(b"lines were not written", p.stderr.read())


def bytes_in(pipe):
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


def feed(pipe, line, count):
    try:
        pipe.write(line * count)
        pipe.close()
    except BrokenPipeError:
        pass


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    KLOOP = os.path.abspath(sys.argv.pop(1))
    unittest.main()
