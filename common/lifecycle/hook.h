/*
 * hook.h - a program of the operator's that has a say in each enrollment, once it is known who asks
 * and what the certificate would hold.
 */
#ifndef EST_HOOK_H
#define EST_HOOK_H

#include "common/lifecycle/enroll.h"

/*
 * Starts the process that starts the labels' hooks (helper.h): before any key is read, and before
 * the store is opened. *out stays NULL where no label has a hook. EST_UNAVAILABLE.
 */
enum outcome hook_prepare(const struct config *config, struct helper **out);

/* Whether the label has one. */
bool hook_wanted(const struct enrollment *enrollment);

/*
 * Asks it, about enrollment->record's names and key. What it gets on standard input and answers is
 * in est-hook(7). EST_OK: it allows; EST_FORBIDDEN (HOOK_DENIED, with its reason); EST_PENDING
 * (HOOK_WAITING) with enrollment->retry_after; EST_UNAVAILABLE (HOOK_FAILED): anything else, so
 * that nothing is issued without its word.
 */
enum outcome hook_ask(struct service *service, struct enrollment *enrollment);

#endif
