#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The pictures of README.md: kloop in a real terminal, and what was on its screen as SVG.

    make.py [--build DIR] [NAME...]

Each picture is a run that takes place while it is made, in a tmux of its own (tests/cli/tmux_pane.py); nothing of it is written by
hand. Needs tmux and the built command."""

import argparse
import html
import os
import re
import sys
import unicodedata

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "cli"))
# pylint: disable=wrong-import-position
from sink_process import Sink  # noqa: E402
from tmux_pane import Pane, missing  # noqa: E402

# Of a cell, in pixels; the letters are a little smaller than it is high.
WIDE, HIGH, LETTER = 8.0, 18.0, 13.2
EDGE, TITLE = 16.0, 34.0
BACK, BAR, FRONT, FAINT = "#161b22", "#21262d", "#d6dde6", "#7d8793"
COLOURS = {30: "#484f58", 31: "#ff7b72", 32: "#56d364", 33: "#e3b341", 34: "#79c0ff", 35: "#d2a8ff", 36: "#56d4dd", 37: FRONT}
ESCAPE = re.compile(r"\x1b\[([0-9;]*)m")


# ---- Cells ----

class Style:
    """What is set at the moment."""

    def __init__(self):
        self.colour, self.faint, self.bold = None, False, False

    def set(self, codes):
        for code in (int(word or 0) for word in codes.split(";")):
            if code == 0:
                self.__init__()
            elif code == 1:
                self.bold = True
            elif code == 2:
                self.faint = True
            elif code == 22:
                self.bold = self.faint = False
            elif code == 39:
                self.colour = None
            elif 30 <= code <= 37:
                self.colour = code

    def paint(self):
        return (FAINT if self.faint and not self.colour else COLOURS.get(self.colour, FRONT)), self.bold


def cells(line, style):
    """(letter, (colour, bold)) for each column."""
    out, at = [], 0
    for escape in [*ESCAPE.finditer(line), None]:
        text = line[at:escape.start() if escape else len(line)]
        for letter in text:
            if unicodedata.east_asian_width(letter) in "WF":
                raise ValueError(f"a letter of two columns: {letter!r}")
            out.append((letter, style.paint()))
        if escape:
            style.set(escape[1])
            at = escape.end()
    return out


def dress(screen, columns):
    """What was typed stands out, also where it went on in the next line."""
    typed = False
    for line in screen:
        if line.startswith("$ "):
            yield f"\x1b[1;32m$\x1b[0m \x1b[1m{line[2:]}\x1b[0m"
            typed = len(line) == columns
        elif typed:
            yield f"\x1b[1m{line}\x1b[0m"
            typed = len(line) == columns
        else:
            yield line


# ---- SVG ----

def block(letter, x, y, colour):
    """Letters that are pictures are drawn, so that no font can spoil them; None: it is none."""
    code = ord(letter)
    if 0x2581 <= code <= 0x2588:
        part = (code - 0x2580) / 8
        box = (x, y + HIGH * (1 - part), WIDE, HIGH * part)
    elif 0x2589 <= code <= 0x258F:
        box = (x, y + 3, WIDE * (0x2590 - code) / 8, HIGH - 6)
    elif code == 0x2500:
        box = (x, y + HIGH / 2 - 1, WIDE, 2)
    else:
        return None
    return '<rect x="{:g}" y="{:g}" width="{:g}" height="{:g}" fill="{}"/>'.format(*(round(v, 2) for v in box), colour)


def row(line_cells, y, bars):
    """Runs of one paint as text, pictures as boxes. bars: full blocks are a bar, not columns of a sparkline."""
    out, at = [], 0
    while at < len(line_cells):
        letter, paint = line_cells[at]
        if letter == "█" and bars:
            box = f'<rect x="{EDGE + at * WIDE:g}" y="{y + 3:g}" width="{WIDE:g}" height="{HIGH - 6:g}" fill="{paint[0]}"/>'
        else:
            box = block(letter, EDGE + at * WIDE, y, paint[0])
        if box:
            out.append(box)
            at += 1
            continue
        end = at
        while end < len(line_cells) and line_cells[end][1] == paint and not block(line_cells[end][0], 0, 0, ""):
            end += 1
        text = "".join(letter for letter, _ in line_cells[at:end])
        if text.strip():
            lead = len(text) - len(text.lstrip())
            text = text.strip()
            weight = ' font-weight="600"' if paint[1] else ""
            out.append(f'<text x="{EDGE + (at + lead) * WIDE:g}" y="{y + HIGH - 5:g}" textLength="{len(text) * WIDE:g}" '
                       f'lengthAdjust="spacingAndGlyphs" fill="{paint[0]}"{weight}>{html.escape(text, quote=False)}</text>')
        at = end
    return out


def merge(boxes):
    """Boxes side by side of one height and colour are one."""
    out = []
    shape = re.compile(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" fill="([^"]+)"/>')
    for box in boxes:
        now, before = shape.fullmatch(box), shape.fullmatch(out[-1]) if out else None
        if now and before and now.group(2, 4, 5) == before.group(2, 4, 5) and \
                abs(float(before[1]) + float(before[3]) - float(now[1])) < 0.01:
            out[-1] = (f'<rect x="{before[1]}" y="{before[2]}" width="{float(before[3]) + float(now[3]):g}" height="{before[4]}" '
                       f'fill="{before[5]}"/>')
        else:
            out.append(box)
    return out


def picture(screen, title, columns):
    wide, high = columns * WIDE + 2 * EDGE, len(screen) * HIGH + TITLE + 1.2 * EDGE
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:g}" height="{high:g}" viewBox="0 0 {wide:g} {high:g}" role="img" '
           f'aria-label="{html.escape(title)}" font-size="{LETTER}" xml:space="preserve" font-family="ui-monospace, SFMono-Regular, '
           f'Menlo, Consolas, Liberation Mono, DejaVu Sans Mono, monospace">',
           f"<title>{html.escape(title)}</title>",
           f'<rect width="{wide:g}" height="{high:g}" rx="9" fill="{BACK}"/>',
           f'<path d="M0 {TITLE - 6:g}V9a9 9 0 0 1 9-9H{wide - 9:g}a9 9 0 0 1 9 9V{TITLE - 6:g}Z" fill="{BAR}"/>']
    for index, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        out.append(f'<circle cx="{18 + index * 18}" cy="{(TITLE - 6) / 2:g}" r="5.5" fill="{colour}"/>')
    out.append(f'<text x="{wide / 2:g}" y="{TITLE / 2 + 2:g}" text-anchor="middle" fill="{FAINT}" font-size="12">'
               f"{html.escape(title)}</text>")
    style, y = Style(), TITLE + 4
    for line in dress(screen, columns):
        line_cells = cells(line, style)
        text = "".join(letter for letter, _ in line_cells)
        spark = re.search(r"  [▁▂▃▄▅▆▇█]+$", text)
        cut = spark.start() if spark and "rec/s" in text else len(line_cells)
        blank = [(" ", line_cells[0][1])] * cut if line_cells else []
        out += merge(row(line_cells[:cut], y, True) + row(blank + line_cells[cut:], y, False))
        y += HIGH
    return "\n".join([*out, "</svg>", ""])


# ---- The runs ----

def shown(pane):
    """As it is seen: broken lines stay broken."""
    return pane.screen(escapes=True, joined=False)


def folded(pane, columns):
    """What ends in a report has lines that are longer than the picture is wide. A terminal breaks them anywhere; here it is between
    words."""
    out = []
    for line in pane.screen(escapes=True, joined=True):
        while len(words(line)) > columns:
            seen = at = cut = 0
            while seen <= columns:
                escape = ESCAPE.match(line, at)
                if escape:
                    at = escape.end()
                    continue
                if line[at] == " ":
                    cut = at
                seen, at = seen + 1, at + 1
            out.append(line[:cut])
            line = line[cut + 1:]
        out.append(line)
    return out


def words(line):
    return ESCAPE.sub("", line)


def seconds_of(screen):
    """How many the sparkline has."""
    spark = re.search(r"[▁▂▃▄▅▆▇█]+$", screen[-1])
    return len(spark[0]) if spark else 0


def live(pane):
    """While it runs: the lines of two intervals and the live line."""
    pane.type("kloop perf --sink --num-records 40000000 --record-size 100 --throughput 1000000")
    pane.wait(lambda lines: sum("max latency." in line for line in lines) >= 2 and seconds_of(lines) >= 14)
    screen = shown(pane)
    pane.press("C-c")
    pane.wait_prompt()
    return screen


def report(pane):
    """The end: the lines of Kafka's tool, what was delivered, how latency was distributed."""
    pane.type("kloop perf --sink --num-records 300000 --record-size 100 --throughput 100000 -X compression.type=zstd")
    pane.wait_prompt()
    screen = folded(pane, 126)[:-1]
    end = next(i for i, line in enumerate(screen) if words(line).startswith("the sink stored"))
    return screen[:end]


