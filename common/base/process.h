/*
 * process.h - how a program of ours begins.
 */
#ifndef EST_PROCESS_H
#define EST_PROCESS_H

/*
 * Makes the process what every server program of ours wants to be: no descriptors beyond 0, 1 and 2
 * of whoever started it, a umask that lets the web server's group share files and nobody else, no
 * core dumps (they would hold keys), SIGPIPE ignored. Call it before anything is opened.
 */
void process_begin(void);

#endif
