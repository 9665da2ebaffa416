#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""kloop's wire code against Kafka's own classes; see README.md beside this file."""

import argparse
import collections
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
from damage import broken_json, doubtful_json, mend_batch, mutate, objects, parse, show, text_of  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
MESSAGES = os.path.join(HERE, "messages.golden")
BATCHES = os.path.join(HERE, "batches.golden")
GOLDEN_SEED, GOLDEN_COUNT, GOLDEN_BATCHES = 20, 6, 60
SKIPPED = 77

ERROR = re.compile(rb"error: [^\x00-\x1f\x7f]+ at byte ([0-9]+)\Z")

# What Kafka's reader lets through and kloop may refuse. A form that is not here must be read as Kafka reads it.
MAY_REFUSE = {
    "varint-long": "varint longer than needed",
    "varint-spare-bits": "varint with bits above the 32nd",
    "bool": "bool other than 0 and 1",
    "null-length": "null length other than -1",
    "tag-order": "tags out of order",
    "tag-twice": "tag twice",
    "tag-size": "wrong size of a known tag",
    "tag-count-negative": "tag count above 2^31",
    "utf8": "invalid UTF-8",
    "count-zero": "record count 0 with bytes behind the header",
    "empty-packed": "codec set in a batch of 61 bytes",
    "packing-tail": "bytes behind the end of the packing",
    "packing": "packed bytes changed",
}


class Fatal(Exception):
    pass


# ---- tools -------------------------------------------------------------------------------------------------------------------


def write_lines(path, lines):
    with open(path, "wb") as file:
        for line in lines:
            file.write(line + b"\n")


def read_lines(path):
    with open(path, "rb") as file:
        data = file.read()
    if data and not data.endswith(b"\n"):
        raise Fatal(f"{path} does not end with a newline: {data[-200:]!r}")
    return data.split(b"\n")[:-1]


def read_golden(path):
    return [line for line in read_lines(path) if line and not line.startswith(b"#")]


class Filter:
    """Runs line filters over whole files, which stay in the run's directory to be looked at."""

    def __init__(self, directory, kloop, java):
        self.directory, self.kloop_path, self.java_command = directory, kloop, java
        os.makedirs(directory, exist_ok=True)

    def _run(self, command, name, lines, what):
        source, target = (os.path.join(self.directory, name + end) for end in (".in", ".out"))
        write_lines(source, lines or [])
        with open(source, "rb") as stdin, open(target, "wb") as stdout:
            process = subprocess.run(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, check=False)
        if process.returncode != 0:
            done = open(target, "rb").read().count(b"\n")
            near = lines[done] if lines and done < len(lines) else b""
            raise Fatal(f"{what} ended with {process.returncode} after {done} of {len(lines or [])} lines of {source}\n"
                        f"{process.stderr[-2000:].decode(errors='replace')}\nnext line: {near[:2000]!r}")
        answers = read_lines(target)
        if lines is not None and len(answers) != len(lines):
            raise Fatal(f"{what} gave {len(answers)} lines for {len(lines)}: {source} {target}")
        return answers

    def kloop(self, command, name, lines):
        return self._run([self.kloop_path, "wire", command], f"kloop-{name}", lines, f"kloop wire {command}")

    def java(self, command, name, lines=None, *options):
        return self._run(self.java_command + [command, *map(str, options)], f"java-{name}", lines, f"Golden {command}")


def plain(name):
    return re.sub("[^A-Za-z0-9]+", "-", name)


def meaning(text):
    """One text for all that mean the same: exact integers, 1 and true and 1.0 kept apart, order of keys ignored."""
    return json.dumps(parse(text.decode()), sort_keys=True)


def same_json(one, other):
    if one == other:
        return True
    try:
        return meaning(one) == meaning(other)
    except (ValueError, RecursionError):
        return False


