/* SPDX-License-Identifier: MIT */
/*
 * A network's link is there before the network has been entered; until then what is sent into it
 * goes nowhere.
 */
#include "cmd/bridged.h"

#include "cmd/cmd.h"

#include <errno.h>
#include <string.h>

int bridged_open(struct bridged *b, const struct command *command, struct weft_loop *loop,
		 struct output *out)
{
	struct weft_error err;
	if (network_is_named(b->spec)) {
		b->network = (struct network){ .command = command,
					       .loop = loop,
					       .output = out,
					       .has_stations = true };
		const int status = network_open(&b->network, b->spec);
		b->link = b->network.link;
		return status;
	}
	int r = weft_link_open(b->spec, &err, &b->link);
	return r < 0 ? output_fail_link(command->verb, r, err.text) : STATUS_OK;
}

/* Two ports on one device would hand each frame to each other for ever. */
int bridged_check(const struct bridged *b, const struct bridged *others, size_t n,
		  struct weft_error *err)
{
	const unsigned flags = weft_link_caps(b->link).flags;
	const char *name = bridged_name(b);
	if (flags & WEFT_LINK_PPP)
		return weft_error_set(err, -EINVAL,
				      "%s is a modem's line; `weft serve` answers it",
				      b->spec);
	if (flags & WEFT_LINK_IP)
		return weft_error_set(err, -EINVAL,
				      "%s carries bare IP packets; a bridge joins "
				      "Ethernet links, such as tap:%s",
				      b->spec, bridged_is_device(b) ? name : "weft0");
	for (size_t i = 0; i < n && bridged_is_device(b); i++)
		if (strcmp(weft_link_name(others[i].link), name) == 0)
			return weft_error_set(err, -EINVAL,
					      "%s is on the bridge already, as %s", name,
					      others[i].spec);
	return 0;
}

const char *bridged_name(const struct bridged *b)
{
	return b->network.link ? b->network.title : weft_link_name(b->link);
}

bool bridged_is_down(const struct bridged *b, const char **ret_reason)
{
	const bool has_failed = b->network.failure.text[0] != '\0';
	*ret_reason =
		has_failed ? b->network.failure.text : weft_link_down_reason(b->link);
	return has_failed || weft_link_is_down(b->link);
}

bool bridged_is_device(const struct bridged *b)
{
	struct weft_mac mac;
	return weft_link_mac(b->link, &mac);
}

void bridged_close(struct bridged *b, struct weft_loop *loop)
{
	if (b->network.loop)
		network_close(&b->network);
	else if (b->link) {
		weft_loop_remove(loop, weft_link_task(b->link));
		weft_link_free(b->link);
	}
	b->link = NULL;
}
