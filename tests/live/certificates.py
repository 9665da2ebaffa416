# SPDX-License-Identifier: BSD-2-Clause
"""Keys and certificates as people have them, good ones and bad ones, made by the openssl command in a folder of the run."""

import datetime
import glob
import os
import subprocess

from libraries import Missing, need

KEY_PASSWORD = "key-Pa55-of-live"
STORE_PASSWORD = "store-Pa55-of-live"
_HOSTS = "DNS:localhost,IP:127.0.0.1"

_CONFIG = """\
[ca]
default_ca = one
[one]
database = {folder}/index.txt
new_certs_dir = {folder}
policy = any
default_md = sha256
unique_subject = no
serial = {folder}/serial
[any]
commonName = supplied
organizationName = optional
"""


class Certificates:
    """Files by attribute. Who signs what:

        ca -> broker, rsa_broker, expired, not_yet, wrong_name, client, short-lived clients
        ca -> middle -> chained (its file has the chain)
        other_ca -> other_broker, stranger (a client)
        self_signed: a broker that signs for itself

    NAME.pem is a key and its certificate in one file, as Kafka's PEM keystore wants it; NAME.key and NAME.crt are its parts.
    """

    def __init__(self, folder):
        need("openssl")
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        for file in glob.glob(os.path.join(folder, "*.*")):
            os.remove(file)
        self._write("index.txt", "")
        self._write("ca.cnf", _CONFIG.format(folder=folder))
        self._authority("ca", "Live CA")
        self._authority("other_ca", "Other Live CA")
        self._authority("middle", "Live CA, middle", by="ca")
        for name, words in {
                "broker": {}, "rsa_broker": {"rsa": True}, "expired": {"start": -40, "end": -10},
                "not_yet": {"start": 20, "end": 50},
                "wrong_name": {"names": "DNS:elsewhere.example,IP:192.0.2.7"}, "chained": {"by": "middle"},
                "other_broker": {"by": "other_ca"}, "self_signed": {"by": "self_signed"}}.items():
            self.leaf(name, "localhost", **{"names": _HOSTS, **words})
        self.leaf("client", "alice")
        self.leaf("stranger", "alice", by="other_ca")
        self._forms()

    def path(self, name):
        return os.path.join(self.folder, name)

    def text(self, name):
        with open(self.path(name), encoding="ascii") as file:
            return file.read()

    def _write(self, name, text):
        path = self.path(name)
        # Whoever reads the file at this moment is to see the old one or the new one, whole.
        with open(path + "~", "w", encoding="ascii") as file:
            file.write(text)
        os.replace(path + "~", path)

    def join(self, name, *parts):
        """Files one after the other, in one."""
        self._write(name, "".join(self.text(part) for part in parts))
        return self.path(name)

    def _run(self, *words):
        done = subprocess.run(["openssl", *words], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode:
            raise Missing(f"openssl {' '.join(words)}: {done.stderr.decode(errors='replace')[-1500:]}")
        return done.stdout

    def _key(self, name, rsa=False):
        form = ("RSA", "-pkeyopt", "rsa_keygen_bits:2048") if rsa else ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        # Already PKCS#8.
        self._run("genpkey", "-algorithm", *form, "-out", f"{name}.key")

    def _sign(self, name, subject, by, start, end, extensions):
        """start, end: counted from now. by: whose key signs; its own, if it is its own name."""
        self._write(f"{name}.ext", "".join(f"{line}\n" for line in extensions))
        self._run("req", "-new", "-key", f"{name}.key", "-subj", subject, "-out", f"{name}.csr")
        now = datetime.datetime.now(datetime.timezone.utc)
        dates = [(now + moment).strftime("%Y%m%d%H%M%SZ") for moment in (start, end)]
        signer = ["-selfsign", "-keyfile", f"{name}.key"] if by == name else ["-keyfile", f"{by}.key", "-cert", f"{by}.crt"]
        self._run("ca", "-batch", "-notext", "-create_serial", "-config", "ca.cnf", *signer, "-in", f"{name}.csr", "-out",
                  f"{name}.crt", "-startdate", dates[0], "-enddate", dates[1], "-extfile", f"{name}.ext")

    def _authority(self, name, words, by=None):
        self._key(name)
        self._sign(name, f"/O=kloop/CN={words}", by or name, datetime.timedelta(days=-1), datetime.timedelta(days=30),
                   ["basicConstraints=critical,CA:true", "keyUsage=critical,keyCertSign,cRLSign", "subjectKeyIdentifier=hash"])

    def leaf(self, name, common_name, names="", by="ca", start=-1, end=30, seconds=None, rsa=False):
        """A certificate of somebody. start, end: days from now; seconds: it ends so soon instead."""
        self._key(name, rsa)
        until = datetime.timedelta(days=end) if seconds is None else datetime.timedelta(seconds=seconds)
        self._sign(name, f"/O=kloop/CN={common_name}", by, datetime.timedelta(days=start), until,
                   ["basicConstraints=CA:false", "extendedKeyUsage=serverAuth,clientAuth",
                    *([f"subjectAltName={names}"] if names else [])])
        chain = (f"{name}.crt", "middle.crt") if by == "middle" else (f"{name}.crt",)
        return self.join(f"{name}.pem", f"{name}.key", *chain)

    def _forms(self):
        """The client's key and the CA in all the forms in which people have them."""
        self._run("pkcs8", "-topk8", "-in", "client.key", "-v2", "aes-256-cbc", "-passout", f"pass:{KEY_PASSWORD}", "-out",
                  "client.locked.key")
        self.join("client.locked.pem", "client.locked.key", "client.crt")
        self._run("pkcs12", "-export", "-inkey", "client.key", "-in", "client.crt", "-certfile", "ca.crt", "-name", "client",
                  "-passout", f"pass:{STORE_PASSWORD}", "-out", "client.p12")
        self._run("pkcs12", "-export", "-nokeys", "-in", "ca.crt", "-passout", f"pass:{STORE_PASSWORD}", "-out", "ca.p12")
        self.join("both_cas.pem", "other_ca.crt", "ca.crt")
        # What people forget: the certificate in the middle.
        self.join("headless.pem", "chained.key", "chained.crt")
        os.makedirs(self.path("cas"), exist_ok=True)
        for name in ("ca.crt", "other_ca.crt"):
            self.join(os.path.join("cas", name), name)
        self._run("rehash", "cas")

    def keytool(self):
        """The same once more as Java's own tool makes it: keytool.client.p12, keytool.ca.p12."""
        need("keytool")
        for name in ("keytool.client.p12", "keytool.ca.p12"):
            if os.path.exists(self.path(name)):
                os.remove(self.path(name))
        for words in (["-importkeystore", "-srckeystore", "client.p12", "-srcstorepass", STORE_PASSWORD, "-destkeystore",
                       "keytool.client.p12", "-deststoretype", "PKCS12", "-deststorepass", STORE_PASSWORD],
                      ["-importcert", "-noprompt", "-alias", "ca", "-file", "ca.crt", "-keystore", "keytool.ca.p12", "-storetype",
                       "PKCS12", "-storepass", STORE_PASSWORD]):
            done = subprocess.run(["keytool", *words], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            if done.returncode:
                raise Missing(f"keytool {words[0]}: {(done.stdout + done.stderr).decode(errors='replace')[-1500:]}")
