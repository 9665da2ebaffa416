#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Where kloop sends records, against Kafka's own partitioners; see README.md beside this file."""

import argparse
import os
import random
import sys

sys.dont_write_bytecode = True
from differential import Fatal, Filter, Report, build_java  # noqa: E402

COUNTS = "1 2 3 6 7 12 50 100 1000 10000 2147483647"


def key_lines(chance, count):
    """Each length up to 64 first, then what people take for keys, and some long ones."""
    for n in range(count):
        if n < 65 * 8:
            length = n // 8
        else:
            length = chance.choice((8, 16, 36, chance.randrange(65), chance.randrange(300), chance.randrange(300)))
        if n % 1000 == 999:
            length = chance.randrange(20000)
        key = chance.randbytes(length) if n % 3 else "".join(chance.choices("0123456789abcdef-é", k=length)).encode()
        yield f"key {key.hex()} {COUNTS}".encode()


def queue_lines(chance, word, count):
    for n in range(count):
        partitions = 1 + n // 4 if n < 160 else chance.randrange(1, 120)
        absent = chance.choice((0, 0, 0.1, 0.5, 0.95))
        most = chance.choice((0, 1, 3, 20))
        queues = ("-" if chance.random() < absent else str(chance.randint(0, most)) for _ in range(partitions))
        yield f"{word} {' '.join(queues)}".encode()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partitions", required=True, help="the program of partitions.c")
    parser.add_argument("--build", required=True, help="directory for all output")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("KLOOP_TEST_SEED", "1")), help="(KLOOP_TEST_SEED, or 1)")
    parser.add_argument("--keys", type=int, default=100000, help="how many keys (100000)")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    run = Filter(os.path.join(build, "partitions"), None, build_java(os.path.join(build, "java")))
    report = Report(run.directory)
    chance = random.Random(options.seed)
    for name, lines in (("keys by murmur2", list(key_lines(chance, options.keys))),
                        ("round robin", list(queue_lines(chance, "turns", 1000))),
                        ("draws by weight", list(queue_lines(chance, "draws", 1000)))):
        tag = name.replace(" ", "-")
        kafka = run.java("partitions", tag, lines)
        kloop = run._run([os.path.abspath(options.partitions)], f"kloop-{tag}", lines, "partitions")
        for line, expected, got in zip(lines, kafka, kloop):
            report.expect(name, expected == got and not expected.startswith(b"error"), "another partition", asked=line, Kafka=expected, kloop=got)
    return report.close()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Fatal as fatal:
        print(f"partitions: {fatal}", file=sys.stderr)
        sys.exit(1)
