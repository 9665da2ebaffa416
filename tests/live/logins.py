# SPDX-License-Identifier: BSD-2-Clause
"""Ways into a cluster, each by the command line as people write it: those that lead in, and those that must not. What was sent
is read back; what is refused ends soon and says what to do; and no secret shows in anything that is said."""

import collections
import concurrent.futures
import json
import os
import re
import subprocess
import threading
import time

import probe
import security
from certificates import KEY_PASSWORD, STORE_PASSWORD
from clerk import Refused
from judges import Difference, Mismatch
from security import ALICE, BOB, MECHANISMS, ODD, WRONG, own, sasl, token, trust

_RECORDS = 5
_PARTITIONS = 3
# A machine that is busy included: nothing here has to wait for more than a second, or for _PATIENCE.
_SOON, _SOON_OF_PATIENT = 9, 12
# For kloop produce, where nothing says that trying again is of no use.
_PATIENCE = {"delivery.timeout.ms": 2500, "request.timeout.ms": 1000, "linger.ms": 0}

# A way that leads in. words: what stderr must say all the same, as regular expressions.
Way = collections.namedtuple("Way", "name listener config words host file", defaults=((), "127.0.0.1", False))
# One that does not. says: what each command's text must have. patient: kloop goes on trying until the records' time is over.
# code: the exit code of all commands.
Wall = collections.namedtuple("Wall", "name listener config says patient code host topic",
                              defaults=(False, 3, "127.0.0.1", None))

_SSL = {"security.protocol": "SSL"}


