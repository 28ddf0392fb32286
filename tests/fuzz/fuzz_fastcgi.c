/*
 * fuzz_fastcgi - the head of a FastCGI request: the verdict does not depend on how the octets come
 * in, and in what is good nobody can find two values of one variable, or a NUL.
 *
 * The first octet chooses: even, the rest is what comes from the socket; odd, the rest is the
 * parameters, which are put into records of that size, so that the fuzzer need not learn to frame
 * them.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "cgi/request.h"
#include "cgi/screen.h"

#define HEADER 8

static void add_record(struct buf *out, unsigned char type, struct span content)
{
	const unsigned char header[HEADER] = {1, type, 0, 1, (unsigned char)(content.len >> 8),
	    (unsigned char)content.len, (unsigned char)(content.len % 3), 0};

	buf_add(out, header, sizeof(header));
	buf_add_span(out, content);
	buf_add(out, "pad", content.len % 3);
}

static void frame(struct span parameters, size_t most, struct buf *out)
{
	static const unsigned char begin[] = {0, 1, 0, 0, 0, 0, 0, 0};

	add_record(out, 1, (struct span){begin, sizeof(begin)});
	while (parameters.len > 0) {
		size_t len = parameters.len < most ? parameters.len : most;
		add_record(out, 4, (struct span){parameters.data, len});
		parameters = (struct span){parameters.data + len, parameters.len - len};
	}
	add_record(out, 4, (struct span){NULL, 0});
	add_record(out, 5, span_of("a body"));
}

static enum screen_verdict judge(struct span octets, size_t len, size_t *more)
{
	const char *fault = "unset";
	enum screen_verdict verdict;

	*more = 1;
	octets.len = len;
	verdict = screen_head(octets, more, &fault);
	must((fault != NULL) == (verdict == SCREEN_FAULTY || verdict == SCREEN_BROKEN));
	must(verdict != SCREEN_MORE || *more > 0);
	must(fault == NULL || fault[0] != '\0');
	return verdict;
}

/*
 * Reads as little as screen_head() asks for, as the worker does; where it stops, and with which
 * verdict.
 */
static enum screen_verdict read_slowly(struct span octets, size_t *stopped)
{
	enum screen_verdict verdict;
	size_t len = 0, more;

	while ((verdict = judge(octets, len, &more)) == SCREEN_MORE && len < octets.len)
		len += more < octets.len - len ? more : octets.len - len;
	*stopped = len;
	return verdict;
}

/* FastCGI 1.0, section 3.4, once more; the octets are known to be whole. */
static size_t take_length(struct span *left)
{
	const unsigned char *at = left->data;
	size_t octets = (at[0] & 0x80) != 0 ? 4 : 1, length = at[0];

	if (octets == 4)
		length =
		    (size_t)(at[0] & 0x7f) << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
	*left = (struct span){at + octets, left->len - octets};
	return length;
}

/* What a variable of those that are read may be; each must have one value only. */
static void check_variable(struct span *values, struct span name, struct span value)
{
	struct request_rule rule;

	must(memchr(name.data, 0, name.len) == NULL && memchr(value.data, 0, value.len) == NULL);
	if (!request_rule(name, &rule))
		return;
	must(value.len <= rule.most);
	must(values[rule.place].data == NULL || span_equal(values[rule.place], value));
	values[rule.place] = value;
	for (size_t i = 0; i < value.len && rule.text; i++)
		must(value.data[i] >= 0x20 || value.data[i] == '\t' ||
		     (rule.lines && (value.data[i] == '\r' || value.data[i] == '\n')));
}

static void check_parameters(struct span left)
{
	struct span values[REQUEST_VARIABLES] = {{NULL, 0}};

	while (left.len > 0) {
		size_t name = take_length(&left), value = take_length(&left);
		must(name <= left.len && value <= left.len - name);
		check_variable(
		    values, (struct span){left.data, name}, (struct span){left.data + name, value});
		left = (struct span){left.data + name + value, left.len - name - value};
	}
}

