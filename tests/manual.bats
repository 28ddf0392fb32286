#!/usr/bin/env bats
# manual.bats - the manual against the program: est-codes(7) lists what est-admin knows, word for word.
# Wants EST_BUILD, the directory with est-admin.

setup() {
	bats_load_library bats-support
	bats_load_library bats-assert
	cd "$BATS_TEST_DIRNAME/.." || exit 1
	: "${EST_BUILD:?}"
}

# The page as one line without runs of blanks.
page() { # FILE
	mandoc -T ascii -O width=900 "$1" | sed "s/.\x08//g" | tr -s ' \n' ' '
}

@test "est-codes(7) has every code with its outcome, its rule and its meaning" {
	local text entry n=0
	text=$(page etc/man/est-codes.7)
	while IFS= read -r entry; do
		[[ $text == *" $entry "* ]] || fail "est-codes(7) lacks: $entry"
		n=$((n + 1))
	done < <("$EST_BUILD/est-admin" code list --json | jq -r '"\(.code) \(.outcome)\(if .rule == "" then "" else ", " + .rule end). \(.meaning)"')
	[ "$n" -gt 60 ]
}

@test "est-codes(7) has no code that the program does not know, and none twice" {
	diff <(sed -n 's/^\.It Sy //p' etc/man/est-codes.7) \
		<("$EST_BUILD/est-admin" code list --json | jq -r '.code')
}

@test "est.conf(5) explains every key that est.conf may have, and no other" {
	local keys
	keys=$(sed -n 's/^    {"\([a-z_]*\)", [A-Z]*, AT(config.*/\1/p' common/base/config*.c | sort)
	[ "$(wc -l <<<"$keys")" -gt 30 ]
	diff <(echo "$keys" | sort -u) <(sed -n '/^\.Sh GENERAL/,/^\.Sh EXAMPLES/s/^\.It Cm \([a-z_]*\) Ar .*/\1/p' \
		etc/man/est.conf.5 | sort -u)
}
