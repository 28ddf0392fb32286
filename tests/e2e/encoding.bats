#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# encoding.bats - base64 in both directions, and what else a body may be: E-01 to E-12.

load instance

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# The same request in another form is the same request: it gets the same certificate (S-16).
same() { # WHAT FILE [OPTION of curl...]
	post simpleenroll "$2" -u "pump:$PASSWORD" "${@:3}"
	assert_equal "$1: $CODE" "$1: 200"
	certificate form.pem
	if [ -e first.pem ]; then
		assert_equal "$1: $(cat form.pem)" "$1: $(cat first.pem)"
	else
		mv form.pem first.pem
	fi
}

# Refused with a status and a reason, and nothing was issued.
refused() { # CODE WHAT FILE [PATTERN]
	post "${LABEL-}simpleenroll" "$3" -u "any:$PASSWORD"
	assert_equal "$2: $CODE" "$2: $1"
	assert_refused "$1" "${4-}"
}

@test "E-01 E-02 whatever Content-Transfer-Encoding says, the body is base64" {
	local value
	request pump-1
	same none pump-1.b64
	for value in base64 BASE64 Base64 7bit 8bit binary quoted-printable x-unknown ''; do
		same "$value" pump-1.b64 -H "Content-Transfer-Encoding: $value"
	done
}

@test "E-03 E-04 white space anywhere, and lines of any length" {
	request pump-2
	same '64 columns' pump-2.b64
	tr -d '\n' <pump-2.b64 >form && same 'one line without its end' form
	base64 -w 76 pump-2.csr >form && same '76 columns' form
	base64 -w 1 pump-2.csr >form && same '1 column' form
	sed 's/$/\r/' pump-2.b64 >form && same 'CRLF' form
	tr '\n' '\r' <pump-2.b64 >form && same 'CR' form
	sed 's/\(.\{3\}\)/\1 \t/g' pump-2.b64 >form && same 'blanks and tabs' form
	(printf '\n\r\n \t' && cat pump-2.b64 && printf '\n\n \r\n') >form && same 'blank lines around' form
	base64 -w 8192 pump-2.csr >form && same 'a line of 8 KiB' form
	(printf '%60000s' '' && cat pump-2.b64) >form && same '60 kB of blanks' form
}

@test "E-05 answers have 64 columns, LF, and exactly one LF at the end" {
	http cacerts
	assert_equal "$(header Content-Transfer-Encoding)" base64
	run -1 grep -qE '.{65}' body
	run -1 grep -q $'\r' body
	assert_equal "$(head -n -1 body | grep -vcE '^[A-Za-z0-9+/]{64}$')" 0
	assert_equal "$(tail -c 2 body | od -An -tx1 | tr -d ' ' | sed 's/^..//')" 0a
	assert_not_equal "$(tail -c 2 body | od -An -tx1 | tr -d ' ')" 0a0a
	assert_equal "$(openssl base64 -d -in body | openssl base64 | cksum)" "$(cksum <body)"
	request pump-3
	post simpleenroll pump-3.b64 -u "pump:$PASSWORD"
	assert_equal "$(header Content-Transfer-Encoding)" base64
	assert_equal "$(openssl base64 -d -in body | openssl base64 | cksum)" "$(cksum <body)"
}

@test "E-05 without User-Agent the answer is one line and its LF" {
	http cacerts
	mv body wrapped
	http cacerts -H 'User-Agent:'
	assert_equal "$(wc -l <body)" 1
	assert_equal "$(cksum <body)" "$( (tr -d '\n' <wrapped && echo) | cksum)"
	request pump-4
	post simpleenroll pump-4.b64 -u "pump:$PASSWORD" -H 'User-Agent:'
	assert_issued pump-4.key
	assert_equal "$(wc -l <body)" 1
	http cacerts -A x
	assert_equal "$(cksum <body)" "$(cksum <wrapped)"
}

