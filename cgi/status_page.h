/*
 * status_page.h - the dashboard for a browser without scripts: tables in HTML.
 */
#ifndef EST_STATUS_PAGE_H
#define EST_STATUS_PAGE_H

#include "common/lifecycle/service.h"

/*
 * Writes the whole page: the totals, the counters and the newest certificates. It links /style.css
 * of www/ and holds no style or script of its own. What comes from devices is text in it, cut after
 * 120 characters. The store's outcomes; counters that cannot be read are left out.
 */
enum outcome status_page(struct service *service, struct buf *out);

#endif
