/* SPDX-License-Identifier: MIT */
/*
 * Why a connection ended, for the person in front of it. A sentence has three parts: who it
 * was and what was wrong; in brackets what was seen, for whoever is asked about it; what to
 * do. Names and numbers that the other side has made up are cut short, so that the last part
 * is never the one that does not fit.
 */
#include "base/time.h"
#include "lan/member.h"

#include <sodium.h>
#include <string.h>

/* Of a pin, as much as quic/tls.h tells of a key. */
#define KEY_BYTES 9u
#define KEY_LEN   sizeof("tGoHYMNgc8n1")

/* ---- another one than expected ----------------------------------------------------------- */

static void explain_key(const struct weft_member *member, const struct quic_close *why,
			struct weft_error *ret_reason)
{
	char expected[KEY_LEN];
	(void)sodium_bin2base64(expected, sizeof(expected), member->opts.invite.pin,
				KEY_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	(void)weft_error_set(ret_reason, 0,
			     "%.60s has another key than the invitation says (%s... "
			     "instead of %s...): it was set up anew, or somebody else "
			     "answers in its place; ask for a new invitation",
			     member_relay_host(member), why->reason, expected);
}

/* What is wrong with a certificate, and what to do about it. */
static const struct {
	const char *what, *remedy;
} certificates[] = {
	[QUIC_FAULT_AUTHORITY] = { "is signed by no authority that is trusted here",
				   "give the file of the right one with --ca FILE, or "
				   "ask for an invitation that holds the relay's key" },
	[QUIC_FAULT_EXPIRED] = { "has expired",
				 "the relay needs a new one; or, if its last day is "
				 "still to come, this machine's clock is wrong" },
	[QUIC_FAULT_NOT_YET] = { "is not valid yet",
				 "if its first day has come, this machine's clock is "
				 "wrong; if not, the relay needs another one" },
	[QUIC_FAULT_NAME] = { "is for another name",
			      "ask for an invitation with the name that it is for; or "
			      "somebody else answers in the relay's place" },
};

static void explain_identity(const struct weft_member *member,
			     const struct quic_close *why, struct weft_error *ret_reason)
{
	if (why->code == QUIC_FAULT_KEY)
		explain_key(member, why, ret_reason);
	else if (why->code == QUIC_FAULT_OTHER)
		(void)weft_error_set(ret_reason, 0,
				     "%.200s cannot be trusted: %s; ask whoever runs it",
				     member_relay_host(member), why->reason);
	else
		(void)weft_error_set(
			ret_reason, 0, "the certificate of %.60s %s (%s): %s",
			member_relay_host(member), certificates[why->code].what,
			why->reason, certificates[why->code].remedy);
}

/* ---- the rest ---------------------------------------------------------------------------- */

/*
 * Why this machine has sent nothing to any of the relay's addresses: there is no network, no way,
 * or a firewall of its own. 0 where something has left.
 */
static int send_refusal(const struct weft_member *member)
{
	const struct quic_endpoint_stats stats = quic_endpoint_stats(member->endpoint);
	return stats.tx_taken == member->tx_taken ? stats.tx_refusal : 0;
}

static void explain_timeout(const struct weft_member *member,
			    struct weft_error *ret_reason)
{
	const int refusal = send_refusal(member);
	if (member->state == WEFT_MEMBER_CONNECTING && refusal)
		(void)weft_error_set(
			ret_reason, 0,
			"nothing can be sent to %.200s, UDP port %u: %s; look "
			"at this machine's own network and firewall",
			member_relay_host(member), member_relay_port(member),
			strerror(-refusal));
	else if (member->state == WEFT_MEMBER_CONNECTING)
		(void)weft_error_set(
			ret_reason, 0,
			"no answer from %.200s, UDP port %u: the relay is not "
			"running, or something on the way blocks UDP",
			member_relay_host(member), member_relay_port(member));
	else
		(void)weft_error_set(ret_reason, 0,
				     "nothing has been heard from the relay for %u s",
				     (unsigned)(member->opts.idle_timeout_ns / NS_PER_S));
}

void member_explain_close(const struct weft_member *member, const struct quic_close *why,
			  struct weft_error *ret_reason)
{
	switch (why->kind) {
	case QUIC_CLOSE_IDENTITY:
		explain_identity(member, why, ret_reason);
		break;
	case QUIC_CLOSE_PEER_APP:
		(void)weft_error_set(ret_reason, 0,
				     "the relay has closed the connection: %s",
				     why->reason);
		break;
	case QUIC_CLOSE_RESET:
		(void)weft_error_set(
			ret_reason, 0,
			"the relay does not know us any more: it was restarted");
		break;
	case QUIC_CLOSE_TIMEOUT:
		explain_timeout(member, ret_reason);
		break;
	case QUIC_CLOSE_LOCAL:
	case QUIC_CLOSE_TRANSPORT:
		(void)weft_error_set(ret_reason, 0, "the connection to %.200s failed: %s",
				     member_relay_host(member), why->reason);
		break;
	}
}