@test "E-06 what is not base64 is 400 and nothing is issued" {
	local before
	request pump-5
	before=$(rows)
	tr -d '\n' <pump-5.b64 >one
	printf 'AAAA=AAA' >bad && refused 400 'data behind padding' bad '^badRequest:base64: '
	(cat one && printf 'AAAA') | sed 's/=*AAAA$/==AAAA/' >bad && refused 400 'a request and data behind padding' bad '^badRequest:base64: '
	(printf '%s' '-_' && cat one) >bad && refused 400 'URL-safe alphabet' bad '^badRequest:base64: '
	printf '====' >bad && refused 400 'only padding' bad '^badRequest:base64: '
	: >bad && refused 400 'no body' bad '^badRequest:body-empty: '
	printf ' \r\n\t' >bad && refused 400 'only blanks' bad '^badRequest:base64: '
	(cat one && printf '\0') >bad && refused 400 'a NUL behind' bad '^badRequest:base64: '
	(head -c 10 one && printf '\0' && tail -c +11 one) >bad && refused 400 'a NUL within' bad '^badRequest:base64: '
	(head -c 10 one && printf '*' && tail -c +11 one) >bad && refused 400 'another character within' bad '^badRequest:base64: '
	(printf '\xef\xbb\xbf' && cat one) >bad && refused 400 'a byte order mark' bad '^badRequest:base64: '
	printf 'MIIB' | head -c 3 >bad && refused 400 'a group cut short' bad '^badRequest:base64: '
	printf 'MIIB=' >bad && refused 400 'padding that fits nothing' bad '^badRequest:base64: '
	printf 'A===' >bad && refused 400 'three signs of padding' bad '^badRequest:base64: '
	echo '{"csr":"MIIB"}' >bad && refused 400 'JSON' bad '^badRequest:base64: '
	assert_equal "$(rows)" "$before"
}

@test "E-06 bits that padding hides are zero" {
	# "MA==" and "MB==" decode to the same byte for lenient decoders; a request of length 3n+1 makes the case.
	local n=0
	key P-256 pad.key
	while :; do
		csr pad.key "/CN=pad$(printf 'x%.0s' $(seq 0 $n))" >pad.csr
		[ $(($(wc -c <pad.csr) % 3)) != 1 ] || break
		n=$((n + 1))
	done
	base64 -w 0 pad.csr | sed 's/A==$/B==/; s/Q==$/R==/; s/g==$/h==/; s/w==$/x==/' >bad
	refused 400 'padding bits' bad '^badRequest:base64: '
}

@test "E-07 PEM armour is tolerated where the label says so" {
	request pump-6
	openssl req -inform DER -in pump-6.csr -out pem
	same base64 pump-6.b64
	same PEM pem
	sed 's/BEGIN CERT/BEGIN NEW CERT/; s/END CERT/END NEW CERT/' pem >new && same 'NEW' new
	sed 's/$/\r/' pem >crlf && same 'PEM with CRLF' crlf
	(echo && cat pem && echo) >blank && same 'blank lines around PEM' blank
	LABEL=strict/ refused 400 'PEM to the strict label' pem '^badRequest:body-form: '
	post strict/simpleenroll pump-6.b64 -u "any:$PASSWORD"
	assert_issued pump-6.key
}

@test "E-07 other or broken armour is refused" {
	request pump-7
	openssl req -inform DER -in pump-7.csr -out pem
	sed 's/CERTIFICATE REQUEST/CERTIFICATE/' pem >bad && refused 400 'armour of a certificate' bad '^badRequest:body-form: '
	sed '$d' pem >bad && refused 400 'no end' bad '^badRequest:body-form: '
	cat pem pem >bad && refused 400 'two requests' bad '^badRequest:body-form: '
	sed 's/END CERTIFICATE/END NEW CERTIFICATE/' pem >bad && refused 400 'ends that differ' bad '^badRequest:body-form: '
}

@test "E-08 raw DER only where the label says so" {
	request pump-8
	refused 400 'DER' pump-8.csr '^badRequest:body-form: '
	LABEL=strict/ refused 400 'DER to the strict label' pump-8.csr '^badRequest:body-form: '
	post lenient/simpleenroll pump-8.csr -u "any:$PASSWORD"
	assert_issued pump-8.key
	post lenient/simpleenroll pump-8.b64 -u "any:$PASSWORD"
	assert_issued pump-8.key
	LABEL=raw/ refused 400 'base64 to the raw label' pump-8.b64 '^badRequest:body-form: '
	post raw/simpleenroll pump-8.csr -u "any:$PASSWORD"
	assert_issued pump-8.key
}

@test "E-09 base64 of PEM is named as what it is" {
	request pump-9
	openssl req -inform DER -in pump-9.csr | base64 >double
	refused 400 'base64 of PEM' double '^badRequest:body-form: .*(PEM|twice|double)'
	base64 pump-9.b64 >double
	refused 400 'base64 of base64' double '^badCSR:der: '
}