def tls_ways(of):
    """of: certificates."""
    def mutual(name, **config):
        return Way("mutual." + name, "MUTUAL", {**_SSL, **trust(of), **config})

    one_line = {name: " ".join(of.text(name).split("\n")).strip() for name in ("ca.crt", "client.key", "client.crt")}
    key, chain = of.path("client.key"), of.path("client.crt")
    p12 = {"ssl.keystore.type": "PKCS12", "ssl.keystore.password": STORE_PASSWORD}
    return [
        Way("ca.file", "TLS", {**_SSL, **trust(of)}),
        Way("ca.name", "TLS", {**_SSL, **trust(of)}, host="localhost"),
        Way("ca.librdkafka", "TLS", {**_SSL, "ssl.ca.location": of.path("ca.crt")}),
        Way("ca.one_of_two", "TLS", {**_SSL, **trust(of, "both_cas.pem")}),
        Way("ca.folder", "TLS", {**_SSL, "ssl.ca.location": of.path("cas")}),
        Way("ca.inline", "TLS", {**_SSL, "ssl.truststore.type": "PEM", "ssl.truststore.certificates": of.text("ca.crt")}),
        Way("ca.one_line", "TLS", {**_SSL, "ssl.truststore.type": "PEM", "ssl.truststore.certificates": one_line["ca.crt"]}),
        Way("ca.pem", "TLS", {**_SSL, "ssl.ca.pem": of.text("ca.crt")}),
        Way("ca.pkcs12", "TLS", {**_SSL, "ssl.truststore.type": "PKCS12", "ssl.truststore.location": of.path("ca.p12"),
                                 "ssl.truststore.password": STORE_PASSWORD}),
        Way("ca.keytool", "TLS", {**_SSL, "ssl.truststore.type": "PKCS12", "ssl.truststore.location": of.path("keytool.ca.p12"),
                                  "ssl.truststore.password": STORE_PASSWORD}),
        Way("ca.itself", "SELFSIGNED", {**_SSL, **trust(of, "self_signed.crt")}),
        Way("ca.middle", "HEADLESS", {**_SSL, **trust(of, of.join("ca_and_middle.pem", "ca.crt", "middle.crt"))}),
        Way("chain", "CHAINED", {**_SSL, **trust(of)}),
        Way("any_name", "WRONGNAME", {**_SSL, **trust(of), "ssl.endpoint.identification.algorithm": ""}),
        Way("any_name.none", "WRONGNAME", {**_SSL, **trust(of), "ssl.endpoint.identification.algorithm": "none"}),
        Way("only_1.2", "ONLY12", {**_SSL, **trust(of)}),
        Way("only_1.3", "ONLY13", {**_SSL, **trust(of)}),
        Way("ask_for_1.2", "TLS", {**_SSL, **trust(of), "ssl.enabled.protocols": "TLSv1.2"}),
        Way("ask_for_1.3", "TLS", {**_SSL, **trust(of), "ssl.enabled.protocols": "TLSv1.3"}),
        Way("suite.1.3", "TLS", {**_SSL, **trust(of), "ssl.cipher.suites": "TLS_CHACHA20_POLY1305_SHA256"}),
        Way("suite.java", "ONLY12", {**_SSL, **trust(of), "ssl.cipher.suites": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"}),
        Way("suite.openssl", "ONLY12", {**_SSL, **trust(of), "ssl.cipher.suites": "ECDHE-RSA-AES128-GCM-SHA256"}),
        Way("curve", "TLS", {**_SSL, **trust(of), "ssl.curves.list": "P-384"}),
        mutual("one_file", **own(of)),
        mutual("two_files", **{"ssl.key.location": key, "ssl.certificate.location": chain}),
        mutual("pkcs12", **{**p12, "ssl.keystore.location": of.path("client.p12")}),
        mutual("keytool", **{**p12, "ssl.keystore.location": of.path("keytool.client.p12")}),
        mutual("inline", **{"ssl.keystore.type": "PEM", "ssl.keystore.key": of.text("client.key"),
                            "ssl.keystore.certificate.chain": of.text("client.crt")}),
        mutual("one_line", **{"ssl.keystore.type": "PEM", "ssl.keystore.key": one_line["client.key"],
                              "ssl.keystore.certificate.chain": one_line["client.crt"]}),
        mutual("librdkafka", **{"ssl.key.pem": of.text("client.key"), "ssl.certificate.pem": of.text("client.crt")}),
        mutual("password", **own(of, "client.locked.pem"), **{"ssl.key.password": KEY_PASSWORD}),
        mutual("password.two_files", **{"ssl.key.location": of.path("client.locked.key"), "ssl.certificate.location": chain,
                                        "ssl.key.password": KEY_PASSWORD}),
        mutual("password.inline", **{"ssl.keystore.type": "PEM", "ssl.keystore.key": of.text("client.locked.key"),
                                     "ssl.keystore.certificate.chain": of.text("client.crt"),
                                     "ssl.key.password": KEY_PASSWORD}),
        Way("mutual.properties", "MUTUAL", {**_SSL, "ssl.truststore.type": "PEM", "ssl.truststore.certificates": of.text("ca.crt"),
                                            "ssl.keystore.type": "PEM", "ssl.keystore.key": of.text("client.key"),
                                            "ssl.keystore.certificate.chain": of.text("client.crt")}, file=True),
    ]


def sasl_ways(of, folder, mechanisms=MECHANISMS):
    warned = ("PLAIN without TLS", "SASL_SSL")
    ways = []
    for name in mechanisms:
        low = name.lower()
        # Whoever listens knows enough to come in.
        words = warned if name == "PLAIN" else ("OAUTHBEARER without TLS", "SASL_SSL") if name == "OAUTHBEARER" else ()
        ways += [Way(low, "SASL", sasl(name), words), Way(low + ".tls", "SASLTLS", {**sasl(name, tls=True), **trust(of)}),
                 Way(low + ".properties", "SASLTLS", {**sasl(name, tls=True), **trust(of)}, file=True, host="localhost")]
        if name == "OAUTHBEARER":
            continue
        plain = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanisms": name, "sasl.username": ALICE[0],
                 "sasl.password": ALICE[1]}
        ways += [Way(low + ".bob", "SASL", sasl(name, BOB), words), Way(low + ".librdkafka", "SASL", plain, words),
                 Way(low + ".mixed_case", "SASL", {**plain, "security.protocol": "sasl_plaintext"}, words)]
        if name != "PLAIN":
            ways.append(Way(low + ".odd", "SASL", sasl(name, ODD)))
            ways.append(Way(low + ".odd.properties", "SASLTLS", {**sasl(name, ODD, tls=True), **trust(of)}, file=True))
    if "OAUTHBEARER" in mechanisms:
        ways += [Way("oauthbearer.librdkafka", "SASL", {
                     "security.protocol": "SASL_PLAINTEXT", "sasl.mechanisms": "OAUTHBEARER",
                     "enable.sasl.oauthbearer.unsecure.jwt": "true", "sasl.oauthbearer.config": "principal=alice"},
                     ("OAUTHBEARER without TLS",)),
                 Way("oauthbearer.file", "SASLTLS", {**_by_file(folder, "good", token()), "security.protocol": "SASL_SSL",
                                                     **trust(of)})]
    ways.append(Way("only_plain", "PLAINONLY", sasl("PLAIN"), warned))
    return ways


def _by_file(folder, name, text):
    """Settings for a token that lies in a file."""
    path = os.path.join(folder, f"token.{name}")
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER",
            "sasl.oauthbearer.token.endpoint.url": f"file://{path}"}


