/* SPDX-License-Identifier: MIT */
/*
 * The parser cuts a copy of the text up in place, field by field. Removing a backslash
 * shortens a field and never moves the next one, so that offsets into the copy are offsets
 * into what the user wrote.
 */
#include "link/spec.h"

#include "base/fmt.h"
#include "base/parse.h"

#include <weft/nearest.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct field {
	char *key;
	char *value; /* Behind the first "="; NULL without one. */
	size_t len;  /* Of the field in the text, up to where it stopped. */
	char stop;   /* The character there. */
};

static WEFT_PRINTF(4, 5) int fail(const struct spec_source *source, size_t offset,
				  struct weft_error *err, const char *format, ...)
{
	char text[320];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return weft_error_set(err, -EINVAL, "link \"%.64s\", character %zu: %s",
			      source->whole, offset + 1, text);
}

static bool is_named(const struct spec_source *source, const struct spec_driver *driver)
{
	return !source->is_of_plug || driver->plug || driver->is_wrapper;
}

static int fail_kind(const struct spec_source *source, size_t offset, const char *kind,
		     struct weft_error *err)
{
	char kinds[240], hint[64] = "";
	struct fmt f;
	struct weft_nearest nearest = { 0 };

	fmt_init(&f, kinds, sizeof(kinds));
	for (size_t i = 0; source->drivers[i]; i++) {
		const char *known = source->drivers[i]->kind;
		if (!is_named(source, source->drivers[i]))
			continue;
		fmt_add(&f, "%s%s", f.off ? ", " : "", known);
		weft_nearest_offer(&nearest, kind, known);
	}
	if (nearest.word)
		(void)snprintf(hint, sizeof(hint), " (did you mean \"%s\"?)",
			       nearest.word);
	else if (!strchr(source->whole, ':'))
		(void)snprintf(
			hint, sizeof(hint),
			source->is_of_plug
				? " (a plug is KIND:ADDRESS, such as qemu:/tmp/lan)"
				: " (a link is KIND:NAME, such as packet:eth0)");
	return fail(source, offset, err, "unknown kind \"%.32s\"%s; there are: %s", kind,
		    hint, fmt_text(&f));
}

static int fail_option(const struct spec_source *source, size_t offset,
		       const struct spec_driver *driver, const char *word,
		       struct weft_error *err)
{
	char options[160];
	struct fmt f;
	struct weft_nearest nearest = { 0 };

	fmt_init(&f, options, sizeof(options));
	for (const struct spec_option *o = driver->options; o && o->name; o++) {
		fmt_add(&f, "%s%s", o == driver->options ? "" : ", ", o->name);
		weft_nearest_offer(&nearest, word, o->name);
	}
	return fail(source, offset, err, "%s has no option \"%.32s\"%s%s%s; it has: %s",
		    driver->kind, word, nearest.word ? " (did you mean \"" : "",
		    nearest.word ? nearest.word : "", nearest.word ? "\"?)" : "",
		    f.off ? fmt_text(&f) : "none");
}

static const char *type_example(enum spec_type type)
{
	switch (type) {
	case SPEC_FLAG:
		return "on or off";
	case SPEC_NUMBER:
		return "a number such as 1000";
	case SPEC_SIZE:
		return "a size in bytes such as 1500, 64k or 4m";
	case SPEC_DURATION:
		return "a time such as 20ms, 150us or 1.5s";
	case SPEC_PERCENT:
		return "a part such as 1% or 0.1%";
	case SPEC_RATE:
		return "a rate such as 200mbit or 1.5gbit";
	case SPEC_MAC:
		return "an address such as 02:00:00:00:00:01";
	case SPEC_LIMIT:
		return "frames such as 1000, or bytes such as 64k";
	case SPEC_TEXT:
	case SPEC_CHOICE:
		break;
	}
	return "a value";
}

static int choice_parse(const char *words, const char *text, size_t *ret_choice)
{
	size_t text_len = strlen(text);
	for (size_t i = 0;; i++) {
		size_t len = strcspn(words, "|");
		if (len == text_len && memcmp(words, text, len) == 0) {
			*ret_choice = i;
			return 0;
		}
		if (words[len] == '\0')
			return -EINVAL;
		words += len + 1;
	}
}

static int flag_parse(const char *text, bool *ret_flag)
{
	size_t choice = 0;
	if (text && choice_parse("on|off", text, &choice) < 0)
		return -EINVAL;
	*ret_flag = choice == 0;
	return 0;
}

static int limit_parse(const char *text, struct spec_limit *ret_limit)
{
	*ret_limit = (struct spec_limit){ 0 };
	if (text[strspn(text, "0123456789")] == '\0')
		return parse_u64(text, 1, UINT32_MAX, &ret_limit->frames);
	return parse_size(text, &ret_limit->bytes);
}

