#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# variables.bats - what est.fcgi makes of the variables of a web server: T-01, T-21, T-22, H-18, F3 and the readings of
# webservers.md that no server of ours produces. est.fcgi runs as a plain CGI program, or is a worker of lighttpd's; the
# test is its server.

load instance
load fastcgi

setup_file() { instance_start; }
teardown_file() { instance_stop; }

renew() { # VARIABLE...
	csr "$E2E/keys/device.key" /CN=pump-0.example DNS:pump-0.example | b64 >own.b64
	cgi POST /simplereenroll CONTENT_TYPE=application/pkcs10 CONTENT_LENGTH="$(wc -c <own.b64)" "$@" <own.b64
}

pem() { cat "$E2E/keys/device.pem"; }
bare() { grep -v -e ----- "$E2E/keys/device.pem" | tr -d '\n'; }
newline=$'\n'

@test "T-22 SSL_CLIENT_CERT as PEM, of Apache and lighttpd" {
	renew SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_CERT="$(pem)$newline"
	assert_issued "$E2E/keys/device.key"
	renew SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_CERT="$(pem)"
	assert_equal "$CODE" 200
}

@test "T-22 SSL_CLIENT_CERT with tabs, of nginx's ssl_client_cert" {
	renew SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_CERT="$(pem | sed '2,$s/^/\t/')"
	assert_issued "$E2E/keys/device.key"
}

@test "T-22 SSL_CLIENT_CERT percent-encoded, of nginx's ssl_client_escaped_cert" {
	renew SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_CERT="$(pem | jq -sRr @uri)"
	assert_issued "$E2E/keys/device.key"
}

@test "T-22 SSL_CLIENT_CERT as bare base64, of HAProxy" {
	renew SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_CERT="$(bare)"
	assert_issued "$E2E/keys/device.key"
}

@test "T-22 our own verification decides, not SSL_CLIENT_VERIFY" {
	local verify
	for verify in FAILED:21 GENEROUS NONE ''; do
		renew SSL_CLIENT_VERIFY="$verify" SSL_CLIENT_CERT="$(pem)"
		assert_regex "$verify $CODE" ' (200|401|403)$'
	done
	openssl req -x509 -key "$E2E/keys/device.key" -subj /CN=pump-0.example -addext subjectAltName=DNS:pump-0.example -out self.pem
	renew SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_CERT="$(cat self.pem)"
	assert_regex "$CODE" '^40[13]$'
}

@test "T-22 SUCCESS without a certificate is nobody" {
	renew SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_CERT= SSL_CLIENT_S_DN=CN=pump-0.example SSL_CLIENT_M_SERIAL="$(serial "$E2E/keys/device.pem")"
	assert_equal "$CODE" 401
	renew SSL_CLIENT_VERIFY=SUCCESS
	assert_equal "$CODE" 401
	cgi POST /cert/simplereenroll CONTENT_TYPE=application/pkcs10 SSL_CLIENT_VERIFY=SUCCESS <own.b64
	assert_refused 403
}

@test "T-22 a certificate that is none is refused" {
	local value
	for value in x '-----BEGIN CERTIFICATE-----' "$(bare | head -c 300)" "$(bare)AAAA" '%' '%2' '%zz' "$(printf 'A%.0s' {1..60000})" \
		"$(pem)$newline$(cat "$E2E/keys/idevid.pem")"; do
		renew SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_CERT="$value"
		assert_regex "${value:0:20}: $CODE" ': (200|400|401|403)$'
		[[ $CODE != 200 || $value == "$(pem)"* ]] # the first of two, and nothing else, may count
	done
}

@test "T-21 REMOTE_USER and AUTH_TYPE prove nothing" {
	request pump-1
	cgi POST /simpleenroll CONTENT_TYPE=application/pkcs10 REMOTE_USER=any AUTH_TYPE=Basic <pump-1.b64
	assert_equal "$CODE" 401
}

@test "T-01 HTTPS has to be on" {
	local value
	for value in HTTPS= HTTPS=off HTTPS=0 REQUEST_SCHEME=https; do
		cgi GET /cacerts HTTPS= HTTP_HTTPS=on HTTP_X_FORWARDED_PROTO=https "$value" </dev/null
		assert_refused 403 HTTPS
	done
}

