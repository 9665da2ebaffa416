/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of <kloop/stats.h>. */
#include <kloop/stats.h>

const char *kloop_waiting_name(kloop_waiting waiting)
{
    switch (waiting) {
    case KLOOP_WAITING_NOTHING:
        break;
    case KLOOP_WAITING_TURN:
        return "turn";
    case KLOOP_WAITING_LINGER:
        return "linger";
    case KLOOP_WAITING_ANSWER:
        return "answer";
    case KLOOP_WAITING_ROOM:
        return "room";
    case KLOOP_WAITING_CODEC:
        return "codec";
    case KLOOP_WAITING_ORDER:
        return "order";
    case KLOOP_WAITING_METADATA:
        return "metadata";
    case KLOOP_WAITING_SHARE:
        return "share";
    case KLOOP_WAITING_LEADER:
        return "leader";
    case KLOOP_WAITING_CONNECTION:
        return "connection";
    case KLOOP_WAITING_PRODUCER_ID:
        return "producer_id";
    case KLOOP_WAITING_RETRY:
        return "retry";
    case KLOOP_WAITING_THROTTLE:
        return "throttle";
    case KLOOP_WAITING_END:
        return "end";
    }
    return "nothing";
}

const char *kloop_broker_state_name(kloop_broker_state state)
{
    switch (state) {
    case KLOOP_BROKER_IDLE:
        break;
    case KLOOP_BROKER_BACKOFF:
        return "backoff";
    case KLOOP_BROKER_RESOLVING:
        return "resolving";
    case KLOOP_BROKER_CONNECTING:
        return "connecting";
    case KLOOP_BROKER_HANDSHAKE:
        return "handshake";
    case KLOOP_BROKER_READY:
        return "ready";
    }
    return "idle";
}