_WHERE = "{host}:{port}"


def tls_walls(of):
    whom_to_trust = r"ssl\.truststore|ssl\.ca\.location"
    return [
        Wall("expired", "EXPIRED", {**_SSL, **trust(of)}, (_WHERE, "expired", r"20\d\d-\d\d|20\d\d GMT")),
        Wall("not_yet", "NOTYET", {**_SSL, **trust(of)}, (_WHERE, "not valid yet", "clock")),
        Wall("self_signed", "SELFSIGNED", {**_SSL, **trust(of)}, (_WHERE, "self-signed|signed by itself", whom_to_trust)),
        Wall("wrong_name", "WRONGNAME", {**_SSL, **trust(of)}, (_WHERE, "elsewhere\\.example", "localhost|name"), host="localhost"),
        Wall("wrong_address", "WRONGNAME", {**_SSL, **trust(of)}, (_WHERE, "192\\.0\\.2\\.7|elsewhere\\.example", "127.0.0.1")),
        Wall("other_ca", "OTHERCA", {**_SSL, **trust(of)}, (_WHERE, "Other Live CA|issuer|trust", whom_to_trust)),
        Wall("no_middle", "HEADLESS", {**_SSL, **trust(of)}, (_WHERE, "issuer|intermediate|trust", "chain|truststore|ssl.ca")),
        Wall("system_store", "TLS", _SSL, (_WHERE, whom_to_trust)),
        Wall("no_client", "MUTUAL", {**_SSL, **trust(of)}, (_WHERE, "asks for a certificate", "ssl.keystore")),
        Wall("strange_client", "MUTUAL", {**_SSL, **trust(of), **own(of, "stranger.pem")}, (_WHERE, "certificate", "ssl.keystore")),
        Wall("too_new", "ONLY12", {**_SSL, **trust(of), "ssl.enabled.protocols": "TLSv1.3"},
             (_WHERE, "version|protocol", "ssl.enabled.protocols|TLSv?1.2")),
        Wall("too_old", "ONLY13", {**_SSL, **trust(of), "ssl.enabled.protocols": "TLSv1.2"},
             (_WHERE, "version|protocol", "ssl.enabled.protocols|TLSv?1.3")),
        Wall("no_suite", "ONLY12", {**_SSL, **trust(of), "ssl.cipher.suites": "ECDHE-ECDSA-AES128-GCM-SHA256"},
             (_WHERE, "handshake|cipher", "ssl.cipher.suites|cipher")),
        Wall("plain_text", "TLS", {}, (_WHERE, "TLS", "security.protocol"), patient=True),
        Wall("no_tls_there", "PLAINTEXT", {**_SSL, **trust(of)}, (_WHERE, "TLS", "security.protocol"), patient=True),
    ]


