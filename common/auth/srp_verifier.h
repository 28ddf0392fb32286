/*
 * srp_verifier.h - the numbers of SRP (RFC 5054) as they stand in a verifier file: what srp.c puts
 * into its lines.
 */
#ifndef EST_SRP_VERIFIER_H
#define EST_SRP_VERIFIER_H

#include "common/base/buf.h"
#include "common/base/outcome.h"

/*
 * Before the name of a group that we put into a file. openssl-srp(1), asked for a group that the
 * file has by the very name, makes users whom no server finds (their group is "*").
 */
#define SRP_GROUP_PREFIX "est-"

/* Appends the line of a group, "3072", of RFC 5054; EST_MALFORMED for less than 2048 bits. */
enum outcome srp_group_add(const char *name, struct buf *out);

/*
 * Appends verifier and salt, a tab between them: v = g^SHA1(salt | SHA1(name ":" password)) mod N
 * (RFC 5054 2.4) under a random salt of 20 octets, as many as an unknown user's has. EST_MALFORMED
 * for the group.
 */
enum outcome srp_verifier_make(
    const char *group, const char *name, struct span password, struct buf *out);

#endif
