# SPDX-License-Identifier: BSD-2-Clause
"""Nodes with locks on their doors: what listeners they have, who may come in, and what kloop is told to get there."""

import base64
import json
import sys
import time

from certificates import KEY_PASSWORD, STORE_PASSWORD
from cluster import Listener

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
# Name, password, iterations of the SCRAM credentials. The third is what breaks programs that put text together without care.
ALICE = ("alice", "alice-Pa55-of-live", 4096)
BOB = ("bob", "bob-Pa55-of-live", 16384)
ODD = ("o=l,af", "p\u00e4ss;w=\u00f6rd, \\\"live\"", 4096)
WRONG = "wrong-Pa55-of-live"
# alice may not write it.
FORBIDDEN = "live.forbidden"
REAUTH_MS = 3000

_COMMON = "org.apache.kafka.common.security."
_PLAIN = _COMMON + "plain.PlainLoginModule"
_SCRAM = _COMMON + "scram.ScramLoginModule"
_OAUTH = _COMMON + "oauthbearer.OAuthBearerLoginModule"


def _quoted(text):
    """As JAAS wants it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def property_text(text):
    """As a value in a properties file; a line break is one, and goes on in the next line."""
    escaped = text.rstrip("\n").replace("\\", "\\\\").replace("\n", "\\n\\\n  ")
    return "".join(letter if letter.isascii() else f"\\u{ord(letter):04x}" for letter in escaped)


def _sasl(protocol, offered=MECHANISMS, **more):
    plain = " ".join(f"user_{name}={_quoted(password)}" for name, password, _ in (ALICE, BOB))
    jaas = {"PLAIN": f"{_PLAIN} required {plain};", "SCRAM-SHA-256": f"{_SCRAM} required;", "SCRAM-SHA-512": f"{_SCRAM} required;",
            "OAUTHBEARER": f"{_OAUTH} required;"}
    return protocol, {"sasl.enabled.mechanisms": ",".join(offered),
                      **{f"{one.lower()}.sasl.jaas.config": property_text(jaas[one]) for one in offered}, **more}


def listeners(certificates, three):
    """Of the one node of most tests, or of the three that go away and come back. Their names are those of the tests."""
    def tls(name, **more):
        return "SSL", {"ssl.keystore.location": certificates.path(name + ".pem"), **more}

    mutual = {"ssl.client.auth": "required"}
    brief = {"connections.max.reauth.ms": REAUTH_MS}
    one = {
        "TLS": tls("broker"),
        "MUTUAL": tls("broker", **mutual),
        "SASL": _sasl("SASL_PLAINTEXT"),
        "SASLTLS": _sasl("SASL_SSL"),
        "PLAINONLY": _sasl("SASL_PLAINTEXT", ("PLAIN",)),
        "ONLY12": tls("rsa_broker", **{"ssl.enabled.protocols": "TLSv1.2"}),
        "ONLY13": tls("broker", **{"ssl.enabled.protocols": "TLSv1.3"}),
        "EXPIRED": tls("expired"), "NOTYET": tls("not_yet"), "WRONGNAME": tls("wrong_name"), "SELFSIGNED": tls("self_signed"),
        "OTHERCA": tls("other_broker"), "CHAINED": tls("chained"), "HEADLESS": tls("headless"),
    }
    both = {
        "BRIEF": _sasl("SASL_PLAINTEXT", **brief),
        "BRIEFTLS": _sasl("SASL_SSL", **brief),
    }
    # A thread for each would do for all of this.
    few = {"num.network.threads": 1}
    rows = [Listener(name, protocol, {**few, **settings}) for name, (protocol, settings) in one.items() if not three]
    wanted = both if three else {**both, "ROTATED": tls("broker", **mutual), "SLOW": tls("broker")}
    # proxy.py stands before these, and counts their connections or holds up their bytes.
    return rows + [Listener(name, protocol, {**few, **settings}, remote=True) for name, (protocol, settings) in wanted.items()]


def settings(certificates):
    """What all listeners of a node have, unless they say otherwise; and what a client may do."""
    return {
        "ssl.keystore.type": "PEM", "ssl.truststore.type": "PEM", "ssl.truststore.location": certificates.path("ca.crt"),
        "ssl.keystore.location": certificates.path("broker.pem"),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "true",
        # The nodes themselves and the clerk.
        "super.users": "User:ANONYMOUS",
    }


def mechanisms(kafka):
    """Kafka 3.3 keeps no users of SCRAM without ZooKeeper."""
    return ("PLAIN", "OAUTHBEARER") if kafka.version.startswith("3.3.") else MECHANISMS


def admit(cluster):
    """Users of SCRAM, and who may not do what."""
    for mechanism in mechanisms(cluster.kafka)[1:-1]:
        cluster.clerk.ask("users", users=[{"name": name, "password": password, "iterations": iterations, "mechanism": mechanism}
                                          for name, password, iterations in (ALICE, BOB, ODD)])
    cluster.clerk.ask("deny", user=ALICE[0], topic=FORBIDDEN)


# ---- what a client is told ---------------------------------------------------------------------------------------------------


def token(name=ALICE[0], seconds=3600, **claims):
    """An unsecured JSON web token, as Kafka's own test form takes it."""
    def part(words):
        return base64.urlsafe_b64encode(json.dumps(words).encode()).decode().rstrip("=")
    now = time.time()
    return f"{part({'alg': 'none'})}.{part({'sub': name, 'iat': now, 'exp': now + seconds, **claims})}."


def jaas(mechanism, user=ALICE):
    """sasl.jaas.config as Java people paste it."""
    module = {"PLAIN": _PLAIN}.get(mechanism, _SCRAM)
    return f"{module} required username={_quoted(user[0])} password={_quoted(user[1])};"


def sasl(mechanism, user=ALICE, tls=False, **more):
    words = {"security.protocol": "SASL_SSL" if tls else "SASL_PLAINTEXT", "sasl.mechanism": mechanism}
    if mechanism == "OAUTHBEARER":
        words["sasl.jaas.config"] = f'{_OAUTH} required unsecuredLoginStringClaim_sub={_quoted(user[0])};'
    else:
        words["sasl.jaas.config"] = jaas(mechanism, user)
    return {**words, **more}


def trust(certificates, name="ca.crt"):
    return {"ssl.truststore.type": "PEM", "ssl.truststore.location": certificates.path(name)}


def own(certificates, name="client.pem"):
    return {"ssl.keystore.type": "PEM", "ssl.keystore.location": certificates.path(name)}


def secrets(certificates, *tokens):
    """Everything that nobody may ever read in what kloop says, also in the forms in which it could slip out."""
    passwords = [ALICE[1], BOB[1], ODD[1], WRONG, KEY_PASSWORD, STORE_PASSWORD]
    words = [*passwords, *tokens]
    words += [base64.b64encode(word.encode()).decode().rstrip("=") for word in passwords]
    words += [base64.b64encode(f"\0{name}\0{password}".encode()).decode().rstrip("=") for name, password, _ in (ALICE, BOB, ODD)]
    words += [json.dumps(ODD[1])[1:-1], _quoted(ODD[1])[1:-1]]
    # The claims of a token, and its signature if it had one, are as good as all of it.
    words += [piece for one in tokens for piece in one.split(".")[1:] if piece]
    for key in ("client.key", "client.locked.key", "stranger.key"):
        words += [line for line in certificates.text(key).splitlines() if line and not line.startswith("-----")]
    return words


if __name__ == "__main__":
    # For programs that run a command to get a token: how many seconds it is to live.
    print(token(seconds=float(sys.argv[1])))
