#include "common/base/config.h"

#include <ctype.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include <libconfig.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/config_keys.h"
#include "common/base/file.h"

#ifndef EST_CONFIG_FILE
#define EST_CONFIG_FILE "/etc/est/est.conf"
#endif

/* Where a value is read from and where it goes. */
struct site {
	struct config *config;
	int line;
	void *base;
};

static enum outcome wrong(const struct site *site, const struct key *key, const char *what)
{
	return reason(
	    EST_MALFORMED, "%s:%d: %s: %s", site->config->path, site->line, key->name, what);
}

static bool word_among(const char *word, const char *among)
{
	size_t len = strlen(word);

	if (len == 0 || strchr(word, ' ') != NULL)
		return false;
	for (const char *at = among; (at = strstr(at, word)) != NULL; at += len)
		if ((at == among || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

static enum outcome check_value(const struct site *site, const struct key *key, const char *value)
{
	const char *what = key->check == NULL ? NULL : key->check(value);

	if (what != NULL)
		return reason(EST_MALFORMED, "%s:%d: %s: \"%.60s\" %s", site->config->path,
		    site->line, key->name, value, what);
	if (key->words != NULL && !word_among(value, key->words))
		return reason(EST_MALFORMED, "%s:%d: %s: \"%.60s\" is none of: %s",
		    site->config->path, site->line, key->name, value, key->words);
	return EST_OK;
}

/* "syslog" and "credential:NAME" stand where a path may stand, and are none. */
static char *resolve(const struct config *config, const char *path)
{
	if (strcmp(path, "syslog") == 0 || strncmp(path, "credential:", 11) == 0)
		return mem_string(path);
	return file_path(config->directory, path);
}

static enum outcome set_text(const struct site *site, const struct key *key, const char *value)
{
	char **member = (char **)((char *)site->base + key->offset);

	if (key->def != NULL && key->def[0] == '\0' && value[0] == '\0')
		return EST_OK;
	if (check_value(site, key, value) != EST_OK)
		return EST_MALFORMED;
	*member = key->type == PATH ? resolve(site->config, value) : mem_string(value);
	return EST_OK;
}

static bool is_number(const struct key *key)
{
	return key->type == SPAN || key->type == SIZE || key->type == NUMBER;
}

static enum outcome set_number(const struct site *site, const struct key *key, const char *value)
{
	static const char units[] = "KMGT";
	int64_t *member = (int64_t *)(void *)((char *)site->base + key->offset);
	char *end;
	const char *unit;
	long number;

	if (key->type == SPAN) {
		reason_clear();
		if (clock_parse_span(value, member) != EST_OK) {
			reason_clear();
			return wrong(site, key, "is not a span of time such as \"90d\"");
		}
	} else {
		number = strtol(value, &end, 10);
		unit = *end == '\0' ? NULL : strchr(units, *end);
		if (!isdigit((unsigned char)value[0]) ||
		    number > INT64_C(1) << (unit == NULL ? 40 : 20) ||
		    (*end != '\0' && (unit == NULL || end[1] != '\0' || key->type == NUMBER)))
			return wrong(site, key,
			    key->type == NUMBER ? "is not a number such as 5"
						 : "is not a size such as \"64K\" or \"1M\"");
		*member = unit == NULL ? number : (int64_t)number << (10 * (unit - units + 1));
	}
	if (*member < key->least || *member > key->most)
		return reason(EST_MALFORMED,
		    "%s:%d: %s: \"%.60s\" is out of bounds (%lld to %lld%s)", site->config->path,
		    site->line, key->name, value, (long long)key->least, (long long)key->most,
		    key->type == SPAN   ? " seconds"
		    : key->type == SIZE ? " bytes"
					: "");
	return EST_OK;
}

static enum outcome add_word(const struct site *site, const struct key *key, const char *value)
{
	struct words *words = (struct words *)(void *)((char *)site->base + key->offset);
	char *word;

	if (check_value(site, key, value) != EST_OK)
		return EST_MALFORMED;
	word = key->type == PATHS ? resolve(site->config, value) : mem_string(value);
	if (words_have(words, word)) {
		free(word);
		return wrong(site, key, "has the same word twice");
	}
	words->word = mem_grow(words->word, (words->count + 1) * sizeof(char *));
	words->word[words->count++] = word;
	return EST_OK;
}

/* A setting's words: a single string, or an array or list of strings. */
static enum outcome set_words(
    const struct site *site, const struct key *key, const config_setting_t *setting)
{
	struct words *words = (struct words *)(void *)((char *)site->base + key->offset);
	int count = config_setting_length(setting);
	const char *word = config_setting_get_string(setting);

	words->line = site->line;
	if (word != NULL)
		return add_word(site, key, word);
	if (!config_setting_is_aggregate(setting) || config_setting_is_group(setting))
		return wrong(site, key, "must be a list of strings, as in [ \"a\", \"b\" ]");
	for (int i = 0; i < count; i++) {
		word = config_setting_get_string_elem(setting, i);
		if (word == NULL)
			return wrong(site, key, "holds something that is not a string");
		if (add_word(site, key, word) != EST_OK)
			return EST_MALFORMED;
	}
	if (count < key->least)
		return wrong(site, key, "must not be empty");
	return EST_OK;
}

static enum outcome set_value(
    const struct site *site, const struct key *key, const config_setting_t *setting)
{
	const char *text = config_setting_get_string(setting);
	char number[24];

	if (key->type == NUMBER && config_setting_type(setting) == CONFIG_TYPE_INT) {
		(void)snprintf(number, sizeof(number), "%d", config_setting_get_int(setting));
		text = number;
	}
	if (key->type == WORDS || key->type == PATHS)
		return set_words(site, key, setting);
	if (key->type == BOOL) {
		if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
			return wrong(site, key, "must be true or false");
		*(bool *)((char *)site->base + key->offset) = config_setting_get_bool(setting) != 0;
		return EST_OK;
	}
	if (text == NULL)
		return wrong(site, key, "must be a string in quotes");
	return is_number(key) ? set_number(site, key, text) : set_text(site, key, text);
}

static enum outcome set_default_words(const struct site *site, const struct key *key)
{
	char *copy = mem_string(key->def), *rest = copy, *word;
	enum outcome outcome = EST_OK;

	while (outcome == EST_OK && (word = strsep(&rest, " ")) != NULL)
		if (word[0] != '\0')
			outcome = add_word(site, key, word);
	free(copy);
	return outcome;
}

static enum outcome set_default(const struct site *site, const struct key *key)
{
	switch (key->type) {
	case WORDS:
	case PATHS: return set_default_words(site, key);
	case SPAN:
	case NUMBER:
	case SIZE: return set_number(site, key, key->def);
	case BOOL:
		*(bool *)((char *)site->base + key->offset) = strcmp(key->def, "true") == 0;
		return EST_OK;
	default: return set_text(site, key, key->def);
	}
}

static bool is_group(const char *name)
{
	for (size_t i = 0; i < CONFIG_GROUPS; i++)
		if (strcmp(config_groups[i].name, name) == 0)
			return true;
	return false;
}

/* Every setting of the group is a key of the table (or, at the top, a group of its own). */
static enum outcome refuse_unknown(
    const struct site *site, const config_setting_t *group, const struct key *keys, size_t count)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
		const char *name = config_setting_name(setting);
		bool known = keys == config_top.keys && is_group(name);
		for (size_t k = 0; k < count && !known; k++)
			known = strcmp(keys[k].name, name) == 0;
		if (!known)
			return reason(EST_MALFORMED,
			    "%s:%d: there is no key \"%.60s\" here; see est.conf(5)",
			    site->config->path, config_setting_source_line(setting), name);
	}
	return EST_OK;
}

static enum outcome read_keys(
    struct site site, const config_setting_t *group, const struct key *keys, size_t count)
{
	int group_line = site.line;

	if (refuse_unknown(&site, group, keys, count) != EST_OK)
		return EST_MALFORMED;
	for (size_t i = 0; i < count; i++) {
		config_setting_t *setting = config_setting_get_member(group, keys[i].name);
		enum outcome outcome;
		site.line = setting == NULL ? group_line : (int)config_setting_source_line(setting);
		if (setting == NULL && keys[i].def == NULL)
			return wrong(&site, &keys[i], "is missing");
		outcome = setting == NULL ? set_default(&site, &keys[i])
					  : set_value(&site, &keys[i], setting);
		if (outcome != EST_OK)
			return outcome;
	}
	return EST_OK;
}

/* The name of the i-th element: every group's struct starts {int line; char *name; ...}. */
static const char *element_name(const struct group *group, const char *array, size_t i)
{
	const struct config_ca *element = (const void *)(array + i * group->size);

	return element->name;
}

_Static_assert(offsetof(struct config_ca, name) == offsetof(struct config_profile, name) &&
		   offsetof(struct config_ca, name) == offsetof(struct config_label, name),
    "element_name() reads every group through struct config_ca");

static enum outcome read_element(
    struct config *config, const struct group *group, const config_setting_t *setting, size_t i)
{
	char *array = *(char **)(void *)((char *)config + group->offset);
	char *element = array + i * group->size;
	struct site site = {config, (int)config_setting_source_line(setting), element};
	enum outcome outcome;

	*(int *)(void *)element = site.line;
	if (!config_setting_is_group(setting))
		return reason(EST_MALFORMED,
		    "%s:%d: %s: must be groups in braces, as in ( { ... } )", config->path,
		    site.line, group->name);
	outcome = read_keys(site, setting, group->keys, group->key_count);
	for (size_t k = 0; outcome == EST_OK && k < i; k++)
		if (strcmp(element_name(group, array, k), element_name(group, array, i)) == 0)
			return reason(EST_MALFORMED, "%s:%d: there are two %ss named \"%s\"",
			    config->path, site.line, group->name, element_name(group, array, i));
	return outcome;
}

static enum outcome read_group(
    struct config *config, const config_setting_t *root, const struct group *group)
{
	const config_setting_t *list = config_setting_get_member(root, group->name);
	size_t count = list == NULL ? 0 : (size_t)config_setting_length(list);
	char **array = (char **)(void *)((char *)config + group->offset);

	if (list != NULL && (count == 0 || !config_setting_is_list(list)))
		return reason(EST_MALFORMED,
		    "%s:%d: %s: needs at least one, as in %s = ( { name = ... } );", config->path,
		    (int)config_setting_source_line(list), group->name, group->name);
	if (count == 0)
		return reason(EST_MALFORMED,
		    "%s: %s: needs at least one, as in %s = ( { name = ... } );", config->path,
		    group->name, group->name);
	*array = mem_alloc(count * group->size);
	*(size_t *)(void *)((char *)config + group->count_offset) = count;
	for (size_t i = 0; i < count; i++) {
		const config_setting_t *setting = config_setting_get_elem(list, (unsigned)i);
		enum outcome outcome = read_element(config, group, setting, i);
		if (outcome != EST_OK)
			return outcome;
	}
	return EST_OK;
}

static enum outcome refers_to_nothing(const struct config *config, const struct config_label *label,
    const char *key, const char *name)
{
	return reason(EST_MALFORMED, "%s:%d: label \"%s\": there is no %s \"%s\"", config->path,
	    label->line, label->name, key, name);
}

const struct config_label *config_label(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->label_count; i++)
		if (strcmp(config->labels[i].name, name) == 0)
			return &config->labels[i];
	return NULL;
}

