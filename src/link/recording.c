/* SPDX-License-Identifier: MIT */
/*
 * libpcap reads pcapng and does not write it; pcap is its own affair.
 */
#include "link/recording.h"

#include "base/time.h"
#include "wire/pcapng.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUFFIX ".pcapng"

struct recording {
	uint32_t snap_len;
	FILE *ng;     /* NULL: it is pcap, */
	pcap_t *type; /* of whose link type and precision libpcap knows by this. */
	pcap_dumper_t *pcap;
};

static bool is_pcapng(const char *path)
{
	const size_t len = strlen(path), suffix = sizeof(SUFFIX) - 1;
	return len > suffix && strcmp(path + len - suffix, SUFFIX) == 0;
}

static int open_pcapng(struct recording *r, const struct recording_opts *opts,
		       struct weft_error *err)
{
	uint8_t head[PCAPNG_HEAD_MAX];
	const struct pcapng_interface interface = {
		.writer = "weft",
		.name = opts->name,
		.link_type = opts->flags & WEFT_LINK_PPP  ? PCAPNG_PPP
			     : opts->flags & WEFT_LINK_IP ? PCAPNG_RAW_IP
							  : PCAPNG_ETHERNET,
		.snap_len = opts->snap_len,
	};
	r->ng = fopen(opts->path, "wbe");
	if (!r->ng)
		return weft_error_set(err, -EIO, "cannot record: %s: %s", opts->path,
				      strerror(errno));
	const size_t len = pcapng_head(&interface, head);
	(void)fwrite(head, 1, len, r->ng); /* recording_flush tells of an error */
	return 0;
}

static int open_pcap(struct recording *r, const struct recording_opts *opts,
		     struct weft_error *err)
{
	const int type = opts->flags & WEFT_LINK_PPP  ? DLT_PPP
			 : opts->flags & WEFT_LINK_IP ? DLT_RAW
						      : DLT_EN10MB;
	r->type = pcap_open_dead_with_tstamp_precision(type, (int)opts->snap_len,
						       PCAP_TSTAMP_PRECISION_NANO);
	if (!r->type)
		return -ENOMEM;
	r->pcap = pcap_dump_open(r->type, opts->path);
	if (!r->pcap)
		return weft_error_set(err, -EIO, "cannot record: %s",
				      pcap_geterr(r->type));
	return 0;
}

int recording_new(const struct recording_opts *opts, struct weft_error *err,
		  struct recording **ret_recording)
{
	struct recording *r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->snap_len = opts->snap_len;
	int error = is_pcapng(opts->path) ? open_pcapng(r, opts, err)
					  : open_pcap(r, opts, err);
	if (error < 0) {
		recording_free(r);
		return error;
	}
	*ret_recording = r;
	return 0;
}

void recording_free(struct recording *recording)
{
	if (!recording)
		return;
	if (recording->ng)
		(void)fclose(recording->ng);
	if (recording->pcap)
		pcap_dump_close(recording->pcap);
	if (recording->type)
		pcap_close(recording->type);
	free(recording);
}

static void add_to_pcapng(FILE *file, const struct pcapng_packet *packet,
			  const uint8_t *data)
{
	uint8_t head[PCAPNG_PACKET_HEAD], tail[PCAPNG_PACKET_TAIL];
	pcapng_packet_head(packet, head);
	const size_t tail_len = pcapng_packet_tail(packet, tail);
	(void)fwrite(head, 1, sizeof(head), file);
	(void)fwrite(data, 1, packet->caplen, file);
	(void)fwrite(tail, 1, tail_len, file);
}

void recording_add(struct recording *recording, const struct weft_frame *frame,
		   int64_t at_ns, bool is_outbound)
{
	const uint32_t len = frame->len;
	const uint32_t caplen = len < recording->snap_len ? len : recording->snap_len;
	if (recording->ng) {
		const struct pcapng_packet packet = { .at_ns = at_ns,
						      .caplen = caplen,
						      .len = len,
						      .is_outbound = is_outbound };
		add_to_pcapng(recording->ng, &packet, frame->data);
		return;
	}
	const int64_t second = (int64_t)NS_PER_S;
	const struct pcap_pkthdr hdr = {
		.ts = { .tv_sec = at_ns / second, .tv_usec = at_ns % second },
		.caplen = caplen,
		.len = len,
	};
	pcap_dump((u_char *)recording->pcap, &hdr, frame->data);
}

bool recording_flush(struct recording *recording)
{
	if (recording->ng)
		return fflush(recording->ng) == 0 && !ferror(recording->ng);
	return pcap_dump_flush(recording->pcap) == 0;
}
