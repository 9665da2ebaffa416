# SPDX-License-Identifier: BSD-2-Clause
"""All scenarios, by name."""

import collections
import os

from bootstrap_faults import Move, dead_ends
from chaos import Chaos
from faults import Freeze, FreezeBriefly, Kill, Roll, Starve, starve_until_given_up
from in_turn import InTurn, cuts, delays, drips, freeze_each, holes, kill_each
from judges import Mismatch, given_up_for, gone_with_topic, grown, keyless_refused, new_topic_used, some_given_up, survived
from logins import check_the_doors, config_out, sasl_in, sasl_out, tls_in, tls_out
from meta_check import look_at_a_loss, look_at_it
from model_check import compare_logins, compare_with_model
from network import around
from renewals import codecs, dripping, killed, renewed, rolled, rotate, stalled, token_file, token_program
from security import MECHANISMS, sasl, trust
from self_check import check_the_check, check_the_network
from shipper import ship
from topic_faults import Delete, Grow, Recreate, RecreateAtOnce, TooFewReplicas
from transfer import KEYS, transfer

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
MILLION = 1_000_000
# What a producer must do to lose nothing, repeat nothing and keep the order when a node goes away.
SAFE = ("-X", "acks=all", "-X", "enable.idempotence=true")
TWO_OF_THREE = {"min__insync__replicas": 2}
# Chaos: what a record may take, and what may come on top of it.
DELIVERY_MS, LATE_MS = 20_000, 250


class Run:
    """What a scenario is given."""

    def __init__(self, options, bench, build):
        self.bench, self.build, self.options = bench, build, options
        self.kloop, self.model, self.smoke = options.kloop, options.model, options.smoke
        self.repeat = 0
        self.cluster = None
        # Of the nodes behind locks, and of clients.
        self.certificates = None


def settings(**words):
    """Dots of a key are written as __."""
    return [part for key, value in words.items() for part in ("-X", f"{key.replace('__', '.')}={value}")]


def records(codec, count, keys=KEYS, header=None):
    def scenario(run):
        name = f"{len(run.cluster.nodes)}.{codec}.{run.repeat}"
        return transfer(run.bench, run.cluster, name, count, codec, keys, header=header)
    return scenario


# ---- what a topic's settings refuse ------------------------------------------------------------------------------------------


def too_large(run):
    """Batches that the broker finds too large, though no record in them is: they are split. Records of 50,000 bytes stay just
    below the limit, so that they end up alone."""
    return transfer(run.bench, run.cluster, f"too_large.{run.repeat}", 20_000, "lz4", partitions=4,
                    configs={"max__message__bytes": 60_000}, served=True)


def keyless(run):
    """A broker that refuses single records of a batch, for they have no key: they fail, the others go out again."""
    return transfer(run.bench, run.cluster, f"keyless.{run.repeat}", 20_000, "zstd", configs={"cleanup__policy": "compact"},
                    judge=keyless_refused, code=1, served=True)


# ---- nodes that go and come, topics that change ------------------------------------------------------------------------------


def changed(name, count, make, *options, partitions=12, rate=None, configs=None, **more):
    """Records at a rate while something happens: make is given the cluster, the topic, its partitions, the count, and a node,
    which is another one each time."""
    def scenario(run):
        which = f"{name}.{run.repeat}"
        watch = make(run.cluster, "live." + which, partitions, count, 1 + run.repeat % 3)
        return transfer(run.bench, run.cluster, which, count, "lz4", options=[*SAFE, *options], partitions=partitions,
                        configs=configs or {}, watch=watch, rate=rate, **more)
    return scenario


def faulty(make, *options, rate=None, **more):
    """A million records. Without a rate kloop sends as fast as it can: its memory is full when the node goes away."""
    return changed("fault", MILLION, make, *options, rate=rate, configs=TWO_OF_THREE, **more)


def in_turn(name, troubles):
    """One trouble after the other; all of them are over before the last record is sent."""
    return changed(name, MILLION, lambda *about: InTurn(*about[:4], troubles(about[0])), rate=12_000, configs=TWO_OF_THREE,
                   seconds=600)


