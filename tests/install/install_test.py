#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Installs the build into a folder of its own and uses it from there as other projects would, out of this tree.

    install_test.py --source DIR --build DIR --version V WAY

WAY is `files` (installs and looks at what came, must run first), `pkgconfig_shared`, `pkgconfig_static`, `package`
(find_package), `subdirectory` (add_subdirectory, nothing installed) or `without_driver` (libkloop-engine alone). Each builds
consumer.c and consumer.cc with libkloop-engine, loop_consumer.c and loop_consumer.cc with libkloop, and runs them.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys


# Library: what is built with it.
LIBRARIES = {"kloop-engine": "consumer", "kloop": "loop_consumer"}


class Place:
    """Where things are; every path of the test hangs below the build folder."""

    def __init__(self, args):
        self.args = args
        self.work = os.path.join(args.build, "install-test")
        self.prefix = os.path.join(self.work, "prefix")
        self.consumers = os.path.join(args.source, "tests", "install")
        major, minor, _ = args.version.split(".")
        self.so_version = f"0.{minor}" if major == "0" else major

    def soname(self, library):
        return f"lib{library}.so.{self.so_version}"

    def fresh(self, name):
        folder = os.path.join(self.work, name)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        return folder

    def libdir(self):
        for where, _, names in os.walk(self.prefix):
            if "libkloop-engine.a" in names:
                return where
        raise SystemExit(f"no libkloop-engine.a under {self.prefix}")


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


def look_at_files(place, libraries):
    """Is all there that belongs to these libraries, and nothing else?"""
    found = set()
    for where, _, names in os.walk(place.prefix):
        found |= {os.path.relpath(os.path.join(where, name), place.prefix) for name in names}
    libdir = os.path.relpath(place.libdir(), place.prefix)
    version = place.args.version
    headers = set(os.listdir(os.path.join(place.args.source, "include", "kloop")))
    if "kloop" not in libraries:
        headers -= {"kloop.h", "tls.h"}
    wanted = {f"include/kloop/{h}" for h in headers} | {"share/doc/kloop/LICENSE"}
    wanted |= {f"{libdir}/cmake/kloop/{f}" for f in (
        "kloopConfig.cmake", "kloopConfigVersion.cmake", "kloopFindLibraries.cmake")}
    for name in libraries:
        wanted |= {f"{libdir}/{f}" for f in (
            f"lib{name}.a", f"lib{name}.so", place.soname(name), f"lib{name}.so.{version}", f"pkgconfig/{name}.pc")}
    found -= {"bin/kloop"}
    # The manual and completions go with the command.
    pages = {f for f in found if re.match(r"share/(man|bash-completion|zsh|fish)/", f)}
    expect("pages without a command", bool(pages) and not os.path.exists(os.path.join(place.prefix, "bin/kloop")), False)
    found -= pages
    # The exported targets: two files for each library and kind, the second one named after the build type.
    targets = {f for f in found if "/cmake/kloop/kloopTargets-" in f}
    expect("files of exported targets", len(targets), 4 * len(libraries))
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
    for name in libraries:
        path = os.path.join(place.libdir(), f"lib{name}.so")
        expect("SONAME", dynamic(path, "SONAME"), [place.soname(name)])
        expect(f"file behind lib{name}.so", os.path.basename(os.path.realpath(path)), f"lib{name}.so.{version}")


def files(place):
    shutil.rmtree(place.work, ignore_errors=True)
    run(place.args.cmake, "--install", place.args.build, "--prefix", place.prefix)
    look_at_files(place, LIBRARIES)
    needed = dynamic(os.path.join(place.libdir(), "libkloop-engine.so"), "NEEDED")
    expect("libkloop-engine.so needs a loop", [n for n in needed if "uv" in n or "cares" in n], [])
    command = os.path.join(place.prefix, "bin", "kloop")
    if os.path.exists(os.path.join(place.args.build, "bin", "kloop")):
        expect("the command needs libkloop.so", needs_kloop(command), False)
        pages = set(os.listdir(os.path.join(place.prefix, "share/man/man1")))
        expect("pages of the manual that are missing", {"kloop.1", "kloop-produce.1"} - {p.removesuffix(".gz") for p in pages}, set())
        # zsh looks into the second one only below /usr, and only Debian's does.
        for path in ("zsh/site-functions/_kloop", "zsh/vendor-completions/_kloop", "bash-completion/completions/kloop",
                     "fish/vendor_completions.d/kloop.fish"):
            expect(f"share/{path} is there", os.path.exists(os.path.join(place.prefix, "share", path)), True)


