#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2153,SC2238 # every test is a subshell of its own; head is a file
# trust.bats - F7 of security-cases: client certificates that prove nothing, or not enough, each refused for its own cause;
# by the program alone, which is told every certificate, and over TLS, where the web server has a say before. F8.

load instance

instance_config() {
	local either='"basic", "certificate"'
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; },
		  { name = "second"; certificate = "../second/devices.pem"; key = "../second/devices.key"; } );
		profile = ( { name = "device"; } );
		label = (
		$(label '' devices device "$either" 'trust_anchors = [ "../anchors" ];'),
		$(label other devices device "$either"),
		$(label second second device "$either") );
	END
}

# CAs that the label believes: a maker's, one with an RSA key, and one that may have names of acme.example only.
foreign_root() { # NAME KEY [OPTION of openssl req...]
	key "$2" "$E2E/keys/$1.key"
	openssl req -x509 -new -key "$E2E/keys/$1.key" -days 1000 -subj "/O=Foreign/CN=$1" -addext basicConstraints=critical,CA:TRUE \
		-addext keyUsage=critical,keyCertSign,cRLSign "${@:3}" -out "$E2E/keys/$1.pem"
}

instance_files() {
	mkdir "$E2E/anchors"
	foreign_root rsa RSA-2048
	foreign_root narrow P-256 -addext 'nameConstraints=critical,permitted;DNS:acme.example'
	cp "$E2E/keys"/{maker,rsa,narrow}.pem "$E2E/anchors/"
}

eval "$(declare -f instance_make | sed '1s/instance_make/usual_make/')"
instance_make() {
	usual_make "$@"
	cat "$E2E/keys"/{rsa,narrow}.pem >>"$E2E/client-cas.pem"
}

# A certificate for $key and the names of the device, of any CA and with any date: $E2E/cases/NAME.pem.
signed() { # NAME CERTIFICATE KEY [EXTENSIONS [START END [DIGEST]]]
	local dir=$E2E/cases
	: >index
	openssl rand -hex 16 | sed 's/^./1/' >number
	printf '[ca]\ndefault_ca=c\n[c]\ndatabase=index\nserial=number\nnew_certs_dir=.\ndefault_md=%s\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n[e]\n%s\n' \
		"${7:-sha256}" "${4:-extendedKeyUsage=clientAuth}" >ca.conf
	openssl ca -batch -config ca.conf -cert "$2" -keyfile "$3" -notext -in <(openssl req -new -key "$key" -subj "${subject:-/CN=pump-1.example}") \
		-out "$dir/$1.pem" -extensions e -startdate "${5:-200101000000Z}" -enddate "${6:-400101000000Z}" 2>/dev/null
	cp "$key" "$dir/$1.key"
}

# One that we issue ourselves: $E2E/cases/NAME.pem.
issued() { # NAME LABEL
	csr "$key" /CN=pump-1.example | b64 >issued.b64
	enroll issued.b64 "$2"
	assert_equal "$CODE" 200
	certificate "$E2E/cases/$1.pem"
	cp "$key" "$E2E/cases/$1.key"
}

make_cases() {
	local keys=$E2E/keys dir=$E2E/cases ours=$E2E/est/devices.pem ours_key=$E2E/est/devices.key key=$E2E/keys/p.key
	mkdir "$dir"
	key P-256 "$key"
	issued good ''
	issued other-label other
	issued other-ca second
	key P-256 "$keys/p2.key"
	key=$keys/p2.key issued revoked ''
	est_admin cert revoke "$(serial "$dir/revoked.pem")" --reason cessationOfOperation
	signed unknown "$ours" "$ours_key"
	signed expired "$ours" "$ours_key" '' 200101000000Z 210101000000Z
	signed early "$ours" "$ours_key" '' 390101000000Z 400101000000Z
	signed purpose "$ours" "$ours_key" extendedKeyUsage=serverAuth
	signed critical "$keys/maker.pem" "$keys/maker.key" 'nsComment=critical,unknown'
	signed md5 "$keys/rsa.pem" "$keys/rsa.key" '' '' '' md5
	signed sha1 "$keys/rsa.pem" "$keys/rsa.key" '' '' '' sha1
	signed not-permitted "$keys/narrow.pem" "$keys/narrow.key" subjectAltName=DNS:pump-1.example
	subject=/CN=pump-2.example signed child "$dir/good.pem" "$key"
	cat "$dir/good.pem" >>"$dir/child.pem"
	openssl req -x509 -new -key "$keys/p2.key" -subj "$(openssl x509 -in "$ours" -noout -subject -nameopt compat | sed 's/subject=//')" \
		-days 99 -out namesake.pem
	signed same-issuer namesake.pem "$keys/p2.key"
	signed same-issuer-too namesake.pem "$keys/p2.key" authorityKeyIdentifier=none
	openssl req -x509 -new -key "$key" -subj /CN=pump-1.example -days 99 -out "$dir/self.pem"
	cp "$key" "$dir/self.key"
	cp "$ours" "$dir/ca.pem"
	cp "$ours_key" "$dir/ca.key"
	for bits in 512 1024; do
		openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:$bits" -out "$keys/$bits.key"
		key=$keys/$bits.key signed "rsa-$bits" "$keys/rsa.pem" "$keys/rsa.key"
	done
}

setup_file() {
	instance_start
	(cd "$BATS_FILE_TMPDIR" && make_cases)
}
teardown_file() { instance_stop; }

