/*
 * path.h - the path of a request, taken apart.
 */
#ifndef EST_PATH_H
#define EST_PATH_H

#include "common/base/buf.h"

/*
 * A path is prefix/operation or prefix/label/operation, exactly: no empty segment, no trailing
 * slash, nothing decoded, and in both nothing but RFC 3986's unreserved characters (RFC 7030
 * 3.2.2). *label is empty where there is none. Both lead into path. False, and both empty, for any
 * other path.
 */
bool path_split(const char *prefix, struct span path, struct span *label, struct span *operation);

#endif
