/* The public door: finds the handler of a request, and what all handlers share. */
#include "reader.h"

#include "address.h"
#include "frame.h"
#include "log.h"
#include "reader_visit.h"

/*
 * Articles of other origins may ask this door and read what it says, if the site names them (Fetch
 * standard, section 3.2, CORS): exactly that origin, and without cookies, which this door has none of.
 * True when the request is from such an one.
 */
static bool
share_across_origins(const struct config_site *site, const struct fcgi_request *request, struct fcgi_response *response)
{
	if (site->origins.n == 0)
		return false;
	fcgi_header(response, "Vary", STR("Origin"));
	for (size_t i = 0; i < site->origins.n; i++) {
		if (request->origin.len == 0 || !str_eq(request->origin, site->origins.items[i]))
			continue;
		fcgi_header(response, "Access-Control-Allow-Origin", site->origins.items[i]);
		fcgi_header(response, "Access-Control-Expose-Headers", STR("Retry-After"));
		return true;
	}
	return false;
}

/* A browser's question before it sends JSON; true when it was one and is answered. */
static bool
answer_preflight(const struct door_site *site, const struct fcgi_route *routes, size_t routes_n,
    struct fcgi_request *request, struct fcgi_response *response)
{
	struct str methods = STR_NONE;
	if (!str_eq(request->method, STR("OPTIONS")))
		return false;
	(void)fcgi_route(routes, routes_n, request, door_path_below(site->config, request->arena, request->path), &methods);
	if (methods.len == 0)
		return false;
	response->code = 204;
	fcgi_header(response, "Access-Control-Allow-Methods", methods);
	fcgi_header(response, "Access-Control-Allow-Headers", STR("Content-Type"));
	fcgi_header(response, "Access-Control-Max-Age", STR("600"));
	return true;
}

void
reader_dispatch(struct door *door, const struct fcgi_route *routes, size_t routes_n, struct fcgi_request *request,
    struct fcgi_response *response)
{
	struct reader_visit visit = {door, door_site(door, request->site), request->arena};
	if (visit.site == NULL) {
		log_event(LOG_LEVEL_ERROR, "REJOINDER_SITE names no site of the configuration");
		door_refuse_plain(&door->sites[0], request, response, DOOR_MISSING);
		return;
	}
	door_notice_missing(door, request);
	bool foreign = share_across_origins(visit.site->config, request, response);
	if (foreign && answer_preflight(visit.site, routes, routes_n, request, response))
		return;
	const struct fcgi_route *route = door_route(visit.site, routes, routes_n, request, response);
	if (route != NULL)
		route->handle(&visit, request, response);
	/* These are the web server's files, without a frame; so they are here. */
	bool file = route != NULL && (route->handle == reader_thread || route->handle == reader_overview);
	if (!file)
		frame_page(&response->body, visit.site->words, &visit.site->frame);
}

struct reply_desk
reader_desk(const struct reader_visit *visit)
{
	return (struct reply_desk){.site = visit->site->config, .site_id = visit->site->id, .db = visit->door->db,
	    .pace = visit->door->pace, .matching = &visit->door->matching, .receipt = &visit->door->receipt,
	    .sealer = visit->door->sealer, .tells = visit->door->config->mail.from.len > 0};
}

struct str
reader_say(const struct reader_visit *visit, enum word word)
{
	return words_say(visit->arena, visit->site->words, word, NULL, 0);
}

struct str
reader_say_n(const struct reader_visit *visit, enum word word, int64_t n)
{
	struct word_hole hole = {.name = STR("n"), .n = n};
	return words_say(visit->arena, visit->site->words, word, &hole, 1);
}

struct reply_client
reader_client(const struct reader_visit *visit, const struct fcgi_request *request)
{
	return (struct reply_client){
	    .ip = request->remote_addr,
	    .network = address_network(visit->arena, request->remote_addr),
	    .user_agent = request->user_agent,
	    .now = request->now,
	};
}

void
reader_tick(void *context)
{
	door_truncate(context);
}

void
reader_health(void *context, struct fcgi_request *request, struct fcgi_response *response)
{
	const struct reader_visit *visit = context;
	(void)request;
	door_health(visit->door, response);
}