def pkgconfig(place, name, library, asked, flags, linked):
    folder = place.fresh(f"{name}-{library}")
    path = os.path.join(place.libdir(), "pkgconfig")
    # What uses libuv itself asks for libuv itself; in a static line it stands already.
    modules = [library] + (["libuv"] if library == "kloop" and linked else [])
    words = run("pkg-config", *asked, "--cflags", "--libs", *modules, PKG_CONFIG_PATH=path).split()
    print(f"pkg-config {' '.join(asked)}: {' '.join(words)}")
    expect("pkg-config --modversion", run("pkg-config", "--modversion", library, PKG_CONFIG_PATH=path).strip(),
           place.args.version)
    for compiler, ending in ((place.args.cc, ".c"), (cxx_of(place.args.cc), ".cc")):
        source = LIBRARIES[library] + ending
        program = os.path.join(folder, source.replace(".", "_"))
        run(compiler, "-Wall", "-Wextra", "-Werror", *flags, os.path.join(place.consumers, source), "-o", program, *words)
        expect(f"{source} needs lib{library}.so", needs_kloop(program), linked)
        expect(f"{source} prints", run(program, LD_LIBRARY_PATH=place.libdir()).strip(), place.args.version)


def pkgconfig_shared(place):
    for library in LIBRARIES:
        pkgconfig(place, "pkgconfig-shared", library, [], [], True)
        path = os.path.join(place.libdir(), "pkgconfig")
        words = run("pkg-config", "--libs", library, PKG_CONFIG_PATH=path).split()
        expect("libraries of others in the shared line", [w for w in words if w.startswith("-l")], [f"-l{library}"])


def pkgconfig_static(place):
    # -static takes the archives of everything, so the line must name all that the archive needs.
    for library in LIBRARIES:
        pkgconfig(place, "pkgconfig-static", library, ["--static"], ["-static"], False)


def cmake_project(place, name, *definitions):
    """Builds tests/install/NAME, by default and with BUILD_SHARED_LIBS, and runs its programs."""
    for shared in (False, True):
        folder = place.fresh(f"{name}-{'shared' if shared else 'static'}")
        run(place.args.cmake, "-S", os.path.join(place.consumers, name), "-B", folder, "-G", "Ninja",
            f"-DCMAKE_C_COMPILER={place.args.cc}", f"-DCMAKE_CXX_COMPILER={cxx_of(place.args.cc)}",
            f"-DSOURCES={place.consumers}", *(["-DBUILD_SHARED_LIBS=ON"] if shared else []), *definitions)
        run(place.args.cmake, "--build", folder)
        for kind, linked in (("shared", True), ("static", False), ("kloop", shared),
                             ("engine_shared", True), ("engine_static", False), ("engine", shared)):
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


def without_driver(place):
    """KLOOP_BUILD_DRIVER=OFF gives the engine alone, and a package whose producer is plainly not there."""
    folder = place.fresh("without-driver")
    run(place.args.cmake, "-S", place.args.source, "-B", folder, "-G", "Ninja", f"-DCMAKE_C_COMPILER={place.args.cc}",
        "-DKLOOP_BUILD_DRIVER=OFF")
    run(place.args.cmake, "--build", folder)
    place.prefix = os.path.join(folder, "prefix")
    place.args.build = folder
    run(place.args.cmake, "--install", folder, "--prefix", place.prefix)
    look_at_files(place, ["kloop-engine"])
    expect("the command is there", os.path.exists(os.path.join(place.prefix, "bin", "kloop")), False)
    pkgconfig(place, "without-driver", "kloop-engine", [], [], True)


WAYS = {f.__name__: f
        for f in (files, pkgconfig_shared, pkgconfig_static, package, subdirectory, without_driver)}


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
