#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# http.bats - conduct on the wire: H-01 to H-18 and the rows of the status matrix.

load instance

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# Sends standard input over one TLS connection as it stands; ./raw is what came back until the server closed.
raw() {
	timeout 5 openssl s_client -quiet -no_ign_eof -connect "127.0.0.1:$PORT" -servername localhost \
		-CAfile "$TRUST" 2>/dev/null >raw
}

ask() { printf 'GET %s HTTP/1.1\r\nHost: localhost:%s\r\n%s\r\n' "$1" "$PORT" "${2-}"; }

options=() # of curl, for a good enrollment
good() {
	request "$1"
	options=(-H 'Content-Type: application/pkcs10' --data-binary "@$1.b64" -u "pump:$PASSWORD")
}

@test "H-01 prefix and operations are exact, lower case, and whole" {
	local path
	for path in CACERTS Cacerts cacert cacertsx simple SIMPLEENROLL ''; do
		http "$path"
		assert_equal "$path: $CODE" "$path: 404"
	done
	URL=https://localhost:$PORT/.well-known/EST http cacerts
	assert_equal "$CODE" 404
	URL=https://localhost:$PORT/.well-known/estcacerts http ''
	assert_equal "$CODE" 404
}

@test "H-02 the three mandatory operations answer" {
	http cacerts
	assert_equal "$CODE" 200
	good pump-1
	http simpleenroll "${options[@]}"
	assert_equal "$CODE" 200
	certificate pump-1.pem
	post simplereenroll pump-1.b64 --cert pump-1.pem --key pump-1.key
	assert_equal "$CODE" 200
}

@test "F-01 G-01 operations that are not there are 404, with and without a label and credentials" {
	local operation
	for operation in fullcmc serverkeygen second/fullcmc second/serverkeygen simplerevoke crls eecerts pal; do
		http "$operation"
		assert_refused 404
		post "$operation" /dev/null -u "any:$PASSWORD"
		assert_refused 404
	done
}

@test "H-03 HEAD answers as GET without a body" {
	http cacerts
	sed 's/^Date:.*//' head >get
	http cacerts -I
	assert_equal "$CODE" 200
	assert_equal "$(sed 's/^Date:.*//' head | sort)" "$(sort get)"
	printf 'HEAD /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' | raw
	assert_equal "$(sed '1,/^\r$/d' raw | wc -c)" 0
}

@test "H-03 405 with Allow for another method" {
	local method
	for method in PUT DELETE POST OPTIONS; do
		http cacerts -X "$method" -H 'Content-Type: application/pkcs10' -d ''
		assert_refused 405 '[a-z]'
		assert_regex "$(header Allow)" '(^|[ ,])GET($|[ ,])'
		assert_regex "$(header Allow)" '(^|[ ,])HEAD($|[ ,])'
	done
	for method in GET PUT DELETE OPTIONS; do
		http simpleenroll -X "$method" -u "any:$PASSWORD"
		assert_refused 405
		assert_equal "$(header Allow)" POST
	done
	http simplereenroll
	assert_refused 405
	http simpleenroll -I
	assert_equal "$CODE: $(header Allow)" '405: POST'
}

# Content-Length as long as the body, nothing chunked or compressed.
assert_plain() {
	assert_equal "$(header Content-Length)" "$(wc -c <body)"
	assert_equal "$(header Transfer-Encoding)$(header Content-Encoding)" ''
}

@test "H-04 Content-Length always, never chunked, never compressed" {
	good pump-2
	http cacerts --compressed
	assert_plain
	http simpleenroll --compressed "${options[@]}"
	assert_plain
	http simpleenroll --compressed -H 'Content-Type: application/pkcs10' -d x
	assert_plain
	http simpleenroll --compressed -H 'Content-Type: application/pkcs10' -d x -u "pump:$PASSWORD"
	assert_plain
	http nowhere/cacerts --compressed
	assert_plain
	http simpleenroll --compressed
	assert_plain
}

