#include "common/pki/cmc_data.h"

#include <string.h>

#include "common/base/refusal.h"
#include "common/pki/tree.h"

#define PARTS_MAX 64

/* OID of a control, but for its last octet. */
static const struct span id_cmc = DER_OCTETS("\x2b\x06\x01\x05\x05\x07\x07");

/* The numbers that were met. */
struct parts {
	uint32_t id[PARTS_MAX];
	size_t count;
};

bool cmc_number_take(struct span *rest, uint32_t *out)
{
	struct der integer;
	uint64_t value = 0;

	if (der_take(rest, DER_INTEGER, &integer) != EST_OK || !der_integer_ok(integer.content) ||
	    integer.content.len > 5 || (integer.content.data[0] & 0x80) != 0)
		return false;
	for (size_t i = 0; i < integer.content.len; i++)
		value = value << 8 | integer.content.data[i];
	*out = (uint32_t)value;
	return value <= UINT32_MAX;
}

/* BodyPartID ::= INTEGER (0..4294967295); 0 is the PKIData itself. */
static enum outcome take_id(struct span *rest, struct parts *parts, uint32_t *out)
{
	if (!cmc_number_take(rest, out) || *out == 0)
		return refuse(CMC_FORM, "a body part has no number between 1 and 4294967295");
	for (size_t i = 0; i < parts->count; i++)
		if (parts->id[i] == *out)
			return refuse(CMC_FORM, "two body parts have the same number");
	if (parts->count == PARTS_MAX)
		return refuse(CMC_FORM, "the message has too many body parts");
	parts->id[parts->count++] = *out;
	return EST_OK;
}

static unsigned number_of(struct span oid)
{
	if (oid.len == id_cmc.len + 1 && oid.data[id_cmc.len] <= CMC_NUMBER_MAX &&
	    memcmp(oid.data, id_cmc.data, id_cmc.len) == 0)
		return oid.data[id_cmc.len];
	return CMC_UNKNOWN;
}

/* TaggedAttribute ::= SEQUENCE { bodyPartID, attrType, attrValues SET OF ANY } */
static enum outcome take_control(struct span *rest, struct parts *parts, struct cmc_data *out)
{
	struct cmc_control *control = &out->controls[out->control_count];
	struct der sequence, oid, set;

	if (out->control_count == CMC_CONTROLS_MAX)
		return refuse(CMC_FORM, "the message has too many controls");
	if (der_take(rest, DER_SEQUENCE, &sequence) != EST_OK)
		return refuse(CMC_FORM, "a control is not in form");
	if (take_id(&sequence.content, parts, &control->id) != EST_OK)
		return EST_MALFORMED;
	if (der_take(&sequence.content, DER_OID, &oid) != EST_OK ||
	    der_take(&sequence.content, DER_SET, &set) != EST_OK || sequence.content.len > 0)
		return refuse(CMC_FORM, "a control is not in form");
	control->number = number_of(oid.content);
	control->values = set.content;
	out->control_count++;
	return EST_OK;
}

/*
 * TaggedRequest: [0] IMPLICIT { bodyPartID, CertificationRequest }, [1] IMPLICIT CertReqMsg, whose
 * certReqId is its number, [2] IMPLICIT { bodyPartID, type, value }.
 */
static enum outcome take_request(struct span *rest, struct parts *parts, struct cmc_data *out)
{
	struct cmc_request *request = &out->requests[out->request_count];
	struct der tagged, part;
	struct span inside;

	if (out->request_count == CMC_REQUESTS_MAX)
		return refuse(CMC_FORM, "the message has too many certification requests");
	if (der_next(rest, &tagged) != EST_OK || tagged.tag < DER_CONTEXT_CONSTRUCTED(0) ||
	    tagged.tag > DER_CONTEXT_CONSTRUCTED(2))
		return refuse(CMC_FORM, "a certification request is of no known form");
	request->kind = (enum cmc_kind)(tagged.tag - DER_CONTEXT_CONSTRUCTED(0));
	inside = tagged.content;
	if (request->kind == CMC_CRMF) {
		if (der_take(&inside, DER_SEQUENCE, &part) != EST_OK)
			return refuse(CMC_FORM, "a CertReqMsg has no CertRequest");
		inside = part.content;
	}
	if (take_id(&inside, parts, &request->id) != EST_OK)
		return EST_MALFORMED;
	request->der = request->kind == CMC_CRMF ? tagged.content : inside;
	if (request->kind == CMC_PKCS10 &&
	    (der_take(&inside, DER_SEQUENCE, &part) != EST_OK || inside.len > 0))
		return refuse(CMC_FORM, "a certification request is not in form");
	out->request_count++;
	return EST_OK;
}

