/* SPDX-License-Identifier: BSD-2-Clause */
/* The same producer from C++. Prints the version. */
#include <kloop/kloop.h>

#include <iostream>
#include <string>
#include <uv.h>

namespace
{
struct sums {
    size_t reported = 0;
    bool closed = false;
};
} // namespace

int main()
{
    uv_loop_t loop;
    if (uv_loop_init(&loop))
        return 1;
    kloop_config *config = kloop_config_new(nullptr);
    kloop_config_set(config, "bootstrap.servers", "127.0.0.1:1");
    kloop_producer *p = nullptr;
    kloop_topic *topic = nullptr;
    kloop_error error;
    kloop_status status = kloop_open(&p, &loop, config, &error);
    kloop_config_del(config);
    if (status || kloop_topic_get(p, "events", &topic, &error)) {
        std::cerr << error.text << "\n";
        return 1;
    }
    sums s;
    kloop_on_delivery(
        p,
        [](kloop_producer *, const kloop_report *run, void *me) {
            static_cast<sums *>(me)->reported += run->count;
        },
        &s);
    std::string value = "hello";
    kloop_record record = {};
    record.value.data = reinterpret_cast<const uint8_t *>(value.data());
    record.value.len = value.size();
    if (kloop_send(topic, &record))
        return 1;
    kloop_close(
        p, 10, [](kloop_producer *, void *me) { static_cast<sums *>(me)->closed = true; }, &s);
    uv_run(&loop, UV_RUN_DEFAULT);
    if (s.reported != 1 || !s.closed || uv_loop_close(&loop))
        return 1;
    std::cout << kloop_version() << "\n";
    return 0;
}
