# SPDX-License-Identifier: BSD-2-Clause
"""The Java side from Python: one question, one answer; src/main/java/kloop/live/Clerk.java knows what can be asked."""

import json
import os
import selectors
import subprocess

import child
from libraries import HERE

_JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto", "-XX:TieredStopAtLevel=1")


def java(class_path, main, *flags):
    # Each Kafka heeds one of the two.
    logs = (f"-Dlog4j2.configurationFile={os.path.join(HERE, 'log4j2.properties')}",
            f"-Dlog4j.configuration=file:{os.path.join(HERE, 'log4j.properties')}")
    return ["java", *flags, *logs, "-cp", class_path, main]


class Refused(Exception):
    """What Kafka's classes, or the clerk, had to say against it."""


class Clerk:
    def __init__(self, class_path, folder):
        os.makedirs(folder, exist_ok=True)
        self.log = os.path.join(folder, "clerk.log")
        with open(self.log, "wb") as log:
            self.process = child.start(java(class_path, "kloop.live.Clerk", *_JVM), stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=log)

    def ask(self, what, wait_seconds=120, **words):
        question = json.dumps({"do": what, **words}).encode() + b"\n"
        try:
            self.process.stdin.write(question)
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Refused(f"the clerk has ended, see {self.log}") from None
        with selectors.DefaultSelector() as ready:
            ready.register(self.process.stdout, selectors.EVENT_READ)
            if not ready.select(wait_seconds):
                raise Refused(f"{what}: no answer within {wait_seconds} s, see {self.log}")
        line = self.process.stdout.readline()
        if not line:
            raise Refused(f"{what}: the clerk has ended, see {self.log}")
        reply = json.loads(line)
        if "error" in reply:
            raise Refused(f"{what}: {reply['error']} (more in {self.log})")
        return reply["answer"]

    def close(self):
        child.end(self.process)
