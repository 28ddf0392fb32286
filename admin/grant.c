#include "admin/grant.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

#define NAME_MOST    255 /* octets of a name, and of a pattern */
#define PREFIX_OF_RA "ra:"

const struct grant_kind grant_user = {"", "user", "USER"};
const struct grant_kind grant_ra = {PREFIX_OF_RA, "registration authority", "RA"};

/* A user's name may be empty (RFC 7617: a password-only token). */
static enum outcome check_name(const struct grant_kind *kind, const char *name)
{
	if (kind == &grant_user && name[0] == '\0')
		return EST_OK;
	if (kind == &grant_user && strchr(name, ':') != NULL)
		return reason(EST_MALFORMED, "a user's name may hold no colon (RFC 7617 2)");
	return command_text(
	    kind == &grant_user ? "a user's name" : "the name of a registration authority", name,
	    NAME_MOST);
}

static bool is_of_kind(const struct grant_kind *kind, const char *record_name)
{
	if (kind == &grant_user)
		return strchr(record_name, ':') == NULL;
	return strncmp(record_name, kind->prefix, strlen(kind->prefix)) == 0;
}

static const char *name_of(const struct grant_kind *kind, const struct user_record *record)
{
	return record->name + strlen(kind->prefix);
}

/* --- one of them, printed --- */

static json_t *word_array(const char *const *words)
{
	json_t *array = json_array();

	for (; *words != NULL; words++)
		json_array_append_new(array, cli_json_text(*words));
	return array;
}

static void print_json(const struct grant_kind *kind, const struct user_record *record)
{
	json_t *object = json_object();

	json_object_set_new(object, "name", cli_json_text(name_of(kind, record)));
	json_object_set_new(object, "names", word_array(record->names));
	json_object_set_new(object, "labels", word_array(record->labels));
	json_object_set_new(object, "created_at", cli_json_time(record->created_at));
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

static void print_row(const struct grant_kind *kind, const struct user_record *record)
{
	const char *name = name_of(kind, record);
	struct buf names = {0}, labels = {0};

	cli_print("%-24s %-12s %s", name[0] == '\0' ? "\"\"" : name,
	    join(&labels, record->labels, "all"), join(&names, record->names, "none"));
	buf_free(&names);
	buf_free(&labels);
}

static const char *const titles[] = {"name", "names", "labels", "created_at"};

static void print_csv(const struct grant_kind *kind, const struct user_record *record)
{
	struct buf names = {0}, labels = {0};
	char time[CLOCK_TEXT];
	const char *const cells[] = {name_of(kind, record), join(&names, record->names, ""),
	    join(&labels, record->labels, ""), clock_text(record->created_at, time)};

	command_csv(cells, sizeof(cells) / sizeof(cells[0]));
	buf_free(&names);
	buf_free(&labels);
}

static void print_title(const struct admin *admin, const struct grant_kind *kind)
{
	if (admin->csv)
		command_csv(titles, sizeof(titles) / sizeof(titles[0]));
	else if (!admin->json)
		cli_print("%-24s %-12s %s", kind->title, "LABELS", "NAMES");
}

static void print_whole(const struct grant_kind *kind, const struct user_record *record)
{
	struct buf list = {0};
	char time[CLOCK_TEXT];

	cli_print("name     %s", name_of(kind, record));
	cli_print("names    %s", join(&list, record->names, "none"));
	cli_print("labels   %s", join(&list, record->labels, "all"));
	cli_print("created  %s", clock_text(record->created_at, time));
	buf_free(&list);
}

/* --- adding --- */

/* The patterns and labels of the command line, checked, as a record has them. */
static enum outcome read_grant(const struct admin *admin, const char **names, const char **labels)
{
	for (size_t i = 0; i < admin->names.count; i++) {
		enum outcome outcome = command_text("a pattern", admin->names.items[i], NAME_MOST);
		if (outcome != EST_OK)
			return outcome;
		names[i] = admin->names.items[i];
	}
	for (size_t i = 0; i < admin->labels.count; i++) {
		enum outcome outcome = command_label(admin, admin->labels.items[i], &labels[i]);
		if (outcome != EST_OK)
			return outcome;
	}
	return EST_OK;
}

enum outcome grant_add(
    struct admin *admin, const struct grant_kind *kind, const char *name, const char *password)
{
	const char **names = mem_alloc((admin->names.count + 1) * sizeof(*names));
	const char **labels = mem_alloc((admin->labels.count + 1) * sizeof(*labels));
	struct buf whole = {0};
	enum outcome outcome = check_name(kind, name);

	if (outcome == EST_OK)
		outcome = read_grant(admin, names, labels);
	if (outcome == EST_OK) {
		struct user_record record = {.password = password,
		    .names = names,
		    .labels = labels,
		    .created_at = clock_now()};
		buf_printf(&whole, "%s%s", kind->prefix, name);
		record.name = buf_string(&whole);
		outcome = store_user_put(admin->service->store, &record, false);
		if (outcome == EST_CONFLICT) {
			reason_clear(); /* it has the prefix */
			outcome =
			    reason(outcome, "there is already a %s \"%.100s\"", kind->what, name);
		}
		if (outcome == EST_OK && admin->json)
			print_json(kind, &record);
	}
	free(names);
	free(labels);
	buf_free(&whole);
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
			print_title(admin, kind);
		begun |= wanted;
		if (wanted && admin->json)
			print_json(kind, &record);
		else if (wanted && admin->csv)
			print_csv(kind, &record);
		else if (wanted)
			print_row(kind, &record);
		outcome = store_user_next(admin->service->store, record.name, &next);
		user_record_clear(&record);
		record = next;
		next = (struct user_record){0};
	}
	user_record_clear(&record);
	if (!begun && admin->csv)
		print_title(admin, kind);
	if (outcome != EST_NOT_FOUND)
		return outcome;
	reason_clear();
	return EST_OK;
}

enum outcome grant_show(const struct admin *admin, const struct grant_kind *kind, const char *name)
{
	struct user_record record = {0};
	enum outcome outcome = grant_find(admin, kind, name, &record);

	if (outcome == EST_OK && admin->json)
		print_json(kind, &record);
	else if (outcome == EST_OK)
		print_whole(kind, &record);
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