/* TaggedContentInfo and OtherMsg: a SEQUENCE that begins with a number. */
static enum outcome take_ignored(struct span *rest, struct parts *parts, struct cmc_data *out)
{
	struct der sequence;
	uint32_t id;

	(void)out;
	if (der_take(rest, DER_SEQUENCE, &sequence) != EST_OK)
		return refuse(CMC_FORM, "a body part is not in form");
	return take_id(&sequence.content, parts, &id);
}

typedef enum outcome take_part(struct span *rest, struct parts *parts, struct cmc_data *out);

static enum outcome take_sequence(
    struct span *rest, take_part *take, struct parts *parts, struct cmc_data *out)
{
	struct der sequence;

	if (der_take(rest, DER_SEQUENCE, &sequence) != EST_OK)
		return refuse(CMC_FORM, "the message lacks one of its sequences of body parts");
	if (take == take_request)
		out->request_sequence = sequence.whole;
	while (sequence.content.len > 0)
		if (take(&sequence.content, parts, out) != EST_OK)
			return EST_MALFORMED;
	return EST_OK;
}

static enum outcome parse(
    struct span der, take_part *const *takes, size_t count, struct cmc_data *out)
{
	struct parts parts = {.count = 0};
	struct der body;
	struct span rest = der;

	*out = (struct cmc_data){.control_count = 0};
	if (tree_check(der, CMC_FORM, "what is signed") != EST_OK)
		return EST_MALFORMED;
	if (der_take(&rest, DER_SEQUENCE, &body) != EST_OK)
		return refuse(CMC_FORM, "what is signed is not a SEQUENCE");
	for (size_t i = 0; i < count; i++)
		if (take_sequence(&body.content, takes[i], &parts, out) != EST_OK)
			return EST_MALFORMED;
	return body.content.len == 0
		   ? EST_OK
		   : refuse(CMC_FORM, "something stands behind the last body part");
}

enum outcome cmc_data_parse(struct span der, struct cmc_data *out)
{
	static take_part *const takes[] = {take_control, take_request, take_ignored, take_ignored};

	return parse(der, takes, 4, out);
}

enum outcome cmc_response_parse(struct span der, struct cmc_data *out)
{
	static take_part *const takes[] = {take_control, take_ignored, take_ignored};

	return parse(der, takes, 3, out);
}

const struct cmc_control *cmc_control_find(const struct cmc_data *data, unsigned number)
{
	for (size_t i = 0; i < data->control_count; i++)
		if (data->controls[i].number == number)
			return &data->controls[i];
	return NULL;
}

enum outcome cmc_control_value(const struct cmc_control *control, unsigned tag, struct der *out)
{
	struct span rest = control->values;

	if (der_take(&rest, tag, out) == EST_OK && rest.len == 0)
		return EST_OK;
	return refuse(CMC_CONTROL, "control %u of id-cmc does not hold one value of its type",
	    control->number);
}

void cmc_number_add(struct buf *out, uint32_t id)
{
	unsigned char octets[5] = {0, (unsigned char)(id >> 24), (unsigned char)(id >> 16),
	    (unsigned char)(id >> 8), (unsigned char)id};
	size_t from = 0;

	while (from < 4 && octets[from] == 0 && octets[from + 1] < 0x80)
		from++;
	der_add(out, DER_INTEGER, (struct span){octets + from, 5 - from});
}

void cmc_control_add(struct buf *controls, uint32_t id, unsigned number, struct span value)
{
	size_t attribute = der_open(controls, DER_SEQUENCE), oid;

	cmc_number_add(controls, id);
	oid = der_open(controls, DER_OID);
	buf_add_span(controls, id_cmc);
	buf_add_byte(controls, (unsigned char)number);
	der_close(controls, oid);
	der_add(controls, DER_SET, value);
	der_close(controls, attribute);
}

static void add_empty(struct buf *out)
{
	der_add(out, DER_SEQUENCE, (struct span){NULL, 0});
}

void cmc_response_add(struct buf *out, struct span controls)
{
	size_t response = der_open(out, DER_SEQUENCE);

	der_add(out, DER_SEQUENCE, controls);
	add_empty(out);
	add_empty(out);
	der_close(out, response);
}

void cmc_data_add(
    struct buf *out, struct span controls, const struct cmc_request *requests, size_t request_count)
{
	size_t data = der_open(out, DER_SEQUENCE), sequence, tagged;

	der_add(out, DER_SEQUENCE, controls);
	sequence = der_open(out, DER_SEQUENCE);
	for (size_t i = 0; i < request_count; i++) {
		tagged = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
		cmc_number_add(out, requests[i].id);
		buf_add_span(out, requests[i].der);
		der_close(out, tagged);
	}
	der_close(out, sequence);
	add_empty(out);
	add_empty(out);
	der_close(out, data);
}
