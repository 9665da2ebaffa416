#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`kloop perf` in a real terminal (tmux): what is on the screen while it runs, and that the screen is whole afterwards.

    test_terminal.py KLOOP [unittest's arguments]

Exit code 77, skipped, where there is no tmux; with CI=true that is a failure."""
import os
import re
import socket
import sys
import unittest

from sink_process import Sink
from tmux_pane import PROMPT, Pane, missing

KLOOP = None

# ███████▌──────  54%  eta 0:04  2.41M rec/s  230 MB/s  in flight 31.2k  buffer 12%  p50 3.1 ms p99 8.9 ms  no errors  ▃▅▇
LIVE = re.compile(r"([█▏▎▍▌▋▊▉]*─* )? *(\d+%)?( +eta \d+(:\d\d)+)? +?[\d.]+[kM]? rec/s.*")
INTERVAL = re.compile(r"\d+ records sent, [\d.]+ records/sec \([\d.]+ MB/sec\), [\d.]+ ms avg latency, [\d.]+ ms max latency\.")
TOTAL = re.compile(r"(\d+) records sent, .* ms 99\.9th\.")
ENDLESS = "perf --sink --num-records 100000000 --record-size 100 --throughput 5000"


def live(line):
    return LIVE.fullmatch(line) and " rec/s" in line


class LiveLine(unittest.TestCase):
    def start(self, pane, words):
        """The screen is the command and what comes of it."""
        pane.type(f"printf '\\033[H\\033[J'; {KLOOP} {words}")

    def tell(self, pane, words):
        """As pane.type(), where others write to the screen meanwhile."""
        pane.tmux("send-keys", "-l", words)
        pane.press("Enter")

    def whole(self, screen):
        """Each line is what was written there, from its beginning to its end, and only the last one is the live line."""
        for line in screen[:-1]:
            self.assertTrue(INTERVAL.fullmatch(line), screen)
        self.assertTrue(live(screen[-1]) or INTERVAL.fullmatch(screen[-1]), screen)

    def stop(self, pane):
        pane.press("C-c")
        screen = pane.wait_prompt()
        pane.type("echo code $?")
        pane.wait(lambda lines: lines[-2:] == ["code 130", PROMPT])
        return screen

    def test_it_stands_below_the_lines_of_the_intervals(self):
        with Pane(140, 70) as pane:
            self.start(pane, ENDLESS + " --reporting-interval 400")
            pane.wait(lambda screen: live(screen[-1]) and "p50" in screen[-1] and "─ " in screen[-1])
            for count in range(1, 6):
                self.whole(pane.wait(lambda screen: sum(map(bool, map(INTERVAL.fullmatch, screen))) >= count  # pylint: disable=W0640
                                     and live(screen[-1])))
            screen = pane.wait(lambda screen: re.search(r"no errors  [▁▂▃▄▅▆▇█]+$", screen[-1]))
            self.assertRegex(screen[-1], r" rec/s  [\d.]+ MB/s  in flight \d+  buffer 0%  p50 [\d.]+ ms p99 [\d.]+ ms  no errors ")
            screen = self.stop(pane)
            self.assertFalse(any(map(live, screen)), screen)
            self.assertEqual(sum(map(bool, map(TOTAL.fullmatch, screen))), 1)
            self.assertIn("     up to       records   share  so far", screen)

    def test_the_window_changes(self):
        """A terminal that becomes narrower breaks the line that stands there: nothing of it stays behind."""
        with Pane(150, 24) as pane:
            self.start(pane, ENDLESS + " --reporting-interval 100000")
            pane.wait(lambda screen: live(screen[-1]) and len(screen[-1]) > 110)
            for columns in (70, 30, 150, 41, 100):
                pane.resize(columns)
                screen = pane.wait(lambda screen: len(screen) == 1 and live(screen[0])
                                   and columns - 60 < len(screen[0]) < columns)  # pylint: disable=W0640
                self.assertIn(" rec/s", screen[0])
            self.stop(pane)

    def test_the_shell_is_as_before(self):
        with Pane(120, 70) as pane:
            self.start(pane, "perf --sink --num-records 2000 --record-size 100 --throughput 4000 -X linger.ms=0")
            screen = pane.wait_prompt()
            self.assertEqual(sum(map(bool, map(TOTAL.fullmatch, screen))), 1)
            self.assertTrue(TOTAL.fullmatch(screen[0]), screen)
            self.assertFalse(any(map(live, screen)), screen)
            self.assertEqual(pane.tmux("display-message", "-p", "#{cursor_x} #{cursor_flag} #{wrap_flag} #{insert_flag}"),
                             f"{len(PROMPT) + 1} 1 1 0\n")
            pane.type("echo seen")
            pane.wait(lambda lines: lines[-3:] == [f"{PROMPT} echo seen", "seen", PROMPT])

    def test_stopped_and_on_again(self):
        """Ctrl-Z, fg and bg: the line is there while the terminal is the program's, and not otherwise."""
        with Pane(140, 70) as pane:
            self.start(pane, ENDLESS + " --reporting-interval 250")
            pane.wait(lambda screen: live(screen[-1]))
            pane.press("C-z")
            screen = pane.wait_prompt()
            self.assertFalse(any(map(live, screen)), screen)
            self.assertTrue(any("Stopped" in line for line in screen), screen)
            pane.type("fg")
            pane.wait(lambda screen: live(screen[-1]))
            pane.press("C-z")
            pane.wait_prompt()
            pane.type("printf '\\033[H\\033[J'; bg")
            screen = pane.wait(lambda screen: sum(map(bool, map(INTERVAL.fullmatch, screen))) >= 4)
            self.assertFalse(any(map(live, screen)), screen)
            pane.press("C-m")
            self.tell(pane, "fg")
            pane.wait(lambda screen: live(screen[-1]))
            self.stop(pane)

    def test_colours(self):
        for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)):
            with Pane(140, 24, **env) as pane:
                self.start(pane, ENDLESS)
                pane.wait(lambda screen: live(screen[-1]) and "p50" in screen[-1])
                line = pane.wait(lambda screen: " rec/s" in screen[-1], escapes=True)[-1]
                self.assertEqual("\x1b[" in line, coloured, line)
                self.stop(pane)

    def test_letters_of_ascii(self):
        with Pane(140, 24, LC_ALL="C") as pane:
            self.start(pane, ENDLESS)
            screen = pane.wait(lambda screen: re.search(r"^-+   0%  eta .* rec/s .*no errors  [_.,=+*#-]+$", screen[-1]))
            self.assertTrue(screen[-1].isascii())
            self.stop(pane)

    def test_where_nothing_is_drawn(self):
        for env, flags in (({"TERM": "dumb"}, ""), ({}, " --progress=never"), ({}, " --quiet")):
            with Pane(140, 24, **env) as pane:
                self.start(pane, ENDLESS + " --reporting-interval 200" + flags)
                screen = pane.wait(lambda screen: len(screen) >= 5)
                self.assertTrue(all(map(INTERVAL.fullmatch, screen[-4:])), screen)
                self.stop(pane)

    def test_stdout_is_somewhere_else(self):
        """What is to be read by programs stays clean, and the line stands alone."""
        with Pane(140, 24) as pane:
            path = os.path.join(pane.folder, "out")
            self.start(pane, f"{ENDLESS} --reporting-interval 100 > {path}")
            pane.wait(lambda screen: re.search(r"no errors  [▁▂▃▄▅▆▇█]+$", screen[-1]))
            self.assertEqual(len(pane.screen()), 1)
            self.stop(pane)
            with open(path, "rb") as file:
                written = file.read()
            self.assertNotIn(b"\x1b", written)
            self.assertNotIn(b"\r", written)
            self.assertTrue(INTERVAL.fullmatch(written.split(b"\n")[0].decode()))

    def test_a_reader_behind_a_pipe_writes_to_the_same_screen(self):
        with Pane(140, 70) as pane:
            self.start(pane, ENDLESS + " --reporting-interval 300 | cat")
            pane.wait(lambda screen: len(screen) > 3 and INTERVAL.fullmatch(screen[-2]) and live(screen[-1]))
            pane.press("C-c")
            screen = pane.wait_prompt()
            self.assertFalse(any(map(live, screen)), screen)

    def test_nobody_is_there(self):
        """Sentences about troubles stand above the line, which says why it does not get on."""
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            place = f"127.0.0.1:{nobody.getsockname()[1]}"
        with Pane(160, 70) as pane:
            self.start(pane, f"perf -b {place} --topic t --num-records 100000 --record-size 100 --throughput 100 -X max.block.ms=3000")
            screen = pane.wait(lambda screen: live(screen[-1]) and "suspended" in screen[-1] and
                               any(line.startswith("kloop perf: ") and place in line for line in screen[:-1]))
            self.assertEqual(sum(map(bool, map(live, screen))), 1, screen)
            screen = pane.wait(lambda screen: live(screen[-1]) and re.search(r" \d+ not delivered ", screen[-1]))
            pane.press("C-c")
            pane.press("C-c")
            screen = pane.wait_prompt()
            self.assertFalse(any(map(live, screen)), screen)
            self.assertTrue(any(re.match(r"kloop perf: \d+ records not delivered: DELIVERY_TIMED_OUT, topic 't'", line)
                                for line in screen), screen)

    def test_errors_in_groups(self):
        # On a busy machine the records of a few seconds may go to one partition, if it is not said where to.
        with Sink(KLOOP, "--topic", "t:3", "--error", "MESSAGE_TOO_LARGE@1") as sink, Pane(160, 70) as pane:
            self.start(pane, f"perf -b {sink.place} --topic t --num-records 200 --record-size 100 --throughput 2000 -X linger.ms=0 "
                       "partitioner.class=round_robin")
            screen = pane.wait_prompt()
            heads = [line for line in screen if line.startswith("kloop perf: ")]
            self.assertEqual(len(heads), 1, screen)
            self.assertRegex(heads[0], r"^kloop perf: 200 records not delivered: MESSAGE_TOO_LARGE, topic 't', partition \d: 67, \d: 67, \d: 66$")
            hints = [line for line in screen if line.startswith("    hint: ")]
            self.assertEqual(len(hints), 1)
            self.assertIn("max.request.size", hints[0])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    KLOOP = os.path.abspath(sys.argv.pop(1))
    if missing():
        print(missing())
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    unittest.main()
