#include "tests/hostile/row.h"

void make_good(struct request *request, const char *what)
{
	(void)request;
	(void)what;
}

void make_version(struct request *request, const char *what)
{
	request->version = bytes_make(what);
}

void make_subject(struct request *request, const char *what)
{
	request->subject = bytes_make("30{$}", bytes_make(what));
}

void make_common_name(struct request *request, const char *what)
{
	request->subject = bytes_make("30{31{30{06{550403}$}}}", bytes_make(what));
}

void make_extensions(struct request *request, const char *what)
{
	request->attributes =
	    bytes_make("a0{30{06{2a864886f70d01090e}31{30{$}}}}", bytes_make(what));
}

void make_sans(struct request *request, const char *what)
{
	request->attributes = bytes_make(
	    "a0{30{06{2a864886f70d01090e}31{30{30{06{551d11}04{30{$}}}}}}}", bytes_make(what));
}

void make_attributes(struct request *request, const char *what)
{
	request->attributes = bytes_make("a0{$}", bytes_make(what));
}

void make_body(struct request *request, const char *what)
{
	request->body = bytes_make(what);
}

void make_info(struct request *request, const char *what)
{
	request->info = what;
}

void make_outer(struct request *request, const char *what)
{
	request->outer = what;
}
