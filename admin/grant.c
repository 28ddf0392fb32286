#include "admin/grant.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

#define NAME_MOST 255 /* octets of a name, and of a pattern */
#define THE_USER  "{user}"

const struct grant_kind grant_user = {"", "user", "USER", true};
const struct grant_kind grant_ra = {"ra:", "registration authority", "RA", false};
const struct grant_kind grant_srp = {"srp:", "SRP user", "USER", true};

/* What admin's options grant. grant_clear(). */
struct grant {
	char **names;        /* NULL-terminated, as those of a record */
	const char **labels; /* these are of the configuration */
	unsigned roles;
	int64_t expires_at;
	uint32_t uses_most;
};

/* A user's name may be empty (RFC 7617: a password-only token). */
static enum outcome check_name(const struct grant_kind *kind, const char *name)
{
	struct buf what = {0};
	enum outcome outcome;

	if (kind == &grant_user && name[0] == '\0')
		return EST_OK;
	if (kind == &grant_user && strchr(name, ':') != NULL)
		return reason(EST_MALFORMED, "a user's name may hold no colon (RFC 7617 2)");
	if (kind == &grant_user)
		buf_add_string(&what, "a user's name");
	else
		buf_printf(&what, "the name of a %s", kind->what);
	outcome = command_text(buf_string(&what), name, NAME_MOST);
	buf_free(&what);
	return outcome;
}

static bool is_of_kind(const struct grant_kind *kind, const char *record_name)
{
	if (kind == &grant_user)
		return strchr(record_name, ':') == NULL;
	return strncmp(record_name, kind->prefix, strlen(kind->prefix)) == 0;
}

/* --- what the options say --- */

static void grant_clear(struct grant *grant)
{
	for (size_t i = 0; grant->names != NULL && grant->names[i] != NULL; i++)
		free(grant->names[i]);
	free(grant->names);
	free(grant->labels);
	*grant = (struct grant){0};
}

/* The pattern with the name for each {user}; the caller frees it. */
static char *fill_in(const char *pattern, const char *name)
{
	struct buf text = {0};
	const char *at;
	char *filled;

	while ((at = strstr(pattern, THE_USER)) != NULL) {
		buf_add(&text, pattern, (size_t)(at - pattern));
		buf_add_string(&text, name);
		pattern = at + strlen(THE_USER);
	}
	buf_add_string(&text, pattern);
	filled = mem_string(buf_string(&text));
	buf_free(&text);
	return filled;
}

/* An asterisk in a name would stand for any run of characters in the pattern. */
static enum outcome read_names(const struct admin *admin, const char *name, struct grant *out)
{
	out->names = mem_alloc((admin->names.count + 1) * sizeof(*out->names));
	for (size_t i = 0; i < admin->names.count; i++) {
		const char *pattern = admin->names.items[i];
		enum outcome outcome;
		bool fills = name != NULL && strstr(pattern, THE_USER) != NULL;
		if (fills && strchr(name, '*') != NULL)
			return reason(EST_MALFORMED,
			    "the name holds a *, which would be a pattern where {user} stands");
		out->names[i] = fills ? fill_in(pattern, name) : mem_string(pattern);
		outcome = command_text("a pattern", out->names[i], NAME_MOST);
		if (outcome != EST_OK)
			return outcome;
	}
	return EST_OK;
}

static enum outcome read_labels(const struct admin *admin, struct grant *out)
{
	bool all = admin->labels.count == 1 && strcmp(admin->labels.items[0], "*") == 0;

	out->labels = mem_alloc((admin->labels.count + 1) * sizeof(*out->labels));
	for (size_t i = 0; i < admin->labels.count && !all; i++) {
		enum outcome outcome =
		    command_label(admin, admin->labels.items[i], &out->labels[i]);
		if (outcome != EST_OK)
			return outcome;
	}
	return EST_OK;
}

