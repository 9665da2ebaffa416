#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The pages promise nothing that does not work: their programs are built and run, and what they show is what comes out.

    readme_example.py --source DIR --build DIR --kloop PROGRAM [--without-tls] [--cmake CMAKE] [--cc CC] [PAGE...]

Without pages it is README.md. A comment before a fenced block says what the block is:

    <!-- example: NAME.c -->          a C program, run without arguments unless it is shown how; decode.c is the inside of a function
                                      that has bytes and len; where examples/NAME.c exists, it is the same
    <!-- functions: NAME.c -->        parts of one program, which has a producer p on a loop, config, a topic events, error
    <!-- statements: NAME.c -->       and servers; it is run against a broker, and must end with 0
    <!-- shown -->                    lines with $ and, below each, what it prints; nothing else may come, on stderr neither
    <!-- shown: with a broker -->     the same, and a line "kloop sink ... &" stands for a broker that lives until the end
    <!-- shown: figures vary -->      the same, and any number stands for any other
    <!-- not run: REASON -->          what needs more than a test has

Every block of a page in C must be one of these. They are run in the order of the page, in a folder where build/bin/kloop is the
command under test, include, examples and build/lib are those of the tree, with everything installed under a prefix of its own, and
with all warnings as errors. Times and rates in JSON may differ; ports are replaced.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cli"))

from sink_process import SECONDS, Sink  # noqa: E402

BLOCK = re.compile(r"^<!-- (example|functions|statements|shown|not run)(?:: ([^\n]*?))? -->\n```\w*\n(.*?)^```$",
                   re.MULTILINE | re.DOTALL)
# What no two runs have in common.
VARYING = re.compile(r'("(?:timestamp|avg_throughput|age_ms)":)[0-9.]+')
FIGURES = re.compile(r"[0-9][0-9,.]*")
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
README_PORT = "127.0.0.1:9092"

DECODE = """
#include <kloop/wire.h>
#include <stdio.h>
int main(void)
{{
    static const uint8_t bytes[] = {{{bytes}}};
    size_t len = sizeof bytes;
{inside}
    return 0;
}}
"""
PARTS = """
#include <kloop/hooks.h>
#include <kloop/kloop.h>
#include <kloop/stats_text.h>
#include <kloop/wire.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

{functions}
int main(int argc, char **argv)
{{
    static uv_loop_t page_loop;
    uv_loop_t *loop = &page_loop;
    kloop_producer *p;
    kloop_topic *events;
    kloop_error error;
    const char *servers = argv[argc - 1];
    kloop_config *config = kloop_config_new(NULL);
    kloop_config_set(config, "bootstrap.servers", servers);
    if (uv_loop_init(loop) || kloop_open(&p, loop, config, &error) || kloop_topic_get(p, "events", &events, &error))
        return 9;
    (void)events;
    {{
{statements}
    }}
    kloop_close(p, 10000, NULL, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    kloop_config_del(config);
    return uv_loop_close(loop) ? 8 : 0;
}}
"""
# A Metadata answer, version 13, with two topics, and what is printed of it when it is whole and when its last byte is missing.
METADATA = ('{"throttleTimeMs":0,"brokers":[],"clusterId":null,"controllerId":-1,"topics":['
            '{"errorCode":0,"name":"events","topicId":"AAAAAAAAAAAAAAAAAAAAAA","isInternal":false,"partitions":[],'
            '"topicAuthorizedOperations":0},'
            '{"errorCode":0,"name":"lines","topicId":"AAAAAAAAAAAAAAAAAAAAAA","isInternal":false,"partitions":[],'
            '"topicAuthorizedOperations":0}],"errorCode":0}')


PAGE = "README.md"


def fail(what):
    raise SystemExit(f"{PAGE}: {what}")


