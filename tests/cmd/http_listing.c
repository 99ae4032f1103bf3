/* SPDX-License-Identifier: MIT */
/*
 * Pages of a directory's files: what is on them, and that no name is more than a name.
 */
#include "cmd/http_listing.h"

#include "../unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANY (HTTP_LISTING_MAX + 5)

static char top[] = "/tmp/weft-test-listing-XXXXXX";
static int top_fd;

static void make_file(const char *name, const char *text)
{
	int fd = openat(top_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static char *page_of(const char *path)
{
	size_t len = 0;
	char *page = http_listing_make(top_fd, path, &len);
	assert_non_null(page);
	assert_int_equal(strlen(page), len);
	return page;
}

static void directories_come_first(void **state)
{
	(void)state;
	make_file("b.txt", "1234567");
	make_file("a.txt", "");
	assert_int_equal(mkdirat(top_fd, "z", 0700), 0);
	char *page = page_of("/");
	assert_string_equal(page, "<!DOCTYPE html>\n<meta charset=\"utf-8\">\n"
				  "<title>/</title>\n<h1>/</h1>\n<ul>\n"
				  "<li><a href=\"z/\">z/</a></li>\n"
				  "<li><a href=\"a.txt\">a.txt</a>, 0 bytes</li>\n"
				  "<li><a href=\"b.txt\">b.txt</a>, 7 bytes</li>\n"
				  "</ul>\n");
	free(page);
}

static void what_is_not_served_is_not_shown(void **state)
{
	(void)state;
	make_file(".hidden", "");
	assert_int_equal(symlinkat("/etc/passwd", top_fd, "link"), 0);
	assert_int_equal(mkfifoat(top_fd, "fifo", 0600), 0);
	char *page = page_of("/");
	assert_null(strstr(page, "<li>"));
	free(page);
}

static void a_name_is_no_more_than_a_name(void **state)
{
	(void)state;
	make_file("<b>&\"'", "");
	make_file("javascript:x?#%", "");
	char *page = page_of("/<i>/");
	assert_non_null(strstr(page, "<h1>/&#60;i&#62;/</h1>"));
	assert_non_null(strstr(page, "<li><a href=\"../\">../</a></li>\n"));
	assert_non_null(strstr(page, "<li><a href=\"%3Cb%3E%26%22%27\">"
				     "&#60;b&#62;&#38;&#34;&#39;</a>, 0 bytes</li>\n"));
	assert_non_null(strstr(page, "<li><a href=\"javascript%3Ax%3F%23%25\">"
				     "javascript:x?#%</a>, 0 bytes</li>\n"));
	free(page);
}

static void of_many_some_are_shown(void **state)
{
	char name[16];
	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "%u", i);
		make_file(name, "");
	}
	char *page = page_of("/");
	size_t n = 0;
	for (const char *at = page; (at = strstr(at, "<li><a")); at++)
		n++;
	assert_true(n > 0 && n <= HTTP_LISTING_MAX);
	assert_non_null(strstr(page, "<li>and more</li>\n"));
	free(page);
}

static void what_is_no_directory_has_no_page(void **state)
{
	size_t len;
	(void)state;
	make_file("file", "");
	int fd = openat(top_fd, "file", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_null(http_listing_make(fd, "/", &len));
	(void)close(fd);
}

static int begin(void **state)
{
	(void)state;
	(void)strcpy(top + strlen(top) - 6, "XXXXXX");
	if (!mkdtemp(top))
		return -1;
	top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return top_fd < 0 ? -1 : 0;
}

static int end(void **state)
{
	char command[64];
	(void)state;
	(void)close(top_fd);
	(void)snprintf(command, sizeof(command), "rm -r %s", top);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(directories_come_first, begin, end),
		cmocka_unit_test_setup_teardown(what_is_not_served_is_not_shown, begin,
						end),
		cmocka_unit_test_setup_teardown(a_name_is_no_more_than_a_name, begin,
						end),
		cmocka_unit_test_setup_teardown(of_many_some_are_shown, begin, end),
		cmocka_unit_test_setup_teardown(what_is_no_directory_has_no_page, begin,
						end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
