/*
 * cmd_device_add.c - est-admin device add: one device, its secret, and the code for its camera.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "admin/onboard.h"
#include "admin/qr.h"
#include "common/base/clock.h"

/* --- what the options say --- */

/* By the end of the file's name; NULL: none that we can write. */
static qr_form *file_form(const char *file)
{
	static const struct {
		const char *end;
		qr_form *form;
	} forms[] = {{".svg", qr_svg}, {".png", qr_png}};
	size_t len = strlen(file);

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (len > 4 && strcasecmp(file + len - 4, forms[i].end) == 0)
			return forms[i].form;
	return NULL;
}

static enum outcome check_options(const struct admin *admin, const struct cli_call *call)
{
	bool many = admin->table != NULL, makes = admin->makes_secret;
	bool prints = admin->qr != NULL && strcmp(admin->qr, "-") == 0;
	const struct {
		bool wrong;
		const char *why;
	} rules[] = {
	    {many == (call->count == 1), "the NAME of one device is wanted, or --csv for many"},
	    {many && admin->qr != NULL, "--qr is for one device; rows of --csv have their codes as "
					"text, in the column code"},
	    {!many && admin->output != NULL, "-o is for --csv"},
	    {!many && admin->dry_run, "--dry-run is for --csv"},
	    {!makes && admin->qr != NULL, "--qr shows a secret: --secret is missing"},
	    {!makes && admin->url != NULL, "--url goes with a secret: --secret is missing"},
	    {!makes && admin->replace, "--replace is about a secret: --secret is missing"},
	    {!makes && admin->expires >= 0, "--expires is about a secret: --secret is missing"},
	    {prints && admin->json, "--qr - and --json both print; the JSON has the code as text"},
	    {admin->qr != NULL && !prints && file_form(admin->qr) == NULL,
		"--qr wants the name of a file that ends in .png or .svg, or -"},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].wrong)
			return cli_usage("%s", rules[i].why);
	return onboard_check_url(admin);
}

/* --- one device --- */

static void add_line(struct buf *out, const char *title, const char *text)
{
	buf_add_string(out, title);
	cli_escape(out, span_of(text));
	buf_add_byte(out, '\n');
}

static void describe(const struct onboard *device, struct buf *out)
{
	char time[CLOCK_TEXT];

	buf_reserve(out, 6 * DEVICE_NAME_MOST + 1024); /* a reallocation would leave a copy */
	add_line(out, "name     ", device->name);
	add_line(out, "label    ", device->label[0] == '\0' ? "-" : device->label);
	if (device->life == 0)
		return;
	add_line(out, "expires  ", clock_text(device->secret.expires_at, time));
	add_line(out, "secret   ", device->text);
}

/* The code into its file, and to whoever looks at a terminal. */
static enum outcome show_code(struct admin *admin, struct span code)
{
	bool terminal = isatty(STDOUT_FILENO) != 0;
	struct buf picture = {0}, print = {0};
	struct qr qr = {0};
	enum outcome outcome = qr_make(code, &qr);

	if (outcome == EST_OK && admin->sink != NULL) {
		file_form(admin->qr)(&qr, &picture);
		outcome = sink_write(admin->sink, buf_span(&picture));
	} else if (outcome == EST_OK && (terminal || admin->qr != NULL)) {
		(terminal ? qr_terminal : qr_blocks)(&qr, &print);
		outcome = sink_write(NULL, buf_span(&print));
	}
	qr_clear(&qr);
	buf_cleanse(&picture);
	buf_cleanse(&print);
	return outcome;
}

/* Nothing stays in the store that was not shown as a whole. */
static enum outcome show(struct admin *admin, struct onboard *device)
{
	bool wants_code = admin->qr != NULL || (!admin->json && isatty(STDOUT_FILENO) != 0);
	struct buf text = {0};
	enum outcome outcome;

	describe(device, &text);
	outcome =
	    admin->json ? sink_json(NULL, onboard_json(device)) : sink_write(NULL, buf_span(&text));
	if (outcome == EST_OK && device->life > 0 && wants_code)
		outcome = show_code(admin, buf_span(&device->code));
	if (outcome == EST_OK)
		outcome = sink_sync(admin->sink);
	buf_cleanse(&text);
	if (outcome != EST_OK) {
		onboard_undo(admin, device);
		cli_say("nothing was stored: a secret that was shown is good for nothing");
		return outcome;
	}
	if (device->life > 0 && wants_code && admin->url == NULL)
		cli_say("the QR code names no server: give --url for that");
	if (device->life > 0)
		cli_say("this is the only time that the secret is shown");
	return EST_OK;
}

enum outcome cmd_device_add(void *context, const struct cli_call *call)
{
	struct admin *admin = context;
	struct onboard device = {.label = ""};
	enum outcome outcome = check_options(admin, call);

	if (outcome != EST_OK)
		return outcome;
	if (admin->table != NULL)
		return cmd_device_bulk(admin, call);
	device.name = call->arguments[0];
	if (admin->makes_secret)
		outcome = one_time_life(admin, &device.life);
	if (outcome == EST_OK)
		outcome =
		    command_label(admin, admin->label == NULL ? "-" : admin->label, &device.label);
	if (outcome == EST_OK)
		outcome = onboard_check_name(admin, &device);
	if (outcome == EST_OK)
		outcome = onboard_device(admin, &device);
	if (outcome == EST_OK && device.life > 0)
		one_time_warn(admin, device.label);
	if (outcome == EST_OK)
		outcome = show(admin, &device);
	onboard_clear(&device);
	return outcome;
}
