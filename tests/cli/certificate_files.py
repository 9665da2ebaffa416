# SPDX-License-Identifier: BSD-2-Clause
"""Certificates for tests that play a broker in TLS: made by the openssl command when they are wanted, in a folder of their
own that goes with them."""
import datetime
import os
import shutil
import subprocess
import tempfile

SECONDS = 120
SETTINGS = """\
[ca]
default_ca = all
[all]
database = issued
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
"""


def missing():
    """Why there can be none here, or None."""
    return None if shutil.which("openssl") else "there is no openssl command here (apt-get install openssl)"


class Certificates:
    """with Certificates() as c: c.make("broker", days=(-1, 300)); c.file("broker.pem"), c.file("ca.crt")

    NAME.pem is a key and its certificate with those between it and the CA. ca signs, unless by says who does; who signs for
    itself names itself."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="kloop-certificates-")
        self._write("settings", SETTINGS)
        self._write("issued", "")
        self.make("ca", by="ca", authority=True)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def file(self, name):
        return os.path.join(self.folder, name)

    def _write(self, name, text):
        with open(self.file(name), "w", encoding="ascii") as file:
            file.write(text)

    def _read(self, name):
        with open(self.file(name), encoding="ascii") as file:
            return file.read()

    def _openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True, timeout=SECONDS)

    def make(self, name, *, by="ca", days=(-1, 300), names="IP:127.0.0.1,DNS:localhost", authority=False):
        """days: from when to when, counted from now."""
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")
        self._openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
        what = ["basicConstraints=critical,CA:true", "keyUsage=critical,keyCertSign"] if authority else [
            "basicConstraints=CA:false", f"subjectAltName={names}"]
        self._write(f"{name}.ext", "\n".join(what) + "\n")
        now = datetime.datetime.now(datetime.timezone.utc)
        start, end = ((now + datetime.timedelta(days=n)).strftime("%Y%m%d%H%M%SZ") for n in days)
        signer = ["-selfsign", "-keyfile", f"{name}.key"] if by == name else ["-keyfile", f"{by}.key", "-cert", f"{by}.crt"]
        self._openssl("ca", "-batch", "-notext", "-create_serial", "-config", "settings", *signer, "-in", f"{name}.csr", "-out",
                      f"{name}.crt", "-startdate", start, "-enddate", end, "-extfile", f"{name}.ext")
        between = [] if by in ("ca", name) else [f"{by}.crt"]
        self._write(f"{name}.pem", "".join(self._read(part) for part in (f"{name}.key", f"{name}.crt", *between)))
        return self.file(f"{name}.pem")
