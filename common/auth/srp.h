/*
 * srp.h - the verifier file of TLS-SRP (RFC 5054) that Apache's SSLSRPVerifierFile reads, in the
 * form of openssl-srp(1).
 */
#ifndef EST_SRP_H
#define EST_SRP_H

#include "common/base/buf.h"
#include "common/base/outcome.h"

#define SRP_NAME_MOST 251 /* octets: with "srp:" before it, of the name of a user's record */

/* A line of it. */
struct srp_user {
	const char *name;
	const char *info;  /* "role=enroll", or "" */
	const char *group; /* bits of RFC 5054's group: "2048"; NULL for srp_file_add() to choose */
	bool revoked;      /* by openssl-srp(1), which leaves such lines: as good as not there */
	void *memory;
};

struct srp_users {
	struct srp_user *user;
	size_t count;
};

/*
 * What SSL_SRP_USERINFO says: whether the role is among its comma-separated "role=" words, the key
 * in any letter case and the value exactly. Who has no information at all (NULL), or one in which
 * no word begins with "role", may enroll.
 */
bool srp_info_has_role(const char *info, const char *role);

/* EST_NOT_FOUND, EST_FORBIDDEN, EST_UNAVAILABLE; EST_MALFORMED as well for what Apache would not
 * start with. srp_users_clear() whatever the outcome. */
enum outcome srp_file_read(const char *path, struct srp_users *out);
void srp_users_clear(struct srp_users *users);

/*
 * Adds the user with a verifier of the password under a fresh salt; with `replace` it takes the
 * place of another one, else that is EST_CONFLICT. The file is made where it is absent, written
 * anew beside itself with mode 0640 and moved into its place; two at the same time wait for each
 * other. Without a group it is the one under which the web server invents answers for users that
 * there are not, so that they cannot be told apart: what the first user's was, 3072 unless it was
 * asked for. Other outcomes: EST_MALFORMED for a name, a group or a file that is none,
 * EST_FORBIDDEN and EST_UNAVAILABLE for a file that cannot be written.
 */
enum outcome srp_file_add(
    const char *path, const struct srp_user *user, struct span password, bool replace);

/* Removes the user; EST_NOT_FOUND where it, or the file, is not there. Others as above. */
enum outcome srp_file_delete(const char *path, const char *name);

#endif
