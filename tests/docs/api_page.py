#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes docs/API.md from the public headers: each declaration with the comment above it, as it stands there.

    api_page.py > docs/API.md
    api_page.py --check docs/API.md      does the file say the same? Exit code 1 if not

It knows the form that clang-format gives the headers, not C: a declaration begins in the first column and ends with a semicolon, or
a brace, outside of all braces. What it does not understand is an error, not left out.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, "include", "kloop")

# In this order; a header that is not named here comes last.
GROUPS = (
    ("The producer on a libuv loop", ("kloop.h", "config.h", "record.h")),
    ("Looking inside, and hooks", ("stats.h", "stats_text.h", "hooks.h")),
    ("The producer on any loop", ("engine.h", "tls.h")),
    ("The protocol alone", ("wire.h", "messages.h", "batch.h", "broker_error.h", "fault.h")),
    ("What all of them speak in", ("types.h", "export.h", "config_keys.h")),
)
HEAD = """# API reference

Written by `tests/docs/api_page.py` from the headers in [include/kloop](../include/kloop), whose comments these are. How it all hangs together is in
[EMBEDDING.md](EMBEDDING.md), what the configuration's keys mean in [CONFIG.md](CONFIG.md), what errors mean in [ERRORS.md](ERRORS.md).
"""
LONG = 30  # lines: tables in macros are not repeated

SECTION = re.compile(r"/\* ---- (.*?) ---- \*/")
NAMES = (
    re.compile(r"^#define (\w+)"),
    re.compile(r"^typedef [^;{]*\(\*(\w+)\)"),
    re.compile(r"}\s*(\w+);$"),
    re.compile(r"^typedef [^;{]*?(\w+);$"),
    re.compile(r"^(?:struct|enum) (\w+) {"),
    re.compile(r"^[^(={]*?\b(\w+)\("),
    re.compile(r"^(enum) {"),
)


class Entry:
    """One heading: declarations that stand together under one comment."""

    def __init__(self, name, comment, code):
        self.name, self.comment, self.code, self.others = name, comment, code, []


def fail(where, what):
    raise SystemExit(f"api_page: {where}: {what}")


def cut_comment(text):
    """The words of a block comment, with the indentation that they have inside."""
    lines = text[2:-2].strip("\n").split("\n")
    lines = [re.sub(r"^ \* ?", "", line) if i or line.startswith(" *") else line.lstrip() for i, line in enumerate(lines)]
    return "\n".join(line.rstrip() for line in lines).strip("\n").rstrip()


def name_of(where, code):
    for pattern in NAMES:
        found = pattern.search(code)
        if found:
            return found[1]
    return fail(where, f"what is declared here?\n{code}")


def statement(lines, at):
    """The declaration that begins at this line, and the line behind it."""
    depth, begin = 0, at
    while at < len(lines):
        bare = re.sub(r"/\*.*?\*/|\"[^\"]*\"", "", lines[at])
        # A comment of several lines inside a struct.
        if "/*" in bare:
            bare = bare[:bare.index("/*")]
            while "*/" not in lines[at]:
                at += 1
        depth += bare.count("{") - bare.count("}")
        at += 1
        if depth == 0 and bare.rstrip().endswith((";", "}")):
            return "\n".join(lines[begin:at]), at
    return fail(lines[begin], "it does not end")


def shown(code):
    if code.startswith("KLOOP_API "):
        # What stood below its parenthesis still does.
        code = code[10:].replace("\n" + 10 * " ", "\n")
    if re.match(r"^static inline", code):
        code = re.sub(r"^static inline ", "", code[:code.index("\n{")]) + ";"
    lines = code.split("\n")
    if len(lines) > LONG and code.startswith("#define"):
        return lines[0].rstrip("\\").rstrip() + " ..."
    return "\n".join(line.rstrip() for line in lines)


