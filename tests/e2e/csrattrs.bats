#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# csrattrs.bats - /csrattrs: A-01 to A-16. What a label hands out is held against RFC 8951 4 and RFC 9908 3 by a reader
# written for that; the published vectors are in vectors.bats.

load instance
load hostile

EKU_CLIENT=MCYwJAYJKoZIhvcNAQkOMRcwFTATBgNVHSUEDDAKBggrBgEFBQcDAg== # V18: id-ExtensionReq of one value
MAC=1.3.6.1.1.1.1.22

instance_config() {
	local either='"basic", "certificate"' label wanted
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; } );
		profile = ( { name = "device"; },
		  { name = "p384"; keys = [ "P-384" ]; },
		  { name = "rsa"; keys = [ "RSA-3072" ]; },
		  { name = "named"; keys = [ "P-256" ]; required = [ "serialNumber", "dns" ];
		    subject_fixed = [ "O=Pump Works" ]; } );
		label = (
	END
	while read -r label wanted; do
		label "$label" devices device "$either" "$wanted"
		echo ,
	done <<-END
		closed operations = [ "simpleenroll", "simplereenroll" ];
		nothing csrattrs_base64 = "MAA=";
		pop pop_required = true;
		popotp pop_required = true; challenge = "otp";
		mac csrattrs_require = [ "$MAC", "2.5.4.5", "1.2.840.113549.1.9.16.2.56" ];
		enforced csrattrs_require = [ "$MAC" ]; csrattrs_enforce = true;
		usage csrattrs_base64 = "$EKU_CLIENT"; csrattrs_enforce = true;
		lax csrattrs_base64 = "$EKU_CLIENT";
		rsa4096 csrattrs_base64 = "MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw=="; csrattrs_enforce = true; challenge = "ignore";
		der csrattrs_file = "../keys/csrattrs.der";
		text csrattrs_file = "../keys/csrattrs.b64";
	END
	cat <<-END
		$(label cert devices p384 '"certificate"'),
		$(label p384 devices p384 "$either" 'csrattrs = [ "list" ];'),
		$(label rsa devices rsa "$either"),
		$(label named devices named "$either"),
		$(label template devices named "$either" 'csrattrs = [ "template" ]; csrattrs_enforce = true;'),
		$(label both devices p384 "$either" 'csrattrs = [ "list", "template" ];'),
		$(label roomy devices device "$either" 'csrattrs = [ "template" ];'),
		$(label '' devices device "$either") );
	END
}

instance_files() {
	base64 -d <<<"$EKU_CLIENT" >"$E2E/keys/csrattrs.der"
	fold -w 20 <<<"$EKU_CLIENT" >"$E2E/keys/csrattrs.b64"
}

setup_file() { instance_start; }
teardown_file() { instance_stop; }