def errors(pane):
    """Not all are delivered: by error, topic and partition, with a sample and what to do."""
    kloop = os.path.join(pane.folder, "kloop")
    with Sink(kloop, "--topic", "orders:6", "--error", "INVALID_TIMESTAMP@0.02", "--error", "TOPIC_AUTHORIZATION_FAILED@0.02",
              listen="127.0.0.1:9092") as sink:
        pane.type(f"kloop perf -b {sink.place} --topic orders --num-records 20000 --record-size 200 --throughput 10000")
        pane.wait_prompt()
        screen = folded(pane, 126)[:-1]
    begin = next(i for i, line in enumerate(screen) if " so far" in words(line)) - 1
    end = next(i for i, line in enumerate(screen) if re.match(r"kloop perf: .* not delivered", words(line)))
    return screen[:begin] + [""] + screen[end:]


PICTURES = {"live": (live, 126, 12), "report": (report, 126, 50), "errors": (errors, 126, 50)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), metavar="DIR", help="where the tree is built")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PICTURES)}: all")
    options = parser.parse_args()
    if missing():
        sys.exit(missing())
    kloop = os.path.abspath(os.path.join(options.build, "bin", "kloop"))
    for name in options.names or PICTURES:
        take, columns, rows = PICTURES[name]
        with Pane(columns, rows) as pane:
            os.symlink(kloop, os.path.join(pane.folder, "kloop"))
            pane.type(f"PATH={pane.folder}:$PATH; clear")
            pane.wait_prompt()
            screen = take(pane)
        path = os.path.join(HERE, name + ".svg")
        with open(path, "w", encoding="utf-8") as file:
            file.write(picture(screen, "kloop perf", columns))
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
