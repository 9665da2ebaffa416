/* SPDX-License-Identifier: BSD-2-Clause */
/* ApiVersions: which APIs a broker speaks, in which versions. The first thing said on a connection.
 */
#define KL_WALK_RARE
#include "protocol/api.h"
#include "protocol/walk.h"

static void walk_request(kl_walk *w, void *message)
{
    kloop_api_versions_request *m = message;
    STRING(client_software_name, "clientSoftwareName", .since = 3, .ignorable = true);
    STRING(client_software_version, "clientSoftwareVersion", .since = 3, .ignorable = true);
    NO_TAGS();
}

static void walk_api_version(kl_walk *w, void *element)
{
    kloop_api_version *m = element;
    INT16(api_key, "apiKey");
    INT16(min_version, "minVersion");
    INT16(max_version, "maxVersion");
    NO_TAGS();
}

static void walk_supported_feature(kl_walk *w, void *element)
{
    kloop_supported_feature *m = element;
    STRING(name, "name");
    INT16(min_version, "minVersion");
    INT16(max_version, "maxVersion");
    NO_TAGS();
}

static void walk_finalized_feature(kl_walk *w, void *element)
{
    kloop_finalized_feature *m = element;
    STRING(name, "name");
    INT16(max_version_level, "maxVersionLevel");
    INT16(min_version_level, "minVersionLevel");
    NO_TAGS();
}

KL_STRUCT_TYPE(api_version_type, kloop_api_version, walk_api_version);
KL_STRUCT_TYPE(supported_feature_type, kloop_supported_feature, walk_supported_feature);
KL_STRUCT_TYPE(finalized_feature_type, kloop_finalized_feature, walk_finalized_feature);

static void walk_response(kl_walk *w, void *message)
{
    kloop_api_versions_response *m = message;
    INT16(error_code, "errorCode");
    ARRAY(api_keys, api_version_type, "apiKeys");
    INT32(throttle_time_ms, "throttleTimeMs", .since = 1, .ignorable = true);
    TAGS_BEGIN();
    TAGGED(0, KL_ARRAY, supported_features, "supportedFeatures", ELEMENT(supported_feature_type),
           .since = 3, .ignorable = true);
    TAGGED(1, KL_INT64, finalized_features_epoch, "finalizedFeaturesEpoch", .since = 3,
           .fallback = -1, .ignorable = true);
    TAGGED(2, KL_ARRAY, finalized_features, "finalizedFeatures", ELEMENT(finalized_feature_type),
           .since = 3, .ignorable = true);
    TAGGED(3, KL_BOOL, zk_migration_ready, "zkMigrationReady", .since = 3, .ignorable = true);
    TAGS_END();
}

KL_MESSAGE_TYPE(kl_api_versions_request_type, kloop_api_versions_request, KL_FLEXIBLE_API_VERSIONS,
                walk_request);
KL_MESSAGE_TYPE(kl_api_versions_response_type, kloop_api_versions_response,
                KL_FLEXIBLE_API_VERSIONS, walk_response);