# Whether DER is a CsrAttrs of RFC 8951 4 and RFC 9908 3, a line for each of its members; false, with the cause, if not.
attributes() { # FILE
	python3 - "$1" <<-'END'
		import sys

		def members(octets):
		    at, found = 0, []
		    while at < len(octets):
		        start, tag, n = at, octets[at], octets[at + 1]
		        at += 2
		        if n & 0x80:
		            k = n & 0x7F
		            n = int.from_bytes(octets[at:at + k], "big")
		            assert k and n >= 128 and octets[at], "a length that is not DER"
		            at += k
		        assert at + n <= len(octets), "cut short"
		        found.append((tag, octets[at:at + n], octets[start:at + n]))
		        at += n
		    return found

		def oid(content):
		    numbers, n = [], 0
		    for octet in content:
		        n = n << 7 | octet & 0x7F
		        if not octet & 0x80:
		            numbers.append(n)
		            n = 0
		    first = min(numbers[0] // 40, 2)
		    return ".".join(map(str, [first, numbers[0] - 40 * first] + numbers[1:]))

		def only(what, found):
		    assert len(found) == 1, f"{what}: {len(found)}"
		    return found[0]

		def ordered(content):
		    values = members(content)
		    assert values, "an empty SET"
		    wholes = [whole for _, _, whole in values]
		    assert wholes == sorted(wholes), "a SET that is not sorted"
		    return values

		def attribute(content):
		    (tag, name, _), (kind, values, _) = members(content)
		    assert (tag, kind) == (6, 0x31), "no Attribute"
		    return oid(name), ordered(values)

		def extensions(value, valueless):
		    tag, content, _ = value
		    assert tag == 0x30, "Extensions is no SEQUENCE"
		    seen = set()
		    for tag, item, _ in members(content):
		        assert tag == 0x30, "an Extension is no SEQUENCE"
		        parts = members(item)
		        assert parts[0][0] == 6 and oid(parts[0][1]) not in seen, "an extension twice"
		        seen.add(oid(parts[0][1]))
		        rest = [(t, c) for t, c, _ in parts[1:]]
		        if rest and rest[0][0] == 1:
		            assert rest.pop(0)[1] == b"\xff"
		        assert [t for t, _ in rest] == [4] or (valueless and not rest), "an Extension without a value"
		    assert seen, "no Extension"
		    return sorted(seen)

		def template(value):
		    tag, content, _ = value
		    assert tag == 0x30
		    parts = members(content)
		    assert parts.pop(0)[2] == b"\x02\x01\x00", "the template's version"
		    print("template")
		    if parts[0][0] == 0x30:
		        print(" subject", parts[0][2].hex())
		        for tag, rdn, _ in members(parts.pop(0)[1]):
		            assert tag == 0x31 and members(rdn)
		    if parts[0][0] == 0xA0:
		        print(" key", parts.pop(0)[1].hex())
		    tag, content, _ = only("attributes of a template", parts)
		    assert tag == 0xA1, "attributes of a template are always there"
		    types = []
		    wholes = [whole for _, _, whole in members(content)]
		    assert wholes == sorted(wholes), "attributes of the template that are not sorted"
		    for tag, item, _ in members(content):
		        assert tag == 0x30
		        name, values = attribute(item)
		        types.append(name)
		        if name == EXTENSIONS:
		            print(" extensions", *extensions(only("Extensions", values), False))
		        elif name == EXTENSION_TEMPLATE:
		            print(" template", *extensions(only("ExtensionReqTemplate", values), True))
		        else:
		            print(" attribute", name)
		    assert types.count(EXTENSIONS) + types.count(EXTENSION_TEMPLATE) <= 1

		EXTENSIONS = "1.2.840.113549.1.9.14"
		TEMPLATE, EXTENSION_TEMPLATE = "1.2.840.113549.1.9.16.2.61", "1.2.840.113549.1.9.16.2.62"
		KEYS = {"1.2.840.10045.2.1": 6, "1.2.840.113549.1.1.1": 2}
		tag, content, whole = only("CsrAttrs", members(open(sys.argv[1], "rb").read()))
		assert tag == 0x30
		types = []
		for tag, content, whole in members(content):
		    if tag == 6:
		        print(oid(content))
		        continue
		    assert tag == 0x30, "neither OID nor Attribute"
		    name, values = attribute(content)
		    types.append(name)
		    if name == EXTENSIONS:
		        print("extensions", *extensions(only("Extensions", values), False))
		    elif name == TEMPLATE:
		        template(only("templates", values))
		    elif name in KEYS:
		        tag, content, whole = only("key types", values)
		        assert tag == KEYS[name], "the value of a key type"
		        print("key", name, oid(content) if tag == 6 else int.from_bytes(content, "big"))
		    else:
		        print("attribute", name)
		assert sum(t in KEYS for t in types) <= 1, "several key types"
		assert types.count(EXTENSIONS) <= 1 and types.count(TEMPLATE) <= 1
	END
}

# What a label hands out: ./der, and as lines in $output.
of_label() { # LABEL [OPTION of curl...]
	http "${1:+$1/}csrattrs" "${@:2}"
	assert_equal "$1: $CODE $(cat body)" "$1: 200 $(cat body)"
	assert_equal "$(header Content-Type)" application/csrattrs
	assert_equal "$(header Content-Transfer-Encoding)" base64
	assert_equal "$(header Content-Length)" "$(wc -c <body)"
	base64 -d body >der
	run -0 attributes der
}

der() { od -An -v -tx1 der | tr -d ' \n'; }

@test "A-01 A-02 H-03 nobody is asked who he is, GET and HEAD alike" {
	of_label p384
	of_label cert
	of_label p384 -u any:wrong
	of_label p384 --cert "$E2E/keys/device.pem" --key "$E2E/keys/device.key"
	mv head get
	http p384/csrattrs -I
	assert_equal "$CODE" 200
	assert_equal "$(grep -vi '^date' head | sort)" "$(grep -vi '^date' get | sort)"
	http p384/csrattrs -X POST -d x
	assert_refused 405
	assert_equal "$(header Allow)" 'GET, HEAD'
}

@test "A-03 204 without a body where nothing is demanded, 404 where the operation is off" {
	http csrattrs
	assert_equal "$CODE" 204
	assert_equal "$(wc -c <body)" 0
	assert [ "$(header Content-Length)" = '' ] || assert_equal "$(header Content-Length)" 0
	assert_equal "$(header Transfer-Encoding)" ''
	# An empty SEQUENCE says the same.
	http nothing/csrattrs
	assert_regex "$CODE $(cat body)" '^(204 |200 MAA=)$'
	http closed/csrattrs
	assert_refused 404
	http nowhere/csrattrs
	assert_equal "$CODE" 404
}

@test "E-05 the base64 is in lines of 64, for who has a User-Agent" {
	of_label p384
	run -1 grep -E '.{65}' body
	assert_equal "$(tail -c 1 body | od -An -tx1)" ' 0a'
	of_label p384 -A ''
	assert_equal "$(wc -l <body)" 1
}

@test "A-05 a single kind of key is listed, EC by its curve and RSA by its size, and such a request is taken" {
	of_label p384
	assert_regex "$(der)" 301206072a8648ce3d0201310706052b81040022
	assert_line 'key 1.2.840.10045.2.1 1.3.132.0.34'
	refute_line --partial rsaEncryption
	request pump-1 '' P-384
	csr pump-1.key /CN=pump-1.example '' -sha384 | b64 >pump-1.b64
	enroll pump-1.b64 p384
	assert_issued pump-1.key
	of_label rsa
	assert_regex "$(der)" 301106092a864886f70d010101310402020c00
	assert_line 'key 1.2.840.113549.1.1.1 3072'
	request pump-2
	enroll pump-2.b64 rsa
	assert_refused 400 '^badCSR:key-not-granted: '
	enroll pump-2.b64 p384
	assert_refused 400 '^badCSR:key-not-granted: '
}

@test "A-06 challengePassword is listed where requests have to be linked, estIdentityLinking where that is a secret" {
	local password=1.2.840.113549.1.9.7 linking=1.2.840.113549.1.9.16.2.58
	of_label pop
	assert_regex "$(der)" 06092a864886f70d010907
	assert_line $password
	of_label popotp
	assert_regex "$(der)" 060b2a864886f70d010910023a
	assert_line $linking
	refute_line $password
	of_label p384
	refute_line $password
	refute_line $linking
}

@test "A-07 A-09 what an operator lists is there, as bare OIDs" {
	of_label mac
	assert_line $MAC
	assert_line 2.5.4.5
	assert_line 1.2.840.113549.1.9.16.2.56
	assert_regex "$(der)" '06072b060101010116.*060355040|060355040.*06072b060101010116'
	assert_regex "$(der)" 060b2a864886f70d0109100238
}

@test "A-08 A-09 names that a profile requires are listed by their OID, not inside an extensionRequest" {
	of_label named
	assert_line 2.5.4.5
	assert_line 2.5.29.17
	assert_line 'key 1.2.840.10045.2.1 1.2.840.10045.3.1.7'
}

@test "A-10 A-11 A-12 the template of a profile" {
	local subject
	of_label template
	assert_line template
	refute_line --regexp '^[0-9]'
	assert_line ' key 301306072a8648ce3d020106082a8648ce3d030107' ||
		assert_line ' key 06072a8648ce3d020106082a8648ce3d030107'
	subject=$(sed -n 's/^ subject //p' <<<"$output")
	assert_regex "$subject" '310730050603550405' # a serialNumber to fill in
	assert_regex "$subject" "060355040a(0c|13)0a$(hex 'Pump Works')"
	assert_line --regexp '^ template .*2\.5\.29\.17'
	of_label roomy
	assert_line template
	refute_line --regexp '^ key'
}

@test "A-13 A-12 list and template together" {
	of_label both
	assert_line 'key 1.2.840.10045.2.1 1.3.132.0.34'
	assert_line template
	assert_line --regexp '^ key .*06052b81040022$'
}

@test "A-15 what is built stays below the 1024 octets of libest" {
	local label
	for label in p384 rsa named template both pop mac roomy; do
		of_label $label
		assert [ "$(wc -c <body)" -lt 1024 ]
	done
}

@test "A-15 the DER of an operator, out of est.conf or a file in DER or base64, is handed out as it is" {
	local label
	for label in usage der text; do
		of_label $label
		assert_equal "$label: $(base64 -w 0 der)" "$label: $EKU_CLIENT"
		assert_line 'extensions 2.5.29.37'
	done
}

@test "A-16 a label can enforce what it lists: an attribute" {
	request pump-3
	enroll pump-3.b64 enforced
	assert_refused 400 "^badCSR:attribute-missing: .*($MAC|macAddress)"
	ask enforced -t $MAC=16026161
	assert_issued odd.key
	ask mac -n unforced.example
	assert_issued odd.key # A-16: it need not
}

@test "A-16 a label can enforce what it lists: an extension with its value" {
	ask usage
	assert_refused 400 '^badCSR:attribute-missing: '
	ask usage -e "$(critical_extension 0603551d0f 03020780)"
	assert_refused 400 '^badCSR:attribute-missing: '
	ask usage -e "$(extension 0603551d25 "$(tlv 30 06082b06010505070302)")"
	assert_issued odd.key
	ask lax -n lax.example
	assert_issued odd.key
}

@test "A-16 a label can enforce what it lists: the key, and the challengePassword" {
	ask rsa4096 -c x
	assert_refused 400 '^badCSR:attribute-missing: '
	key RSA-2048 small.key
	make_csr -k small.key -c x | b64 >odd.b64
	enroll odd.b64 rsa4096
	assert_refused 400 '^badCSR:attribute-missing: '
	key RSA-4096 odd.key
	make_csr -k odd.key | b64 >odd.b64
	enroll odd.b64 rsa4096
	assert_refused 400 '^badCSR:attribute-missing: '
	make_csr -k odd.key -c x | b64 >odd.b64
	enroll odd.b64 rsa4096
	assert_issued odd.key
}

@test "A-16 a label can enforce its template" {
	local name serial dns
	name=$(cn "$(hex pump-4.example)") serial=$(rdn 0603550405 "$(hex 4711)" 13)
	dns=$(san "$(dns pump-4.example)")
	key P-256 odd.key
	ask template -N "$(tlv 30 "$name")" -e "$dns"
	assert_refused 400 '^badCSR:(attribute|name)-missing: '
	ask template -N "$(tlv 30 "$name" "$serial")"
	assert_refused 400 '^badCSR:(attribute|name)-missing: '
	ask template -N "$(tlv 30 "$name" "$serial" "$(rdn 060355040a "$(hex 'Pump Works')")")" -e "$dns"
	assert_issued odd.key
	run -0 openssl x509 -in issued.pem -noout -subject
	assert_output --partial 'Pump Works'
}

# est-admin check of a configuration with a label that has these settings.
with_settings() { # SETTINGS
	EST_CONFIG=$E2E/est/odd.conf
	cat >"$EST_CONFIG" <<-END
		$(sed '/^profile/,$d' "$E2E/est/est.conf")
		profile = ( { name = "device"; keys = [ "P-256" ]; } );
		label = ( $(label '' devices device '"basic"'),
		$(label odd devices device '"basic"' "$1") );
	END
	chmod a+r "$EST_CONFIG"
	line=$(grep -n 'name = "odd"' "$EST_CONFIG" | cut -d: -f1)
	run est_admin check
}

takes_settings() { # WHAT SETTINGS
	with_settings "$2"
	assert_equal "$1: $status $(grep FAIL <<<"$output")" "$1: 0 "
}

refuses_settings() { # WHAT SETTINGS
	with_settings "$2"
	assert_equal "$1: $status" "$1: 1"
	assert_output --partial "odd.conf:$line:"
}

refuses_der() { refuses_settings "$1" "csrattrs_base64 = \"$(unhex "$2" | base64 -w 0)\";"; } # WHAT HEX
takes_der() { takes_settings "$1" "csrattrs_base64 = \"$(unhex "$2" | base64 -w 0)\";"; }

EC=06072a8648ce3d0201 P384=06052b81040022 RSA=06092a864886f70d010101
TEMPLATE=060b2a864886f70d010910023d

@test "A-15 V8e and what else is no CsrAttrs is refused when the configuration is read" {
	refuses_settings V8e 'csrattrs_base64 = "MHwwLAYDiDcCMSUGA4g3AwYDiDcEExlQYXJzZSBTRVQgYXMgMi45OTkuMiBkYXRhBglghkgBZQMEAgIGCSskAwMCCAEBCzAiBgOIExGxMZUGFyc2UgU0VUIGFzIDIuOTk5LjEgZGF0YQYHKwYBAQEBFgYJKoZIhvcNAQkH";'
	refuses_settings 'Extensions without Extension' 'csrattrs_base64 = "MGYGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMDsGCSqGSIb3DQEJDjEuMCwGA1UdEQEB/wQioCAwHgYIKwYBBQUHCAoMEnBvdGF0b0BleGFtcGxlLmNvbQYIKoZIzj0EAwM=";'
	refuses_settings 'no base64' 'csrattrs_base64 = "MA*=";'
	refuses_settings 'padding that lacks' 'csrattrs_base64 = "MAA";'
	refuses_settings 'both ways' "csrattrs_base64 = \"MAA=\"; csrattrs_file = \"../keys/csrattrs.der\";"
	refuses_settings 'no OID' 'csrattrs_require = [ "shoe size" ];'
	with_settings 'csrattrs_file = "../keys/none";'
	assert_equal "$status" 1
	assert_line --regexp '^FAIL .*keys/none'
	refuses_settings 'a form nobody knows' 'csrattrs = [ "list", "poem" ];'
	refuses_der 'something behind it' 300000
	refuses_der 'no SEQUENCE' 3100
	refuses_der 'a BOOLEAN' 30030101ff
	refuses_der 'a length that is not DER' 308109060755040355040355
}

@test "A-04 A-08 A-10 A-12 A-14 what RFC 8951 and RFC 9908 rule out is refused when the configuration is read" {
	local usage
	usage=$(extension 0603551d25 "$(tlv 30 06082b06010505070302)")
	template() { attribute $TEMPLATE "$(tlv 30 "$@")"; }
	takes_der 'a key type' "$(tlv 30 "$(attribute $EC $P384)")"
	refuses_der 'a key type without a value' "$(tlv 30 "$(tlv 30 $EC 3100)")"
	refuses_der 'a SET that is not sorted' "$(tlv 30 "$(attribute 06032a0304 02012a 0101ff)")"
	refuses_der 'two key types' "$(tlv 30 "$(attribute $EC $P384)" "$(attribute $RSA 02020c00)")"
	takes_der 'extensions' "$(tlv 30 "$(requested "$usage")")"
	takes_der 'the historic extensionRequest' "$(tlv 30 "$(attribute "$EXTENSION_REQUEST" 06072b060101010116)")"
	refuses_der 'two extensionRequests' "$(tlv 30 "$(requested "$usage")" "$(requested "$(extension 0603551d0f 03020780)")")"
	refuses_der 'two Extensions' "$(tlv 30 "$(attribute "$EXTENSION_REQUEST" "$(tlv 30 "$(extension 0603551d0f 03020780)")" "$(tlv 30 "$usage")")")"
	refuses_der 'an extension twice' "$(tlv 30 "$(requested "$usage" "$usage")")"
	takes_der 'a template' "$(tlv 30 "$(template 020100 a100)")"
	refuses_der 'two templates' "$(tlv 30 "$(template 020100 a100)" "$(template 020100 3000 a100)")"
	refuses_der 'a template without attributes' "$(tlv 30 "$(template 020100)")"
	refuses_der 'a template of another version' "$(tlv 30 "$(template 020101 a100)")"
	refuses_der 'a template with both kinds of extensions' "$(tlv 30 "$(template 020100 "$(tlv a1 "$(requested "$usage")" \
		"$(attribute 060b2a864886f70d010910023e "$(tlv 30 30050603551d11)")")")")"
}
