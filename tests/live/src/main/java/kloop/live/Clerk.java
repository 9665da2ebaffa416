/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.live;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialAlteration;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;

/**
 * One JVM for all that the tests ask of Kafka's classes while nodes come and go; starting one for each question would take
 * longer than the questions. A line of JSON in, {"do": what, ...}; a line out, {"answer": ...} or {"error": text}. Ends with
 * its input.
 */
public final class Clerk {
    private static final JsonMapper JSON = new JsonMapper();

    private Topics topics;

    private Clerk() {
    }

    public static void main(String[] args) throws IOException {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        // Whatever a library prints must not be taken for an answer.
        System.setOut(System.err);
        Clerk clerk = new Clerk();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Map<String, Object> reply = new LinkedHashMap<>();
            try {
                JsonNode question = JSON.readTree(line);
                reply.put("answer", clerk.answer(question.path("do").asText(), question));
            } catch (Exception | LinkageError bad) {
                bad.printStackTrace();
                reply.put("error", bad.toString());
            }
            out.println(JSON.writeValueAsString(reply));
        }
        // Not a return: a client's threads could keep the program alive.
        System.exit(0);
    }

    private Object answer(String what, JsonNode q) throws Exception {
        switch (what) {
            case "format" -> {
                for (JsonNode file : need(q, "properties")) {
                    Kafka.format(file.asText(), text(q, "cluster"));
                }
                return true;
            }
            case "connect" -> {
                if (topics != null) {
                    topics.close();
                }
                topics = new Topics(text(q, "bootstrap"));
                return true;
            }
            case "create" -> {
                return topics.create(text(q, "topic"), number(q, "partitions"), number(q, "replication"), number(q, "nodes"),
                        strings(need(q, "configs")));
            }
            case "delete" -> {
                return topics.delete(text(q, "topic"));
            }
            case "grow" -> {
                return topics.grow(text(q, "topic"), number(q, "partitions"));
            }
            case "configure" -> {
                return topics.configure(text(q, "topic"), strings(need(q, "configs")));
            }
            case "reconfigure" -> {
                return topics.reconfigure(number(q, "node"), strings(need(q, "configs")));
            }
            case "users" -> {
                List<UserScramCredentialAlteration> users = new ArrayList<>();
                for (JsonNode user : need(q, "users")) {
                    users.add(new UserScramCredentialUpsertion(text(user, "name"),
                            new ScramCredentialInfo(ScramMechanism.fromMechanismName(text(user, "mechanism")),
                                    number(user, "iterations")), text(user, "password")));
                }
                return topics.users(users);
            }
            case "deny" -> {
                return topics.deny(text(q, "user"), text(q, "topic"));
            }
            case "send" -> {
                return Twin.one(new HashMap<>(strings(need(q, "config"))), text(q, "topic"));
            }
            case "rotate" -> {
                return topics.rotate(text(q, "topic"));
            }
            case "served" -> {
                return topics.served(text(q, "topic"), number(q, "partitions"));
            }
            case "controller" -> {
                return topics.controller();
            }
            case "write" -> {
                return lines(q).write(Path.of(text(q, "file")), number(q, "count"));
            }
            case "twin" -> {
                return twin(q);
            }
            case "check" -> {
                return check(q);
            }
            case "values" -> {
                return Stored.write(topics.bootstrap, text(q, "topic"), number(q, "partitions"), Path.of(text(q, "file")),
                        Duration.ofSeconds(number(q, "seconds")));
            }
            case "batches" -> {
                List<String> folders = JSON.convertValue(need(q, "folders"), JSON.getTypeFactory().constructCollectionType(List.class,
                        String.class));
                return Stored.batches(folders, text(q, "topic"));
            }
            default -> throw new IllegalArgumentException("nobody here can do '" + what + "'");
        }
    }

    private Object twin(JsonNode q) throws IOException {
        Map<Integer, Twin.Cheat> cheats = new HashMap<>();
        need(q, "cheats").properties().forEach(cheat -> cheats.put(cheat.getValue().asInt(),
                Twin.Cheat.valueOf(cheat.getKey().toUpperCase(Locale.ROOT))));
        Map<String, Object> config = new HashMap<>(strings(need(q, "config")));
        config.put("bootstrap.servers", topics.bootstrap);
        return Twin.run(config, text(q, "topic"), Path.of(text(q, "file")), Path.of(text(q, "events")), cheats);
    }

    /** The whole comparison: what was to be sent, what the events say, what is stored. */
    private Object check(JsonNode q) throws IOException {
        String topic = text(q, "topic");
        int partitions = number(q, "partitions");
        Ledger ledger = new Ledger(lines(q), number(q, "count"), partitions,
                new Ledger.Terms(q.path("late_ms").asLong(), q.path("grown_from").asInt(), q.path("gone_at").asLong()));
        Events events = new Events(ledger, topic);
        events.read(Path.of(text(q, "events")));
        JsonNode header = q.path("header");
        // The producer's clock is read once for each turn of its loop, so a little before the event is written.
        Stored.Frame frame = new Stored.Frame(header.isArray() ? header.get(0).asText() : null,
                header.isArray() ? header.get(1).asText() : null, events.started - 1000, events.ended + 1000);
        if (q.path("there").asBoolean(true)) {
            Stored.read(topics.bootstrap, topic, partitions, ledger, frame, Duration.ofSeconds(number(q, "seconds")));
        }
        return ledger.close();
    }

    private static Lines lines(JsonNode q) {
        return new Lines(need(q, "seed").asLong(), number(q, "bytes"), number(q, "keys"));
    }

    private static Map<String, String> strings(JsonNode object) {
        return JSON.convertValue(object, JSON.getTypeFactory().constructMapType(LinkedHashMap.class, String.class, String.class));
    }

    private static JsonNode need(JsonNode q, String name) {
        JsonNode found = q.get(name);
        if (found == null) {
            throw new IllegalArgumentException("the question has no " + name);
        }
        return found;
    }

    private static String text(JsonNode q, String name) {
        return need(q, name).asText();
    }

    private static int number(JsonNode q, String name) {
        return need(q, name).asInt();
    }
}