class Report:
    def __init__(self, directory):
        self.directory = directory
        self.rows = collections.OrderedDict()
        self.allowed = collections.Counter()

    def row(self, name):
        return self.rows.setdefault(name, [0, 0, 0])

    def good(self, name, count=1):
        self.row(name)[0] += count

    def allow(self, name, why, reason):
        self.row(name)[1] += 1
        reason = re.sub(rb"\A[][A-Za-z0-9.]+: ", b"", reason)  # the field's path
        reason = re.sub(rb"-?(?<![A-Za-z])[0-9]+", b"N", reason).decode(errors="replace")
        self.allowed[why, reason[:100]] += 1

    def bad(self, name, why, **parts):
        row = self.row(name)
        row[2] += 1
        if row[2] <= 5:
            print(f"\nDISAGREE [{name}] {why}", *(f"  {key:6} {show(value)}" for key, value in parts.items()), sep="\n")
        file = os.path.join(self.directory, f"disagree-{plain(name)}.txt")
        with open(file, "ab" if row[2] > 1 else "wb") as out:
            out.write(f"# {why}\n".encode())
            for key, value in parts.items():
                out.write(key.encode() + b": " + (value if isinstance(value, bytes) else str(value).encode()) + b"\n")

    def expect(self, name, fine, why, **parts):
        if fine:
            self.good(name)
        else:
            self.bad(name, why, **parts)

    def close(self):
        if self.allowed:
            print("\nstricter than Kafka where that is allowed (or, marked +, laxer):")
            for (why, reason), count in sorted(self.allowed.items(), key=lambda item: (item[0][0], -item[1])):
                print(f"  {count:7}  {why}: {reason}")
        print(f"\n{'check':34}{'agree':>10}{'allowed':>10}{'disagree':>10}")
        for name, (good, allowed, bad) in self.rows.items():
            print(f"{name:34}{good:10}{allowed:10}{bad:10}")
        failed = sum(row[2] for row in self.rows.values())
        total = sum(sum(row) for row in self.rows.values())
        print(f"{'total':34}{total - failed - sum(r[1] for r in self.rows.values()):10}"
              f"{sum(r[1] for r in self.rows.values()):10}{failed:10}")
        if failed:
            print(f"every disagreement with its input: {self.directory}/disagree-*.txt")
        return 1 if failed else 0


def is_error(answer, size):
    """kloop's refusal: a reason and a byte that lies in the input or at its end."""
    match = ERROR.match(answer)
    return bool(match) and int(match.group(1)) <= size


# ---- Java --------------------------------------------------------------------------------------------------------------------


def skip(why):
    print(f"golden: skipped: {why}")
    sys.exit(1 if os.environ.get("CI") == "true" else SKIPPED)


def build_java(directory):
    """Compiles with Maven, once for each state of the sources, without the network where that will do."""
    for program in ("java", "javac"):
        if not shutil.which(program):
            skip(f"no {program} (17 or later) here")
    sources = [os.path.join(HERE, "pom.xml")]
    for path, _, names in os.walk(os.path.join(HERE, "src")):
        sources += [os.path.join(path, name) for name in names]
    digest = hashlib.sha256()
    for source in sorted(sources):
        digest.update(open(source, "rb").read() + b"\0")
    stamp = os.path.join(directory, "stamp")
    if not (os.path.exists(stamp) and open(stamp, encoding="ascii").read() == digest.hexdigest()):
        if not shutil.which("mvn"):
            skip("no mvn here to build the Java side")
        shutil.rmtree(directory, ignore_errors=True)
        command = ["mvn", "-q", "-B", "-f", os.path.join(HERE, "pom.xml"), f"-DbuildDirectory={directory}", "compile"]
        offline = subprocess.run(command + ["-o"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=300)
        if offline.returncode != 0:
            online = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=300)
            if online.returncode != 0:
                raise Fatal("mvn could not build the Java side:\n" + online.stdout[-4000:].decode(errors="replace"))
        with open(stamp, "w", encoding="ascii") as file:
            file.write(digest.hexdigest())
    return ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx1g", "-cp",
            os.path.join(directory, "classes") + os.pathsep + os.path.join(directory, "libs", "*"), "kloop.golden.Golden"]


# ---- what both modes check ---------------------------------------------------------------------------------------------------


