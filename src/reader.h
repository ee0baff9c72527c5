/*
 * reader.h - the handlers of reader.fcgi; cgi-bin/reader.c says which address is whose.
 *
 * This door seals and never opens: it holds no key that could.
 */
#ifndef READER_H
#define READER_H

#include "door.h"
#include "fcgi.h"

/* Empties the WAL after a withdrawal, once no reader is in the way; every few seconds. */
void reader_tick(void *door);

/* Calls the handler of the request's address, or answers 404 or 405. */
void reader_dispatch(struct door *door, const struct fcgi_route *routes, size_t routes_n,
    struct fcgi_request *request, struct fcgi_response *response);

/* The handlers; `door` is a struct reader_visit of reader_visit.h. */
fcgi_handler reader_form;    /* GET /form?page=&parent= : «Leave a Reply», a page of its own */
fcgi_handler reader_reply;   /* POST /reply : takes a submission */
fcgi_handler reader_receipt; /* GET /receipt/<secret> : what became of it */
fcgi_handler reader_edit_form; /* GET /receipt/<secret>/edit : the author's own words, to be changed */
fcgi_handler reader_edit;      /* POST /receipt/<secret>/edit : preview or save */
fcgi_handler reader_withdraw;  /* POST /receipt/<secret>/withdraw : erases it */
fcgi_handler reader_thread;  /* GET /threads<page>/~/<file> : what is no file, or spelled otherwise */
fcgi_handler reader_overview; /* GET /latest.html and the other files of a whole site, where they are not served as files */
fcgi_handler reader_health;  /* GET /health */

#endif
