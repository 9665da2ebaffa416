#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The configuration from outside: flags, -X, files, the environment, what is said of them and what is never said.

    test_config_cli.py KLOOP [unittest's arguments]
"""
import os
import subprocess
import sys
import tempfile
import unittest

from sink_process import SECONDS, Sink

KLOOP = None
COMMANDS = {"produce": ["-t", "t"], "perf": ["--topic", "t", "--num-records", "1", "--record-size", "1"], "meta": [], "doctor": []}

# What people have who run Java's producer; every line of it as it stands in the wild.
JAVA_FILE = """\
# A comment = no key
! another = no key
bootstrap.servers = %s
client.id: my\\u002dclient
key.serializer=org.apache.kafka.common.serialization.StringSerializer
value.serializer=org.apache.kafka.common.serialization.ByteArraySerializer
acks all
enable.idempotence = TRUE
max.in.flight.requests.per.connection=5
retries=2147483647
delivery.timeout.ms=120000
request.timeout.ms=30000
linger.ms=\\
    7
batch.size=16384
buffer.memory=33554432
compression.type=zstd
partitioner.class=org.apache.kafka.clients.producer.RoundRobinPartitioner
partitioner.ignore.keys=false
send.buffer.bytes=131072
receive.buffer.bytes=32768
client.dns.lookup=use_all_dns_ips
metadata.recovery.strategy=rebootstrap
metadata.recovery.rebootstrap.trigger.ms=300000
security.protocol=PLAINTEXT
interceptor.classes=
metric.reporters=
metrics.num.samples=2
metrics.sample.window.ms=30000
metrics.recording.level=INFO
enable.metrics.push=false
transaction.timeout.ms=60000
"""


class Case(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.TemporaryDirectory()
        self.addCleanup(self.home.cleanup)

    def path(self, *parts):
        return os.path.join(self.home.name, *parts)

    def file(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        return self.path(name)

    def run_kloop(self, *words, stdin=b"", **environment):
        """In a home of its own, with nothing of ours in the environment but what the test says."""
        env = {k: v for k, v in os.environ.items() if k not in ("KLOOP_CONFIG", "XDG_CONFIG_HOME")}
        env["HOME"] = self.home.name
        env.update(environment)
        return subprocess.run([KLOOP, *words], input=stdin, capture_output=True, timeout=SECONDS, env=env)

    def rows(self, *words, command="produce", **environment):
        """--print-config as {key: (value, from)}, and what was said on stderr."""
        done = self.run_kloop(command, "--print-config", *words, **environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        head, *lines = done.stdout.decode().splitlines()
        self.assertEqual(head.split(), ["KEY", "VALUE", "FROM"])
        return {line.split()[0]: tuple(line.split(None, 2)[1:]) for line in lines}, done.stderr.decode()

    def refused(self, *words, command="produce", **environment):
        done = self.run_kloop(command, *COMMANDS[command], *words, **environment)
        self.assertEqual((done.returncode, done.stdout), (2, b""), (words, done.stderr))
        return done.stderr.decode()


class WhoWins(Case):
    def test_flag_then_pair_then_file_then_environment_then_default(self):
        near = self.file("near.properties", "linger.ms=3\nbatch.size=3\nretries=3\n")
        far = self.file("far.properties", "linger.ms=4\nbatch.size=4\nretries=4\nclient.id=far\n")
        rows, said = self.rows("-F", near, "-X", "linger.ms=2", "-X", "compression.type=gzip", "-z", "zstd", "-X", "linger.ms=1",
                               KLOOP_CONFIG=far)
        self.assertEqual(rows["compression.type"], ("zstd", "-z"))
        self.assertEqual(rows["linger.ms"], ("1", "-X"))
        self.assertEqual(rows["batch.size"], ("3", f"{near}:2"))
        self.assertEqual(rows["retries"], ("3", f"{near}:3"))
        self.assertEqual(rows["client.id"], ("far", f"{far}:4"))
        self.assertEqual(rows["acks"], ("all", "default"))
        self.assertEqual(said, f"kloop produce: note: 4 settings from {far} (KLOOP_CONFIG= for none)\n")

    def test_short_and_long_names_of_the_flags(self):
        path = self.file("c.properties", "linger.ms=3\n")
        for command in COMMANDS:
            for words in (["-b", "a:1", "-F", path, "-X", "acks=1"], ["--bootstrap-server=a:1", "--command-config=" + path, "-Xacks=1"],
                          ["--bootstrap-server", "a:1", "--command-config", path, "--command-property", "acks=1"]):
                rows, _ = self.rows(*words, command=command)
                self.assertEqual([rows[key][0] for key in ("bootstrap.servers", "linger.ms", "acks")], ["a:1", "3", "1"])

    def test_every_command_prints_every_key(self):
        keys = None
        for command in COMMANDS:
            for word in (["--print-config"], ["-X", "dump"]):
                done = self.run_kloop(command, *word, "-X", "linger.ms=9")
                self.assertEqual((done.returncode, done.stderr), (0, b""), command)
                rows = {line.split()[0]: line.split()[1:] for line in done.stdout.decode().splitlines()[1:]}
                self.assertEqual(rows["linger.ms"], ["9", "-X"])
                keys = keys or list(rows)
                self.assertEqual(list(rows), keys)
        self.assertEqual(keys, sorted(keys))
        self.assertGreater(len(keys), 40)

    def test_a_preset_of_the_command(self):
        rows, _ = self.rows(command="perf")
        self.assertEqual(rows["client.id"], ("perf-producer-client", "kloop perf"))
        rows, _ = self.rows(command="perf", KLOOP_CONFIG=self.file("c", "client.id=mine\n"))
        self.assertEqual(rows["client.id"][0], "mine")

    def test_defaults_that_follow_and_keys_of_a_topic(self):
        rows, said = self.rows("-b", "a:1", "-X", "linger.ms=100000", "-X", "acks=1", "-X", "topic.events.linger.ms=7",
                               "-X", "topic.events.batch.size=8", "-X", "topic.request.timeout.ms=40000")
        self.assertEqual(rows["delivery.timeout.ms"], ("140000", "default, following other keys"))
        self.assertEqual(rows["enable.idempotence"], ("false", "default, following other keys"))
        self.assertEqual(rows["topic.events.linger.ms"], ("7", "-X"))
        self.assertEqual(rows["topic.events.batch.size"], ("8", "-X"))
        # kcat's way to set a key of all topics
        self.assertEqual(rows["request.timeout.ms"], ("40000", "-X"))
        self.assertIn("note: enable.idempotence is off, because acks or retries rule it out", said)

    def test_other_names_are_the_key(self):
        rows, _ = self.rows("-X", "metadata.broker.list=a:1", "-X", "queue.buffering.max.kbytes=65536", "-X", "partitioner=murmur2")
        self.assertEqual(rows["bootstrap.servers"], ("a:1", "-X"))
        self.assertEqual(rows["buffer.memory"], ("67108864", "-X"))
        self.assertEqual(rows["partitioner.class"], ("murmur2", "-X"))

    def test_a_clash_is_printed_and_refused(self):
        done = self.run_kloop("produce", "--print-config", "-X", "acks=1", "-X", "enable.idempotence=true")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"enable.idempotence                        true ", done.stdout)
        self.assertIn(b"enable.idempotence=true needs acks=all, and acks=1 is set", done.stderr)

    def test_a_full_disk_is_noticed(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        for words in (["--print-config"], ["-X", "list"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([KLOOP, "produce", *words], stdout=full, stderr=subprocess.PIPE, timeout=SECONDS,
                                      env={**os.environ, "KLOOP_CONFIG": ""})
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"No space left on device", done.stderr)


class Listing(Case):
    def test_every_key_is_told_of(self):
        rows, _ = self.rows()
        for command in COMMANDS:
            done = self.run_kloop(command, "-X", "list")
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            text = done.stdout.decode()
            heads = [line.split("=")[0] for line in text.splitlines() if line and not line.startswith(" ")]
            self.assertEqual(heads, list(rows))
            self.assertLessEqual(max(map(len, text.splitlines())), 80 + 40)
        self.assertIn("linger.ms=5\n    How long a batch that is not full waits", text)
        self.assertIn("    allowed: 0 to 9223372036854775807 ms\n    also called queue.buffering.max.ms\n"
                      "    for one topic: topic.NAME.linger.ms\n", text)


class JavasFile(Case):
    def test_it_loads_and_records_arrive(self):
        with Sink(KLOOP, "--topic", "t:3", "--check") as sink:
            path = self.file("client.properties", JAVA_FILE % sink.place)
            rows, said = self.rows("-F", path)
            self.assertEqual(rows["client.id"], ("my-client", f"{path}:4"))
            self.assertEqual(rows["linger.ms"], ("7", f"{path}:13"))
            self.assertEqual(rows["partitioner.class"][0], "round_robin")
            self.assertEqual(rows["enable.idempotence"][0], "true")
            done = self.run_kloop("produce", "-F", path, "-t", "t", stdin=b"a\nb\nc\n")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(done.stderr.decode().startswith(said))
            quiet = self.run_kloop("produce", "-q", "-F", path, "-t", "t", stdin=b"d\n")
            self.assertEqual((quiet.returncode, quiet.stderr), (0, b""))
        self.assertEqual(sink.stored["records"], 4)
        self.assertEqual(said.splitlines(), [
            "kloop produce: note: no effect here: key.serializer, value.serializer (keys and values are bytes here, sent as they are)",
            "kloop produce: note: no effect here: metrics.num.samples, metrics.sample.window.ms, metrics.recording.level "
            "(Java's own workings)",
            "kloop produce: note: no effect here: transaction.timeout.ms (it is for transactions, which only transactional.id "
            "would begin)"])

    def test_a_mark_in_front(self):
        """As editors of Windows write it. The first key was not found, and its own name was what was meant."""
        path = self.file("marked.properties", "\ufeffclient.id=me\r\nlinger.ms=7\r\n")
        rows, _ = self.rows("-F", path)
        self.assertEqual((rows["client.id"], rows["linger.ms"]), (("me", f"{path}:1"), ("7", f"{path}:2")))

    def test_a_file_that_is_long(self):
        """Each line was compared with all before it, and each of those looked up among the keys: a minute of it."""
        lines = ("linger.ms=5", "group.id=a", "topic.events.linger.ms=7")
        path = self.file("long.properties", "".join(f"{line}\n" for line in lines * 4000))
        rows, _ = self.rows("-F", path)
        self.assertEqual(rows["linger.ms"], ("5", f"{path}:11998"))
        path = self.file("longer.properties", "linger.ms=5\n" * 30000)
        self.assertIn(f"-F '{path}': it has more than 256 KiB and is no file of settings", self.refused("-F", path))
        self.assertIn("KLOOP_CONFIG '/dev/zero': it has more than 256 KiB", self.refused(KLOOP_CONFIG="/dev/zero"))

    def test_a_file_that_others_use_too(self):
        path = self.file("shared.properties", "bootstrap.servers=a:1\nour.own.setting=1\ngroup.id=g\nignore.unknown.config=true\n")
        rows, said = self.rows("-F", path)
        self.assertEqual(rows["ignore.unknown.config"], ("true", f"{path}:4"))
        self.assertIn("note: passed over: our.own.setting (there is no such key, and ignore.unknown.config=true)", said)
        self.assertIn("note: no effect here: group.id (a consumer's)", said)
        words = self.refused("-F", path, "-X", "ignore.unknown.config=false")
        self.assertIn(f"{path}:2: there is no key 'our.own.setting'", words)
        # What would change something is not passed over.
        words = self.refused("-X", "ignore.unknown.config=true", "-X", "transactional.id=t", "-b", "a:1")
        self.assertIn("transactional.id is not taken", words)

    def test_librdkafkas_words(self):
        rows, said = self.rows("-X", "metadata.broker.list=a:1", "-X", "request.timeout.ms=5000", "-X", "debug=all")
        self.assertEqual(rows["request.timeout.ms"], ("5000", "-X"))
        self.assertIn("note: request.timeout.ms has Java's meaning", said)
        self.assertIn("note: no effect here: debug (what is logged is for the program to choose)", said)


class Refusals(Case):
    def test_what_is_wrong_and_where(self):
        path = self.file("bad.properties", "acks=all\n\nlinger.ms=soon\n")
        for words, says in (
                (["-X", "lingerms=2"], "-X: there is no key 'lingerms'; did you mean 'linger.ms'?"),
                (["-X", "qqqqqqqqqqqqqqqq=2"], "-X: there is no key 'qqqqqqqqqqqqqqqq'\n"),
                (["-X", "linger.ms=-1"], "-X: linger.ms: '-1' is out of range; allowed: 0 to 9223372036854775807"),
                (["-X", "acks=2"], "-X: acks: '2' is not among what is allowed: all, -1, 0, 1"),
                (["-X", "queue.buffering.max.kbytes=-1"], "queue.buffering.max.kbytes (buffer.memory): '-1' is out of range; "
                                                          "allowed: 0 to 9007199254740991"),
                (["-F", path], f"{path}:3: linger.ms: 'soon' is no whole number; allowed: 0 to"),
                (["-X", "linger.ms"], "-X 'linger.ms': KEY=VALUE is wanted, or KEY@FILE, or list, or dump"),
                (["-X", "=1"], "KEY=VALUE is wanted"),
                (["-X", "transactional.id=t"], "transactional.id is not taken: kloop has no transactions yet; leave it out"),
                (["-X", "enable.metrics.push=true"], "enable.metrics.push is not taken: kloop does not push metrics"),
                (["-X", "key.serializer=org.apache.kafka.common.serialization.LongSerializer"], "serialise them first"),
                (["-X", "interceptor.classes=com.example.X"], "interceptor.classes is not taken: no Java runs here"),
                (["-X", "compression.level=3"], "compression.zstd.level"),
                (["-X", "topic.events.acks=1"], "topic.events.acks is for the whole producer"),
                (["-X", "topic.events.nothing=1"], "does not end with a key of a topic"),
                (["-F", self.path("nowhere")], "No such file or directory"),
                (["-F", self.home.name], "Is a directory"),
                (["-F", self.file("u", "a=\\u12")], "line 1: \\u must be followed by four hexadecimal digits")):
            for command in COMMANDS:
                self.assertIn(says, self.refused("-b", "127.0.0.1:1", *words, command=command))

    def test_without_brokers(self):
        for command in COMMANDS:
            self.assertIn("bootstrap.servers is missing; set it to HOST:PORT of a broker or two, such as localhost:9092; the flag for it is -b\n", self.refused(command=command))

    def test_every_pair_that_can_clash(self):
        """Both names, both values, and what is allowed."""
        for words, says in (
                (("enable.idempotence=true", "acks=1"), ("enable.idempotence=true", "acks=all", "acks=1")),
                (("enable.idempotence=true", "acks=0"), ("enable.idempotence=true", "acks=all", "acks=0")),
                (("enable.idempotence=true", "retries=0"), ("enable.idempotence=true", "retries=0", "1 to 2147483647")),
                (("enable.idempotence=true", "max.in.flight=6"),
                 ("enable.idempotence=true", "max.in.flight.requests.per.connection", "1 to 5", "6 is set")),
                (("max.in.flight=6",), ("enable.idempotence=true, which is the default", "1 to 5")),
                (("delivery.timeout.ms=30004",), ("delivery.timeout.ms=30004", "linger.ms=5", "request.timeout.ms=30000",
                                                  "30005 to 2147483647")),
                (("delivery.timeout.ms=1000", "linger.ms=500", "request.timeout.ms=501"),
                 ("delivery.timeout.ms=1000", "linger.ms=500", "request.timeout.ms=501", "1001 to 2147483647")),
                (("topic.e.linger.ms=90001",), ("topic 'e'", "delivery.timeout.ms=120000", "linger.ms=90001")),
                (("request.bytes.max=9", "max.request.size=10"), ("request.bytes.max=9", "max.request.size=10",
                                                                  "10 to 2147483647", "1 to 9")),
                (("receive.memory=2000", "receive.message.max.bytes=3000"),
                 ("receive.memory=2000", "receive.message.max.bytes=3000", "3000 to 9223372036854775807", "1024 to 2000")),
                (("buffer.memory=9", "max.request.size=10"), ("buffer.memory=9", "max.request.size=10", "from 10", "1 to 9")),
                (("topic.e.buffer.memory=9",), ("topic 'e'", "buffer.memory=9", "max.request.size=1048576")),
                (("topic.e.buffer.memory=67108865",), ("topic 'e'", "buffer.memory=67108865", "67108864")),
                (("compression.type=zstd", "api.version.max=Produce=6"), ("compression.type=zstd", "api.version.max", "6")),
                (("topic.e.compression.type=zstd", "api.version.max=Produce=6"), ("topic 'e'", "compression.type=zstd", "6")),
                (("client.dns.lookup=resolve_canonical_bootstrap_servers_only",), ("client.dns.lookup=resolve_canonical",)),
                (("linger.ms=5", "queue.buffering.max.ms=6"),
                 ("linger.ms=5 (-X)", "queue.buffering.max.ms=6 (-X)", "two names of one key", "0 to 9223372036854775807")),
                (("socket.timeout.ms=60000", "request.timeout.ms=30000"),
                 ("socket.timeout.ms=60000", "request.timeout.ms=30000", "two names of one key"))):
            flags = [word for pair in words for word in ("-X", pair)]
            text = self.refused("-b", "127.0.0.1:1", *flags)
            for part in says:
                self.assertIn(part, text)
            path = self.file("clash.properties", "".join(f"{pair}\n" for pair in words))
            self.assertIn(says[-1], self.refused("-b", "127.0.0.1:1", "-F", path))

    def test_no_secret_is_ever_told(self):
        secret = "hunter2-correct-horse"
        jaas = f'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="{secret}";'
        keys = [f"sasl.password={secret}", f"ssl.key.password={secret}", f"ssl.keystore.password={secret}", f"sasl.jaas.config={jaas}",
                f"ssl.truststore.password={secret}", f"ssl.keystore.key={secret}", f"ssl.key.pem={secret}", f"sasl.oauthbearer.config={secret}",
                f"topic.sasl.password={secret}"]
        slips = [f"sasl.pasword={secret}", f"sasl.oauthbearer.client.credentials.client.secret={secret}", f"topic.events.sasl.password={secret}",
                 f"sasl.oauthbearer.token.endpoint.url=https://u:{secret}@host/"]
        unknown = f"our.password={secret}"
        for pair in (*keys, *slips, unknown):
            path = self.file("secret.properties", f"acks=all\n{pair}\n")
            for words, environment in ((["-X", pair], {}), (["-F", path], {}), ([], {"KLOOP_CONFIG": path}), (["-X", "dump", "-X", pair], {}),
                                       (["-X", "ignore.unknown.config=true", "-X", pair], {}),
                                       (["-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=PLAIN", "-X", pair], {})):
                for command in COMMANDS:
                    done = self.run_kloop(command, "-b", "127.0.0.1:1", "--print-config", *words, **environment)
                    self.assertNotIn(secret.encode(), done.stdout + done.stderr)
                    taken = pair in keys or (pair == unknown and "ignore.unknown.config=true" in words)
                    self.assertEqual(done.returncode, 0 if taken else 2, (pair, words, done.stderr))
        for pair in (f"sasl.password:{secret}", f"sasl.password {secret}"):
            text = self.refused("-b", "127.0.0.1:1", "-X", pair)
            self.assertNotIn(secret, text)
            self.assertIn("-X 'sasl.password...': KEY=VALUE is wanted", text)
        text = self.refused("-b", "127.0.0.1:1", "-F", self.file("one_word.properties", f"sasl.password\\={secret}\n"))
        self.assertNotIn(secret, text)
        text = self.refused("-b", "127.0.0.1:1", "-X", f"ssl.key.pem={secret}1", "-X", f"ssl.keystore.key={secret}2")
        self.assertNotIn(secret, text)
        self.assertIn("ssl.key.pem=******** (-X) and ssl.keystore.key=******** (-X) are two names of one key", text)


PEM = """-----BEGIN CERTIFICATE-----
MIIBszCCAVmgAwIBAgIUcDGG
0A7n9w==
-----END CERTIFICATE-----
"""


class Security(Case):
    def test_masks(self):
        path = self.file("c.properties", "sasl.mechanism=PLAIN\nsecurity.protocol=SASL_SSL\nsasl.username=ada\nsasl.password=lovelace\n")
        rows, said = self.rows("-b", "a:1", "-F", path)
        self.assertEqual(rows["sasl.password"], ("********", f"{path}:4"))
        self.assertEqual(rows["sasl.username"], ("ada", f"{path}:3"))
        self.assertEqual(rows["sasl.mechanism"], ("PLAIN", f"{path}:1"))
        self.assertEqual(rows["ssl.key.password"], ("-", "default"))
        self.assertEqual(said, "")

    def test_what_is_typed_can_be_read_by_others(self):
        pairs = ["-X", "security.protocol=sasl_ssl", "-X", "sasl.mechanisms=PLAIN", "-X", "sasl.username=ada"]
        says = ("note: sasl.password is a word of the command line, which others on this machine can read; -X sasl.password@FILE takes it "
                "from a file, and so does -F FILE\n")
        rows, said = self.rows("-b", "a:1", *pairs, "-X", "sasl.password=lovelace")
        self.assertEqual((rows["sasl.password"], rows["security.protocol"]), (("********", "-X"), ("SASL_SSL", "-X")))
        self.assertEqual(said, "kloop produce: " + says)
        # Once, however many there are.
        _, said = self.rows("-b", "a:1", *pairs, "-X", "sasl.password=lovelace", "-X", "ssl.key.password=x")
        self.assertEqual(said.count("which others on this machine can read"), 1)
        path = self.file("password", "lovelace\n")
        rows, said = self.rows("-b", "a:1", *pairs, "-X", f"sasl.password@{path}")
        self.assertEqual((rows["sasl.password"], said), (("********", path), ""))
        rows, said = self.rows("-q", "-b", "a:1", *pairs, "-X", "sasl.password=lovelace")
        self.assertEqual(said, "")
        _, said = self.rows("-b", "a:1", *pairs, "-X", "topic.sasl.password=lovelace")
        self.assertIn("topic.sasl.password is a word of the command line", said)

    def test_a_login_without_quotes(self):
        """A shell has made several words of it: what is said is about that, and not about a file 'required'."""
        words = ("-b", "a:1", "-X", "security.protocol=sasl_ssl", "-X", "sasl.mechanism=SCRAM-SHA-512",
                 "-X", "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule", "required", "username=ada",
                 "password=lovelace")
        for command in ("produce", "meta", "doctor"):
            said = self.refused(*words, command=command)
            self.assertIn("so all of it stands in quotes: -X 'sasl.jaas.config=... required ", said)
            self.assertNotIn("lovelace", said)

    def test_values_from_files(self):
        path = self.file("words", "  5\n\n")
        rows, _ = self.rows("-X", f"linger.ms@{path}", "-X", "client.id=a@b")
        self.assertEqual((rows["linger.ms"], rows["client.id"]), (("5", path), ("a@b", "-X")))
        path = self.file("ca@2=x.pem", PEM)
        rows, _ = self.rows("-X", f"ssl.ca.pem@{path}", "-X", "security.protocol=SSL")
        self.assertTrue(rows["ssl.truststore.certificates"][0].startswith("-----BEGIN"))
        self.assertIn(f"-X '{self.path('nowhere')}': No such file or directory", self.refused("-X", f"linger.ms@{self.path('nowhere')}"))
        self.assertIn(": Is a directory", self.refused("-X", f"linger.ms@{self.home.name}"))
        self.assertIn("it has more than 256 KiB", self.refused("-X", "linger.ms@/dev/zero"))
        self.assertIn(": a zero byte", self.refused("-X", "linger.ms@" + self.file("zero", "1\x002")))
        bad = self.file("bad", "soon")
        self.assertIn(f"{bad}: linger.ms: 'soon' is no whole number", self.refused("-b", "a:1", "-X", f"linger.ms@{bad}"))

    def test_certificates_as_text_are_shown_in_short(self):
        lines = "\\n\\\n".join(PEM.strip().split("\n"))
        for text in (f"ssl.truststore.certificates={lines}\n", "ssl.ca.pem=" + PEM.strip().replace("\n", "\\n") + "\n"):
            done = self.run_kloop("produce", "-q", "--print-config", "-F", self.file("pem.properties", text))
            self.assertEqual(done.returncode, 0, done.stderr)
            row, = [line for line in done.stdout.decode().splitlines() if line.startswith("ssl.truststore.certificates")]
            self.assertIn("-----BEGIN CERTIFICATE-----?MIIBszCCAVmgAwIBAgIUcDGG?0A7n9w", row)

    def test_what_has_no_effect_and_what_clashes(self):
        _, said = self.rows("-b", "a:1", "-X", "sasl.username=ada", "-X", "ssl.ca.location=/ca.pem")
        self.assertEqual(said, "kloop produce: note: no effect here: sasl.username, ssl.ca.location (security.protocol=PLAINTEXT)\n")
        for words, says in (
                (["security.protocol=SASL_SSL"], "security.protocol=SASL_SSL needs a sasl.mechanism: PLAIN, SCRAM-SHA-256"),
                (["security.protocol=TLS"], "'TLS' is not among what is allowed: PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"),
                (["sasl.mechanism=GSSAPI"], "OAUTHBEARER; no GSSAPI (Kerberos)"),
                (["ssl.truststore.type=JKS"], "keytool -importkeystore -srckeystore OLD -destkeystore NEW -deststoretype PKCS12"),
                (["security.protocol=SSL", "ssl.ca.location=/a", "ssl.truststore.certificates=x"],
                 "ssl.ca.location and ssl.truststore.certificates are both set; leave one out"),
                (["enable.ssl.certificate.verification=false"], "certificates are always verified; to trust a single one"),
                (["sasl.oauthbearer.token.endpoint.url=https://host/"], "kloop fetches no tokens")):
            flags = [word for pair in words for word in ("-X", pair)]
            self.assertIn(says, self.refused("-b", "127.0.0.1:1", *flags))


class Environment(Case):
    def test_a_file_at_home(self):
        path = self.file(".config/kloop.conf", "bootstrap.servers=home:1\n")
        rows, said = self.rows()
        self.assertEqual(rows["bootstrap.servers"], ("home:1", f"{path}:1"))
        self.assertEqual(said, f"kloop produce: note: 1 setting from {path} (KLOOP_CONFIG= for none)\n")
        rows, said = self.rows("--quiet")
        self.assertEqual(rows["bootstrap.servers"], ("home:1", f"{path}:1"))
        self.assertEqual(said, "")
        rows, said = self.rows(KLOOP_CONFIG="")
        self.assertEqual((rows["bootstrap.servers"], said), (("-", "default"), ""))
        other = self.file("other", "bootstrap.servers=named:1")
        self.assertEqual(self.rows(KLOOP_CONFIG=other)[0]["bootstrap.servers"], ("named:1", f"{other}:1"))

    def test_where_home_is_somewhere_else(self):
        self.file(".config/kloop.conf", "client.id=home\n")
        path = self.file("xdg/kloop.conf", "client.id=xdg\n")
        self.assertEqual(self.rows(XDG_CONFIG_HOME=self.path("xdg"))[0]["client.id"], ("xdg", f"{path}:1"))
        self.assertEqual(self.rows(XDG_CONFIG_HOME="")[0]["client.id"][0], "home")
        self.assertEqual(self.rows(XDG_CONFIG_HOME=self.path("none"))[0]["client.id"], ("kloop", "default"))
        self.assertEqual(self.rows(HOME="")[0]["client.id"], ("kloop", "default"))

    def test_with_it_no_flag_is_needed(self):
        with Sink(KLOOP, "--topic", "t:1") as sink:
            path = self.file("c", f"bootstrap.servers={sink.place}\n")
            done = self.run_kloop("produce", "-t", "t", stdin=b"a\n", KLOOP_CONFIG=path)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sink.stored["records"], 1)

    def test_what_is_wrong_with_it(self):
        self.assertIn("KLOOP_CONFIG '/nowhere/at/all': No such file or directory", self.refused(KLOOP_CONFIG="/nowhere/at/all"))
        path = self.file(".config/kloop.conf", "acks=all\nlinger=5\n")
        self.assertIn(f"{path}:2: there is no key 'linger'; did you mean 'linger.ms'?", self.refused("-b", "a:1"))
        self.file("xdg/kloop.conf/is/a/folder", "")
        self.assertIn("Is a directory", self.refused(XDG_CONFIG_HOME=self.path("xdg")))


if __name__ == "__main__":
    KLOOP = sys.argv.pop(1)
    unittest.main()
