#include "common/lifecycle/request_digest.h"

#include "common/pki/key.h"
#include "common/pki/key_pair.h"

/* Nothing stands for what is not there. */
static void add_part(struct buf *what, char letter, struct span part)
{
	if (part.len == 0)
		return;
	buf_printf(what, "%c%zu:", letter, part.len);
	buf_add_span(what, part);
}

static void add_id(const struct enrollment *enrollment, struct buf *what)
{
	const struct csr *csr = &enrollment->csr;

	buf_printf(what, "%s%c%s%c%s%c", enrollment->label->config->name, 0,
	    act_name(enrollment->act), 0, enrollment->identity->text, 0);
	if (enrollment->act != ACT_GENERATE)
		buf_add(what, enrollment->record.spki, sizeof(enrollment->record.spki));
	buf_add_span(what, csr->subject);
	sans_encode(&csr->wishes.sans, what);
}

void request_digest_id(const struct enrollment *enrollment, unsigned char out[static 32])
{
	struct buf what = {0};

	add_id(enrollment, &what);
	add_part(&what, 'n', enrollment->csr.change);
	key_sha256(buf_span(&what), out);
	buf_free(&what);
}

void request_digest_content(const struct enrollment *enrollment, unsigned char out[static 32])
{
	const struct csr *csr = &enrollment->csr;
	const struct label *label = enrollment->label;
	struct buf what = {0};

	add_id(enrollment, &what);
	buf_printf(&what, "%x", csr->wishes.key_usage);
	buf_add_span(&what, csr->wishes.extended_key_usage);
	add_part(&what, 'n', csr->change);
	if (enrollment->act == ACT_GENERATE) {
		add_part(&what, 's', csr->decrypt_key);
		add_part(&what, 'a', csr->asymmetric_key);
		add_part(&what, 'k',
		    span_of(key_pair_word(
			label->config->generated_key, &label->profile->config->keys, &csr->key)));
	}
	key_sha256(buf_span(&what), out);
	buf_free(&what);
}