def spoken(run, known):
    """The APIs of `kloop wire apis` among those known here."""
    text = b"\n".join(run._run([run.kloop_path, "wire", "apis"], "kloop-apis", None, "kloop wire apis")).decode()
    words = set(re.findall(r"[A-Za-z]+", text))
    return [api for api in known if api in words]


def check_decode(run, report, name, command, inputs, wanted):
    answers = run.kloop(command, plain(name), inputs)
    for line, want, got in zip(inputs, wanted, answers):
        report.expect(name, same_json(want, got), "JSON differs", input=line, want=want, kloop=got)
    return answers


def check_encode(run, report, name, command, inputs, wanted):
    answers = run.kloop(command, plain(name), inputs)
    for line, want, got in zip(inputs, wanted, answers):
        report.expect(name, want == got, "bytes differ", input=line, want=want, kloop=got)


def split_messages(lines):
    """(API VERSION DIRECTION, HEX, JSON, whether the JSON gives the HEX)"""
    messages = []
    for line in lines:
        parts = line.split(b"\t")
        head, _, wire = parts[0].rpartition(b" ")
        messages.append((head, wire, parts[1], len(parts) == 2))
    return messages


def split_batches(lines):
    """(HEX, JSON array, whether the JSON gives the HEX)"""
    return [(parts[0], parts[1], len(parts) == 2) for parts in (line.split(b"\t") for line in lines)]


def batch_jsons(text):
    """The array's batches, each as a line for batch-encode."""
    for batch in parse(text.decode()):
        batch.pop("crc")
        yield json.dumps(batch, ensure_ascii=False, separators=(",", ":")).encode()


def check_batch_encode(run, report, name, batches):
    """Byte for byte where the JSON says all; returns every (HEX by kloop, JSON)."""
    inputs = [(line, n) for n, (_, text, _) in enumerate(batches) for line in batch_jsons(text)]
    answers = run.kloop("batch-encode", plain(name), [line for line, _ in inputs])
    joined = collections.defaultdict(bytes)
    for (_, n), answer in zip(inputs, answers):
        joined[n] += answer
    for n, (wire, text, exact) in enumerate(batches):
        if exact:
            report.expect(name, joined[n] == wire, "bytes differ", input=text, want=wire, kloop=joined[n])
    return [(answer, line) for (line, _), answer in zip(inputs, answers)]


def golden_only(run, report, apis):
    messages = split_messages(read_golden(MESSAGES))
    batches = split_batches(read_golden(BATCHES))
    known = list(dict.fromkeys(head.split()[0].decode() for head, *_ in messages))
    wanted = apis or spoken(run, known)
    left_out = [api for api in known if api not in wanted]
    messages = [message for message in messages if message[0].split()[0].decode() in wanted]
    if not messages:
        raise Fatal("kloop wire apis lists none of the APIs in messages.golden")
    check_decode(run, report, "golden decode", "decode", [h + b" " + w for h, w, _, _ in messages], [j for _, _, j, _ in messages])
    exact = [message for message in messages if message[3]]
    check_encode(run, report, "golden encode", "encode", [h + b" " + j for h, _, j, _ in exact], [w for _, w, _, _ in exact])
    loose = [message for message in messages if not message[3]]
    again = run.kloop("encode", "golden-loose", [h + b" " + j for h, _, j, _ in loose])
    check_decode(run, report, "golden encode and decode", "decode", [m[0] + b" " + w for m, w in zip(loose, again)],
                 [j for _, _, j, _ in loose])
    check_decode(run, report, "golden batch-decode", "batch-decode", [w for w, _, _ in batches], [j for _, j, _ in batches])
    encoded = check_batch_encode(run, report, "golden batch-encode", batches)
    answers = run.kloop("batch-decode", "golden-batch-again", [wire for wire, _ in encoded])
    for (wire, want), got in zip(encoded, answers):
        try:
            fine = same_json(b"[" + next(batch_jsons(got)) + b"]", b"[" + want + b"]")
        except (ValueError, KeyError, StopIteration, AttributeError):
            fine = False
        report.expect("golden batch-encode and decode", fine, "JSON differs", input=want, hex=wire, kloop=got)
    if left_out:
        print("not spoken by this kloop, left out:", ", ".join(left_out))


