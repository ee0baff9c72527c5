/*
 * fcgi_route.c - which row of a door's table a request is for.
 */
#include "fcgi.h"

#include <string.h>

static bool
path_fits(const char *pattern, struct str path, struct str *rest)
{
	struct str tail = str_from(pattern);
	struct str head = str_cut(&tail, '*');
	*rest = STR_NONE;
	if (tail.at == NULL)
		return str_eq(head, path);
	if (path.len < head.len + tail.len || !str_starts(path, head) || !str_ends(path, tail))
		return false;
	*rest = str_sub(path, head.len, path.len - head.len - tail.len);
	return tail.len == 0 || !str_has(*rest, '/');
}

static bool
method_fits(const char *method, struct str asked)
{
	return str_eq(str_from(method), asked) || (str_eq(asked, STR("HEAD")) && strcmp(method, "GET") == 0);
}

const struct fcgi_route *
fcgi_route(const struct fcgi_route *routes, size_t routes_n, struct fcgi_request *request, struct str path,
    struct str *allow)
{
	const char *first = NULL;
	struct out methods;
	out_init(&methods, request->arena);
	for (size_t i = 0; i < routes_n; i++) {
		struct str rest;
		if (!path_fits(routes[i].path, path, &rest))
			continue;
		/* A wider path behind it is another address, with methods of its own. */
		first = first == NULL ? routes[i].path : first;
		if (strcmp(first, routes[i].path) != 0)
			continue;
		if (method_fits(routes[i].method, request->method)) {
			request->rest = rest;
			return &routes[i];
		}
		bool get = strcmp(routes[i].method, "GET") == 0;
		out_format(&methods, "%s%s", methods.len > 0 ? ", " : "", get ? "GET, HEAD" : routes[i].method);
	}
	*allow = out_str(&methods);
	return NULL;
}
