/*
 * cmd_request.c - est-admin request: what waits for approval (RFC 7030 4.2.3), and deciding it.
 *
 * A request is called by the first digits of its row's ticket, which are random and of that row
 * alone, so that nothing else than what was looked at is approved. Digits of its content would be
 * of the choosing of whoever asks.
 */
#include <string.h>

#include <openssl/pem.h>

#include "admin/command.h"
#include "common/base/clock.h"
#include "common/base/encoding.h"
#include "common/lifecycle/approval.h"
#include "common/lifecycle/enroll.h"
#include "common/pki/csr.h"
#include "common/pki/key_pair.h"

#define ID_SHOWN    16  /* hex digits */
#define REASON_MOST 255 /* octets of a reason; it goes to the device as one line */

/* --- one request, printed --- */

/* What was issued or denied in time stays so; nothing comes of the others after their end. */
static const char *state_of(const struct pending_record *row)
{
	bool open = row->state == PENDING_WAITING || row->state == PENDING_APPROVED;

	return open && row->expires_at <= clock_now() ? "expired" : pending_state_name(row->state);
}

static const char *hex_of(const unsigned char *octets, size_t len, struct buf *out)
{
	buf_reset(out);
	hex_encode(out, (struct span){octets, len});
	return buf_string(out);
}

static const char *id_of(const struct pending_record *row, struct buf *out)
{
	return hex_of(row->ticket, ID_SHOWN / 2, out);
}

/* Whether its key is made here (RFC 7030 4.4), so that the one in the request says nothing. */
static bool makes_key(const struct pending_record *row)
{
	return strcmp(row->operation, act_name(ACT_GENERATE)) == 0;
}

/*
 * The kind of the certificate's key, which stands in no record: of that in the request, or of the
 * one that is to be made; "-" where nothing tells.
 */
static const char *key_of(const struct admin *admin, const struct pending_record *row)
{
	const struct config_label *label = config_label(admin->service->config, row->label);
	struct csr csr = {.use = CSR_KEY_ANY};
	const char *word = "-";

	if (row->request.len > 0 && csr_parse(row->request, CSR_KEY_ANY, &csr) == EST_OK) {
		if (makes_key(row) && label != NULL)
			word = key_pair_word(label->generated_key, &label->profile->keys, &csr.key);
		else if (!makes_key(row) && csr.key.kind != NULL)
			word = key_word(&csr.key);
	}
	reason_clear();
	csr_clear(&csr);
	return word;
}

static void add_text(json_t *object, const char *key, const char *value)
{
	json_object_set_new(object, key, cli_json_text(value));
}

static void print_json(const struct admin *admin, const struct pending_record *row)
{
	json_t *object = json_object();
	char serial[2 * SERIAL_MAX + 1];
	struct buf hex = {0};

	add_text(object, "id", id_of(row, &hex));
	add_text(object, "state", state_of(row));
	add_text(object, "label", row->label);
	add_text(object, "profile", row->profile);
	add_text(object, "operation", row->operation);
	add_text(object, "identity", row->identity);
	add_text(object, "name", row->name);
	add_text(object, "subject", row->subject);
	json_object_set_new(object, "names", command_names(row->names));
	add_text(object, "asks", row->asks);
	add_text(object, "key", key_of(admin, row));
	if (!makes_key(row))
		add_text(object, "spki_sha256", hex_of(row->spki, sizeof(row->spki), &hex));
	add_text(object, "content_sha256", hex_of(row->content, sizeof(row->content), &hex));
	json_object_set_new(object, "created_at", cli_json_time(row->created_at));
	json_object_set_new(object, "expires_at", cli_json_time(row->expires_at));
	if (row->decided_at != 0) {
		json_object_set_new(object, "decided_at", cli_json_time(row->decided_at));
		add_text(object, "decided_by", row->decided_by);
	}
	if (row->state == PENDING_DENIED)
		add_text(object, "reason", row->reason);
	if (row->serial.len > 0)
		add_text(object, "serial", serial_text(&row->serial, serial));
	buf_free(&hex);
	cli_json_print(object);
}

