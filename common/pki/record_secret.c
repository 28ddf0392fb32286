#include <stdlib.h>

#include <openssl/crypto.h>

#include "common/pki/form.h"
#include "common/pki/record.h"

enum { SECRET_FORM = 'S', KEK_FORM = 'K', KEK_ID_MOST = 64 };

/* --- one-time secrets --- */

void secret_record_clear(struct secret_record *secret)
{
	free(secret->memory);
	*secret = (struct secret_record){0};
}

/* No label, which stands for every one, is not the label "". */
void secret_record_encode(const struct secret_record *secret, struct buf *out)
{
	buf_add_byte(out, SECRET_FORM);
	form_put_number(out, (uint64_t)secret->created_at, 8);
	form_put_number(out, (uint64_t)secret->expires_at, 8);
	form_put_number(out, (uint64_t)secret->used_at, 8);
	buf_add(out, secret->digest, sizeof(secret->digest));
	buf_add(out, secret->named_digest, sizeof(secret->named_digest));
	buf_add(out, secret->used_by, sizeof(secret->used_by));
	form_put_text(out, secret->name);
	buf_add_byte(out, secret->label != NULL);
	form_put_text(out, secret->label);
}

enum outcome secret_record_decode(struct span in, struct secret_record *out)
{
	struct secret_record secret = {0};
	struct form_reader reader = form_read(in, 0, SECRET_FORM, &secret.memory);
	uint64_t labelled;

	secret.created_at = (int64_t)form_take_number(&reader, 8);
	secret.expires_at = (int64_t)form_take_number(&reader, 8);
	secret.used_at = (int64_t)form_take_number(&reader, 8);
	form_take_octets(&reader, secret.digest, sizeof(secret.digest));
	form_take_octets(&reader, secret.named_digest, sizeof(secret.named_digest));
	form_take_octets(&reader, secret.used_by, sizeof(secret.used_by));
	secret.name = form_take_text(&reader);
	labelled = form_take_number(&reader, 1);
	secret.label = form_take_text(&reader);
	if (!form_is_whole(&reader) || labelled > 1 || (labelled == 0 && secret.label[0] != '\0')) {
		secret_record_clear(&secret);
		return reason(
		    EST_INTERNAL, "the store holds bytes that are not a one-time secret's record");
	}
	if (labelled == 0)
		secret.label = NULL;
	*out = secret;
	return EST_OK;
}

/* --- keys to encrypt under --- */

bool kek_record_fits(const struct kek_record *kek)
{
	return kek->id.len >= 1 && kek->id.len <= KEK_ID_MOST &&
	       (kek->key.len == 16 || kek->key.len == 24 || kek->key.len == 32);
}

/* The key lies in the record's own memory. */
void kek_record_clear(struct kek_record *kek)
{
	if (kek->memory != NULL && kek->key.len > 0)
		OPENSSL_cleanse((void *)(uintptr_t)kek->key.data, kek->key.len);
	free(kek->memory);
	*kek = (struct kek_record){0};
}

/* In one piece, so that no half of it is left behind where the buf moves. */
void kek_record_encode(const struct kek_record *kek, struct buf *out)
{
	buf_reserve(out, 16 + kek->id.len + kek->key.len);
	buf_add_byte(out, KEK_FORM);
	form_put_number(out, (uint64_t)kek->created_at, 8);
	form_put_span(out, kek->id);
	form_put_span(out, kek->key);
}

enum outcome kek_record_decode(struct span in, struct kek_record *out)
{
	struct kek_record kek = {0};
	struct form_reader reader = form_read(in, 0, KEK_FORM, &kek.memory);

	kek.created_at = (int64_t)form_take_number(&reader, 8);
	kek.id = form_take_span(&reader);
	kek.key = form_take_span(&reader);
	if (!form_is_whole(&reader) || !kek_record_fits(&kek)) {
		OPENSSL_cleanse(kek.memory, in.len);
		kek.key.len = 0;
		kek_record_clear(&kek);
		return reason(EST_INTERNAL,
		    "the store holds bytes that are not a key encryption key's record");
	}
	*out = kek;
	return EST_OK;
}
