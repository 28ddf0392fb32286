#include "cgi/screen.h"

#include <stdint.h>
#include <string.h>

#include "cgi/request.h"

/* FastCGI 1.0, section 8: what of it a web server sends ahead of a body. */
enum { VERSION = 1, BEGIN_REQUEST = 1, PARAMS = 4, RESPONDER = 1 };
enum { HEADER_SIZE = 8, BEGIN_SIZE = 8 };

struct record {
	unsigned type, id;
	struct span content;
	size_t size; /* with its header and padding */
};

/* What is known of the variables so far. */
struct judge {
	struct span values[REQUEST_VARIABLES]; /* of those in request.c's table */
	bool seen[REQUEST_VARIABLES];
	const char *fault; /* the first one */
};

static enum screen_verdict broken(const char **fault, const char *what)
{
	*fault = what;
	return SCREEN_BROKEN;
}

static unsigned two_octets(const unsigned char *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static const char *control_in(struct span value, bool lines)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = value.data[i];
		if (lines && (c == '\r' || c == '\n'))
			continue;
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return "a variable holds a line break or another control character";
	}
	return NULL;
}

static bool has_nul(struct span text)
{
	return text.len > 0 && memchr(text.data, '\0', text.len) != NULL;
}

static const char *judge_value(struct judge *judge, struct span name, struct span value)
{
	struct request_rule rule;

	if (has_nul(name) || has_nul(value))
		return "a variable holds a NUL";
	if (!request_rule(name, &rule))
		return NULL;
	if (judge->seen[rule.place] && !span_equal(judge->values[rule.place], value))
		return "a variable came twice with different values";
	judge->seen[rule.place] = true;
	judge->values[rule.place] = value;
	if (value.len > rule.most)
		return "a variable is longer than any honest one";
	return rule.text ? control_in(value, rule.lines) : NULL;
}

static void judge_variable(struct judge *judge, struct span name, struct span value)
{
	if (judge->fault == NULL)
		judge->fault = judge_value(judge, name, value);
}

/* FastCGI 1.0, section 3.4: a length is one octet, or four where the first has its high bit set. */
static bool take_length(struct span *left, size_t *length)
{
	size_t size = left->len > 0 && (left->data[0] & 0x80) != 0 ? 4 : 1;

	if (left->len < size)
		return false;
	*length = left->data[0];
	if (size == 4)
		*length = (*length & 0x7f) << 24 | (size_t)left->data[1] << 16 |
			  (size_t)left->data[2] << 8 | left->data[3];
	*left = (struct span){left->data + size, left->len - size};
	return true;
}

static bool take(struct span *left, size_t length, struct span *taken)
{
	if (length > left->len)
		return false;
	*taken = (struct span){left->data, length};
	*left = (struct span){left->data + length, left->len - length};
	return true;
}

static enum screen_verdict judge_parameters(struct span left, const char **fault)
{
	struct judge judge = {.fault = NULL};
	struct span name, value;
	size_t name_len, value_len;

	while (left.len > 0) {
		if (!take_length(&left, &name_len) || !take_length(&left, &value_len) ||
		    !take(&left, name_len, &name) || !take(&left, value_len, &value))
			return broken(fault, "a parameter is longer than the parameters");
		judge_variable(&judge, name, value);
	}
	*fault = judge.fault;
	return judge.fault == NULL ? SCREEN_GOOD : SCREEN_FAULTY;
}

/*
 * One record off the front. SCREEN_GOOD: it is there whole; SCREEN_MORE: its size is 0 where not
 * even its header is.
 */
static enum screen_verdict take_record(struct span *left, struct record *record)
{
	const unsigned char *at = left->data;
	size_t content;

	*record = (struct record){.size = 0};
	if (left->len > 0 && at[0] != VERSION)
		return SCREEN_BROKEN;
	if (left->len < HEADER_SIZE)
		return SCREEN_MORE;
	content = two_octets(at + 4);
	*record = (struct record){
	    at[1], two_octets(at + 2), {at + HEADER_SIZE, content}, HEADER_SIZE + content + at[6]};
	if (left->len < record->size)
		return SCREEN_MORE;
	*left = (struct span){at + record->size, left->len - record->size};
	return SCREEN_GOOD;
}

static const char *fault_of_begin(const struct record *record)
{
	if (record->type != BEGIN_REQUEST)
		return "the first record is not BEGIN_REQUEST";
	if (record->id == 0)
		return "the request id is 0";
	return record->content.len != BEGIN_SIZE ? "BEGIN_REQUEST has not 8 octets" : NULL;
}

static const char *fault_of_parameters(const struct record *record, unsigned id, size_t count)
{
	if (record->type != PARAMS)
		return "a record other than PARAMS comes ahead of the end of the parameters";
	if (record->id != id)
		return "the request id changes";
	return count > SCREEN_RECORDS ? "there are too many records of parameters" : NULL;
}

static bool is_end(const struct record *record)
{
	return record->type == PARAMS && record->content.len == 0;
}

/* The records, without a look into the parameters. */
static enum screen_verdict judge_records(struct span left, size_t *more, const char **fault)
{
	struct record record;
	unsigned id = 0;

	for (size_t count = 0;; count++) {
		enum screen_verdict verdict = take_record(&left, &record);
		if (verdict == SCREEN_BROKEN)
			return broken(fault, "the version of FastCGI is not 1");
		if (record.size > 0)
			*fault = count == 0 ? fault_of_begin(&record)
					    : fault_of_parameters(&record, id, count);
		if (*fault != NULL)
			return SCREEN_BROKEN;
		if (verdict == SCREEN_MORE) {
			*more = (record.size == 0 ? HEADER_SIZE : record.size) - left.len;
			return SCREEN_MORE;
		}
		if (count == 0 && two_octets(record.content.data) != RESPONDER)
			return broken(fault, "the role is not that of a responder");
		id = record.id;
		if (is_end(&record))
			return SCREEN_GOOD;
	}
}

enum screen_verdict screen_head(struct span octets, size_t *more, const char **fault)
{
	struct buf parameters = {0};
	struct record record;
	enum screen_verdict verdict;

	*more = 0;
	*fault = NULL;
	verdict = judge_records(octets, more, fault);
	if (verdict != SCREEN_GOOD)
		return verdict;
	do {
		(void)take_record(&octets, &record);
		if (record.type == PARAMS)
			buf_add_span(&parameters, record.content);
	} while (!is_end(&record));
	verdict = judge_parameters(buf_span(&parameters), fault);
	buf_cleanse(&parameters);
	return verdict;
}

enum screen_verdict screen_environment(char *const *environment, const char **fault)
{
	struct judge judge = {.fault = NULL};

	for (; *environment != NULL; environment++) {
		const char *equals = strchr(*environment, '=');
		if (equals != NULL)
			judge_variable(&judge,
			    (struct span){(const unsigned char *)*environment,
				(size_t)(equals - *environment)},
			    span_of(equals + 1));
	}
	*fault = judge.fault;
	return judge.fault == NULL ? SCREEN_GOOD : SCREEN_FAULTY;
}
