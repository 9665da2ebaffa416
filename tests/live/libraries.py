# SPDX-License-Identifier: BSD-2-Clause
"""Kafka as folders of jars, through Maven, and the Java side of these tests compiled against the newest one. Each is made once
and again when its sources change; without the network where that will do."""

import dataclasses
import hashlib
import os
import shutil
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
_TRIES = 3
# The one that the clerk is made of, whatever the nodes are; and older ones that nodes can be.
VERSION, OLDER = "4.3.1", ("3.9.1", "3.3.2")


class Missing(Exception):
    """A tool that this machine has not."""


class Broken(Exception):
    """The tools are there and fail."""


@dataclasses.dataclass(frozen=True)
class Kafka:
    """What the nodes are."""

    version: str
    class_path: str

    @property
    def old(self):
        return self.version != VERSION


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Missing(f"there is no {program} here (./dev setup installs Java 17 and Maven)")


def _digest(paths):
    digest = hashlib.sha256()
    for path in sorted(paths):
        with open(path, "rb") as file:
            digest.update(os.path.relpath(path, HERE).encode() + b"\0" + file.read() + b"\0")
    return digest.hexdigest()


def _is_made(stamp, digest):
    try:
        with open(stamp, encoding="ascii") as file:
            return file.read() == digest
    except FileNotFoundError:
        return False


def _run(command, seconds):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              timeout=seconds)
        return done.returncode == 0, done.stdout
    except subprocess.TimeoutExpired as late:
        return False, (late.stdout or b"") + f"\nno end after {seconds} s".encode()


def fetch_jars(build, version=VERSION):
    """A folder of BUILD, filled by Maven."""
    folder = os.path.join(build, "libs" if version == VERSION else f"libs-{version}")
    stamp = os.path.join(folder, "stamp")
    pom = os.path.join(HERE, "pom.xml")
    digest = _digest([pom])
    need("java")
    if _is_made(stamp, digest):
        return folder
    need("mvn")
    shutil.rmtree(folder, ignore_errors=True)
    command = ["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", "-DincludeScope=runtime",
               f"-DoutputDirectory={folder}", f"-Dkafka.version={version}"]
    if version.startswith("3."):
        command.append("-Dkafka3")
    fine, _ = _run([*command, "-o"], 120)
    for attempt in range(_TRIES):
        if fine:
            break
        # A registry that is busy deserves a pause.
        time.sleep(5 * attempt)
        fine, said = _run(command, 300)
        if not fine and attempt == _TRIES - 1:
            raise Broken("mvn could not fetch Kafka's jars:\n" + said[-4000:].decode(errors="replace"))
    with open(stamp, "w", encoding="ascii") as file:
        file.write(digest)
    return folder


def compile_java(build, libs):
    """BUILD/classes; the answer is the class path of everything."""
    folder = os.path.join(build, "classes")
    stamp = os.path.join(build, "classes.stamp")
    sources = [os.path.join(path, name) for path, _, names in os.walk(os.path.join(HERE, "src")) for name in names]
    digest = _digest([*sources, os.path.join(HERE, "pom.xml")])
    if not _is_made(stamp, digest):
        need("javac")
        shutil.rmtree(folder, ignore_errors=True)
        fine, said = _run(["javac", "--release", "17", "-Xlint:all,-processing,-classfile", "-Werror", "-d", folder,
                           "-cp", os.path.join(libs, "*"), *sources], 120)
        if not fine:
            raise Broken("javac:\n" + said[-4000:].decode(errors="replace"))
        with open(stamp, "w", encoding="ascii") as file:
            file.write(digest)
    return folder + os.pathsep + os.path.join(libs, "*")


def prepare(build, version=VERSION):
    """The class path of the clerk, and the Kafka that the nodes are to be."""
    os.makedirs(build, exist_ok=True)
    newest = compile_java(build, fetch_jars(build))
    return newest, Kafka(version, newest if version == VERSION else os.path.join(fetch_jars(build, version), "*"))