def sasl_walls(of, folder, mechanisms=MECHANISMS):
    walls = []
    for name in mechanisms:
        low = name.lower()
        if name != "OAUTHBEARER":
            who = "username|user name|password|sasl.jaas.config"
            walls += [Wall(low + ".password", "SASL", sasl(name, (ALICE[0], WRONG)), (_WHERE, name, "nvalid", who)),
                      Wall(low + ".password.tls", "SASLTLS", {**sasl(name, (ALICE[0], WRONG), tls=True), **trust(of)},
                           (_WHERE, name, "nvalid", who)),
                      Wall(low + ".unknown", "SASL", sasl(name, ("nobody", WRONG)), (_WHERE, name, "nvalid", who))]
        if name != "PLAIN":
            walls.append(Wall(low + ".not_offered", "PLAINONLY", sasl(name), (_WHERE, name, "PLAIN", "sasl.mechanism")))
    if "OAUTHBEARER" in mechanisms:
        walls += [Wall("oauthbearer.refused", "SASL", _by_file(folder, "signed", token() + "c2lnbmVk"),
                       (_WHERE, "OAUTHBEARER", "token")),
                  Wall("oauthbearer.expired", "SASL", _by_file(folder, "late", token(seconds=-30)), ("expired", "token")),
                  Wall("oauthbearer.no_file", "SASL", {**_by_file(folder, "x", ""), "sasl.oauthbearer.token.endpoint.url":
                                                       "file:///nowhere/at/all"}, ("/nowhere/at/all", "token"))]
    return walls + [
        Wall("no_tls_there", "SASL", {**sasl("PLAIN", tls=True), **trust(of)}, (_WHERE, "TLS", "security.protocol"), patient=True),
        Wall("plain_text", "SASLTLS", sasl("PLAIN"), (_WHERE, "TLS", "security.protocol"), patient=True),
        Wall("no_sasl", "SASL", {}, (_WHERE, "security.protocol|SASL"), patient=True),
        Wall("no_sasl.tls", "SASLTLS", {**_SSL, **trust(of)}, (_WHERE, "security.protocol|SASL"), patient=True),
        Wall("no_sasl_there", "PLAINTEXT", sasl("PLAIN"), (_WHERE, "SASL", "security.protocol")),
        Wall("no_sasl_there.tls", "TLS", {**sasl("PLAIN", tls=True), **trust(of)}, (_WHERE, "SASL", "security.protocol")),
        Wall("certificate_first", "SASLTLS", {**sasl("PLAIN", tls=True), **trust(of, "other_ca.crt")},
             (_WHERE, "issuer|trust", r"ssl\.truststore|ssl\.ca")),
        Wall("forbidden", "SASL", sasl(mechanisms[-1]), ("TOPIC_AUTHORIZATION_FAILED", security.FORBIDDEN), code=1,
             topic=security.FORBIDDEN),
    ]


