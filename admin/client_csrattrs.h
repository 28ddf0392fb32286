/*
 * client_csrattrs.h - CSR attributes as a client reads them (RFC 7030 4.5.2, RFC 8951 4, RFC 9908).
 */
#ifndef EST_CLIENT_CSRATTRS_H
#define EST_CLIENT_CSRATTRS_H

#include "admin/client_request.h"
#include "admin/client_run.h"

#define CLIENT_DEMANDS_MOST 64

enum client_demand_kind {
	CLIENT_DEMAND_ATTRIBUTE, /* an OID, or an attribute with values */
	CLIENT_DEMAND_EXTENSION, /* value: the content of its OCTET STRING */
	CLIENT_DEMAND_NAME,      /* of the subject; value: a string, whole */
	CLIENT_DEMAND_KEY,       /* value: the parameters of its algorithm, whole */
};

/*
 * What a request should have. Spans lead into the DER; value has no data where the client fills it
 * in.
 */
struct client_demand {
	enum client_demand_kind kind;
	struct span type;  /* the content octets of an OID */
	struct span value; /* of an attribute: the content of its SET */
	bool critical;     /* an extension */
	bool joined;       /* a name: in one RDN with the one before */
	bool template;     /* of the template of RFC 9908 3.4, not of the list */
	unsigned bits;     /* an RSA key: how many; 0: not said */
};

struct client_demands {
	struct client_demand demands[CLIENT_DEMANDS_MOST];
	size_t count;
	bool template; /* there is one: what the list says besides is not for us (RFC 9908 4) */
};

/*
 * Takes a CsrAttrs apart. The extension request that holds bare OIDs, which RFC 7030's own example
 * has, is taken too. EST_MALFORMED: it is none, or demands more than CLIENT_DEMANDS_MOST.
 */
enum outcome client_demands_parse(struct span der, struct client_demands *demands);

/* What OpenSSL knows an OID by, NID_undef where by nothing. */
int client_demand_nid(struct span type);

/*
 * Changes the request so that it has what is demanded, as far as a device can: key type where no
 * --key was given, digest of the signature, extensions with values, binding to the TLS session;
 * with names the subject and the alternative names too. cli_usage() where an option is missing that
 * only the user can give; what est-client cannot give is said and left out.
 */
enum outcome client_demands_follow(const struct client_demands *demands, struct client_run *run,
    struct client_request *request, bool names);

/* Asks the server for its CSR attributes and follows them. */
enum outcome client_csrattrs_follow(
    struct client_run *run, struct client_request *request, bool names);

#endif
