# wire.bash - requests to an instance and assertions about its answers.
# shellcheck shell=bash disable=SC2034,SC2238 # what the tests use; head is a file

PASSWORD=CANARY-pump-7c1d # in no log: logging.bats
USER_UTF8=ünïcode
PASSWORD_UTF8=CANARY:ü:€:x

# Run by root it becomes the workers' user, and LeakSanitizer cannot look into a process that changed its user.
est_admin() { ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 "$EST_BUILD/est-admin" -c "$EST_CONFIG" "$@"; }
est_client() { "$EST_BUILD/est-client" "$@"; }

rows() { est_admin --json cert list --limit 100000 | wc -l; }

# --- keys and requests ---

key() { # TYPE FILE
	case $1 in
	P-*) openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$1" -out "$2" ;;
	RSA-*) openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:${1#RSA-}" -out "$2" ;;
	*) openssl genpkey -algorithm "$1" -out "$2" ;;
	esac
}

csr() { # KEY SUBJECT [SAN [OPTION of openssl req...]]: DER on standard output
	local san=()
	if [ -n "${3-}" ]; then san=(-addext "subjectAltName=$3"); fi
	openssl req -new -key "$1" -subj "$2" "${san[@]}" -outform DER "${@:4}"
}

b64() { openssl base64 -in "${1:--}"; }

# shellcheck disable=SC2001 # what a match was is not to be had by ${variable//...} everywhere
unhex() { printf '%b' "$(sed 's/../\\x&/g' <<<"$1")"; }

# A new key NAME.key and a request NAME.b64 for NAME.example.
request() { # NAME [SAN [TYPE]]
	key "${3:-P-256}" "$1.key"
	csr "$1.key" "/CN=$1.example" "${2-}" >"$1.csr"
	b64 "$1.csr" >"$1.b64"
}

# --- exchanges: CODE is the status; ./head and ./body hold the answer ---

http() { # PATH [OPTION of curl...]
	CODE=$(curl -sS --max-time 20 --cacert "$TRUST" -D head -o body -w '%{http_code}' "${@:2}" "$URL/$1") || CODE="curl exit $?"
	[ -e body ] || : >body
}

post() { # PATH FILE [OPTION of curl...]
	http "$1" -H 'Content-Type: application/pkcs10' --data-binary @"$2" "${@:3}"
}

# As the user who may ask for any name.
enroll() { # FILE [LABEL]
	post "${2:+$2/}simpleenroll" "$1" -u "any:$PASSWORD"
}

