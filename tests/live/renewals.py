# SPDX-License-Identifier: BSD-2-Clause
"""What goes on behind locks while records are under way: sessions end and are renewed, tokens expire, certificates are replaced,
connections crawl or stall. Nothing of it may cost a record, or be seen twice, or out of order."""

import os
import resource
import subprocess
import sys
import time

import security
from faults import Kill, Roll
from in_turn import InTurn, Trouble
from judges import Difference, Mismatch
from libraries import HERE
from network import DRIP, FINE, around, stall
from security import REAUTH_MS, own, sasl, token, trust
from transfer import Watch, transfer

_SAFE = {"acks": "all", "enable.idempotence": "true"}
_SSL = {"security.protocol": "SSL"}
_PARTITIONS = 12


def flags(*configs):
    return [word for config in configs for key, value in config.items() for word in ("-X", f"{key}={value}")]


def _quiet(run, name, *tokens):
    """No secret is in what kloop had to say meanwhile."""
    with open(os.path.join(run.bench.folder, f"{name}.stderr"), encoding="utf-8", errors="replace") as file:
        said = file.read()
    for secret in security.secrets(run.certificates, *tokens):
        if secret in said:
            raise Mismatch(f"a secret is in what kloop says on stderr: {said[-1500:]}")
    return said


def _accepted(between):
    return [one["accepted"] for one in between.figures()]


# ---- codecs ------------------------------------------------------------------------------------------------------------------


def codecs(listener, config, names, count):
    """Records in each codec, byte for byte."""
    def scenario(run):
        words = []
        for codec in names:
            name = f"{listener.lower()}.{codec}.{run.repeat}"
            words.append(f"{codec}: " + transfer(run.bench, run.cluster, name, count, codec, options=flags(config(run)),
                                                 bootstrap=run.cluster.bootstrap_at(listener)))
            _quiet(run, name)
        return "\n                        ".join(words)
    return scenario


# ---- sessions ----------------------------------------------------------------------------------------------------------------


class _Many(Watch):
    """Nothing happens but time: so many sessions have to end."""

    tail = True

    def __init__(self, seconds):
        self.until, self.seconds = None, seconds

    def tick(self, acked, given_up):
        if acked and self.until is None:
            self.until = time.monotonic() + self.seconds
        self.over = self.until is not None and time.monotonic() >= self.until

    def done(self, acked):
        if not self.over:
            raise Difference(f"the producer was done within {self.seconds} s: no test of anything")
        return ""


def renewed(mechanism, tls, seconds=22, count=200_000):
    """A session lives 3 s; connections must outlive it."""
    def scenario(run):
        listener = "BRIEFTLS" if tls else "BRIEF"
        name = f"renewed.{mechanism.lower()}{'.tls' if tls else ''}.{run.repeat}"
        config = {**sasl(mechanism, tls=tls), **(trust(run.certificates) if tls else {})}
        with around(run.cluster, listener) as between:
            words = transfer(run.bench, run.cluster, name, count, "lz4", options=flags(_SAFE, config), watch=_Many(seconds),
                             rate=count / seconds, bootstrap=run.cluster.bootstrap_at(listener))
            made = sum(_accepted(between))
        _quiet(run, name)
        # One to ask where the cluster is, one to send; a node ends those that did not prove in time who they are.
        if made > 2 * len(run.cluster.nodes):
            raise Mismatch(f"{made} connections were made: sessions were not renewed, but begun anew")
        return f"{words}; {seconds * 1000 // REAUTH_MS} sessions, {made} connections"
    return scenario


def renewed_while(mechanism, tls, make, count=600_000, rate=25_000):
    """The same while nodes go and come."""
    def scenario(run):
        listener = "BRIEFTLS" if tls else "BRIEF"
        what = make.__name__.lower()
        name = f"renewed.{what}.{mechanism.lower()}.{run.repeat}"
        config = {**sasl(mechanism, tls=tls), **(trust(run.certificates) if tls else {})}
        more = (1 + run.repeat % 3,) if make is Kill else ()
        watch = make(run.cluster, "live." + name, _PARTITIONS, count, *more)
        with around(run.cluster, listener) as between:
            words = transfer(run.bench, run.cluster, name, count, "lz4", options=flags(_SAFE, config), watch=watch, rate=rate,
                             configs={"min__insync__replicas": 2}, bootstrap=run.cluster.bootstrap_at(listener))
            made = sum(_accepted(between))
        _quiet(run, name)
        return f"{words}; {made} connections"
    return scenario


def killed(*about):
    return renewed_while(*about, Kill)


def rolled(*about):
    return renewed_while(*about, Roll)


# ---- tokens ------------------------------------------------------------------------------------------------------------------

_TOKEN_SECONDS = 8


