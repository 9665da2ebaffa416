# SPDX-License-Identifier: BSD-2-Clause
"""What every program of this folder prints: figures, each with its spread and, where there is one, its target.

A figure is judged by the median of its rounds, unless it is said otherwise in its label. With --json each is a line as the other
benchmarks print it (bench/report.py reads them); without, a line for people."""

import argparse
import json
import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


class Sheet:
    def __init__(self, suite, as_json):
        self.suite, self.as_json, self.missed = suite, as_json, 0

    def _say(self, line, words):
        print(json.dumps({"suite": self.suite, **line}) if self.as_json else words, flush=True)

    def figure(self, label, values, unit, at_least=None, at_most=None, judge=statistics.median):
        """values: of all rounds, or the only one. Answers what is judged."""
        values = sorted(values) if isinstance(values, (list, tuple)) else [values]
        value = judge(values)
        targets = [f"{word} {number:g}" for word, number in (("at least", at_least), ("at most", at_most))
                   if number is not None]
        verdict = ""
        if targets:
            met = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
            verdict = "ok" if met else "MISSED"
            self.missed += not met
        spread = f" ({values[0]:,.4g} to {values[-1]:,.4g})" if len(values) > 1 else ""
        self._say({"ratio": label, "value": value, "unit": unit, "low": values[0], "high": values[-1], "rounds": len(values),
                   "at_least": at_least, "at_most": at_most, "verdict": verdict},
                  f"{label:66} {value:>12,.6g} {unit:3}{spread:26} {', '.join(targets):16} {verdict}".rstrip())
        return value

    def note(self, text):
        """What a reader has to know about the figures."""
        self._say({"note": text}, f"note: {text}")

    def end(self):
        """The exit code."""
        return 1 if self.missed else 0


def arguments(words, more=None):
    """The flags that all of them have; more(parser) adds others."""
    parser = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), metavar="DIR", help="where the tree is built")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: a look, not a measurement")
    parser.add_argument("--rounds", type=int, metavar="N", help="3, or 1 with --quick")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the parts with this in their names")
    parser.add_argument("--go", default="", help="which Go builds franz-go's program (go, or /usr/local/go/bin/go)")
    if more:
        more(parser)
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.kloop = os.path.join(options.build, "bin", "kloop")
    if not os.path.exists(options.kloop):
        parser.error(f"there is no {options.kloop}: ./dev build")
    return options


def progress(text):
    """To people who wait."""
    print(text, file=sys.stderr, flush=True)
