/*
 * outcome.h - the one result convention: what became of an act, and why.
 *
 * OpenSSL's 1/0/-1, Berkeley DB's errno and libfcgi's -n become an enum outcome at the first line
 * of ours. Whoever knows why an act failed says so once with reason(); the first and deepest reason
 * wins and travels beside the outcome to floor 4, which shows it to the device or the operator.
 */
#ifndef EST_OUTCOME_H
#define EST_OUTCOME_H

#define REASON_SIZE 501 /* of the longest reason, its NUL included */

enum outcome {
	EST_OK = 0,
	EST_MALFORMED,       /* the request, a file or a value is not what its format promises */
	EST_UNAUTHENTICATED, /* nobody proved who asks */
	EST_FORBIDDEN,       /* known who asks, and it may not */
	EST_NOT_FOUND,       /* no such operation, label, record */
	EST_CONFLICT,        /* it exists already, or contradicts what exists */
	EST_THROTTLED,       /* asked too often */
	EST_PENDING,         /* accepted, not decided yet */
	EST_UNAVAILABLE,     /* try again later: the store, a key or a disk is not there just now */
	EST_INTERNAL,        /* a fault of ours */
	EST_OUTCOMES
};

/*
 * Records why, unless a deeper reason is recorded already, and gives the outcome back, so that
 * `return reason(EST_MALFORMED, "RFC 7030 4.2.1: ...")` is one line. The text is for people: it
 * names the cause and what to do, never a secret; it is cut at 500 bytes. One reason per thread.
 */
enum outcome reason(enum outcome outcome, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* As reason(), with OpenSSL's oldest queued error appended; empties OpenSSL's queue. */
enum outcome reason_openssl(enum outcome outcome, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * A number beside the reason, forgotten with it; the first one wins, 0 is none. For refusal.c, which keeps its
 * codes here.
 */
void reason_mark(unsigned mark);
unsigned reason_marked(void);

/* The recorded reason, "" if there is none; valid until the next reason_clear(). */
const char *reason_text(void);

/*
 * Forgets the reason: at the start of every request and wherever a failure is an expected answer.
 */
void reason_clear(void);

/* The outcome's word for logs: "ok", "malformed", ... */
const char *outcome_name(enum outcome outcome);

#endif