/* A label points to the CA and the profile that it names. */
static enum outcome refer_label(const struct config *config, struct config_label *label)
{
	for (size_t k = 0; k < config->ca_count; k++)
		if (strcmp(config->cas[k].name, label->ca_name) == 0)
			label->ca = &config->cas[k];
	for (size_t k = 0; k < config->profile_count; k++)
		if (strcmp(config->profiles[k].name, label->profile_name) == 0)
			label->profile = &config->profiles[k];
	if (label->ca == NULL)
		return refers_to_nothing(config, label, "ca", label->ca_name);
	if (label->profile == NULL)
		return refers_to_nothing(config, label, "profile", label->profile_name);
	for (size_t k = 0; k < label->certificates_from.count; k++) {
		const char *name = label->certificates_from.word[k];
		const struct config_label *other = config_label(config, name);
		if (other == NULL)
			return refers_to_nothing(config, label, "label", name);
		if (strcmp(other->ca_name, label->ca_name) != 0)
			return reason(EST_MALFORMED,
			    "%s:%d: label \"%s\": certificates_from: label \"%s\" is of another ca",
			    config->path, label->line, label->name, name);
	}
	return EST_OK;
}

static enum outcome refer(struct config *config)
{
	enum outcome outcome = EST_OK;

	for (size_t i = 0; outcome == EST_OK && i < config->label_count; i++)
		outcome = refer_label(config, &config->labels[i]);
	return outcome;
}