def compare_verdicts(report, name, inputs, sizes, verdicts, answers, packed=None):
    """Kafka's word on each input against kloop's; packed tells where the change hit packed bytes."""
    for n, (line, size, verdict, got) in enumerate(zip(inputs, sizes, verdicts, answers)):
        refused = got.startswith(b"error: ")
        if refused and not is_error(got, size):
            report.bad(name, "error line not in form, or byte out of range", input=line, kafka=verdict, kloop=got)
            continue
        if not verdict.startswith(b"ok\t"):
            if refused:
                report.good(name)
            else:
                report.bad(name, "Kafka refuses, kloop accepts", input=line, kafka=verdict, kloop=got)
            continue
        _, want, sloppy = verdict.split(b"\t")
        if not refused:
            report.expect(name, same_json(want, got), "both accept, JSON differs", input=line, kafka=want, kloop=got,
                          sloppy=sloppy)
            continue
        forms = [form for form in sloppy.decode().split(",") if form in MAY_REFUSE]
        if packed and packed[n]:
            forms.append("packing")
        if forms:
            report.allow(name, MAY_REFUSE[forms[0]], got[7:])
        else:
            report.bad(name, "Kafka accepts, kloop refuses", input=line, kafka=want, kloop=got, sloppy=sloppy)


# ---- the whole comparison ----------------------------------------------------------------------------------------------------


def by_head(messages):
    groups = collections.OrderedDict()
    for message in messages:
        groups.setdefault(message[0], []).append(message)
    return groups


