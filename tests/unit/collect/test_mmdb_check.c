// SPDX-License-Identifier: GPL-2.0-or-later
/* Values of a MaxMind database that would lead libmaxminddb astray, byte by byte, beside ones that do not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/collect/mmdb_check.h"
#include "user/lib/strbuf.h"

/* A literal with its NULs; the last one is the compiler's. */
#define CHECK_VALUE(bytes)    check_value(bytes, sizeof(bytes) - 1, 0, 1000)
#define CHECK_METADATA(bytes) check_metadata(bytes, sizeof(bytes) - 1)

static int check_value(const char *bytes, size_t size, size_t offset, uint64_t budget)
{
	struct rf_mmdb_section s = { (const uint8_t *)bytes, size };

	return rf_mmdb_check_value(&s, offset, &budget);
}

static int check_metadata(const char *bytes, size_t size)
{
	struct rf_mmdb_section s = { (const uint8_t *)bytes, size };
	uint64_t tree_size;

	return rf_mmdb_check_metadata(&s, &tree_size);
}

static void values_of_every_type_pass(void **state)
{
	(void)state;
	assert_int_equal(CHECK_VALUE("\x42hi"), 0);
	assert_int_equal(CHECK_VALUE("\x40"), 0);
	assert_int_equal(CHECK_VALUE("\x68"
				     "12345678"),
			 0); /* double */
	assert_int_equal(CHECK_VALUE("\x82"
				     "ab"),
			 0);					      /* bytes */
	assert_int_equal(CHECK_VALUE("\xa2\x01\x02"), 0);	      /* uint16 */
	assert_int_equal(CHECK_VALUE("\xc0"), 0);		      /* uint32 */
	assert_int_equal(CHECK_VALUE("\x04\x01\x01\x02\x03\x04"), 0); /* int32 */
	assert_int_equal(CHECK_VALUE("\x01\x02\x09"), 0);	      /* uint64 */
	assert_int_equal(CHECK_VALUE("\x01\x03\x09"), 0);	      /* uint128 */
	assert_int_equal(CHECK_VALUE("\x01\x07"), 0);		      /* boolean */
	assert_int_equal(CHECK_VALUE("\x04\x08"
				     "1234"),
			 0); /* float */
	assert_int_equal(CHECK_VALUE("\xe1\x41"
				     "a\x02\x04\x41"
				     "b\x41"
				     "c"),
			 0);
}

static void a_value_past_the_end_is_refused(void **state)
{
	(void)state;
	assert_int_equal(CHECK_VALUE(""), -EBADMSG);
	assert_int_equal(CHECK_VALUE("\x42h"), -EBADMSG);
	assert_int_equal(CHECK_VALUE("\x5d"), -EBADMSG);
	assert_int_equal(CHECK_VALUE("\x5d\x00"), -EBADMSG);
	assert_int_equal(CHECK_VALUE("\x5e\x00"), -EBADMSG);
	assert_int_equal(CHECK_VALUE("\x5f\xff\xff"), -EBADMSG);
	assert_int_equal(CHECK_VALUE("\x5f\xff\xff\xff"), -EBADMSG);
	assert_int_equal(CHECK_VALUE("\x00"), -EBADMSG);
	assert_int_equal(CHECK_VALUE("\xe1"), -EBADMSG);
	assert_int_equal(CHECK_VALUE("\xe1\x41"
				     "a"),
			 -EBADMSG);
	assert_int_equal(CHECK_VALUE("\x28\x00"), -EBADMSG);
	assert_int_equal(CHECK_VALUE("\x38\x00\x00\x00"), -EBADMSG);
	assert_int_equal(check_value("\x40", 1, 1, 1000), -EBADMSG);
	assert_int_equal(check_value("\x40", 1, SIZE_MAX, 1000), -EBADMSG);
}

static void long_forms_of_a_size_are_read(void **state)
{
	static const struct {
		const char *head;
		size_t head_size, size;
	} forms[] = {
		{ "\x5c", 1, 28 }, { "\x5d\x33", 2, 80 }, { "\x5e\x33\x33", 3, 13392 }, { "\x5f\x00\x00\x01", 4, 65822 }
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t size = forms[i].head_size + forms[i].size;
		_cleanup_free_ char *bytes = calloc(1, size);

		assert_non_null(bytes);
		memcpy(bytes, forms[i].head, forms[i].head_size);
		assert_int_equal(check_value(bytes, size, 0, 1), 0);
		assert_int_equal(check_value(bytes, size - 1, 0, 1), -EBADMSG);
	}
}

