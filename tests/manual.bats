#!/usr/bin/env bats
# manual.bats - the manual against the program: est-codes(7) lists what est-admin knows, word for word.
# Wants EST_BUILD, the directory with est-admin.

bats_require_minimum_version 1.5.0

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

# The rows of config_keys.c, as "GROUP KEY TYPE DEFAULT": the groups are general, ca, profile and label.
rows() {
	tr '\n\t' '  ' <common/base/config_keys.c | tr -s ' ' |
		grep -oE '\{"[a-z0-9_]+", [A-Z]+, AT\([a-z_]+, [a-z0-9_]+\), ("[^"]*"|NULL|OPTIONAL)' |
		sed -E 's/\{"([a-z0-9_]+)", ([A-Z]+), AT\(([a-z_]+), [a-z0-9_]+\), (.*)/\3 \1 \2 \4/; s/^config_//; s/^config /general /
			s/ (TEXT|PATHS?|SPAN|SIZE|NUMBER|BOOL|WORDS) / \L\1 /'
}

# The same of est.conf(5), with all that is said of the key for the default.
explained() {
	awk '/^\.Sh / { group = tolower($2); next }
		group !~ /^(general|ca|profile|label)$/ { next }
		/^\.It Cm [a-z0-9_]+ Ar / { printf "\n%s %s %s", group, $3, $5; next }
		{ printf " %s", $0 }
		END { print "" }' etc/man/est.conf.5 | sed '1d; s/\\(dq/"/g; s/\\&//g'
}

# How a default is written in est.conf.
written() { # TYPE DEFAULT
	case $1 in
	bool | number) tr -d '"' <<<"$2" ;;
	words) sed 's/"//g; s/ /", "/g; s/.*/[ "&" ]/' <<<"$2" ;;
	*) echo "$2" ;;
	esac
}

@test "est.conf(5) explains every key that est.conf may have, in its order and with its type, and no other" {
	local keys
	keys=$(rows | cut -d ' ' -f 1-3)
	[ "$(wc -l <<<"$keys")" -gt 70 ]
	diff <(echo "$keys") <(explained | cut -d ' ' -f 1-3)
}

@test "est.conf(5) tells the true default of every key" {
	local group key type def text value n=0
	while read -r group key type def; do
		text=$(explained | grep "^$group $key ") || fail "$group: $key"
		value=$(written "$type" "$def")
		case $type,$def in
		*,NULL) [[ $text == *' There is no default.'* ]] ;;
		*,OPTIONAL) [[ $text == *' By default '* && $text != *' default is '* ]] ;;
		bool,* | number,*) [[ $text == *" The default is .Cm $value ."* ]] ;;
		words,*' '*) [[ $text == *" The default is .Ql $value ."* ]] ;;
		words,*) [[ $text == *" The default is .Ql $def "* || $text == *" The default is .Ql $value ."* ]] ;;
		*) [[ $text == *" default is .Ql $value ."* ]] ;;
		esac || fail "$group: $key: the default is $def, and est.conf(5) says: $text"
		n=$((n + 1))
	done < <(rows)
	[ "$n" -gt 70 ]
}

# est.conf, the sample, as "GROUP KEY COMMENTED VALUE MORE": each key where it stands first in its group.
sampled() {
	awk '/^[a-z]+ = \($/ { group = $1 }
		/^\);$/ { group = "" }
		match($0, /[a-z0-9_]+ = [^;]*;/) {
			key = substr($0, RSTART, RLENGTH); what = (group == "" ? "general" : group) " " key
			sub(/ = .*/, "", what)
			if (!seen[what]++)
				print what, ($0 ~ /^ *# /) ? "commented" : "set", substr(key, index(key, " = ") + 3), substr($0, RSTART + RLENGTH)
		}' etc/est.conf
}

@test "the sample est.conf has every key, in the order of est.conf(5), and comments show the default" {
	local group key type def line
	diff <(rows | cut -d ' ' -f 1,2) <(sampled | cut -d ' ' -f 1,2)
	while read -r group key type def; do
		line=$(sampled | grep "^$group $key ")
		[[ $line == *' set '* || $line == *'for example'* ]] && continue
		[[ $line == "$group $key commented $(written "$type" "$def");"* ]] ||
			fail "$group: $key: the default is $def, and the sample has: $line"
	done < <(rows)
}

@test "the sample est.conf loads as it is, with its defaults, and with its examples" {
	local dir
	dir=$(mktemp -d "$BATS_TEST_TMPDIR/XXXXXX")
	"$EST_BUILD/est-admin" init "$dir/est" --organization Sample
	for pattern in 'nothing' '/for example/!' ''; do
		if [ "$pattern" = nothing ]; then
			cp etc/est.conf "$dir/est/est.conf"
		else
			sed -E "${pattern}s/^( *)# ([a-z0-9_]+ = .*;)/\1\2/" etc/est.conf >"$dir/est/est.conf"
		fi
		run -0 "$EST_BUILD/est-admin" -c "$dir/est/est.conf" profile show device
		run -0 "$EST_BUILD/est-admin" -c "$dir/est/est.conf" profile show gateway
		run -0 "$EST_BUILD/est-admin" -c "$dir/est/est.conf" ca show
	done
}