def too_few(name, until_given_up, *options, **more):
    """min.insync.replicas is not met for a while."""
    return changed(name, 500_000, lambda *about: TooFewReplicas(*about, until_given_up=until_given_up), *options, rate=50_000,
                   configs={"min__insync__replicas": 3}, **more)


def topic(name, make, judge, *options, partitions=12, code=0):
    """Something happens to the topic."""
    return changed(name, 300_000, lambda *about: make(*about[:4]), *options, partitions=partitions, rate=30_000, judge=judge,
                   code=code)


# ---- the network between -----------------------------------------------------------------------------------------------------


def network(name, troubles, count, rate, *options, cuts_wanted=0):
    """All that kloop sends and is told goes through proxy.py."""
    def scenario(run):
        which, partitions = f"{name}.{run.repeat}", 12
        with around(run.cluster) as between:
            watch = InTurn(run.cluster, "live." + which, partitions, count, troubles(between))
            words = transfer(run.bench, run.cluster, which, count, "lz4", options=[*SAFE, *options], configs=TWO_OF_THREE,
                             watch=watch, rate=rate, seconds=600, bootstrap=run.cluster.remote_bootstrap)
            accepted, cut, up = (sum(one[what] for one in between.figures()) for what in ("accepted", "cuts", "up"))
        if cut < cuts_wanted:
            raise Mismatch(f"{cut} connections were cut, not {cuts_wanted}")
        return f"{words}; {accepted} connections, {cut} cut, {up >> 10:,} KiB up"
    return scenario


def dead_bootstrap(run):
    with dead_ends(run.cluster.nodes[0]) as servers:
        return transfer(run.bench, run.cluster, f"bootstrap.dead.{run.repeat}", 20_000, bootstrap=servers,
                        options=settings(socket__connection__setup__timeout__ms=1000))


def moved_bootstrap(run):
    count = 300_000
    with Move(run.cluster, count) as watch:
        # A node that was restarted knows only the last batch of a producer: what it may have of the others is unknown.
        return transfer(run.bench, run.cluster, f"bootstrap.moved.{run.repeat}", count, "lz4", options=SAFE, watch=watch,
                        rate=30_000, bootstrap=watch.bootstrap, judge=survived, code=None)


def chaos(run):
    count, seconds, seed = run.options.records, 60 * run.options.minutes, run.options.seed + run.repeat
    name, partitions = f"chaos.{seed}", 12
    with around(run.cluster) as between:
        log = os.path.join(run.bench.folder, f"{name}.log")
        watch = Chaos(run.cluster, between, "live." + name, partitions, seconds, seed, log)
        return transfer(run.bench, run.cluster, name, count, "lz4", configs=TWO_OF_THREE, watch=watch, rate=count / seconds,
                        options=[*SAFE, *settings(delivery__timeout__ms=DELIVERY_MS, request__timeout__ms=3000)],
                        seconds=seconds + 300, bootstrap=run.cluster.remote_bootstrap, judge=survived, code=None,
                        late_ms=DELIVERY_MS + LATE_MS)


# ---- behind locks ------------------------------------------------------------------------------------------------------------


def over_tls(run):
    return {"security.protocol": "SSL", **trust(run.certificates)}


def over_both(run):
    return {**sasl("SCRAM-SHA-512", tls=True), **trust(run.certificates)}


# ---- the table ---------------------------------------------------------------------------------------------------------------

# When a scenario runs: when nothing is said; in the smoke; in the smoke of its kind (--smoke --only tls); when an older Kafka is
# wanted. Some only ever with the newest. Any can be asked for by name.
FULL, SMOKE, PART, OLD, NEWEST = "full", "smoke", "part", "old", "newest"
ASKED_FOR = ()

# locked: its nodes are those of security.py.
Row = collections.namedtuple("Row", "name nodes words when run locked")


