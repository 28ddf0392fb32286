#!/usr/bin/env bats
# floors.bats - tests/floors finds what it is there to find.

bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert

# A house of a few files in which nothing is wrong.
setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir -p admin cgi common/base common/store common/ca
	echo '#include <stdio.h>' >common/base/buf.h
	printf '%s\n' '#include "common/base/buf.h"' '#include <string.h>' >common/base/buf.c
	echo '#include <db.h>' >common/store/bdb.h
	printf '%s\n' '#include "common/base/buf.h"' >common/store/store.h
	printf '%s\n' '#include "common/store/bdb.h"' '#include "common/store/store.h"' >common/store/bdb_cert.c
	printf '%s\n' '#include "config.h"' '#include "common/store/store.h"' >cgi/est.c
}

floors() { run "$BATS_TEST_DIRNAME/floors" "$BATS_TEST_TMPDIR"; }

@test "a house in order" {
	floors
	assert_success
	assert_output ''
}

@test "a floor above" {
	echo '#include "common/store/store.h"' >>common/base/buf.c
	floors
	assert_failure 1
	assert_output 'common/base/buf.c:3: common/store does not stand below common/base: common/store/store.h'
}

@test "a neighbour on the same floor" {
	echo '  #  include "common/store/store.h"' >common/ca/ca.c
	floors
	assert_failure 1
	assert_output --partial 'common/ca/ca.c:1:'
}

@test "a library that one file alone may know" {
	echo '#include <db.h>' >>cgi/est.c
	echo '#include <libconfig.h>' >>common/base/buf.c
	floors
	assert_failure 1
	assert_line 'cgi/est.c:3: <db.h> is for common/store/bdb.h alone'
	assert_line 'common/base/buf.c:3: <libconfig.h> is for common/base/config.c alone'
}

@test "a private header of another folder" {
	echo '#include "common/store/bdb.h"' >>cgi/est.c
	floors
	assert_failure 1
	assert_output --partial 'cgi/est.c:3: common/store/bdb.h is for common/store alone'
}

@test "a file whose own header comes late" {
	printf '%s\n' '#include <string.h>' '#include "common/base/buf.h"' >common/base/buf.c
	floors
	assert_failure 1
	assert_output --partial 'common/base/buf.c:1: its own header common/base/buf.h does not come first'
}

@test "a header by less than its path" {
	echo '#include "store.h"' >>common/store/bdb_cert.c
	floors
	assert_failure 1
	assert_output --partial 'common/store/bdb_cert.c:3:'
}

@test "a folder that nobody gave a floor" {
	mkdir common/cellar
	echo '#include <stdio.h>' >common/cellar/rat.c
	floors
	assert_failure 1
	assert_output --partial 'common/cellar'
}

@test "no files at all" {
	rm -r admin cgi common
	mkdir admin cgi common
	floors
	assert_failure 1
}
