/*
 * cmd_profile_json.c - a profile as a JSON object, with a sample of its certificates.
 */
#include "admin/cmd_profile_json.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/base/encoding.h"
#include "common/pki/der.h"
#include "common/pki/profile_sample.h"

json_t *profile_words_json(const struct words *words)
{
	json_t *array = json_array();

	for (size_t i = 0; i < words->count; i++)
		json_array_append_new(array, cli_json_text(words->word[i]));
	return array;
}

static json_t *span_json(struct span span)
{
	struct buf text = {0};
	json_t *json;

	buf_add_span(&text, span);
	json = cli_json_text(buf_string(&text));
	buf_free(&text);
	return json;
}

/* The labels that have the profile. */
json_t *profile_labels_json(const struct config *config, const struct config_profile *profile)
{
	json_t *array = json_array();

	for (size_t i = 0; i < config->label_count; i++)
		if (config->labels[i].profile == profile)
			json_array_append_new(array, cli_json_text(config->labels[i].name));
	return array;
}

/* --- names --- */

/* One attribute type, or with type NULL one kind of SAN: where it comes from and what it may be. */
static json_t *name_json(
    const struct profile *profile, const struct name_type *type, enum san_kind kind)
{
	json_t *object = json_object(), *fixed = json_array(), *patterns = json_array();
	bool is_cn = type != NULL && strcmp(type->word, "CN") == 0;
	const char *from = "request";

	for (size_t i = 0; type != NULL && i < profile->fixed_count; i++)
		if (profile->fixed[i].type == type)
			json_array_append_new(fixed, span_json(profile->fixed[i].value));
	for (size_t i = 0; type == NULL && i < profile->fixed_sans.count; i++)
		if (profile->fixed_sans.san[i].kind == kind) {
			struct buf text = {0};
			san_text(&profile->fixed_sans.san[i], &text);
			json_array_append_new(fixed, cli_json_text(buf_string(&text)));
			buf_free(&text);
		}
	for (size_t i = 0; i < profile->pattern_count; i++)
		if (profile->patterns[i].type == type &&
		    (type != NULL || profile->patterns[i].kind == kind))
			json_array_append_new(
			    patterns, cli_json_text(profile->patterns[i].pattern));
	if (is_cn && profile->from_identity)
		from = "identity";
	else if (type != NULL ? json_array_size(fixed) > 0 : (profile->san_kinds & 1U << kind) == 0)
		from = "profile";
	json_object_set_new(
	    object, "type", cli_json_text(type != NULL ? type->word : san_kind_word(kind)));
	json_object_set_new(object, "from", cli_json_text(from));
	json_object_set_new(object, "fixed", fixed);
	json_object_set_new(object, "patterns", patterns);
	return object;
}

static bool grants(const struct profile *profile, const struct name_type *type)
{
	return words_have(&profile->config->subject, type->word);
}

/* What is fixed comes first, as in certificates. */
static json_t *subject_json(const struct profile *profile)
{
	json_t *array = json_array();

	for (size_t i = 0; i < profile->fixed_count; i++) {
		bool again = false;
		for (size_t k = 0; k < i; k++)
			again = again || profile->fixed[k].type == profile->fixed[i].type;
		if (!again && !grants(profile, profile->fixed[i].type))
			json_array_append_new(
			    array, name_json(profile, profile->fixed[i].type, SAN_DNS));
	}
	for (size_t i = 0; i < profile->subject_count; i++)
		json_array_append_new(array, name_json(profile, profile->subject[i], SAN_DNS));
	return array;
}

static json_t *sans_json(const struct profile *profile)
{
	json_t *array = json_array();

	for (unsigned kind = 0; kind < SAN_KINDS; kind++) {
		bool granted = (profile->san_kinds & 1U << kind) != 0;
		for (size_t i = 0; i < profile->fixed_sans.count; i++)
			granted = granted || profile->fixed_sans.san[i].kind == kind;
		if (granted)
			json_array_append_new(array, name_json(profile, NULL, (enum san_kind)kind));
	}
	return array;
}

/* --- extensions --- */

