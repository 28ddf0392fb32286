#!/bin/sh
# dashboard.sh URL DIR - the page at / in headless Chromium, and the one without a script, against a running
# instance.
#
# The instance must have issued a certificate for a device named <script>alert(1)</script>, as one of its
# newest. Proves that the page draws its figures, that this name stands in it as text and made no element,
# that it tells of refused requests (two of which it makes), and that nothing on the pages offends their own
# Content-Security-Policy. Leaves light.png, dark.png, narrow.png and dom.html in DIR, and plain-*.png and
# plain.html of the page without a script, for people to look at. Ends with 77 where there is no chromium.
set -eu

if [ $# -ne 2 ]; then
	echo "usage: dashboard.sh https://127.0.0.1:PORT/ DIR" >&2
	exit 2
fi
url=$1
dir=$2

# Certificates are not checked below, so this is for our own machine only.
case $url in
http://127.0.0.1:* | https://127.0.0.1:* | http://localhost:* | https://localhost:*) ;;
*)
	echo "dashboard.sh: $url is not on this machine" >&2
	exit 2
	;;
esac

browser=$(command -v chromium || command -v chromium-browser || true)
if [ -z "$browser" ]; then
	echo "dashboard.sh: skipped, chromium is not installed"
	exit 77
fi

mkdir -p "$dir"
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT

# A page gets 5 s of its own time (it reads once at its start), and 60 s of ours.
browse() {
	timeout -k 5 60 "$browser" --headless=new --no-sandbox --disable-gpu --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync \
		--user-data-dir="$profile" --hide-scrollbars --ignore-certificate-errors \
		--enable-logging=stderr --virtual-time-budget=5000 "$@" "$url$page" 2>>"$dir/browser.log"
}

fail() {
	echo "dashboard.sh: $1 (see $dir)" >&2
	exit 1
}

# Light, dark, and as narrow as a telephone.
shoot() { # PREFIX
	browse --window-size=1280,1000 --screenshot="$dir/$1light.png" || fail "no screenshot"
	browse --window-size=1280,1000 --force-dark-mode --screenshot="$dir/$1dark.png" || fail "no screenshot"
	browse --window-size=320,1600 --screenshot="$dir/$1narrow.png" || fail "no screenshot"
	for shot in light dark narrow; do
		[ -s "$dir/$1$shot.png" ] || fail "$1$shot.png is empty"
	done
}

: >"$dir/browser.log"
page=.well-known/est/simplereenroll
browse --dump-dom >/dev/null || fail "chromium did not finish"
page=.well-known/est/no-such-label/cacerts
browse --dump-dom >/dev/null || fail "chromium did not finish"
: >"$dir/browser.log" # which complains of the two statuses, as it should
page=
browse --dump-dom >"$dir/dom.html" || fail "chromium did not finish"

grep -q '<body data-state="ready">' "$dir/dom.html" || fail "the page did not get its figures"
grep -q '<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>' "$dir/dom.html" ||
	fail "the name <script>alert(1)</script> does not stand on the page as text"

# The refused ones are there, with a number each, and what was granted is not.
refused=$(sed -n '/<section id="refused"/,/<\/section>/p' "$dir/dom.html")
case $refused in
*'hidden'*) fail "the refused requests are not shown" ;;
*'<bdi>ok</bdi>'*) fail "a granted request counts as a refused one" ;;
esac
for code in badRequest:method badRequest:path; do
	echo "$refused" | grep -q "<code><bdi>$code</bdi></code></th><td class=\"number\">[1-9]" ||
		fail "$code is not among the refused requests"
done

# Exactly one script element, ours.
scripts=$(grep -o '<script[^>]*>' "$dir/dom.html" || true)
[ "$scripts" = '<script src="/dashboard.js" defer="">' ] ||
	fail "other script elements than /dashboard.js: $scripts"

shoot ''

page=status/page
browse --dump-dom >"$dir/plain.html" || fail "chromium did not finish"
grep -q '<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>' "$dir/plain.html" ||
	fail "the name <script>alert(1)</script> does not stand on the page without a script as text"
grep -q '<bdi>badRequest:path</bdi>' "$dir/plain.html" || fail "the page without a script has no counters"
if grep -q '<script' "$dir/plain.html"; then
	fail "the page without a script has one"
fi
shoot plain-

# The page itself writes nothing to the console: what stands there is an error or a violation.
if grep CONSOLE "$dir/browser.log" >&2; then
	fail "the browser complains about the page"
fi
echo "dashboard.sh: the page is sound; screenshots in $dir"