static void types_that_are_no_values_are_refused(void **state)
{
	(void)state;
	assert_int_equal(CHECK_VALUE("\x00\x00"), -EBADMSG); /* a map in the wrong form */
	assert_int_equal(CHECK_VALUE("\x00\x05"), -EBADMSG); /* the cache container */
	assert_int_equal(CHECK_VALUE("\x00\x06"), -EBADMSG); /* the end marker */
	assert_int_equal(CHECK_VALUE("\x00\x09"), -EBADMSG);
	assert_int_equal(CHECK_VALUE("\x00\xff"), -EBADMSG);
}

static void one_pointer_is_followed_and_no_second(void **state)
{
	static const char far[] = "\x38\x00\x00\x00\x05\x42"
				  "ab";

	(void)state;
	assert_int_equal(CHECK_VALUE("\x20\x02\x41"
				     "a"),
			 0);
	assert_int_equal(CHECK_VALUE("\x20\x02\x20\x00"), -EBADMSG);
	assert_int_equal(CHECK_VALUE("\x20\x00"), -EBADMSG);
	assert_int_equal(CHECK_VALUE("\x20\x02"), -EBADMSG);
	assert_int_equal(CHECK_VALUE("\x3f\xff\xff\xff\xff"), -EBADMSG);
	assert_int_equal(check_value(far, sizeof(far) - 1, 0, 1), 0);
	/* Inside of a value it is not followed, as the library does not while it skips. */
	assert_int_equal(CHECK_VALUE("\x01\x04\x27\xff"), 0);
}

static void depth_ends_at_the_limit(void **state)
{
	char bytes[2 * (RF_MMDB_DEPTH_MAX + 2)];

	(void)state;
	for (size_t levels = RF_MMDB_DEPTH_MAX; levels <= RF_MMDB_DEPTH_MAX + 1; levels++) {
		for (size_t i = 0; i < levels; i++)
			memcpy(bytes + 2 * i, "\x01\x04", 2);
		bytes[2 * levels] = '\x40';
		assert_int_equal(check_value(bytes, 2 * levels + 1, 0, 1000),
				 levels == RF_MMDB_DEPTH_MAX ? 0 : -EBADMSG);
	}
}

static void a_walk_ends_with_its_budget(void **state)
{
	static const char three[] = "\x02\x04\x40\x40";

	(void)state;
	assert_int_equal(check_value(three, sizeof(three) - 1, 0, 3), 0);
	assert_int_equal(check_value(three, sizeof(three) - 1, 0, 2), -EBADMSG);
}

static void metadata_that_expand_without_end_are_refused(void **state)
{
	struct rf_strbuf bytes = RF_STRBUF_INIT;
	uint8_t pointer[2];

	(void)state;
	/* Eight levels of an array of 16 pointers to the next: 4 billion values. */
	rf_strbuf_add(&bytes, "\xe1\x49languages", 11);
	for (unsigned int level = 0; level < 8; level++) {
		rf_strbuf_add(&bytes, "\x10\x04", 2);
		pointer[0] = 0x20;
		pointer[1] = 11 + 34 * (level + 1);
		pointer[0] |= (11 + 34 * (level + 1)) >> 8;
		for (unsigned int i = 0; i < 16; i++)
			rf_strbuf_add(&bytes, pointer, sizeof(pointer));
	}
	rf_strbuf_add(&bytes, "\x40", 1);
	assert_int_equal(check_metadata(bytes.data, bytes.len), -EBADMSG);
	rf_strbuf_fini(&bytes);
	assert_int_equal(CHECK_METADATA("\xe1\x49languages\x01\x04\x20\x0b"), -EBADMSG);
}