class _TokenFile(_Many):
    """Somebody who writes a fresh token into the file before the last one has expired."""

    def __init__(self, path, seconds):
        super().__init__(seconds)
        self.path, self.next, self.written = path, 0.0, []
        self.write()

    def write(self):
        self.written.append(token(seconds=_TOKEN_SECONDS, jti=f"no {len(self.written)}"))
        with open(self.path + "~", "w", encoding="ascii") as file:
            file.write(self.written[-1] + "\n")
        os.replace(self.path + "~", self.path)
        self.next = time.monotonic() + _TOKEN_SECONDS / 2

    def tick(self, acked, given_up):
        super().tick(acked, given_up)
        if time.monotonic() >= self.next:
            self.write()


def token_file(run, seconds=25, count=100_000):
    """Tokens of 8 s in a file, for 25 s: each is read before the one before has expired."""
    listener, name = "BRIEFTLS", f"token.file.{run.repeat}"
    path = os.path.join(run.bench.folder, "token.live")
    watch = _TokenFile(path, seconds)
    config = {"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER",
              "sasl.oauthbearer.token.endpoint.url": f"file://{path}", **trust(run.certificates)}
    with around(run.cluster, listener) as between:
        words = transfer(run.bench, run.cluster, name, count, "lz4", options=flags(_SAFE, config), watch=watch,
                         rate=count / seconds, bootstrap=run.cluster.bootstrap_at(listener))
        made = sum(_accepted(between))
    _quiet(run, name, *watch.written)
    if made > 2:
        raise Mismatch(f"{made} connections were made: sessions were not renewed, but begun anew")
    return f"{words}; {len(watch.written)} tokens, {made} connections"


