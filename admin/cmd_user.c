/*
 * cmd_user.c - est-admin user: who may ask for certificates with a password.
 */
#include <stdlib.h>
#include <string.h>

#include "admin/command.h"
#include "common/auth/password.h"
#include "common/base/clock.h"
#include "common/base/utf8.h"

#define NAME_MAX_OCTETS    255
#define PATTERN_MAX_OCTETS 255

static bool is_text(const char *text)
{
	struct span rest = span_of(text);

	while (rest.len > 0) {
		uint32_t c;
		size_t len = utf8_decode(rest, &c);
		if (len == 0 || utf8_is_control(c))
			return false;
		rest.data += len;
		rest.len -= len;
	}
	return true;
}

/* RFC 7617 2: a user name ends at the first colon, and has no control characters. */
static enum outcome check_name(const char *name)
{
	if (strlen(name) > NAME_MAX_OCTETS)
		return reason(EST_MALFORMED, "a user's name may have %d octets", NAME_MAX_OCTETS);
	if (strchr(name, ':') != NULL || !is_text(name))
		return reason(EST_MALFORMED,
		    "a user's name may hold no colon and no control character (RFC 7617 2)");
	return EST_OK;
}

static enum outcome check_patterns(const struct cli_list *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (strlen(patterns->items[i]) > PATTERN_MAX_OCTETS || !is_text(patterns->items[i]))
			return reason(EST_MALFORMED,
			    "the pattern \"%.80s\" holds a control character, or is too long",
			    patterns->items[i]);
	return EST_OK;
}

/* A label of est.conf by the word for it on a command line: "-" is the default one. */
static const char *label_of(const struct config *config, const char *word)
{
	const char *name = strcmp(word, "-") == 0 ? "" : word;

	for (size_t i = 0; i < config->label_count; i++)
		if (strcmp(config->labels[i].name, name) == 0)
			return config->labels[i].name;
	return NULL;
}

static enum outcome find_labels(
    const struct config *config, const struct cli_list *words, const char **labels)
{
	for (size_t i = 0; i < words->count; i++) {
		labels[i] = label_of(config, words->items[i]);
		if (labels[i] == NULL)
			return reason(EST_NOT_FOUND, "there is no label \"%.80s\" in %s",
			    words->items[i], config->path);
	}
	return EST_OK;
}

static json_t *word_array(const char *const *words)
{
	json_t *array = json_array();

	for (; *words != NULL; words++)
		json_array_append_new(array, cli_json_text(*words));
	return array;
}

static void print_json(const struct user_record *user)
{
	json_t *object = json_object();

	json_object_set_new(object, "name", cli_json_text(user->name));
	json_object_set_new(object, "names", word_array(user->names));
	json_object_set_new(object, "labels", word_array(user->labels));
	json_object_set_new(object, "created_at", cli_json_time(user->created_at));
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

static void print_row(const struct user_record *user)
{
	struct buf names = {0}, labels = {0};

	cli_print("%-24s %-12s %s", user->name[0] == '\0' ? "\"\"" : user->name,
	    join(&labels, user->labels, "all"), join(&names, user->names, "none"));
	buf_free(&names);
	buf_free(&labels);
}

static const char *const titles[] = {"name", "names", "labels", "created_at"};

static void print_csv(const struct user_record *user)
{
	struct buf names = {0}, labels = {0};
	char time[CLOCK_TEXT];
	const char *const cells[] = {user->name, join(&names, user->names, ""),
	    join(&labels, user->labels, ""), clock_text(user->created_at, time)};

	command_csv(cells, sizeof(cells) / sizeof(cells[0]));
	buf_free(&names);
	buf_free(&labels);
}

static void print_title(const struct admin *admin)
{
	if (admin->csv)
		command_csv(titles, sizeof(titles) / sizeof(titles[0]));
	else if (!admin->json)
		cli_print("%-24s %-12s %s", "USER", "LABELS", "NAMES");
}

static void print_whole(const struct user_record *user)
{
	struct buf list = {0};
	char time[CLOCK_TEXT];

	cli_print("name     %s", user->name);
	cli_print("names    %s", join(&list, user->names, "none"));
	cli_print("labels   %s", join(&list, user->labels, "all"));
	cli_print("created  %s", clock_text(user->created_at, time));
	buf_free(&list);
}

enum outcome cmd_user_add(void *context, const struct cli_call *call)
{
	struct admin *admin = context;
	const char **names = mem_alloc((admin->names.count + 1) * sizeof(*names));
	const char **labels = mem_alloc((admin->labels.count + 1) * sizeof(*labels));
	struct buf hash = {0};
	enum outcome outcome = check_name(call->arguments[0]);

	if (outcome == EST_OK)
		outcome = check_patterns(&admin->names);
	if (outcome == EST_OK)
		outcome = find_labels(admin->service->config, &admin->labels, labels);
	if (outcome == EST_OK)
		outcome = password_hash(buf_span(&admin->password), &hash);
	if (outcome == EST_OK) {
		struct user_record user = {.name = call->arguments[0],
		    .password = buf_string(&hash),
		    .names = names,
		    .labels = labels,
		    .created_at = clock_now()};
		for (size_t i = 0; i < admin->names.count; i++)
			names[i] = admin->names.items[i];
		outcome = store_user_put(admin->service->store, &user, false);
		if (outcome == EST_OK && admin->json)
			print_json(&user);
	}
	free(names);
	free(labels);
	buf_cleanse(&hash);
	return outcome;
}

enum outcome cmd_user_list(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	struct user_record user = {0}, next = {0};
	enum outcome outcome = store_user_next(admin->service->store, NULL, &user);

	(void)call;
	if (outcome == EST_OK || admin->csv)
		print_title(admin);
	while (outcome == EST_OK) {
		if (admin->json)
			print_json(&user);
		else if (admin->csv)
			print_csv(&user);
		else
			print_row(&user);
		outcome = store_user_next(admin->service->store, user.name, &next);
		user_record_clear(&user);
		user = next;
		next = (struct user_record){0};
	}
	user_record_clear(&user);
	if (outcome != EST_NOT_FOUND)
		return outcome;
	reason_clear();
	return EST_OK;
}

static enum outcome find_user(
    const struct admin *admin, const struct cli_call *call, struct user_record *user)
{
	enum outcome outcome = store_user_get(admin->service->store, call->arguments[0], user);

	if (outcome == EST_NOT_FOUND)
		return reason(outcome, "there is no user \"%.100s\"", call->arguments[0]);
	return outcome;
}

enum outcome cmd_user_show(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	struct user_record user = {0};
	enum outcome outcome = find_user(admin, call, &user);

	if (outcome == EST_OK && admin->json)
		print_json(&user);
	else if (outcome == EST_OK)
		print_whole(&user);
	user_record_clear(&user);
	return outcome;
}

enum outcome cmd_user_delete(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;

	return store_user_delete(admin->service->store, call->arguments[0]);
}

enum outcome cmd_user_password(void *context, const struct cli_call *call)
{
	struct admin *admin = context;
	struct user_record user = {0};
	struct buf hash = {0};
	enum outcome outcome = find_user(admin, call, &user);

	if (outcome == EST_OK)
		outcome = password_hash(buf_span(&admin->password), &hash);
	if (outcome == EST_OK) {
		user.password = buf_string(&hash);
		outcome = store_user_put(admin->service->store, &user, true);
	}
	user_record_clear(&user);
	buf_cleanse(&hash);
	return outcome;
}
