#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# variables.bats - what est.fcgi makes of the variables of a web server: T-01, T-21, T-22, H-18 and the readings of
# webservers.md that no server of ours produces. est.fcgi runs as a plain CGI program, the test is its server.

load instance

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