def check_messages(run, report, options, apis):
    seed, names = options.seed, ",".join(apis)
    messages = split_messages(run.java("generate", "generate", None, "--seed", seed, "--count", options.count, "--api", names))
    inputs = [head + b" " + wire for head, wire, _, _ in messages]
    texts = check_decode(run, report, "decode", "decode", inputs, [text for _, _, text, _ in messages])

    # Kafka's JSON into bytes. Where tags went out that the JSON does not show, Kafka's own encoder has the word.
    loose = [head + b" " + text for head, _, text, exact in messages if not exact]
    loose_wires = iter(run.java("encode", "encode-loose", loose))
    check_encode(run, report, "encode", "encode", [head + b" " + text for head, _, text, _ in messages],
                 [wire if exact else next(loose_wires) for _, wire, _, exact in messages])

    dice = random.Random(f"{seed} style")
    restyled = [m for m in messages if m[3] and dice.random() < 0.2]
    lines = []
    for head, _, text, _ in restyled:
        value = parse(text.decode())
        for _, holder in list(objects(value)):
            items = list(holder.items())
            dice.shuffle(items)
            holder.clear()
            holder.update(items)
        styled = text_of(value, dice)
        lines.append(head + b" " + (styled.replace(b"/", b"\\/") if dice.random() < 0.3 else styled))
    check_encode(run, report, "encode, other JSON style", "encode", lines, [m[1] for m in restyled])

    # kloop's JSON into kloop's bytes; Kafka reads these.
    good = [(message[0], text) for message, text in zip(messages, texts) if not text.startswith(b"error: ")]
    wires = run.kloop("encode", "re-encode", [head + b" " + text for head, text in good])
    lines = [head + b" " + wire + b"\t" + text for (head, text), wire in zip(good, wires)]
    for line, verdict in zip(lines, run.java("check-messages", "check-messages", lines)):
        report.expect("re-encode, read by Kafka", verdict == b"ok", "Kafka disagrees", input=line, kafka=verdict)

    cut = []
    for head, group in by_head(messages).items():
        short = [wire for _, wire, _, _ in group if 0 < len(wire) <= 600]
        for wire in short[:5] + sorted(short, key=len)[-1:]:
            cut += [(head + b" " + wire[:2 * n], n) for n in range(len(wire) // 2)]
    for (line, size), got in zip(cut, run.kloop("decode", "truncated", [line for line, _ in cut])):
        report.expect("every truncation refused", is_error(got, size), "not an error line in form", input=line, kloop=got)

    lies = run.java("lies", "lies", None, "--seed", seed, "--count", max(1, options.count // 2), "--api", names)
    compare_messages(run, report, "one lie", lies)
    dice = random.Random(f"{seed} mutations")
    mutated = []
    for head, group in by_head(messages).items():
        short = [wire for _, wire, _, _ in group if len(wire) <= 1600]
        mutated += [head + b" " + mutate(dice, bytes.fromhex(dice.choice(short).decode())).hex().encode()
                    for _ in range(max(1, options.count // 2))]
    compare_messages(run, report, "mutated", mutated)
    check_json(run, report, options, messages)


def compare_messages(run, report, name, lines):
    verdicts = run.java("verdict", f"verdict-{plain(name)}", lines)
    answers = run.kloop("decode", plain(name), lines)
    compare_verdicts(report, name, lines, [len(line.rpartition(b" ")[2]) // 2 for line in lines], verdicts, answers)


def check_json(run, report, options, messages):
    dice = random.Random(f"{options.seed} json")
    elsewhere = collections.defaultdict(lambda: collections.defaultdict(list))
    small = {}
    for head, group in by_head(messages).items():
        api, _, direction = head.split()
        small[head] = [text for _, _, text, _ in group if len(text) <= 2500]
        for text in small[head][:40]:
            for path, holder in objects(parse(text.decode())):
                for key, value in holder.items():
                    kept = elsewhere[api, direction][path, key]
                    if len(kept) < 8:
                        kept.append(value)
    broken, doubtful = [], []
    for head, texts in small.items():
        api, _, direction = head.split()
        for _ in range(max(1, options.count // 5)):
            text, why = broken_json(dice, dice.choice(texts))
            broken.append((head + b" " + text.replace(b"\n", b" "), why))
            text, before = doubtful_json(dice, dice.choice(texts), elsewhere[api, direction])
            if text is not None:
                doubtful.append((head + b" " + text, head + b" " + (before or text)))
    answers = run.kloop("encode", "broken-json", [line for line, _ in broken])
    for (line, why), got in zip(broken, answers):
        report.expect("bad JSON refused", is_error(got, len(line)), why, input=line, kloop=got)
    lines = [line for line, _ in doubtful]
    verdicts = run.java("encode", "doubtful-json", lines)
    before = run.java("encode", "doubtful-json-before", [line for _, line in doubtful])
    answers = run.kloop("encode", "doubtful-json", lines)
    name = "changed JSON, as Kafka"
    for line, verdict, without, got in zip(lines, verdicts, before, answers):
        if not verdict.startswith(b"error: "):
            report.expect(name, verdict == got, "bytes differ", input=line, kafka=verdict, kloop=got)
        elif verdict.startswith(b"error: Can't read version ") and got == without:
            # Kafka's converter falls over the elements of an array that this version has not, even if it may be ignored.
            report.allow(name, "+ ignorable array that the version has not, with elements", b"left out")
        else:
            report.expect(name, is_error(got, len(line)), "Kafka refuses, kloop accepts", input=line, kafka=verdict, kloop=got)


def check_batches(run, report, options):
    seed = options.seed
    batches = split_batches(run.java("batches", "batches", None, "--seed", seed, "--count", options.batches))
    check_decode(run, report, "batch-decode", "batch-decode", [wire for wire, _, _ in batches], [text for _, text, _ in batches])
    encoded = check_batch_encode(run, report, "batch-encode, byte for byte", batches)
    lines = [wire + b"\t[" + text + b"]" for wire, text in encoded]
    for line, verdict in zip(lines, run.java("check-batches", "check-batches", lines)):
        report.expect("batch-encode, read by Kafka", verdict == b"ok", "Kafka disagrees", input=line, kafka=verdict)

    cut = []
    for wire, text, _ in [batch for batch in batches if len(batch[0]) <= 1200][:max(1, options.batches // 20)]:
        data, ends, found = bytes.fromhex(wire.decode()), {}, parse(text.decode())
        at = 0
        for n in range(len(found)):
            at += 12 + int.from_bytes(data[at + 8:at + 12], "big")
            ends[at] = json.dumps(found[:n + 1], ensure_ascii=False).encode()
        cut += [(wire[:2 * n], n, ends.get(n)) for n in range(1, len(data))]
    for (line, size, whole), got in zip(cut, run.kloop("batch-decode", "batch-truncated", [line for line, _, _ in cut])):
        if whole is None:
            report.expect("every batch truncation refused", is_error(got, size), "not an error line in form", input=line, kloop=got)
        else:
            report.expect("every batch truncation refused", same_json(whole, got), "a whole batch refused", input=line, kloop=got)

    compare_batches(run, report, "batch, one lie", run.java("batch-lies", "batch-lies", None, "--seed", seed, "--count", options.batches),
                    None)
    dice = random.Random(f"{seed} batch mutations")
    single = [wire for wire, text, _ in batches if len(wire) <= 1600 and text.count(b'"baseOffset"') == 1]
    mutated, packed = [], []
    for _ in range(options.batches if single else 0):
        sound = bytes.fromhex(dice.choice(single).decode())
        changed = mutate(dice, sound)
        if dice.random() < 0.25:
            # Only the header, so that packed records too are seen behind a strange one.
            changed = mutate(dice, sound[:61]) + sound[61:]
        changed = mend_batch(dice, changed)
        mutated.append(changed.hex().encode())
        codec = changed[22] & 7 if len(changed) > 22 else 0
        packed.append(codec != 0 and (changed[61:] != sound[61:] or codec != sound[22] & 7))
    compare_batches(run, report, "batch, mutated", mutated, packed)


def compare_batches(run, report, name, lines, packed):
    verdicts = run.java("batch-verdict", f"verdict-{plain(name)}", lines)
    answers = run.kloop("batch-decode", plain(name), lines)
    compare_verdicts(report, name, lines, [len(line) // 2 for line in lines], verdicts, answers, packed)


def check_lines(run, report, apis):
    """Lines that are no message at all, and the freedoms that a line has."""
    api = apis[0].encode()
    wrong = [b"", b" ", b"x", api, api + b" 0", api + b" 0 request 0", api + b" 0 request 0g", api + b" 0 sideways 00",
             api + b" x request 00", api + b" -1 request 00", api + b" 99 request 00", b"Nonsense 0 request 00",
             api.lower() + b" 0 request 00", api + b" 0 request 00 00", api + b" 99999999999999999999 request 00", b"\xff\xfe 0 request 00"]
    if "RequestHeader" in apis:
        wrong += [b"RequestHeader 1 response 0000", b"RequestHeader 3 request 00"]
    for command in ("decode", "encode"):
        for line, got in zip(wrong, run.kloop(command, f"lines-{command}", wrong)):
            report.expect("lines that are no message", is_error(got, len(line)), "not an error line in form", input=line, kloop=got)
    wrong = [b"", b"0", b"zz", b"00" * 61, b"00" * 60, b"00000000000000000000003100000000"]
    for line, got in zip(wrong, run.kloop("batch-decode", "lines-batch", wrong)):
        report.expect("lines that are no message", is_error(got, len(line)), "not an error line in form", input=line, kloop=got)
    wrong = [b"", b"{}", b"null", b"[{}]", b"{\"baseOffset\":0}"]
    for line, got in zip(wrong, run.kloop("batch-encode", "lines-batch-encode", wrong)):
        report.expect("lines that are no message", is_error(got, len(line)), "not an error line in form", input=line, kloop=got)
    upper = [parts for parts in split_messages(read_golden(MESSAGES)) if parts[0].split()[0].decode() in apis and parts[3]][:50]
    check_decode(run, report, "HEX in capitals", "decode", [head + b" " + wire.upper() for head, wire, _, _ in upper],
                 [text for _, _, text, _ in upper])


def write_golden(run):
    head = b"# Written by Kafka 4.3.1's own classes: python3 tests/golden/differential.py --write-golden\n"
    for path, form, lines in (
            (MESSAGES, b"# API VERSION request|response HEX, TAB, JSON[, TAB, decode-only]; decode-only: encoding the JSON gives other bytes\n",
             run.java("generate", "golden", None, "--seed", GOLDEN_SEED, "--count", GOLDEN_COUNT, "--small")),
            (BATCHES, b"# HEX, TAB, JSON array[, TAB, decode-only]; decode-only: encoding the JSON may give other bytes\n",
             run.java("batches", "golden-batches", None, "--seed", GOLDEN_SEED, "--count", GOLDEN_BATCHES, "--small"))):
        with open(path, "wb") as file:
            file.write(head + form)
            file.writelines(line + b"\n" for line in lines)
        print(f"{path}: {len(lines)} lines, {os.path.getsize(path)} bytes")


def check_golden_fresh(run, report):
    """The checked-in files are what Kafka's classes say today. Not the packed bytes: another JDK may bring another zlib."""
    kept = read_golden(MESSAGES)
    lines = run.java("generate", "golden", None, "--seed", GOLDEN_SEED, "--count", GOLDEN_COUNT, "--small")
    report.expect("messages.golden by Kafka", len(kept) == len(lines), "another number of lines", kept=len(kept), now=len(lines))
    for one, other in zip(kept, lines):
        report.expect("messages.golden by Kafka", one == other, "line differs", kept=one, now=other)
    kept = read_golden(BATCHES)
    for line, verdict in zip(kept, run.java("check-batches", "golden-batches", kept)):
        report.expect("batches.golden by Kafka", verdict == b"ok", "Kafka disagrees", input=line, kafka=verdict)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kloop", default=os.path.join(ROOT, "build", "bin", "kloop"), help="the binary (build/bin/kloop)")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "golden"), help="directory for all output (build/golden)")
    short = os.environ.get("KLOOP_TEST_SHORT") == "1"
    parser.add_argument("--seed", type=int, default=int(os.environ.get("KLOOP_TEST_SEED", "1")), help="(KLOOP_TEST_SEED, or 1)")
    parser.add_argument("--count", type=int, default=30 if short else 200,
                        help="random messages for each API, version and direction (200; 30 with KLOOP_TEST_SHORT=1)")
    parser.add_argument("--batches", type=int, default=300 if short else 2000, help="random batches (2000; 300)")
    parser.add_argument("--apis", default="", help="A,B,..: only these (all that `kloop wire apis` lists)")
    parser.add_argument("--golden-only", action="store_true", help="replay the checked-in files; needs no Java")
    parser.add_argument("--write-golden", action="store_true", help="write the checked-in files anew; needs no kloop")
    parser.add_argument("--java-only", action="store_true", help="Kafka's classes against the checked-in files; needs no kloop")
    parser.add_argument("--java", default="", help="directory of the compiled Java side (java in --build)")
    options = parser.parse_args()
    options.seed %= 1 << 63
    build = os.path.abspath(options.build)
    directory = os.path.join(build, "golden-only" if options.golden_only else "run")
    java = [] if options.golden_only else build_java(os.path.abspath(options.java or os.path.join(build, "java")))
    run = Filter(directory, os.path.abspath(options.kloop), java)
    for name in os.listdir(directory):
        if name.startswith("disagree-"):
            os.remove(os.path.join(directory, name))
    report = Report(directory)
    if options.write_golden:
        write_golden(run)
        return 0
    if not options.java_only and not os.access(options.kloop, os.X_OK):
        raise Fatal(f"no kloop at {options.kloop}")
    apis = [api for api in options.apis.split(",") if api]
    if options.golden_only:
        golden_only(run, report, apis)
    else:
        check_golden_fresh(run, report)
        if not options.java_only:
            known = list(dict.fromkeys(row.split()[0].decode() for row in run.java("rows", "rows")))
            apis = apis or spoken(run, known)
            if not apis or not set(apis) <= set(known):
                raise Fatal(f"kloop speaks {apis or 'nothing'}, Kafka's side knows {known}")
            print(f"seed {options.seed}, {options.count} messages each of {', '.join(apis)}; {options.batches} batches")
            check_lines(run, report, apis)
            check_messages(run, report, options, apis)
            check_batches(run, report, options)
    return report.close()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Fatal as fatal:
        print(f"golden: {fatal}", file=sys.stderr)
        sys.exit(1)
