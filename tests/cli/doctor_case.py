# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of `kloop doctor` have in common: running it, and picking steps out of what it says."""
import json
import os
import socket
import subprocess
import unittest

from scripted_broker import SECONDS, Broker
from secure_broker import SecureBroker

USERS = {"alice": "alice-s3cret"}
WRONG = "never-to-be-se3n"


class Tested:
    """The command; set by main()."""
    kloop = None


def run(*arguments, command="doctor", **options):
    environment = {**os.environ, "KLOOP_CONFIG": "", **options.pop("env", {})}
    done = subprocess.run([Tested.kloop, command, *arguments], capture_output=True, timeout=SECONDS, env=environment, **options)
    for secret in (USERS["alice"], WRONG):
        assert secret.encode() not in done.stdout + done.stderr, "a secret was shown"
    return done


def x(**properties):
    """Flags of a configuration; _ stands for a dot."""
    return [word for key, value in properties.items() for word in ("-X", f"{key.replace('_', '.')}={value}")]


def closed_port():
    """A port that nobody listens on, held for as long as the answer lives."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    return holder, holder.getsockname()[1]


class Base(unittest.TestCase):
    def enterContext(self, thing):  # unittest has it from 3.11 on
        self.addCleanup(thing.__exit__, None, None, None)
        return thing.__enter__()

    def broker(self, **how):
        return self.enterContext(Broker(Tested.kloop, **how))

    def secure(self, **how):
        return self.enterContext(SecureBroker(Tested.kloop, **how))

    def text(self, *arguments, code=0):
        done = run(*arguments)
        self.assertEqual(done.returncode, code, (done.stdout.decode(), done.stderr))
        return done.stdout.decode()

    def seen(self, *arguments, code=0):
        """The object of --json."""
        done = run("--json", *arguments)
        self.assertEqual(done.returncode, code, (done.stdout.decode(), done.stderr))
        self.assertEqual(done.stdout.count(b"\n"), 1)
        seen = json.loads(done.stdout)
        self.assertEqual(seen["exit_code"], code)
        self.assertEqual(seen["outcome"] == "failed", code == 3)
        self.assertEqual(sum(seen["counts"].values()), len(seen["steps"]))
        return seen

    def steps(self, *arguments, code=0, target="bootstrap"):
        """Outcome by step."""
        seen = self.seen(*arguments, code=code)
        return [(s["step"], s["outcome"]) for s in seen["steps"] if s["target"] == target]

    def step(self, name, *arguments, code=3, target="bootstrap", outcome="failed"):
        """The one step of that name."""
        found = [s for s in self.seen(*arguments, code=code)["steps"] if s["step"] == name and s["target"] == target]
        self.assertEqual([s["outcome"] for s in found], [outcome], found)
        return found[0]


def speak(text):
    def greet(connection):
        connection.recv(1)
        connection.sendall(text)
        connection.recv(1 << 16)
    return greet


def silence(connection):
    while connection.recv(1 << 16):
        pass


def main(words, doc):
    if len(words) < 2:
        raise SystemExit(doc)
    Tested.kloop = os.path.abspath(words.pop(1))
    unittest.main()
