/*
 * est-client csrattrs: what the server wants a request to hold.
 */
#include "admin/client.h"

#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "common/base/encoding.h"
#include "common/pki/der.h"

#include "admin/client_csrattrs.h"

#define INTEGER_MOST 4 /* octets of one that is printed in decimal */

/* An OID by OpenSSL's short name, where it has one, else by its numbers; appended. */
static void add_oid(struct span oid, struct buf *out)
{
	int nid = client_demand_nid(oid);

	if (nid != NID_undef)
		buf_add_string(out, OBJ_nid2sn(nid));
	else
		der_oid_text(out, oid);
}

static bool is_text(unsigned tag)
{
	return tag == DER_UTF8 || tag == DER_PRINTABLE || tag == DER_IA5 || tag == DER_NUMERIC ||
	       tag == DER_VISIBLE;
}

/* One value: an OID's name, a text, a small number; any other in hex. */
static void add_value(const struct der *value, struct buf *out)
{
	if (value->tag == DER_OID) {
		add_oid(value->content, out);
	} else if (is_text(value->tag)) {
		buf_add_span(out, value->content);
	} else if (value->tag == DER_INTEGER && value->content.len > 0 &&
		   value->content.len <= INTEGER_MOST && value->content.data[0] < 0x80) {
		unsigned long number = 0;
		for (size_t i = 0; i < value->content.len; i++)
			number = number * 256 + value->content.data[i];
		buf_printf(out, "%lu", number);
	} else {
		hex_encode(out, value->whole);
	}
}

/* An extension's value as OpenSSL prints it, or in hex. */
static void add_extension(const struct client_demand *demand, struct buf *out)
{
	const unsigned char *at = demand->value.data;
	const X509V3_EXT_METHOD *method = X509V3_EXT_get_nid(client_demand_nid(demand->type));
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	(void)ASN1_OCTET_STRING_set(octets, at, (int)demand->value.len);
	if (method != NULL)
		extension = X509_EXTENSION_create_by_NID(
		    NULL, client_demand_nid(demand->type), demand->critical, octets);
	if (extension != NULL && X509V3_EXT_print(bio, extension, X509V3_EXT_ERROR_UNKNOWN, 0)) {
		len = BIO_get_mem_data(bio, &text);
		buf_add(out, text, (size_t)len);
	} else {
		hex_encode(out, demand->value);
	}
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(octets);
	BIO_free(bio);
}

static void append(json_t *array, struct buf *text)
{
	(void)json_array_append_new(array, cli_json_text(buf_string(text)));
	buf_free(text);
}

static json_t *values_of(const struct client_demand *demand)
{
	json_t *array = json_array();
	struct span rest = demand->value;
	struct buf text = {0};
	struct der value;

	if (demand->kind == CLIENT_DEMAND_EXTENSION) {
		if (demand->value.data != NULL) {
			add_extension(demand, &text);
			append(array, &text);
		}
		return array;
	}
	while (rest.len > 0 && der_next(&rest, &value) == EST_OK) {
		add_value(&value, &text);
		append(array, &text);
	}
	if (demand->bits > 0) {
		buf_printf(&text, "%u", demand->bits);
		append(array, &text);
	}
	return array;
}

static json_t *describe(const struct client_demand *demand)
{
	static const char *const kinds[] = {[CLIENT_DEMAND_ATTRIBUTE] = "attribute",
	    [CLIENT_DEMAND_EXTENSION] = "extension",
	    [CLIENT_DEMAND_NAME] = "name",
	    [CLIENT_DEMAND_KEY] = "key"};
	struct buf oid = {0}, name = {0};
	json_t *object;

	der_oid_text(&oid, demand->type);
	add_oid(demand->type, &name);
	object = json_pack("{s:s, s:o, s:o, s:o, s:b, s:b}", "kind", kinds[demand->kind], "oid",
	    cli_json_text(buf_string(&oid)), "name", cli_json_text(buf_string(&name)), "values",
	    values_of(demand), "critical", demand->critical, "template", demand->template);
	buf_free(&oid);
	buf_free(&name);
	return object;
}

/* "extension subjectAltName critical: DNS:a.example", "name commonName". */
static void print_demand(const json_t *object)
{
	const json_t *values = json_object_get(object, "values"), *value;
	struct buf line = {0};
	size_t i;

	buf_printf(&line, "%s%s %s%s",
	    json_is_true(json_object_get(object, "template")) ? "template " : "",
	    json_string_value(json_object_get(object, "kind")),
	    json_string_value(json_object_get(object, "name")),
	    json_is_true(json_object_get(object, "critical")) ? " critical" : "");
	json_array_foreach(values, i, value)
	{
		buf_add_string(&line, i == 0 ? ": " : ", ");
		buf_add_string(&line, json_string_value(value));
	}
	cli_print("%s", buf_string(&line));
	buf_free(&line);
}

static void print(const struct client_options *options, const struct client_demands *demands)
{
	json_t *list = json_array(), *object;
	size_t i;

	for (i = 0; i < demands->count; i++)
		(void)json_array_append_new(list, describe(&demands->demands[i]));
	if (options->json) {
		cli_json_print(json_pack("{s:o}", "attributes", list));
		return;
	}
	if (demands->count == 0)
		cli_say("the server demands nothing");
	json_array_foreach(list, i, object) print_demand(object);
	json_decref(list);
}

enum outcome client_csrattrs(void *values, const struct cli_call *call)
{
	struct client_run run;
	struct client_demands demands = {0};
	struct buf der = {0};
	enum outcome outcome = client_run_open(values, CLIENT_CREATE, &run);

	(void)call;
	if (outcome == EST_OK)
		outcome = client_run_trust(&run);
	if (outcome == EST_OK)
		outcome = client_session_csrattrs(&run.session, &der);
	if (outcome == EST_OK && der.len > 0)
		outcome = client_demands_parse(buf_span(&der), &demands);
	if (outcome == EST_OK)
		print(values, &demands);
	buf_free(&der);
	client_run_close(&run);
	return outcome;
}
