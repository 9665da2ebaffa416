#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The command `kloop doctor` on its way to brokers behind TLS and a login; and that `kloop meta`, produce and perf go the same
way, and end where it ends.

    test_doctor_secure_cli.py KLOOP [unittest's arguments]
"""
import os
import re
import ssl
import subprocess
import sys
import tempfile

import certificate_files
from doctor_case import USERS, WRONG, Base, Tested, closed_port, main, run, silence, speak, x
from scripted_broker import OFFERED, SECONDS, partition, topic
from secure_broker import SASL_OFFERED, Refused, bearer, plain, scram, server_context
from sink_process import Sink

CERTIFICATES = None
NO_TLS = None


def no_tls():
    """Why nobody can be played in TLS here, or None."""
    holder, port = closed_port()
    with holder:
        done = run("-b", f"127.0.0.1:{port}", *x(security_protocol="SSL"))
    if b"built without TLS" in done.stderr:
        return "this kloop was built without TLS"
    return certificate_files.missing()


def setUpModule():
    global CERTIFICATES, NO_TLS
    NO_TLS = no_tls()
    if NO_TLS:
        return
    CERTIFICATES = certificate_files.Certificates()
    CERTIFICATES.__enter__()
    CERTIFICATES.make("broker")
    CERTIFICATES.make("old", days=(-40, -10))
    CERTIFICATES.make("early", days=(20, 300))
    CERTIFICATES.make("soon", days=(-300, 9.5))
    CERTIFICATES.make("other", names="DNS:elsewhere.example")
    CERTIFICATES.make("itself", by="itself")
    CERTIFICATES.make("between", authority=True)
    CERTIFICATES.make("below", by="between")
    CERTIFICATES.make("alice")


def tearDownModule():
    if CERTIFICATES:
        CERTIFICATES.__exit__()


class InTls(Base):
    def setUp(self):
        if NO_TLS:
            self.skipTest(NO_TLS)

    def flags(self, **more):
        return x(security_protocol="SSL", ssl_truststore_location=CERTIFICATES.file("ca.crt"), **more)

    def behind(self, name, **how):
        return self.secure(tls=server_context(CERTIFICATES.file(f"{name}.pem")), **how)

    def test_all_is_well(self):
        broker = self.behind("broker", topics=[topic("t", partition(0, 1, [1], [1]))])
        seen = self.seen("-b", broker.place, "-t", "t", *self.flags())
        self.assertEqual([s["step"] for s in seen["steps"] if s["target"] == "bootstrap"],
                         ["name", "tcp", "tls", "versions", "metadata"])
        facts, = (s["facts"] for s in seen["steps"] if s["step"] == "tls")
        self.assertEqual((facts["version"], facts["subject"], facts["issuer"], facts["chain"], facts["resumed"], facts["verdict"]),
                         ("TLSv1.3", "CN=broker", "CN=ca", ["CN=broker"], False, "ok"))
        self.assertIn("IP:127.0.0.1", facts["names"])
        self.assertIn(facts["days_left"], (299, 300))
        text = self.text("-b", broker.place, *self.flags())
        self.assertRegex(text, r"(?m)^  ok       tls .* TLSv1\.3, TLS_")
        self.assertRegex(text, r"(?m)^ +CN=broker, for .*IP:127\.0\.0\.1")
        self.assertRegex(text, r"(?m)^ +issued by CN=ca, valid from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d, (299|300) days left$")

    def test_tls_1_2(self):
        broker = self.secure(tls=server_context(CERTIFICATES.file("broker.pem"), newest=ssl.TLSVersion.TLSv1_2))
        step = self.step("tls", "-b", broker.place, *self.flags(), code=0, outcome="ok")
        self.assertEqual(step["facts"]["version"], "TLSv1.2")

    def test_certificates(self):
        for name, outcome, words in (
                ("soon", "warning", "expires in 9 days"),
                ("below", "ok", None),
                ("old", "failed", "has expired"),
                ("early", "failed", "not valid yet"),
                ("other", "failed", "elsewhere.example"),
                ("itself", "failed", "signed by itself")):
            broker = self.behind(name)
            step = self.step("tls", "-b", broker.place, *self.flags(), outcome=outcome, code=3 if outcome == "failed" else 0)
            self.assertIn(words or "", step["advice"] or step["says"])
            self.assertEqual(step["facts"]["subject"], f"CN={name}")
            if outcome == "failed":
                self.assertEqual(broker.asked, [])
            if name == "below":
                self.assertEqual(step["facts"]["chain"], ["CN=below", "CN=between"])

    def test_a_ca_that_is_not_known(self):
        broker = self.behind("broker")
        step = self.step("tls", "-b", broker.place,
                         *x(security_protocol="SSL", ssl_truststore_location=CERTIFICATES.file("itself.crt")))
        self.assertIn("not trusted", step["says"])

    def test_files_that_are_not_there(self):
        for command in ("doctor", "meta"):
            done = run("-b", "x:1", *x(security_protocol="SSL", ssl_truststore_location="/does/not/exist"), command=command)
            self.assertEqual((done.returncode, done.stdout), (2, b""))
            self.assertIn(b"/does/not/exist", done.stderr)

    def test_a_name_that_nobody_looks_at(self):
        broker = self.behind("other")
        self.text("-b", broker.place, *self.flags(ssl_endpoint_identification_algorithm="none"))

    def test_a_certificate_of_ours(self):
        broker = self.secure(tls=server_context(CERTIFICATES.file("broker.pem"), asks_for=CERTIFICATES.file("ca.crt")))
        step = self.step("tls", "-b", broker.place, *self.flags())
        self.assertIn("ssl.keystore", step["says"])
        step = self.step("tls", "-b", broker.place, *self.flags(ssl_keystore_location=CERTIFICATES.file("alice.pem")), code=0,
                         outcome="ok")
        self.assertIs(step["facts"]["certificate_sent"], True)

    def test_plain_text_to_a_port_of_tls(self):
        broker = self.behind("broker")
        step = self.step("versions", "-b", broker.place)
        self.assertIn("set security.protocol=SSL", step["advice"])
        self.assertIn("not trusted", step["advice"])
        step = self.step("versions", "-b", broker.place, *x(ssl_truststore_location=CERTIFICATES.file("ca.crt")))
        self.assertEqual(step["advice"], "asked so, it answers in TLS: set security.protocol=SSL")

    def test_tls_to_a_port_of_plain_text(self):
        broker = self.broker()
        step = self.step("tls", "-b", broker.place, *self.flags())
        self.assertEqual(step["facts"]["port_speaks"], "PLAINTEXT")
        self.assertIn("set security.protocol=PLAINTEXT", step["advice"])
        # And nothing else was said there.
        self.assertEqual({api for api, _ in broker.asked}, {"ApiVersions"})

    def test_handshakes_that_do_not_end(self):
        for greet in (silence, lambda connection: (connection.recv(1), connection.sendall(b"\x16\x03"), silence(connection))):
            broker = self.broker(greet=greet)
            step = self.step("tls", "-b", broker.place, "--timeout", "0.2", *self.flags())
            self.assertIn("TLS was not agreed upon within 0.2 s", step["says"])
            self.assertIn("security.protocol=PLAINTEXT", step["advice"])

    def test_handshakes_that_are_none(self):
        for greet in (lambda connection: (connection.recv(1 << 16), connection.close()), speak(b"\x16\x03\x03\xff\xff" + b"x" * 70000), speak(b"\0" * 4096),
                      speak(b"HTTP/1.1 400 Bad Request\r\n\r\n"), speak(b"\x15\x03\x03\x00\x02\x02\x28")):
            broker = self.broker(greet=greet)
            step = self.step("tls", "-b", broker.place, *self.flags())
            self.assertTrue(step["says"])

    def test_produce_ends_with_3(self):
        """Also where nobody can be trusted, and long before the records' two minutes are over."""
        broker = self.behind("itself")
        done = run("-b", broker.place, "-t", "t", *self.flags(), command="produce", input=b"one\n")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(b"is not trusted", done.stderr)
        self.assertIn(b"kloop doctor", done.stderr)
        self.assertEqual(broker.asked, [])

        # Another address of the name, at which nobody is, does not make it better.
        done = run("-b", f"localhost:{broker.port}", "-t", "t", *self.flags(), command="produce", input=b"one\n")
        self.assertEqual(done.returncode, 3, done.stderr)
        # And in plain text, to which a port of TLS answers with an alert.
        broker = self.broker(greet=speak(b"\x15\x03\x03\x00\x02\x02\x50"))
        done = run("-b", broker.place, "-t", "t", command="produce", input=b"one\n")
        self.assertEqual(done.returncode, 3, done.stderr)

    def test_a_certificate_of_ours_that_soon_expires(self):
        broker = self.behind("broker")
        for command in ("doctor", "meta"):
            flags = ("-b", broker.place, *self.flags(ssl_keystore_location=CERTIFICATES.file("soon.pem")))
            self.assertIn(f"kloop {command}: note: ".encode(), run(*flags, command=command).stderr)
            self.assertNotIn(b"note:", run("-q", *flags, command=command).stderr)

    def test_meta_goes_the_same_way(self):
        broker = self.behind("broker", topics=[topic("t", partition(0, 1, [1], [1]))])
        done = run("-b", broker.place, "--api", *self.flags(), command="meta")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b' topic "t" with 1 partitions:', done.stdout)
        done = run("-b", broker.place, *x(security_protocol="SSL"), command="meta")
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"is not trusted", done.stderr)


