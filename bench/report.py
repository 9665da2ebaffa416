#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Turns what the benchmarks printed into a report: report.py FOLDER NAME... reads FOLDER/NAME.jsonl and writes
FOLDER/report.json (the machine, then every line as it was) and FOLDER/report.txt (for people)."""

import json
import os
import platform
import subprocess
import sys


def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def table(rows):
    """Left-aligned first column, right-aligned others."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip()


def number(value):
    """Four digits that count, and no exponent."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def text(machine, suites):
    yield from (f"{key}: {value}" for key, value in machine.items())
    for name, lines in suites.items():
        cases = [line for line in lines if "case" in line]
        if cases:
            yield ""
            yield from table([[name, "ns/op", "quarter", "3 quarters", "min", "MB/s"]] + [
                [c["case"], *(f"{c[key]:.2f}" for key in ("ns_per_op", "ns_quarter", "ns_three_quarters", "ns_min")),
                 f"{c['mb_per_s']:.0f}" if c["mb_per_s"] else ""] for c in cases])
        ratios = [line for line in lines if "ratio" in line]
        if ratios:
            yield ""
            yield from table([["ratio" if cases else name, "value", "rounds", "target", ""]] + [
                [r["ratio"], f"{number(r['value'])} {r['unit']}".rstrip(),
                 f"{number(r['low'])} to {number(r['high'])}" if r.get("rounds", 1) > 1 else "",
                 " ".join(f"{word} {number(r[key])}" for key, word in (("at_least", "at least"), ("at_most", "at most"))
                          # bench.h has 0 for none, figures/sheet.py nothing.
                          if r[key] or r[key] == 0 and "low" in r),
                 r["verdict"]] for r in ratios])
        yield from (f"note: {line['note']}" for line in lines if "note" in line)


def main():
    folder, names = sys.argv[1], sys.argv[2:]
    machine = {
        "commit": first_line("git", "describe", "--always", "--dirty"),
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "compiler": first_line("cc", "--version"),
    }
    suites = {}
    for name in names:
        with open(os.path.join(folder, name + ".jsonl"), encoding="utf-8") as f:
            suites[name] = [json.loads(line) for line in f]
    with open(os.path.join(folder, "report.json"), "w", encoding="utf-8") as f:
        json.dump({"machine": machine, "results": [line for lines in suites.values() for line in lines]}, f, indent=1)
        f.write("\n")
    with open(os.path.join(folder, "report.txt"), "w", encoding="utf-8") as f:
        f.writelines(line + "\n" for line in text(machine, suites))


if __name__ == "__main__":
    main()