/* What openssl x509 -text prints of the value; hexadecimal digits where it knows nothing of it. */
static json_t *value_json(X509_EXTENSION *extension, struct span der)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct buf text = {0};
	json_t *json;
	char *data;
	long len;

	if (X509V3_EXT_get(extension) != NULL && X509V3_EXT_print(bio, extension, 0, 0) == 1) {
		len = BIO_get_mem_data(bio, &data);
		while (len > 0 && (data[len - 1] == '\n' || data[len - 1] == ' '))
			len--;
		buf_add(&text, data, (size_t)len);
	} else {
		hex_encode(&text, der);
	}
	ERR_clear_error();
	json = cli_json_text(buf_string(&text));
	buf_free(&text);
	BIO_free(bio);
	return json;
}

static json_t *extension_json(X509_EXTENSION *extension)
{
	const ASN1_OBJECT *oid = X509_EXTENSION_get_object(extension);
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
	struct span der = {ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)};
	json_t *object = json_object();
	char name[128];
	struct buf hex = {0};

	(void)OBJ_obj2txt(name, sizeof(name), oid, 0);
	json_object_set_new(object, "name", cli_json_text(name));
	(void)OBJ_obj2txt(name, sizeof(name), oid, 1);
	json_object_set_new(object, "oid", cli_json_text(name));
	json_object_set_new(
	    object, "critical", json_boolean(X509_EXTENSION_get_critical(extension)));
	json_object_set_new(object, "value", value_json(extension, der));
	hex_encode(&hex, der);
	json_object_set_new(object, "der", cli_json_text(buf_string(&hex)));
	buf_free(&hex);
	return object;
}

static json_t *extensions_json(struct span rest)
{
	json_t *array = json_array();
	struct der one;

	while (rest.len > 0 && der_next(&rest, &one) == EST_OK) {
		const unsigned char *at = one.whole.data;
		X509_EXTENSION *extension = d2i_X509_EXTENSION(NULL, &at, (long)one.whole.len);
		if (extension != NULL)
			json_array_append_new(array, extension_json(extension));
		X509_EXTENSION_free(extension);
	}
	ERR_clear_error();
	return array;
}

/* A certificate with all that the profile grants, for the first of its keys. */
static enum outcome add_sample(const struct profile *profile, json_t *object)
{
	struct profile_sample *sample = mem_alloc(sizeof(*sample));
	const char *key = profile->config->keys.word[0];
	enum outcome outcome = profile_sample_make(profile, key, false, sample);
	struct buf subject = {0}, names = {0};

	if (outcome == EST_OK) {
		name_text(&sample->names.name, &subject);
		sans_text(&sample->names.sans, &names);
		json_object_set_new(
		    object, "extensions", extensions_json(buf_span(&sample->extensions)));
		json_object_set_new(object, "sample",
		    json_pack("{s:s, s:o, s:o}", "key", key, "subject",
			cli_json_text(buf_string(&subject)), "names",
			cli_json_text(buf_string(&names))));
	}
	buf_free(&subject);
	buf_free(&names);
	profile_sample_clear(sample);
	free(sample);
	return outcome;
}

/* --- the whole --- */

enum outcome profile_json(const struct config *config, const struct profile *profile, json_t **out)
{
	const struct config_profile *its = profile->config;
	json_t *object = json_object();
	enum outcome outcome;

	json_object_set_new(object, "name", cli_json_text(its->name));
	json_object_set_new(object, "labels", profile_labels_json(config, its));
	json_object_set_new(object, "ca", json_boolean(its->ca));
	json_object_set_new(object, "validity", json_integer(its->validity));
	json_object_set_new(object, "backdate", json_integer(its->backdate));
	json_object_set_new(object, "keys", profile_words_json(&its->keys));
	json_object_set_new(object, "rsa_exponents", cli_json_text(its->rsa_exponents));
	json_object_set_new(object, "key_reuse", json_boolean(its->key_reuse));
	json_object_set_new(object, "characters", cli_json_text(its->names));
	json_object_set_new(object, "empty_subject", json_boolean(its->empty_subject));
	json_object_set_new(object, "required", profile_words_json(&its->required));
	json_object_set_new(object, "subject", subject_json(profile));
	json_object_set_new(object, "san_from", cli_json_text(its->san_from));
	json_object_set_new(object, "subject_alt_names", sans_json(profile));
	outcome = add_sample(profile, object);
	if (outcome == EST_OK)
		*out = object;
	else
		json_decref(object);
	return outcome;
}
