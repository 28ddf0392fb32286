/*
 * client_held.h - what the device holds: its certificate and the key that belongs to it.
 */
#ifndef EST_CLIENT_HELD_H
#define EST_CLIENT_HELD_H

#include "admin/client_run.h"

/* Start it as {0}; client_held_free(). */
struct client_held {
	STACK_OF(X509) *certs;
	X509 *certificate; /* the first of certs */
	EVP_PKEY *key;
};

/* Whether the directory has both; their contents may be anything. */
bool client_held_exists(const struct client_run *run);

/*
 * Reads them. EST_NOT_FOUND where there are none, EST_CONFLICT where they do not belong together.
 */
enum outcome client_held_take(const struct client_run *run, struct client_held *held);

/* They become the TLS client's, with the intermediates that a server may lack behind them. */
void client_held_present(struct client_run *run);

void client_held_free(struct client_held *held);

#endif