def table(small):
    """small: for a kloop that is slow, as under the sanitizers."""
    def row(name, nodes, words, run, when=(FULL,), locked=False):
        return Row(name, nodes, words, when, run, locked)

    few = 5_000 if small else 20_000
    return [
        row("check", 1, "Kafka's own producer, honest and cheating: does the comparison see it?", check_the_check, (FULL, SMOKE)),
        row("check.network", 1, "the network between: does it do to bytes what it is told?", check_the_network),
        row("model", 1, "the model cluster against a node, request by request",
            lambda run: compare_with_model(run, *(["--quick"] if run.smoke else [])), (FULL, SMOKE, NEWEST)),
        row("model.three", 3, "the same with three nodes", compare_with_model, (FULL, NEWEST)),
        row("model.killing", 3, "the same while nodes die and come back",
            lambda run: compare_with_model(run, "--killing"), (FULL, NEWEST)),
        row("meta", 1, "kloop meta and a node agree, and no topic is made by asking", look_at_it, (FULL, SMOKE, OLD)),
        row("meta.down", 3, "kloop meta sees a node go and come back", look_at_a_loss, (FULL, OLD)),
        row("smoke.none", 1, "100,000 records",
            records("none", 20_000 if small else 100_000, header=("origin", "kl\u00f6\u00f6p")), (SMOKE, OLD)),
        *(row(f"smoke.{codec}", 1, "20,000 records", records(codec, few, 0 if codec == "zstd" else KEYS), (SMOKE, OLD))
          for codec in CODECS[1:]),
        row("too_large", 1, "batches that are too large for the broker, and no record is", too_large, (FULL, SMOKE, OLD)),
        row("keyless", 1, "a broker that refuses every fourth record", keyless, (FULL, OLD)),
        row("bootstrap.dead", 1, "bootstrap.servers of which most lead nowhere", dead_bootstrap, (FULL, OLD)),
        row("bootstrap.moved", 1, "a cluster that moves, and only bootstrap.servers leads there", moved_bootstrap, (FULL, OLD)),
        *(row(f"one.{codec}", 1, "a million records on one node", records(codec, MILLION)) for codec in CODECS),
        *(row(f"three.{codec}", 3, "a million records on three nodes", records(codec, MILLION)) for codec in CODECS),
        row("kill", 3, "a leader is killed, and comes back", faulty(Kill), (FULL, OLD)),
        row("kill.paced", 3, "the same with small batches, thousands under way", faulty(Kill, rate=100_000)),
        row("kill.each", 3, "each node is killed in turn, for a short and for a long while", in_turn("kill.each", kill_each)),
        row("freeze", 3, "a leader is frozen until the others have taken over and gone on without it",
            faulty(Freeze, *settings(request__timeout__ms=3000))),
        row("freeze.briefly", 3, "a leader is frozen until the others have taken over", faulty(FreezeBriefly)),
        row("freeze.each", 3, "each node is frozen for 20 s in turn", in_turn("freeze.each", freeze_each)),
        row("roll", 3, "all nodes are restarted in turn", faulty(lambda *about: Roll(*about[:4]), rate=30_000)),
        row("starve", 3, "two of three nodes die and come back", faulty(Starve)),
        row("expire", 3, "two of three nodes die and come back when records have expired",
            faulty(starve_until_given_up, *settings(request__timeout__ms=2000, delivery__timeout__ms=5000), judge=some_given_up,
                   code=1)),
        row("too_few", 3, "min.insync.replicas is not met, and met again", too_few("too_few", False)),
        row("too_few.expire", 3, "the same when records have expired",
            too_few("too_few.expire", True, *settings(request__timeout__ms=2000, delivery__timeout__ms=8000),
                    judge=given_up_for("NOT_ENOUGH_REPLICAS"), code=1)),
        row("grow", 3, "a topic gets more partitions while records are sent",
            topic("grow", lambda *about: Grow(*about, to=12), grown(5), *settings(metadata__max__age__ms=500), partitions=5)),
        row("delete", 3, "a topic is deleted while records are sent",
            topic("delete", Delete, gone_with_topic, *settings(delivery__timeout__ms=8000, request__timeout__ms=3000), code=1)),
        row("recreate", 3, "a topic is deleted and made again while records are sent",
            topic("recreate", Recreate, new_topic_used, code=None)),
        row("recreate.at_once", 3, "the same, so soon that nobody may see that it was gone",
            topic("recreate.at_once", RecreateAtOnce, new_topic_used, code=None)),
        row("net.delay", 3, "a slow network", network("net.delay", delays, 300_000, 5_000, *settings(request__timeout__ms=2000))),
        row("net.cut", 3, "connections end in the middle of frames", network("net.cut", cuts, 400_000, 10_000, cuts_wanted=48)),
        row("net.drip", 3, "a network that passes one byte at a time", network("net.drip", drips, 100_000, 2_000)),
        *(row(f"net.hole.{way}", 3, f"a network that swallows all that goes {where}",
              network(f"net.hole.{way}", lambda between, way=way: holes(between, way), 300_000, 5_000,
                      *settings(request__timeout__ms=3000)))
          for way, where in (("up", "to a node"), ("down", "back from it"), ("both", "either way"))),
        row("shipper", 3, "examples/log_shipper.c: a node is killed, files are renamed, one shipper is killed three times", ship),
        *behind_locks(few),
        row("chaos", 3, "five million records while everything happens, for ten minutes (--minutes, --records, --seed)", chaos,
            ASKED_FOR),
    ]


