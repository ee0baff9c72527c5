/*
 * fcgi_answer.h - what a door said, on its way back to the web server.
 *
 * Written by us, not by libfcgi's streams: whole, in as few calls as can be.  A peer that is gone is no fault.
 */
#ifndef FCGI_ANSWER_H
#define FCGI_ANSWER_H

#include "fcgi.h"

/* Sends the answer to request `id` of the connection `fd`; the bare one where memory was short meanwhile. */
void fcgi_answer_send(int fd, int id, const struct fcgi_request *request, const struct fcgi_response *response);

/* What goes out when even the error page found no memory; what was asked for may have been done by then. */
void fcgi_answer_bare(int fd, int id);

#endif