static void what_the_library_copies_of_metadata_are_strings(void **state)
{
	(void)state;
	assert_int_equal(CHECK_METADATA("\xe1\x49languages\x01\x04\x42"
					"en"),
			 0);
	assert_int_equal(CHECK_METADATA("\xe2\x41"
					"a\x42"
					"en\x49languages\x01\x04\x20\x03"),
			 0);
	assert_int_equal(CHECK_METADATA("\xe1\x49languages\x00\x04"), 0);
	assert_int_equal(CHECK_METADATA("\xe1\x49languages\x01\x04\xc0"), -EBADMSG);
	assert_int_equal(CHECK_METADATA("\xe1\x4b"
					"description\xe1\x42"
					"en\x41"
					"x"),
			 0);
	assert_int_equal(CHECK_METADATA("\xe1\x4b"
					"description\xe1\x42"
					"en\xe0"),
			 -EBADMSG);
	assert_int_equal(CHECK_METADATA("\xe1\x4b"
					"somethingxx\xe1\x42"
					"en\xe0"),
			 0);
	assert_int_equal(CHECK_METADATA("\xe1\xc0\x40"), -EBADMSG);
}

static void metadata_are_one_map(void **state)
{
	(void)state;
	assert_int_equal(CHECK_METADATA(""), -EBADMSG);
	assert_int_equal(CHECK_METADATA("\xe0"), 0);
	assert_int_equal(CHECK_METADATA("\x00\x04"), -EBADMSG);
	assert_int_equal(CHECK_METADATA("\x20\x02\xe0"), -EBADMSG);
}

static void the_size_of_the_tree_does_not_wrap_around(void **state)
{
	static const char small[] = "\xe2\x4anode_count\xc1\x07\x4brecord_size\xa1\x1c";
	static const char large[] = "\xe2\x4anode_count\xc4\xff\xff\xff\xff\x4brecord_size\xa1\x20";
	static const char first[] = "\xe3\x4anode_count\xc1\x07\x4anode_count\xc1\x01\x4brecord_size\xa1\x18";
	struct rf_mmdb_section s;
	uint64_t tree_size = 1;

	(void)state;
	s = (struct rf_mmdb_section){ (const uint8_t *)small, sizeof(small) - 1 };
	assert_int_equal(rf_mmdb_check_metadata(&s, &tree_size), 0);
	assert_int_equal(tree_size, 49);
	s = (struct rf_mmdb_section){ (const uint8_t *)large, sizeof(large) - 1 };
	assert_int_equal(rf_mmdb_check_metadata(&s, &tree_size), 0);
	assert_int_equal(tree_size, 0xffffffffULL * 8);
	s = (struct rf_mmdb_section){ (const uint8_t *)first, sizeof(first) - 1 };
	assert_int_equal(rf_mmdb_check_metadata(&s, &tree_size), 0);
	assert_int_equal(tree_size, 42);
	assert_int_equal(CHECK_METADATA("\xe1\x4anode_count\xc5\x01\x01\x01\x01\x01"), -EBADMSG);
}

static void the_last_marker_counts(void **state)
{
	static const char none[] = "\xab\xcd\xefMaxMind.co";
	static const char two[] = "xx" RF_MMDB_MARKER "yyy" RF_MMDB_MARKER "z";
	size_t offset = 7;

	(void)state;
	assert_int_equal(rf_mmdb_find_metadata((const uint8_t *)none, sizeof(none) - 1, &offset), -EBADMSG);
	assert_int_equal(rf_mmdb_find_metadata((const uint8_t *)none, 0, &offset), -EBADMSG);
	assert_int_equal(offset, 7);
	assert_int_equal(rf_mmdb_find_metadata((const uint8_t *)two, sizeof(two) - 1, &offset), 0);
	assert_int_equal(offset, sizeof(two) - 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_every_type_pass),
		cmocka_unit_test(a_value_past_the_end_is_refused),
		cmocka_unit_test(long_forms_of_a_size_are_read),
		cmocka_unit_test(types_that_are_no_values_are_refused),
		cmocka_unit_test(one_pointer_is_followed_and_no_second),
		cmocka_unit_test(depth_ends_at_the_limit),
		cmocka_unit_test(a_walk_ends_with_its_budget),
		cmocka_unit_test(metadata_that_expand_without_end_are_refused),
		cmocka_unit_test(what_the_library_copies_of_metadata_are_strings),
		cmocka_unit_test(metadata_are_one_map),
		cmocka_unit_test(the_size_of_the_tree_does_not_wrap_around),
		cmocka_unit_test(the_last_marker_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