static int value_parse(const struct spec_option *option, const char *text,
		       union spec_value *ret_value)
{
	if (option->type == SPEC_FLAG)
		return flag_parse(text, &ret_value->flag);
	if (!text || text[0] == '\0')
		return -EINVAL;
	switch (option->type) {
	case SPEC_CHOICE:
		return choice_parse(option->syntax, text, &ret_value->choice);
	case SPEC_NUMBER:
		return parse_u64(text, 0, UINT64_MAX, &ret_value->number);
	case SPEC_SIZE:
		return parse_size(text, &ret_value->number);
	case SPEC_DURATION:
		return parse_duration_ns(text, &ret_value->number);
	case SPEC_PERCENT:
		return parse_percent(text, &ret_value->fraction);
	case SPEC_RATE:
		return parse_rate_bps(text, &ret_value->number);
	case SPEC_MAC:
		return weft_mac_parse(text, &ret_value->mac);
	case SPEC_LIMIT:
		return limit_parse(text, &ret_value->limit);
	case SPEC_TEXT:
	case SPEC_FLAG:
		break;
	}
	ret_value->text = text;
	return 0;
}

/* Un-escapes one field in place, ends it with a NUL and splits it at its first "=". */
static struct field field_take(char *text, const char *stops)
{
	struct field field = { .key = text };
	const char *in = text;
	char *out = text;

	while (*in != '\0' && !strchr(stops, *in)) {
		if (*in == '=' && !field.value) {
			*out++ = '\0';
			field.value = out;
			in++;
			continue;
		}
		if (*in == '\\' && in[1] != '\0')
			in++;
		*out++ = *in++;
	}
	field.len = (size_t)(in - text);
	field.stop = *in;
	*out = '\0';
	return field;
}

static int option_parse(const struct spec_source *source, const struct field *field,
			struct weft_error *err, struct spec *spec)
{
	const struct spec_driver *driver = spec->driver;
	size_t offset = (size_t)(field->key - source->text);
	size_t i = 0;

	while (driver->options && driver->options[i].name &&
	       strcmp(driver->options[i].name, field->key) != 0)
		i++;
	if (!driver->options || !driver->options[i].name)
		return fail_option(source, offset, driver, field->key, err);
	const struct spec_option *option = &driver->options[i];
	if (spec->given[i])
		return fail(source, offset, err, "%s= is given twice", option->name);
	if (value_parse(option, field->value, &spec->values[i]) < 0)
		return fail(source, offset, err, "%s=%.40s: give %s", option->name,
			    field->value ? field->value : "",
			    option->type == SPEC_CHOICE ? option->syntax
							: type_example(option->type));
	spec->given[i] = true;
	return 0;
}

/* Parses the name and the options from offset on. */
static int fields_parse(const struct spec_source *source, size_t offset,
			struct weft_error *err, struct spec *spec)
{
	const char *stops = spec->driver->is_wrapper ? ",:" : ",";

	for (bool is_first = true;; is_first = false) {
		struct field field = field_take(source->text + offset, stops);
		if (is_first && !field.value) {
			spec->name = field.key;
		} else {
			int r = option_parse(source, &field, err, spec);
			if (r < 0)
				return r;
		}
		offset += field.len + 1;
		if (field.stop == ':')
			spec->inner = source->text + offset;
		if (field.stop != ',')
			return 0;
	}
}

/* Defaults come from the table, through the same parser. A table that is wrong is a bug. */
static void defaults_fill(struct spec *spec)
{
	const struct spec_option *options = spec->driver->options;
	for (size_t i = 0; options && options[i].name; i++) {
		if (spec->given[i] || !options[i].standard)
			continue;
		spec->given[i] = value_parse(&options[i], options[i].standard,
					     &spec->values[i]) == 0;
	}
}

static int spec_check(const struct spec_source *source, size_t offset,
		      const struct spec *spec, struct weft_error *err)
{
	const struct spec_driver *driver = spec->driver;
	if (spec->name[0] != '\0' && !driver->name_syntax)
		return fail_option(source, (size_t)(spec->name - source->text), driver,
				   spec->name, err);
	if (spec->name[0] == '\0' && driver->needs_name)
		return fail(source, offset, err, "%s needs a name, as in %s",
			    driver->kind, driver->example);
	if (driver->is_wrapper && !spec->inner)
		return fail(source, offset, err,
			    "%s goes around another link, which follows behind a ':', as "
			    "in %s",
			    driver->kind, driver->example);
	return 0;
}

static const struct spec_driver *driver_find(const struct spec_source *source,
					     const char *kind)
{
	for (size_t i = 0; source->drivers[i]; i++) {
		if (strcmp(source->drivers[i]->kind, kind) == 0)
			return source->drivers[i];
	}
	return NULL;
}

int spec_parse(const struct spec_source *source, size_t offset, struct weft_error *err,
	       struct spec *ret_spec)
{
	char *kind = source->text + offset;
	size_t kind_len = strcspn(kind, ":,");
	char stop = kind[kind_len];

	kind[kind_len] = '\0';
	struct spec spec = { .driver = driver_find(source, kind), .name = "" };
	if (!spec.driver)
		return fail_kind(source, offset, kind, err);
	/* "kind,option" has no field for the name: the text before the comma is an empty one. */
	size_t fields = offset + kind_len + (stop == ':');
	if (stop == ',')
		source->text[fields] = ',';
	if (stop != '\0') {
		int r = fields_parse(source, fields, err, &spec);
		if (r < 0)
			return r;
	}
	int r = spec_check(source, offset, &spec, err);
	if (r < 0)
		return r;
	defaults_fill(&spec);
	*ret_spec = spec;
	return 0;
}
