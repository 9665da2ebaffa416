#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every relative link in the tree's Markdown leads to a file that is there, and every anchor to a heading of it.

    links.py [FILE...]       without files: all pages of the tree
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LINK = re.compile(r"!?\[(?:[^\[\]]|!?\[[^\]]*\]\([^)]*\))*\]\(([^()\s]+)\)|<img [^>]*?src=\"([^\"]+)\"|<a href=\"([^\"]+)\"")
FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)


def pages():
    for where, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in ("build", "node_modules", "target"))
        yield from (os.path.join(where, name) for name in sorted(names) if name.endswith(".md"))


def anchors(text, known={}):  # pylint: disable=dangerous-default-value
    """As GitHub makes them of headings."""
    if text not in known:
        found = set()
        for heading in re.findall(r"^#{1,6} +(.+?) *#*$", FENCE.sub("", text), re.MULTILINE):
            words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
            slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            one, n = slug, 0
            while one in found:
                n += 1
                one = f"{slug}-{n}"
            found.add(one)
        known[text] = found
    return known[text]


def check(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    # Code is not read as Markdown.
    plain = re.sub(r"`[^`\n]*`", "``", FENCE.sub("", text))
    for groups in LINK.findall(plain):
        link = next(filter(None, groups))
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
        if not os.path.exists(target):
            yield f"{link}: there is no {os.path.relpath(target, ROOT)}"
        elif anchor and target.endswith(".md"):
            with open(target, encoding="utf-8") as f:
                if anchor not in anchors(f.read()):
                    yield f"{link}: {os.path.relpath(target, ROOT)} has no such heading"


def main():
    files = [os.path.abspath(name) for name in sys.argv[1:]] or list(pages())
    bad = [f"{os.path.relpath(path, ROOT)}: {what}" for path in files for what in check(path)]
    print("\n".join(bad) or f"links: those of {len(files)} pages lead somewhere")
    return 1 if bad or not files else 0


sys.exit(main())
