/* SPDX-License-Identifier: MIT */
/*
 * Both sides read what anybody may have written: lengths and numbers are bounded, and a text
 * that is wrong anywhere counts for nothing.
 */
#include "tunnel/hello.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1u

/* RFC 791's least, and what a device takes at most. */
#define MTU_MIN 68u
#define MTU_MAX 65535u

/* What a text of HELLO_CONF_TEXT can hold, before base64 makes 4 of each 3 bytes. */
#define JSON_MAX ((size_t)(HELLO_CONF_TEXT - 1) / 4 * 3)

/* Longest x-weft-conf that is read: a server of a later version may say more. */
#define CONF_READ_MAX 16384u

static const char *const mode_names[] = { "ip", "ethernet" };

/* ---- what a client says ------------------------------------------------------------------ */

void hello_print(const struct hello *hello, char ret_text[HELLO_TEXT])
{
	(void)snprintf(ret_text, HELLO_TEXT,
		       "v=%u; mode=%s; lane=%u/%u; session=%016" PRIx64, VERSION,
		       mode_names[hello->mode], hello->lane, hello->lanes,
		       hello->session);
}

static int parse_mode(const char *value, size_t len, enum weft_tunnel_mode *ret_mode)
{
	for (size_t i = 0; i < sizeof(mode_names) / sizeof(mode_names[0]); i++) {
		if (len != strlen(mode_names[i]) ||
		    memcmp(value, mode_names[i], len) != 0)
			continue;
		*ret_mode = (enum weft_tunnel_mode)i;
		return 0;
	}
	return -EBADMSG;
}

/* One digit, a stroke, one digit: there are eight lanes at most. */
static int parse_lane(const char *value, size_t len, struct hello *hello)
{
	if (len != 3 || value[1] != '/' || value[0] < '0' || value[2] < '1')
		return -EBADMSG;
	hello->lane = (unsigned)(value[0] - '0');
	hello->lanes = (unsigned)(value[2] - '0');
	return hello->lanes <= WEFT_TUNNEL_STREAMS_MAX && hello->lane < hello->lanes
		       ? 0
		       : -EBADMSG;
}

static int parse_session(const char *value, size_t len, uint64_t *ret_session)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t session = 0;
	if (len != 16)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++) {
		const char *digit = value[i] ? strchr(digits, value[i]) : NULL;
		if (!digit)
			return -EBADMSG;
		session = session << 4 | (uint64_t)(digit - digits);
	}
	*ret_session = session;
	return 0;
}

/* "key=value", without the spaces around it. */
static int parse_item(const char *item, size_t len, struct hello *hello)
{
	const char *equals = memchr(item, '=', len);
	if (!equals)
		return len == 0 ? 0 : -EBADMSG;
	const char *value = equals + 1;
	size_t key_len = (size_t)(equals - item), value_len = len - key_len - 1;
	if (key_len == 4 && memcmp(item, "mode", 4) == 0)
		return parse_mode(value, value_len, &hello->mode);
	if (key_len == 4 && memcmp(item, "lane", 4) == 0)
		return parse_lane(value, value_len, hello);
	if (key_len == 7 && memcmp(item, "session", 7) == 0)
		return parse_session(value, value_len, &hello->session);
	return 0;
}

int hello_parse(const char *text, struct hello *ret_hello)
{
	struct hello hello = { .lanes = 1 };
	for (;;) {
		text += strspn(text, " ");
		size_t len = strcspn(text, ";"), trimmed = len;
		while (trimmed > 0 && text[trimmed - 1] == ' ')
			trimmed--;
		if (parse_item(text, trimmed, &hello) < 0)
			return -EBADMSG;
		if (text[len] == '\0')
			break;
		text += len + 1;
	}
	*ret_hello = hello;
	return 0;
}

/* ---- what a server says, as JSON --------------------------------------------------------- */

static json_t *ips_json(const struct weft_ip *ips, size_t n)
{
	char text[WEFT_IP_TEXT];
	json_t *array = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(array,
					    json_string(weft_ip_print(&ips[i], text)));
	return array;
}

/* type NULL: none. */
static char *conf_json(const struct hello_conf *conf, const char *type)
{
	json_t *object = json_pack("{s:s*, s:i, s:s, s:i, s:i, s:o, s:o}", "type", type,
				   "v", VERSION, "mode", mode_names[conf->mode], "mtu",
				   (int)conf->mtu, "lanes", (int)conf->lanes, "ips",
				   ips_json(conf->ips, conf->ips_n), "routes",
				   ips_json(conf->routes, conf->routes_n));
	if (conf->has_more)
		(void)json_object_set_new(object, "more", json_true());
	char *text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	return text;
}