def token_program(run, count=2_000):
    """examples/oauth_token.c, whose tokens come from a command that fails the first time: records go out for 20 s, tokens last 6."""
    program = os.path.join(os.path.abspath(run.options.build), "examples", "oauth_token")
    if not os.access(program, os.X_OK):
        raise Mismatch(f"there is no {program}: the build has no examples")
    topic, mark = f"live.token.program.{run.repeat}", os.path.join(run.bench.folder, "token.mark")
    run.cluster.create(topic, 1)
    if os.path.exists(mark):
        os.remove(mark)
    fetch = f"test -e {mark} || {{ touch {mark}; exit 1; }}; exec {sys.executable} -B {os.path.join(HERE, 'security.py')} 6"
    config = {"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER", **trust(run.certificates), **_SAFE,
              "bootstrap.servers": run.cluster.bootstrap_at("BRIEFTLS")}
    with around(run.cluster, "BRIEFTLS") as between:
        done = subprocess.run([program, topic, str(count), *(f"{key}={value}" for key, value in config.items()), "--", "sh", "-c",
                               fetch], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
        made = sum(_accepted(between))
    path = os.path.join(run.bench.folder, f"{topic}.values")
    run.bench.clerk.ask("values", topic=topic, partitions=1, file=path, seconds=30)
    with open(path, encoding="ascii") as file:
        stored = file.read().split()
    words = done.stdout.strip()
    if done.returncode or not words.startswith(f"{count} acked, 0 failed, ") or stored != [str(n) for n in range(count)]:
        raise Difference(f"ended with {done.returncode}, {len(stored)} stored: {words} {done.stderr[-1500:]}")
    # At the very end of a token a session may be shorter than the second in which Kafka takes no second login: one connection for
    # each token. Without renewals there would be one each 3 s.
    tokens = int(words.split()[4])
    if made > 1 + tokens or tokens < 3:
        raise Mismatch(f"{words}, {made} connections: sessions were not renewed, but begun anew")
    if any(secret in done.stdout + done.stderr for secret in security.secrets(run.certificates)):
        raise Mismatch(f"a secret is in what it says: {done.stderr[-1500:]}")
    run.bench.clerk.ask("delete", topic=topic)
    return f"{words}, {made} connections"


# ---- certificates ------------------------------------------------------------------------------------------------------------


def rotate(run, count=60_000, rate=2_500):
    """Certificates of the node, of the client, and the CA file are replaced while kloop runs. All connections are reset at
    the end of each step: the new ones have to be made with what is there now."""
    of, cluster = run.certificates, run.cluster
    soon = 14
    began = time.monotonic()
    of.leaf("brief", "alice", seconds=soon)
    of.leaf("fresh", "alice")
    trusted, client = of.join("rotating.ca.pem", "ca.crt"), of.join("rotating.client.pem", "brief.pem")
    config = {**_SSL, **trust(of, "rotating.ca.pem"), **own(of, "rotating.client.pem")}
    name = f"rotate.{run.repeat}"

    def serve(certificate):
        cluster.clerk.ask("reconfigure", node=1, configs={"listener.name.rotated.ssl.keystore.location": of.path(certificate)})

    with around(cluster, "ROTATED") as between:
        def renew():
            """All connections end; answers when there is another one."""
            before = sum(_accepted(between))
            between.reset()
            cluster.wait_until("new connection", lambda: sum(_accepted(between)) > before, 20)

        def step(words, *todo):
            def begin():
                for one in todo:
                    one()
            # Files are looked at once a second at most.
            return Trouble(words, begin, renew, 1.2)

        steps = [
            # First, as kloop shows the first few lines of what it has to say.
            step("a CA file that is none", lambda: of.join("rotating.ca.pem", "ca.cnf")),
            step("a CA file that is one", lambda: of.join("rotating.ca.pem", "ca.crt")),
            step("a second CA trusted, the node's certificate of that one", lambda: of.join("rotating.ca.pem", "ca.crt", "other_ca.crt"),
                 lambda: serve("other_broker.pem")),
            step("the first CA no longer trusted", lambda: of.join("rotating.ca.pem", "other_ca.crt")),
            step("the client's certificate replaced", lambda: of.join("rotating.client.pem", "fresh.pem")),
            Trouble("the old one expired", lambda: None, renew, max(0.0, soon + 1 - (time.monotonic() - began))),
        ]
        watch = InTurn(cluster, "live." + name, _PARTITIONS, count, steps)
        words = transfer(run.bench, run.cluster, name, count, "lz4", options=flags(_SAFE, config), watch=watch, rate=rate,
                         bootstrap=cluster.bootstrap_at("ROTATED"), quiet=False)
        made = sum(_accepted(between))
    serve("broker.pem")
    said = _quiet(run, name)
    for path in (trusted, client):
        os.remove(path)
    if "rotating.ca.pem" not in said:
        raise Mismatch(f"nothing was said of a CA file that is none: {said[-800:]!r}")
    if made <= len(steps):
        raise Mismatch(f"{made} connections were made, for {len(steps)} resets: no test of anything")
    return f"{words}; {made} connections"


# ---- slow ones ---------------------------------------------------------------------------------------------------------------


def dripping(run):
    """Every byte of the handshake and of all records is a read of its own."""
    name = f"tls.drip.{run.repeat}"
    with around(run.cluster, "SLOW") as between:
        between.rule(DRIP)
        return transfer(run.bench, run.cluster, name, 3_000, "lz4", options=flags(_SSL, trust(run.certificates)),
                        bootstrap=run.cluster.bootstrap_at("SLOW"))


# Where the bytes of one way end: before anything, within the first record's header, within the first message, and the node's after
# its first message. With 400 bytes of the client's the handshake would be done.
_STALLS = (("down", 0), ("down", 3), ("down", 100), ("down", 400), ("up", 0), ("up", 3), ("up", 100))


def stalled(run):
    """A handshake that does not go on ends after the set-up's time, and costs no CPU meanwhile."""
    name = f"live.stall.{run.repeat}"
    run.cluster.create(name, 1)
    config = {**_SSL, **trust(run.certificates), "socket.connection.setup.timeout.ms": 700,
              "socket.connection.setup.timeout.max.ms": 700, "delivery.timeout.ms": 2500, "request.timeout.ms": 1500, "linger.ms": 0}
    shares = []
    with around(run.cluster, "SLOW") as between:
        for way, after in _STALLS:
            between.rule(FINE)
            between.rule(stall(after), way=way)
            for command, more in (("produce", ["-t", name]), ("meta", [])):
                before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
                done = subprocess.run([run.kloop, command, "-b", run.cluster.bootstrap_at("SLOW"), *flags(config), *more],
                                      input="a\n", capture_output=True, text=True, timeout=60, check=False)
                wall, after_it = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
                spent = sum(getattr(after_it, what) - getattr(before, what) for what in ("ru_utime", "ru_stime"))
                shares.append(spent / wall)
                what = f"kloop {command}, {after} bytes {way}"
                said = done.stdout + done.stderr
                if done.returncode != 3:
                    raise Difference(f"{what}: ended with {done.returncode}, not 3 after {wall:.1f} s: {said[-1500:]}")
                if not ("TLS" in said and str(run.cluster.nodes[0].ports["SLOW"]) in said):
                    raise Difference(f"{what}: does not tell of TLS and the address: {said[-1500:]}")
                if shares[-1] > 0.3:
                    raise Difference(f"{what}: used {spent:.1f} s of CPU in {wall:.1f} s")
        between.rule(FINE)
    run.bench.clerk.ask("delete", topic=name)
    return f"{len(shares)} handshakes that stall are given up, at most {max(shares):.1%} of a CPU meanwhile"
