/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import javax.security.auth.callback.NameCallback;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.sasl.SaslServer;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.JaasContext;
import org.apache.kafka.common.security.oauthbearer.internals.OAuthBearerClientInitialResponse;
import org.apache.kafka.common.security.oauthbearer.internals.OAuthBearerSaslServer;
import org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler;
import org.apache.kafka.common.security.scram.ScramCredential;
import org.apache.kafka.common.security.scram.ScramCredentialCallback;
import org.apache.kafka.common.security.scram.internals.ScramFormatter;
import org.apache.kafka.common.security.scram.internals.ScramMechanism;
import org.apache.kafka.common.security.scram.internals.ScramMessages;
import org.apache.kafka.common.security.scram.internals.ScramSaslServer;
import org.apache.kafka.common.security.token.delegation.internals.DelegationTokenCredentialCallback;

/**
 * Kafka's side of SASL. Texts and bytes are in hex. One question a line:
 * scram MECHANISM USER PASSWORD SALT ITERATIONS   a server with one user, whose delegation token has the same secret -> ok
 * oauth                                           a server that takes unsecured tokens -> ok
 * step BYTES                                      to the latest server -> say BYTES, done BYTES AUTHORIZATION, or an error
 * jaas TEXT                                       MODULE NAME=VALUE.., sorted
 * first BYTES, final BYTES                        a server's message as Kafka's client reads it
 * initial BYTES                                   a client's message of OAUTHBEARER: TOKEN NAME=VALUE.., sorted
 */
final class SaslLines {
    private static SaslServer server;

    private SaslLines() {
    }

    static String answer(String line) throws Exception {
        String[] words = line.split(" ", -1);
        switch (words[0]) {
            case "scram":
                server = scram(words[1], text(words[2]), text(words[3]), bytes(words[4]), Integer.parseInt(words[5]));
                return "ok";
            case "oauth":
                OAuthBearerUnsecuredValidatorCallbackHandler handler = new OAuthBearerUnsecuredValidatorCallbackHandler();
                handler.configure(Map.of(), "OAUTHBEARER", List.of(new AppConfigurationEntry("OAuthBearerLoginModule",
                        AppConfigurationEntry.LoginModuleControlFlag.REQUIRED, Map.of())));
                server = new OAuthBearerSaslServer(handler);
                return "ok";
            case "step":
                byte[] out = server.evaluateResponse(bytes(words[1]));
                return (server.isComplete() ? "done " : "say ") + hex(out) + (server.isComplete() ? " " + hex(server.getAuthorizationID()) : "");
            case "jaas":
                List<AppConfigurationEntry> entries =
                        JaasContext.loadClientContext(Map.of("sasl.jaas.config", new Password(text(words[1])))).configurationEntries();
                return hex(entries.get(0).getLoginModuleName()) + pairs(entries.get(0).getOptions());
            case "first":
                ScramMessages.ServerFirstMessage first = new ScramMessages.ServerFirstMessage(bytes(words[1]));
                return hex(first.nonce()) + " " + hex(first.salt()) + " " + first.iterations();
            case "final":
                ScramMessages.ServerFinalMessage last = new ScramMessages.ServerFinalMessage(bytes(words[1]));
                return last.error() != null ? "error " + hex(last.error()) : hex(last.serverSignature());
            case "initial":
                OAuthBearerClientInitialResponse initial = new OAuthBearerClientInitialResponse(bytes(words[1]));
                return hex(initial.tokenValue()) + pairs(initial.extensions().map());
            default:
                throw new OwnFault("no such question: " + line, null);
        }
    }

    private static SaslServer scram(String name, String user, String password, byte[] salt, int iterations) throws Exception {
        ScramMechanism mechanism = ScramMechanism.forMechanismName(name);
        ScramFormatter formatter = new ScramFormatter(mechanism);
        byte[] salted = formatter.hi(ScramFormatter.normalize(password), salt, iterations);
        ScramCredential credential = formatter.generateCredential(salt, salted, iterations);
        CallbackHandler handler = callbacks -> {
            List<Callback> rest = new ArrayList<>(List.of(callbacks));
            String asked = ((NameCallback) rest.remove(0)).getDefaultName();
            for (Callback callback : rest) {
                if (asked.equals(user)) {
                    ((ScramCredentialCallback) callback).scramCredential(credential);
                }
                if (callback instanceof DelegationTokenCredentialCallback token) {
                    token.tokenOwner("owner of " + asked);
                }
            }
        };
        return new ScramSaslServer(mechanism, new HashMap<>(), handler);
    }

    private static String pairs(Map<String, ?> options) {
        StringBuilder text = new StringBuilder();
        new TreeMap<>(options).forEach((name, value) -> text.append(' ').append(hex(name)).append('=').append(hex((String) value)));
        return text.toString();
    }

    private static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex);
    }

    private static String text(String hex) {
        return new String(bytes(hex), StandardCharsets.UTF_8);
    }

    private static String hex(byte[] bytes) {
        return bytes == null ? "" : HexFormat.of().formatHex(bytes);
    }

    private static String hex(String text) {
        return hex(text.getBytes(StandardCharsets.UTF_8));
    }
}
