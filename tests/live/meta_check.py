# SPDX-License-Identifier: BSD-2-Clause
"""`kloop meta` against real nodes: what it shows is what a node tells by hand (probe.py), and what happens to a node shows."""

import json
import subprocess

import probe
from judges import Mismatch


def _meta(run, *words, code=0):
    done = subprocess.run([run.kloop, "meta", "-b", run.cluster.bootstrap, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=60, check=False)
    if done.returncode != code:
        raise Mismatch(f"kloop meta {' '.join(words)} ended with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def _agree(what, seen, wanted):
    if seen != wanted:
        raise Mismatch(f"{what}: {seen!r}, not {wanted!r}")


def _ids(nodes):
    return [node["id"] for node in nodes]


def _compare(run, topic, node):
    """Topic, partition by partition, as this node sees it."""
    seen = json.loads(_meta(run, "-J", "-t", topic))
    told = run.cluster.partitions(topic, node)
    _agree("brokers", set(_ids(seen["brokers"])), set(probe.metadata(node.port).brokers))
    partitions = seen["topics"][0]["partitions"]
    _agree("partitions", [(p["leader"], _ids(p["replicas"]), sorted(_ids(p["isrs"]))) for p in partitions],
           [(p.leader, list(p.replicas), sorted(p.isr)) for p in told])
    return partitions


def look_at_it(run):
    topic = f"live.meta.{run.repeat}"
    run.cluster.create(topic, 3)
    node = run.cluster.nodes[0]
    _compare(run, topic, node)
    # One node makes topics that are asked for: not these.
    missing = f"live.meta.missing.{run.repeat}"
    for words in ((), ("-X", "api.version.max=Metadata=3")):
        text = _meta(run, "-t", missing, *words, code=1)
        if f'topic "{missing}" with 0 partitions: ! UNKNOWN_TOPIC_OR_PARTITION: ' not in text:
            raise Mismatch(f"the missing topic is not told of\n{text}")
    _agree("is it there now", missing in probe.metadata(node.port).topics, False)
    brokers = json.loads(_meta(run, "--api", "-J"))["brokers"]
    for broker in brokers:
        release = run.cluster.kafka.version
        # 4.1 to 4.3 look the same.
        newest = "4.1" if not run.cluster.kafka.old else ".".join(release.split(".")[:2])
        _agree("as of Kafka", broker["as_of_kafka"], newest)
        spoken = {api["name"]: api["kloop"] for api in broker["apis"] if api["kloop"] is not None}
        _agree("what is spoken", sorted(spoken), ["ApiVersions", "InitProducerId", "Metadata", "Produce"])
    run.bench.clerk.ask("delete", topic=topic)
    return f"{len(brokers)} broker, {len(spoken)} APIs that kloop speaks"


def look_at_a_loss(run):
    topic = f"live.meta.three.{run.repeat}"
    run.cluster.create(topic, 6)
    lost, other = run.cluster.node(1 + run.repeat % 3), run.cluster.node(1 + (run.repeat + 1) % 3)
    _compare(run, topic, other)
    lost.kill()
    run.cluster.wait_until("a world without it", lambda: all(len(p.isr) == 2 and p.leader > 0
                                                             for p in run.cluster.partitions(topic, other)))
    for partition in _compare(run, topic, other):
        _agree("marks", (partition.get("under_replicated"), _ids(partition["offline"])), (True, [lost.number]))
    text = _meta(run, "-t", topic)
    _agree("lines with a mark", text.count(f"offline: {lost.number} ! under-replicated"), 6)
    lost.start()
    run.cluster.wait_ready()
    run.cluster.wait_full(topic, 6, 3)
    for partition in _compare(run, topic, other):
        _agree("marks", (partition.get("under_replicated"), partition["offline"]), (None, []))
    run.bench.clerk.ask("delete", topic=topic)
    return "a node goes and comes back"
