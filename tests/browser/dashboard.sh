#!/bin/sh
# dashboard.sh URL DIR - the page at / in headless Chromium, against a running instance.
#
# The instance must have issued a certificate for a device named <script>alert(1)</script>, as one of its
# newest. Proves that the page draws its figures, that this name stands in it as text and made no element,
# and that nothing on the page offends its own Content-Security-Policy. Leaves light.png, dark.png,
# narrow.png and dom.html in DIR, for people to look at. Ends with 77 where there is no chromium.
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
		--enable-logging=stderr --virtual-time-budget=5000 "$@" "$url" 2>>"$dir/browser.log"
}

fail() {
	echo "dashboard.sh: $1 (see $dir)" >&2
	exit 1
}

: >"$dir/browser.log"
browse --dump-dom >"$dir/dom.html" || fail "chromium did not finish"

grep -q '<body data-state="ready">' "$dir/dom.html" || fail "the page did not get its figures"
grep -q '<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>' "$dir/dom.html" ||
	fail "the name <script>alert(1)</script> does not stand on the page as text"

# Exactly one script element, ours.
scripts=$(grep -o '<script[^>]*>' "$dir/dom.html" || true)
[ "$scripts" = '<script src="/dashboard.js" defer="">' ] ||
	fail "other script elements than /dashboard.js: $scripts"

browse --window-size=1280,1000 --screenshot="$dir/light.png" || fail "no screenshot"
browse --window-size=1280,1000 --force-dark-mode --screenshot="$dir/dark.png" || fail "no screenshot"
browse --window-size=320,1600 --screenshot="$dir/narrow.png" || fail "no screenshot"
for shot in light dark narrow; do
	[ -s "$dir/$shot.png" ] || fail "$shot.png is empty"
done

# The page itself writes nothing to the console: what stands there is an error or a violation.
if grep CONSOLE "$dir/browser.log" >&2; then
	fail "the browser complains about the page"
fi
echo "dashboard.sh: the page is sound; screenshots in $dir"