@test "H-18 the path is SCRIPT_NAME and PATH_INFO together, however they are cut" {
	cgi GET '' SCRIPT_NAME=/.well-known/est/cacerts PATH_INFO= </dev/null
	assert_equal "$CODE" 200
	cgi GET '' SCRIPT_NAME=/.well-known/est/second PATH_INFO=/cacerts </dev/null
	assert_equal "$CODE" 200
	cgi GET /cacerts REQUEST_URI=/elsewhere </dev/null
	assert_equal "$CODE" 200
}

@test "H-18 what is not a label and an operation is 404" {
	local path
	for path in '' / //cacerts /./cacerts /../cacerts /second/../cacerts /a/b/cacerts /second/cacerts/ /cacerts/ /cacerts/x \
		/second//cacerts '/%63acerts' '/cacerts;x=1' '/ca certs' $'/cacerts\n' $'/second\r/cacerts' '/CACERTS' /cacert /cacertsx \
		"/$(printf 'x%.0s' {1..5000})/cacerts" '/<script>/cacerts' /ü/cacerts; do
		cgi GET "$path" </dev/null
		assert_equal "$path: $CODE" "$path: 404"
	done
	for path in /.well-known/estcacerts /.well-known/est2/cacerts /.WELL-KNOWN/est/cacerts /cacerts /x/.well-known/est/cacerts; do
		cgi GET '' SCRIPT_NAME="$path" </dev/null
		assert_equal "$path: $CODE" "$path: 404"
	done
}

@test "E-12 the length that was promised has to come, and no more counts" {
	request pump-2
	cgi POST /simpleenroll CONTENT_TYPE=application/pkcs10 CONTENT_LENGTH=100000000000000000000 HTTP_AUTHORIZATION="Basic $(printf 'pump:%s' "$PASSWORD" | base64)" <pump-2.b64
	assert_regex "$CODE" '^4(00|13)$'
	cgi POST /simpleenroll CONTENT_TYPE=application/pkcs10 CONTENT_LENGTH=5000 HTTP_AUTHORIZATION="Basic $(printf 'pump:%s' "$PASSWORD" | base64)" <pump-2.b64
	assert_refused 400
	cgi POST /simpleenroll CONTENT_TYPE=application/pkcs10 CONTENT_LENGTH=-1 HTTP_AUTHORIZATION="Basic $(printf 'pump:%s' "$PASSWORD" | base64)" <pump-2.b64
	assert_regex "$CODE" '^(200|400)$'
	cgi POST /simpleenroll CONTENT_TYPE=application/pkcs10 HTTP_AUTHORIZATION="Basic $(printf 'pump:%s' "$PASSWORD" | base64)" <pump-2.b64
	assert_issued pump-2.key # no CONTENT_LENGTH: to the end
}

@test "503 where the store is away, with Retry-After, and nothing of ours in the reason" {
	sed 's,"state","nowhere",' "$EST_CONFIG" >"$E2E/est/broken.conf"
	chmod a+r "$E2E/est/broken.conf"
	request pump-3
	cgi POST /simpleenroll EST_CONFIG="$E2E/est/broken.conf" CONTENT_TYPE=application/pkcs10 \
		HTTP_AUTHORIZATION="Basic $(printf 'pump:%s' "$PASSWORD" | base64)" <pump-3.b64
	assert_refused 503
}

@test "503 or 500 without a word about files where the configuration or the CA's key is away" {
	cgi GET /cacerts EST_CONFIG="$E2E/est/none.conf" </dev/null
	assert_regex "$CODE" '^50[03]$'
	refute_regex "$(cat body)" "$E2E"
	sed 's,"devices.key","none.key",' "$EST_CONFIG" >"$E2E/est/broken.conf"
	chmod a+r "$E2E/est/broken.conf"
	cgi GET /cacerts EST_CONFIG="$E2E/est/broken.conf" </dev/null
	assert_regex "$CODE" '^50[03]$'
	refute_regex "$(cat body)" "$E2E"
}

