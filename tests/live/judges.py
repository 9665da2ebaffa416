# SPDX-License-Identifier: BSD-2-Clause
"""What should have become of the records of a run. That everything said of each one is true, and that none is lost, doubled or
out of order, is compared before (Ledger.java); a judge says whether it is also what was to be reached. Each answers words for
the line of figures."""


class Difference(Exception):
    """What was sent, what was said and what is stored do not agree. The nodes' logs may tell why."""


class Mismatch(Difference):
    """The tools of the test do not agree among themselves; the nodes' logs have nothing to say about it."""


def all_stored(found, count):
    """What should become of the records where nothing prevents it; answers words for the line of figures."""
    if found["acked"] != count:
        raise Difference(f"{count - found['acked']} of {count} records are not acked")
    return f"{count:,} records stored once, in order, byte for byte"


def some_given_up(found, _):
    """Where a producer must give up: what it says of each record is true."""
    if not found["failed"] + found["unknown"]:
        raise Difference("every record was acked: no test of anything")
    return (f"{found['acked']:,} records stored once, in order, byte for byte, {found['failed']:,} truly not, "
            f"{found['stored'] - found['acked']:,} of {found['unknown']:,} unknown")


def given_up_for(error):
    """As some_given_up, and the reports of some name this error."""
    def judge(found, count):
        words = some_given_up(found, count)
        if not any(error in told for told in found["errors"]):
            raise Difference(f"no report names {error}")
        return words
    return judge


def keyless_refused(found, count):
    """A topic that takes no record without a key: those are refused, and no other suffers for it."""
    if not found["keyless"] or found["keyless"] == count:
        raise Difference("all records are alike: no test of anything")
    if found["failed_keyless"] != found["keyless"] or found["failed"] != found["keyless"] or found["unknown"]:
        raise Difference(f"{found['keyless']} records have no key; {found['failed']} failed, {found['failed_keyless']} of them "
                         f"without a key; {found['unknown']} are unknown")
    return f"{found['acked']:,} records with a key stored once, in order, byte for byte, all {found['failed']:,} others refused"


def grown(new_from):
    """Everything is stored, and the partitions from this one on are used."""
    def judge(found, count):
        words = all_stored(found, count)
        if not all(found["per_partition"][new_from:]):
            raise Difference(f"the new partitions have nothing: {found['per_partition']}")
        return f"{words}; {sum(found['per_partition'][new_from:]):,} in new partitions"
    return judge


def gone_with_topic(found, count):
    """The topic was deleted, and no other came: what had been acked is gone, the rest is given up."""
    if not found["gone"] or found["acked"] == count:
        raise Difference("nothing went with the topic: no test of anything")
    return (f"{found['acked']:,} records acked before it, {found['failed']:,} failed and {found['unknown']:,} unknown, the last "
            f"after {max(found['oldest_ms'].values()):,} ms")


def new_topic_used(found, _):
    """The topic was deleted and made again: the new one has all that was acked since."""
    if not found["gone"] or not found["stored"]:
        raise Difference(f"{found['gone']} records went with the old topic, {found['stored']} are in the new one")
    return (f"{found['gone']:,} of {found['acked']:,} acked records went with the old topic, {found['stored']:,} are in the new "
            f"one once, in order, byte for byte; {found['failed']:,} failed, {found['unknown']:,} unknown")


def survived(found, count):
    """Chaos: most is stored, and every word about the rest is true."""
    if found["acked"] < count / 2:
        raise Difference(f"only {found['acked']} of {count} records are acked")
    oldest = ", ".join(f"{what.lower()} {ms:,}" for what, ms in found["oldest_ms"].items())
    return (f"{count:,} records: {found['acked']:,} acked, 0 lost, 0 duplicated, 0 out of order; {found['failed']:,} failed and "
            f"truly not stored; {found['stored'] - found['acked']:,} of {found['unknown']:,} unknown ones stored; "
            f"{found['late']} late, the oldest report in ms: {oldest}")
