#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The binary interface of the public headers, beside the exported symbols: sizes of structs, where their members stand,
values of enums, the form of every function and of every type of function.

    abi_layout.py [--cc CC] [--update]

What the headers say is compared with abi_layout.txt beside this file. A line that changes breaks programs that were built
before; one that comes is a promise. --update writes the list anew, to be read in the diff. Sizes are those of 64-bit x86
and are compared there only.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile

from layers import ROOT, report

INCLUDE = os.path.join(ROOT, "include")
LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "abi_layout.txt")


def declarations(cc, headers):
    """The text of the headers behind the preprocessor, without what comes from elsewhere."""
    source = "".join(f"#include <kloop/{header}>\n" for header in headers)
    done = subprocess.run([cc, "-std=c11", "-E", "-I", INCLUDE, "-"], input=source, capture_output=True, text=True, check=True)
    ours, kept = False, []
    for line in done.stdout.splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            ours = "/kloop/" in marker.group(1)
        elif ours:
            kept.append(line)
    return re.sub(r"__attribute__ *\(\((?:[^()]|\([^()]*\))*\)\)", " ", "\n".join(kept))


def split(text, at):
    """Cuts at a character that stands outside of all brackets."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            # The body of an inline function ends without a semicolon.
            if c == "}" and depth == 0 and at == ";" and re.match(r"\s*static\b", text[start:]):
                parts.append(text[start:i + 1])
                start = i + 1
        elif c == at and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def members(body):
    for member in split(body, ";"):
        nested = re.match(r"(?:struct|union)\s*\w*\s*\{(.*)\}\s*(\w*)$", member, re.S)
        if nested:
            if nested.group(2):
                yield nested.group(2)
            else:
                yield from members(nested.group(1))
            continue
        for declarator in split(member, ","):
            pointer = re.search(r"\(\s*\*\s*(?:const\s+)?(\w+)\s*\)", declarator)
            yield pointer.group(1) if pointer else re.search(r"(\w+)\s*(?:\[[^]]*\]\s*)*$", declarator).group(1)


def interface(text):
    """(structs: name -> members, names of enumerators, lines of functions and types of functions)"""
    structs, values, lines = {}, [], []
    for statement in split(text, ";"):
        statement = " ".join(statement.split())
        if statement.startswith("static"):
            continue
        body = re.match(r"(?:typedef )?(struct|union|enum)\s*(\w*)\s*\{(.*)\}\s*(\w*)$", statement)
        if body:
            kind, tag, inside, alias = body.groups()
            if kind == "enum":
                values += [re.match(r"\w+", value).group() for value in split(inside, ",")]
            else:
                structs[alias or f"{kind} {tag}"] = list(members(inside))
        elif "(" in statement:
            lines.append(re.sub(r" ?([*(),]) ?", r"\1", statement).replace(",", ", ").replace("*", " *"))
    return structs, values, lines


def layout(cc, headers, structs, values):
    """What the compiler says of sizes, places and values, as lines."""
    rows = []
    for name, inside in sorted(structs.items()):
        rows.append(f'printf("struct {name}: %zu bytes\\n", sizeof({name}));')
        for member in inside:
            rows.append(f'printf("struct {name}.{member} at %zu, %zu bytes\\n", offsetof({name}, {member}), '
                        f"sizeof((({name} *)0)->{member}));")
    rows += [f'printf("enum {name} = %lld\\n", (long long){name});' for name in values]
    source = "#include <stddef.h>\n#include <stdio.h>\n" + "".join(f"#include <kloop/{h}>\n" for h in headers)
    source += "int main(void) {\n" + "\n".join(rows) + "\nreturn 0; }\n"
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "layout")
        subprocess.run([cc, "-x", "c", "-std=c11", "-I", INCLUDE, "-", "-o", program], input=source, text=True, check=True)
        return subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--update", action="store_true")
    args = parser.parse_args()
    if platform.machine() != "x86_64" or sys.maxsize < 2 ** 32:
        print(f"did not run: the list is that of 64-bit x86, and this is {platform.machine()}")
        return 77
    headers = sorted(os.listdir(os.path.join(INCLUDE, "kloop")))
    structs, values, lines = interface(declarations(args.cc, headers))
    found = layout(args.cc, headers, structs, values) + sorted(lines)
    if args.update:
        with open(LIST, "w", encoding="utf-8") as f:
            f.write("".join(line + "\n" for line in found))
    wanted = []
    if os.path.exists(LIST):
        with open(LIST, encoding="utf-8") as f:
            wanted = f.read().splitlines()
    name = os.path.relpath(LIST, ROOT)
    faults = [f"no longer so: {line}" for line in wanted if line not in set(found)]
    faults += [f"not in {name}: {line}" for line in found if line not in set(wanted)]
    if faults:
        faults.append("if that is meant: python3 -B tests/house/abi_layout.py --update, and a line in CHANGELOG.md")
    return report("binary interface", faults, f"{len(structs)} structs, {len(values)} values, {len(lines)} functions and types")


sys.exit(main())
