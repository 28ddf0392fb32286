#include "common/pki/san.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <arpa/inet.h>

#include "common/base/refusal.h"
#include "common/pki/der.h"

static bool dns_ok(struct span name), ip_ok(struct span address), email_ok(struct span address),
    uri_ok(struct span uri);

/* The kinds that we know, by the context tag of GeneralName. */
static const struct {
	const char *word;
	unsigned tag;
	bool (*ok)(struct span value);
	bool folds; /* compares without letter case */
	const char *rule;
} kinds[SAN_KINDS] = {
    [SAN_DNS] = {"dns", DER_CONTEXT(2), dns_ok, true,
	"a dNSName is letters, digits, - and _ "
	"in labels of 1 to 63, without a wildcard"},
    [SAN_IP] = {"ip", DER_CONTEXT(7), ip_ok, false, "an iPAddress has 4 or 16 octets"},
    [SAN_EMAIL] = {"email", DER_CONTEXT(1), email_ok, true,
	"an rfc822Name is local@domain, without quotes or a name beside it"},
    [SAN_URI] = {"uri", DER_CONTEXT(6), uri_ok, false,
	"a uniformResourceIdentifier has a scheme and is printable ASCII"},
};

static bool label_ok(struct span label)
{
	if (label.len == 0 || label.len > 63 || label.data[0] == '-' ||
	    label.data[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++)
		if (!isalnum(label.data[i]) && label.data[i] != '-' && label.data[i] != '_')
			return false;
	return true;
}

static bool dns_ok(struct span name)
{
	size_t start = 0;

	if (name.len == 0 || name.len > 253)
		return false;
	for (size_t i = 0; i <= name.len; i++) {
		if (i < name.len && name.data[i] != '.')
			continue;
		if (!label_ok((struct span){name.data + start, i - start}))
			return false;
		start = i + 1;
	}
	return true;
}

static bool ip_ok(struct span address)
{
	return address.len == 4 || address.len == 16;
}

static bool email_ok(struct span address)
{
	const unsigned char *at = memchr(address.data, '@', address.len);
	size_t local;

	if (at == NULL)
		return false;
	local = (size_t)(at - address.data);
	if (local == 0 || local > 64)
		return false;
	for (size_t i = 0; i < local; i++)
		if (!isalnum(address.data[i]) &&
		    (address.data[i] == '\0' ||
			strchr("!#$%&'*+-/=?^_`{|}~.", address.data[i]) == NULL))
			return false;
	return dns_ok((struct span){at + 1, address.len - local - 1});
}

static bool uri_ok(struct span uri)
{
	size_t scheme = 0;

	if (uri.len > 2048)
		return false;
	for (size_t i = 0; i < uri.len; i++)
		if (uri.data[i] <= ' ' || uri.data[i] >= 0x7f ||
		    strchr("<>\"\\^`{|}", uri.data[i]) != NULL)
			return false;
	while (scheme < uri.len &&
	       (isalnum(uri.data[scheme]) || strchr("+-.", uri.data[scheme]) != NULL))
		scheme++;
	return scheme > 0 && isalpha(uri.data[0]) && scheme + 1 < uri.len &&
	       uri.data[scheme] == ':';
}

const char *san_kind_word(enum san_kind kind)
{
	return kinds[kind].word;
}

/* What an English number ends with: 1st, 2nd, 3rd, 4th, 11th. */
static const char *ordinal(size_t number)
{
	static const char *const endings[] = {"th", "st", "nd", "rd"};

	return number % 100 / 10 == 1 || number % 10 > 3 ? "th" : endings[number % 10];
}

/*
 * What would end a line or cut a name short where it is shown: told apart from names that are
 * merely wrong.
 */
static enum outcome check_controls(struct span text, size_t number)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == 0)
			return refuse(CSR_NAME_NUL,
			    "the %zu%s subject alternative name holds a NUL; leave it out", number,
			    ordinal(number));
		if (text.data[i] < 0x20 || text.data[i] == 0x7f)
			return refuse(CSR_NAME_CONTROL,
			    "the %zu%s subject alternative name holds the control character "
			    "U+%04X; leave it out",
			    number, ordinal(number), text.data[i]);
	}
	return EST_OK;
}

static enum outcome add_known(enum san_kind kind, struct span value, struct sans *out)
{
	size_t number = out->count + out->others + 1;

	if (kind != SAN_IP && check_controls(value, number) != EST_OK)
		return EST_MALFORMED;
	if (!kinds[kind].ok(value))
		return refuse(CSR_SAN_NAME, "the %zu%s subject alternative name: %s", number,
		    ordinal(number), kinds[kind].rule);
	out->san[out->count++] = (struct san){kind, value};
	return EST_OK;
}