class WithALogin(Base):
    def flags(self, mechanism, password=USERS["alice"], protocol="SASL_PLAINTEXT", **more):
        return x(security_protocol=protocol, sasl_mechanism=mechanism, sasl_username="alice", sasl_password=password, **more)

    @staticmethod
    def logins(**bend):
        return {"PLAIN": lambda: plain(USERS), **{name: lambda name=name: scram(USERS, name, **bend)
                                                  for name in ("SCRAM-SHA-256", "SCRAM-SHA-512")}}

    def test_all_is_well(self):
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
            broker = self.secure(logins=self.logins(), lifetime_ms=30000)
            step = self.step("sasl", "-b", broker.place, *self.flags(mechanism), code=0, outcome="ok")
            self.assertEqual(step["facts"]["mechanism"], mechanism)
            self.assertEqual(step["facts"]["offered"], ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
            self.assertEqual(step["facts"]["session_lifetime_ms"], 30000)
            self.assertIn("to be renewed within 30 s", step["says"])
            self.assertEqual(broker.early, [])
        for lifetime_ms, words in ((1500, "1.5 s"), (3599990, "3599 s"), (86400000, "24 h")):
            broker = self.secure(logins=self.logins(), lifetime_ms=lifetime_ms)
            step = self.step("sasl", "-b", broker.place, *self.flags("SCRAM-SHA-256"), code=0, outcome="ok")
            self.assertTrue(step["says"].endswith(f", to be renewed within {words}"), step["says"])

    def test_a_sink_that_knows_alice(self):
        sink = self.enterContext(Sink(Tested.kloop, "--topic", "t", "--user", f"alice:{USERS['alice']}"))
        step = self.step("sasl", "-b", sink.place, "-t", "t", *self.flags("SCRAM-SHA-512"), code=0, outcome="ok")
        self.assertIn("SCRAM-SHA-512", step["facts"]["offered"])
        self.step("sasl", "-b", sink.place, *self.flags("SCRAM-SHA-512", WRONG))
        step = self.step("metadata", "-b", sink.place)
        self.assertEqual(step["facts"]["port_speaks"], "SASL_PLAINTEXT")

    def test_plain_is_for_tls(self):
        broker = self.secure(logins=self.logins())
        step = self.step("sasl", "-b", broker.place, *self.flags("PLAIN"), code=0, outcome="warning")
        self.assertIn("security.protocol=SASL_SSL", step["advice"])

    def test_both(self):
        if NO_TLS:
            self.skipTest(NO_TLS)
        broker = self.secure(tls=server_context(CERTIFICATES.file("broker.pem")), logins=self.logins())
        flags = self.flags("PLAIN", protocol="SASL_SSL", ssl_truststore_location=CERTIFICATES.file("ca.crt"))
        self.assertEqual(self.steps("-b", broker.place, *flags),
                         [(step, "ok") for step in ("name", "tcp", "tls", "versions", "sasl", "metadata")])
        done = run("-b", broker.place, "--api", *flags, command="meta")
        self.assertEqual(done.returncode, 0, done.stderr)
        # A login is no reason to be less careful about whom one talks to.
        broker = self.secure(tls=server_context(CERTIFICATES.file("itself.pem")), logins=self.logins())
        self.step("tls", "-b", broker.place, *flags)
        self.assertEqual((broker.asked, broker.early), ([], []))

    def test_a_wrong_password(self):
        for mechanism in self.logins():
            broker = self.secure(logins=self.logins())
            step = self.step("sasl", "-b", broker.place, *self.flags(mechanism, WRONG))
            self.assertIn("SASL_AUTHENTICATION_FAILED", step["says"])
            self.assertIn(f"it refuses the login of {mechanism}: ", step["says"])
            self.assertIn("sasl.jaas.config, or sasl.username and sasl.password", step["says"])
            # Brokers count what they refuse.
            self.assertEqual([api for api, _ in broker.asked].count("SaslAuthenticate"), 1 if mechanism == "PLAIN" else 2)
            self.assertEqual(broker.early, [])

    def test_a_mechanism_that_is_not_offered(self):
        broker = self.secure(logins={"SCRAM-SHA-512": self.logins()["SCRAM-SHA-512"]})
        step = self.step("sasl", "-b", broker.place, *self.flags("PLAIN"))
        self.assertIn("it offers: SCRAM-SHA-512", step["says"])
        self.assertNotIn("SaslAuthenticate", [api for api, _ in broker.asked])

    def test_a_listener_without_a_login(self):
        for offered in (OFFERED, SASL_OFFERED):
            broker = self.broker(offered=offered)
            step = self.step("sasl", "-b", broker.place, *self.flags("PLAIN"))
            self.assertIn("set security.protocol=PLAINTEXT", step["advice"])

    def test_nobody_logs_in_who_has_to(self):
        broker = self.secure(logins=self.logins())
        step = self.step("metadata", "-b", broker.place)
        self.assertEqual(step["facts"], {"port_speaks": "SASL_PLAINTEXT", "port_offers": "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"})
        self.assertIn("set security.protocol=SASL_PLAINTEXT", step["advice"])

    def test_who_hangs(self):
        for api in ("SaslHandshake", "SaslAuthenticate", "Metadata", "ApiVersions"):
            broker = self.secure(logins=self.logins(), hang=api)
            name = {"Metadata": "metadata", "ApiVersions": "versions"}.get(api, "sasl")
            step = self.step(name, "-b", broker.place, "--timeout", "0.5", *self.flags("SCRAM-SHA-256"))
            self.assertEqual(step["says"], f"no answer to {api} within 0.5 s")

    def test_who_asks_for_a_lot(self):
        """It is this side that is not ready in time."""
        broker = self.secure(logins=self.logins(bend=lambda which, text: re.sub("i=[0-9]*", "i=2000000000", text)))
        flags = self.flags("SCRAM-SHA-256", sasl_scram_iterations_max="2147483647")
        step = self.step("sasl", "-b", broker.place, "--timeout", "1", *flags)
        self.assertIn("what SCRAM-SHA-256 has to compute was not done within 1 s", step["says"])

    def test_servers_that_cannot_be_trusted(self):
        for name, change in (("first", lambda s: s.replace("r=", "r=x", 1)), ("first", lambda s: re.sub("r=[^,]*", "r=", s)),
                             ("first", lambda s: re.sub("i=.*", "i=2147483648", s)), ("first", lambda s: re.sub("i=.*", "i=1", s)),
                             ("first", lambda s: re.sub("i=.*", "i=2147483647", s)), ("first", lambda s: ""),
                             ("first", lambda s: "x" * 60000), ("final", lambda s: "v=" + "A" * 43 + "="),
                             ("final", lambda s: ""), ("final", lambda s: "e=other-error")):
            broker = self.secure(logins=self.logins(
                bend=lambda which, text, name=name, change=change: change(text) if which == name else text))
            step = self.step("sasl", "-b", broker.place, *self.flags("SCRAM-SHA-256"))
            self.assertTrue(step["says"], change)
            self.assertNotIn("Metadata", [api for api, _ in broker.asked])

    def test_words_that_would_move_the_cursor(self):
        def angry():
            yield None
            raise Refused("no\x1b[2J\n" + "\u00e9" * 5000)
        broker = self.secure(logins={"PLAIN": angry})
        for done in (run("-b", broker.place, *self.flags("PLAIN")), run("--json", "-b", broker.place, *self.flags("PLAIN"))):
            self.assertEqual(done.returncode, 3)
            self.assertNotIn(b"\x1b", done.stdout)
            done.stdout.decode()

    def test_a_token_from_a_file(self):
        broker = self.secure(logins={"OAUTHBEARER": lambda: bearer({"a.good.token"})})
        with tempfile.NamedTemporaryFile("w") as file:
            flags = x(security_protocol="SASL_PLAINTEXT", sasl_mechanism="OAUTHBEARER",
                      sasl_oauthbearer_token_endpoint_url=f"file://{file.name}")
            self.assertIn("it is empty", self.step("sasl", "-b", broker.place, *flags)["says"])
            file.write("  a.good.token\n")
            file.flush()
            step = self.step("sasl", "-b", broker.place, *flags, code=0, outcome="warning")
            self.assertEqual(step["facts"]["mechanism"], "OAUTHBEARER")
            file.write("x")
            file.flush()
            self.step("sasl", "-b", broker.place, *flags)
        self.assertIn("No such file", self.step("sasl", "-b", broker.place, *flags)["says"])

    def test_a_running_producer_has_its_password_once(self):
        """All that was on the way to it is wiped when it is open: the flags and the configuration were kept to the end."""
        sink = self.enterContext(Sink(Tested.kloop, "--topic", "t:1", "--user", f"alice:{USERS['alice']}"))
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(f"security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\nsasl.username=alice\n"
                       f"sasl.password={USERS['alice']}\n")
            file.flush()
            for words in (("produce", "-t", "t", "--events"),
                          ("perf", "--topic", "t", "--num-records", "1000000", "--record-size", "10", "--throughput", "100",
                           "--reporting-interval", "100")):
                self.assertEqual(self.copies_in(*words, "-b", sink.place, "-F", file.name), 1, words)

    def copies_in(self, *words):
        """How many there are when it has delivered something and goes on."""
        with subprocess.Popen([Tested.kloop, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**os.environ, "KLOOP_CONFIG": ""}) as process:
            try:
                process.stdin.write(b"a line\n")
                process.stdin.flush()
                while not re.search(rb"send_success|records sent", process.stdout.readline()):
                    self.assertIsNone(process.poll(), process.stderr.read() if process.poll() is not None else b"")
                return self.copies(process.pid, USERS["alice"].encode())
            finally:
                process.kill()
                process.communicate()

    def copies(self, pid, secret):
        found = 0
        try:
            with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
                for line in maps:
                    place, rights, *_ = line.split()
                    begin, end = (int(number, 16) for number in place.split("-"))
                    # What is so large belongs to a sanitizer.
                    if rights.startswith("rw") and end - begin <= 1 << 28:
                        memory.seek(begin)
                        found += memory.read(end - begin).count(secret)
        except PermissionError:
            self.skipTest("memory of other processes must not be read here")
        return found

    def test_produce_and_perf_end_with_3(self):
        """Within a second or two, and not when the records' two minutes are over."""
        broker = self.secure(logins=self.logins())
        flags = self.flags("SCRAM-SHA-256", WRONG)
        done = run("-b", broker.place, "-t", "t", *flags, command="produce", input=b"one\ntwo\n")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(b"SASL_AUTHENTICATION_FAILED", done.stderr)
        self.assertIn(b"kloop doctor", done.stderr)
        done = run("--bootstrap-server", broker.place, "--topic", "t", "--num-records", "1000", "--record-size", "10", *flags,
                   command="perf")
        self.assertEqual(done.returncode, 3, done.stderr)

    def test_whoever_is_let_in_by_nobody_ends_with_3(self):
        """Without a login brokers can be reached, and tell what they speak; it was 1."""
        broker = self.secure(logins=self.logins())
        limits = x(delivery_timeout_ms="300", request_timeout_ms="200", linger_ms="0")
        done = run("-b", broker.place, "-t", "t", *limits, command="produce", input=b"one\n")
        self.assertEqual(done.returncode, 3, done.stderr)
        done = run("--bootstrap-server", broker.place, "--topic", "t", "--num-records", "10", "--record-size", "10", *limits,
                   command="perf")
        self.assertEqual(done.returncode, 3, done.stderr)

    def test_produce_ends_though_there_is_more_to_read(self):
        broker = self.secure(logins=self.logins())
        with subprocess.Popen([Tested.kloop, "produce", "-b", broker.place, "-t", "t", *self.flags("PLAIN", WRONG)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**os.environ, "KLOOP_CONFIG": ""}) as process:
            process.stdin.write(b"one\n")
            process.stdin.flush()
            self.assertEqual(process.wait(timeout=SECONDS), 3)


if __name__ == "__main__":
    main(sys.argv, __doc__)