# --- F3: what is no web server's FastCGI ---

worker_socket() { printf '%s\n' "$E2E"/run/est.sock-* | sort | head -n 1; }

# Each line: what is wrong, the answer as a pattern, and the octets.
shapes() {
	local what pattern octets got before alive
	before=$(rows)
	alive=$(workers)
	while IFS='|' read -r what pattern octets; do
		got=$(fastcgi "$(worker_socket)" "${octets# }")
		assert_regex "${what% }: $got" "^${what% }: (${pattern# })\$"
	done
	assert_equal "$(rows)" "$before"
	# shellcheck disable=SC2086 # words on purpose
	assert_alive $alive
	assert_equal "$(workers)" "$alive"
	request "sane-$BATS_TEST_NUMBER"
	enroll "sane-$BATS_TEST_NUMBER.b64"
	assert_issued "sane-$BATS_TEST_NUMBER.key"
}

@test "F3 good FastCGI in any pieces is served" {
	request pump-4
	shapes <<-'END'
		as a web server sends it  | 200|get()
		kept connection           | 200|begin(flags=1) + params() + stdin()
		many records              | 200|begin() + params(size=1) + stdin()
		padding                   | 200|begin() + params(size=20, padding=255) + stdin()
		another id                | 200|begin(id=65535) + params(id=65535) + stdin(id=65535)
		octet by octet            | 200|slowly(get(), 1, 0.0005)
		with pauses               | 200|slowly(get(), 60, 0.1)
		100 KB                    | 200|get(HTTP_X="x" * 100000)
		one variable twice, alike | 200|begin() + params(pairs() + pairs()) + stdin()
	END
	for octets in 'enroll("pump-4.b64", stdin(file("pump-4.b64")))' \
		'enroll("pump-4.b64", stdin(file("pump-4.b64"), 7, 255))' \
		'enroll("pump-4.b64", record(STDIN, b"junk", 2), stdin(file("pump-4.b64"), 100))'; do
		run -0 fastcgi "$(worker_socket)" "$octets"
		assert_equal "$octets: $output" "$octets: 200"
		certificate issued.pem
		assert_equal "$(spki issued.pem)" "$(openssl pkey -in pump-4.key -pubout)"
	done
}

@test "F3 what is no FastCGI of a responder is hung up on" {
	shapes <<-'END'
		HTTP                      | closed|b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
		TLS                       | closed|b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
		version 0                 | closed|begin(version=0) + params() + stdin()
		version 2                 | closed|begin(version=2) + params() + stdin()
		a later version           | closed|begin() + record(PARAMS, pairs(), version=3) + params(b"") + stdin()
		GET_VALUES first          | closed|record(GET_VALUES, pair("FCGI_MAX_CONNS", ""), 0) + get()
		GET_VALUES alone          | closed|record(GET_VALUES, pair("FCGI_MAX_CONNS", ""), 0)
		GET_VALUES within         | closed|begin() + record(GET_VALUES, id=0) + params() + stdin()
		unknown type first        | closed|record(42) + get()
		unknown management type   | closed|record(42, id=0) + get()
		no BEGIN_REQUEST          | closed|params() + stdin()
		two of them               | closed|begin() + begin() + params() + stdin()
		BEGIN_REQUEST too short   | closed|record(BEGIN, b"\0\1\0") + params() + stdin()
		BEGIN_REQUEST too long    | closed|record(BEGIN, b"\0\1\0\0\0\0\0\0\0") + params() + stdin()
		authorizer                | closed|begin(role=2) + params() + stdin()
		filter                    | closed|begin(role=3) + params() + stdin()
		unknown role              | closed|begin(role=999) + params() + stdin()
		id 0                      | closed|begin(id=0) + params(id=0) + stdin(id=0)
		parameters of another id  | closed|begin() + params(id=2) + stdin()
		ids that take turns       | closed|begin() + record(PARAMS, pairs()) + begin(2) + params(id=2) + params(b"") + stdin()
		abort at once             | closed|begin() + record(ABORT)
		STDIN ahead of the end    | closed|begin() + record(PARAMS, pairs()) + stdin() + params(b"")
		name beyond the end       | closed|begin() + params(b"\x7f\x01A") + stdin()
		name of 2 GiB             | closed|begin() + params(b"\xff\xff\xff\xff\x01AB") + stdin()
		value of 2 GiB            | closed|begin() + params(b"\x01\xff\xff\xff\xffAB") + stdin()
		both of 2 GiB             | closed|begin() + params(b"\xff\xff\xff\xff\xff\xff\xff\xffAB") + stdin()
		lengths cut short         | closed|begin() + params(pairs() + b"\x80\x00") + stdin()
		too many records          | closed|begin() + params(pairs(HTTP_X="x" * 5000), size=1) + stdin()
		1 MB                      | closed|get(HTTP_X="x" * 1000000)
		1 MB of a certificate     | closed|get(SSL_CLIENT_CERT="x" * 1000000)
		zeros                     | closed|bytes(100000)
		ones                      | closed|b"\xff" * 100000
		one octet for ever        | closed|slowly(begin() + record(PARAMS, b"x" * 60000), 1, 0.1)
	END
}