static int parse_ips(const json_t *array, struct weft_ip *ips, size_t max, size_t *ret_n)
{
	size_t i;
	const json_t *value;
	if (array && (!json_is_array(array) || json_array_size(array) > max))
		return -EBADMSG;
	json_array_foreach(array, i, value)
	{
		const char *text = json_string_value(value);
		if (!text || weft_ip_parse(text, &ips[i]) < 0)
			return -EBADMSG;
	}
	*ret_n = json_array_size(array);
	return 0;
}

static int parse_number(const json_t *value, unsigned min, unsigned max,
			unsigned *ret_number)
{
	json_int_t n = json_integer_value(value);
	if (!json_is_integer(value) || n < min || n > max)
		return -EBADMSG;
	*ret_number = (unsigned)n;
	return 0;
}

static int read_object(const json_t *object, struct hello_conf *conf)
{
	const char *mode = json_string_value(json_object_get(object, "mode"));
	if (!mode || parse_mode(mode, strlen(mode), &conf->mode) < 0)
		return -EBADMSG;
	if (parse_number(json_object_get(object, "mtu"), MTU_MIN, MTU_MAX, &conf->mtu) <
	    0)
		return -EBADMSG;
	if (parse_number(json_object_get(object, "lanes"), 1, WEFT_TUNNEL_STREAMS_MAX,
			 &conf->lanes) < 0)
		return -EBADMSG;
	if (parse_ips(json_object_get(object, "ips"), conf->ips, HELLO_IPS_MAX,
		      &conf->ips_n) < 0)
		return -EBADMSG;
	conf->has_more = json_is_true(json_object_get(object, "more"));
	return parse_ips(json_object_get(object, "routes"), conf->routes,
			 HELLO_ROUTES_MAX, &conf->routes_n);
}

/* type NULL: that of the header, which has none. */
static int parse_json(const char *text, size_t len, const char *type,
		      struct hello_conf *ret_conf)
{
	struct hello_conf *conf = malloc(sizeof(*conf));
	if (!conf)
		return -ENOMEM;
	json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *found = json_string_value(json_object_get(object, "type"));
	int r = -EBADMSG;
	if (json_is_object(object) && (!type || (found && strcmp(found, type) == 0)))
		r = read_object(object, conf);
	if (r == 0)
		*ret_conf = *conf;
	json_decref(object);
	free(conf);
	return r;
}

/* ---- as a header ------------------------------------------------------------------------- */

/* Routes go first, because addresses are what a client cannot do without. */
static void leave_out(struct hello_conf *conf)
{
	if (conf->routes_n > 0)
		conf->routes_n /= 2;
	else
		conf->ips_n /= 2;
	conf->has_more = true;
}

int hello_conf_print(const struct hello_conf *conf, char ret_text[HELLO_CONF_TEXT])
{
	struct hello_conf *shown = malloc(sizeof(*shown));
	if (!shown)
		return -ENOMEM;
	*shown = *conf;
	char *json = conf_json(shown, NULL);
	while (json && strlen(json) > JSON_MAX) {
		free(json);
		leave_out(shown);
		json = conf_json(shown, NULL);
	}
	const bool has_more = shown->has_more;
	free(shown);
	if (!json)
		return -ENOMEM;
	(void)sodium_bin2base64(ret_text, HELLO_CONF_TEXT, (const uint8_t *)json,
				strlen(json), sodium_base64_VARIANT_ORIGINAL);
	free(json);
	return has_more;
}

int hello_conf_parse(const char *text, struct hello_conf *ret_conf)
{
	size_t text_len = strlen(text), len;
	if (text_len > CONF_READ_MAX)
		return -EBADMSG;
	uint8_t *bytes = malloc(text_len + 1);
	if (!bytes)
		return -ENOMEM;
	int r = -EBADMSG;
	if (sodium_base642bin(bytes, text_len, text, text_len, NULL, &len, NULL,
			      sodium_base64_VARIANT_ORIGINAL) == 0)
		r = parse_json((const char *)bytes, len, NULL, ret_conf);
	free(bytes);
	return r;
}

/* ---- as a record ------------------------------------------------------------------------- */

char *hello_conf_record(const struct hello_conf *conf)
{
	return conf_json(conf, "conf");
}

int hello_conf_parse_record(const char *text, size_t len, struct hello_conf *ret_conf)
{
	return parse_json(text, len, "conf", ret_conf);
}