@test "H-05 H-06 header names in canonical case, few and short" {
	local fields
	good pump-3
	for fields in cacerts nowhere/cacerts simpleenroll; do
		http "$fields"
		refute [ "$(wc -c <head)" -ge 1024 ]
		refute [ "$(wc -l <head)" -ge 16 ]
		run ! grep -vE '^(HTTP/1\.1 .*|[A-Z][A-Za-z]*(-[A-Z][A-Za-z]*)*: .*|)?'$'\r''$' head
	done
	http simpleenroll "${options[@]}"
	refute [ "$(wc -c <head)" -ge 1024 ]
	assert grep -q '^Content-Type: ' head
	assert grep -q '^Content-Length: ' head
	assert grep -q '^Content-Transfer-Encoding: base64' head
	http simpleenroll -H 'Content-Type: application/pkcs10' -d x
	assert grep -q '^WWW-Authenticate: ' head
}

@test "H-05 HTTP/2 is not offered" {
	run openssl s_client -connect "127.0.0.1:$PORT" -alpn h2,http/1.1 -CAfile "$TRUST" </dev/null
	refute_output --partial 'ALPN protocol: h2'
	http cacerts -w '%{http_version}' --http2
	assert grep -q '^HTTP/1.1 200' head
}

@test "H-07 Connection: close closes at once" {
	local start=${EPOCHREALTIME/./}
	mkfifo raw.fifo
	exec 9<>raw.fifo # the client does not close first
	ask /.well-known/est/cacerts $'Connection: close\r\n' >&9
	timeout 5 openssl s_client -quiet -connect "127.0.0.1:$PORT" <raw.fifo >raw 2>/dev/null 9>&- || true
	exec 9>&-
	assert [ $((${EPOCHREALTIME/./} - start)) -lt 1000000 ]
	assert grep -q '^HTTP/1.1 200' raw
}

@test "H-08 several operations on one connection" {
	good pump-4
	run -0 curl -sS --cacert "$TRUST" -o /dev/null -w '%{http_code} %{num_connects}\n' "$URL/cacerts" \
		--next -sS --cacert "$TRUST" -o /dev/null -w '%{http_code} %{num_connects}\n' "${options[@]}" "$URL/simpleenroll" \
		--next -sS --cacert "$TRUST" -o /dev/null -w '%{http_code} %{num_connects}\n' -d x "$URL/simpleenroll" \
		--next -sS --cacert "$TRUST" -o /dev/null -w '%{http_code} %{num_connects}\n' "$URL/cacerts"
	assert_line -n 0 '200 1'
	assert_line -n 1 '200 0'
	assert_line -n 2 --regexp '^4[0-9][0-9] 0'
	assert_line -n 3 '200 0'
}

@test "H-09 pipelined requests are answered in order" {
	(
		ask /.well-known/est/cacerts
		ask /.well-known/est/nowhere/cacerts
		ask /.well-known/est/cacerts $'Connection: close\r\n'
		sleep 0.3
	) | raw
	assert_equal "$(grep -ao '^HTTP/1.1 [0-9]*' raw | tr '\n' ' ')" 'HTTP/1.1 200 HTTP/1.1 404 HTTP/1.1 200 '
}

@test "H-10 Expect: 100-continue is handled" {
	good pump-5
	http simpleenroll "${options[@]}" -H 'Expect: 100-continue'
	assert_issued pump-5.key
	http simpleenroll -H 'Content-Type: application/pkcs10' --data-binary @pump-5.b64 -H 'Expect: 100-continue'
	assert_equal "$CODE" 401
}

@test "H-11 a chunked request is accepted or asked for its length" {
	good pump-6
	http simpleenroll "${options[@]}" -H 'Transfer-Encoding: chunked'
	assert_regex "$CODE" '^(200|411)$'
	if [ "$CODE" = 200 ]; then assert_issued pump-6.key; fi
}

@test "H-12 HTTP/1.0 gets a whole answer" {
	good pump-7
	http simpleenroll "${options[@]}" -0 --no-alpn
	assert_issued pump-7.key
	assert_plain
}

@test "H-13 nothing redirects" {
	local path
	for path in '' cacerts/ second second/ simpleenroll/ nowhere; do
		http "$path"
		assert_equal "$path: $CODE $(header Location)" "$path: 404 "
	done
	URL=https://localhost:$PORT/.well-known http est
	assert_equal "$CODE" 404
}

