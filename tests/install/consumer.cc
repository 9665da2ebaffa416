/* SPDX-License-Identifier: BSD-2-Clause */
/* The same library from C++: encodes a Metadata response, reads it back, names an error code.
 * Prints the version. */
#include <kloop/wire.h>

#include <iostream>
#include <string>
#include <vector>

static bool complain(const char *what, const kloop_fault &fault)
{
    char text[256];
    kloop_fault_text(&fault, text, sizeof text);
    std::cerr << what << ": " << text << "\n";
    return false;
}

static bool round_trip()
{
    kloop_fault fault;
    std::vector<int32_t> replicas = {1, 2, 3};
    std::vector<kloop_metadata_partition> partitions(2);
    for (size_t i = 0; i < partitions.size(); i++) {
        partitions[i].error_code = KLOOP_BROKER_LEADER_NOT_AVAILABLE;
        partitions[i].partition_index = static_cast<int32_t>(i);
        partitions[i].leader_epoch = -1;
        partitions[i].replica_nodes = kloop_array_of(replicas.data(), 3);
    }
    kloop_metadata_topic topic = {};
    topic.name = kloop_text("events");
    topic.topic_authorized_operations = INT32_MIN;
    topic.partitions = kloop_array_of(partitions.data(), static_cast<int32_t>(partitions.size()));
    kloop_metadata_response response;
    kloop_message_init(KLOOP_METADATA, KLOOP_RESPONSE, &response);
    response.topics = kloop_array_of(&topic, 1);

    kloop_size size;
    if (kloop_measure(KLOOP_METADATA, KLOOP_RESPONSE, 12, &response, &size, &fault))
        return complain("measure", fault);
    std::vector<uint8_t> bytes(size.total);
    size_t used;
    if (kloop_encode(KLOOP_METADATA, KLOOP_RESPONSE, 12, &response, bytes.data(), bytes.size(),
                     &used, &fault))
        return complain("encode", fault);

    kloop_metadata_response again;
    if (kloop_decode(KLOOP_METADATA, KLOOP_RESPONSE, 12, bytes.data(), used, &again, &fault))
        return complain("decode", fault);
    int replicas_seen = 0;
    kloop_metadata_topic t;
    for (kloop_iter i = kloop_iterate(&again.topics); kloop_next(&i, &t);) {
        if (std::string(t.name.data, t.name.len) != "events")
            return false;
        kloop_metadata_partition p;
        for (kloop_iter k = kloop_iterate(&t.partitions); kloop_next(&k, &p);) {
            int32_t replica;
            for (kloop_iter r = kloop_iterate(&p.replica_nodes); kloop_next(&r, &replica);)
                replicas_seen += replica;
            if (std::string(kloop_broker_error_name(p.error_code)) != "LEADER_NOT_AVAILABLE")
                return false;
        }
    }
    return replicas_seen == 12;
}

int main()
{
    if (!round_trip())
        return 1;
    if (std::string(kloop_version()) != KLOOP_VERSION)
        return 1;
    std::cout << kloop_version() << "\n";
    return 0;
}
