/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Kafka's own classes as a line filter. All text is UTF-8, lines end with \n, one answer for each line, in order. */
public final class Golden {
    private static final String USAGE = """
            rows                                                  API MIN MAX request|response of every message known here
            generate --seed S --count N [--api A,B..] [--small]   API VERSION request|response HEX, TAB, JSON[, TAB, decode-only]
            lies     --seed S --count N [--api A,B..]             API VERSION request|response HEX with one lie in it
            batches  --seed S --count N [--small]                 HEX, TAB, JSON array[, TAB, decode-only]
            batch-lies --seed S --count N                         HEX of a batch with one lie in it
            check-messages                                        stdin as generate prints it -> ok | error: ...
            check-batches                                         stdin as batches prints it -> ok | error: ...
            verdict        API VERSION request|response HEX       -> ok, TAB, JSON, TAB, sloppy forms | error: ...
            batch-verdict  HEX                                    -> the same
            encode         API VERSION request|response JSON      -> HEX | error: ...
            partitions     see PartitionLines                     -> partitions, with spaces between
            config         see ConfigLines                        -> what a producer's configuration is to Java
            sasl           see SaslLines                          -> what Kafka's side of SASL says, in turn with its client
            decode-only marks lines whose bytes do not follow from their JSON: unknown tags, tagged fields at
            their default, packed records.""";

    private Golden() {
    }

    public static void main(String[] args) throws IOException {
        if (args.length == 0) {
            System.err.println(USAGE);
            System.exit(2);
        }
        PrintStream out = new PrintStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 20), false,
                StandardCharsets.UTF_8);
        List<String> options = Arrays.asList(args).subList(1, args.length);
        long seed = Long.parseLong(option(options, "--seed", "1"));
        int count = Integer.parseInt(option(options, "--count", "200"));
        boolean small = options.contains("--small");
        Map<String, UnaryOperator<String>> filters = Map.of(
                "check-messages", MessageLines::check,
                "check-batches", BatchLines::check,
                "verdict", MessageLines::verdict,
                "batch-verdict", BatchLines::verdict,
                "encode", MessageLines::encode,
                "partitions", PartitionLines::answer,
                "config", ConfigLines::answer,
                "sasl", Golden::sasl);
        switch (args[0]) {
            case "rows" -> {
                for (Shape shape : Shape.ALL) {
                    put(out, shape.api + " " + shape.min + " " + shape.max + " " + shape.direction());
                }
            }
            case "generate", "lies" -> {
                List<String> apis = Arrays.asList(option(options, "--api", "").split(","));
                for (Shape shape : Shape.ALL) {
                    if (!apis.get(0).isEmpty() && !apis.contains(shape.api)) {
                        continue;
                    }
                    for (int version = shape.min; version <= shape.max; version++) {
                        for (int i = 0; i < count; i++) {
                            put(out, args[0].equals("lies") ? MessageLines.lie(shape, version, seed, i)
                                    : MessageLines.generate(shape, version, seed, i, small));
                        }
                    }
                }
            }
            case "batches" -> {
                for (int i = 0; i < count; i++) {
                    put(out, BatchLines.generate(seed, i, small));
                }
            }
            case "batch-lies" -> {
                for (int i = 0; i < count; i++) {
                    put(out, BatchLines.lie(seed, i));
                }
            }
            default -> {
                UnaryOperator<String> filter = filters.get(args[0]);
                if (filter == null) {
                    System.err.println(USAGE);
                    System.exit(2);
                }
                filter(filter, out);
            }
        }
        out.flush();
        if (out.checkError()) {
            System.exit(1);
        }
    }

    private static String sasl(String line) {
        try {
            return SaslLines.answer(line);
        } catch (OwnFault e) {
            throw e;
        } catch (Exception e) {
            String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            return "error: " + why.replaceAll("[\\r\\n\\t]+", " ");
        }
    }

    private static String option(List<String> options, String name, String otherwise) {
        int at = options.indexOf(name);
        return at < 0 || at + 1 == options.size() ? otherwise : options.get(at + 1);
    }

    private static void put(PrintStream out, String line) {
        out.print(line);
        out.print('\n');
    }

    private static void filter(UnaryOperator<String> filter, PrintStream out) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(new FileInputStream(FileDescriptor.in), StandardCharsets.UTF_8), 1 << 20);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String answer;
            try {
                answer = filter.apply(line);
            } catch (OwnFault e) {
                throw e;
            } catch (Throwable e) {
                /* Errors too: a codec throws its own, and a hostile length may be more than the heap. */
                answer = "error: " + String.valueOf(e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage()).replaceAll("[\\r\\n\\t]+", " ");
            }
            put(out, answer);
            /* Whoever asks line by line waits for the answer. */
            if (!in.ready()) {
                out.flush();
            }
        }
    }
}
