/*
 * sanitized.h - whether this is built with AddressSanitizer, whose runtime makes system calls of its own.
 */
#ifndef EST_SANITIZED_H
#define EST_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#endif