@test "E-10 one request in DER, to its last byte" {
	local before
	request pump-10
	before=$(rows)
	(cat pump-10.csr && printf '\0') | b64 >bad && refused 400 'a trailing byte' bad
	(cat pump-10.csr pump-10.csr) | b64 >bad && refused 400 'two requests' bad
	head -c -1 pump-10.csr | b64 >bad && refused 400 'cut by one' bad
	head -c 20 pump-10.csr | b64 >bad && refused 400 'cut by much' bad
	printf '\x30\x80' | cat - <(tail -c +5 pump-10.csr) <(printf '\0\0') | b64 >bad && refused 400 'indefinite length' bad
	printf '\x30\x84\x00\x00%b' "$(printf '\\x%02x' $(($(wc -c <pump-10.csr) >> 8)) $(($(wc -c <pump-10.csr) & 255)))" |
		cat - <(tail -c +4 pump-10.csr) | b64 >bad && refused 400 'a length with zeros in front' bad
	printf '\x30\x84\xff\xff\xff\xff\x30' | b64 >bad && refused 400 '4 GiB' bad
	head -c 200 /dev/zero | b64 >bad && refused 400 'zeros' bad
	head -c 200 /dev/zero | tr '\0' '\377' | b64 >bad && refused 400 'ones' bad
	openssl x509 -in "$E2E/est/root.pem" -outform DER | b64 >bad && refused 400 'a certificate' bad
	assert_equal "$(rows)" "$before"
}

@test "E-10 deep nesting is refused at once" {
	local start=${EPOCHREALTIME/./}
	for ((i = 0; i < 60; i++)); do printf '\x30\x82%b' "$(printf '\\x%02x' $(((240 - 4 * i) >> 8)) $(((240 - 4 * i) & 255)))"; done | b64 >bad
	refused 400 '60 deep' bad
	yes $'0\x80' | head -n 20000 | tr -d '\n' | b64 >bad
	refused 400 '20000 deep' bad
	assert [ $((${EPOCHREALTIME/./} - start)) -lt 3000000 ]
}

@test "E-11 the media type is compared without case and parameters" {
	local type
	request pump-11
	for type in application/pkcs10 Application/PKCS10 'application/pkcs10; charset=utf-8' 'application/pkcs10;name=smime.p10' \
		'application/pkcs10 ; x="a;b"'; do
		http simpleenroll -H "Content-Type: $type" --data-binary @pump-11.b64 -u "pump:$PASSWORD"
		assert_equal "$type: $CODE" "$type: 200"
	done
}

@test "E-11 another media type, or none, is 415" {
	local type before
	request pump-12
	before=$(rows)
	for type in application/pkcs10x application/pkcs1 text/plain application/x-www-form-urlencoded application/pkcs7-mime \
		application 'x; application/pkcs10' application/x-pkcs10 'application/ pkcs10'; do
		http simpleenroll -H "Content-Type: $type" --data-binary @pump-12.b64 -u "pump:$PASSWORD"
		assert_equal "$type: $CODE" "$type: 415"
		assert_refused 415 application/pkcs10
	done
	http simpleenroll -H 'Content-Type:' --data-binary @pump-12.b64 -u "pump:$PASSWORD"
	assert_refused 415 application/pkcs10
	assert_equal "$(rows)" "$before"
}

@test "E-12 70 KB are 413 and the connection stays sane" {
	local before
	request pump-13
	before=$(rows)
	(cat pump-13.b64 && printf '%70000s' '') >big
	refused 413 '70 KB' big '^badRequest:body-size: '
	run -0 curl -sS --cacert "$TRUST" -o /dev/null -w '%{http_code}\n' -u "pump:$PASSWORD" \
		-H 'Content-Type: application/pkcs10' --data-binary @big "$URL/simpleenroll" \
		--next -sS --cacert "$TRUST" -o /dev/null -w '%{http_code}\n' "$URL/cacerts"
	assert_output $'413\n200'
	assert_equal "$(rows)" "$before"
	head -c 900000 /dev/zero >big
	refused 413 '900 KB' big
	post simpleenroll big
	assert_regex "$CODE" '^4(01|13)$' # before who asks is known, too
}
