/*
 * process.h - how a program of ours begins.
 */
#ifndef EST_PROCESS_H
#define EST_PROCESS_H

/*
 * Opens /dev/null in the place of descriptors 0, 1 and 2 that whoever started us has closed: else a
 * file of the store would get the number that answers are written to.
 */
void process_hold_standard(void);

/*
 * Makes the process what every server program of ours wants to be: no descriptors beyond 0, 1 and 2
 * of whoever started it, an environment without what would change libraries, a umask that lets the
 * web server's group share files and nobody else, no core dumps (they would hold keys), SIGPIPE
 * ignored. Call it before anything is opened.
 */
void process_begin(void);

/*
 * Removes the variables that make libraries read other files, load other code or write secrets
 * down; EST_CONFIG, those of CGI and all others stay. What the dynamic linker and malloc() read
 * before main() has had its effect in this process; whoever set it owns the process anyway. Call it
 * before a library is used, with one thread.
 */
void process_clean_environment(void);

#endif
