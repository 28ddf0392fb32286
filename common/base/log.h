/*
 * log.h - lines for whoever operates the server: JSON, one object a line, to syslog or a file.
 *
 * A log that is not open (a command-line tool) drops what is written to it.
 */
#ifndef EST_LOG_H
#define EST_LOG_H

#include "common/base/buf.h"
#include "common/base/outcome.h"

enum log_level { LOG_LEVEL_ALARM, LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO };

/*
 * Opens the log: "syslog" (facility daemon, name ident) or the path of a file, which is made if
 * absent and opened again when it has been moved away (logrotate). EST_UNAVAILABLE where it cannot
 * be written.
 */
enum outcome log_open(const char *target, const char *ident);

/* Writes one finished line, its LF included, in one write(2), so that processes never mix their
 * lines. */
void log_line(enum log_level level, struct span line);

/* One event that is no request: {"time", "level", "program", "event", "message"}. */
void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void log_close(void);

#endif
