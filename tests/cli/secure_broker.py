# SPDX-License-Identifier: BSD-2-Clause
"""A scripted broker behind TLS, a login, or both. Whoever asks for anything else before the login is hung up on, and kept in
early."""
import base64
import hashlib
import hmac
import json
import re
import ssl
import struct
import subprocess
import threading

from scripted_broker import OFFERED, SECONDS, Broker

SASL_OFFERED = OFFERED + [{"apiKey": 17, "minVersion": 0, "maxVersion": 1}, {"apiKey": 36, "minVersion": 0, "maxVersion": 2}]
HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}


class Refused(Exception):
    """The login failed; the text goes to the client."""


def server_context(pem, *, asks_for=None, newest=None):
    """asks_for: the CA of certificates that clients must have."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    if asks_for:
        context.load_verify_locations(asks_for)
        context.verify_mode = ssl.CERT_REQUIRED
    if newest:
        context.maximum_version = newest
    return context


def plain(users):
    """The server's side of a login: each yield gives an answer and gets the next token; what is returned is the last answer,
    and the client is in."""
    token = yield None
    _, user, password = token.decode().split("\0")
    if users.get(user) != password:
        raise Refused("Authentication failed: Invalid username or password")
    return b""


def scram(users, mechanism, bend=lambda name, text: text, iterations=4096):
    """bend(name, text) may make something else of the messages "first" and "final"."""
    digest = HASHES[mechanism]
    first = (yield None).decode()
    bare = first.partition(",,")[2]
    user, nonce = re.fullmatch("n=([^,]*),r=([^,]*).*", bare).groups()
    if user not in users:
        raise Refused(f"Authentication failed during authentication due to invalid credentials with SASL mechanism {mechanism}")
    salt = b"a-salt-of-the-test"
    said = bend("first", f"r={nonce}and-ours,s={base64.b64encode(salt).decode()},i={iterations}")
    final = (yield said.encode()).decode()
    without, _, proof = final.rpartition(",p=")
    salted = hashlib.pbkdf2_hmac(digest, users[user].encode(), salt, iterations)
    whole = ",".join((bare, said, without)).encode()
    client_key = hmac.digest(salted, b"Client Key", digest)
    signature = hmac.digest(hashlib.new(digest, client_key).digest(), whole, digest)
    if bytes(a ^ b for a, b in zip(client_key, signature)) != base64.b64decode(proof):
        raise Refused(f"Authentication failed during authentication due to invalid credentials with SASL mechanism {mechanism}")
    ours = hmac.digest(hmac.digest(salted, b"Server Key", digest), whole, digest)
    return bend("final", f"v={base64.b64encode(ours).decode()}").encode()


def bearer(tokens):
    token = yield None
    if re.search(b"auth=Bearer ([^\x01]*)\x01", token).group(1).decode() not in tokens:
        yield b'{"status":"invalid_token"}'
        raise Refused("the token is of no use")
    return b""


class SecureBroker(Broker):
    """tls: an SSLContext. logins: {"PLAIN": lambda: plain(users)}, a generator for each login; None: there is none.
    hang: an API that is never answered."""

    def __init__(self, kloop, *, tls=None, logins=None, lifetime_ms=0, hang=None, **how):
        how.setdefault("offered", SASL_OFFERED if logins else OFFERED)
        super().__init__(kloop, **how)
        self.tls, self.logins, self.lifetime_ms, self.hang = tls, logins, lifetime_ms, hang
        self.early = []
        self.own = threading.local()  # of the connection: each has a thread

    def _secure(self, connection):
        self.own.talk, self.own.is_in, self.own.ends = None, not self.logins, False
        if not self.tls:
            return connection
        secure = self.tls.wrap_socket(connection, server_side=True)
        self.open.append(secure)
        return secure

    def _answer(self, api, version, correlation, frame):
        if api == self.hang:
            self.asked.append((api, version))
            threading.Event().wait(SECONDS)
        if self.own.ends:
            return None
        if not self.own.is_in and api not in ("ApiVersions", "SaslHandshake", "SaslAuthenticate"):
            self.early.append(api)
            return None
        return super()._answer(api, version, correlation, frame)

    def _body(self, api, version, frame):
        if api == "SaslHandshake" and self.logins:
            return self._handshake(frame)
        if api == "SaslAuthenticate":
            return self._authenticate(version, frame)
        return super()._body(api, version, frame)

    def _decode(self, api, version, frame):
        size, = struct.unpack(">h", frame[8:10])
        body = frame[10 + max(size, 0):]
        if api == "SaslAuthenticate" and version >= 2:
            body = body[1:]
        done = subprocess.run([self.kloop, "wire", "decode"], input=f"{api} {version} request {body.hex()}\n".encode(),
                              capture_output=True, timeout=SECONDS, check=True)
        return json.loads(done.stdout)

    def _handshake(self, frame):
        mechanism = self._decode("SaslHandshake", 1, frame)["mechanism"]
        if mechanism in self.logins:
            self.own.talk = self.logins[mechanism]()
            next(self.own.talk)
        else:
            self.own.ends = True
        return {"errorCode": 0 if mechanism in self.logins else 33, "mechanisms": sorted(self.logins)}

    def _authenticate(self, version, frame):
        token = base64.b64decode(self._decode("SaslAuthenticate", version, frame)["authBytes"])
        body = {"errorCode": 0, "errorMessage": None, "authBytes": "", "sessionLifetimeMs": self.lifetime_ms}
        try:
            said = self.own.talk.send(token)
        except StopIteration as end:
            said = end.value
            self.own.is_in = True
        except Refused as refused:
            self.own.ends = True
            body.update(errorCode=58, errorMessage=str(refused))
            return body
        body["authBytes"] = base64.b64encode(said).decode()
        return body