def config_walls(of):
    """What is refused before anybody is asked: exit code 2, and the key is named."""
    def wall(name, config, *says):
        return Wall(name, "TLS", config, says, code=2)

    return [
        wall("jks", {**_SSL, "ssl.truststore.type": "JKS", "ssl.truststore.location": of.path("ca.p12")}, "ssl.truststore.type",
             "keytool"),
        wall("no_file", {**_SSL, "ssl.truststore.location": "/nowhere/at/all"}, "/nowhere/at/all", "ssl.truststore.location"),
        wall("key_password", {**_SSL, **trust(of), **own(of, "client.locked.pem"), "ssl.key.password": WRONG}, "ssl.key.password"),
        wall("key_password.none", {**_SSL, **trust(of), **own(of, "client.locked.pem")}, "ssl.key.password"),
        wall("store_password", {**_SSL, "ssl.truststore.type": "PKCS12", "ssl.truststore.location": of.path("ca.p12"),
                                "ssl.truststore.password": WRONG}, "ssl.truststore.password"),
        wall("another_key", {**_SSL, **trust(of), "ssl.key.location": of.path("stranger.key"),
                             "ssl.certificate.location": of.path("client.crt")}, "certificate", "key"),
        wall("no_mechanism", {"security.protocol": "SASL_SSL", **trust(of)}, "sasl.mechanism", "SCRAM-SHA-512"),
        wall("gssapi", {"security.protocol": "SASL_SSL", **trust(of), "sasl.mechanism": "GSSAPI"}, "GSSAPI", "sasl.mechanism"),
        wall("no_password", {"security.protocol": "SASL_SSL", **trust(of), "sasl.mechanism": "PLAIN", "sasl.username": "alice"},
             "sasl.password|sasl.jaas.config"),
        wall("verification", {**_SSL, "enable.ssl.certificate.verification": "false"}, "enable.ssl.certificate.verification"),
        wall("token_url", {"security.protocol": "SASL_SSL", **trust(of), "sasl.mechanism": "OAUTHBEARER",
                           "sasl.oauthbearer.token.endpoint.url": "https://127.0.0.1/token"},
             "sasl.oauthbearer.token.endpoint.url", "file:"),
    ]