/* "3 h": how long ago, or how long to go, in the largest unit that it fills. */
static void span_text(int64_t seconds, struct buf *out)
{
	static const struct {
		int64_t seconds;
		const char *unit;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	size_t i = 0;

	while (i < 3 && seconds < units[i].seconds)
		i++;
	buf_printf(out, "%lld %s", (long long)(seconds / units[i].seconds), units[i].unit);
}

static void print_times(const struct pending_record *row)
{
	int64_t now = clock_now();
	char time[CLOCK_TEXT];
	struct buf span = {0};

	span_text(now > row->created_at ? now - row->created_at : 0, &span);
	cli_print("asked        %s, %s ago", clock_text(row->created_at, time), buf_string(&span));
	buf_reset(&span);
	if (row->expires_at > now) {
		span_text(row->expires_at - now, &span);
		cli_print(
		    "expires      %s, in %s", clock_text(row->expires_at, time), buf_string(&span));
	} else {
		cli_print("expired      %s", clock_text(row->expires_at, time));
	}
	buf_free(&span);
}

static void print_decision(const struct pending_record *row)
{
	char serial[2 * SERIAL_MAX + 1], time[CLOCK_TEXT];

	if (row->decided_at != 0)
		cli_print(
		    "decided      %s by %s", clock_text(row->decided_at, time), row->decided_by);
	if (row->state == PENDING_DENIED)
		cli_print("reason       %s", row->reason);
	if (row->serial.len > 0)
		cli_print("serial       %s", serial_text(&row->serial, serial));
}

static bool is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text > 0x7e)
			return false;
	return true;
}

static void print_whole(const struct admin *admin, const struct pending_record *row)
{
	struct buf hex = {0};

	cli_print("id           %s", id_of(row, &hex));
	cli_print("state        %s", state_of(row));
	cli_print("asked by     %s", row->identity);
	cli_print("operation    %s", row->operation);
	cli_print("label        %s", row->label[0] == '\0' ? "-" : row->label);
	cli_print("profile      %s", row->profile);
	cli_print("name         %s", row->name);
	cli_print("subject      %s", row->subject);
	cli_print("names        %s", row->names[0] == '\0' ? "-" : row->names);
	if (!is_ascii(row->name) || !is_ascii(row->names))
		cli_print("beware       letters beyond ASCII may not be what they look like");
	cli_print("asks for     %s", row->asks[0] == '\0' ? "-" : row->asks);
	cli_print("key          %s%s", key_of(admin, row), makes_key(row) ? ", made here" : "");
	if (!makes_key(row))
		cli_print("spki sha256  %s", hex_of(row->spki, sizeof(row->spki), &hex));
	cli_print("content sha  %s", hex_of(row->content, sizeof(row->content), &hex));
	print_times(row);
	print_decision(row);
	buf_free(&hex);
}

static void print_request(const struct admin *admin, const struct pending_record *row)
{
	if (admin->json)
		print_json(admin, row);
	else
		print_whole(admin, row);
}

/* --- the list --- */

static const char *const titles[] = {"id", "state", "label", "profile", "operation", "identity",
    "name", "subject", "names", "asks", "created_at", "expires_at", "decided_at", "decided_by",
    "reason", "serial"};

static void print_csv(const struct pending_record *row)
{
	char serial[2 * SERIAL_MAX + 1], times[3][CLOCK_TEXT];
	struct buf id = {0};
	const char *const cells[] = {id_of(row, &id), state_of(row), row->label, row->profile,
	    row->operation, row->identity, row->name, row->subject, row->names, row->asks,
	    clock_text(row->created_at, times[0]), clock_text(row->expires_at, times[1]),
	    row->decided_at == 0 ? NULL : clock_text(row->decided_at, times[2]), row->decided_by,
	    row->reason, row->serial.len == 0 ? NULL : serial_text(&row->serial, serial)};

	_Static_assert(sizeof(cells) == sizeof(titles), "a title for every cell");
	command_csv(cells, sizeof(cells) / sizeof(cells[0]));
	buf_free(&id);
}