# est.fcgi as a plain CGI program: the web server's part is played by the arguments. The body is standard input. What the
# clock says is up to at_time().
AT=()
cgi() { # METHOD PATH [NAME=VALUE...]
	local as=()
	if [ "$(id -u)" = 0 ]; then as=(setpriv --reuid "$WEB_USER" --regid "$WEB_USER" --clear-groups); fi
	(
		echo "$BASHPID" >cgi.pid
		exec env -i PATH="$PATH" ASAN_OPTIONS="$ASAN_OPTIONS" UBSAN_OPTIONS="$UBSAN_OPTIONS" EST_CONFIG="$EST_CONFIG" \
			GATEWAY_INTERFACE=CGI/1.1 SERVER_PROTOCOL=HTTP/1.1 HTTPS=on REMOTE_ADDR=127.0.0.1 REQUEST_METHOD="$1" \
			SCRIPT_NAME=/.well-known/est PATH_INFO="$2" "${@:3}" \
			"${as[@]}" env "${AT[@]}" "$E2E/bin/est.fcgi"
	) >answer
	# The sandbox keeps libfaketime from taking them away.
	[ ${#AT[@]} = 0 ] || rm -f "/dev/shm/faketime_shm_$(cat cgi.pid)" "/dev/shm/sem.faketime_sem_$(cat cgi.pid)"
	sed '/^\r*$/q' answer >head
	sed '1,/^\r*$/d' answer >body
	CODE=$(header Status)
	CODE=${CODE%% *}
	: "${CODE:=200}"
}

# As post(), but by the plain CGI program: NAME=VALUE are what the web server says of the TLS session.
cgi_post() { # PATH FILE [NAME=VALUE...]
	cgi POST "/$1" CONTENT_TYPE=application/pkcs10 "${@:3}" <"$2"
}

basic() { # [USER]: the CGI variable of its password
	printf 'HTTP_AUTHORIZATION=Basic %s' "$(printf '%s:%s' "${1:-any}" "$PASSWORD" | base64 -w 0)"
}

# The CGI variables of a client certificate that the web server has verified.
by_certificate() { # FILE
	BY=(SSL_CLIENT_VERIFY=SUCCESS "SSL_CLIENT_CERT=$(openssl x509 -in "$1")")
}

# From here on cgi() runs at another time: an OFFSET as in "+95d", or now.
at_time() { # OFFSET
	local library
	AT=()
	[ "$1" != now ] || return 0
	for library in /usr/lib/*/faketime/libfaketime.so.1; do :; done
	[ -e "$library" ] || fail 'the package faketime is not installed'
	AT=(LD_PRELOAD="$library" FAKETIME="$1" DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1
		ASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0")
}

header() { # NAME: its value in the last answer of ./head
	tr -d '\r' <head | awk -v name="${1,,}" '/^HTTP\// { value = "" }
		{ at = index($0, ":") } at && tolower(substr($0, 1, at - 1)) == name { value = substr($0, at + 2) } END { print value }'
}

# --- answers ---

# The certificates of ./body as PEM.
certificates() { base64 -d body | openssl pkcs7 -inform DER -print_certs | sed -n '/^-----BEGIN /,/^-----END /p'; }

certificate() { # FILE: the one certificate of ./body
	certificates >"$1"
	assert_equal "$(grep -c BEGIN "$1")" 1
}

# The two parts of a serverkeygen answer (RFC 7030 4.4.2), by Python's MIME parser and after the framing was held against
# RFC 2046 octet for octet: ./part.1 and ./part.2 decoded, their media types in ./part.1.type and ./part.2.type.
parts() {
	header Content-Type >type
	header Content-Length >length
	run -0 python3 - <<-'END'
		import base64, email, email.policy, re
		media, body = open("type").read().strip(), open("body", "rb").read()
		assert int(open("length").read()) == len(body), "Content-Length"
		boundary = re.fullmatch(r"multipart/mixed; boundary=([A-Za-z0-9_-]{1,70})", media)
		assert boundary, media
		mark = b"--" + boundary[1].encode()
		framed = re.fullmatch(
		    re.escape(mark) + rb"\r\n(.*)\r\n" + re.escape(mark) + rb"\r\n(.*)\r\n" + re.escape(mark) + rb"--\r\n", body, re.S)
		assert framed, body[:300]
		assert body.count(mark) == 3, "the boundary is in a part"
		for part in framed.groups():
		    head, blank, content = part.partition(b"\r\n\r\n")
		    assert blank and re.fullmatch(rb"[A-Za-z-]+: [^\r\n]+(\r\n[A-Za-z-]+: [^\r\n]+)*", head), head
		    assert re.fullmatch(rb"([A-Za-z0-9+/=]{1,64}\r?\n?)+", content), content[:80]
		message = email.message_from_bytes(b"Content-Type: " + media.encode() + b"\r\n\r\n" + body)
		assert not message.defects and message.is_multipart(), message.defects
		pieces = message.get_payload()
		assert len(pieces) == 2 and not (message.preamble or "").strip() and not (message.epilogue or "").strip()
		for i, piece in enumerate(pieces, 1):
		    assert not piece.defects, piece.defects
		    assert piece["Content-Transfer-Encoding"] == "base64", piece.items()
		    octets = base64.b64decode(re.sub(rb"[\r\n]", b"", piece.get_payload().encode()), validate=True)
		    assert octets == piece.get_payload(decode=True)
		    open(f"part.{i}", "wb").write(octets)
		    open(f"part.{i}.type", "w").write(piece["Content-Type"])
	END
}

# The parts again: a key as it is, ./generated.key, and its certificate, ./issued.pem.
plain_parts() {
	assert_equal "$CODE: $(head -c 300 body)" "200: $(head -c 300 body)"
	parts
	assert_equal "$(cat part.1.type)" application/pkcs8
	# PrivateKeyInfo (RFC 5958): version 0 and an AlgorithmIdentifier, no RSAPrivateKey or ECPrivateKey.
	run -0 openssl asn1parse -inform DER -in part.1
	assert_line -n 1 --regexp 'd=1.*INTEGER *:00$'
	assert_line -n 2 --regexp 'd=1.*SEQUENCE'
	assert_line -n 3 --regexp 'd=2.*OBJECT'
	run -0 openssl pkey -inform DER -in part.1 -check -out generated.key
	generated_certificate
}

# ./part.2 is the certificate of ./generated.key: ./issued.pem.
generated_certificate() {
	assert_equal "$(cat part.2.type)" 'application/pkcs7-mime; smime-type=certs-only'
	openssl pkcs7 -inform DER -in part.2 -print_certs | sed -n '/^-----BEGIN /,/^-----END /p' >issued.pem
	assert_equal "$(grep -c BEGIN issued.pem)" 1
	assert_equal "$(spki issued.pem)" "$(openssl pkey -in generated.key -pubout)"
	run -0 openssl verify -x509_strict -CAfile "$TRUST" -untrusted "$E2E/est/devices.pem" issued.pem
}

# ./part.1 is an EnvelopedData around a SignedData around a key (RFC 7030 4.4.2), which OPTIONS of openssl cms open:
# ./generated.key; what openssl prints of the two is in ./envelope.txt and ./signed.txt.
opened_parts() { # OPTION...
	assert_equal "$CODE: $(head -c 300 body)" "200: $(head -c 300 body)"
	parts
	assert_equal "$(cat part.1.type)" 'application/pkcs7-mime; smime-type=server-generated-key'
	openssl cms -cmsout -print -inform DER -in part.1 >envelope.txt
	run -0 openssl cms -decrypt -binary -inform DER -in part.1 -out signed.content "$@"
	# What is enveloped is the SignedData alone (RFC 5652 6.1, 5): its ContentInfo is put around it again.
	run -0 python3 - <<-'END'
		def tlv(tag, content):
		    n = len(content)
		    size = n.to_bytes((n.bit_length() + 7) // 8, "big")
		    return bytes([tag]) + (bytes([n]) if n < 128 else bytes([0x80 | len(size)]) + size) + content
		signed = open("signed.content", "rb").read()
		assert signed[0] == 0x30 and not b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" in signed[:16], "a ContentInfo"
		info = tlv(0x30, bytes.fromhex("06092a864886f70d010702") + tlv(0xa0, signed))
		open("signed.der", "wb").write(info)
	END
	openssl cms -cmsout -print -inform DER -in signed.der >signed.txt
	assert grep -q 'eContentType: .*2\.16\.840\.1\.101\.2\.1\.2\.78\.5' signed.txt
	run -0 openssl cms -verify -binary -inform DER -in signed.der -CAfile "$TRUST" -purpose any -signer signer.pem -out package.der
	# AsymmetricKeyPackage is a SEQUENCE OF OneAsymmetricKey (RFC 5958 2).
	run -0 python3 - <<-'END'
		package = open("package.der", "rb").read()
		assert package[0] == 0x30
		skip = 2 + (package[1] & 0x7f if package[1] & 0x80 else 0)
		key = package[skip:]
		skip = 2 + (key[1] & 0x7f if key[1] & 0x80 else 0)
		length = int.from_bytes(key[2:skip], "big") if skip > 2 else key[1]
		assert skip + length == len(key), "more than one key"
		open("key.der", "wb").write(key)
	END
	run -0 openssl pkey -inform DER -in key.der -check -out generated.key
	generated_certificate
}

serial() { openssl x509 -in "$1" -noout -serial | tr A-F a-f | sed 's/serial=//'; }
names() { openssl x509 -in "$1" -noout -ext subjectAltName | sed -n '$s/^ *//p'; }
spki() { openssl x509 -in "$1" -noout -pubkey; }

# The newest certificate of the answer is good, issued for KEY and accepted by strict verification against the root.
assert_issued() { # KEY
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	assert_equal "$(header Content-Type)" 'application/pkcs7-mime; smime-type=certs-only'
	certificate issued.pem
	assert_equal "$(spki issued.pem)" "$(openssl pkey -in "$1" -pubout)"
	run -0 openssl verify -x509_strict -purpose sslclient -CAfile "$TRUST" -untrusted "$E2E/est/devices.pem" issued.pem
}

# The answer is a refusal with every header that its status demands and a reason in plain words that fits.
assert_refused() { # CODE [PATTERN]
	assert_equal "$CODE" "$1"
	assert_equal "$(header Content-Length)" "$(wc -c <body)"
	assert_equal "$(header Content-Type)" 'text/plain; charset=utf-8'
	assert_equal "$(header Content-Transfer-Encoding)" ''
	case $1 in
	401) assert_regex "$(header WWW-Authenticate)" '^Basic realm="[^"]+", charset="UTF-8"$' ;;
	405) assert_regex "$(header Allow)" '[A-Z]' ;;
	503) assert_regex "$(header Retry-After)" '^[1-9][0-9]*$' ;;
	esac
	assert_regex "$(cat body)" '^[A-Za-z]+:[0-9a-z-]+: .' # the code (est-codes(7)) ahead of the reason
	assert_regex "$(cat body)" "${2:-[a-z][a-z]}"
	if grep -qE "$E2E|\.c:[0-9]|/state" body; then fail "the reason tells about our files: $(cat body)"; fi
}
