/* SPDX-License-Identifier: MIT */
/*
 * What a client of the SOCKS proxy says. A message that is taken is not longer than what there
 * is, is the same if more follows, and is not whole one byte earlier.
 */
#include "wire/socks.h"

#include "check.h"

#include <string.h>

static void check_request(const uint8_t *data, size_t len)
{
	struct socks_request request, again;
	int n = socks_request_parse(data, len, &request);
	if (n <= 0)
		return;
	CHECK((size_t)n <= len && n <= (int)SOCKS_MESSAGE_MAX);
	CHECK(socks_request_parse(data, (size_t)n - 1, &again) == 0);
	CHECK(socks_request_parse(data, (size_t)n, &again) == n);
	CHECK(strlen(request.address.name) < sizeof(request.address.name));
	CHECK(request.address.ip.family || request.address.name[0]);
}

static void check_datagram(const uint8_t *data, size_t len)
{
	struct socks_address address;
	int n = socks_datagram_parse(data, len, &address);
	if (n > 0)
		CHECK((size_t)n <= len &&
		      socks_datagram_parse(data, (size_t)n, &address) == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct socks_password password;
	bool has_none, has_password;
	int n = socks_greeting_parse(data, size, &has_none, &has_password);
	CHECK(n <= (int)size);
	n = socks_password_parse(data, size, &password);
	CHECK(n <= (int)size && n <= (int)SOCKS_MESSAGE_MAX);
	check_request(data, size);
	check_datagram(data, size);
	return 0;
}
