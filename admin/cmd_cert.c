/*
 * cmd_cert.c - est-admin cert: what was issued.
 */
#include <string.h>

#include <openssl/pem.h>

#include "admin/command.h"
#include "common/auth/password.h"
#include "common/base/clock.h"
#include "common/base/encoding.h"
#include "common/base/pattern.h"
#include "common/lifecycle/revoke.h"

#define PAGE 200

/* --- one certificate, printed --- */

static const char *spki_text(const struct cert_record *cert, struct buf *out)
{
	buf_reset(out);
	hex_encode(out, (struct span){cert->spki, sizeof(cert->spki)});
	return buf_string(out);
}

static const char *status_of(const struct cert_record *cert)
{
	return cert_status_name(cert_record_status(cert, clock_now()));
}

static void print_json(const struct cert_record *cert)
{
	char serial[2 * SERIAL_MAX + 1];
	struct buf spki = {0};
	json_t *object = json_object();
	const struct {
		const char *key, *value;
	} texts[] = {{"serial", serial_text(&cert->serial, serial)}, {"subject", cert->subject},
	    {"name", cert->name}, {"label", cert->label}, {"profile", cert->profile},
	    {"ca", cert->ca}, {"identity", cert->identity}, {"operation", cert->operation},
	    {"status", status_of(cert)}, {"spki_sha256", spki_text(cert, &spki)}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		json_object_set_new(object, texts[i].key, cli_json_text(texts[i].value));
	json_object_set_new(object, "names", command_names(cert->names));
	json_object_set_new(object, "issued_at", cli_json_time(cert->issued_at));
	json_object_set_new(object, "not_before", cli_json_time(cert->not_before));
	json_object_set_new(object, "not_after", cli_json_time(cert->not_after));
	if (cert->revocation_reason != NOT_REVOKED) {
		json_object_set_new(object, "revoked_at", cli_json_time(cert->revoked_at));
		json_object_set_new(
		    object, "reason", cli_json_text(revocation_word(cert->revocation_reason)));
	}
	buf_free(&spki);
	cli_json_print(object);
}

static const char *const titles[] = {"serial", "subject", "name", "names", "label", "profile", "ca",
    "identity", "operation", "status", "spki_sha256", "issued_at", "not_before", "not_after",
    "revoked_at", "reason"};

static void print_csv(const struct cert_record *cert)
{
	char serial[2 * SERIAL_MAX + 1], times[4][CLOCK_TEXT];
	bool revoked = cert->revocation_reason != NOT_REVOKED;
	struct buf spki = {0};
	const char *const cells[] = {serial_text(&cert->serial, serial), cert->subject, cert->name,
	    cert->names, cert->label, cert->profile, cert->ca, cert->identity, cert->operation,
	    status_of(cert), spki_text(cert, &spki), clock_text(cert->issued_at, times[0]),
	    clock_text(cert->not_before, times[1]), clock_text(cert->not_after, times[2]),
	    revoked ? clock_text(cert->revoked_at, times[3]) : NULL,
	    revoked ? revocation_word(cert->revocation_reason) : NULL};

	_Static_assert(sizeof(cells) == sizeof(titles), "a title for every cell");
	command_csv(cells, sizeof(cells) / sizeof(cells[0]));
	buf_free(&spki);
}

static const char *label_text(const struct cert_record *cert)
{
	return cert->label[0] == '\0' ? "-" : cert->label;
}

static void print_whole(const struct cert_record *cert)
{
	char serial[2 * SERIAL_MAX + 1], time[CLOCK_TEXT];
	struct buf spki = {0};

	cli_print("serial       %s", serial_text(&cert->serial, serial));
	cli_print("subject      %s", cert->subject);
	cli_print("name         %s", cert->name);
	cli_print("names        %s", cert->names[0] == '\0' ? "-" : cert->names);
	cli_print("status       %s", status_of(cert));
	if (cert->revocation_reason != NOT_REVOKED) {
		cli_print("revoked      %s", clock_text(cert->revoked_at, time));
		cli_print("reason       %s", revocation_word(cert->revocation_reason));
	}
	cli_print("not before   %s", clock_text(cert->not_before, time));
	cli_print("not after    %s", clock_text(cert->not_after, time));
	cli_print("issued       %s", clock_text(cert->issued_at, time));
	cli_print("label        %s", label_text(cert));
	cli_print("profile      %s", cert->profile);
	cli_print("ca           %s", cert->ca);
	cli_print("asked by     %s", cert->identity);
	cli_print("operation    %s", cert->operation);
	cli_print("spki sha256  %s", spki_text(cert, &spki));
	buf_free(&spki);
}

static void print_cert(const struct admin *admin, const struct cert_record *cert)
{
	if (admin->json)
		print_json(cert);
	else
		print_whole(cert);
}

/* --- the list --- */

/* What the options ask for. */
struct filter {
	const struct admin *admin;
	const char *label;  /* of the record; NULL: any */
	int status;         /* enum cert_status, or -1: any */
	int64_t now, until; /* until: ends before; -1: whenever */
	int64_t left;       /* how many more */
	bool begun;         /* the heading is out */
};

static void read_filter(const struct admin *admin, struct filter *filter)
{
	*filter = (struct filter){.admin = admin, .status = -1, .now = clock_now(), .until = -1};
	filter->left = admin->limit < 0 ? INT64_MAX : admin->limit;
	if (admin->label != NULL)
		filter->label = strcmp(admin->label, "-") == 0 ? "" : admin->label;
	for (int status = 0; admin->status != NULL && status < CERT_STATUSES; status++)
		if (strcmp(admin->status, cert_status_name((enum cert_status)status)) == 0)
			filter->status = status;
	if (admin->expires_within >= 0) {
		filter->until = filter->now + admin->expires_within;
		if (filter->status < 0)
			filter->status = CERT_VALID;
	}
}

/* The order that has the least to throw away. */
static void choose_order(const struct filter *filter, struct cert_query *query)
{
	const char *name = filter->admin->name;

	query->order = CERTS_BY_ISSUE;
	if (name != NULL && strchr(name, '*') == NULL) {
		query->order = CERTS_BY_NAME;
		query->name = name;
	} else if (filter->until >= 0 || filter->status == CERT_VALID) {
		query->order = CERTS_BY_EXPIRY;
		query->from = filter->now;
		query->to = filter->until >= 0 ? filter->until : INT64_MAX;
	} else if (filter->status == CERT_EXPIRED) {
		query->order = CERTS_BY_EXPIRY;
		query->to = filter->now;
	} else if (filter->status == CERT_REVOKED) {
		query->order = CERTS_BY_REVOKED;
	}
}

/* Whatever the order left in that was not asked for is thrown away here. */
static bool wanted(const struct filter *filter, const struct cert_record *cert)
{
	const char *name = filter->admin->name;

	if (filter->label != NULL && strcmp(filter->label, cert->label) != 0)
		return false;
	if (filter->status >= 0 && (int)cert_record_status(cert, filter->now) != filter->status)
		return false;
	if (filter->until >= 0 &&
	    (cert->not_after < filter->now || cert->not_after >= filter->until))
		return false;
	return name == NULL || strchr(name, '*') == NULL ||
	       pattern_matches(name, span_of(cert->name));
}

static void print_row(struct filter *filter, const struct cert_record *cert)
{
	static const char form[] = "%-36s  %-7s  %-20s  %-12s  %s";
	char serial[2 * SERIAL_MAX + 1], time[CLOCK_TEXT];

	if (filter->admin->json) {
		print_json(cert);
		return;
	}
	if (filter->admin->csv) {
		print_csv(cert);
		return;
	}
	if (!filter->begun)
		cli_print(form, "SERIAL", "STATUS", "NOT AFTER", "LABEL", "NAME");
	filter->begun = true;
	cli_print(form, serial_text(&cert->serial, serial), status_of(cert),
	    clock_text(cert->not_after, time), label_text(cert), cert->name);
}

static void print_page(struct filter *filter, const struct cert_page *page)
{
	for (size_t i = 0; i < page->count && filter->left > 0 && !command_stopped(); i++) {
		if (!wanted(filter, &page->records[i]))
			continue;
		print_row(filter, &page->records[i]);
		filter->left--;
	}
}

enum outcome cmd_cert_list(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	struct cert_query query = {.limit = PAGE};
	struct cert_page page = {0};
	struct buf token = {0};
	struct filter filter;
	enum outcome outcome = EST_OK;

	(void)call;
	if (admin->csv)
		command_csv(titles, sizeof(titles) / sizeof(titles[0]));
	read_filter(admin, &filter);
	choose_order(&filter, &query);
	while (filter.left > 0 && !command_stopped()) {
		outcome = store_cert_list(admin->service->store, &query, &page);
		if (outcome != EST_OK)
			break;
		print_page(&filter, &page);
		buf_reset(&token);
		buf_add_span(&token, buf_span(&page.next));
		query.token = buf_span(&token);
		cert_page_clear(&page);
		if (token.len == 0)
			break;
	}
	buf_free(&token);
	return outcome;
}

/* --- one certificate --- */

/* What the store did not find has its number on the command line. */
static enum outcome missing(enum outcome outcome, const struct cli_call *call)
{
	if (outcome != EST_NOT_FOUND)
		return outcome;
	return reason(
	    outcome, "there is no certificate with the serial number %.100s", call->arguments[0]);
}

static enum outcome get(
    const struct admin *admin, const struct cli_call *call, struct cert_record *cert)
{
	struct serial serial;
	enum outcome outcome = serial_parse(call->arguments[0], &serial);

	if (outcome == EST_OK)
		outcome = missing(store_cert_get(admin->service->store, &serial, cert), call);
	return outcome;
}

enum outcome cmd_cert_show(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	struct cert_record cert = {0};
	enum outcome outcome = get(admin, call, &cert);

	if (outcome == EST_OK)
		print_cert(admin, &cert);
	cert_record_clear(&cert);
	return outcome;
}

enum outcome cmd_cert_export(void *context, const struct cli_call *call)
{
	struct admin *admin = context;
	struct cert_record cert = {0};
	struct buf content = {0};
	enum outcome outcome = get(admin, call, &cert);

	if (outcome == EST_OK && admin->der)
		buf_add_span(&content, cert.der);
	else if (outcome == EST_OK)
		outcome = command_pem(PEM_STRING_X509, cert.der, &content);
	if (outcome == EST_OK)
		outcome = command_output(admin, buf_span(&content));
	buf_free(&content);
	cert_record_clear(&cert);
	return outcome;
}

/* RFC 7894 3.2: whoever sent the revocationChallenge with the request may ask for this. */
static enum outcome check_challenge(const struct admin *admin, const struct serial *serial)
{
	struct buf hash = {0};
	enum outcome outcome = store_revocation_hash(admin->service->store, serial, &hash);

	if (outcome == EST_NOT_FOUND)
		outcome = reason(
		    EST_FORBIDDEN, "the certificate was requested without a revocationChallenge");
	if (outcome == EST_OK)
		outcome = password_verify(buf_span(&admin->secret), buf_string(&hash));
	if (outcome == EST_UNAUTHENTICATED) {
		reason_clear(); /* it is about a user's password */
		outcome = reason(EST_FORBIDDEN,
		    "that is not the revocationChallenge of the certificate; it stays as it is");
	}
	buf_cleanse(&hash);
	return outcome;
}

enum outcome cmd_cert_revoke(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	const char *word = admin->reason == NULL ? "unspecified" : admin->reason;
	int code = revocation_code(word);
	struct cert_record cert = {0};
	struct serial serial;
	enum outcome outcome;

	if (code < 0)
		return cli_usage("--reason %.60s: no reason of RFC 5280 5.3.1", word);
	outcome = serial_parse(call->arguments[0], &serial);
	if (outcome == EST_OK && admin->secret_file != NULL) {
		outcome = missing(store_cert_get(admin->service->store, &serial, &cert), call);
		cert_record_clear(&cert);
		if (outcome == EST_OK)
			outcome = check_challenge(admin, &serial);
	}
	if (outcome == EST_OK)
		outcome = missing(revoke(admin->service, &serial, code, &cert), call);
	if (outcome == EST_OK)
		print_cert(admin, &cert);
	cert_record_clear(&cert);
	return outcome;
}
