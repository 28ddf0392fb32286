#include "cgi/est_call.h"
#include "cgi/fact.h"
#include "cgi/multipart.h"
#include "common/base/clock.h"
#include "common/base/encoding.h"
#include "common/base/json.h"
#include "common/lifecycle/keygen.h"
#include "common/pki/pkcs7.h"

static void add_notes(struct buf *facts, const struct enrollment *enrollment)
{
	const struct {
		const char *name;
		bool is;
	} notes[] = {
	    {"key_shared", enrollment->key_shared},
	    {"repeated", enrollment->repeated},
	    {"linked", enrollment->linking.linked},
	    {"challenge_ignored", enrollment->linking.ignored},
	    {"secret_used", enrollment->uses_secret},
	    {"late", enrollment->identity->late},
	    {"ra", enrollment->identity->is_ra},
	};

	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		if (notes[i].is)
			json_add_true(facts, notes[i].name);
}

void enrollment_facts(
    const struct enrollment *enrollment, size_t subject, size_t names, struct buf *facts)
{
	const struct cert_record *record = &enrollment->record;
	char serial[2 * SERIAL_MAX + 1];
	struct buf spki = {0};

	if (record->name == NULL)
		return;
	hex_encode(&spki, (struct span){record->spki, sizeof(record->spki)});
	json_add(facts, "spki_sha256", buf_span(&spki));
	/* The store has them whole. */
	fact_add_string(facts, "subject", record->subject, subject);
	fact_add_string(facts, "names", record->names, names);
	if (record->serial.len > 0)
		json_add_string(facts, "serial", serial_text(&record->serial, serial));
	add_notes(facts, enrollment);
	buf_free(&spki);
}

/* RFC 7030 4.2.3: the answer holds the issued certificate and, unless the label wants more, nothing
 * else. */
static void add_certificate(const struct call *call, struct span der, struct buf *out)
{
	if (call->label->config->include_chain)
		ca_chain(call->label->ca, der, clock_now(), out);
	else
		pkcs7_certs_only(&der, 1, out);
}

/* What every answer to an enrollment says beside its body. */
static void finish(struct call *call, const struct enrollment *enrollment)
{
	call->reply->no_store = true;
	call->reply->retry_after = enrollment->retry_after;
	/* RFC 9266 4.1: a channel binding of TLS 1.3 is good for one authentication. */
	call->reply->close = enrollment->linking.exporter;
	enrollment_facts(enrollment, 1000, 1500, &call->request->facts);
}

static enum outcome run_enrollment(struct call *call, enum act act)
{
	struct enrollment enrollment = {.label = call->label,
	    .identity = &call->identity,
	    .binding = &call->binding,
	    .act = act,
	    .must_be_new = call->bootstrap,
	    .address = call->request->remote_addr};
	struct buf der = {0};
	enum outcome outcome = call_body(call, &der);

	if (outcome == EST_OK) {
		enrollment.request = buf_span(&der);
		outcome = enroll(call->service, &enrollment);
		finish(call, &enrollment);
	}
	if (outcome == EST_OK) {
		call->reply->type = CERTS_ONLY;
		call->reply->base64 = true;
		add_certificate(call, enrollment.record.der, &call->reply->body);
	}
	enrollment_clear(&enrollment);
	buf_cleanse(&der);
	return outcome;
}

enum outcome run_simpleenroll(struct call *call)
{
	return run_enrollment(call, ACT_ENROLL);
}

enum outcome run_simplereenroll(struct call *call)
{
	return run_enrollment(call, ACT_RENEW);
}

/* RFC 7030 4.4.2: the key first, then the certificate as simpleenroll answers it. */
static void write_parts(struct call *call, const struct keygen *made, struct span certificate)
{
	struct buf certs = {0};
	struct multipart multipart = {.body = {NULL, 0, 0}};
	struct multipart_part parts[] = {
	    {made->enveloped ? "application/pkcs7-mime; smime-type=server-generated-key"
			     : "application/pkcs8",
		buf_span(&made->key)},
	    {CERTS_ONLY, {NULL, 0}},
	};

	add_certificate(call, certificate, &certs);
	parts[1].der = buf_span(&certs);
	multipart_write(parts, 2, reply_columns(call->request, call->reply), &multipart);
	call->reply->body = multipart.body;
	call->reply->secret = true;
	buf_add_string(&call->reply->own_type, multipart.type);
	call->reply->type = buf_string(&call->reply->own_type);
	buf_free(&certs);
}

enum outcome run_serverkeygen(struct call *call)
{
	struct enrollment enrollment = {.label = call->label,
	    .identity = &call->identity,
	    .binding = &call->binding,
	    .act = ACT_GENERATE,
	    .address = call->request->remote_addr};
	struct keygen made = {.enveloped = false};
	struct buf der = {0};
	enum outcome outcome = call_body(call, &der);

	if (outcome == EST_OK) {
		enrollment.request = buf_span(&der);
		outcome = keygen(call->service, &enrollment, &made);
		finish(call, &enrollment);
	}
	if (outcome == EST_OK)
		write_parts(call, &made, enrollment.record.der);
	keygen_clear(&made);
	enrollment_clear(&enrollment);
	buf_cleanse(&der);
	return outcome;
}