@test "H-14 H-15 a refusal is text/plain and says why" {
	good pump-8
	post simpleenroll pump-8.b64 -u pump:wrong
	assert_refused 401 '^auth:password: .*password'
	http nowhere/cacerts
	assert_refused 404 '^badRequest:path: .*label'
	http nothing
	assert_refused 404 '^badRequest:path: '
	http cacerts -X PUT
	assert_refused 405 '^badRequest:method: .*method'
	http simpleenroll -u "any:$PASSWORD" -H 'Content-Type: text/plain' --data-binary @pump-8.b64
	assert_refused 415 '^badRequest:content-type: .*application/pkcs10'
	request elsewhere
	post simpleenroll elsewhere.b64 -u "pump:$PASSWORD"
	assert_refused 403 '^auth:name: .*elsewhere.example'
	echo '****' >junk
	post simpleenroll junk -u "pump:$PASSWORD"
	assert_refused 400 '^badRequest:base64: .*base64'
	csr pump-8.key /CN=pump-8.example | head -c -1 | b64 >cut.b64
	post simpleenroll cut.b64 -u "pump:$PASSWORD"
	assert_refused 400 '^badCSR:der: '
	head -c 70000 /dev/zero | tr '\0' A >big
	post simpleenroll big -u "pump:$PASSWORD"
	assert_refused 413 '^badRequest:body-size: .*larger'
}

@test "H-14 a refusal has no charset trouble with names that are not ASCII" {
	key P-256 ü.key
	csr ü.key '/CN=ü€.example' '' -utf8 | b64 >ü.b64
	post simpleenroll ü.b64 -u "pump:$PASSWORD"
	assert_regex "$CODE" '^40[03]$'
	run -0 iconv -f UTF-8 -t UTF-8 body
}

@test "H-16 EST media types have no charset" {
	http cacerts
	assert_equal "$(header Content-Type)" application/pkcs7-mime
	good pump-9
	http simpleenroll "${options[@]}"
	assert_equal "$(header Content-Type)" 'application/pkcs7-mime; smime-type=certs-only'
}

@test "H-17 nobody may store an enrollment's answer" {
	good pump-10
	http simpleenroll "${options[@]}"
	assert_regex "$(header Cache-Control)" no-store
	certificate pump-10.pem
	post simplereenroll pump-10.b64 --cert pump-10.pem --key pump-10.key
	assert_equal "$CODE" 200
	assert_regex "$(header Cache-Control)" no-store
}

@test "H-18 a query is ignored, a strange path is 404" {
	local path
	http 'cacerts?x=1&y=/second/cacerts'
	assert_equal "$CODE" 200
	for path in a/b/cacerts second/second/cacerts '%2e%2e/est2/cacerts' cacerts/ 'cacerts;x' 'second%2fcacerts/x' 'caCerts' \
		'cacerts%20' 'cacerts%0a' 'second%0d/cacerts' 'a%00/cacerts' '../est/../../cacerts'; do
		http "$path" --path-as-is
		assert_regex "$path: $CODE" ': 40[04]$'
	done
}

@test "Accept never matters: no 406" {
	http cacerts -H 'Accept: text/html'
	assert_equal "$CODE" 200
	good pump-11
	http simpleenroll "${options[@]}" -H 'Accept: image/png'
	assert_equal "$CODE" 200
}

@test "415 says what would be accepted, for a type as for a coding" {
	good pump-12
	http simpleenroll -u "pump:$PASSWORD" -H 'Content-Type: application/json' --data-binary @pump-12.b64
	assert_refused 415
	assert_equal "$(header Accept)" application/pkcs10
	gzip -k pump-12.b64
	post simpleenroll pump-12.b64.gz -u "pump:$PASSWORD" -H 'Content-Encoding: gzip'
	assert_refused 415 '^badRequest:content-encoding: '
	assert_equal "$(header Accept-Encoding)" identity
	post simpleenroll pump-12.b64 -u "pump:$PASSWORD" -H 'Content-Encoding: identity'
	assert_issued pump-12.key
}
