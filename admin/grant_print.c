/*
 * What is granted, as people and programs read it. A hash never is.
 */
#include <string.h>

#include "admin/grant.h"
#include "common/auth/password.h"

const char *grant_name(const struct grant_kind *kind, const struct user_record *record)
{
	return record->name + strlen(kind->prefix);
}

const char *grant_state(const struct user_record *record)
{
	if (record->expires_at != 0 && record->expires_at <= clock_now())
		return "expired";
	return record->uses_most != 0 && record->uses >= record->uses_most ? "spent" : "active";
}

const char *grant_hash(const struct user_record *record)
{
	const char *kind = password_kind(record->password);

	return kind == NULL ? "none" : kind;
}

static json_t *word_array(const char *const *words)
{
	json_t *array = json_array();

	for (; *words != NULL; words++)
		json_array_append_new(array, cli_json_text(*words));
	return array;
}

static json_t *role_array(unsigned roles)
{
	json_t *array = json_array();

	for (enum user_role role = ROLE_ENROLL; role < USER_ROLES; role++)
		if ((roles & 1U << role) != 0)
			json_array_append_new(array, cli_json_text(user_role_name(role)));
	return array;
}

void grant_json_limits(json_t *object, const struct user_record *record)
{
	json_object_set_new(object, "state", cli_json_text(grant_state(record)));
	json_object_set_new(object, "expires_at",
	    record->expires_at == 0 ? json_null() : cli_json_time(record->expires_at));
	json_object_set_new(object, "uses", json_integer(record->uses));
	json_object_set_new(object, "uses_most",
	    record->uses_most == 0 ? json_null() : json_integer(record->uses_most));
}

static void print_json(const struct grant_kind *kind, const struct user_record *record)
{
	json_t *object = json_object();

	json_object_set_new(object, "name", cli_json_text(grant_name(kind, record)));
	json_object_set_new(object, "names", word_array(record->names));
	json_object_set_new(object, "labels", word_array(record->labels));
	json_object_set_new(object, "created_at", cli_json_time(record->created_at));
	if (kind->is_account) {
		json_object_set_new(object, "roles", role_array(record->roles));
		grant_json_limits(object, record);
		json_object_set_new(object, "hash", cli_json_text(grant_hash(record)));
	}
	cli_json_print(object);
}

/* "a,b", the default label as "-"; `none` where there is no word. */
static const char *join(struct buf *out, const char *const *words, const char *none)
{
	buf_reset(out);
	if (words[0] == NULL)
		buf_add_string(out, none);
	for (size_t i = 0; words[i] != NULL; i++)
		buf_printf(out, "%s%s", i == 0 ? "" : ",", words[i][0] == '\0' ? "-" : words[i]);
	return buf_string(out);
}

static const char *join_roles(struct buf *out, unsigned roles)
{
	buf_reset(out);
	for (enum user_role role = ROLE_ENROLL; role < USER_ROLES; role++)
		if ((roles & 1U << role) != 0)
			buf_printf(out, "%s%s", out->len == 0 ? "" : ",", user_role_name(role));
	return buf_string(out);
}

const char *grant_expiry(const struct user_record *record, char text[static CLOCK_TEXT])
{
	return record->expires_at == 0 ? "never" : clock_text(record->expires_at, text);
}

const char *grant_uses(struct buf *out, const struct user_record *record)
{
	buf_reset(out);
	if (record->uses_most == 0)
		buf_add_string(out, "any");
	else
		buf_printf(out, "%u/%u", (unsigned)record->uses, (unsigned)record->uses_most);
	return buf_string(out);
}

/* What comes between the name and the labels of an account's row. */
#define ACCOUNT "%-7s  %-12s  %-20s  %-9s  %-16s"

static void print_text(const struct grant_kind *kind, const struct user_record *record)
{
	const char *name = grant_name(kind, record);
	struct buf names = {0}, labels = {0}, roles = {0}, used = {0}, account = {0};
	char time[CLOCK_TEXT];

	if (kind->is_account)
		buf_printf(&account, " " ACCOUNT " ", grant_state(record), grant_hash(record),
		    grant_expiry(record, time), grant_uses(&used, record),
		    join_roles(&roles, record->roles));
	cli_print("%-24s %s%-12s %s", name[0] == '\0' ? "\"\"" : name, buf_string(&account),
	    join(&labels, record->labels, "all"), join(&names, record->names, "none"));
	buf_free(&names);
	buf_free(&labels);
	buf_free(&roles);
	buf_free(&used);
	buf_free(&account);
}

static const char *const titles[] = {"name", "names", "labels", "created_at", "roles", "state",
    "expires_at", "uses", "uses_most", "hash"};

/* How many columns of CSV there are of that kind. */
static size_t columns(const struct grant_kind *kind)
{
	return kind->is_account ? sizeof(titles) / sizeof(titles[0]) : 4;
}

static void print_csv(const struct grant_kind *kind, const struct user_record *record)
{
	struct buf names = {0}, labels = {0}, roles = {0}, used = {0}, most = {0};
	char created[CLOCK_TEXT], expires[CLOCK_TEXT];

	buf_printf(&used, "%u", (unsigned)record->uses);
	if (record->uses_most != 0)
		buf_printf(&most, "%u", (unsigned)record->uses_most);
	const char *const cells[] = {grant_name(kind, record), join(&names, record->names, ""),
	    join(&labels, record->labels, ""), clock_text(record->created_at, created),
	    join_roles(&roles, record->roles), grant_state(record),
	    record->expires_at == 0 ? "" : clock_text(record->expires_at, expires),
	    buf_string(&used), buf_string(&most), grant_hash(record)};

	_Static_assert(sizeof(cells) == sizeof(titles), "a cell below each title");
	command_csv(cells, columns(kind));
	buf_free(&names);
	buf_free(&labels);
	buf_free(&roles);
	buf_free(&used);
	buf_free(&most);
}

void grant_print_title(const struct admin *admin, const struct grant_kind *kind)
{
	struct buf account = {0};

	if (kind->is_account)
		buf_printf(&account, " " ACCOUNT " ", "STATE", "HASH", "EXPIRES", "USES", "ROLES");
	if (admin->csv)
		command_csv(titles, columns(kind));
	else if (!admin->json)
		cli_print("%-24s %s%-12s %s", kind->title, buf_string(&account), "LABELS", "NAMES");
	buf_free(&account);
}

void grant_print_row(
    const struct admin *admin, const struct grant_kind *kind, const struct user_record *record)
{
	if (admin->json)
		print_json(kind, record);
	else if (admin->csv)
		print_csv(kind, record);
	else
		print_text(kind, record);
}

void grant_print(
    const struct admin *admin, const struct grant_kind *kind, const struct user_record *record)
{
	struct buf list = {0};
	char time[CLOCK_TEXT];

	if (admin->json) {
		print_json(kind, record);
		return;
	}
	cli_print("name     %s", grant_name(kind, record));
	cli_print("names    %s", join(&list, record->names, "none"));
	cli_print("labels   %s", join(&list, record->labels, "all"));
	cli_print("created  %s", clock_text(record->created_at, time));
	if (kind->is_account) {
		cli_print("roles    %s", join_roles(&list, record->roles));
		cli_print("state    %s", grant_state(record));
		cli_print("expires  %s", grant_expiry(record, time));
		cli_print("uses     %s", grant_uses(&list, record));
		cli_print("hash     %s", grant_hash(record));
	}
	buf_free(&list);
}