def behind_locks(few):
    """All scenarios of TLS and SASL."""
    def row(name, words, run, when=(FULL,), nodes=1):
        return Row(name, nodes, words, when, run, True)

    return [
        row("check.doors", "Kafka's own producer at all of those listeners", check_the_doors, (FULL, OLD)),
        row("model.logins", "the model cluster against a node that wants to know who asks", compare_logins, (FULL, NEWEST)),
        row("tls.in", "every way to tell whom to trust and who one is", tls_in, (FULL, PART, OLD)),
        row("tls.out", "certificates that are no good, TLS where there is none, and the reverse", tls_out, (FULL, PART, OLD)),
        row("tls.config", "configurations that cannot be", config_out, (FULL, PART)),
        row("tls.records", "20,000 records in each codec over TLS 1.3", codecs("TLS", over_tls, CODECS, few), (FULL, OLD)),
        row("tls.records.1_2", "the same over TLS 1.2", codecs("ONLY12", over_tls, ("none", "zstd"), few), (FULL, PART)),
        row("tls.million", "a million records over TLS 1.3", codecs("TLS", over_tls, ("none",), MILLION)),
        row("tls.drip", "TLS one byte at a time", dripping),
        row("tls.stall", "handshakes that do not go on", stalled),
        row("tls.rotate", "certificates of both sides are replaced while records are sent", rotate),
        row("sasl.in", "every mechanism, with and without TLS", sasl_in, (FULL, PART, OLD)),
        row("sasl.out", "wrong passwords, mechanisms that are not there, listeners that want another protocol", sasl_out,
            (FULL, PART, OLD)),
        row("sasl.records", "20,000 records over SASL_SSL", codecs("SASLTLS", over_both, ("lz4",), few), (FULL, PART)),
        *(row(f"sasl.renewed.{name.lower()}{'.tls' if tls else ''}", "sessions of 3 s under load", renewed(name, tls),
              (FULL, OLD) if (name, tls) in (("PLAIN", False), ("OAUTHBEARER", True)) else (FULL,))
          for name in MECHANISMS for tls in (False, True)),
        row("sasl.token_file", "tokens of 8 s in a file that is written again and again", token_file, (FULL, OLD)),
        row("sasl.token_program", "examples/oauth_token.c: tokens of 6 s from a command that fails at first", token_program),
        row("sasl.kill", "sessions of 3 s while a leader is killed, and comes back", killed("SCRAM-SHA-256", True), nodes=3),
        row("sasl.roll", "sessions of 3 s while all nodes are restarted in turn", rolled("PLAIN", False), nodes=3),
        row("sasl.roll.token", "the same with tokens, over TLS", rolled("OAUTHBEARER", True), nodes=3),
    ]