@test "F3 parameters that no honest web server sends are refused, whoever asks" {
	request pump-5
	shapes <<-'END'
		HTTPS twice               | 400 badRequest:parameter|begin() + params(pairs() + pair("HTTPS", "off")) + stdin()
		and the other way round   | 400 badRequest:parameter|begin() + params(pair("HTTPS", "off") + pairs()) + stdin()
		certificate twice         | 400 badRequest:parameter|begin() + params(pairs(SSL_CLIENT_CERT="MIIB") + pair("SSL_CLIENT_CERT", "MIIC")) + stdin()
		certificate and none      | 400 badRequest:parameter|begin() + params(pairs(SSL_CLIENT_CERT="MIIB") + pair("SSL_CLIENT_CERT", "")) + stdin()
		across records            | 400 badRequest:parameter|begin() + params(pairs() + pair("HTTPS", "off"), size=9) + stdin()
		Authorization twice       | 400 badRequest:parameter|begin() + params(pairs(HTTP_AUTHORIZATION="Basic QTpC") + pair("HTTP_AUTHORIZATION", "Basic QTpD")) + stdin()
		NUL in a certificate      | 400 badRequest:parameter|get(SSL_CLIENT_CERT="MIIB\0C")
		NUL in a path             | 400 badRequest:parameter|get(PATH_INFO="/cacerts\0/x")
		NUL behind a method       | 400 badRequest:parameter|get(REQUEST_METHOD="GET\0")
		NUL in a name             | 400 badRequest:parameter|begin() + params(pairs() + pair("HTTPS\0", "on")) + stdin()
		NUL in anything           | 400 badRequest:parameter|get(HTTP_X="\0")
		line break in an address  | 400 badRequest:parameter|get(REMOTE_ADDR="192.0.2.7\n{}")
		return in an agent        | 400 badRequest:parameter|get(HTTP_USER_AGENT="x\r\nSet-Cookie: x")
		escape in a cipher        | 400 badRequest:parameter|get(SSL_CIPHER="\x1b[2J")
		delete in Authorization   | 400 badRequest:parameter|get(HTTP_AUTHORIZATION="Basic \x7f")
		escape in a certificate   | 400 badRequest:parameter|get(SSL_CLIENT_CERT="MIIB\x1bC")
		long address              | 400 badRequest:parameter|get(REMOTE_ADDR="1" * 5000)
		long certificate          | 400 badRequest:parameter|get(SSL_CLIENT_CERT="A" * 140000)
		long Authorization        | 400 badRequest:parameter|get(HTTP_AUTHORIZATION="Basic " + "A" * 60000)
		long path                 | 400 badRequest:parameter|get(PATH_INFO="/" + "a" * 60000)
		path of 5000 octets       | 404 badRequest:path|get(PATH_INFO="/" + "a" * 5000 + "/cacerts")
		line break in a path      | 404 badRequest:path|get(PATH_INFO="/cacerts\n")
		a good enrollment, HTTPS twice | 400 badRequest:parameter|begin() + params(pairs(REQUEST_METHOD="POST", PATH_INFO="/simpleenroll", CONTENT_TYPE="application/pkcs10") + pair("HTTPS", "ON")) + stdin(file("pump-5.b64"))
	END
	assert_equal "$(jq -r 'select(.code == "badRequest:parameter") | .outcome' "$LOG" | sort -u)" malformed
}