class Door:
    """Runs commands against one cluster, several at once, and looks through all that they say."""

    def __init__(self, run, *tokens):
        self.run, self.certificates = run, run.certificates
        self.folder = run.bench.folder
        self.secrets = security.secrets(run.certificates, *tokens)
        self.faults, self.slowest, self.said = [], 0.0, 0
        self._lock = threading.Lock()

    def port(self, listener):
        node = self.run.cluster.nodes[0]
        return node.port if listener == "PLAINTEXT" else node.ports[listener]

    def fault(self, name, words):
        with self._lock:
            self.faults.append(f"{name}: {words}")

    def search(self, name, what, text):
        """For secrets."""
        with self._lock:
            self.said += len(text)
        for secret in self.secrets:
            at = text.find(secret)
            if at >= 0:
                self.fault(name, f"{what} tells a secret: ...{text[max(0, at - 80):at + len(secret) + 20]!r}")
                return

    def flags(self, row, config):
        """The configuration on the command line, or in a file."""
        if not getattr(row, "file", False):
            return [word for key, value in config.items() for word in ("-X", f"{key}={value}")]
        path = os.path.join(self.folder, f"login.{row.name}.properties")
        with open(path, "w", encoding="ascii") as file:
            for key, value in config.items():
                file.write(f"{key}={security.property_text(str(value))}\n")
        return ["-F", path]

    def call(self, row, command, flags, lines="", files=()):
        """Answers exit code, stdout, stderr and seconds."""
        started = time.monotonic()
        try:
            done = subprocess.run([self.run.kloop, command, *flags], input=lines, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, errors="replace", timeout=30, check=False)
        except subprocess.TimeoutExpired as late:
            said = "".join(part.decode(errors="replace") if isinstance(part, bytes) else part or ""
                           for part in (late.stdout, late.stderr))
            self.search(row.name, command, said)
            self.fault(row.name, f"kloop {command} has not ended after 30 s; {said[-800:]}")
            return None, "", said, 30.0
        took = time.monotonic() - started
        self.search(row.name, f"{command}'s stdout", done.stdout)
        self.search(row.name, f"{command}'s stderr", done.stderr)
        for path in files:
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    self.search(row.name, os.path.basename(path), file.read())
                os.remove(path)
        return done.returncode, done.stdout, done.stderr, took

    def expect(self, row, command, code, wanted, text):
        if code is not None and code != wanted:
            self.fault(row.name, f"kloop {command} ended with {code}, not {wanted}\n    " + _end_of(text))
        return code == wanted

    def says(self, row, command, text, words, **places):
        for word in words:
            pattern = word.format(**places) if word == _WHERE else word
            if not re.search(pattern, text, re.IGNORECASE):
                self.fault(row.name, f"kloop {command} does not say {pattern!r}:\n    " + _end_of(text))
                return

    def together(self, rows, one):
        # They wait more than they work.
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            list(pool.map(one, rows))

    def close(self, words):
        if self.faults:
            raise Difference(f"{len(self.faults)} differences\n  " + "\n  ".join(self.faults))
        return f"{words}; no secret in {self.said:,} bytes of what was said, the slowest command took {self.slowest:.1f} s"

    # ---- ways that lead in ---------------------------------------------------------------------------------------------------

    def pass_through(self, topic, rows):
        self.run.cluster.create(topic, _PARTITIONS)
        self.together(rows, lambda row: self._way(row, topic))
        path = os.path.join(self.folder, f"{topic}.values")
        self.run.bench.clerk.ask("values", topic=topic, partitions=_PARTITIONS, file=path, seconds=30)
        with open(path, encoding="utf-8") as file:
            stored = collections.Counter(file.read().split("\n")[:-1])
        wanted = collections.Counter(line for row in rows for line in _lines(row))
        if stored != wanted:
            lost, more = wanted - stored, stored - wanted
            self.fault("read back", f"missing: {sorted(lost)[:10]}, too many: {sorted(more)[:10]}")
        self.run.bench.clerk.ask("delete", topic=topic)

    def _way(self, row, topic):
        flags = ["-b", f"{row.host}:{self.port(row.listener)}", *self.flags(row, row.config)]
        stats = os.path.join(self.folder, f"login.{row.name}.stats")
        lines = "".join(line + "\n" for line in _lines(row))
        code, out, said, took = self.call(row, "produce", [*flags, "-t", topic, "--events", "--stats", stats], lines, [stats])
        if self.expect(row, "produce", code, 0, out + said):
            acked = out.count('"producer_send_success"')
            if acked != _RECORDS:
                self.fault(row.name, f"{acked} records acked")
        self.slowest = max(self.slowest, took)
        self.says(row, "produce", said, row.words)
        if not row.words and "without TLS" in said:
            self.fault(row.name, f"warns: {said.strip()}")
        code, out, said, _ = self.call(row, "meta", [*flags, "-t", topic])
        self.expect(row, "meta", code, 0, out + said)
        code, out, said, _ = self.call(row, "doctor", [*flags, "-t", topic])
        self.expect(row, "doctor", code, 0, out + said)
        code, out, said, _ = self.call(row, "produce", [*flags, "-t", topic, "--print-config"])
        self.expect(row, "produce --print-config", code, 0, out + said)

    def perform(self, topic, rows):
        """kloop perf with everything that it can write."""
        self.run.cluster.create(topic, _PARTITIONS)
        self.together(rows, lambda row: self._perf(row, topic))
        self.run.bench.clerk.ask("delete", topic=topic)

    def _perf(self, row, topic):
        files = [os.path.join(self.folder, f"login.{row.name}.{what}") for what in ("trace", "stats")]
        code, out, said, _ = self.call(row, "perf", [
            "-b", f"{row.host}:{self.port(row.listener)}", *self.flags(row, row.config), "--topic", topic, "--num-records", "2000",
            "--record-size", "100", "--trace", files[0], "--stats", files[1], "--print-metrics", "--json"], files=files)
        if self.expect(row, "perf", code, 0, out + said):
            report = json.loads(out.splitlines()[-1])
            if (report["ok"], report["failed"], report["unknown"], report["threads"]) != (2000, 0, 0, 1):
                self.fault(row.name, f"kloop perf reports {report}")

    # ---- walls ---------------------------------------------------------------------------------------------------------------

    def bounce(self, topic, rows):
        self.run.cluster.create(topic, _PARTITIONS)
        self.together(rows, lambda row: self._wall(row, row.topic or topic))
        self.run.bench.clerk.ask("delete", topic=topic)

    def _wall(self, row, topic):
        port = self.port(row.listener)
        flags = ["-b", f"{row.host}:{port}", *self.flags(row, row.config)]
        patience = self.flags(row, _PATIENCE if row.patient else {"linger.ms": 0})
        stats, trace = (os.path.join(self.folder, f"wall.{row.name}.{what}") for what in ("stats", "trace"))
        lines = "".join(line + "\n" for line in _lines(row))
        code, out, said, took = self.call(row, "produce", [*flags, *patience, "-t", topic, "--events", "--stats", stats], lines,
                                          [stats])
        self.expect(row, "produce", code, row.code, out + said)
        self._in_time(row, "produce", took)
        self.says(row, "produce", said + (out if row.code == 1 else ""), row.says, host=row.host, port=port)
        if row.code != 2:
            told = [json.loads(line) for line in out.splitlines()]
            failed = [one for one in told if one["name"] == "producer_send_error" and one["outcome"] == "failed"]
            if len(failed) != _RECORDS:
                self.fault(row.name, f"{len(failed)} of {_RECORDS} records are told of as failed: {out[-800:]}")
        for command in ("meta", "doctor") if row.code != 1 else ():
            code, out, said, took = self.call(row, command, [*flags, "-t", topic])
            self.expect(row, command, code, row.code, out + said)
            self._in_time(row, command, took)
            self.says(row, command, out + said, row.says, host=row.host, port=port)
        code, out, said, _ = self.call(row, "perf", [
            *flags, *patience, "--topic", topic, "--num-records", "3", "--record-size", "10", "--trace", trace], files=[trace])
        if code in (0, None):
            self.fault(row.name, f"kloop perf ended with {code}: {(out + said)[-800:]}")
        self.call(row, "produce", [*flags, "-t", topic, "--print-config"])

    def _in_time(self, row, command, took):
        self.slowest = max(self.slowest, took)
        limit = _SOON_OF_PATIENT if row.patient else _SOON
        if took > limit:
            self.fault(row.name, f"kloop {command} needed {took:.1f} s to fail, not at most {limit}")


