# SPDX-License-Identifier: BSD-2-Clause
"""Seeded damage: bytes changed at random, JSON made wrong or doubtful. Each takes a random.Random, and nothing else varies."""

import json


def no_twins(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def parse(text):
    return json.loads(text, object_pairs_hook=no_twins)


def show(data, limit=700):
    text = data.decode(errors="backslashreplace") if isinstance(data, bytes) else str(data)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


# ---- bytes ---------------------------------------------------------------------------------------------------------------------

EDGES = [bytes([b]) for b in (0, 1, 2, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff)] + [
    b"\xff\xff", b"\x7f\xff", b"\x80\x00", b"\x00\x00", b"\xff\xfe", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00",
    b"\xff\xff\xff\xfe", b"\x00\x00\x00\x00", b"\xff\xff\xff\xff\x0f", b"\x80\x80\x80\x80\x08", b"\xff\xff\xff\xff\x7f",
    b"\x80\x80\x80\x80\x80\x00", b"\x80\x80\x00"]


def mutate(dice, wire):
    data = bytearray(wire)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        at = dice.randrange(len(data) + 1)
        kind = dice.randrange(10)
        if kind == 0 or not data:
            data[at:at] = dice.randbytes(dice.randint(1, 4))
        elif kind == 1:
            del data[at:at + dice.randint(1, 4)]
        elif kind == 2:
            edge = dice.choice(EDGES)
            data[at:at + len(edge)] = edge
        elif kind == 3:
            edge = dice.choice(EDGES)
            data[at:at] = edge
        elif kind == 4:
            end = at + dice.randint(1, 16)
            data[at:at] = data[at:end]
        else:
            at = min(at, len(data) - 1)
            if kind == 5:
                data[at] ^= 1 << dice.randrange(8)
            elif kind == 6:
                data[at] = dice.randrange(256)
            elif kind == 7:
                data[at] = (data[at] + dice.choice((1, -1))) & 0xff
            elif kind == 8 and data[at] < 0x80:
                data[at:at + 1] = bytes([data[at] | 0x80]) + b"\x80" * dice.randrange(3) + b"\0"
            else:
                data[at] = dice.choice((0, 1, 0x7f, 0x80, 0xff))
    return bytes(data)


def crc32c_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    return table


CRC_TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xff]
    return crc ^ 0xFFFFFFFF


def mend_batch(dice, data):
    """Length and CRC made right again, most of the time, so that the reader looks further."""
    data = bytearray(data)
    if len(data) >= 61:
        if not dice.random() < 0.05:
            data[8:12] = (len(data) - 12).to_bytes(4, "big")
        if not dice.random() < 0.05:
            data[17:21] = crc32c(data[21:]).to_bytes(4, "big")
    return bytes(data)


# ---- JSON ----------------------------------------------------------------------------------------------------------------------

BASE64 = {"authBytes", "records", "metrics"}
UUIDS = {"topicId", "clientInstanceId"}


def places(value, path=()):
    """(path of names, holder, key, value) of everything in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        inner_path = path + (key if isinstance(key, str) else "[]",)
        yield inner_path, value, key, inner
        yield from places(inner, inner_path)


def objects(value, path=()):
    if isinstance(value, dict):
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from objects(inner, path + (key if isinstance(key, str) else "[]",))


def name_of(path):
    names = [part for part in path if part != "[]"]
    return names[-1] if names else ""


def wrong_value(dice, path, old):
    """A value that this field must not take, whatever its exact type."""
    if isinstance(old, bool):
        return dice.choice((0, 1, "true", None, [], {}))
    if isinstance(old, int):
        return dice.choice((1 << 63, -(1 << 63) - 1, 1 << 64, 10 ** 30, old + 0.5, str(old), True, None, [], {}, [old]))
    if isinstance(old, str):
        if name_of(path) in BASE64:
            return dice.choice(("a", "ab", "abc", "ab=", "====", "!!!!", "ab c", "YQ==YQ==", 5, True, {}, []))
        if name_of(path) in UUIDS:
            return dice.choice(("", "AAAA", "A" * 21, "A" * 23, "!" * 22, 0, None, [], {}))
        return dice.choice((5, 1.5, True, [], {}, [old], "x" * 32768, "é" * 16384))
    if isinstance(old, list):
        return dice.choice(("", "x", 0, False, {}, {"0": 1}))
    if isinstance(old, dict):
        return dice.choice((None, [], "x", 0, True))
    return dice.choice((1.5, False, {}))


def text_of(value, dice):
    return json.dumps(value, ensure_ascii=dice.random() < 0.5, separators=dice.choice(((",", ":"), (", ", ": "), (" , ", "\t: ")))).encode()


def broken_json(dice, text):
    """A JSON line that no sound encoder takes, and what is wrong with it."""
    value = parse(text.decode())
    kind = dice.randrange(8)
    if kind == 0:
        return text + dice.choice((b" x", b"{}", b",", b" null", b"]", b"\x00")), "text after the JSON"
    if kind == 1:
        return text[:dice.randrange(len(text))], "JSON cut short"
    if kind == 2:
        holder = dice.choice([found for _, found in objects(value)])
        holder[dice.choice(("", "surprise", "crc", "_taggedFields", "Topics", "a\nb", "\r", "\x00", "\x1b[2J", "\x9b2J"))] = dice.choice((0, "", None, [], False))
        return text_of(value, dice), "unknown key"
    if kind == 3:
        return dice.choice((b"", b"[]", b"null", b"5", b'"x"', b"[" + text + b"]", b"nul", b"{", b"{'a':1}")), "no JSON object"
    found = list(places(value))
    if not found:
        return b"", "nothing"
    path, holder, key, old = dice.choice(found)
    if old is None:
        return text + b"x", "text after the JSON"
    wrong = wrong_value(dice, path, old)
    holder[key] = wrong
    return text_of(value, dice), f"{'.'.join(path)}: {show(json.dumps(old), 40)} became {show(json.dumps(wrong), 40)}"


def doubtful_json(dice, text, elsewhere):
    """A change that may or may not be allowed: Kafka's converter says. With it the JSON before, if only a field was added."""
    value = parse(text.decode())
    kind = dice.randrange(4)
    found = [place for place in places(value) if isinstance(place[2], str)]
    if kind == 0 and found:
        _, holder, key, _ = dice.choice(found)
        del holder[key]
    elif kind == 1 and found:
        _, holder, key, _ = dice.choice(found)
        holder[key] = None
    else:
        path, holder = dice.choice(list(objects(value)))
        foreign = [(key, values) for (where, key), values in elsewhere.items() if where == path and key not in holder]
        if foreign:
            key, values = dice.choice(sorted(foreign))
            default = {bool: (False, True), int: (0, -1, 1), str: ("", None), list: ([], None)}.get(type(values[0]), (None,))
            holder[key] = dice.choice((dice.choice(values), dice.choice(default)))
            return text_of(value, dice), text
        elif found:
            _, holder, key, old = dice.choice(found)
            if isinstance(old, bool) or not isinstance(old, int):
                return None, None
            holder[key] = dice.choice((128, -129, 32768, -32769, 65536, 1 << 31, -(1 << 31) - 1, (1 << 63) - 1, -(1 << 63)))
    return text_of(value, dice), None
