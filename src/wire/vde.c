/* SPDX-License-Identifier: MIT */
/*
 * Requests and answers of a VDE switch. A path is a path only if its NUL lies inside of
 * sun_path: what a peer sends is never taken for text before that is known.
 */
#include "wire/vde.h"

#include <errno.h>
#include <string.h>

/* AF_UNIX, which has this value wherever VDE runs. */
#define FAMILY_UNIX 1u
#define OFF_PATH    2u

static uint32_t load_native32(const uint8_t *p)
{
	uint32_t value;
	memcpy(&value, p, sizeof(value));
	return value;
}

static void store_native32(uint8_t *p, uint32_t value)
{
	memcpy(p, &value, sizeof(value));
}

int vde_address_parse(const uint8_t *data, size_t len, char ret_path[VDE_PATH_LEN])
{
	uint16_t family;

	if (len < VDE_ADDRESS_LEN)
		return -EBADMSG;
	memcpy(&family, data, sizeof(family));
	const uint8_t *path = data + OFF_PATH;
	if (family != FAMILY_UNIX || path[0] == '\0' || !memchr(path, '\0', VDE_PATH_LEN))
		return -EBADMSG;
	memset(ret_path, 0, VDE_PATH_LEN);
	memcpy(ret_path, path, strlen((const char *)path));
	return 0;
}

void vde_address_emit(uint8_t buf[VDE_ADDRESS_LEN], const char *path)
{
	const uint16_t family = FAMILY_UNIX;

	memset(buf, 0, VDE_ADDRESS_LEN);
	memcpy(buf, &family, sizeof(family));
	memcpy(buf + OFF_PATH, path, strnlen(path, VDE_PATH_LEN - 1));
}

/* Text of a peer's choice that people will read. */
static void copy_printable(char *to, const uint8_t *from, size_t len)
{
	size_t n = 0;

	for (; n < len && from[n] != '\0'; n++)
		to[n] = (char)(from[n] >= ' ' && from[n] <= '~' ? from[n] : '?');
	to[n] = '\0';
}

int vde_request_parse(const uint8_t *data, size_t len, struct vde_request *ret_request)
{
	struct vde_request request = { .type = 0 };

	if (len < VDE_REQUEST_LEN || load_native32(data + VDE_OFF_MAGIC) != VDE_MAGIC)
		return -EBADMSG;
	if (load_native32(data + VDE_OFF_VERSION) != VDE_VERSION)
		return -EPROTONOSUPPORT;
	uint32_t type = load_native32(data + VDE_OFF_TYPE);
	request.type = (uint8_t)type;
	request.port = type >> 8;
	if (request.type > VDE_NEW_PORT0 || request.port > VDE_PORT_MAX)
		return -EBADMSG;
	int r = vde_address_parse(data + VDE_OFF_ADDRESS, VDE_ADDRESS_LEN, request.path);
	if (r < 0)
		return r;
	size_t rest = len - VDE_OFF_DESCRIPTION;
	copy_printable(request.description, data + VDE_OFF_DESCRIPTION,
		       rest < VDE_DESCRIPTION_LEN ? rest : VDE_DESCRIPTION_LEN);
	*ret_request = request;
	return 0;
}

size_t vde_request_emit(uint8_t buf[VDE_REQUEST_LEN_MAX],
			const struct vde_request *request)
{
	size_t description_len = strnlen(request->description, VDE_DESCRIPTION_LEN);

	store_native32(buf + VDE_OFF_MAGIC, VDE_MAGIC);
	store_native32(buf + VDE_OFF_VERSION, VDE_VERSION);
	store_native32(buf + VDE_OFF_TYPE, request->port << 8 | request->type);
	vde_address_emit(buf + VDE_OFF_ADDRESS, request->path);
	memcpy(buf + VDE_OFF_DESCRIPTION, request->description, description_len);
	return VDE_REQUEST_LEN + description_len;
}
