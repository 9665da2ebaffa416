/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import org.apache.kafka.common.errors.InvalidMetadataException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * Kafka's error codes, rising, and what the classes of their exceptions say: the source of broker_errors.tsv.
 * Columns: code, name, retriable 0/1, invalid metadata 0/1.
 */
public final class ListErrors {
    private ListErrors() {
    }

    public static void main(String[] args) {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        out.print("# Kafka " + AppInfoParser.getVersion() + ": code, name, retriable, invalid metadata\n");
        Errors[] errors = Errors.values();
        Arrays.sort(errors, Comparator.comparingInt(Errors::code));
        for (Errors error : errors) {
            out.print(error.code() + "\t" + error.name()
                    + "\t" + flag(error.exception() instanceof RetriableException)
                    + "\t" + flag(error.exception() instanceof InvalidMetadataException) + "\n");
        }
    }

    private static int flag(boolean yes) {
        return yes ? 1 : 0;
    }
}
