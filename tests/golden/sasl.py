#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""kloop's SASL against Kafka's own servers, parsers and tokenizer; see README.md beside this file."""

import argparse
import os
import random
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from differential import Fatal, Report, build_java  # noqa: E402

SALT_CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
PACKAGE = "org.apache.kafka.common.security."


class Partner:
    """A program that answers line by line."""

    def __init__(self, command, log):
        self.log = open(log, "wb")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)

    def ask(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer.endswith(b"\n"):
            raise Fatal(f"{self.process.args[0]} ended with {self.process.wait()} at {line[:2000]}: {self.log.name}")
        return answer[:-1]

    def close(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise Fatal(f"{self.process.args[0]} ended with {self.process.returncode}: {self.log.name}")
        self.log.close()


def in_hex(text):
    return (text if isinstance(text, bytes) else text.encode()).hex()


def from_hex(text):
    return bytes.fromhex(text.decode())


def quoted(chance, text):
    """As an option's value in JAAS."""
    quote = chance.choice("\"'")
    return quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote


def configuration(**keys):
    return in_hex("".join(f"{name.replace('_', '.')}={value}\n" for name, value in keys.items()))


def begin(kloop, wall_ms, **keys):
    return kloop.ask(f"begin {configuration(security_protocol='SASL_SSL', **keys)} {wall_ms}")


# ---- SCRAM -------------------------------------------------------------------------------------------------------------------


def credentials(chance):
    user = "".join(chance.choices("alice=,\"'\\ ;./@{}~", k=chance.randrange(1, 12))).strip() or "u"
    password = "".join(chance.choices("secret=,\"'\\ ;/#€üß🙂", k=chance.randrange(1, 80))).strip() or "p"
    return user, password


def client_keys(chance, mechanism, user, password, tokenauth):
    if tokenauth or chance.random() < 0.5:
        option = ' tokenauth="true"' if tokenauth else ""
        jaas = f"{PACKAGE}scram.ScramLoginModule required username={quoted(chance, user)} password={quoted(chance, password)}{option};"
        return {"sasl_mechanism": mechanism, "sasl_jaas_config": jaas}
    return {"sasl_mechanism": mechanism, "sasl_username": user, "sasl_password": password}


def scram_exchange(report, chance, java, kloop, turn):
    """One whole exchange; some with a wrong password, an unknown user, a server that cannot prove itself."""
    name = "SCRAM, whole exchanges"
    mechanism = chance.choice(("SCRAM-SHA-256", "SCRAM-SHA-512"))
    user, password = credentials(chance)
    trouble = chance.choice(("", "", "", "password", "user", "signature")) if turn > 3 else ""
    tokenauth = chance.random() < 0.2
    salt = chance.randbytes(chance.randrange(1, 100))
    server_password = password + "x" if trouble == "password" else password
    server_user = user + "x" if trouble == "user" else user
    java.ask(f"scram {mechanism} {in_hex(server_user)} {in_hex(server_password)} {salt.hex()} {chance.randrange(4096, 9000)}")
    said = begin(kloop, 0, **client_keys(chance, mechanism, user, password, tokenauth))
    steps = [said]
    for step in ("first", "final"):
        if not said.startswith(b"say "):
            break
        heard = java.ask("step " + said[4:].decode())
        steps.append(heard)
        if heard.startswith(b"error"):
            break
        bytes_heard = heard.split(b" ")[1]
        if trouble == "signature" and step == "final":
            bytes_heard = in_hex(from_hex(bytes_heard)[:-6] + b"AAAAA=").encode() if mechanism.endswith("256") else \
                in_hex(b"v=AAAA" + from_hex(bytes_heard)[6:]).encode()
        said = kloop.ask("hear " + bytes_heard.decode())
        steps.append(said)
    if trouble in ("password", "user"):
        good = steps[-1].startswith(b"error")
    elif trouble == "signature":
        good = steps[-1].startswith(b"failed the broker's SCRAM signature is wrong")
    else:
        owner = "owner of " + user if tokenauth else user
        good = steps[-1] == b"done" and len(steps) == 5 and steps[3].endswith(b" " + in_hex(owner).encode())
    report.expect(name, good, f"{mechanism} {user!r} {password!r} {trouble}", steps=b" | ".join(steps))


MESSAGES = {
    "first": ["r=abcdEFGH,s=QUJD,i=4096", "r=!~%,s=QQ==,i=10000,x=1", "r=ab,s=QUI=,i=2147483647,abc=d=e,f=g", "m=x,r=ab,s=QUJD,i=4096"],
    "final": ["v=" + "A" * 43 + "=", "v=" + "QUJD" * 10 + "QUI=,x=y", "v=" + "A" * 86 + "==", "e=other-error", "e=x,y=z", "v=QUJD"],
}
# Why kloop may refuse a message of a server that Java reads.
MAY_REFUSE = (b"(m=)", b"control character", b"a second time", b"no base64: loose bits", b"is no number", b"empty s=", b"empty v=", b" bytes in base64")


def message_lines(chance, what, count):
    for n in range(count):
        text = chance.choice(MESSAGES[what]).encode()
        for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
            at = chance.randrange(len(text) + 1)
            piece = chance.choice((b"=", b",", b"r=", b"s=", b",i=", b"x=1,", b"m=", b"0", b"9", b"A", b"\0", b"\n", b"\x7f", b" ", b"\xc3\xa9", b"\xff",
                                   bytes([chance.randrange(256)])))
            deed = chance.randrange(3)
            text = text[:at] + (b"" if deed == 0 else piece) + text[at + (0 if deed == 1 else chance.randrange(1, 3)):]
        yield text


def scram_messages(report, chance, java, kloop, count):
    for what in ("first", "final"):
        name = f"SCRAM, the server's {what} message"
        for text in message_lines(chance, what, count):
            mechanism = chance.choice(("SCRAM-SHA-256", "SCRAM-SHA-512"))
            theirs = java.ask(f"{what} {text.hex()}")
            ours = kloop.ask(f"{what} {mechanism + ' ' if what == 'final' else ''}{text.hex()}")
            if theirs.startswith(b"error") and not ours.startswith(b"failed") and not text.isascii():
                report.allow(name, "characters that are not ASCII, which RFC 5802 allows in an extension", b"")
            elif theirs.startswith(b"error"):
                report.expect(name, ours.startswith(b"failed"), "Java refuses", asked=text, Java=theirs, kloop=ours)
            elif ours.startswith(b"failed"):
                why = next((reason for reason in MAY_REFUSE if reason in ours), None)
                if why:
                    report.allow(name, "kloop is stricter", ours)
                else:
                    report.expect(name, False, "kloop refuses", asked=text, Java=theirs, kloop=ours)
            else:
                report.expect(name, theirs == ours, "read differently", asked=text, Java=theirs, kloop=ours)


# ---- sasl.jaas.config --------------------------------------------------------------------------------------------------------

JAAS = [" ", " ", "  ", "\t", "\n", "\r", ";", "=", "=", "\"", "'", "\\", "\\\"", "\\'", "\\n", "\\101", "\\377", "\\0", "\\8", "/", "//", "/*", "*/", "#", "a", "b",
        "name", "required", "REQUIRED", "optional", "m.LoginModule", "x=y", "\"a b\"", "'c\"d'", "1", "-5", ".", "ü", "€", "🙂", "\x7f", "\x80", "\x85", "\xa0", "\0",
        "\x1f", ",", "{", "}", "$"]
TYPICAL = [f'{PACKAGE}plain.PlainLoginModule required username="alice" password="alice-secret";',
           f"{PACKAGE}plain.PlainLoginModule   required username='KEY'   password='a/b+c=';",
           f'{PACKAGE}scram.ScramLoginModule required\n  username="u"\n  password="p\\"\\\\"\n  tokenauth=true ;',
           f'{PACKAGE}oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="a" extension_x=\'y\'; // end']


def jaas_texts(chance, count):
    for n in range(count):
        if n % 3 == 0:
            text = "".join(chance.choices(JAAS, k=chance.randrange(0, 20)))
        elif n % 3 == 1:
            text = chance.choice(TYPICAL)
            for _ in range(chance.randrange(0, 3)):
                at = chance.randrange(len(text) + 1)
                text = text[:at] + chance.choice(JAAS + [""]) + text[at + chance.randrange(0, 2):]
        else:
            pairs = (f"{chance.choice('abcdefgh')}{chance.choice(('=', ' = ', '= '))}{chance.choice(JAAS) if chance.random() < 0.3 else quoted(chance, ''.join(chance.choices(JAAS, k=3)))}"
                     for _ in range(chance.randrange(0, 5)))
            text = f"m.LoginModule required {' '.join(pairs)}{chance.choice((';', ';', ' ;', '; ', ''))}"
        yield text


def compare_jaas(report, chance, java, kloop, count):
    name = "sasl.jaas.config"
    for text in jaas_texts(chance, count):
        theirs, ours = java.ask("jaas " + in_hex(text)), kloop.ask("jaas " + in_hex(text))
        if theirs.startswith(b"error") or not ours.startswith(b"refused"):
            same = ours.startswith(b"refused") if theirs.startswith(b"error") else theirs == ours
            report.expect(name, same, "read differently", asked=text.encode(), Java=theirs, kloop=ours)
        elif b"is not closed" in ours or re.search(rb"byte \d+ the name of an option belongs", ours):
            report.allow(name, "kloop is stricter", ours)
        else:
            report.expect(name, False, "kloop refuses", asked=text.encode(), Java=theirs, kloop=ours)


# ---- OAUTHBEARER -------------------------------------------------------------------------------------------------------------


def unsecured_exchange(report, chance, java, kloop):
    """Java's and librdkafka's way to ask for a token; to be believed, or too old."""
    name = "OAUTHBEARER, unsecured tokens"
    principal = "".join(chance.choices("abc.-_@", k=chance.randrange(1, 9)))
    extension = "".join(chance.choices("abcXYZ", k=5))
    old = chance.random() < 0.3
    wall_ms = int(time.time() * 1000) - (100000 if old else 0)
    keys = {"sasl_mechanism": "OAUTHBEARER"}
    if chance.random() < 0.5:
        odd = quoted(chance, "".join(chance.choices("a\"\\/ü\t{", k=4)))
        keys["sasl_jaas_config"] = (f"{PACKAGE}oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub={quoted(chance, principal)} "
                                    f"unsecuredLoginStringClaim_odd={odd} unsecuredLoginNumberClaim_n=\"1.5e3\" "
                                    f"unsecuredLoginListClaim_scope=\"|a|b\" unsecuredLoginLifetimeSeconds=\"60\" unsecuredLoginExtension_{extension}=\"1 2\";")
    else:
        keys["enable_sasl_oauthbearer_unsecure_jwt"] = "true"
        keys["sasl_oauthbearer_config"] = f"principal={principal} scope=a,b lifeSeconds=60 extension_{extension}=1"
    java.ask("oauth")
    said = begin(kloop, wall_ms, **keys)
    steps = [said, java.ask("step " + said[4:].decode())]
    if old:
        steps.append(kloop.ask("hear " + steps[-1].split(b" ")[-1].decode()))
        steps.append(java.ask("step " + steps[-1][4:].decode()))
        good = steps[1].startswith(b"say ") and steps[2] == b"say 01" and steps[3].startswith(b"error")
    else:
        good = steps[1] == b"done  " + in_hex(principal).encode()
        steps.append(kloop.ask("hear "))
        good = good and steps[2] == b"done"
    report.expect(name, good, "an old one" if old else "a good one", steps=b" | ".join(steps))


def given_tokens(report, chance, java, kloop):
    """What kloop takes, Kafka's server reads as it was meant; but for some characters of RFC 6750 that it does not know."""
    name = "OAUTHBEARER, given tokens"
    odd = chance.random() < 0.2
    token = "".join(chance.choices("abcXYZ019-_." + ("~+/=" if odd else ""), k=chance.randrange(1, 200)))
    letters = [chr(c) for c in range(0x20, 0x7f)] + ["\t", "\r", "\n"]
    pairs = {"".join(chance.choices("abcXYZ", k=chance.randrange(1, 6))): "".join(chance.choices(letters, k=chance.randrange(1, 20)))
             for _ in range(chance.randrange(0, 4))}
    asked = begin(kloop, 0, sasl_mechanism="OAUTHBEARER")
    said = kloop.ask(f"token {in_hex(token)}" + "".join(f" {in_hex(k)}={in_hex(v)}" for k, v in pairs.items()))
    read = java.ask("initial " + said[4:].decode()) if said.startswith(b"say ") else b""
    wanted = in_hex(token) + "".join(f" {in_hex(k)}={in_hex(v)}" for k, v in sorted(pairs.items()))
    if read.startswith(b"error") and set(token) & set("~+/="):
        report.allow(name, "Kafka's server knows fewer characters of tokens than RFC 6750", b"")
    else:
        report.expect(name, asked == b"token" and read == wanted.encode(), "read differently", said=said, Java=read, wanted=wanted.encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sasl", required=True, help="the program of sasl_answers.c")
    parser.add_argument("--build", required=True, help="directory for all output")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("KLOOP_TEST_SEED", "1")), help="(KLOOP_TEST_SEED, or 1)")
    parser.add_argument("--count", type=int, default=1000, help="how many exchanges (1000); ten times as many texts")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    directory = os.path.join(build, "sasl")
    os.makedirs(directory, exist_ok=True)
    java = Partner(build_java(os.path.join(build, "java")) + ["sasl"], os.path.join(directory, "java.log"))
    kloop = Partner([os.path.abspath(options.sasl)], os.path.join(directory, "kloop.log"))
    report = Report(directory)
    chance = random.Random(options.seed)
    for turn in range(options.count):
        scram_exchange(report, chance, java, kloop, turn)
        unsecured_exchange(report, chance, java, kloop)
        given_tokens(report, chance, java, kloop)
    scram_messages(report, chance, java, kloop, 10 * options.count)
    compare_jaas(report, chance, java, kloop, 10 * options.count)
    java.close()
    kloop.close()
    return report.close()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Fatal as fatal:
        print(f"sasl: {fatal}", file=sys.stderr)
        sys.exit(1)
