/*
 * cmd_init.c - est-admin init: an instance out of nothing.
 */
#include <grp.h>
#include <libgen.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/command.h"
#include "admin/instance.h"
#include "common/base/clock.h"

#define GROUP_OF_WEB_SERVER "www-data"
#define PASSPHRASE_MAX      1023 /* OpenSSL's callback takes no more */

static enum outcome find_organization(const struct admin *admin, struct buf *out)
{
	const char *given = admin->organization;

	if (given == NULL && cli_interactive())
		return cli_ask("Name of the organization", "Demo", out);
	buf_add_string(out, given == NULL ? "Demo" : given);
	return EST_OK;
}

/*
 * Whom the workers' files go to: a group that was named must be there, the usual one may be
 * missing.
 */
static enum outcome find_worker(const struct admin *admin, struct instance *instance)
{
	const char *name = admin->group;
	const struct group *group;

	if (name == NULL && geteuid() != 0)
		return EST_OK;
	group = getgrnam(name == NULL ? GROUP_OF_WEB_SERVER : name);
	if (group == NULL && name == NULL) {
		cli_say("there is no group " GROUP_OF_WEB_SERVER
			": the files are for root alone; see --group");
		return EST_OK;
	}
	if (group == NULL)
		return reason(EST_NOT_FOUND, "there is no group \"%.60s\"", name);
	instance->shared = true;
	if (!worker_named(group->gr_name, &instance->worker))
		instance->worker.uid = geteuid();
	instance->worker.gid = group->gr_gid;
	return EST_OK;
}

static enum outcome find_passphrase(const struct admin *admin, struct instance *instance)
{
	const char *file = admin->passphrase_file;
	enum outcome outcome;

	if (file == NULL)
		return EST_OK;
	outcome = cli_secret(
	    file, "--passphrase-file", "passphrase of the CA keys", true, &instance->passphrase);
	if (outcome == EST_OK && instance->passphrase.len > PASSPHRASE_MAX)
		return reason(
		    EST_MALFORMED, "the passphrase is longer than %d octets", PASSPHRASE_MAX);
	return outcome;
}

static enum outcome make_pairs(
    const struct admin *admin, const char *organization, struct instance *instance)
{
	static const char *const local[] = {"localhost", "127.0.0.1", NULL};
	const struct cli_list *given = &admin->hosts;
	const char **hosts = mem_alloc((given->count + 1) * sizeof(*hosts));
	struct ca_wish wish = {organization, admin->key == NULL ? "P-256" : admin->key,
	    given->count == 0 ? local : hosts, clock_now()};
	enum outcome outcome;

	for (size_t i = 0; i < given->count; i++)
		hosts[i] = given->items[i];
	outcome = ca_make(CA_ROOT, &wish, NULL, &instance->root);
	if (outcome == EST_OK)
		outcome = ca_make(CA_ISSUING, &wish, &instance->root, &instance->issuing);
	if (outcome == EST_OK)
		outcome = ca_make(CA_SERVER, &wish, &instance->issuing, &instance->server);
	free(hosts);
	return outcome;
}

static void fingerprint_of(X509 *certificate, struct buf *out)
{
	unsigned char *der = NULL;
	int len = i2d_X509(certificate, &der);

	command_fingerprint((struct span){der, len < 0 ? 0 : (size_t)len}, out);
	OPENSSL_free(der);
}

static void tell(const struct admin *admin, const struct instance *instance)
{
	struct buf fingerprint = {0};
	const char *directory = instance->directory;

	fingerprint_of(instance->root.certificate, &fingerprint);
	if (admin->json) {
		json_t *object = json_object();
		json_object_set_new(object, "directory", cli_json_text(directory));
		json_object_set_new(object, "fingerprint", cli_json_text(buf_string(&fingerprint)));
		cli_json_print(object);
	} else {
		cli_print("Made an instance in %s.", directory);
		cli_print(
		    "SHA-256 fingerprint of its root certificate, for est-client --fingerprint:");
		cli_print("%s", buf_string(&fingerprint));
		cli_print("Next:");
		cli_print("  1. Put %s/root.key away, off this machine: it signs issuing CAs only.",
		    directory);
		cli_print("  2. Give the web server server.pem, server.key and client-cas.pem from "
			  "there.");
		cli_print("  3. est-admin -c %s/est.conf user add NAME --names PATTERN", directory);
		cli_print("  4. est-admin -c %s/est.conf check", directory);
	}
	buf_free(&fingerprint);
}

enum outcome cmd_init(void *context, const struct cli_call *call)
{
	struct admin *admin = context;
	char *copy = mem_string(config_path(admin->config));
	struct instance instance = {.directory = dirname(copy), .log = admin->log};
	struct buf organization = {0};
	enum outcome outcome;

	if (call->count > 0)
		instance.directory = call->arguments[0];
	outcome = instance_refuse(&instance);
	if (outcome == EST_OK)
		outcome = find_worker(admin, &instance);
	if (outcome == EST_OK)
		outcome = find_organization(admin, &organization);
	if (outcome == EST_OK)
		outcome = find_passphrase(admin, &instance);
	if (outcome == EST_OK)
		outcome = make_pairs(admin, buf_string(&organization), &instance);
	if (outcome == EST_OK)
		outcome = instance_write(&instance);
	if (outcome == EST_OK)
		tell(admin, &instance);
	ca_pair_clear(&instance.root);
	ca_pair_clear(&instance.issuing);
	ca_pair_clear(&instance.server);
	buf_free(&organization);
	buf_cleanse(&instance.passphrase);
	free(copy);
	return outcome;
}
