/* SPDX-License-Identifier: MIT */
/*
 * Datagrams of one batch that come from the same peer in a row are given to its link at once:
 * with one peer that talks, the table is asked once per batch.
 */
#include "link/senders.h"

#include "base/container.h"
#include "base/fmt.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* sockaddr_un and the sockaddr of both IP families, as the kernel writes them. */
#define KEY_UNIX_LEN sizeof(struct sockaddr_un)
#define KEY_INET_LEN sizeof(struct sockaddr_in6)

static struct senders *senders(struct weft_plug *plug)
{
	return container_of(plug, struct senders, plug);
}

/* ---- who sent ---------------------------------------------------------------------------- */

struct key {
	uint8_t bytes[KEY_UNIX_LEN];
};

static struct key key_of(const struct senders *s, const struct datagram_addr *addr)
{
	struct key key = { { 0 } };

	memcpy(key.bytes, &addr->u, addr->len < s->key_len ? addr->len : s->key_len);
	return key;
}

/* The link of an address, or NULL. */
static struct packets *link_of(const struct senders *s, const struct datagram_addr *from)
{
	const struct key key = key_of(s, from);
	return table_get(s->peers, &key);
}

void senders_say(struct senders *s, const struct datagram_addr *to, const void *data,
		 size_t len)
{
	(void)!sendto(s->reader.fd, data, len, MSG_DONTWAIT, &to->u.sa, to->len);
}

/* What connecting to a UNIX socket says of it: 0 if it can be sent to, or -Exxx. */
static int socket_try(const struct datagram_addr *addr)
{
	int fd = datagram_socket(AF_UNIX);

	if (fd < 0)
		return 0; /* One cannot know: it is looked at again. */
	int r = connect(fd, &addr->u.sa, addr->len) < 0 ? -errno : 0;
	(void)close(fd);
	/* It is connected to another socket: to ours. */
	return r == -EPERM ? 0 : r;
}

static bool socket_is_there(const struct datagram_addr *addr)
{
	int r = socket_try(addr);
	return r != -ECONNREFUSED && r != -ENOENT;
}

void senders_quiet(struct packets *p, uint64_t silence_ns, uint64_t now)
{
	char text[32];
	struct fmt f;
	(void)now;

	if (!p->is_inet && !socket_is_there(&p->to))
		link_end(&p->link, "the peer's socket is gone");
	if (!p->is_inet)
		return;
	fmt_init(&f, text, sizeof(text));
	fmt_duration(&f, silence_ns);
	link_end(&p->link, "nothing was heard for %s", fmt_text(&f));
}

/* ---- peers ------------------------------------------------------------------------------- */

/* On failure nothing is left but the trouble that was told. */
static struct packets *peer_plug_in(struct senders *s, const struct datagram *datagram,
				    uint64_t now)
{
	char text[DATAGRAM_ADDR_TEXT];
	const struct key key = key_of(s, datagram->from);
	const struct packets_opts opts = {
		.name = s->plug.kind,
		.ops = s->ops->packets,
		.fd = -1,
		.send_fd = s->reader.fd,
		.sharers = &s->plug.links_n,
		.to = *datagram->from,
		.frame_len_max = s->ops->frame_len_max,
		.queue_len = s->opts.queue_len,
		.quiet_ns = s->quiet_ns,
	};
	struct packets *p = NULL;

	int r = s->ops->peer_new ? s->ops->peer_new(s, &opts, datagram, &p)
				 : packets_new(&opts, &p);
	if (r < 0)
		return NULL;
	r = table_set(s->peers, &key, p);
	if (r < 0) {
		weft_link_free(&p->link);
		return NULL;
	}
	r = plug_add(&s->plug, &p->link, datagram_addr_print(datagram->from, text), now);
	if (r < 0) {
		(void)table_remove(s->peers, &key);
		return NULL;
	}
	return p;
}

/* Tells why not, if it cannot. */
static bool can_be_answered(struct senders *s, const struct datagram_addr *from,
			    uint64_t now)
{
	char text[DATAGRAM_ADDR_TEXT];

	if (from->len > 0 && from->u.sa.sa_family != AF_UNIX)
		return true;
	if (from->len <= offsetof(struct sockaddr_un, sun_path)) {
		plug_trouble(
			&s->plug, now,
			"a datagram came from a socket without a name, which cannot be "
			"answered: the peer has to bind a path of its own");
		return false;
	}
	int r = socket_try(from);
	if (r == -EACCES)
		plug_trouble(
			&s->plug, now,
			"%s may not be written to: run weft as its owner, or let the "
			"peer give its socket other permissions",
			datagram_addr_print(from, text));
	return r == 0;
}

