/*
 * cmd_user_import.c - est-admin user import: the users of an htpasswd file.
 *
 * A line is the user's name, a colon and a hash, as Apache and lighttpd read it: blanks around it,
 * empty lines and those that begin with # do not count, and of two lines of one user the first one
 * does.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "admin/command.h"
#include "admin/grant.h"
#include "common/auth/password.h"
#include "common/base/clock.h"

#define PROGRESS_EVERY 100 /* milliseconds */

/* A user that stands in the file. */
struct seen {
	size_t line;
	char name[];
};

struct import {
	struct admin *admin;
	void *seen;  /* struct seen, a tree of tsearch(3) */
	size_t line; /* from 1 on */
	size_t added, replaced, refused;
	uint64_t shown; /* when the progress was */
};

static int compare_seen(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->name, ((const struct seen *)b)->name);
}

static enum outcome note_name(struct import *import, const char *name)
{
	struct seen *seen = mem_alloc(sizeof(*seen) + strlen(name) + 1);
	struct seen **found;

	seen->line = import->line;
	memcpy(seen->name, name, strlen(name) + 1);
	found = tsearch(seen, &import->seen, compare_seen);
	if (found != NULL && *found == seen)
		return EST_OK;
	free(seen);
	if (found == NULL)
		return reason(EST_UNAVAILABLE, "no memory for the names in the file");
	return reason(EST_MALFORMED,
	    "the user stands in line %zu already, and the first line of a user is the one that "
	    "counts; remove one of them",
	    (*found)->line);
}

/* --- one line --- */

/* Parts the line at its colon, which becomes the end of the name. */
static enum outcome part(char *line, const char **hash)
{
	char *colon = strchr(line, ':');

	if (colon == NULL)
		return reason(EST_MALFORMED,
		    "there is no colon; a line is the user's name, a colon and a hash");
	if (colon == line)
		return reason(EST_MALFORMED, "there is no name before the colon");
	if (strchr(colon + 1, ':') != NULL)
		return reason(EST_MALFORMED,
		    "there is a second colon; a line is the user's name, a colon and a hash");
	*colon = '\0';
	*hash = colon + 1;
	return EST_OK;
}

/* The user of the line; *name where it has one. */
static enum outcome import_user(
    struct import *import, struct span text, char *line, const char **name, bool *replaced)
{
	const char *hash = NULL;
	enum outcome outcome;

	if (memchr(text.data, '\0', text.len) != NULL)
		return reason(EST_MALFORMED, "there is a NUL in it; this is no htpasswd file");
	outcome = part(line, &hash);
	if (outcome != EST_OK)
		return outcome;
	*name = line;
	outcome = grant_check(import->admin, &grant_user, line);
	if (outcome == EST_OK)
		outcome = note_name(import, line);
	if (outcome == EST_OK)
		outcome = password_accept(hash);
	if (outcome == EST_OK)
		outcome = grant_put(import->admin, &grant_user, line, hash, replaced);
	if (outcome == EST_CONFLICT) {
		reason_clear();
		return reason(outcome, "there is already such a user; --replace takes its place");
	}
	return outcome;
}

/* What became of the line: an object, or what is wrong with it. */
static void report(const struct import *import, const char *name, const char *result)
{
	json_t *object;

	if (!import->admin->json) {
		if (reason_text()[0] != '\0' && name != NULL)
			cli_say("line %zu, \"%.100s\": %s", import->line, name, reason_text());
		else if (reason_text()[0] != '\0')
			cli_say("line %zu: %s", import->line, reason_text());
		return;
	}
	object = json_object();
	json_object_set_new(object, "line", json_integer((json_int_t)import->line));
	json_object_set_new(object, "name", cli_json_text(name));
	json_object_set_new(object, "result", cli_json_text(result));
	if (reason_text()[0] != '\0')
		json_object_set_new(object, "reason", cli_json_text(reason_text()));
	cli_json_print(object);
}

