#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Installs the build into a folder of its own and uses it from there as other projects would, out of this tree.

    install_test.py --source DIR --build DIR --version V WAY

WAY is `files` (installs and looks at what came, must run first), `pkgconfig_shared`, `pkgconfig_static`, `package`
(find_package) or `subdirectory` (add_subdirectory, nothing installed). Each builds consumer.c and consumer.cc and runs them.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys


class Place:
    """Where things are; every path of the test hangs below the build folder."""

    def __init__(self, args):
        self.args = args
        self.work = os.path.join(args.build, "install-test")
        self.prefix = os.path.join(self.work, "prefix")
        self.consumers = os.path.join(args.source, "tests", "install")
        major, minor, _ = args.version.split(".")
        self.soname = "libkloop.so." + (f"0.{minor}" if major == "0" else major)

    def fresh(self, name):
        folder = os.path.join(self.work, name)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        return folder

    def libdir(self):
        for where, _, names in os.walk(self.prefix):
            if "libkloop.a" in names:
                return where
        raise SystemExit(f"no libkloop.a under {self.prefix}")


def run(*command, **extra_environment):
    """Runs and answers what was printed; a failure ends the test with the command and its words."""
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **extra_environment})
    if done.returncode:
        raise SystemExit(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}\nended with {done.returncode}")
    return done.stdout


def expect(what, got, wanted):
    if got != wanted:
        raise SystemExit(f"{what}: got {got!r}, wanted {wanted!r}")
    print(f"{what}: {got}")


def dynamic(path, tag):
    """The values of a tag in the dynamic section, as NEEDED or SONAME."""
    return re.findall(rf"\({tag}\).*\[(.*)\]", run("readelf", "-d", path))


def needs_kloop(path):
    return any(name.startswith("libkloop") for name in dynamic(path, "NEEDED"))


def cxx_of(cc):
    """The C++ compiler that goes with the C compiler; c++ when in doubt."""
    folder, name = os.path.split(cc)
    for part, other in (("clang", "clang++"), ("gcc", "g++")):
        guess = os.path.join(folder, name.replace(part, other, 1))
        if part in name and shutil.which(guess):
            return guess
    return "c++"


def files(place):
    shutil.rmtree(place.work, ignore_errors=True)
    run(place.args.cmake, "--install", place.args.build, "--prefix", place.prefix)
    found = set()
    for where, _, names in os.walk(place.prefix):
        found |= {os.path.relpath(os.path.join(where, name), place.prefix) for name in names}
    libdir = os.path.relpath(place.libdir(), place.prefix)
    version = place.args.version
    headers = os.listdir(os.path.join(place.args.source, "include", "kloop"))
    wanted = {f"include/kloop/{h}" for h in headers} | {"share/doc/kloop/LICENSE"}
    if os.path.exists(os.path.join(place.args.build, "bin", "kloop")):
        wanted.add("bin/kloop")
    wanted |= {f"{libdir}/{f}" for f in (
        "libkloop.a", "libkloop.so", place.soname, f"libkloop.so.{version}", "pkgconfig/kloop.pc",
        "cmake/kloop/kloopConfig.cmake", "cmake/kloop/kloopConfigVersion.cmake", "cmake/kloop/kloopCodecLibraries.cmake")}
    # The exported targets: two files for each kind, the second one named after the build type.
    targets = {f for f in found if "/cmake/kloop/kloopTargets-" in f}
    expect("files of exported targets", len(targets), 4)
    expect("installed and not expected", sorted(found - targets - wanted), [])
    expect("expected and not installed", sorted(wanted - found), [])
    # The folder may be moved: no file tells where it was made.
    for name in sorted(found):
        if name.endswith((".pc", ".cmake")):
            with open(os.path.join(place.prefix, name), encoding="utf-8") as f:
                text = f.read()
            for path in (place.args.build, place.args.source):
                if path in text:
                    raise SystemExit(f"{name} names {path}")
    library = os.path.join(place.libdir(), "libkloop.so")
    expect("SONAME", dynamic(library, "SONAME"), [place.soname])
    expect("file behind libkloop.so", os.path.basename(os.path.realpath(library)), f"libkloop.so.{version}")
    if "bin/kloop" in wanted:
        expect("the command needs libkloop.so", needs_kloop(os.path.join(place.prefix, "bin", "kloop")), False)


def pkgconfig(place, name, asked, flags, linked):
    folder = place.fresh(name)
    path = os.path.join(place.libdir(), "pkgconfig")
    words = run("pkg-config", *asked, "--cflags", "--libs", "kloop", PKG_CONFIG_PATH=path).split()
    print(f"pkg-config {' '.join(asked)}: {' '.join(words)}")
    expect("pkg-config --modversion", run("pkg-config", "--modversion", "kloop", PKG_CONFIG_PATH=path).strip(),
           place.args.version)
    for compiler, source in ((place.args.cc, "consumer.c"), (cxx_of(place.args.cc), "consumer.cc")):
        program = os.path.join(folder, source.replace(".", "_"))
        run(compiler, "-Wall", "-Wextra", "-Werror", *flags, os.path.join(place.consumers, source), "-o", program, *words)
        expect(f"{source} needs libkloop.so", needs_kloop(program), linked)
        expect(f"{source} prints", run(program, LD_LIBRARY_PATH=place.libdir()).strip(), place.args.version)
    return words


def pkgconfig_shared(place):
    words = pkgconfig(place, "pkgconfig-shared", [], [], True)
    expect("libraries of others in the shared line", [w for w in words if w.startswith("-l")], ["-lkloop"])


def pkgconfig_static(place):
    # -static takes the archives of everything, so the line must name all that libkloop.a needs.
    pkgconfig(place, "pkgconfig-static", ["--static"], ["-static"], False)


def cmake_project(place, name, *definitions):
    """Builds tests/install/NAME, by default and with BUILD_SHARED_LIBS, and runs its programs."""
    for shared in (False, True):
        folder = place.fresh(f"{name}-{'shared' if shared else 'static'}")
        run(place.args.cmake, "-S", os.path.join(place.consumers, name), "-B", folder, "-G", "Ninja",
            f"-DCMAKE_C_COMPILER={place.args.cc}", f"-DCMAKE_CXX_COMPILER={cxx_of(place.args.cc)}",
            f"-DSOURCES={place.consumers}", *(["-DBUILD_SHARED_LIBS=ON"] if shared else []), *definitions)
        run(place.args.cmake, "--build", folder)
        for kind, linked in (("shared", True), ("static", False), ("kloop", shared)):
            for language in ("c", "cxx"):
                program = os.path.join(folder, f"{language}_{kind}")
                expect(f"{name}, BUILD_SHARED_LIBS={shared}, kloop::{kind}, {language}: needs libkloop.so",
                       needs_kloop(program), linked)
                expect("  prints", run(program).strip(), place.args.version)


def package(place):
    minor = ".".join(place.args.version.split(".")[:2])
    cmake_project(place, "package", f"-DCMAKE_PREFIX_PATH={place.prefix}", f"-DKLOOP_WANTED={minor}")


def subdirectory(place):
    cmake_project(place, "subdirectory", f"-DKLOOP={place.args.source}")


WAYS = {f.__name__: f for f in (files, pkgconfig_shared, pkgconfig_static, package, subdirectory)}


def main():
    parser = argparse.ArgumentParser()
    for name in ("source", "build", "version"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--cmake", default="cmake")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("way", choices=WAYS)
    args = parser.parse_args()
    WAYS[args.way](Place(args))


sys.exit(main())
