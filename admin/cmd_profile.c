/*
 * cmd_profile.c - est-admin profile: what certificates look like.
 *
 * What is shown is a JSON object; the text for people is made of it.
 */
#include <stdlib.h>
#include <string.h>

#include "admin/cmd_profile_json.h"
#include "admin/command.h"

#define DAY INT64_C(86400)

/* The texts of an array, with that between them; "-" where it is empty. */
static void join(const json_t *array, const char *between, struct buf *out)
{
	size_t i;
	json_t *item;

	json_array_foreach(array, i, item)
	{
		const char *text = json_string_value(item);
		buf_add_string(out, i == 0 ? "" : between);
		buf_add_string(out, text == NULL || text[0] == '\0' ? "\"\"" : text);
	}
	if (json_array_size(array) == 0)
		buf_add_byte(out, '-');
}

static void print_array(const char *word, const json_t *array)
{
	struct buf text = {0};

	join(array, ", ", &text);
	cli_print("%-12s  %s", word, buf_string(&text));
	buf_free(&text);
}

/* "  CN  of the request, like pump-*.example or valve-*" */
static void print_names(const json_t *names)
{
	size_t i;
	json_t *name;

	json_array_foreach(names, i, name)
	{
		const char *from = json_string_value(json_object_get(name, "from"));
		const json_t *fixed = json_object_get(name, "fixed"),
			     *patterns = json_object_get(name, "patterns");
		struct buf text = {0};
		if (strcmp(from, "profile") != 0)
			buf_printf(&text, "of the %s", from);
		if (strcmp(from, "profile") != 0 && json_array_size(patterns) > 0) {
			buf_add_string(&text, ", like ");
			join(patterns, " or ", &text);
		}
		if (json_array_size(fixed) > 0) {
			buf_add_string(&text, text.len == 0 ? "always " : "; always ");
			join(fixed, " and ", &text);
		}
		cli_print("  %-14s  %s", json_string_value(json_object_get(name, "type")),
		    buf_string(&text));
		buf_free(&text);
	}
}

/* As openssl x509 -text has them; a value may have several lines. */
static void print_extensions(const json_t *extensions)
{
	size_t i;
	json_t *extension;

	json_array_foreach(extensions, i, extension)
	{
		bool critical = json_is_true(json_object_get(extension, "critical"));
		char *value = mem_string(json_string_value(json_object_get(extension, "value"))),
		     *rest = value;
		cli_print("  %s:%s", json_string_value(json_object_get(extension, "name")),
		    critical ? " critical" : "");
		for (char *line; (line = strsep(&rest, "\n")) != NULL;)
			cli_print("      %s", line);
		free(value);
	}
}

static void print_span(const char *word, int64_t seconds)
{
	if (seconds >= DAY && seconds % DAY == 0)
		cli_print("%-12s  %lld days", word, (long long)(seconds / DAY));
	else
		cli_print("%-12s  %lld seconds", word, (long long)seconds);
}

static void print_profile(const struct profile *profile, const json_t *object)
{
	const struct config_profile *its = profile->config;
	const json_t *sample = json_object_get(object, "sample");
	const char *names = json_string_value(json_object_get(sample, "names"));

	cli_print("%-12s  %s", "profile", its->name);
	print_array("labels", json_object_get(object, "labels"));
	cli_print("%-12s  %s", "for", its->ca ? "CAs" : "devices and servers");
	print_span("validity", its->validity);
	print_span("backdated", its->backdate);
	print_array("keys", json_object_get(object, "keys"));
	cli_print("%-12s  %s", "key reuse", its->key_reuse ? "allowed" : "refused");
	cli_print("%-12s  %s", "exponents", its->rsa_exponents);
	cli_print("%-12s  %s", "characters", its->names);
	print_array("required", json_object_get(object, "required"));
	cli_print("subject%s", its->empty_subject ? " (may be empty)" : "");
	print_names(json_object_get(object, "subject"));
	cli_print("subject alternative names%s",
	    profile->san_from_cn ? " (the common name, where a request has none)" : "");
	print_names(json_object_get(object, "subject_alt_names"));
	cli_print("extensions, beside key identifiers, of a sample of key type %s",
	    json_string_value(json_object_get(sample, "key")));
	print_extensions(json_object_get(object, "extensions"));
	cli_print("names of the sample");
	cli_print("  %s", json_string_value(json_object_get(sample, "subject")));
	if (names[0] != '\0')
		cli_print("  %s", names);
}

static enum outcome find(
    const struct config *config, const char *name, const struct config_profile **out)
{
	for (size_t i = 0; i < config->profile_count; i++)
		if (strcmp(config->profiles[i].name, name) == 0) {
			*out = &config->profiles[i];
			return EST_OK;
		}
	return reason(EST_NOT_FOUND, "there is no profile \"%.60s\" in %s", name, config->path);
}

enum outcome cmd_profile_show(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	const struct config *config = admin->service->config;
	const struct config_profile *found = NULL;
	struct profile *profile = NULL;
	json_t *object = NULL;
	enum outcome outcome = find(config, call->arguments[0], &found);

	if (outcome == EST_OK)
		outcome = profile_make(config->path, found, &profile);
	if (outcome == EST_OK && found->keys.count == 0)
		outcome = reason(EST_MALFORMED,
		    "%s:%d: keys is empty, so there are no certificates of profile \"%s\"",
		    config->path, found->keys.line, found->name);
	if (outcome != EST_OK)
		goto out;
	outcome = profile_json(config, profile, &object);
	if (outcome == EST_OK && admin->json)
		cli_json_print(json_incref(object));
	else if (outcome == EST_OK)
		print_profile(profile, object);
out:
	json_decref(object);
	profile_free(profile);
	return outcome;
}

enum outcome cmd_profile_list(void *context, const struct cli_call *call)
{
	static const char form[] = "%-20s  %-8s  %13s  %-30s  %s";
	const struct admin *admin = context;
	const struct config *config = admin->service->config;

	(void)call;
	if (!admin->json)
		cli_print(form, "NAME", "FOR", "VALIDITY", "KEYS", "LABELS");
	for (size_t i = 0; i < config->profile_count; i++) {
		const struct config_profile *its = &config->profiles[i];
		json_t *keys = profile_words_json(&its->keys),
		       *labels = profile_labels_json(config, its);
		struct buf key_text = {0}, label_text = {0}, span = {0};
		join(keys, " ", &key_text);
		join(labels, " ", &label_text);
		buf_printf(&span, "%lld %s",
		    (long long)(its->validity % DAY == 0 ? its->validity / DAY : its->validity),
		    its->validity % DAY == 0 ? "days" : "seconds");
		if (admin->json)
			cli_json_print(json_pack("{s:o, s:b, s:I, s:O, s:O}", "name",
			    cli_json_text(its->name), "ca", (int)its->ca, "validity",
			    (json_int_t)its->validity, "keys", keys, "labels", labels));
		else
			cli_print(form, its->name, its->ca ? "CAs" : "devices", buf_string(&span),
			    buf_string(&key_text), buf_string(&label_text));
		json_decref(keys);
		json_decref(labels);
		buf_free(&key_text);
		buf_free(&label_text);
		buf_free(&span);
	}
	return EST_OK;
}