static enum outcome read_roles(const struct admin *admin, struct grant *out)
{
	for (size_t i = 0; i < admin->roles.count; i++) {
		enum user_role role;
		if (!user_role_parse(admin->roles.items[i], &role))
			return cli_usage("--roles %.60s: one of enroll, operate, audit and "
					 "administer is wanted",
			    admin->roles.items[i]);
		out->roles |= 1U << role;
	}
	return EST_OK;
}

static enum outcome read_limits(const struct admin *admin, struct grant *out)
{
	int64_t span = 0;

	if (admin->ends != NULL && strcmp(admin->ends, "never") != 0) {
		if (clock_parse_span(admin->ends, &span) != EST_OK || span == 0) {
			reason_clear();
			return cli_usage("--expires %.60s: write never, or a number and one of s, "
					 "m, h, d, w, y, as in 30d",
			    admin->ends);
		}
		out->expires_at = clock_now() + span;
	}
	if (admin->uses > UINT32_MAX)
		return cli_usage("--uses: %u is the most, and 0 is any number", UINT32_MAX);
	out->uses_most = admin->uses < 0 ? 0 : (uint32_t)admin->uses;
	return EST_OK;
}

static enum outcome read_grant(
    const struct admin *admin, const struct grant_kind *kind, const char *name, struct grant *out)
{
	enum outcome outcome = read_names(admin, kind->is_account ? name : NULL, out);

	if (outcome == EST_OK)
		outcome = read_labels(admin, out);
	if (outcome == EST_OK)
		outcome = read_roles(admin, out);
	if (outcome == EST_OK)
		outcome = read_limits(admin, out);
	return outcome;
}

/* Puts into the record what the options say, and nothing else. */
static void apply(const struct admin *admin, const struct grant *grant, struct user_record *record)
{
	if (admin->names.count > 0)
		record->names = (const char *const *)grant->names;
	if (admin->labels.count > 0)
		record->labels = grant->labels;
	if (admin->roles.count > 0)
		record->roles = grant->roles;
	if (admin->ends != NULL)
		record->expires_at = grant->expires_at;
	if (admin->uses >= 0) {
		record->uses_most = grant->uses_most;
		record->uses = 0;
	}
}

enum outcome grant_check(const struct admin *admin, const struct grant_kind *kind, const char *name)
{
	struct grant grant = {0};
	enum outcome outcome = name == NULL ? EST_OK : check_name(kind, name);

	if (outcome == EST_OK)
		outcome = read_grant(admin, kind, name, &grant);
	grant_clear(&grant);
	return outcome;
}

/* --- adding and changing --- */

static enum outcome already(const struct grant_kind *kind, const char *name)
{
	reason_clear(); /* it has the prefix */
	return reason(EST_CONFLICT, "there is already a %s \"%.100s\"", kind->what, name);
}

/* As store_user_put() would, without doing it. */
static enum outcome try_put(struct store *store, const struct user_record *record)
{
	struct user_record old = {0};
	enum outcome outcome = store_user_get(store, record->name, &old);

	user_record_clear(&old);
	if (outcome == EST_NOT_FOUND)
		return EST_OK;
	return outcome == EST_OK ? EST_CONFLICT : outcome;
}

static enum outcome keep(
    const struct admin *admin, const struct user_record *record, bool *replaced)
{
	struct store *store = admin->service->store;
	enum outcome outcome =
	    admin->dry_run ? try_put(store, record) : store_user_put(store, record, false);

	*replaced = outcome == EST_CONFLICT && admin->replace;
	if (!*replaced)
		return outcome;
	reason_clear();
	return admin->dry_run ? EST_OK : store_user_put(store, record, true);
}

static enum outcome add(const struct admin *admin, const struct grant_kind *kind,
    struct user_record *record, bool *replaced, bool print)
{
	const char *name = record->name;
	struct buf whole = {0};
	struct grant grant = {0};
	enum outcome outcome = check_name(kind, name);

	if (outcome == EST_OK)
		outcome = read_grant(admin, kind, name, &grant);
	if (outcome == EST_OK) {
		buf_printf(&whole, "%s%s", kind->prefix, name);
		record->name = buf_string(&whole);
		apply(admin, &grant, record);
		outcome = keep(admin, record, replaced);
		if (outcome == EST_CONFLICT)
			outcome = already(kind, name);
		if (outcome == EST_OK && print)
			grant_print(admin, kind, record);
	}
	grant_clear(&grant);
	buf_free(&whole);
	return outcome;
}

