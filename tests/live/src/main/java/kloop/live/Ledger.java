/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.live;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the producer said about each record, and what lies in the log, held against each other. First every event, then every
 * stored record in the order of its partition's offsets, then close(). Each kind of difference is counted under a name, with
 * its first cases in words.
 */
final class Ledger {
    /** What the producer said of a record. */
    enum Outcome { NONE, ACKED, FAILED, UNKNOWN }

    private static final int CASES = 3;
    /** Between an answer and the time that its event bears lies a turn of the producer's loop. */
    private static final long SLACK_MS = 1000;

    /**
     * What is special about a run. lateMs: no record may be reported older than that; 0: nobody looks. grownFrom: so many
     * partitions had the topic when the first record was sent; 0: it never grew. goneAt: a log of an earlier topic of this name
     * went with it by this time, and with it what had been acked; 0: there was none.
     */
    record Terms(long lateMs, int grownFrom, long goneAt) {
    }

    private final Lines lines;
    private final int count;
    private final int partitions;
    private final Terms terms;
    private final Outcome[] outcomes;
    private final int[] saidPartition;
    private final long[] saidOffset;
    private final boolean[] stored;
    private final long[] lastEvent;
    private final int[] lastStored;
    private final long[] nextOffset;
    private final byte[] wanted = new byte[Lines.LONGEST];
    private final Map<String, Long> differences = new TreeMap<>();
    private final List<String> cases = new ArrayList<>();
    private final Map<Outcome, Long> said = new TreeMap<>();
    private final Map<String, Long> errors = new TreeMap<>();
    private final long[] perPartition;
    /** When each record was reported, where that matters; otherwise null. */
    private final long[] saidAt;
    private final int[] firstStored;
    private final Map<Outcome, Long> oldest = new TreeMap<>();
    /** The records whose keys have another place since the topic grew. */
    private int firstInNewPlace = Integer.MAX_VALUE;
    private int lastInOldPlace = -1;
    private long gone;
    private long late;
    private long keyless;
    private long failedKeyless;
    private long storedCount;
    private long storedBytes;

    Ledger(Lines lines, int count, int partitions, Terms terms) {
        this.lines = lines;
        this.count = count;
        this.partitions = partitions;
        this.terms = terms;
        saidAt = terms.goneAt > 0 ? new long[count] : null;
        firstStored = new int[partitions];
        Arrays.fill(firstStored, Integer.MAX_VALUE);
        outcomes = new Outcome[count];
        Arrays.fill(outcomes, Outcome.NONE);
        saidPartition = new int[count];
        saidOffset = new long[count];
        stored = new boolean[count];
        lastEvent = new long[partitions];
        Arrays.fill(lastEvent, -1);
        lastStored = new int[partitions];
        Arrays.fill(lastStored, -1);
        nextOffset = new long[partitions];
        perPartition = new long[partitions];
    }

    void difference(String kind, String words) {
        long before = differences.merge(kind, 1L, Long::sum);
        if (before <= CASES) {
            cases.add(kind + ": " + words);
        }
    }

    // ---- the producer's word -------------------------------------------------------------------------------------------

    /** error is null for a success; partition, offset and age are -1 where the event has none. */
    void event(Outcome outcome, byte[] key, byte[] value, int partition, long offset, String error, long ageMs, long atMs) {
        int n = Lines.number(value);
        if (!genuine(n, key, value, "event_of_no_record")) {
            return;
        }
        if (outcomes[n] != Outcome.NONE) {
            difference("reported_twice", "record " + n + " " + outcomes[n] + ", then " + outcome);
            return;
        }
        outcomes[n] = outcome;
        said.merge(outcome, 1L, Long::sum);
        saidPartition[n] = partition;
        saidOffset[n] = offset;
        if (saidAt != null) {
            saidAt[n] = atMs;
        }
        if (key == null) {
            keyless++;
            failedKeyless += outcome == Outcome.FAILED ? 1 : 0;
        }
        age(n, outcome, ageMs);
        if (outcome != Outcome.ACKED) {
            errors.merge(outcome.name().toLowerCase() + " " + error, 1L, Long::sum);
        } else if (partition < 0 || partition >= partitions) {
            difference("event_partition_wrong", "record " + n + " in partition " + partition);
        }
        if (partition >= 0 && partition < partitions) {
            // Reports come in the order in which the records were sent, whatever became of them.
            if (lastEvent[partition] > n) {
                difference("reported_out_of_order", "record " + n + " after " + lastEvent[partition] + " in partition " + partition);
            }
            lastEvent[partition] = Math.max(lastEvent[partition], n);
        }
    }

    private void age(int n, Outcome outcome, long ageMs) {
        oldest.merge(outcome, ageMs, Math::max);
        if (terms.lateMs > 0 && (ageMs < 0 || ageMs > terms.lateMs)) {
            late++;
            difference("reported_late", "record " + n + " " + outcome + " after " + ageMs + " ms, not " + terms.lateMs);
        }
    }

