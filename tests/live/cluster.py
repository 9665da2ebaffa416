#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A Kafka cluster of one or three nodes on this machine: started, stopped, killed, frozen, restarted; gone when Python ends.

Each node is broker and controller in one. As a program: starts a cluster and keeps it until Ctrl-C.
"""

import argparse
import base64
import collections
import os
import random
import shutil
import signal
import socket
import sys
import time
import uuid

sys.dont_write_bytecode = True
import child  # noqa: E402
import probe  # noqa: E402
from clerk import Clerk, java  # noqa: E402
from libraries import OLDER, VERSION, Broken, Missing, prepare  # noqa: E402

_JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto", "-XX:TieredStopAtLevel=1")
_POLL = 0.05

# What all nodes have; the rest is Kafka's default.
_SETTINGS = {
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    # Half of the default, so that a dead leader is replaced in seconds; less would depose leaders that only wait for a core.
    "broker.session.timeout.ms": "4500",
    "broker.heartbeat.interval.ms": "1000",
    # The default is a fourth of the heap.
    "log.cleaner.dedupe.buffer.size": "4194304",
}


# One more address of every node. settings: Kafka's own, which hold for this listener only. remote: clients are told another port
# than the one where the node listens; somebody has to stand there who passes their bytes on.
Listener = collections.namedtuple("Listener", "name protocol settings remote", defaults=({}, False))


class Failed(Exception):
    """The cluster did not do what was waited for. The text has the ends of the nodes' logs."""


class _Ports:
    """Ports that no other run of these tests uses and that no outgoing connection is given while a node is down."""

    def __init__(self):
        self._held = []

    def take(self):
        dice = random.SystemRandom()
        while True:
            port = dice.randrange(10_000, 32_000)
            # A name in Linux' abstract namespace is held as long as this process lives, and needs no file.
            name = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                name.bind(f"\0kloop-live-port-{port}")
                with socket.socket() as trial:
                    trial.bind(("127.0.0.1", port))
            except OSError:
                name.close()
                continue
            self._held.append(name)
            return port


PORTS = _Ports()


def _more(ports):
    return "".join(f",{name}://127.0.0.1:{port}" for name, port in ports.items())