class Place:
    """The folder that stands for the reader's, and the programs that are run in it."""

    def __init__(self, args):
        self.args = args
        self.work = os.path.join(args.build, "readme-test", args.pages[0].replace("/", "-"))
        self.prefix = os.path.join(self.work, "prefix")
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(os.path.join(self.work, "build", "bin"))
        os.symlink(args.kloop, os.path.join(self.work, "build", "bin", "kloop"))
        os.symlink(os.path.join(args.build, "lib"), os.path.join(self.work, "build", "lib"))
        for folder in ("include", "examples"):
            os.symlink(os.path.join(args.source, folder), os.path.join(self.work, folder))
        self.make_compiler()
        self.environment = dict(os.environ)
        self.run(f"{shlex.quote(args.cmake)} --install {shlex.quote(args.build)} --prefix {shlex.quote(self.prefix)}")
        libraries = self.library_folder()
        self.environment.update(
            PATH=os.path.join(self.work, "tools") + os.pathsep + os.environ["PATH"],
            PKG_CONFIG_PATH=os.path.join(libraries, "pkgconfig"),
            LD_LIBRARY_PATH=libraries)

    def make_compiler(self):
        """A cc that is the compiler under test and takes no warning."""
        tools = os.path.join(self.work, "tools")
        os.makedirs(tools)
        path = os.path.join(tools, "cc")
        # By its full path: as cc it would find itself.
        compiler = shutil.which(self.args.cc)
        if not compiler:
            fail(f"there is no compiler {self.args.cc}")
        with open(path, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\nexec " + shlex.join([os.path.abspath(compiler), *WARNINGS]) + ' "$@"\n')
        os.chmod(path, 0o755)

    def library_folder(self):
        for where, _, names in os.walk(self.prefix):
            if "libkloop.so" in names:
                return where
        fail(f"no libkloop.so under {self.prefix}")

    def write(self, name, text):
        with open(os.path.join(self.work, name), "w", encoding="utf-8") as f:
            f.write(text)

    def run(self, command, **options):
        return subprocess.run(command, shell=True, cwd=self.work, env=self.environment, capture_output=True, text=True,
                              timeout=SECONDS, check=False, **options)


def transcript(text):
    """(command, lines that it prints) for each $."""
    steps = []
    for line in text.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        elif line:
            if not steps:
                fail(f"{line!r} comes before any command")
            steps[-1][1].append(line)
    return steps


class Show:
    """Runs what is shown. The broker is there from the line that starts it until the end."""

    def __init__(self, place):
        self.place = place
        self.sink = None

    def broker(self):
        """One for programs that are not shown how to reach it."""
        if not self.sink:
            self.sink = Sink(self.place.args.kloop, "--check", "--topic", "events:3", "--auto-create", "3")
            self.sink.__enter__()
        return self.sink.place

    def start_sink(self, command, printed):
        flags = shlex.split(command[:-1])
        if flags[:2] != ["build/bin/kloop", "sink"] or "--listen" in flags:
            fail(f"{command!r} is not how a broker is started here")
        if printed != [f"listening on {README_PORT}"]:
            fail(f"{command!r} prints {printed}")
        self.sink = Sink(self.place.args.kloop, "--check", *flags[2:])
        self.sink.__enter__()

    def step(self, command, printed, figures_vary=False):
        if command.endswith("&"):
            self.start_sink(command, printed)
            return
        wanted = "".join(line + "\n" for line in printed)
        if self.sink:
            command = command.replace(README_PORT, self.sink.place)
        elif README_PORT in command:
            fail(f"{command!r} needs a broker, and none was started")
        done = self.place.run(command)

        def constant(text):
            if self.sink:
                text = text.replace(self.sink.place, README_PORT)
            text = VARYING.sub(r"\1N", text)
            # A number that is longer pushes the rest of its column along.
            return re.sub(r" +", " ", FIGURES.sub("N", text)) if figures_vary else text

        got = (done.returncode, constant(done.stdout), done.stderr)
        if got != (0, constant(wanted), ""):
            fail(f"$ {command}\nends with {got[0]} and prints\n{done.stdout}{done.stderr}\nwanted is\n{wanted}")
        print(f"$ {command}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.sink:
            self.sink.end()

    def stored(self):
        """What the broker holds at the end, by topic."""
        if not self.sink:
            fail("no broker was started")
        stored = self.sink.end()
        if self.sink.code != 0 or stored["complaints"]:
            fail(f"the broker ends with {self.sink.code}: {self.sink.errors.decode()}{stored}")
        return {t["topic"]: sum(t["next_offsets"]) for t in stored["topics"]}


def check_decode(place, inside):
    """The fragment: with a whole message, and with one that was cut."""
    whole = subprocess.run([place.args.kloop, "wire", "encode"], input=f"Metadata 13 response {METADATA}\n",
                           capture_output=True, text=True, timeout=SECONDS, check=True).stdout.strip()
    if whole.startswith("error"):
        fail(f"the message for decode.c is refused: {whole}")
    for text, wanted in ((whole, ["events", "lines"]), (whole[:-2], None)):
        numbers = ", ".join(f"0x{b:02x}" for b in bytes.fromhex(text))
        place.write("decode.c", DECODE.format(bytes=numbers, inside=inside))
        done = place.run("cc -std=c11 -o decode decode.c $(pkg-config --cflags --libs kloop-engine) && ./decode")
        got = done.stdout.splitlines()
        if done.returncode or done.stderr:
            fail(f"decode.c:\n{done.stdout}{done.stderr}ends with {done.returncode}")
        if wanted is None and (len(got) != 1 or " at byte " not in got[0]):
            fail(f"decode.c says {got} of a message that was cut")
        if wanted is not None and got != wanted:
            fail(f"decode.c prints {got}, wanted {wanted}")
        print(f"decode.c: {got}")


def build_and_run(show, name, text, *arguments):
    """A program of one file; what it prints is nobody's business. One that asks for TLS is not run in a build without."""
    place = show.place
    place.write(name, text)
    program = os.path.splitext(name)[0]
    done = place.run(f"cc -o {program} {name} $(pkg-config --cflags --libs kloop libuv)")
    if done.returncode or done.stderr:
        fail(f"{name}:\n{done.stderr}")
    if place.args.without_tls and '_SSL"' in text:
        print(f"not run: {name}, in a build without TLS")
        return
    done = place.run(f"./{program} {shlex.join(arguments)}")
    if done.returncode or done.stderr:
        fail(f"{name} ends with {done.returncode} and prints\n{done.stdout}{done.stderr}")
    print(f"{name}: {done.stdout[:300].rstrip()}")


def run_page(place, text):
    blocks = BLOCK.findall(text)
    if len(blocks) != text.count("\n<!-- "):
        fail("a comment without a block, or of a kind that this test does not know")
    if text.count("\n```c\n") > sum(kind != "shown" for kind, _, _ in blocks):
        fail("a block in C that nobody compiles")
    parts, shown = {}, " ".join(block for kind, _, block in blocks if kind == "shown")
    with Show(place) as show:
        for kind, name, block in blocks:
            if kind == "shown":
                for command, printed in transcript(block):
                    show.step(command, printed, name == "figures vary")
            elif kind in ("functions", "statements"):
                parts.setdefault(name, {"functions": "", "statements": ""})[kind] += block
            elif kind == "not run":
                print(f"not run: {name}")
            elif name == "decode.c":
                check_decode(place, block)
            else:
                same = os.path.join(place.args.source, "examples", name)
                if os.path.exists(same):
                    with open(same, encoding="utf-8") as f:
                        if not f.read().endswith(block):
                            fail(f"{name} is not what examples/{name} is")
                place.write(name, block)
                if name not in shown:
                    build_and_run(show, name, block)
        for name, both in parts.items():
            build_and_run(show, name, PARTS.format(**both), show.broker())
        return show.stored() if show.sink else {}


def main():
    global PAGE  # pylint: disable=global-statement
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("source", "build", "kloop"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--without-tls", action="store_true")
    parser.add_argument("--cmake", default="cmake")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("pages", nargs="*", default=["README.md"])
    args = parser.parse_args()
    args.build = os.path.abspath(args.build)
    place = Place(args)
    for PAGE in args.pages:
        with open(os.path.join(args.source, PAGE), encoding="utf-8") as f:
            text = f.read()
        stored = run_page(place, text)
        # Everything that the programs were told was acked is there, once; nothing else is.
        if PAGE == "README.md" and stored != {"events": 3, "lines": 3}:
            fail(f"the broker holds {stored}")
        print(f"{PAGE}: the broker holds {stored}")
    return 0


sys.exit(main())