def _end_of(text):
    return text.strip()[-1500:].replace("\n", "\n    ")


def _lines(row):
    return [f"{row.name} {n}" for n in range(_RECORDS)]


def _some(rows, smoke, names):
    return [row for row in rows if row.name in names] if smoke else rows


_TLS_SMOKE = ("ca.file", "ca.name", "ca.pkcs12", "only_1.2", "chain", "mutual.one_file", "mutual.password", "mutual.properties")
_TLS_WALLS_SMOKE = ("expired", "wrong_name", "other_ca", "no_client", "plain_text", "no_tls_there")
_SASL_WALLS_SMOKE = ("plain.password", "scram-sha-256.password.tls", "scram-sha-512.not_offered", "oauthbearer.refused", "no_sasl",
                     "no_sasl_there", "forbidden")


def tls_in(run):
    door = Door(run)
    rows = _some(tls_ways(run.certificates), run.smoke, _TLS_SMOKE)
    door.pass_through(f"live.tls.in.{run.repeat}", rows)
    door.perform(f"live.tls.perf.{run.repeat}", _some(rows, True, ("ca.pkcs12", "mutual.password", "mutual.properties")))
    return door.close(f"{len(rows)} set-ups lead in")


def sasl_in(run):
    rows = sasl_ways(run.certificates, run.bench.folder, security.mechanisms(run.cluster.kafka))
    if run.smoke:
        rows = [row for row in rows if not row.name.endswith((".properties", ".mixed_case"))]
    door = Door(run, *(_token_of(row) for row in rows if _token_of(row)))
    door.pass_through(f"live.sasl.in.{run.repeat}", rows)
    wanted = [name.lower() + ".tls" for name in security.mechanisms(run.cluster.kafka)]
    door.perform(f"live.sasl.perf.{run.repeat}", _some(rows, True, wanted))
    return door.close(f"{len(rows)} set-ups lead in")