class Node:
    """Its address is 127.0.0.1:port. Clients can also reach it at remote_port, if somebody stands there who passes their bytes
    on to remote_target: who comes that way is told such addresses of all nodes. ports: where clients reach the other listeners,
    by their names; targets: where the node listens for those."""

    def __init__(self, number, folder, kafka, settings, jvm=_JVM, listeners=()):
        self.number, self.folder, self.kafka = number, folder, kafka
        self.listeners = listeners
        self.targets = {one.name: PORTS.take() for one in listeners}
        self.ports = {one.name: PORTS.take() if one.remote else self.targets[one.name] for one in listeners}
        self.port, self.controller_port, self.remote_target, self.remote_port = (PORTS.take() for _ in range(4))
        self.settings = settings
        self.properties = os.path.join(folder, "server.properties")
        self.data = os.path.join(folder, "data")
        self.log = os.path.join(folder, "node.log")
        self.process = None
        self.frozen = False
        self._command = [*java(kafka.class_path, "kafka.Kafka", *jvm), self.properties]

    def write_properties(self, voters, count):
        every = {
            "process.roles": "broker,controller",
            "node.id": self.number,
            "controller.quorum.voters": ",".join(f"{node.number}@127.0.0.1:{node.controller_port}" for node in voters),
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},REMOTE://127.0.0.1:{self.remote_target},"
                         f"CONTROLLER://127.0.0.1:{self.controller_port}" + _more(self.targets),
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port},REMOTE://127.0.0.1:{self.remote_port}"
                                    + _more(self.ports),
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,REMOTE:PLAINTEXT"
                                              + "".join(f",{one.name}:{one.protocol}" for one in self.listeners),
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": self.data,
            "default.replication.factor": count,
            "offsets.topic.replication.factor": count,
            "transaction.state.log.replication.factor": count,
            "transaction.state.log.min.isr": min(2, count),
            **_SETTINGS,
            **self.settings,
            **{f"listener.name.{one.name.lower()}.{key}": value for one in self.listeners for key, value in one.settings.items()},
        }
        if not self.kafka.version.startswith("3."):
            every["share.coordinator.state.topic.replication.factor"] = count
            every["share.coordinator.state.topic.min.isr"] = min(2, count)
        os.makedirs(self.folder, exist_ok=True)
        with open(self.properties, "w", encoding="utf-8") as file:
            file.writelines(f"{key}={value}\n" for key, value in every.items())

    def format(self, cluster_id):
        """Its empty storage, by its own tool: a program that ends soon."""
        tool = java(self.kafka.class_path, "kafka.tools.StorageTool", *_JVM)
        with open(self.log, "ab") as log:
            return child.start([*tool, "format", "-t", cluster_id, "-c", self.properties], stdin=child.subprocess.DEVNULL,
                               stdout=log, stderr=log)

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = child.start(self._command, stdin=child.subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        child.end(self.process)
        self.frozen = False

    def ask_to_stop(self):
        """The orderly way: leaders move away first."""
        child.tell(self.process, signal.SIGTERM)

    def wait_stopped(self, seconds=60):
        try:
            self.process.wait(seconds)
        except child.subprocess.TimeoutExpired:
            raise Failed(f"node {self.number} did not stop within {seconds} s\n{self.tail()}") from None

    def freeze(self):
        child.tell(self.process, signal.SIGSTOP)
        self.frozen = True

    def thaw(self):
        child.tell(self.process, signal.SIGCONT)
        self.frozen = False

    def tail(self, lines=25):
        try:
            with open(self.log, "rb") as file:
                end = file.read()[-20_000:].decode(errors="replace").splitlines()[-lines:]
        except FileNotFoundError:
            end = ["(no log)"]
        state = "frozen" if self.frozen else "running" if self.alive else \
            f"ended with {self.process.returncode}" if self.process else "never started"
        return "\n".join([f"---- node {self.number}, {state}, the end of {self.log}", *("  " + line for line in end)])


class Cluster:
    """with Cluster(...) as cluster: nodes answer each other and everybody. settings: properties of every node; jvm: its flags, if
    it is not only to start soon and stay small; listeners: beside those that every node has."""

    def __init__(self, kafka, clerk, folder, count=1, settings=None, jvm=_JVM, listeners=()):
        self.clerk, self.kafka = clerk, kafka
        shutil.rmtree(folder, ignore_errors=True)
        self.nodes = [Node(n, os.path.join(folder, f"node{n}"), kafka, settings or {}, jvm, listeners)
                      for n in range(1, count + 1)]

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        for node in self.nodes:
            if node.process:
                node.kill()

    @property
    def bootstrap(self):
        return ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    @property
    def remote_bootstrap(self):
        return ",".join(f"127.0.0.1:{node.remote_port}" for node in self.nodes)

    def bootstrap_at(self, listener, host="127.0.0.1"):
        """Of one of the other listeners."""
        return ",".join(f"{host}:{node.ports[listener]}" for node in self.nodes)

    def node(self, number):
        return self.nodes[number - 1]

    def start(self):
        for node in self.nodes:
            node.write_properties(self.nodes, len(self.nodes))
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # The tools take a leading dash for a flag.
        cluster_id = cluster_id.replace("-", "_")
        self._format(cluster_id)
        for node in self.nodes:
            node.start()
        self.wait_ready()
        self.clerk.ask("connect", bootstrap=self.bootstrap)
        return self

    def _format(self, cluster_id):
        if not self.kafka.old:
            self.clerk.ask("format", properties=[node.properties for node in self.nodes], cluster=cluster_id)
            return
        for tool, node in [(node.format(cluster_id), node) for node in self.nodes]:
            if tool.wait(60) != 0:
                raise Failed(f"the storage of node {node.number} could not be made\n{node.tail()}")

    # ---- waiting -------------------------------------------------------------------------------------------------------------

    def wait_until(self, what, condition, seconds=60, still=None):
        """Asks again and again; answers what the condition answered. still: numbers of nodes that must not end meanwhile."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                found = condition()
            except probe.NoAnswer:
                found = None
            if found:
                return found
            for number in still or ():
                if not self.node(number).alive:
                    raise Failed(f"node {number} ended while waiting for {what}\n{self.tails()}")
            if time.monotonic() > deadline:
                raise Failed(f"no {what} within {seconds} s\n{self.tails()}")
            time.sleep(_POLL)

    def wait_ready(self, seconds=90):
        """Until each node answers, and knows all of them."""
        everybody = {node.number for node in self.nodes}
        for node in self.nodes:
            self.wait_until(f"answer of node {node.number}",
                            lambda n=node: probe.answers(n.port) and set(probe.metadata(n.port).brokers) == everybody, seconds,
                            still=everybody)

    @staticmethod
    def partitions(topic, node):
        """The topic's partitions as this node sees them; none before it knows them."""
        found = probe.metadata(node.port, topic).topics[topic]
        return found.partitions if found.error == 0 else []

    def is_full(self, node, topic, partitions, replication):
        """Whether this node knows a leader of each partition, and all replicas as in sync."""
        seen = self.partitions(topic, node)
        return len(seen) == partitions and all(one.leader > 0 and len(one.isr) == replication for one in seen)

    def wait_full(self, topic, partitions, replication, seconds=90):
        for node in self.nodes:
            if node.alive and not node.frozen:
                self.wait_until(f"sight of {topic} with all replicas at node {node.number}",
                                lambda n=node: self.is_full(n, topic, partitions, replication), seconds)

    # ---- topics --------------------------------------------------------------------------------------------------------------

    def create(self, topic, partitions, replication=None, **configs):
        """Answers when every node knows a leader and all replicas of each partition. Dots of a config are written as __."""
        replication = replication or len(self.nodes)
        answer = self.clerk.ask("create", topic=topic, partitions=partitions, replication=replication, nodes=len(self.nodes),
                                configs={key.replace("__", "."): str(value) for key, value in configs.items()})
        self.wait_full(topic, partitions, replication)
        return answer

    def tails(self):
        return "\n".join(node.tail() for node in self.nodes)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", help="output goes to BUILD/live (build)")
    parser.add_argument("--nodes", type=int, default=1, choices=(1, 3), help="how many (1)")
    parser.add_argument("--kafka", default=VERSION, choices=(VERSION, *OLDER), help=f"which version ({VERSION})")
    parser.add_argument("--topic", action="append", default=[], metavar="NAME:PARTITIONS", help="to be created")
    options = parser.parse_args()
    child.die_politely()
    build = os.path.abspath(os.path.join(options.build, "live"))
    try:
        class_path, kafka = prepare(build, options.kafka)
        clerk = Clerk(class_path, build)
        with Cluster(kafka, clerk, os.path.join(build, "cluster"), options.nodes) as cluster:
            for topic in options.topic:
                name, _, partitions = topic.rpartition(":")
                cluster.create(name, int(partitions))
            print(cluster.bootstrap, flush=True)
            signal.pause()
    except KeyboardInterrupt:
        pass
    except (Broken, Failed, Missing) as fault:
        print(f"cluster: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
