/* SPDX-License-Identifier: MIT */
/*
 * The program: the way to the verb that is named.
 */
#include "cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* What every program is expected to understand. */
static const char *verb_of_option(const char *text)
{
	if (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0)
		return "help";
	if (strcmp(text, "--version") == 0 || strcmp(text, "-V") == 0)
		return "version";
	return text;
}

/* It is installed under a second name. */
static bool is_tapserver(const char *path)
{
	const char *slash = strrchr(path, '/');
	return strcmp(slash ? slash + 1 : path, "tapserver") == 0;
}

/*
 * Where who starts it has closed one of 0 to 2, the first socket or file would get that number:
 * what is printed would go there, and libuv refuses to close it. What is put in its place cannot
 * be used either, so that who needs it fails as ever. The lowest free number is what open gives.
 */
static void fill_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
	fill_standard_descriptors();
	if (argc > 0 && is_tapserver(argv[0]))
		return cmd_tapserver(argc, argv);
	if (argc < 2) {
		help_all(stderr);
		return STATUS_USAGE;
	}
	const char *name = verb_of_option(argv[1]);
	const struct verb *verb = verb_find(verbs, name);
	return verb ? verb->run(argc - 1, argv + 1) : verb_unknown(name);
}
