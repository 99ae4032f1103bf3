/* SPDX-License-Identifier: MIT */
/*
 * A capture file (pcap or pcapng, read by libpcap) as a link that receives what was
 * captured: at its own pace, or as fast as it is read. What is sent into it is dropped.
 *
 * Time begins with the first run: the first frame is due then, and each other one as much
 * later as its time stamp says. libpcap lends one frame at a time, without headroom; a run
 * copies up to a batch of them into an arena of its own.
 */
#include "base/time.h"
#include "link/drivers.h"
#include "link/link.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_LEN (LINK_RUN_BYTES + WEFT_HEADROOM + WEFT_FRAME_LEN_MAX)

enum replay_rate { REPLAY_REAL, REPLAY_FAST }; /* The choices of rate=. */

struct replay {
	struct weft_link link;
	pcap_t *file;
	char *path;
	uint8_t *arena;
	enum replay_rate rate;
	bool loop;

	bool has_started;  /* start is set. */
	bool has_frame;    /* hdr and data are those of the next frame. */
	bool pass_is_void; /* Nothing was delivered since the file was opened. */
	uint64_t start;    /* When the file's first frame was due. */
	int64_t first_ns;  /* Time stamp of the file's first frame. */
	uint64_t due;      /* When the next frame is. */
	struct pcap_pkthdr *hdr;
	const u_char *data; /* libpcap's, until the next one is read. */
};

static struct replay *replay_of(struct weft_link *link)
{
	return (struct replay *)(void *)link;
}

/* With nanosecond precision asked for, tv_usec holds nanoseconds. */
static int64_t stamp_ns(const struct pcap_pkthdr *hdr)
{
	return (int64_t)hdr->ts.tv_sec * (int64_t)NS_PER_S + (int64_t)hdr->ts.tv_usec;
}

static pcap_t *replay_file_open(const char *path, char *errbuf)
{
	return pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO,
						       errbuf);
}

/* Starts the file over. A pass that brought nothing would repeat for ever. */
static bool replay_rewind(struct replay *rp)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	if (!rp->loop || rp->pass_is_void)
		return false;
	pcap_t *file = replay_file_open(rp->path, errbuf);
	if (!file)
		return false;
	pcap_close(rp->file);
	rp->file = file;
	rp->pass_is_void = true;
	rp->has_started = false;
	return true;
}

static void replay_set_due(struct replay *rp, uint64_t now)
{
	int64_t stamp = stamp_ns(rp->hdr);
	if (!rp->has_started) {
		rp->has_started = true;
		rp->start = now;
		rp->first_ns = stamp;
	}
	rp->due = rp->start;
	if (stamp > rp->first_ns)
		rp->due += (uint64_t)(stamp - rp->first_ns);
}

/*
 * Makes the next frame known. Returns true, or false at the end. now is when a pass starts
 * that begins with this frame.
 */
static bool replay_peek(struct replay *rp, uint64_t now)
{
	if (rp->has_frame)
		return true;
	int r = pcap_next_ex(rp->file, &rp->hdr, &rp->data);
	if (r == PCAP_ERROR)
		rp->link.stats.rx_errors++;
	if (r == PCAP_ERROR_BREAK && replay_rewind(rp))
		r = pcap_next_ex(rp->file, &rp->hdr, &rp->data);
	if (r != 1)
		return false;
	rp->has_frame = true;
	replay_set_due(rp, now);
	return true;
}

/* Copies the next frame to data; false for one that was not captured whole. */
static bool replay_take(struct replay *rp, uint8_t *data, struct weft_frame *ret_frame)
{
	uint32_t len = rp->hdr->caplen;
	rp->has_frame = false;
	if (len < rp->hdr->len || len == 0 || len > WEFT_FRAME_LEN_MAX) {
		rp->link.stats.rx_errors++;
		return false;
	}
	memcpy(data, rp->data, len);
	*ret_frame = (struct weft_frame){ .data = data,
					  .len = len,
					  .headroom = WEFT_HEADROOM };
	rp->pass_is_void = false;
	return true;
}