static void print_row(const struct admin *admin, const struct pending_record *row, bool first)
{
	static const char form[] = "%-16s  %-8s  %-20s  %-12s  %-14s  %-24s  %s";
	char time[CLOCK_TEXT];
	struct buf id = {0};

	if (admin->json) {
		print_json(admin, row);
		return;
	}
	if (admin->csv) {
		print_csv(row);
		return;
	}
	if (first)
		cli_print(form, "ID", "STATE", "ASKED", "LABEL", "OPERATION", "ASKED BY", "NAME");
	cli_print(form, id_of(row, &id), state_of(row), clock_text(row->created_at, time),
	    row->label[0] == '\0' ? "-" : row->label, row->operation, row->identity, row->name);
	buf_free(&id);
}

static bool wanted(const struct pending_record *row, const char *label, const char *state)
{
	return strcmp(state_of(row), state) == 0 &&
	       (label == NULL || strcmp(row->label, label) == 0);
}

enum outcome cmd_request_list(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	const char *state = admin->status == NULL ? "waiting" : admin->status;
	const char *label = admin->label;
	struct pending_record row = {.state = PENDING_WAITING};
	const unsigned char *after = NULL;
	unsigned char last[sizeof(row.id)];
	enum outcome outcome = label == NULL ? EST_OK : command_label(admin, label, &label);
	bool first = true;

	(void)call;
	if (outcome != EST_OK)
		return outcome;
	if (admin->csv)
		command_csv(titles, sizeof(titles) / sizeof(titles[0]));
	while (outcome == EST_OK && !command_stopped()) {
		outcome = store_pending_next(admin->service->store, after, &row);
		if (outcome == EST_OK && wanted(&row, label, state)) {
			print_row(admin, &row, first);
			first = false;
		}
		memcpy(last, row.id, sizeof(last));
		after = last;
		pending_record_clear(&row);
	}
	if (outcome != EST_NOT_FOUND)
		return outcome;
	reason_clear();
	return EST_OK;
}

/* --- one request --- */

static enum outcome print_pem(struct admin *admin, const struct pending_record *row)
{
	struct buf pem = {0};
	enum outcome outcome;

	if (row->request.len == 0)
		return reason(EST_NOT_FOUND, "the request came as no PKCS#10");
	outcome = command_pem(PEM_STRING_X509_REQ, row->request, &pem);
	if (outcome == EST_OK)
		outcome = command_output(admin, buf_span(&pem));
	buf_free(&pem);
	return outcome;
}

enum outcome cmd_request_show(void *context, const struct cli_call *call)
{
	struct admin *admin = context;
	struct pending_record row = {.state = PENDING_WAITING};
	enum outcome outcome = approval_find(admin->service, call->arguments[0], &row);

	if (outcome == EST_OK && admin->csr)
		outcome = print_pem(admin, &row);
	else if (outcome == EST_OK)
		print_request(admin, &row);
	pending_record_clear(&row);
	return outcome;
}

/* Decides what was found, and shows it as it then stands. */
static enum outcome decide(struct admin *admin, const char *id, bool approve)
{
	struct pending_record row = {.state = PENDING_WAITING}, after = row;
	enum outcome outcome = approval_find(admin->service, id, &row);

	if (outcome == EST_OK)
		outcome = approval_decide(
		    admin->service, &row, approve, buf_string(&admin->operator), admin->reason);
	if (outcome == EST_OK)
		outcome = store_pending_get(admin->service->store, row.id, &after);
	if (outcome == EST_OK)
		print_request(admin, &after);
	pending_record_clear(&row);
	pending_record_clear(&after);
	return outcome;
}

enum outcome cmd_request_approve(void *context, const struct cli_call *call)
{
	return decide(context, call->arguments[0], true);
}

enum outcome cmd_request_deny(void *context, const struct cli_call *call)
{
	struct admin *admin = context;
	enum outcome outcome;

	if (admin->reason == NULL)
		return cli_usage("--reason is missing: it is what the device is told");
	outcome = command_text("the reason", admin->reason, REASON_MOST);
	return outcome == EST_OK ? decide(admin, call->arguments[0], false) : outcome;
}

enum outcome cmd_request_delete(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	struct pending_record row = {.state = PENDING_WAITING};
	enum outcome outcome = approval_find(admin->service, call->arguments[0], &row);

	if (outcome == EST_OK)
		outcome = approval_delete(admin->service, &row);
	pending_record_clear(&row);
	return outcome;
}
