/* SPDX-License-Identifier: MIT */
/*
 * Link specs: one line of text that names a link.
 *
 *     link     = kind [ ":" fields ]                 tap:weft0,mac=02:00:00:00:00:01
 *     wrapper  = kind ":" fields ":" ( link / wrapper )      impair:loss=1%:tap:weft0
 *     fields   = [ name ] *( "," option [ "=" value ] )
 *
 * The first field is the name unless it holds a "=". In the fields of a wrapper ":" ends
 * them; a backslash takes the "," ":" "=" or backslash behind it as an ordinary character.
 *
 * Each kind has a row in a table (drivers.c) with its options; the parser, the error texts,
 * the defaults and `weft help links` all come from that row.
 */
#ifndef LINK_SPEC_H
#define LINK_SPEC_H

#include <weft/addr.h>
#include <weft/error.h>
#include <weft/link.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most options that one kind has. */
#define SPEC_OPTIONS_MAX 9u

/** Longest spec in bytes, and most wrappers in one. */
#define SPEC_LEN_MAX   4096u
#define SPEC_DEPTH_MAX 8u

enum spec_type {
	SPEC_FLAG,   /**< Alone, or =on / =off. */
	SPEC_TEXT,   /**< Anything. */
	SPEC_CHOICE, /**< One of the words in syntax, divided by '|'; value: its index. */
	SPEC_NUMBER, /**< Decimal. */
	SPEC_SIZE,   /**< "64k". */
	SPEC_DURATION, /**< "20ms". */
	SPEC_PERCENT,  /**< "1%". */
	SPEC_RATE,     /**< "200mbit". */
	SPEC_MAC,      /**< "02:00:00:00:00:01". */
	SPEC_LIMIT,    /**< "1000": frames; "64k": bytes. */
};

/** A bound on a queue in one of two units; 0 means no bound in that unit. */
struct spec_limit {
	uint64_t frames;
	uint64_t bytes;
};

/** A value in the form that its option's type asks for. */
union spec_value {
	bool flag;
	const char *text;
	size_t choice;
	uint64_t number; /**< Also size (bytes), duration (ns), rate (bit/s). */
	double fraction;
	struct weft_mac mac;
	struct spec_limit limit;
};

struct spec_option {
	const char *name;
	enum spec_type type;
	const char *syntax;   /**< What to write behind "=", such as "TIME". */
	const char *standard; /**< The value when it is not given; NULL: it has none. */
	const char *help;
};

struct spec;
struct weft_plug;

struct spec_driver {
	const char *kind;
	const char *name_syntax; /**< Such as "NAME"; NULL: the kind takes no name. */
	bool needs_name;
	bool is_wrapper;
	const char *summary;
	const char *example;
	const struct spec_option *options; /**< Ends with an empty name. NULL for none. */
	/**
	 * Opens a plug of this kind (link/plug.h), whose runner, events and wrappers its
	 * caller sets; NULL: the kind is no plug. A kind has open or plug or both; where it
	 * has only plug, weft_link_open makes a link of it that has one peer at a time.
	 */
	int (*plug)(const struct spec *spec, struct weft_error *err,
		    struct weft_plug **ret_plug);
	/** Opens the link. A wrapper takes over inner when it succeeds. */
	int (*open)(const struct spec *spec, struct weft_link *inner,
		    struct weft_error *err, struct weft_link **ret_link);
};

/** A parsed spec, without what a wrapper wraps. */
struct spec {
	const struct spec_driver *driver;
	const char *name; /**< Empty when not given. */
	/** In the order of the driver's options. */
	union spec_value values[SPEC_OPTIONS_MAX];
	bool given[SPEC_OPTIONS_MAX]; /**< Named in the text, or has a default. */
	const char *inner; /**< Rest of the text of a wrapper: the inner link's spec. */
};

/** Where the parser is: positions in errors count from the start of the whole text. */
struct spec_source {
	const struct spec_driver *const *drivers; /**< Ends with NULL. */
	const char *whole;                        /**< The text as the user wrote it. */
	char *text; /**< A copy of whole, which parsing cuts up; the spec points into it. */
	bool is_of_plug; /**< Errors name plugs and wrappers alone. */
};

/**
 * Parses one link or wrapper that starts at text + offset.
 * Returns 0, or -EINVAL with err naming the position, what is wrong and what there is.
 */
int spec_parse(const struct spec_source *source, size_t offset, struct weft_error *err,
	       struct spec *ret_spec) WEFT_MUST_CHECK;

#endif