def _token_of(row):
    path = row.config.get("sasl.oauthbearer.token.endpoint.url", "").removeprefix("file://")
    if not path.startswith("/") or not os.path.exists(path):
        return ""
    with open(path, encoding="ascii") as file:
        return file.read()


def tls_out(run):
    door = Door(run)
    rows = _some(tls_walls(run.certificates), run.smoke, _TLS_WALLS_SMOKE)
    door.bounce(f"live.tls.out.{run.repeat}", rows)
    return door.close(f"{len(rows)} wrong ones are refused")


def sasl_out(run):
    rows = _some(sasl_walls(run.certificates, run.bench.folder, security.mechanisms(run.cluster.kafka)), run.smoke, _SASL_WALLS_SMOKE)
    door = Door(run, *(_token_of(row) for row in rows if _token_of(row)))
    if any(row.topic for row in rows):
        run.cluster.create(security.FORBIDDEN, 1)
    door.bounce(f"live.sasl.out.{run.repeat}", rows)
    if any(row.topic for row in rows):
        run.bench.clerk.ask("delete", topic=security.FORBIDDEN)
    return door.close(f"{len(rows)} wrong ones are refused")


def config_out(run):
    rows = config_walls(run.certificates)
    door = Door(run)
    door.bounce(f"live.config.out.{run.repeat}", rows)
    return door.close(f"{len(rows)} configurations are refused")


def check_the_doors(run):
    """Kafka's own producer at the same listeners: what leads in for it, and what does not."""
    of, cluster = run.certificates, run.cluster
    topic = f"live.doors.{run.repeat}"
    cluster.create(topic, 1)

    def goes(listener, config, fine=True):
        quick = {"max.block.ms": "8000", "linger.ms": "0"}
        try:
            cluster.clerk.ask("send", topic=topic, config={"bootstrap.servers": f"localhost:{cluster.nodes[0].ports[listener]}",
                                                           **quick, **config})
        except Refused as why:
            if fine:
                raise Mismatch(f"{listener} with {config}: {why}") from None
            return
        if not fine:
            raise Mismatch(f"{listener} lets Kafka's producer in, with {config}")

    for listener in ("TLS", "ONLY12", "ONLY13", "CHAINED"):
        goes(listener, {**_SSL, **trust(of)})
    goes("MUTUAL", {**_SSL, **trust(of), **own(of)})
    for listener in ("MUTUAL", "EXPIRED", "NOTYET", "WRONGNAME", "SELFSIGNED", "OTHERCA", "HEADLESS"):
        goes(listener, {**_SSL, **trust(of)}, fine=False)
    goes("MUTUAL", {**_SSL, **trust(of), **own(of, "stranger.pem")}, fine=False)
    for name in security.mechanisms(run.cluster.kafka):
        goes("SASL", sasl(name))
        goes("SASLTLS", {**sasl(name, tls=True), **trust(of)})
        if name != "OAUTHBEARER":
            goes("SASL", sasl(name, (ALICE[0], WRONG)), fine=False)
        goes("PLAINONLY", sasl(name), fine=name == "PLAIN")
    # What the scenarios of sessions stand on: who does not renew one is thrown out.
    lasted = probe.session_seconds(cluster.nodes[0].targets["BRIEF"], *ALICE[:2])
    if lasted is None or lasted < security.REAUTH_MS / 1000 - 0.5:
        raise Mismatch(f"a session of {security.REAUTH_MS} ms that nobody renews lasts {lasted} s")
    run.bench.clerk.ask("delete", topic=topic)
    return f"Kafka's own producer gets in where it should, and nowhere else; a session that nobody renews lasts {lasted:.1f} s"