/* EST_OK also where the line is refused; anything else ends the import. */
static enum outcome import_line(struct import *import, struct span text)
{
	struct buf line = {0};
	const char *name = NULL, *result = "added";
	bool replaced = false;
	enum outcome outcome;

	buf_add_span(&line, text);
	(void)buf_string(&line);
	outcome = import_user(import, text, (char *)line.data, &name, &replaced);
	if (outcome == EST_OK) {
		import->added += !replaced;
		import->replaced += replaced;
		result = replaced ? "replaced" : result;
	} else if (outcome == EST_MALFORMED || outcome == EST_CONFLICT) {
		import->refused++;
		result = "refused";
		outcome = EST_OK;
	}
	if (outcome == EST_OK) {
		report(import, name, result);
		reason_clear();
	}
	buf_cleanse(&line);
	return outcome;
}

/* --- the file --- */

static struct span trim(struct span text)
{
	while (text.len > 0 && strchr(" \t\r", text.data[text.len - 1]) != NULL &&
	       text.data[text.len - 1] != '\0')
		text.len--;
	while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
		text.data++;
		text.len--;
	}
	return text;
}

/* The next line, without its end; false at the end of the file. */
static bool next_line(struct span *rest, struct span *line)
{
	const unsigned char *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->data, '\n', rest->len);
	line->data = rest->data;
	line->len = end == NULL ? rest->len : (size_t)(end - rest->data);
	rest->data += line->len + (end != NULL);
	rest->len -= line->len + (end != NULL);
	return true;
}

static void show_progress(struct import *import, size_t left, size_t all)
{
	uint64_t now = clock_milliseconds();

	if (now - import->shown < PROGRESS_EVERY)
		return;
	import->shown = now;
	cli_progress("%3zu %%: %zu users, %zu refused", 100 * (all - left) / all,
	    import->added + import->replaced, import->refused);
}

static void summarize(const struct import *import)
{
	const struct admin *admin = import->admin;
	json_t *object;

	if (!admin->json) {
		cli_print("%s%zu added, %zu replaced, %zu refused",
		    admin->dry_run ? "this would be: " : "", import->added, import->replaced,
		    import->refused);
		return;
	}
	object = json_object();
	json_object_set_new(object, "added", json_integer((json_int_t)import->added));
	json_object_set_new(object, "replaced", json_integer((json_int_t)import->replaced));
	json_object_set_new(object, "refused", json_integer((json_int_t)import->refused));
	json_object_set_new(object, "dry_run", json_boolean(admin->dry_run));
	cli_json_print(object);
}

enum outcome cmd_user_import(void *context, const struct cli_call *call)
{
	static const unsigned char mark[] = {0xef, 0xbb, 0xbf}; /* UTF-8's, of some editors */
	struct import import = {.admin = context};
	struct span rest = buf_span(&import.admin->input), line;
	size_t all = rest.len;
	/* What is wrong with the options is no line's fault. */
	enum outcome outcome = grant_check(context, &grant_user, NULL);

	(void)call;
	if (rest.len >= sizeof(mark) && memcmp(rest.data, mark, sizeof(mark)) == 0) {
		rest.data += sizeof(mark);
		rest.len -= sizeof(mark);
	}
	while (outcome == EST_OK && !command_stopped() && next_line(&rest, &line)) {
		import.line++;
		line = trim(line);
		if (line.len > 0 && line.data[0] != '#')
			outcome = import_line(&import, line);
		show_progress(&import, rest.len, all);
	}
	tdestroy(import.seen, free);
	cli_progress_end();
	if (outcome != EST_OK && import.line == 0)
		return outcome;
	summarize(&import);
	if (outcome == EST_OK && import.refused > 0)
		outcome = reason(EST_MALFORMED, "%zu of %zu users were refused", import.refused,
		    import.added + import.replaced + import.refused);
	return outcome;
}
