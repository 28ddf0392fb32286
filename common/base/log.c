#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/json.h"

static const struct {
	const char *name;
	int priority;
} levels[] = {
    [LOG_LEVEL_ALARM] = {"alarm", LOG_ALERT},
    [LOG_LEVEL_ERROR] = {"error", LOG_ERR},
    [LOG_LEVEL_WARNING] = {"warning", LOG_WARNING},
    [LOG_LEVEL_INFO] = {"info", LOG_INFO},
};

static enum { CLOSED, SYSLOG, LOG_FILE } kind;
static char *path;
static char *program;
static int file = -1;
static bool torn;         /* the last line is on disk in part only */
static int64_t looked_at; /* when the file was last compared with its path */

static enum outcome open_file(void)
{
	file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
	if (file < 0)
		return reason(EST_UNAVAILABLE, "cannot open the log %s: %s", path, strerror(errno));
	looked_at = clock_now();
	return EST_OK;
}

enum outcome log_open(const char *target, const char *ident)
{
	log_close();
	program = mem_string(ident);
	if (strcmp(target, "syslog") == 0) {
		openlog(program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
		kind = SYSLOG;
		return EST_OK;
	}
	path = mem_string(target);
	kind = LOG_FILE;
	return open_file();
}

void log_close(void)
{
	if (kind == SYSLOG)
		closelog();
	if (file >= 0)
		close(file);
	free(path);
	free(program);
	file = -1;
	path = program = NULL;
	kind = CLOSED;
}

/*
 * After a rotation the path leads to another file, or to none: open it anew, looking once a second.
 */
static void follow_rotation(void)
{
	struct stat there, here;

	if (clock_now() == looked_at)
		return;
	looked_at = clock_now();
	if (file >= 0 && stat(path, &there) == 0 && fstat(file, &here) == 0 &&
	    there.st_ino == here.st_ino && there.st_dev == here.st_dev)
		return;
	if (file >= 0)
		close(file);
	(void)open_file();
}

void log_line(enum log_level level, struct span line)
{
	ssize_t put = -1;

	if (kind == SYSLOG)
		syslog(levels[level].priority, "%.*s", (int)line.len - 1, (const char *)line.data);
	if (kind != LOG_FILE)
		return;
	follow_rotation();
	if (torn && file >= 0)
		torn = write(file, "\n", 1) != 1;
	if (file >= 0)
		put = write(file, line.data, line.len);
	torn |= put > 0 && put < (ssize_t)line.len;
	if (put != (ssize_t)line.len)
		syslog(LOG_DAEMON | levels[level].priority, "cannot write %s: %.*s", path,
		    (int)line.len - 1, (const char *)line.data);
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	char now[CLOCK_TEXT];
	struct buf line = {0};
	va_list arguments;
	char text[1024];

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	json_begin(&line);
	json_add_string(&line, "time", clock_text(clock_now(), now));
	json_add_string(&line, "level", levels[level].name);
	json_add_string(&line, "program", program);
	json_add_number(&line, "pid", getpid());
	json_add_string(&line, "event", event);
	json_add_string(&line, "message", text);
	json_end(&line);
	log_line(level, buf_span(&line));
	buf_free(&line);
}