static enum outcome take_san(struct span *rest, struct sans *out)
{
	struct der value;

	if (der_next(rest, &value) != EST_OK || (value.tag & 0xc0) != 0x80 ||
	    (value.tag & 0x1f) > 8)
		return refuse(CSR_SAN_DER, "the SubjectAltName is not DER GeneralNames");
	if (out->count + out->others == SANS_MAX)
		return refuse(
		    CSR_SAN_COUNT, "there are more than %d subject alternative names", SANS_MAX);
	for (unsigned kind = 0; kind < SAN_KINDS; kind++)
		if (kinds[kind].tag == value.tag)
			return add_known((enum san_kind)kind, value.content, out);
	out->others++;
	return EST_OK;
}

enum outcome sans_parse(struct span der, struct sans *out)
{
	struct der sequence;

	out->count = out->others = 0;
	if (der_take(&der, DER_SEQUENCE, &sequence) != EST_OK || der.len > 0)
		return refuse(CSR_SAN_DER, "the SubjectAltName is not a DER SEQUENCE");
	if (sequence.content.len == 0)
		return refuse(CSR_SAN_DER, "the SubjectAltName holds no name; leave it out");
	while (sequence.content.len > 0)
		if (take_san(&sequence.content, out) != EST_OK)
			return EST_MALFORMED;
	return EST_OK;
}

void sans_encode(const struct sans *sans, struct buf *out)
{
	size_t sequence = der_open(out, DER_SEQUENCE);

	for (size_t i = 0; i < sans->count; i++)
		der_add(out, kinds[sans->san[i].kind].tag, sans->san[i].value);
	der_close(out, sequence);
}

void san_text(const struct san *san, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];

	if (san->kind == SAN_IP) {
		int family = san->value.len == 4 ? AF_INET : AF_INET6;
		buf_add_string(out, inet_ntop(family, san->value.data, text, sizeof(text)));
		return;
	}
	for (size_t i = 0; i < san->value.len; i++)
		if (san->value.data[i] == ',')
			buf_add_string(out, "%2C");
		else
			buf_add_byte(out, san->value.data[i]);
}

void sans_text(const struct sans *sans, struct buf *out)
{
	for (size_t i = 0; i < sans->count; i++) {
		if (i > 0)
			buf_add_byte(out, ',');
		buf_add_string(out, kinds[sans->san[i].kind].word);
		buf_add_byte(out, ':');
		san_text(&sans->san[i], out);
	}
}

static bool san_equal(const struct san *a, const struct san *b)
{
	if (a->kind != b->kind)
		return false;
	if (!kinds[a->kind].folds)
		return span_equal(a->value, b->value);
	return a->value.len == b->value.len && strncasecmp((const char *)a->value.data,
						   (const char *)b->value.data, a->value.len) == 0;
}

bool sans_have(const struct sans *sans, const struct san *san)
{
	for (size_t i = 0; i < sans->count; i++)
		if (san_equal(&sans->san[i], san))
			return true;
	return false;
}

/* An order in which equal names lie beside each other. */
static int compare(const void *left, const void *right)
{
	const struct san *a = *(const struct san *const *)left,
			 *b = *(const struct san *const *)right;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->value.len != b->value.len)
		return a->value.len < b->value.len ? -1 : 1;
	return kinds[a->kind].folds ? strncasecmp((const char *)a->value.data,
					  (const char *)b->value.data, a->value.len)
				    : memcmp(a->value.data, b->value.data, a->value.len);
}

/* The names in that order, each once; gives their number. */
static size_t sort(const struct sans *sans, const struct san *sorted[static SANS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < sans->count; i++)
		sorted[i] = &sans->san[i];
	qsort(sorted, sans->count, sizeof(sorted[0]), compare);
	for (size_t i = 0; i < sans->count; i++)
		if (count == 0 || compare(&sorted[count - 1], &sorted[i]) != 0)
			sorted[count++] = sorted[i];
	return count;
}

bool sans_equal(const struct sans *a, const struct sans *b)
{
	const struct san *in_a[SANS_MAX], *in_b[SANS_MAX];
	size_t count = sort(a, in_a);

	if (a->others > 0 || b->others > 0 || count != sort(b, in_b))
		return false;
	for (size_t i = 0; i < count; i++)
		if (compare(&in_a[i], &in_b[i]) != 0)
			return false;
	return true;
}