    long said(Outcome outcome) {
        return said.getOrDefault(outcome, 0L);
    }

    // ---- the log's -----------------------------------------------------------------------------------------------------

    void record(int partition, long offset, byte[] key, byte[] value) {
        storedCount++;
        perPartition[partition]++;
        storedBytes += (key == null ? 0 : key.length) + (value == null ? 0 : value.length);
        String place = "partition " + partition + " offset " + offset;
        if (offset != nextOffset[partition]) {
            difference("offset_gap", place + ", not " + nextOffset[partition]);
        }
        nextOffset[partition] = offset + 1;
        int n = Lines.number(value);
        if (!genuine(n, key, value, "corrupt")) {
            return;
        }
        if (stored[n]) {
            difference("duplicated", "record " + n + " again at " + place);
            return;
        }
        stored[n] = true;
        if (n < lastStored[partition]) {
            difference("reordered", "record " + n + " behind " + lastStored[partition] + " at " + place);
        }
        lastStored[partition] = Math.max(lastStored[partition], n);
        firstStored[partition] = Math.min(firstStored[partition], n);
        if (key != null && !inItsPlace(n, key, partition)) {
            difference("misplaced", "record " + n + " with key " + text(key) + " at " + place);
        }
        if (outcomes[n] == Outcome.ACKED && (saidPartition[n] != partition || saidOffset[n] != offset)) {
            difference("false_offset", "record " + n + " lies at " + place + ", reported at partition " + saidPartition[n] + " offset "
                    + saidOffset[n]);
        }
        if (outcomes[n] == Outcome.FAILED) {
            difference("failed_but_stored", "record " + n + " at " + place);
        }
    }

    private boolean inItsPlace(int n, byte[] key, int partition) {
        boolean fits = partition == Kafka.partitionOf(key, partitions);
        if (terms.grownFrom == 0) {
            return fits;
        }
        boolean fitted = partition == Kafka.partitionOf(key, terms.grownFrom);
        if (fits && !fitted) {
            firstInNewPlace = Math.min(firstInNewPlace, n);
        } else if (fitted && !fits) {
            lastInOldPlace = Math.max(lastInOldPlace, n);
        }
        return fits || fitted;
    }

    private boolean genuine(int n, byte[] key, byte[] value, String kind) {
        if (n < 0 || n >= count) {
            difference(kind, "a value that no record has: " + text(value));
            return false;
        }
        int length = lines.value(n, wanted);
        if (!Arrays.equals(wanted, 0, length, value, 0, value.length)) {
            int at = Arrays.mismatch(wanted, 0, length, value, 0, value.length);
            difference(kind, "record " + n + " has " + value.length + " bytes, " + length + " were sent; they differ at byte " + at);
            return false;
        }
        if (!Arrays.equals(lines.key(n), key)) {
            difference(kind, "record " + n + " has key " + text(key) + ", sent with " + text(lines.key(n)));
            return false;
        }
        return true;
    }

    // ---- both ----------------------------------------------------------------------------------------------------------

    /** Whether a record that was acked, and is not there, went with the topic of before. */
    private boolean wentWithTopic(int n) {
        return saidAt != null && saidAt[n] <= terms.goneAt + SLACK_MS && n < firstStored[saidPartition[n]];
    }

    Map<String, Object> close() {
        if (lastInOldPlace > firstInNewPlace) {
            // There is one moment when the producer learns of the new partitions.
            difference("misplaced", "record " + firstInNewPlace + " went where its key belongs since the topic grew, record "
                    + lastInOldPlace + " where it belonged before");
        }
        for (int n = 0; n < count; n++) {
            if (outcomes[n] == Outcome.NONE) {
                difference("unreported", "record " + n);
            } else if (outcomes[n] == Outcome.ACKED && !stored[n] && wentWithTopic(n)) {
                gone++;
            } else if (outcomes[n] == Outcome.ACKED && !stored[n]) {
                difference("lost", "record " + n + ", acked at partition " + saidPartition[n] + " offset " + saidOffset[n]);
            }
        }
        Map<String, Object> all = new TreeMap<>();
        all.put("records", count);
        all.put("acked", said(Outcome.ACKED));
        all.put("failed", said(Outcome.FAILED));
        all.put("unknown", said(Outcome.UNKNOWN));
        all.put("oldest_ms", oldest);
        all.put("late", late);
        all.put("gone", gone);
        all.put("keyless", keyless);
        all.put("failed_keyless", failedKeyless);
        all.put("errors", errors);
        all.put("stored", storedCount);
        all.put("stored_bytes", storedBytes);
        all.put("per_partition", perPartition);
        all.put("differences", differences);
        all.put("cases", cases);
        return all;
    }

    static String text(byte[] bytes) {
        if (bytes == null) {
            return "null";
        }
        String text = new String(bytes, 0, Math.min(bytes.length, 60), StandardCharsets.ISO_8859_1);
        return '"' + text.replaceAll("[^ -~]", "?") + (bytes.length > 60 ? "...\"" : "\"");
    }
}