/* One that the options say nothing of. */
static struct user_record fresh(const char *name, const char *password)
{
	static const char *const none[] = {NULL};

	return (struct user_record){.name = name,
	    .password = password,
	    .names = none,
	    .labels = none,
	    .roles = 1U << ROLE_ENROLL,
	    .created_at = clock_now()};
}

enum outcome grant_put(struct admin *admin, const struct grant_kind *kind, const char *name,
    const char *password, bool *replaced)
{
	struct user_record record = fresh(name, password);

	return add(admin, kind, &record, replaced, false);
}

enum outcome grant_add(
    struct admin *admin, const struct grant_kind *kind, const char *name, const char *password)
{
	struct user_record record = fresh(name, password);
	bool replaced;

	return add(admin, kind, &record, &replaced, admin->json);
}

enum outcome grant_edit(
    struct admin *admin, const struct grant_kind *kind, const char *name, const char *password)
{
	struct user_record record = {0};
	struct grant grant = {0};
	enum outcome outcome = grant_find(admin, kind, name, &record);

	if (outcome == EST_OK)
		outcome = read_grant(admin, kind, name, &grant);
	if (outcome == EST_OK) {
		apply(admin, &grant, &record);
		if (password != NULL)
			record.password = password;
		outcome = store_user_put(admin->service->store, &record, true);
		if (outcome == EST_OK && admin->json)
			grant_print(admin, kind, &record);
	}
	user_record_clear(&record);
	grant_clear(&grant);
	return outcome;
}

/* --- finding --- */

enum outcome grant_find(const struct admin *admin, const struct grant_kind *kind, const char *name,
    struct user_record *out)
{
	struct buf whole = {0};
	enum outcome outcome = EST_NOT_FOUND;

	buf_printf(&whole, "%s%s", kind->prefix, name);
	if (is_of_kind(kind, buf_string(&whole)))
		outcome = store_user_get(admin->service->store, buf_string(&whole), out);
	if (outcome == EST_NOT_FOUND)
		outcome = reason(outcome, "there is no %s \"%.100s\"", kind->what, name);
	buf_free(&whole);
	return outcome;
}

/* Records of a kind with a prefix stand together, behind the prefix. */
enum outcome grant_list(const struct admin *admin, const struct grant_kind *kind)
{
	bool together = kind->prefix[0] != '\0', begun = false;
	struct user_record record = {0}, next = {0};
	enum outcome outcome =
	    store_user_next(admin->service->store, together ? kind->prefix : NULL, &record);

	while (outcome == EST_OK && !command_stopped()) {
		bool wanted = is_of_kind(kind, record.name);
		if (!wanted && together)
			break;
		if (wanted && !begun)
			grant_print_title(admin, kind);
		begun |= wanted;
		if (wanted)
			grant_print_row(admin, kind, &record);
		outcome = store_user_next(admin->service->store, record.name, &next);
		user_record_clear(&record);
		record = next;
		next = (struct user_record){0};
	}
	user_record_clear(&record);
	if (!begun && admin->csv)
		grant_print_title(admin, kind);
	if (outcome != EST_NOT_FOUND)
		return outcome;
	reason_clear();
	return EST_OK;
}

enum outcome grant_show(const struct admin *admin, const struct grant_kind *kind, const char *name)
{
	struct user_record record = {0};
	enum outcome outcome = grant_find(admin, kind, name, &record);

	if (outcome == EST_OK)
		grant_print(admin, kind, &record);
	user_record_clear(&record);
	return outcome;
}

enum outcome grant_delete(
    const struct admin *admin, const struct grant_kind *kind, const char *name)
{
	struct user_record record = {0};
	enum outcome outcome = grant_find(admin, kind, name, &record);

	if (outcome == EST_OK)
		outcome = store_user_delete(admin->service->store, record.name);
	user_record_clear(&record);
	return outcome;
}
