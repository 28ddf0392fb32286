#include "common/base/rate.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MOST 1000000

static bool number(const char **at, int64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	*out = strtoll(*at, &end, 10);
	*at = end;
	return *out >= 1 && *out <= MOST;
}

bool rate_parse(const char *text, struct rate *out)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	static const char burst[] = " burst ";
	int64_t count;

	if (!number(&text, &count) || *text++ != '/')
		return false;
	out->interval = 0;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (*text == units[i].unit)
			out->interval = units[i].seconds * 1000000 / count;
	out->burst = count;
	if (out->interval == 0)
		return false;
	text++;
	if (strncmp(text, burst, sizeof(burst) - 1) == 0) {
		text += sizeof(burst) - 1;
		if (!number(&text, &out->burst))
			return false;
	}
	return *text == '\0';
}