@test "F3 a stream that is wrong behind its parameters enrolls nobody" {
	request pump-6
	shapes <<-'END'
		parameters behind the end | 400 badRequest:body-length|enroll("pump-6.b64", params(pairs(HTTPS="off")), stdin(file("pump-6.b64")))
		another request within    | 400 badRequest:body-length ended 2 times|enroll("pump-6.b64", record(STDIN, file("pump-6.b64")[:50]), begin(2), params(id=2), stdin(file("pump-6.b64")[50:]))
		abort in the body         | 400 badRequest:body-length|enroll("pump-6.b64", record(STDIN, file("pump-6.b64")[:50]), record(ABORT))
		another version           | 400 badRequest:body-length|enroll("pump-6.b64", record(STDIN, file("pump-6.b64"), version=2), stdin())
		half a body               | 400 badRequest:body-length|enroll("pump-6.b64", stdin(file("pump-6.b64")[:50]))
		twice the body            | 400 badRequest:body-length|enroll("pump-6.b64", stdin(file("pump-6.b64")[:-9] + file("pump-6.b64")), CONTENT_LENGTH="50")
		65535 octets and padding  | 413 badRequest:body-size|post(b"A" * 131070, stdin(b"A" * 131070, padding=255))
		no end of the body        | 413 badRequest:body-size|(post(b"A" * 99999999) if n == 0 else x for n, x in enumerate(endless(record(STDIN, b"A" * 65535))))
	END
}

@test "F3 the log hears of it, but not more than once a second" {
	local since i
	since=$(wc -l <"$LOG")
	python3 - "$(worker_socket)" <<-'END'
		import socket, sys
		for i in range(500):
		    s = socket.socket(socket.AF_UNIX)
		    s.connect(sys.argv[1])
		    s.sendall(b"GET / HTTP/1.1\r\n\r\n")
		    s.settimeout(5)
		    try:
		        assert s.recv(1) == b""
		    except ConnectionResetError:
		        pass
		    s.close()
	END
	i=$(tail -n "+$((since + 1))" "$LOG" | jq -r 'select(.event == "fastcgi") | .message' | wc -l)
	assert [ "$i" -ge 1 ]
	assert [ "$i" -le 6 ]
}

@test "F3 plain CGI: variables are held to the same rules" {
	local name value
	for value in REMOTE_ADDR=$'192.0.2.7\n{}' SSL_CIPHER=$'\e[2J' HTTP_USER_AGENT=$'x\r\ny' "REMOTE_ADDR=$(printf 'x%.0s' {1..5000})"; do
		cgi GET /cacerts "$value" </dev/null
		assert_refused 400 '^badRequest:parameter: RFC 3875 4\.1: '
	done
	for name in HTTPS SSL_CLIENT_CERT HTTP_AUTHORIZATION; do
		python3 - "$E2E/bin/est.fcgi" "$EST_CONFIG" "$name" >answer <<-'END'
			import ctypes, os, sys
			given = [f"EST_CONFIG={sys.argv[2]}", "REQUEST_METHOD=GET", "SCRIPT_NAME=/.well-known/est", "PATH_INFO=/cacerts",
			         "HTTPS=on", f"{sys.argv[3]}=off", f"{sys.argv[3]}=on"]
			null = os.open("/dev/null", os.O_RDONLY)
			os.dup2(null, 0)
			strings = (ctypes.c_char_p * (len(given) + 1))(*[g.encode() for g in given], None)
			ctypes.CDLL(None).execve(sys.argv[1].encode(), (ctypes.c_char_p * 2)(b"est.fcgi", None), strings)
		END
		assert grep -q '^Status: 400' answer
		assert grep -q '^badRequest:parameter: ' answer
	done
}
