#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What kloop makes of configurations, against java.util.Properties and Kafka's own ProducerConfig; see README.md beside this file."""

import argparse
import os
import random
import re
import sys

sys.dont_write_bytecode = True
from differential import Fatal, Filter, Report, build_java  # noqa: E402

PIECES = ["=", ":", " ", "\t", "\f", "\n", "\r", "\r\n", "\\", "\\\\", "\\\n", "\\\r\n", "\\\r", "#", "!", "\n#", "\n!", "\n ", "a", "b", "key", "value",
          "linger.ms", "x=y", "\\t", "\\n", "\\r", "\\f", "\\ ", "\\=", "\\:", "\\#", "\\!", "\\\"", "\\z", "é", "€", "\U0001f600", "\x0b", "\x85", "\xa0",
          "\\u0041", "\\u00e9", "\\u20AC", "\\ud83d\\ude00", "\\uD83D\\uDE00", "\\u003d", "\\u0020", "\\u005c", "\\u000a"]
# One of these makes a file that is refused, or strange, so they are rare.
RARE = ["\\u", "\\u00", "\\u00g0", "\\uuuu", "\\u 041", "\\ud83d", "\\ude00", "\\ud83d\\u0041", "\\u0000", "\0", "\\u+041"]
TYPICAL = ["bootstrap.servers = a:1,\\\n    b:2\n", "# comment\n", "! comment\\\n", "key.serializer=org.apache.kafka.common.serialization.StringSerializer\n",
           "acks all\n", "linger.ms:5\r\n", "\n", "sasl.jaas.config=a required \\\n   username=\"u\" \\\n\tpassword=\"p\\\\q\";\n"]

NUMBERS = ["", " ", "0", "-0", "+0", "1", "-1", "-2", "+7", "007", " 5 ", "\t5\n", "5 ", "4999", "5000", "1024", "5.0", "5ms", "0x7", "1e3", "1_0", "1 0", "--1",
           "2147483647", "2147483648", "-2147483648", "-2147483649", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
           "99999999999999999999999", "true", "٣", "9", "10", "17", "18", "22", "23", "-131072", "-131073"]
WORDS = ["", " ", "true", "false", "TRUE", "False", " true ", "tru", "yes", "1", "0", "on", "all", "-1", "ALL", " all ", "2", "none", "None", "rebootstrap",
         "REBOOTSTRAP", "PLAINTEXT", "plaintext", "SSL", "ssl", "SASL_PLAINTEXT", "Sasl_Plaintext", "SASL_SSL", " sasl_ssl ", "TLS", "PLAIN",
         "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "scram-sha-256", "GSSAPI", "https", "HTTPS", "PEM", "PKCS12", "JKS", "TLSv1.3", "TLSv1.2",
         "TLSv1.2,TLSv1.3", " TLSv1.3 , TLSv1.2 ", "TLSv1.2,TLSv1.2", "TLSv1.1", "SSLv3", "TLSv1.2,", "file:///a", "/a", "a b", "use_all_dns_ips", "resolve_canonical_bootstrap_servers_only", "default", "gzip", "lz4", "snappy", "zstd", "GZIP", "brotli"]
FRACTIONS = ["0.5", "0.8", ".5", "1.", "1.0", "1.000000", "00.50", "0.4999", "0.499999", "1.000001", "0.25", "0.250000", "0.2500001", "0.26", "0.05",
             "0.0", "-0.1", "0,5", "0.5.5", ".", "0.8f", "0.8d", "8e-1", "0x1p-1", "NaN", "Infinity", "1e400", "0.87654321", "0.50000000000000000000000001"]

# Where kloop means to differ: the key, which values, and why.
LONGS_WITHOUT_CHECK = {"socket.connection.setup.timeout.ms", "socket.connection.setup.timeout.max.ms", "connections.max.idle.ms"}
WORDS_WITHOUT_CHECK = {"sasl.mechanism", "sasl.oauthbearer.token.endpoint.url", "ssl.enabled.protocols", "ssl.endpoint.identification.algorithm",
                       "ssl.keystore.type", "ssl.protocol", "ssl.truststore.type"}

# Presets that are not Java's: Java's, kloop's, and why.
PRESETS = {
    "batch.size": ("16384", "1000000", "a better one"), "buffer.memory": ("33554432", "67108864", "a better one"),
    "receive.buffer.bytes": ("32768", "-1", "a better one"), "send.buffer.bytes": ("131072", "-1", "a better one"),
    "client.id": ("-", "kloop", "a name where Java makes one up"), "partitioner.class": ("-", "sticky", "a word for none"),
    "sasl.mechanism": ("GSSAPI", "-", "what Java has is not there"),
    "ssl.keystore.type": ("JKS", "-", "what Java has is not there"), "ssl.truststore.type": ("JKS", "-", "what Java has is not there"),
}


