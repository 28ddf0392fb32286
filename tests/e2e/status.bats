#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2153,SC2238 # every test is a subshell of its own; head is a file
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
	ask permissive -n '</script><script>alert(1)</script>'
	assert_equal "$CODE" 200
	status summary
	assert_equal "$(jq -r '.newest[0].name' body)" '</script><script>alert(1)</script>'
	assert_equal "$(header Content-Type)" application/json
	assert_equal "$(header X-Content-Type-Options)" nosniff
}

# The count of one counter of ./body.
counted() { # OPERATION CODE
	jq --arg operation "$1" --arg code "$2" \
		'[.counters[] | select(.operation == $operation and .code == $code) | .count] | add // 0' body
}

@test "counters tell what became of the requests, in every worker" {
	local ok wrong none
	request pump-3
	status counters
	assert_equal "$CODE" 200
	assert_equal "$(header Content-Type)" application/json
	ok=$(counted simpleenroll ok) wrong=$(counted simpleenroll auth:password) none=$(counted simpleenroll auth:missing)
	for _ in 1 2 3 4 5; do
		post simpleenroll pump-3.b64 -u pump:wrong
		assert_refused 401 '^auth:password: '
	done
	post simpleenroll pump-3.b64 -u "pump:$PASSWORD"
	assert_equal "$CODE" 200
	post simpleenroll pump-3.b64
	assert_equal "$CODE" 401
	status counters
	assert_equal "$(counted simpleenroll ok)" $((ok + 1))
	assert_equal "$(counted simpleenroll auth:password)" $((wrong + 5))
	assert_equal "$(counted simpleenroll auth:missing)" $((none + 1))
	# Nothing that a request may choose becomes a name, and every code is one of the table.
	http 'nowhere/simpleenroll'
	http 'nothing%20at%20all'
	status counters
	run -0 jq -r '.counters[] | .code' body
	while read -r code; do run -0 est_admin code show "$code"; done <<<"$output"
	run -0 jq -r '[.counters[] | .operation] | unique | .[]' body
	refute_line --regexp '[^a-z]'
}

@test "where nothing was ever counted or issued, counters are an empty list and the page says so" {
	"$EST_BUILD/est-admin" init "$E2E/fresh" --organization Fresh --log "$E2E/fresh.log" >/dev/null
	local common=(EST_CONFIG="$E2E/fresh/est.conf" GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET HTTPS=on SCRIPT_NAME=/status)
	rm -f "$E2E/fresh/state/metrics"
	run -0 env -i "${common[@]}" PATH_INFO=/counters "$E2E/bin/status.cgi"
	assert_output --partial '{"counters":[]}'
	run -0 env -i "${common[@]}" PATH_INFO=/page "$E2E/bin/status.cgi"
	assert_output --partial 'No certificate has been issued yet.'
	refute_output --partial 'counters'
}

@test "the page without a script shows totals, counters and certificates as text" {
	local issued
	ask permissive -n '<script>alert(1)</script>&"x"'
	assert_equal "$CODE" 200
	ask permissive -n "$(printf 'pump-\xe2\x80\x8e1\xd0\xb0.example')"
	post simpleenroll odd.b64 -u pump:wrong
	status summary
	issued=$(jq .totals.issued body)
	status page
	assert_equal "$CODE" 200
	assert_equal "$(header Content-Type)" 'text/html; charset=utf-8'
	assert_equal "$(header Content-Security-Policy)" \
		"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	assert_equal "$(header X-Content-Type-Options)" nosniff
	assert_equal "$(header Cache-Control)" no-store
	assert grep -q "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;&amp;\"x\"</bdi>" body
	run -1 grep -iE '<script|<style|[ "]on[a-z]+=|javascript:|style=|<img|<iframe' body
	assert grep -q "<td class=\"number\" data-title=\"Issued\">$issued</td>" body
	assert grep -q '<bdi>auth:password</bdi>' body
	assert_equal "$(grep -c '<time ' body)" "$(grep -c '<code>' body | awk '{ print 2 * $1 }')"
	iconv -f UTF-8 -t UTF-8 body >/dev/null
	run -1 env LC_ALL=C grep -aP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]' body
	URL=https://localhost:$PORT http style.css
	assert_equal "$CODE" 200
	status page -I
	assert_equal "$CODE" 200
	status page -X POST -d x
	assert_refused 405
}

@test "what is hostile to a spreadsheet comes out of est-admin --csv harmless" {
	ask permissive -n '=cmd|"/C calc"!A0'
	assert_equal "$CODE" 200
	ask permissive -n '@SUM(1),"b;c'
	assert_equal "$CODE" 200
	est_admin cert list --csv >list.csv
	assert_equal "$(head -1 list.csv)" \
		$'serial,subject,name,names,label,profile,ca,identity,operation,status,spki_sha256,issued_at,not_before,not_after,revoked_at,reason\r'
	run -0 sed -n '2p' list.csv
	assert_output --partial ',"'\''@SUM(1),""b;c",'
	run -0 sed -n '3p' list.csv
	assert_output --partial ',"'\''=cmd|""/C calc""!A0",'
	assert_equal "$(wc -l <list.csv)" "$(grep -c $'\r$' list.csv)"
	assert_equal "$(($(wc -l <list.csv) - 1))" "$(est_admin --json cert list | wc -l)"
	user '=1+1' x '@*,pump-*.example' --label -,second
	est_admin user list --csv >list.csv
	assert_equal "$(head -1 list.csv)" $'name,names,labels,created_at,roles,state,expires_at,uses,uses_most,hash\r'
	run -0 grep '1+1' list.csv
	assert_output --regexp $'^"\'=1\\+1","\'@\\*,pump-\\*\\.example","\'-,second",20[0-9TZ:-]+,enroll,active,,0,,yescrypt\r$'
	run -2 est_admin user list --csv --json
	run -0 est_admin user delete '=1+1'
}

@test "no other path, method or secret" {
	status nothing
	assert_refused 404 '^badRequest:path: '
	status summary/x
	assert_refused 404
	status summary -X POST -d x
	assert_refused 405 '^badRequest:method: .*GET'
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
