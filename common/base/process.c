#include "common/base/process.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"

/* Names, or with a * at the end, how names begin. None of them is a variable of CGI or mod_ssl. */
static const char *const unwanted[] = {
    /* OpenSSL: its configuration, which names modules to load; its trust; a log of TLS secrets */
    "OPENSSL_*",
    "SSLKEYLOGFILE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CTLOG_FILE",
    "RANDFILE",
    /* Berkeley DB: where databases and temporary files are */
    "DB_HOME",
    "TMPDIR",
    "TMP",
    "TEMP",
    "TempFolder",
    /* The C library: the list that it ignores itself in setuid programs */
    "LD_*",
    "GLIBC_TUNABLES",
    "MALLOC_*",
    "GCONV_PATH",
    "GETCONF_DIR",
    "LOCPATH",
    "NLSPATH",
    "TZDIR",
    "HOSTALIASES",
    "LOCALDOMAIN",
    "RESOLV_HOST_CONF",
    "RES_OPTIONS",
    "NIS_PATH",
};

static bool is_unwanted(const char *variable)
{
	size_t len = strcspn(variable, "=");

	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++) {
		size_t want = strcspn(unwanted[i], "*");
		if (strncmp(variable, unwanted[i], want) == 0 &&
		    (unwanted[i][want] == '*' || len == want))
			return true;
	}
	return false;
}

static void remove_variable(const char *variable)
{
	char *name = mem_string(variable);

	name[strcspn(name, "=")] = '\0';
	(void)unsetenv(name);
	free(name);
}

void process_clean_environment(void)
{
	size_t i = 0;

	while (environ != NULL && environ[i] != NULL) {
		if (is_unwanted(environ[i]))
			remove_variable(environ[i]); /* the next one is in its place */
		else
			i++;
	}
}

void process_hold_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", O_RDWR | O_NOCTTY);
}

void process_begin(void)
{
	const struct rlimit none = {0, 0};

	process_hold_standard();
	(void)close_range(3, UINT_MAX, 0);
	process_clean_environment();
	(void)umask(0007);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
}
