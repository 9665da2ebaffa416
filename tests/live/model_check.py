# SPDX-License-Identifier: BSD-2-Clause
"""The model cluster beside a real one: compare_model with nodes that do what it asks for."""

import os
import subprocess

import child
from judges import Mismatch
from network import around

# Topics that compare_model makes by asking for them, where there is one node; see scripts_of_questions.c.
MADE_BY_ASKING = ["cmp.made", "cmp.old.way"]


def compare_with_model(run, *flags):
    """The same requests to real nodes and to the model cluster; the answers must agree field by field."""
    if not os.access(run.model, os.X_OK):
        raise Mismatch(f"there is no {run.model}; ./dev build makes it")
    topics = {}
    for line in subprocess.run([run.model, "--topics"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines():
        name, partitions, *configs = line.split()
        topics[name] = int(partitions)
        run.cluster.create(name, topics[name], **{key.replace(".", "__"): value for key, value in
                                                  (config.split("=") for config in configs)})
    program = child.start([run.model, *flags, run.cluster.bootstrap], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, bufsize=1)
    said = []
    try:
        for line in program.stdout:
            if line.startswith("@"):
                obey(run.cluster, topics, *line[1:].split())
                program.stdin.write("done\n")
            else:
                said.append(line)
        program.wait(30)
    finally:
        child.end(program)
    for name in [*topics, *(MADE_BY_ASKING if len(run.cluster.nodes) == 1 else [])]:
        run.bench.clerk.ask("delete", topic=name)
    if program.returncode != 0:
        raise Mismatch(f"{run.model} ended with {program.returncode}\n{''.join(said)}")
    return said[-1].strip()


def obey(cluster, topics, verb, number):
    """What compare_model wants done to a node. Done means that all nodes know it."""
    node = cluster.node(int(number))
    if verb == "start":
        node.start()
        cluster.wait_ready()
        for topic, partitions in topics.items():
            cluster.wait_full(topic, partitions, len(cluster.nodes))
        return
    node.kill()
    for other in cluster.nodes:
        if other is not node:
            cluster.wait_until(f"sight of node {number}'s death at node {other.number}", lambda o=other: all(
                one.leader > 0 and node.number not in one.isr for topic in topics for one in cluster.partitions(topic, o)))
    for topic, partitions in topics.items():
        cluster.clerk.ask("served", topic=topic, partitions=partitions)


def compare_logins(run):
    """The same of a listener that wants SASL, and of one whose sessions end. Both sides know the users of security.py."""
    if not os.access(run.model, os.X_OK):
        raise Mismatch(f"there is no {run.model}; ./dev build makes it")
    node, words = run.cluster.nodes[0], []
    with around(run.cluster, "BRIEF"):
        for flag, listener in (("--logins", "SASL"), ("--sessions", "BRIEF")):
            done = subprocess.run([run.model, flag, f"127.0.0.1:{node.ports[listener]}"], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=180, check=False)
            if done.returncode != 0:
                raise Mismatch(f"{run.model} {flag} ended with {done.returncode}\n{done.stdout}")
            words.append(done.stdout.splitlines()[-1])
    return "; ".join(words)
