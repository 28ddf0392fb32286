#include "common/base/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

static _Thread_local char text[REASON_SIZE];
static _Thread_local unsigned marked;

__attribute__((format(printf, 1, 0))) static void record(const char *format, va_list arguments)
{
	if (text[0] == '\0')
		(void)vsnprintf(text, sizeof(text), format, arguments);
}

enum outcome reason(enum outcome outcome, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	record(format, arguments);
	va_end(arguments);
	return outcome;
}

enum outcome reason_openssl(enum outcome outcome, const char *format, ...)
{
	va_list arguments;
	unsigned long error = ERR_get_error();
	const char *detail = error == 0 ? NULL : ERR_reason_error_string(error);
	int first = text[0] == '\0';

	va_start(arguments, format);
	record(format, arguments);
	va_end(arguments);
	if (first && detail != NULL) {
		size_t used = strlen(text);
		(void)snprintf(text + used, sizeof(text) - used, " (OpenSSL: %s)", detail);
	}
	ERR_clear_error();
	return outcome;
}

void reason_mark(unsigned mark)
{
	if (marked == 0)
		marked = mark;
}

unsigned reason_marked(void)
{
	return marked;
}

const char *reason_text(void)
{
	return text;
}

void reason_clear(void)
{
	text[0] = '\0';
	marked = 0;
}

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[EST_OUTCOMES] = {
	    [EST_OK] = "ok",
	    [EST_MALFORMED] = "malformed",
	    [EST_UNAUTHENTICATED] = "unauthenticated",
	    [EST_FORBIDDEN] = "forbidden",
	    [EST_NOT_FOUND] = "not-found",
	    [EST_CONFLICT] = "conflict",
	    [EST_THROTTLED] = "throttled",
	    [EST_PENDING] = "pending",
	    [EST_UNAVAILABLE] = "unavailable",
	    [EST_INTERNAL] = "internal",
	};

	return outcome < EST_OUTCOMES ? names[outcome] : "internal";
}
