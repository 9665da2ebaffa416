#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes the Debian packages of the build, unpacks them into a root of their own, and works with what is there: a program
is compiled against the headers and libraries and run, the command sends records, the manual is read.

    package_test.py --source DIR --build DIR --version V
"""

import argparse
import glob
import os
import re
import shutil
import subprocess
import sys

ABOUT = {"kloop": "Kafka producer for the command line", "libkloop": "Kafka producer for libuv loops - shared libraries",
         "libkloop-dev": "Kafka producer for libuv loops - development files"}
TOOLS = ("cpack", "dpkg-deb", "dpkg-shlibdeps", "pkg-config", "gzip")


def run(*command, **more):
    """Runs and answers what was printed; a failure ends the test with the command and its words."""
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **more})
    if done.returncode:
        raise SystemExit(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}\nended with {done.returncode}")
    return done.stdout


def expect(what, got, wanted):
    if got != wanted:
        raise SystemExit(f"{what}: got {got!r}, wanted {wanted!r}")
    print(f"{what}: {got}")


def field(package, name):
    return run("dpkg-deb", "--field", package, name).strip()


def depends(package):
    return {re.split(r"[ (]", one.strip())[0] for one in field(package, "Depends").split(",")}


def main():
    parser = argparse.ArgumentParser()
    for name in ("source", "build", "version"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--cc", default="cc")
    args = parser.parse_args()
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        print(f"did not run: there is no {', '.join(missing)} here")
        return 1 if os.environ.get("CI") == "true" else 77

    work = os.path.join(args.build, "package-test")
    shutil.rmtree(work, ignore_errors=True)
    root = os.path.join(work, "root")
    os.makedirs(root)
    run("cpack", "--config", os.path.join(args.build, "CPackConfig.cmake"), "-G", "DEB", "-B", work)

    packages = {os.path.basename(path).partition("_")[0]: path for path in glob.glob(os.path.join(work, "*.deb"))}
    major, minor, _ = args.version.split(".")
    library = f"libkloop0.{minor}" if major == "0" else f"libkloop{major}"
    expect("packages", sorted(packages), sorted(["kloop", "libkloop-dev", library]))
    for name, path in packages.items():
        expect(f"{name}: version", field(path, "Version"), args.version)
        # Lists of packages show the first line alone: it once was the same for all three.
        about = field(path, "Description").splitlines()
        expect(f"{name}: in one line", about[0], ABOUT[name.rstrip("0123456789.")])
        expect(f"{name}: lines that would not be wrapped", [line for line in about[1:] if not line.startswith(" ") or
                                                            line.startswith("  ")], [])
        run("dpkg-deb", "--extract", path, root)
        for doc in ("copyright", "changelog.gz"):
            expect(f"{name}: {doc}", os.path.exists(os.path.join(root, "usr/share/doc", name, doc)), True)
    for name in (library, "kloop"):
        expect(f"{name} depends on what it links", {"libc6", "libuv1", "libzstd1"} - depends(packages[name]), set())
    expect("libkloop-dev depends on its library and on what its .pc files name",
           {library, "libuv1-dev", "libc-ares-dev", "zlib1g-dev", "liblz4-dev", "libzstd-dev"} - depends(packages["libkloop-dev"]),
           set())

    found = {}
    for where, _, names in os.walk(root):
        for name in names:
            found[name] = where
    # Compile against it, run with it.
    pkgconfig, libdir = found["kloop.pc"], found[f"libkloop.so.{args.version}"]
    for package, source in (("kloop-engine", "consumer.c"), ("kloop", "loop_consumer.c")):
        words = run("pkg-config", "--cflags", "--libs", package, *(["libuv"] if package == "kloop" else []),
                    PKG_CONFIG_PATH=pkgconfig).split()
        program = os.path.join(work, source.replace(".", "_"))
        run(args.cc, "-Wall", "-Wextra", "-Werror", os.path.join(args.source, "tests/install", source), "-o", program, *words)
        expect(f"{source} prints", run(program, LD_LIBRARY_PATH=libdir).strip(), args.version)

    # The command works from there, and needs nothing of the other two packages.
    kloop = os.path.join(root, "usr/bin/kloop")
    expect("kloop --version", run(kloop, "--version").strip(), f"kloop {args.version}")
    expect("1000 records", "1000 records sent" in run(kloop, "perf", "--sink", "--num-records", "1000", "--record-size", "100"),
           True)
    commands = re.findall(r"^  (\w+) ", run(kloop, "--help").partition("\n\n")[2].partition("\n\n")[0], re.M)
    wanted = {"kloop.1.gz", "kloop.conf.5.gz", "kloop.fish", "_kloop"} | {f"kloop-{command}.1.gz" for command in commands}
    expect("manual and completions that are missing", sorted(wanted - set(found)), [])
    page = run("gzip", "-dc", os.path.join(root, "usr/share/man/man1/kloop-produce.1.gz"))
    expect("the page is the command's own", page == run(kloop, "manual", "produce"), True)
    # A package has nothing of where it was made.
    for name in (f"libkloop.so.{args.version}", "kloop.pc"):
        with open(os.path.join(found[name], name), "rb") as f:
            expect(f"{name} names the folder of its making", args.source.encode() in f.read(), False)
    return 0


sys.exit(main())
