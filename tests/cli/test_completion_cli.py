#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Completion as it is typed: a shell in a terminal of its own, kloop's script, a few letters and the tab key.

    test_completion_cli.py KLOOP [unittest arguments]

A shell that is not here is left out with a line that says so; with CI=true that is a failure.
"""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

KLOOP = os.path.abspath(sys.argv.pop(1))
SECONDS = 60
COMMANDS = re.findall(r"^  (\w+) ", subprocess.run([KLOOP, "--help"], capture_output=True, text=True,
                                                   check=True).stdout.partition("\n\n")[2].partition("\n\n")[0], re.M)


def need(test, shell):
    if shutil.which(shell):
        return
    if os.environ.get("CI") == "true":
        test.fail(f"there is no {shell}, and under CI nothing is skipped")
    test.skipTest(f"did not run: there is no {shell} here")


def script(shell):
    return subprocess.run([KLOOP, "completion", shell], capture_output=True, text=True, check=True).stdout


class Terminal:
    """A shell as in front of a person; what it shows is read until what is waited for has come."""

    def __init__(self, folder, *words):
        self.seen = ""
        environment = {"PATH": os.path.dirname(KLOOP) + ":" + os.environ["PATH"], "HOME": folder, "TERM": "dumb", "LC_ALL": "C"}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(words[0], words, environment)

    def type(self, text):
        self.seen = ""
        os.write(self.fd, text.encode())

    def wait_for(self, pattern):
        until = time.monotonic() + SECONDS
        while not re.search(pattern, self.seen):
            if not select.select([self.fd], [], [], max(0, until - time.monotonic()))[0]:
                raise AssertionError(f"{pattern!r} did not come; what came: {self.seen!r}")
            self.seen += os.read(self.fd, 65536).decode(errors="replace")
        return self.seen

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


class Typed:
    """What is the same for all shells. A line, what the tab key makes of it."""

    LINES = (
        ("kloop prod", "kloop produce "),
        ("kloop perf --record-s", "--record-size"),
        ("kloop produce --inp", "--input"),
        ("kloop wire batch-d", "batch-decode "),
        ("kloop completion zs", "completion zsh "),
        ("kloop produce -F one-f", "one-file"),
        ("kloop produce -l one-f", "one-file"),
        ("kloop produce -X linger", "linger.ms="),
        ("kloop produce -X acks=a", "acks=all"),
    )

    def test_the_tab_key(self):
        for line, wanted in self.LINES:
            with self.subTest(line=line):
                # Ctrl-U first: the line of the one before.
                self.terminal.type("\x15" + line + "\t")
                self.terminal.wait_for(re.escape(wanted))


class Bash(Typed, unittest.TestCase):
    def setUp(self):
        need(self, "bash")
        self.folder = tempfile.TemporaryDirectory()
        open(os.path.join(self.folder.name, "one-file"), "w").close()
        with open(os.path.join(self.folder.name, "kloop.bash"), "w", encoding="utf-8") as f:
            f.write(script("bash"))
        self.terminal = Terminal(self.folder.name, "bash", "--norc", "--noprofile", "-i")
        self.terminal.type("bind 'set bell-style none'; bind 'set show-all-if-ambiguous on'; . ./kloop.bash; echo rea''dy\n")
        self.terminal.wait_for("ready")

    def tearDown(self):
        self.terminal.close()
        self.folder.cleanup()

    def answers(self, *words):
        """What bash would offer for the last of the words."""
        program = ". ./kloop.bash; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _kloop 2>/dev/null; printf '%s\\n' \"${COMPREPLY[@]}\""
        done = subprocess.run(["bash", "-c", program, "bash", *words], cwd=self.folder.name, capture_output=True,
                              text=True, check=True)
        return done.stdout.split()

    def test_every_command_and_flag(self):
        self.assertEqual(self.answers("kloop", ""), [*COMMANDS, "--help", "--version"])
        for command in COMMANDS:
            text = subprocess.run([KLOOP, command, "--help"], capture_output=True, text=True, check=True).stdout
            flags = set(re.findall(r"^  (?:-\w, )?(--[\w.-]+)", text, re.M))
            self.assertGreater(len(flags), 0, command)
            self.assertLessEqual(flags, set(self.answers("kloop", command, "-")), command)

    def test_words_of_flags(self):
        self.assertEqual(self.answers("kloop", "produce", "--input", ""), ["lines", "json"])
        # Bash gives --input=j as three words.
        self.assertEqual(self.answers("kloop", "produce", "--input", "=", "j"), ["json"])
        self.assertEqual(self.answers("kloop", "produce", "--input", "="), ["lines", "json"])
        self.assertIn("zstd", self.answers("kloop", "produce", "-z", ""))
        self.assertEqual(self.answers("kloop", "produce", "-z", "zstd,lz"), ["zstd,lz4"])
        # A name of a topic is nobody's to guess.
        self.assertEqual(self.answers("kloop", "produce", "--topic", ""), [])

    def test_keys_of_the_configuration(self):
        keys = self.answers("kloop", "produce", "-X", "")
        printed = subprocess.run([KLOOP, "produce", "-b", "localhost:9", "-t", "t", "--print-config"],
                                 capture_output=True, text=True, check=True).stdout
        names = re.findall(r"^([a-z][\w.]*)", printed, re.M)
        self.assertLessEqual(set(names), {key.rstrip("=") for key in keys})
        self.assertEqual(self.answers("kloop", "produce", "-X", "enable.idempotence", "=", ""), ["true", "false"])
        # A flag that takes words until the next flag.
        self.assertEqual(self.answers("kloop", "perf", "--producer-props", "acks", "=", "1", "linger.m"), ["linger.ms="])


class Zsh(Typed, unittest.TestCase):
    def setUp(self):
        need(self, "zsh")
        self.folder = tempfile.TemporaryDirectory()
        open(os.path.join(self.folder.name, "one-file"), "w").close()
        with open(os.path.join(self.folder.name, "_kloop"), "w", encoding="utf-8") as f:
            f.write(script("zsh"))
        self.terminal = Terminal(self.folder.name, "zsh", "-f", "-i")
        self.terminal.type("unsetopt zle_bracketed_paste; fpath=($PWD $fpath); autoload -U compinit; compinit -u -D; "
                           "bindkey '^U' kill-whole-line; echo rea''dy\n")
        self.terminal.wait_for("ready")

    def tearDown(self):
        self.terminal.close()
        self.folder.cleanup()

    def test_sourced(self):
        """As `eval "$(kloop completion zsh)"` does it."""
        self.terminal.type('fpath=(${fpath:#$PWD}); unfunction _kloop; eval "$(kloop completion zsh)"; echo on''ce\n')
        self.terminal.wait_for("once")
        self.terminal.type("kloop perf --record-s\t")
        self.terminal.wait_for("--record-size")


class Fish(unittest.TestCase):
    def setUp(self):
        need(self, "fish")
        self.folder = tempfile.TemporaryDirectory()
        open(os.path.join(self.folder.name, "one-file"), "w").close()
        with open(os.path.join(self.folder.name, "kloop.fish"), "w", encoding="utf-8") as f:
            f.write(script("fish"))

    def tearDown(self):
        self.folder.cleanup()

    def test_the_tab_key(self):
        for line, wanted in Typed.LINES:
            with self.subTest(line=line):
                done = subprocess.run(["fish", "--no-config", "-c", f"source kloop.fish; complete -C '{line}'"], text=True,
                                      capture_output=True, cwd=self.folder.name, check=True,
                                      env={**os.environ, "HOME": self.folder.name, "TERM": "dumb"})
                offered = [row.partition("\t")[0] for row in done.stdout.splitlines()]
                self.assertIn(wanted.split()[-1], offered)


if __name__ == "__main__":
    unittest.main()