def wanted(name, value):
    """Why kloop may refuse what Java takes, or None."""
    text = value.strip()
    if name in ("request.timeout.ms", "max.request.size") and text.lstrip("+-0") == "":
        return "0 makes no producer"
    if name in LONGS_WITHOUT_CHECK:
        return "a time that Java does not look at"
    if "\u0663" in value:
        return "digits that are not ASCII"
    if name in WORDS_WITHOUT_CHECK:
        return "a word that Java looks at when it connects"
    if name.startswith("sasl.login.refresh.window.") and (not re.fullmatch("[0-9]*[.]?[0-9]*", text) or re.search("[.][0-9]{6}.*[1-9]", text)):
        return "a fraction that is more than digits and a point, or has more than six behind that"
    return None


def file_lines(chance, count):
    for n in range(count):
        if n % 3 == 0:
            text = "".join(chance.choices(TYPICAL + PIECES, k=chance.randrange(1, 12)))
        else:
            text = "".join(chance.choices(PIECES, k=chance.randrange(0, 40)))
        if n % 10 == 9:
            at = chance.randrange(len(text) + 1)
            text = text[:at] + chance.choice(RARE) + text[at:]
        yield f"properties {text.encode().hex()}".encode()


def ends_in_nothing(line):
    return bytes.fromhex(line.split(b" ")[1].decode()).rstrip(b"\r\n").endswith(b"\\")


def named(pairs):
    return [pair for pair in pairs.split() if not pair.startswith(b"=")]


def compare_files(report, run, ask, lines):
    name = "files of properties"
    for line, java, kloop in zip(lines, run.java("config", "files", lines), ask("files", lines)):
        if java == b"strange":
            report.expect(name, kloop.startswith(b"error"), "taken although strange", asked=line, kloop=kloop)
        elif java.startswith(b"error") or kloop.startswith(b"error"):
            report.expect(name, java.startswith(b"error") and kloop.startswith(b"error"), "one refuses", asked=line, Java=java, kloop=kloop)
        elif java != kloop and ends_in_nothing(line) and named(java) == named(kloop):
            report.allow(name, "a last line of nothing but a backslash is a pair of nothing to Java, mostly", b"")
        else:
            report.expect(name, java == kloop, "read differently", asked=line, Java=java, kloop=kloop)


def compare_names(report, run, ask):
    names = run.java("config", "names", [b"names"])[0].split()
    answers = ask("names", [b"known " + name for name in names])
    for name, answer in zip(names, answers):
        report.expect("names of the producer's keys", answer != b"unknown", "Java has it", asked=name, kloop=answer)
    return [name.decode() for name, answer in zip(names, answers) if answer == b"key"]


def compare_values(report, run, ask, names):
    pairs = [(name, value) for name in names if name not in ("bootstrap.servers", "client.id", "partitioner.class", "ssl.cipher.suites")
             for value in NUMBERS + WORDS + FRACTIONS]
    lines = [f"set {name} {value.encode().hex()}".encode() for name, value in pairs]
    for (name, value), line, java, kloop in zip(pairs, lines, run.java("config", "values", lines), ask("values", lines)):
        same = (java == b"ok") == (kloop == b"ok")
        why = None if same or java != b"ok" else wanted(name, value)
        if why:
            report.allow("values of keys", why, b"")
        else:
            report.expect("values of keys", same, f"{name}={value!r}", asked=line, Java=java, kloop=kloop)


def compare_presets(report, run, ask, names):
    lines = [f"preset {name}".encode() for name in names]
    for name, line, java, kloop in zip(names, lines, run.java("config", "presets", lines), ask("presets", lines)):
        pair = (java.decode(), kloop.decode())
        if pair == PRESETS.get(name, ())[:2]:
            report.allow("presets", PRESETS[name][2], b"")
        else:
            report.expect("presets", java == kloop, name, asked=line, Java=java, kloop=kloop)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="the program of config_answers.c")
    parser.add_argument("--build", required=True, help="directory for all output")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("KLOOP_TEST_SEED", "1")), help="(KLOOP_TEST_SEED, or 1)")
    parser.add_argument("--files", type=int, default=100000, help="how many files of properties (100000)")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    run = Filter(os.path.join(build, "config"), None, build_java(os.path.join(build, "java")))
    report = Report(run.directory)

    def ask(tag, lines):
        return run._run([os.path.abspath(options.config)], f"kloop-{tag}", lines, "config")

    compare_files(report, run, ask, list(file_lines(random.Random(options.seed), options.files)))
    names = compare_names(report, run, ask)
    compare_presets(report, run, ask, names)
    compare_values(report, run, ask, names)
    return report.close()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Fatal as fatal:
        print(f"config: {fatal}", file=sys.stderr)
        sys.exit(1)