/* A datagram from an address without a link. Returns the link that it gets, or NULL. */
static struct packets *peer_greet(struct senders *s, const struct datagram *datagram,
				  uint64_t now)
{
	char text[DATAGRAM_ADDR_TEXT];

	if (s->ops->greet(s, datagram, now) <= 0)
		return NULL;
	if (s->plug.is_closed || !can_be_answered(s, datagram->from, now))
		return NULL;
	if (!plug_is_full(&s->plug))
		return peer_plug_in(s, datagram, now);
	if (!s->plug.is_solo)
		plug_trouble(&s->plug, now, "%s was refused: there are %u peers already",
			     datagram_addr_print(datagram->from, text), s->plug.links_n);
	return NULL;
}

/* How many of the n datagrams come from where the first does. */
static size_t run_of(const struct datagram *datagrams, size_t n)
{
	size_t i = 1;

	while (i < n && datagram_addr_equal(datagrams[i].from, datagrams[0].from))
		i++;
	return i;
}

static void senders_read(struct weft_task *task, uint64_t now)
{
	struct senders *s = container_of(task, struct senders, reader);
	struct datagram datagrams[LINK_BATCH];

	int got = datagram_recv(s->batch, s->reader.fd, datagrams);
	for (size_t i = 0; got > 0 && i < (size_t)got;) {
		struct packets *p = link_of(s, datagrams[i].from);
		/* A stranger is asked anew with each datagram. */
		size_t n = p ? run_of(datagrams + i, (size_t)got - i) : 1;
		if (!p)
			p = peer_greet(s, &datagrams[i], now);
		if (p && !p->link.is_down)
			packets_input(p, datagrams + i, n, now);
		i += n;
	}
}

/* ---- the plug ---------------------------------------------------------------------------- */

/* The socket is watched from the first run on, when there is somebody to watch it. */
static void senders_run(struct weft_plug *plug, uint64_t now)
{
	struct senders *s = senders(plug);

	if (s->reader.events != 0)
		return;
	s->reader.events = WEFT_READABLE;
	int r = plug->runner.add(plug->runner.user, &s->reader);
	if (r < 0)
		plug_trouble(plug, now, "%s cannot be watched: %s", plug->address,
			     strerror(-r));
}

static uint64_t senders_deadline(const struct weft_plug *plug)
{
	const struct senders *s = container_of_const(plug, struct senders, plug);
	return s->reader.events == 0 ? 0 : WEFT_NEVER;
}

/* The socket belongs to those who are there, too; strangers are not greeted any more. */
static void senders_close(struct weft_plug *plug)
{
	(void)plug;
}

static void senders_left(struct weft_plug *plug, struct weft_link *link, uint64_t now)
{
	struct senders *s = senders(plug);
	const struct key key = key_of(s, &packets_of(link)->to);
	(void)now;

	(void)table_remove(s->peers, &key);
}

static void senders_free(struct weft_plug *plug)
{
	struct senders *s = senders(plug);

	if (s->reader.events != 0)
		plug->runner.remove(plug->runner.user, &s->reader);
	plug_fini(plug);
	local_unlink(&s->bound);
	(void)close(s->reader.fd);
	table_free(s->peers);
	datagram_batch_free(s->batch);
	free(s);
}

static const struct plug_ops senders_plug_ops = {
	.run = senders_run,
	.deadline = senders_deadline,
	.close = senders_close,
	.left = senders_left,
	.free = senders_free,
};

/* What is made before the socket is opened. Returns 0 or -Exxx. */
static int senders_init(struct senders *s)
{
	uint8_t secret[HASH_SECRET_LEN];

	s->key_len = s->opts.address.kind == LOCAL_INET ? KEY_INET_LEN : KEY_UNIX_LEN;
	if (getentropy(secret, sizeof(secret)) < 0)
		return -errno;
	int r = table_new(s->key_len, SIZE_MAX, secret, &s->peers);
	if (r < 0)
		return r;
	return datagram_batch_new(&s->batch);
}

int senders_open(struct senders *s, const struct senders_ops *ops,
		 const struct spec *spec, struct weft_error *err,
		 struct weft_plug **ret_plug)
{
	char text[LOCAL_TEXT];

	int r = local_opts_of(spec, err, &s->opts);
	if (r < 0)
		goto free_all;
	r = senders_init(s);
	if (r < 0)
		goto free_all;
	int fd = local_listen(&s->opts, SOCK_DGRAM, err, &s->bound);
	if (fd < 0) {
		r = fd;
		goto free_all;
	}
	datagram_set_buffers(fd, PACKETS_BUFFER_LEN);
	s->ops = ops;
	s->reader = (struct weft_task){ .fd = fd, .run = senders_read };
	plug_init(&s->plug, &senders_plug_ops, spec->driver->kind,
		  local_print(&s->bound, text), -1);
	s->plug.frame_len_max =
		ops->frame_len_max ? ops->frame_len_max : WEFT_FRAME_LEN_MAX;
	*ret_plug = &s->plug;
	return 0;
free_all:
	table_free(s->peers);
	datagram_batch_free(s->batch);
	free(s);
	return r;
}
