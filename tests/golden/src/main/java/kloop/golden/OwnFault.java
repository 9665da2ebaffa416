/* SPDX-License-Identifier: BSD-2-Clause */
package kloop.golden;

/** This program, not its input, is wrong about something: ends the run. */
final class OwnFault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    OwnFault(String message, Throwable cause) {
        super(message, cause);
    }
}