static void replay_run(struct weft_link *link, uint64_t now)
{
	struct replay *rp = replay_of(link);
	struct weft_frame frames[LINK_BATCH];
	bool at_end = false;
	size_t n = 0, off = 0;

	if (!rp->arena)
		rp->arena = malloc(ARENA_LEN);
	if (!rp->arena || link->is_down)
		return;
	for (unsigned i = 0; i < LINK_BATCH && off < LINK_RUN_BYTES; i++) {
		at_end = !replay_peek(rp, rp->has_started ? rp->due : now);
		if (at_end || (rp->rate == REPLAY_REAL && rp->due > now))
			break;
		if (!replay_take(rp, rp->arena + off + WEFT_HEADROOM, &frames[n]))
			continue;
		off += WEFT_HEADROOM + frames[n].len;
		n++;
	}
	link_deliver(link, frames, n, now);
	if (at_end)
		link_set_down(link);
}

static uint64_t replay_deadline(const struct weft_link *link)
{
	const struct replay *rp = (const struct replay *)(const void *)link;
	if (link->is_down)
		return WEFT_NEVER;
	return rp->has_frame && rp->rate == REPLAY_REAL ? rp->due : 0;
}

static size_t replay_send(struct weft_link *link, const struct weft_frame *frames,
			  size_t n, uint64_t now)
{
	(void)link;
	(void)frames;
	(void)n;
	(void)now;
	return 0;
}

static void replay_free(struct weft_link *link)
{
	struct replay *rp = replay_of(link);
	link_fini(link);
	if (rp->file)
		pcap_close(rp->file);
	free(rp->path);
	free(rp->arena);
	free(rp);
}

static const struct link_ops replay_ops = {
	.run = replay_run,
	.deadline = replay_deadline,
	.send = replay_send,
	.free = replay_free,
};

/* What the file holds as WEFT_LINK_* bits, or -EINVAL. */
static int replay_link_flags(pcap_t *file, const char *path, struct weft_error *err)
{
	int type = pcap_datalink(file);
	const char *name = pcap_datalink_val_to_name(type);

	if (type == DLT_EN10MB)
		return 0;
	if (type == DLT_RAW || type == DLT_IPV4 || type == DLT_IPV6)
		return WEFT_LINK_IP;
	return weft_error_set(err, -EINVAL,
			      "%s holds neither Ethernet frames nor IP packets, but %s",
			      path, name ? name : "frames of an unknown type");
}

static int replay_setup(struct replay *rp, const struct spec *spec,
			struct weft_error *err)
{
	char errbuf[PCAP_ERRBUF_SIZE] = "";

	rp->rate = (enum replay_rate)spec->values[REPLAY_RATE].choice;
	rp->loop = spec->values[REPLAY_LOOP].flag;
	rp->pass_is_void = true;
	rp->path = strdup(spec->name);
	if (!rp->path)
		return -ENOMEM;
	rp->file = replay_file_open(rp->path, errbuf);
	/* libpcap names the file in some of what it says. */
	const bool is_named = strncmp(errbuf, rp->path, strlen(rp->path)) == 0;
	if (!rp->file)
		return weft_error_set(err, -EIO, "cannot replay %s%s%s",
				      is_named ? "" : rp->path, is_named ? "" : ": ",
				      errbuf);
	int flags = replay_link_flags(rp->file, rp->path, err);
	if (flags < 0)
		return flags;
	rp->link.caps.flags = (unsigned)flags;
	return 0;
}

int replay_open(const struct spec *spec, struct weft_link *inner, struct weft_error *err,
		struct weft_link **ret_link)
{
	const struct weft_link_caps caps = { .frame_len_max = WEFT_FRAME_LEN_MAX };
	(void)inner;
	struct replay *rp = calloc(1, sizeof(*rp));
	if (!rp)
		return -ENOMEM;
	link_init(&rp->link, &replay_ops, spec->name, -1, caps);
	int r = replay_setup(rp, spec, err);
	if (r < 0) {
		replay_free(&rp->link);
		return r;
	}
	*ret_link = &rp->link;
	return 0;
}
