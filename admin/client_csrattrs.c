#include "admin/client_csrattrs.h"

#include <string.h>

#include <openssl/objects.h>

#include "common/pki/der.h"

#define EXTENSION_REQUEST  "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"
#define TEMPLATE           "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x3d"
#define EXTENSION_TEMPLATE "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x3e"

static enum outcome malformed(const char *what)
{
	return reason(EST_MALFORMED, "RFC 8951 4: the CSR attributes are malformed: %s", what);
}

static enum outcome add(struct client_demands *demands, const struct client_demand *demand)
{
	if (demands->count == CLIENT_DEMANDS_MOST)
		return reason(
		    EST_MALFORMED, "the server demands more than %d things", CLIENT_DEMANDS_MOST);
	demands->demands[demands->count++] = *demand;
	return EST_OK;
}

/* Extension ::= SEQUENCE { OID, critical BOOLEAN DEFAULT FALSE, extnValue OPTIONAL }: 9908 3.4 */
static enum outcome take_extension(
    struct span content, bool template, struct client_demands *demands)
{
	struct client_demand demand = {.kind = CLIENT_DEMAND_EXTENSION, .template = template};
	struct der value;

	if (der_take(&content, DER_OID, &value) != EST_OK)
		return malformed("an extension has no OID");
	demand.type = value.content;
	if (content.len > 0 && content.data[0] == DER_BOOLEAN) {
		(void)der_next(&content, &value);
		demand.critical = value.content.len == 1 && value.content.data[0] != 0;
	}
	if (content.len > 0) {
		if (der_take(&content, DER_OCTET_STRING, &value) != EST_OK || content.len > 0)
			return malformed("an extension is none");
		demand.value = value.content;
	}
	return add(demands, &demand);
}

/* The one value of an extension request: Extensions; or, as RFC 7030 4.5.2 had it, bare OIDs. */
static enum outcome take_extensions(
    struct span values, bool template, struct client_demands *demands)
{
	enum outcome outcome = EST_OK;
	struct der value, extension;

	while (values.len > 0 && outcome == EST_OK) {
		struct client_demand bare = {.kind = CLIENT_DEMAND_EXTENSION, .template = template};
		if (der_next(&values, &value) != EST_OK)
			return malformed("an extension request is no DER");
		bare.type = value.content;
		if (value.tag == DER_OID)
			outcome = add(demands, &bare);
		else if (value.tag != DER_SEQUENCE)
			return malformed("an extension request holds no extensions");
		while (value.tag == DER_SEQUENCE && value.content.len > 0 && outcome == EST_OK) {
			if (der_take(&value.content, DER_SEQUENCE, &extension) != EST_OK)
				return malformed("an extension is no SEQUENCE");
			outcome = take_extension(extension.content, template, demands);
		}
	}
	return outcome;
}

/* NameTemplate: of each attribute its type, or its type and value (RFC 9908 3.4). */
static enum outcome take_subject(struct span name, struct client_demands *demands)
{
	enum outcome outcome = EST_OK;
	struct der rdn, attribute, type, value;

	while (name.len > 0 && outcome == EST_OK) {
		struct client_demand demand = {.kind = CLIENT_DEMAND_NAME, .template = true};
		if (der_take(&name, DER_SET, &rdn) != EST_OK)
			return malformed("the template's subject is no name");
		while (rdn.content.len > 0 && outcome == EST_OK) {
			if (der_take(&rdn.content, DER_SEQUENCE, &attribute) != EST_OK ||
			    der_take(&attribute.content, DER_OID, &type) != EST_OK)
				return malformed("the template's subject is no name");
			demand.type = type.content;
			demand.value = (struct span){0};
			if (attribute.content.len > 0) {
				if (der_next(&attribute.content, &value) != EST_OK ||
				    attribute.content.len > 0)
					return malformed("the template's subject is no name");
				demand.value = value.whole;
			}
			outcome = add(demands, &demand);
			demand.joined = true;
		}
	}
	return outcome;
}

/* The bits of the modulus in a placeholder RSAPublicKey, the content of a BIT STRING. */
static unsigned placeholder_bits(struct span bit_string)
{
	struct span rest = {bit_string.data + 1, bit_string.len - 1};
	struct der key, modulus;

	if (bit_string.len < 1 || der_take(&rest, DER_SEQUENCE, &key) != EST_OK ||
	    der_take(&key.content, DER_INTEGER, &modulus) != EST_OK || modulus.content.len > 4096)
		return 0;
	while (modulus.content.len > 0 && modulus.content.data[0] == 0) {
		modulus.content.data++;
		modulus.content.len--;
	}
	return (unsigned)modulus.content.len * 8;
}

