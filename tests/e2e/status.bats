#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# status.bats - the second program: /status/health, /status/summary and the page that shows them.

load instance
load hostile

setup_file() { instance_start; }
teardown_file() { instance_stop; }

status() { URL=https://localhost:$PORT/status http "$@"; }

@test "health is 200 and says ok" {
	status health
	assert_equal "$CODE" 200
	assert_equal "$(header Content-Type)" application/json
	assert_equal "$(header Content-Length)" "$(wc -c <body)"
	assert_equal "$(jq -r .status body)" ok
}

@test "health is no 200 where the store is away" {
	sed 's,= "state",= "nowhere",' "$EST_CONFIG" >"$E2E/est/odd.conf"
	run env -i EST_CONFIG="$E2E/est/odd.conf" GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET HTTPS=on SCRIPT_NAME=/status \
		PATH_INFO=/health "$E2E/bin/status.cgi"
	assert_line -n 0 --regexp '^Status: 503'
	refute_output --partial "$E2E"
}

@test "summary counts by status and label, and by day" {
	local before
	status summary
	assert_equal "$CODE" 200
	before=$(jq .totals.issued body)
	request pump-1
	enroll pump-1.b64
	certificate pump-1.pem
	request pump-2
	enroll pump-2.b64 second
	est_admin cert revoke "$(serial pump-1.pem)"
	status summary
	assert_equal "$(jq .totals.issued body)" $((before + 2))
	assert_equal "$(jq -c '[.totals.valid, .totals.revoked, .totals.expired]' body)" "[$((before + 1)),1,0]"
	assert_equal "$(jq -c '.labels[] | select(.label == "second") | [.issued, .valid, .revoked, .expired]' body)" '[1,1,0,0]'
	assert_equal "$(jq '[.labels[].issued] | add' body)" $((before + 2))
	assert_equal "$(jq --arg day "$(date -u +%F)" '.issued_per_day[] | select(.day == $day) | .issued' body)" $((before + 2))
	assert_equal "$(jq -r '.newest[0:2] | map(.name) | join(" ")' body)" 'pump-2.example pump-1.example'
	assert_equal "$(jq -r '.newest[1].status' body)" revoked
}

@test "names of devices stay text: in JSON they are strings" {
	ask '' -n '</script><script>alert(1)</script>'
	assert_equal "$CODE" 200
	status summary
	assert_equal "$(jq -r '.newest[0].name' body)" '</script><script>alert(1)</script>'
	assert_equal "$(header Content-Type)" application/json
	assert_equal "$(header X-Content-Type-Options)" nosniff
}

@test "no other path, method or secret" {
	status nothing
	assert_refused 404
	status summary/x
	assert_refused 404
	status summary -X POST -d x
	assert_refused 405 GET
	assert_regex "$(header Allow)" GET
	status summary -I
	assert_equal "$CODE" 200
	status summary
	run -1 grep -iE 'password|private|[$]y[$]' body
}

@test "it works without being able to read the CA's key" {
	sed 's,"devices.key","/nonexistent.key",' "$EST_CONFIG" >"$E2E/est/keyless.conf"
	chmod a+r "$E2E/est/keyless.conf"
	run -0 env -i EST_CONFIG="$E2E/est/keyless.conf" GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET HTTPS=on SCRIPT_NAME=/status \
		PATH_INFO=/summary "$E2E/bin/status.cgi"
	assert_output --partial '"totals"'
}

@test "the page has no inline script and a strict policy" {
	local policy
	URL=https://localhost:$PORT http ''
	assert_equal "$CODE" 200
	policy=$(grep -o 'Content-Security-Policy" content="[^"]*' body)
	assert_regex "$policy" "default-src 'none'"
	refute_regex "$policy" 'unsafe|\*'
	run -1 grep -iE '<script(>| [^>]*>[^<])|<style|[ "]on[a-z]+=|javascript:|style=' body
	mapfile -t paths < <(grep -oE '(src|href)="/[^"]*' body | sed 's/.*="\///')
	for path in "${paths[@]}"; do
		URL=https://localhost:$PORT http "$path"
		assert_equal "$path: $CODE" "$path: 200"
		run -1 grep -E 'innerHTML|outerHTML|document\.write|insertAdjacentHTML|eval\(' body
	done
}
