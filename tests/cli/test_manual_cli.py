#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The manual: each page says what the command's help says, and man reads it without a complaint.

    test_manual_cli.py KLOOP [unittest arguments]
"""

import os
import re
import shutil
import subprocess
import sys
import unittest

KLOOP = os.path.abspath(sys.argv.pop(1))


def out(*words):
    return subprocess.run([KLOOP, *words], capture_output=True, text=True, check=True).stdout


COMMANDS = re.findall(r"^  (\w+) ", out("--help").partition("\n\n")[2].partition("\n\n")[0], re.M)
PAGES = {"": out("manual"), "conf": out("manual", "conf"), **{c: out("manual", c) for c in COMMANDS}}


class Manual(unittest.TestCase):
    def test_formatters_do_not_complain(self):
        tools = {"mandoc": ["mandoc", "-T", "lint", "-W", "warning"], "groff": ["groff", "-man", "-ww", "-z", "-T", "utf8"]}
        tools = {name: words for name, words in tools.items() if shutil.which(name)}
        if not tools:
            self.skipTest("did not run: there is neither mandoc nor groff here")
        for name, page in PAGES.items():
            for tool, words in tools.items():
                with self.subTest(page=name, tool=tool):
                    done = subprocess.run(words, input=page, capture_output=True, text=True)
                    # The pages carry no date: the same sources, the same bytes.
                    said = [line for line in (done.stdout + done.stderr).splitlines() if "missing date" not in line]
                    self.assertEqual(said, [])

    def test_help_is_one_screen_with_examples(self):
        for command in COMMANDS:
            text = out(command, "--help")
            self.assertEqual(out(command, "-h"), text)
            self.assertEqual(out("help", command), text)
            lines = text.splitlines()
            self.assertTrue(lines[0].startswith(f"usage: kloop {command}"), lines[0])
            self.assertIn("examples:", lines, command)
            self.assertLessEqual(len(lines), 40, command)
            self.assertLessEqual(max(map(len, lines)), 120, command)
        self.assertEqual(out("help"), out("--help"))
        self.assertRegex(out("--version"), r"^kloop \d+\.\d+\.\d+\n$")

    def test_no_command_and_a_wrong_one(self):
        """Help that nobody asked for is no data, and no success."""
        done = subprocess.run([KLOOP], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (2, "", out("--help")))
        for words, says in (("prodce", "there is no command 'prodce', did you mean 'produce'?"),
                            ("--versoin", "there is no option '--versoin', did you mean '--version'?"),
                            ("help prodce", "there is no command 'prodce', did you mean 'produce'?")):
            done = subprocess.run([KLOOP, *words.split()], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(says, done.stderr)

    def test_every_flag_is_there(self):
        for command in COMMANDS:
            flags = re.findall(r"^  (?:-\w, )?(--[\w.-]+)", out(command, "--help"), re.M)
            for flag in flags:
                self.assertIn("\\fB" + flag.replace("-", "\\-") + "\\fR", PAGES[command], command)

    def test_every_key_is_there(self):
        printed = out("produce", "-b", "localhost:9", "-t", "t", "--print-config")
        for key in re.findall(r"^([a-z][\w.]*)", printed, re.M):
            self.assertIn(f"\n.TP\n\\fB{key}\\fR", PAGES["conf"])

    def test_pages_have_their_parts(self):
        for name, page in PAGES.items():
            for part in ("NAME", "DESCRIPTION", "SEE ALSO"):
                self.assertIn(f"\n.SH {part}\n", page, name)
            self.assertEqual(page.isascii(), True, name)

    def test_what_is_asked_wrongly(self):
        done = subprocess.run([KLOOP, "manual", "prodce"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("did you mean 'produce'?", done.stderr)
        done = subprocess.run([KLOOP, "completion", "csh"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([KLOOP, "manual"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("kloop manual: ", done.stderr)


if __name__ == "__main__":
    unittest.main()