# What the program says of each, where it is told all: status, code and reason. Before it what becomes of it over TLS, by
# lighttpd and by Apache with optional_no_ca: told; not told (-), as if there were none; no connection
# (none), or one of these two (shut). Nobody can sign a handshake with so short a key as RSA-512 (skip).
CASES='
expired         -    none 403 auth:certificate-expired   has expired
early           -    none 403 auth:certificate-early     not valid yet
purpose         -    none 403 auth:certificate-purpose   not for client authentication
ca              -    none 403 auth:certificate-purpose   a CA.s
revoked         told told 403 auth:certificate-revoked   cessationOfOperation
unknown         told told 403 auth:certificate-unknown   not in our store
other-label     told told 403 auth:certificate-label     label "other"
other-ca        told told 401 auth:certificate-untrusted issuer
same-issuer     -    told 401 auth:certificate-untrusted issuer
same-issuer-too shut none 401 auth:certificate-untrusted not signed by the CA that it names
self            -    told 401 auth:certificate-untrusted signed by itself
child           -    none 401 auth:certificate-untrusted one above it is not a CA.s
critical        -    none 401 auth:certificate-untrusted critical extension
md5             -    none 401 auth:certificate-untrusted MD5 or SHA-1
sha1            -    none 401 auth:certificate-untrusted MD5 or SHA-1
rsa-512         skip skip 401 auth:certificate-untrusted key is too weak
rsa-1024        -    none 401 auth:certificate-untrusted key is too weak
not-permitted   -    none 401 auth:certificate-untrusted name constraints
'

# Runs that with a case a time.
each() { # FUNCTION
	local name lighttpd apache status code reason count=0
	csr "$E2E/keys/p.key" /CN=pump-1.example | b64 >own.b64
	while read -r name lighttpd apache status code reason; do
		[ -n "$name" ] || continue
		"$1"
		count=$((count + 1))
	done <<<"$CASES"
	assert_equal "$count" 18
}

last() { tail -n 1 "$LOG" | jq -r "$1"; }

# What the log and the answer say; a 401 that asks for credentials is empty.
refused_so() { # WHAT
	assert_equal "$1: $CODE $(last .code)" "$1: $status $code"
	assert_regex "$1: $(last .reason)" "$reason"
	[ "$status" = 401 ] || assert_refused "$status" "^$code: .*$reason"
}

by_program() {
	local operation
	by_certificate "$E2E/cases/$name.pem"
	[ "$name" != child ] || BY+=("SSL_CLIENT_CERT_CHAIN_0=$(cat "$E2E/cases/good.pem")")
	for operation in simplereenroll simpleenroll; do
		cgi_post "$operation" own.b64 "${BY[@]}"
		refused_so "$name $operation"
	done
}

@test "F7 a certificate that proves nothing is refused for its own cause, for renewal and for enrollment" {
	local before
	before=$(rows)
	each by_program
	assert_equal "$(rows)" "$before"
}

over_tls() {
	local how=$apache
	[ "$SERVER" != lighttpd ] || how=$lighttpd
	[ "$how" != skip ] || return 0
	OPENSSL_CONF=$PWD/weak.conf post simplereenroll own.b64 --cert "$E2E/cases/$name.pem" --key "$E2E/cases/$name.key"
	case $how in
	told) refused_so "$name" ;;
	none) assert_regex "$name: $CODE" "^$name: curl exit (35|55|56)\$" ;; # an alert
	# lighttpd finds what OpenSSL said of the signature behind the next octets that it reads, or has read them all by then.
	shut) [ "$CODE" = 'curl exit 52' ] || [ "$CODE" = 'curl exit 56' ] || assert_equal "$CODE $(last .code)" '401 auth:missing' ;;
	-) assert_equal "$name: $CODE $(last .code)" "$name: 401 auth:missing" ;;
	esac
}

@test "F7 over TLS it is refused as well, by the web server or by us" {
	local before
	before=$(rows)
	# A client that takes weak keys and signatures of its own for good.
	printf 'openssl_conf=o\n[o]\nssl_conf=s\n[s]\nsystem_default=d\n[d]\nCipherString=DEFAULT@SECLEVEL=0\n' >weak.conf
	each over_tls
	assert_equal "$(rows)" "$before"
	post simplereenroll own.b64 --cert "$E2E/cases/good.pem" --key "$E2E/cases/good.key"
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
}

# A device with a name of its own: NAME.key, NAME.pem, and NAME.b64, its request.
device() { # NAME
	request "$1" "DNS:$1.example"
	enroll "$1.b64"
	assert_equal "$CODE" 200
	certificate "$1.pem"
}

@test "F8 a device's certificate is no leave to renew or enroll another, be it by the other's own request" {
	local operation before
	device pump-2
	device pump-3
	before=$(rows)
	key P-256 new.key
	csr new.key /CN=pump-3.example DNS:pump-3.example | b64 >theirs.b64
	csr new.key /CN=pump-2.example DNS:pump-2.example,DNS:pump-3.example | b64 >both.b64
	for operation in simplereenroll simpleenroll; do
		for file in pump-3.b64 theirs.b64 both.b64; do
			post "$operation" "$file" --cert pump-2.pem --key pump-2.key
			assert_refused 403 '^(renew:(subject|san)|auth:name): '
		done
	done
	assert_equal "$(rows)" "$before"
	run -0 est_admin cert show "$(serial pump-3.pem)"
	assert_line --regexp '^status +valid$'
	post simplereenroll pump-3.b64 --cert pump-3.pem --key pump-3.key
	assert_equal "$CODE" 200
}
