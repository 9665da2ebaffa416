#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a client gets through while answers are late: records of 1 KB, as fast as they are taken, preset settings.

    delay.py [--build DIR] [--json] [--quick] [--rounds N] [--only "10 ms"|"6 partitions"] [--go GO]

`kloop sink --delay-ms` answers 10 or 50 ms after a request. A partition may have five batches under way (idempotence), so the limit
is partitions x 5 batches in a round trip. How long one is, transfer and all, is measured in the same rounds: one partition, one
request of one batch of 1 MB in flight. kloop and franz-go in turn."""

import statistics
import sys

import world
from sheet import Sheet, arguments, progress
from world import peers

WINDOW = 5
# delay ms, partitions, records; at least of franz-go's rate; at least of the limit
CASES = (
    (10, 1, 1_500_000, None, 0.95),
    (10, 6, 6_000_000, 1.2, None),
    (50, 1, 350_000, None, 0.95),
    (50, 6, 1_600_000, None, 0.93),
)
# So many records make about as many round trips as fill two seconds.
ALONE = {10: 180_000, 50: 40_000}


def a_case(delay, partitions, records):
    return peers.Case(f"answers after {delay} ms, {partitions} partition{'s' if partitions > 1 else ''}", 1024, records,
                      partitions, delay=delay)


def main():
    options = arguments(__doc__)
    sheet = Sheet("delay", options.json)
    clients = world.programs(options, ["kloop", "franz-go"])
    part = 4 if options.quick else 1
    rows = [(a_case(delay, partitions, records // part), peer, limit) for delay, partitions, records, peer, limit in CASES]
    rows = [row for row in rows if options.only in row[0].name]
    alone = {delay: a_case(delay, 1, records // part) for delay, records in ALONE.items()
             if any(case.delay == delay for case, _, _ in rows)}
    limits, rates = {delay: [] for delay in alone}, {case.name: {name: [] for name in clients} for case, _, _ in rows}
    for number in range(options.rounds):
        for delay, case in alone.items():
            line = world.to_sink(options, clients["kloop"](case), case, ("max.in.flight.requests.per.connection=1",))
            limits[delay].append(line["rec_per_s"])
        for case, _, _ in rows:
            for name in world.in_turn(list(clients), number):
                rates[case.name][name].append(world.to_sink(options, clients[name](case), case)["rec_per_s"])
        progress(f"delay: round {number + 1} of {options.rounds}")
    for delay, seen in limits.items():
        sheet.figure(f"answers after {delay} ms: one batch of 1 MB in a round trip of",
                     [1e3 * 1_000_000 / 1031 / rate for rate in seen], "ms")
    for case, of_peer, of_limit in rows:
        limit = WINDOW * case.partitions * statistics.median(limits[case.delay])
        for name, seen in rates[case.name].items():
            sheet.figure(f"{case.name}, {name}: records a second", seen, "")
        own = rates[case.name]["kloop"]
        peer = rates[case.name].get("franz-go")
        sheet.figure(f"{case.name}: of the limit", [rate / limit for rate in own], "x", at_least=of_limit)
        if peer:
            # Round by round: what slows the machine down slows both.
            sheet.figure(f"{case.name}: of franz-go's rate", [mine / theirs for mine, theirs in zip(own, peer)], "x",
                         at_least=of_peer)
    return sheet.end()


if __name__ == "__main__":
    sys.exit(world.run(main))
