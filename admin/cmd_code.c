/*
 * cmd_code.c - est-admin code: why requests are refused, as refusal.c has it.
 */
#include <string.h>

#include "admin/command.h"
#include "common/base/refusal.h"

static void print_json(const struct refusal_row *row)
{
	json_t *object = json_object();

	json_object_set_new(object, "code", cli_json_text(row->code));
	json_object_set_new(object, "outcome", cli_json_text(outcome_name(row->outcome)));
	json_object_set_new(object, "rule", cli_json_text(row->rule));
	json_object_set_new(object, "meaning", cli_json_text(row->meaning));
	cli_json_print(object);
}

/* What stands in a column or behind a word of the text: nothing is a dash. */
static const char *rule_of(const struct refusal_row *row)
{
	return row->rule[0] == '\0' ? "-" : row->rule;
}

enum outcome cmd_code_list(void *context, const struct cli_call *call)
{
	static const char form[] = "%-28s  %-15s  %-19s  %s";
	const struct admin *admin = context;

	(void)call;
	if (!admin->json)
		cli_print(form, "CODE", "OUTCOME", "RULE", "MEANING");
	for (unsigned i = 0; i < REFUSALS; i++) {
		const struct refusal_row *row = refusal_row((enum refusal)i);
		if (admin->json)
			print_json(row);
		else
			cli_print(form, row->code, outcome_name(row->outcome), rule_of(row),
			    row->meaning);
	}
	return EST_OK;
}

static const struct refusal_row *find(const char *code)
{
	for (unsigned i = 0; i < REFUSALS; i++)
		if (strcmp(refusal_row((enum refusal)i)->code, code) == 0)
			return refusal_row((enum refusal)i);
	return NULL;
}

enum outcome cmd_code_show(void *context, const struct cli_call *call)
{
	const struct admin *admin = context;
	const struct refusal_row *row = find(call->arguments[0]);

	if (row == NULL)
		return reason(EST_NOT_FOUND,
		    "there is no code \"%.100s\"; est-admin code list has them all",
		    call->arguments[0]);
	if (admin->json) {
		print_json(row);
		return EST_OK;
	}
	cli_print("code     %s", row->code);
	cli_print("outcome  %s", outcome_name(row->outcome));
	cli_print("rule     %s", rule_of(row));
	cli_print("meaning  %s", row->meaning);
	return EST_OK;
}
