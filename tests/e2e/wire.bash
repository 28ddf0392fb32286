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

# est.fcgi as a plain CGI program: the web server's part is played by the arguments. The body is standard input.
cgi() { # METHOD PATH [NAME=VALUE...]
	local as=()
	if [ "$(id -u)" = 0 ]; then as=(setpriv --reuid "$WEB_USER" --regid "$WEB_USER" --clear-groups); fi
	env -i PATH="$PATH" ASAN_OPTIONS="$ASAN_OPTIONS" UBSAN_OPTIONS="$UBSAN_OPTIONS" EST_CONFIG="$EST_CONFIG" \
		GATEWAY_INTERFACE=CGI/1.1 SERVER_PROTOCOL=HTTP/1.1 HTTPS=on REMOTE_ADDR=127.0.0.1 REQUEST_METHOD="$1" \
		SCRIPT_NAME=/.well-known/est PATH_INFO="$2" "${@:3}" \
		"${as[@]}" "$E2E/bin/est.fcgi" >answer
	sed '/^\r*$/q' answer >head
	sed '1,/^\r*$/d' answer >body
	CODE=$(header Status)
	CODE=${CODE%% *}
	: "${CODE:=200}"
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