static enum outcome read_tree(struct config *config, const config_t *tree)
{
	const config_setting_t *root = config_root_setting(tree);
	struct site site = {config, 1, config};
	enum outcome outcome = read_keys(site, root, config_top.keys, config_top.key_count);

	for (size_t i = 0; outcome == EST_OK && i < CONFIG_GROUPS; i++)
		outcome = read_group(config, root, &config_groups[i]);
	if (outcome == EST_OK && config->tls_unique[0] != '\0' &&
	    strcmp(config->tls_unique, config->tls_exporter) == 0)
		return reason(EST_MALFORMED,
		    "%s: tls_unique and tls_exporter name the same variable, and a value of one is "
		    "none of the other",
		    config->path);
	return outcome == EST_OK ? refer(config) : outcome;
}

enum outcome config_load(const char *path, struct config **out)
{
	struct config *config = mem_alloc(sizeof(*config));
	struct buf text = {0};
	char *copy = mem_string(path);
	config_t tree;
	enum outcome outcome;

	config_init(&tree);
	config->path = mem_string(path);
	config->directory = mem_string(dirname(copy));
	outcome = file_read(path, 1 << 20, &text);
	if (outcome != EST_OK)
		goto out;
	if (config_read_string(&tree, buf_string(&text)) != CONFIG_TRUE) {
		outcome = reason(EST_MALFORMED, "%s:%d: %s", path, config_error_line(&tree),
		    config_error_text(&tree));
		goto out;
	}
	outcome = read_tree(config, &tree);
out:
	config_destroy(&tree);
	buf_free(&text);
	free(copy);
	if (outcome != EST_OK) {
		config_free(config);
		return outcome;
	}
	*out = config;
	return EST_OK;
}

static void free_keys(void *base, const struct key *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		void *member = (char *)base + keys[i].offset;
		if (keys[i].type == TEXT || keys[i].type == PATH) {
			free(*(char **)member);
		} else if (keys[i].type == WORDS || keys[i].type == PATHS) {
			struct words *words = member;
			for (size_t k = 0; k < words->count; k++)
				free(words->word[k]);
			free(words->word);
		}
	}
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < CONFIG_GROUPS; i++) {
		char *array = *(char **)(void *)((char *)config + config_groups[i].offset);
		size_t count = *(size_t *)(void *)((char *)config + config_groups[i].count_offset);
		for (size_t k = 0; k < count; k++)
			free_keys(array + k * config_groups[i].size, config_groups[i].keys,
			    config_groups[i].key_count);
		free(array);
	}
	free_keys(config, config_top.keys, config_top.key_count);
	free(config->path);
	free(config->directory);
	free(config);
}

const char *config_path(const char *argument)
{
	const char *environment = getenv("EST_CONFIG");

	if (argument != NULL)
		return argument;
	return environment != NULL && environment[0] != '\0' ? environment : EST_CONFIG_FILE;
}

bool words_have(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->word[i], word) == 0)
			return true;
	return false;
}