def read_header(name):
    """What the header says of itself, and its sections: (title, entries)."""
    with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
        text = f.read()
    text = re.sub(r"#ifdef __cplusplus\n.*?#endif\n", "", text, flags=re.DOTALL)
    lines = text.split("\n")
    about, sections = None, [("", [])]
    comment, together, at, started = None, False, 1, False
    while at < len(lines):
        line = lines[at]
        if line.startswith("/*"):
            end = at
            while "*/" not in lines[end]:
                end += 1
            words = "\n".join(lines[at:end + 1])
            section = SECTION.fullmatch(words)
            at = end + 1
            if about is None:
                about = cut_comment(words)
            elif section:
                sections.append((section[1], []))
            else:
                comment, together = cut_comment(words), False
            continue
        if line.startswith("#"):
            end = at
            while lines[end].endswith("\\"):
                end += 1
            code = "\n".join(lines[at:end + 1])
            at = end + 1
            macro = re.match(r"#define (\w+)[ (]", code)
            if not started or not macro:
                # Include guards and includes; what comes before the first declaration is no part of the interface.
                started = started or bool(re.match(r"#include <|#define \w+_H$", code))
                comment = None if not macro else comment
                continue
        elif not line.strip():
            comment, together, at = (comment if comment and at and lines[at - 1].endswith("*/") else None), False, at + 1
            continue
        else:
            code, at = statement(lines, at)
            if re.fullmatch(r"struct \w+;", code):
                continue  # somebody else's
        entries = sections[-1][1]
        if together and comment is None:
            entries[-1].code += "\n" + shown(code)
            entries[-1].others.append(name_of(name, code))
        else:
            entries.append(Entry(name_of(name, code), comment, shown(code)))
        comment, together = None, True
    return about, sections


# ---- writing -----------------------------------------------------------------------------------------------------------------


def inline(text):
    """Names as code; nothing that Markdown would take for something else."""
    text = re.sub(r"(?<![\w`])(<kloop/\w+\.h>|(?:kloop|uv)_\w+(?:\(\))?|KLOOP_\w+)", r"`\1`", text)
    pieces = text.split("`")
    for i in range(0, len(pieces), 2):
        pieces[i] = pieces[i].replace("<", "&lt;").replace("*", "\\*").replace("[", "\\[")
    return "`".join(pieces)


def prose(text):
    """A comment as Markdown: what is indented in it stays as it is."""
    out, plain, fixed = [], [], []

    def flush():
        if plain:
            out.append(inline(" ".join(plain)))
            plain.clear()
        if fixed:
            while not fixed[-1]:
                fixed.pop()
            shift = min(len(line) - len(line.lstrip()) for line in fixed if line)
            out.append("```c\n" + "\n".join(line[shift:] for line in fixed) + "\n```")
            fixed.clear()

    for line in text.split("\n"):
        if not line:
            if fixed:
                fixed.append(line)
            elif plain:
                flush()
        elif line.startswith("- "):
            flush()
            plain.append(line)
        elif line.startswith(" ") and not (plain and plain[0].startswith("- ") and re.match(r"  \S", line)):
            if plain:
                flush()
            fixed.append(line)
        else:
            if fixed:
                flush()
            plain.append(line.strip())
    flush()
    return "\n\n".join(out)


def write():
    known = [name for _, names in GROUPS for name in names]
    new = sorted(name for name in os.listdir(FOLDER) if name.endswith(".h") and name not in known)
    groups = [*GROUPS, *([("More", tuple(new))] if new else [])]
    index, body = [], []
    for title, names in groups:
        index.append(f"\n**{title}**\n")
        for name in names:
            if not os.path.exists(os.path.join(FOLDER, name)):
                continue
            about, sections = read_header(name)
            entries = [entry for _, some in sections for entry in some]
            anchor = name.replace(".", "")
            links = [f"[{one}](#{e.name.lower()})" for e in entries for one in (e.name, *e.others)
                     if one != "enum"]
            index.append(f"- [`<kloop/{name}>`](#kloop{anchor}): " + ", ".join(links))
            body.append(f"\n## `<kloop/{name}>`\n\n{prose(about)}\n")
            for words, some in sections:
                if words:
                    body.append(f"\n**{words}**\n")
                for e in some:
                    heading = "" if e.name == "enum" else f"### {e.name}\n\n"
                    body.append(f"\n{heading}```c\n{e.code}\n```\n" + (f"\n{prose(e.comment)}\n" if e.comment else ""))
    return HEAD + "\n## Index\n" + "\n".join(index) + "\n" + "".join(body)


def main():
    page = write()
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        with open(sys.argv[2], encoding="utf-8") as f:
            if f.read() == page:
                return 0
        print(f"{sys.argv[2]} does not say what the headers say: python3 -B tests/docs/api_page.py > docs/API.md")
        return 1
    sys.stdout.write(page)
    return 0


sys.exit(main())