/* SubjectPublicKeyInfoTemplate: an algorithm, and maybe a key that only shows a size. */
static enum outcome take_key(struct span content, struct client_demands *demands)
{
	struct client_demand demand = {.kind = CLIENT_DEMAND_KEY, .template = true};
	struct der algorithm, value;

	if (der_take(&content, DER_SEQUENCE, &algorithm) != EST_OK ||
	    der_take(&algorithm.content, DER_OID, &value) != EST_OK)
		return malformed("the template's key has no algorithm");
	demand.type = value.content;
	demand.value = algorithm.content;
	if (content.len > 0) {
		if (der_take(&content, DER_BIT_STRING, &value) != EST_OK)
			return malformed("the template's key is none");
		demand.bits = placeholder_bits(value.content);
	}
	return add(demands, &demand);
}

static enum outcome take_list(struct span list, bool template, struct client_demands *demands);

/* CertificationRequestInfoTemplate (RFC 9908 3.4). */
static enum outcome take_template(struct span values, struct client_demands *demands)
{
	enum outcome outcome = EST_OK;
	struct der all, value;

	if (demands->template || der_take(&values, DER_SEQUENCE, &all) != EST_OK ||
	    values.len > 0 || der_take(&all.content, DER_INTEGER, &value) != EST_OK ||
	    !DER_IS(value.content, "\0") || der_next(&all.content, &value) != EST_OK)
		return malformed("the template is none");
	demands->template = true;
	if (value.tag == DER_SEQUENCE) {
		outcome = take_subject(value.content, demands);
		if (der_next(&all.content, &value) != EST_OK)
			return malformed("the template has no attributes");
	}
	if (outcome == EST_OK && value.tag == DER_CONTEXT_CONSTRUCTED(0)) {
		outcome = take_key(value.content, demands);
		if (der_next(&all.content, &value) != EST_OK)
			return malformed("the template has no attributes");
	}
	if (value.tag != DER_CONTEXT_CONSTRUCTED(1) || all.content.len > 0)
		return malformed("the template has no attributes");
	return outcome == EST_OK ? take_list(value.content, true, demands) : outcome;
}

static enum outcome take_attribute(
    struct span content, bool template, struct client_demands *demands)
{
	struct client_demand demand = {.kind = CLIENT_DEMAND_ATTRIBUTE, .template = template};
	struct der type, values;

	if (der_take(&content, DER_OID, &type) != EST_OK ||
	    der_take(&content, DER_SET, &values) != EST_OK || content.len > 0)
		return malformed("an attribute is none");
	if (DER_IS(type.content, EXTENSION_REQUEST) || DER_IS(type.content, EXTENSION_TEMPLATE))
		return take_extensions(values.content, template, demands);
	if (DER_IS(type.content, TEMPLATE))
		return template ? malformed("a template in a template")
				: take_template(values.content, demands);
	demand.type = type.content;
	demand.value = values.content;
	return add(demands, &demand);
}

static enum outcome take_list(struct span list, bool template, struct client_demands *demands)
{
	enum outcome outcome = EST_OK;
	struct der value;

	while (list.len > 0 && outcome == EST_OK) {
		struct client_demand bare = {.kind = CLIENT_DEMAND_ATTRIBUTE, .template = template};
		if (der_next(&list, &value) != EST_OK)
			return malformed("they are no DER");
		bare.type = value.content;
		if (value.tag == DER_OID)
			outcome = add(demands, &bare);
		else if (value.tag == DER_SEQUENCE)
			outcome = take_attribute(value.content, template, demands);
		else
			return malformed("an element is neither an OID nor an attribute");
	}
	return outcome;
}

enum outcome client_demands_parse(struct span der, struct client_demands *demands)
{
	struct der all;

	*demands = (struct client_demands){0};
	if (der_take(&der, DER_SEQUENCE, &all) != EST_OK || der.len > 0)
		return malformed("they are no SEQUENCE");
	return take_list(all.content, false, demands);
}

int client_demand_nid(struct span type)
{
	struct buf der = {0};
	const unsigned char *at;
	ASN1_OBJECT *object;
	int nid;

	der_add(&der, DER_OID, type);
	at = der.data;
	object = d2i_ASN1_OBJECT(NULL, &at, (long)der.len);
	nid = OBJ_obj2nid(object);
	ASN1_OBJECT_free(object);
	buf_free(&der);
	return nid;
}

enum outcome client_csrattrs_follow(
    struct client_run *run, struct client_request *request, bool names)
{
	struct client_demands demands;
	struct buf der = {0};
	enum outcome outcome = client_session_csrattrs(&run->session, &der);

	if (outcome == EST_OK && der.len > 0) {
		outcome = client_demands_parse(buf_span(&der), &demands);
		if (outcome == EST_OK)
			outcome = client_demands_follow(&demands, run, request, names);
	}
	buf_free(&der);
	return outcome;
}
