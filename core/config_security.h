/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the keys of TLS and SASL say together: two that say the same in different ways, one that
 * needs another, and those that nothing looks at. What stands in files, and in the values of
 * secrets, is for those who read them. Nothing is owned.
 */
#ifndef KL_CORE_CONFIG_SECURITY_H
#define KL_CORE_CONFIG_SECURITY_H

#include "core/config_read.h"

/* What security.protocol means. */
bool kl_config_has_tls(const kloop_config *c);
bool kl_config_has_sasl(const kloop_config *c);

/* KLOOP_OK, or KLOOP_BAD_CONFIG with a sentence that names keys, and no value but of choices. */
kloop_status kl_config_security_check(const kloop_config *c, kloop_error *error);

/* Is it set, and has no effect with this security.protocol? */
bool kl_config_security_is_idle(const kloop_config *c, kl_config_id id);

#endif
