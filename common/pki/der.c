#include "common/pki/der.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/objects.h>

/*
 * The length octets at the head of *rest, in as few of them as it needs (X.690 10.1), and at most
 * the first and four more: nothing that is read here comes near 4 GiB.
 */
static enum outcome take_length(struct span *rest, size_t *length)
{
	unsigned char first;
	unsigned count;
	size_t value = 0;

	if (rest->len == 0)
		return EST_MALFORMED;
	first = rest->data[0];
	rest->data++;
	rest->len--;
	if (first < 0x80) {
		*length = first;
		return EST_OK;
	}
	count = first & 0x7f;
	if (count == 0 || count > 4 || rest->len < count || rest->data[0] == 0)
		return EST_MALFORMED;
	for (unsigned i = 0; i < count; i++)
		value = value << 8 | rest->data[i];
	if (value < 0x80)
		return EST_MALFORMED;
	rest->data += count;
	rest->len -= count;
	*length = value;
	return EST_OK;
}

enum outcome der_next(struct span *rest, struct der *out)
{
	struct span at = *rest;
	size_t length;

	if (at.len < 2 || (at.data[0] & 0x1f) == 0x1f)
		return EST_MALFORMED;
	out->tag = at.data[0];
	at.data++;
	at.len--;
	if (take_length(&at, &length) != EST_OK || length > at.len)
		return EST_MALFORMED;
	out->content = (struct span){at.data, length};
	out->whole = (struct span){rest->data, (size_t)(at.data - rest->data) + length};
	rest->data += out->whole.len;
	rest->len -= out->whole.len;
	return EST_OK;
}

enum outcome der_take(struct span *rest, unsigned tag, struct der *out)
{
	if (rest->len == 0 || rest->data[0] != tag)
		return EST_MALFORMED;
	return der_next(rest, out);
}

/*
 * As octet strings, the shorter one as if zeros followed; two that
 * differ only by these are BER of one.
 */
static int compare(const void *one, const void *other)
{
	const struct span *a = one, *b = other;
	size_t common = a->len < b->len ? a->len : b->len;
	int difference = common == 0 ? 0 : memcmp(a->data, b->data, common);

	return difference != 0 ? difference : (a->len > b->len) - (a->len < b->len);
}

bool der_sorted(struct span content)
{
	struct span before = {NULL, 0};
	struct der value;

	while (content.len > 0) {
		if (der_next(&content, &value) != EST_OK || compare(&before, &value.whole) > 0)
			return false;
		before = value.whole;
	}
	return true;
}

bool der_integer_ok(struct span content)
{
	if (content.len == 0)
		return false;
	if (content.len == 1)
		return true;
	return !(content.data[0] == 0x00 && content.data[1] < 0x80) &&
	       !(content.data[0] == 0xff && content.data[1] >= 0x80);
}

size_t der_open(struct buf *out, unsigned tag)
{
	buf_add_byte(out, (unsigned char)tag);
	buf_add_byte(out, 0);
	return out->len;
}

void der_close(struct buf *out, size_t mark)
{
	size_t length = out->len - mark;
	unsigned char octets[4];
	size_t count = 0;

	if (length < 0x80) {
		out->data[mark - 1] = (unsigned char)length;
		return;
	}
	for (size_t rest = length; rest > 0; rest >>= 8)
		count++;
	for (size_t i = 0; i < count; i++)
		octets[i] = (unsigned char)(length >> (8 * (count - 1 - i)));
	buf_reserve(out, count);
	memmove(out->data + mark + count, out->data + mark, length);
	memcpy(out->data + mark, octets, count);
	out->data[mark - 1] = (unsigned char)(0x80 | count);
	out->len += count;
}

void der_add(struct buf *out, unsigned tag, struct span content)
{
	size_t mark = der_open(out, tag);

	buf_add_span(out, content);
	der_close(out, mark);
}

void der_add_set(struct buf *out, unsigned tag, struct span *values, size_t count)
{
	size_t mark = der_open(out, tag);

	if (count > 1)
		qsort(values, count, sizeof(values[0]), compare);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || !span_equal(values[i - 1], values[i]))
			buf_add_span(out, values[i]);
	der_close(out, mark);
}

void der_add_time(struct buf *out, int64_t t)
{
	time_t seconds = (time_t)t;
	struct tm tm;
	char text[24];
	bool utc;

	(void)gmtime_r(&seconds, &tm);
	utc = tm.tm_year >= 50 && tm.tm_year < 150;
	(void)strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm);
	der_add(out, utc ? DER_UTC_TIME : DER_GENERALIZED_TIME, span_of(utc ? text + 2 : text));
}

void der_oid_text(struct buf *out, struct span content)
{
	uint64_t arc = 0;
	bool first = true;

	for (size_t i = 0; i < content.len; i++) {
		if (arc > UINT64_MAX >> 7) {
			buf_add_string(out, "...");
			return;
		}
		arc = arc << 7 | (content.data[i] & 0x7f);
		if ((content.data[i] & 0x80) != 0)
			continue;
		if (first) {
			unsigned root = arc < 40 ? 0 : arc < 80 ? 1 : 2;
			buf_printf(out, "%u.%llu", root, (unsigned long long)(arc - 40 * root));
		} else {
			buf_printf(out, ".%llu", (unsigned long long)arc);
		}
		first = false;
		arc = 0;
	}
}

/* OpenSSL reads an empty arc as 0. */
static bool has_empty_arc(const char *text)
{
	size_t len = strlen(text);

	return len == 0 || text[0] == '.' || text[len - 1] == '.' || strstr(text, "..") != NULL;
}

enum outcome der_oid_parse(const char *text, struct buf *out)
{
	ASN1_OBJECT *object = has_empty_arc(text) ? NULL : OBJ_txt2obj(text, 0);

	if (object == NULL)
		return reason_openssl(EST_MALFORMED, "\"%.60s\" is no object identifier", text);
	buf_add(out, OBJ_get0_data(object), OBJ_length(object));
	ASN1_OBJECT_free(object);
	return EST_OK;
}
