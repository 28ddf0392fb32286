/*
 * store_bdb.c - the store in Berkeley DB 5.3: one environment that workers, CGI programs and
 * est-admin share.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/store/bdb.h"

static void close_store(struct store *store)
{
	struct bdb *bdb = (struct bdb *)store;

	if (bdb->env != NULL) {
		bool sound = gate_enter(bdb->gate);
		bdb_detach(bdb, !sound);
		gate_leave(bdb->gate);
	}
	gate_close(bdb->gate);
	bdb_labels_free(bdb);
	buf_cleanse(&bdb->record);
	buf_cleanse(&bdb->bulk);
	free(bdb->directory);
	free(bdb);
}

static enum outcome refuse_directory(const char *directory, const struct stat *status)
{
	const struct passwd *owner = getpwuid(status->st_uid);

	return reason(EST_UNAVAILABLE,
	    "the store's directory %s belongs to %s (user id %u): run as that user", directory,
	    owner == NULL ? "nobody known" : owner->pw_name, (unsigned)status->st_uid);
}

/*
 * What we make there must be of use to the directory's owner, so we are the owner, or share a
 * group.
 */
static enum outcome check_directory(const char *directory)
{
	struct stat status;

	if (stat(directory, &status) != 0)
		return reason(EST_UNAVAILABLE,
		    "the store's directory %s: %s; make it as the user that serves EST", directory,
		    strerror(errno));
	if (!S_ISDIR(status.st_mode))
		return reason(
		    EST_UNAVAILABLE, "%s, named as the store's directory, is none", directory);
	if (status.st_uid != geteuid() && (status.st_mode & S_ISGID) == 0)
		return refuse_directory(directory, &status);
	if (faccessat(AT_FDCWD, directory, R_OK | W_OK | X_OK, AT_EACCESS) != 0)
		return errno == EACCES ? refuse_directory(directory, &status)
				       : reason(EST_UNAVAILABLE, "the store's directory %s: %s",
					     directory, strerror(errno));
	return EST_OK;
}

static enum outcome rethread(struct store *store)
{
	return gate_rethread(((struct bdb *)store)->gate);
}

enum { CACHE_LEAST = 1 << 20 };

static enum outcome open_store(const struct store_settings *settings, struct store **out)
{
	struct bdb *bdb;
	int64_t now = clock_now();
	mode_t mask;
	enum outcome outcome = check_directory(settings->directory);

	if (outcome != EST_OK)
		return outcome;
	bdb = mem_alloc(sizeof(*bdb));
	bdb->store.backend = &store_bdb;
	bdb->directory = mem_string(settings->directory);
	bdb->cache = settings->cache < CACHE_LEAST ? CACHE_LEAST : settings->cache;
	bdb->dice = (unsigned)getpid() ^ (unsigned)clock_microseconds();
	mask = umask(S_IRWXO);
	outcome = gate_open(bdb->directory, &bdb->gate);
	(void)umask(mask);
	if (outcome == EST_OK)
		outcome = bdb_run(bdb, BDB_READ, bdb_meta_prepare, &now);
	if (outcome == EST_NOT_FOUND)
		outcome = bdb_run(bdb, BDB_WRITE, bdb_meta_prepare, &now);
	if (outcome == EST_CONFLICT)
		outcome = bdb_meta_renew(bdb);
	if (outcome == EST_OK)
		*out = &bdb->store;
	else
		close_store(&bdb->store);
	return outcome;
}

const struct store_backend store_bdb = {
    .name = "bdb",
    .open = open_store,
    .close = close_store,
    .rethread = rethread,
    .cert_add = bdb_cert_add,
    .cert_of_request = bdb_cert_of_request,
    .cert_get = bdb_cert_get,
    .cert_list = bdb_cert_list,
    .cert_revoke = bdb_cert_revoke,
    .key_check = bdb_key_check,
    .revocation_hash = bdb_revocation_hash,
    .pending_add = bdb_pending_add,
    .pending_get = bdb_pending_get,
    .pending_next = bdb_pending_next,
    .pending_decide = bdb_pending_decide,
    .pending_delete = bdb_pending_delete,
    .secret_put = bdb_secret_put,
    .secret_get = bdb_secret_get,
    .secret_delete = bdb_secret_delete,
    .secret_next = bdb_secret_next,
    .secret_check = bdb_secret_check,
    .kek_put = bdb_kek_put,
    .kek_get = bdb_kek_get,
    .kek_delete = bdb_kek_delete,
    .kek_next = bdb_kek_next,
    .nonce_use = bdb_nonce_use,
    .user_put = bdb_user_put,
    .user_get = bdb_user_get,
    .user_delete = bdb_user_delete,
    .user_next = bdb_user_next,
    .user_rehash = bdb_user_rehash,
    .device_add = bdb_device_add,
    .device_get = bdb_device_get,
    .device_next = bdb_device_next,
    .device_block = bdb_device_block,
    .device_free = bdb_device_free,
    .device_check = bdb_device_check,
    .totals = bdb_totals,
    .statistics = bdb_statistics,
    .checkpoint = bdb_checkpoint,
    .check = bdb_check,
};