/* The contents of the records of a good head, behind the first. */
static void check_good(struct span octets)
{
	struct buf parameters = {0};
	size_t at = 0;

	for (;;) {
		const unsigned char *record = octets.data + at;
		size_t content = (size_t)record[4] << 8 | record[5];
		must(record[0] == 1 && record[1] == (at == 0 ? 1 : 4));
		must(record[2] == octets.data[2] && record[3] == octets.data[3]);
		if (at > 0)
			buf_add(&parameters, record + HEADER, content);
		at += HEADER + content + record[6];
		must(at <= octets.len);
		if (record[1] == 4 && content == 0)
			break;
	}
	must(at == octets.len);
	check_parameters(buf_span(&parameters));
	buf_free(&parameters);
}

static void check(struct span octets)
{
	size_t stopped, more, step = octets.len / 7 + 1;
	enum screen_verdict all = judge(octets, octets.len, &more), slow, part;

	slow = read_slowly(octets, &stopped);
	must(slow == all);
	if (slow == SCREEN_GOOD)
		check_good((struct span){octets.data, stopped});
	/*
	 * The first verdict stands, whatever follows; and a good head is not complete before its
	 * last octet.
	 */
	for (size_t len = 0; len < octets.len; len += step) {
		part = judge(octets, len, &more);
		must(part == SCREEN_MORE || part == all);
		if (all == SCREEN_GOOD || all == SCREEN_FAULTY)
			must((part == SCREEN_MORE) == (len < stopped));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = {data + 1, size - 1};
	struct buf framed = {0};
	size_t most;

	if (size == 0)
		return 0;
	if (data[0] % 2 == 0) {
		check(rest);
		return 0;
	}
	most = data[0] < 128 ? (size_t)data[0] : (size_t)data[0] * 257;
	/* Reading slowly takes time in the square of the records. */
	frame(rest, most > size / 64 ? most : size / 64, &framed);
	check(buf_span(&framed));
	buf_free(&framed);
	return 0;
}

#ifdef EST_FUZZING

/* A name and its value off the front of parameters, as far as they are there. */
static bool take_variable(struct span *left, struct span *name, struct span *value)
{
	size_t name_len, value_len;

	/* The longest head of lengths, so that take_length() has all of both. */
	if (left->len < 8)
		return false;
	name_len = take_length(left);
	value_len = take_length(left);
	if (name_len > left->len || value_len > left->len - name_len)
		return false;
	*name = (struct span){left->data, name_len};
	*value = (struct span){left->data + name_len, value_len};
	*left = (struct span){value->data + value_len, left->len - name_len - value_len};
	return true;
}

static void add_length(struct buf *out, size_t length)
{
	if (length >= 0x80) {
		buf_add_byte(out, (unsigned char)(0x80 | length >> 24));
		buf_add_byte(out, (unsigned char)(length >> 16));
		buf_add_byte(out, (unsigned char)(length >> 8));
	}
	buf_add_byte(out, (unsigned char)length);
}

static void add_variable(struct buf *out, struct span name, struct span value)
{
	add_length(out, name.len);
	add_length(out, value.len);
	buf_add_span(out, name);
	buf_add_span(out, value);
}

/* The variable again, its value changed. */
static void add_changed(struct buf *out, struct span name, struct span value)
{
	size_t most = value.len + 32;
	unsigned char *changed = mem_alloc(most);

	if (value.len > 0)
		memcpy(changed, value.data, value.len);
	add_variable(out, name, (struct span){changed, LLVMFuzzerMutate(changed, value.len, most)});
	free(changed);
}

/* Changes one variable, puts a changed one behind it, or leaves it out; its lengths stay right. */
static void change_variables(struct span left, unsigned dice, struct buf *out)
{
	struct span name, value;
	unsigned which = dice / 4 % 16;

	for (unsigned i = 0; take_variable(&left, &name, &value); i++) {
		if (i != which || dice % 4 > 1)
			add_variable(out, name, value);
		if (i == which && dice % 4 > 0)
			add_changed(out, name, value);
	}
	buf_add_span(out, left);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	struct buf changed = {0};

	if (size < 2 || data[0] % 2 == 0 || seed % 4 == 0)
		return LLVMFuzzerMutate(data, size, most);
	change_variables((struct span){data + 1, size - 1}, seed / 4, &changed);
	if (changed.len > 0 && changed.len < most) {
		memcpy(data + 1, changed.data, changed.len);
		size = 1 + changed.len;
	}
	buf_free(&changed);
	return size;
}

#endif
