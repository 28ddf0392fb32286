#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2238 # every test is a subshell of its own; head is a file
# policies.bats - what a label's `authenticate` asks for (T-13): every combination of proofs against every one that a
# device may bring, for every operation, with status and code; and words that est.conf must not have.

load instance

TYPE='application/pkcs7-mime; smime-type=CMC-request'
PKI_DATA=1.3.6.1.5.5.7.12.2

# All labels believe the manufacturer, and certificates of the label home, so that one certificate serves everywhere.
policy() { # NAME AUTHENTICATE
	label "$1" devices device "$2" 'trust_anchors = [ "../keys/maker.pem" ]; certificates_from = [ "home" ];
	    operations = [ "simpleenroll", "simplereenroll", "serverkeygen", "fullcmc", "csrattrs" ];'
}

instance_config() {
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; } );
		profile = ( { name = "device"; } );
		label = (
		$(label '' devices device '"basic"'),
		$(label home devices device '"basic"'),
		$(label silent devices device '"basic"' | sed 's/authenticate = [^;]*;//'),
		$(policy cert '"certificate"'),
		$(policy basic '"basic"'),
		$(policy both '"certificate-and-basic"'),
		$(policy either '"certificate-or-basic"'),
		$(policy words '"basic", "certificate"'),
		$(policy secret '"secret"'),
		$(policy certsecret '"certificate-and-secret"'),
		$(policy mixed '"basic", "secret"'),
		$(policy list1 '"certificate-and-basic", "secret"'),
		$(policy list2 '"certificate-and-secret", "basic"'),
		$(policy srp '"srp"'),
		$(policy external '"external"'),
		$(policy srpbasic '"srp-and-basic"'),
		$(policy certexternal '"certificate-and-external"'),
		$(policy outside '"srp", "external", "basic"') );
	END
}

instance_users() { user factory "$PASSWORD" 'factory-*.example'; }

# The device whose certificate counts under all labels: $E2E/keys/home.{key,pem}.
setup_file() {
	instance_start
	cd "$E2E/keys" || return 1
	key P-256 home.key
	csr home.key /CN=pump-1.example | b64 >home.b64
	post home/simpleenroll home.b64 -u "any:$PASSWORD"
	assert_equal "$CODE" 200
	certificate home.pem
	openssl req -x509 -key home.key -subj /CN=pump-1.example -addext extendedKeyUsage=clientAuth -days 9 -out self.pem
}
teardown_file() { instance_stop; }

# --- who asks, and how far it gets ---

# WHO: arguments of curl for these proofs, which a + joins.
as() { # PROOF+PROOF...
	local proof
	WHO=()
	for proof in ${1//+/ }; do
		case $proof in
		nobody) ;;
		certificate) WHO+=(--cert "$E2E/keys/home.pem" --key "$E2E/keys/home.key") ;;
		idevid) WHO+=(--cert "$E2E/keys/idevid.pem" --key "$E2E/keys/idevid.key") ;;
		self) WHO+=(--cert "$E2E/keys/self.pem" --key "$E2E/keys/home.key") ;;
		password) WHO+=(-u "any:$PASSWORD") ;;
		pump) WHO+=(-u "pump:$PASSWORD") ;;
		factory) WHO+=(-u "factory:$PASSWORD") ;;
		wrong) WHO+=(-u "any:wrong") ;;
		secret) WHO+=(-u "$SECRET") ;;
		false) WHO+=(-u "${SECRET%?}$([ "${SECRET: -1}" = 0 ] && echo 1 || echo 0)") ;;
		*) fail "as $1" ;;
		esac
	done
}

# A request for NAME with a key of its own: ./ask.key, ./ask.csr, ./ask.b64, and as a Full PKI Request ./ask.cmc.
ask_for() { # NAME [SAN]
	key P-256 ask.key
	csr ask.key "/CN=$1" "${2-}" >ask.csr
	b64 ask.csr >ask.b64
	rm -f ask.cmc
}

full_request() {
	openssl req -x509 -new -key ask.key -subj /CN=self -addext subjectKeyIdentifier=hash -out ask.self 2>/dev/null
	python3 "$BATS_TEST_DIRNAME/cmc.py" pkcs10 ask.key "$1" "ski=$(openssl x509 -in ask.self -noout -ext subjectKeyIdentifier |
		sed -n '2s/[ :]//gp')" >ask.p10
	python3 "$BATS_TEST_DIRNAME/cmc.py" pkidata tcr=1:ask.p10 >ask.data
	openssl cms -sign -binary -nodetach -nosmimecap -econtent_type "$PKI_DATA" -md sha256 -in ask.data -signer ask.self \
		-inkey ask.key -keyid -nocerts -outform DER | b64 >ask.cmc
}

recorded() { grep '"id":"' "$LOG" | tail -n 1; }

# The request goes to an operation of a label; got is the status, and the code of the log.
exchange() { # LABEL OPERATION PROOFS
	as "$3"
	if [ "$2" = fullcmc ]; then
		http "$1/fullcmc" -H "Content-Type: $TYPE" --data-binary @ask.cmc "${WHO[@]}"
	else
		post "$1/$2" ask.b64 "${WHO[@]}"
	fi
	got="$CODE $(recorded | jq -r .code)"
}

gets() { # LABEL OPERATION PROOFS STATUS-AND-CODE
	local before challenge=''
	before=$(rows)
	exchange "$1" "$2" "$3"
	assert_equal "$1/$2 by $3: $got" "$1/$2 by $3: $4"
	case $CODE in
	200) assert_equal "$1/$2 by $3: $(rows)" "$1/$2 by $3: $((before + 1))" ;;
	*) assert_equal "$1/$2 by $3: $(rows)" "$1/$2 by $3: $before" ;;
	esac
	# A challenge comes with a 401 and with nothing else (RFC 9110 15.5.2).
	if [ "$CODE" = 401 ]; then challenge='Basic realm="est", charset="UTF-8"'; fi
	assert_equal "$1/$2 by $3: $(header WWW-Authenticate)" "$1/$2 by $3: $challenge"
	# T-12: the first answer to a client without credentials is empty.
	if [ "$4" = '401 auth:missing' ]; then assert_equal "$(wc -c <body)" 0; fi
}

# One operation of the four labels of T-13, the last of them spelled in two ways. The certificate is pump-1.example's, and
# so is the request.
sixteen() { # OPERATION
	local label proofs wanted
	while read -r label proofs wanted; do
		if [[ $wanted == 200* ]] || [ ! -e ask.key ]; then
			ask_for pump-1.example
			if [ "$1" = fullcmc ]; then full_request pump-1.example; fi
		fi
		gets "$label" "$1" "$proofs" "$wanted"
	done <<-END
		cert   nobody            403 auth:certificate-missing
		cert   certificate       200 ok
		cert   password          403 auth:certificate-missing
		cert   certificate+password 200 ok
		basic  nobody            401 auth:missing
		basic  certificate       401 auth:missing
		basic  password          200 ok
		basic  certificate+password 200 ok
		both   nobody            401 auth:missing
		both   certificate       401 auth:missing
		both   password          403 auth:certificate-missing
		both   certificate+password 200 ok
		either nobody            401 auth:missing
		either certificate       200 ok
		either password          200 ok
		either certificate+password 200 ok
		words  nobody            401 auth:missing
		words  certificate       200 ok
		words  password          200 ok
		words  certificate+password 200 ok
		cert   wrong             403 auth:certificate-missing
		cert   certificate+wrong 200 ok
		basic  wrong             401 auth:password
		basic  certificate+wrong 401 auth:password
		both   wrong             401 auth:password
		both   certificate+wrong 401 auth:password
		either wrong             401 auth:password
		either certificate+wrong 200 ok
		words  certificate+wrong 200 ok
	END
}

@test "T-13 four policies and four ways to ask, and a wrong password beside: simpleenroll" { sixteen simpleenroll; }

@test "T-13 T-19 the same for serverkeygen" { sixteen serverkeygen; }

@test "T-13 T-19 the same for fullcmc" { sixteen fullcmc; }

@test "T-13 T-19 the same for simplereenroll" {
	local label
	# What a password renews has to be of the same label.
	for label in basic both either words; do
		ask_for pump-1.example
		gets "$label" simpleenroll certificate+password '200 ok'
	done
	ask_for pump-1.example
	sixteen simplereenroll
}

@test "T-13 a label that does not say wants a certificate" {
	ask_for pump-1.example
	gets silent simpleenroll nobody '403 auth:certificate-missing'
	gets silent simpleenroll password '403 auth:certificate-missing'
	gets silent simplereenroll password '403 auth:certificate-missing'
}

@test "T-07 C-01 what is not secret needs nobody, under whatever policy, and a wrong password does no harm" {
	local label who
	for label in cert basic both either secret certsecret mixed srp external srpbasic certexternal outside silent; do
		for who in nobody wrong; do
			as $who
			http "$label/cacerts" "${WHO[@]}"
			assert_equal "$label: $CODE" "$label: 200"
			http "$label/csrattrs" "${WHO[@]}"
			assert_regex "$label: $CODE" ': 20[04]$'
		done
	done
}

@test "T-13 a certificate that nobody believes neither helps nor harms" {
	ask_for pump-1.example
	gets basic simpleenroll self '401 auth:missing'
	gets basic simpleenroll self+password '200 ok'
	ask_for pump-1.example
	gets either simpleenroll self+password '200 ok'
	for label in cert both; do
		ask_for pump-1.example
		as self+password
		before=$(rows)
		post "$label/simpleenroll" ask.b64 "${WHO[@]}"
		assert_regex "$CODE" '^40[13]$'
		assert_refused "$CODE" '^auth:certificate-(untrusted|missing): '
		assert_equal "$(rows)" "$before"
	done
}

# --- whose names ---

identity() { recorded | jq -r .identity; }

@test "T-13 where both are wanted, both have to allow every name, for every operation" {
	local operation
	for operation in simpleenroll serverkeygen fullcmc; do
		ask_for factory-1.example
		full_request factory-1.example
		gets both $operation idevid+factory '200 ok'
		assert_regex "$(identity)" 'user:factory'
		assert_regex "$(identity)" 'certificate:'
		ask_for factory-1.example
		full_request factory-1.example
		gets both $operation idevid+pump '403 auth:name'
		ask_for pump-1.example
		full_request pump-1.example
		gets both $operation idevid+pump '403 auth:name'
		ask_for factory-2.example
		full_request factory-2.example
		gets both $operation idevid+factory '403 auth:name'
	done
	ask_for pump-1.example
	gets both simpleenroll certificate+pump '200 ok'
	gets both simplereenroll certificate+factory '403 auth:name'
}

@test "T-13 where either is enough, each counts for its own names, and not for a request with both" {
	ask_for factory-1.example
	gets either simpleenroll idevid+pump '200 ok'
	ask_for pump-7.example
	gets either simpleenroll idevid+pump '200 ok'
	ask_for valve-1.example
	gets either simpleenroll idevid+pump '403 auth:name'
	ask_for factory-1.example DNS:pump-7.example
	gets either simpleenroll idevid+pump '403 auth:name'
	ask_for pump-7.example DNS:factory-1.example
	gets either simpleenroll idevid+pump '403 auth:name'
}

@test "T-13 a wrong password lends its user's names to nobody's certificate" {
	ask_for valve-1.example
	gets either simpleenroll idevid+wrong '403 auth:name'
	refute_regex "$(identity)" 'user:'
	gets words simpleenroll certificate+wrong '403 auth:name'
	refute_regex "$(identity)" 'user:'
}

# --- one-time secrets ---

# SECRET: a new one, "NAME:TEXT", that is good under this label.
new_secret() { # LABEL NAME
	SECRET=$2:$(est_admin --json secret add "$2" --label "$1" --replace | jq -r .secret)
	assert [ ${#SECRET} -gt $((${#2} + 20)) ]
}

@test "T-13 secret: the device's own, and nobody's password" {
	new_secret secret pump-20.example
	ask_for pump-20.example
	gets secret simpleenroll nobody '401 auth:missing'
	gets secret simpleenroll certificate '401 auth:missing'
	gets secret simpleenroll password '401 auth:password'
	gets secret simpleenroll false '401 auth:password'
	gets secret serverkeygen false '401 auth:password'
	gets secret simpleenroll certificate+false '401 auth:password'
	ask_for pump-21.example
	gets secret simpleenroll secret '403 auth:name'
	ask_for pump-20.example
	gets secret simpleenroll secret '200 ok'
	assert_equal "$(identity)" device:pump-20.example
	ask_for pump-20.example
	gets secret simpleenroll secret '401 auth:spent'
}

@test "T-13 secret: for a key that is made here, and for a Full PKI Request" {
	new_secret secret pump-22.example
	ask_for pump-22.example
	gets secret serverkeygen secret '200 ok'
	assert_equal "$(identity)" device:pump-22.example
	new_secret secret pump-23.example
	ask_for pump-23.example
	full_request pump-23.example
	gets secret fullcmc secret '200 ok'
	assert_equal "$(identity)" device:pump-23.example
	gets secret fullcmc false '401 auth:password'
}

@test "T-13 where no label takes them, secrets are no passwords" {
	new_secret basic factory-1.example
	ask_for factory-1.example
	gets basic simpleenroll secret '401 auth:password'
	new_secret both factory-1.example
	gets both simpleenroll idevid+secret '401 auth:password'
	new_secret either factory-1.example
	gets either simpleenroll secret '401 auth:password'
}

@test "T-13 certificate-and-secret: half of it is refused, and what was refused is not used up" {
	new_secret certsecret factory-1.example
	ask_for factory-1.example
	gets certsecret simpleenroll nobody '401 auth:missing'
	gets certsecret simpleenroll idevid '401 auth:missing'
	gets certsecret simpleenroll secret '403 auth:certificate-missing'
	gets certsecret simpleenroll idevid+false '401 auth:password'
	gets certsecret simpleenroll idevid+password '401 auth:password'
	gets certsecret simpleenroll certificate+secret '403 auth:name' # another device's certificate
	gets certsecret simpleenroll idevid+secret '200 ok'
	assert_regex "$(identity)" 'device:factory-1\.example'
	ask_for factory-1.example
	gets certsecret simpleenroll idevid+secret '401 auth:spent'
}

@test "T-13 in a list, each combination is whole, and any of them is enough" {
	new_secret list1 factory-1.example
	ask_for factory-1.example
	gets list1 simpleenroll nobody '401 auth:missing'
	gets list1 simpleenroll idevid '401 auth:missing'
	gets list1 simpleenroll factory '403 auth:certificate-missing'
	gets list1 simpleenroll idevid+false '401 auth:password'
	gets list1 simpleenroll idevid+factory '200 ok'
	ask_for factory-1.example
	gets list1 simpleenroll secret '200 ok'
	new_secret list1 factory-1.example
	ask_for factory-1.example
	gets list1 simpleenroll idevid+secret '200 ok'
	new_secret list2 factory-1.example
	ask_for factory-1.example
	gets list2 simpleenroll idevid '401 auth:missing'
	gets list2 simpleenroll secret '403 auth:certificate-missing'
	gets list2 simpleenroll factory '200 ok'
	ask_for factory-1.example
	gets list2 simpleenroll idevid+secret '200 ok'
}

@test "T-13 a user and a device of one name are two" {
	user pump-40.example "$PASSWORD" 'valve-*.example'
	new_secret mixed pump-40.example
	ask_for valve-40.example
	post mixed/simpleenroll ask.b64 -u "pump-40.example:$PASSWORD"
	assert_issued ask.key
	assert_equal "$(identity)" user:pump-40.example
	ask_for valve-40.example
	gets mixed simpleenroll secret '403 auth:name'
	ask_for pump-40.example
	post mixed/simpleenroll ask.b64 -u "pump-40.example:$PASSWORD"
	assert_refused 403 '^auth:name: '
	gets mixed simpleenroll secret '200 ok'
	assert_equal "$(identity)" device:pump-40.example
	gets mixed simpleenroll false '401 auth:password'
}

# --- what does not come from the device ---

@test "T-13 srp and external: without the web server's word nobody is believed, whatever else he brings" {
	local proofs
	ask_for pump-1.example
	for proofs in nobody certificate password certificate+password wrong; do
		gets srp simpleenroll $proofs '403 auth:srp'
		gets external simpleenroll $proofs '403 auth:external'
		gets srp simplereenroll $proofs '403 auth:srp'
		gets external serverkeygen $proofs '403 auth:external'
	done
	for label in srpbasic certexternal; do
		for proofs in certificate+password certificate password; do
			before=$(rows)
			exchange $label simpleenroll $proofs
			assert_regex "$label by $proofs: $got" ': 40[13] auth:(srp|external|missing|certificate-missing)$'
			assert_equal "$(rows)" "$before"
		done
	done
	gets outside simpleenroll nobody '401 auth:missing'
	gets outside simpleenroll wrong '401 auth:password'
	gets outside simpleenroll password '200 ok'
}

# --- est.conf ---

# est.conf with this in the place of the basic label's list: ./odd.conf, and the line of the list.
with_policy() { # AUTHENTICATE
	EST_CONFIG=$E2E/est/odd.conf
	awk -v to="authenticate = $1;" '/name = "basic";/ { sub(/authenticate = [^;]*;/, to); print NR > "line" } { print }' \
		"$E2E/est/est.conf" >"$EST_CONFIG"
	chmod a+r "$EST_CONFIG"
	line=$(cat line)
}

@test "T-13 unknown words are errors that name file and line, and then nothing is served" {
	local words
	with_policy '[ "certificate-and-basic", "secret", "srp-and-basic" ]'
	run -0 est_admin check
	for words in '[ "password" ]' '[ "Basic" ]' '[ "cert" ]' '[ "certificate_and_basic" ]' '[ "basic-and-certificate" ]' \
		'[ "certificate-and-srp" ]' '[ "certificate-and-basic-and-secret" ]' '[ "basic or certificate" ]' '[ " basic" ]' \
		'[ "" ]' '[ "none" ]' '[ "any" ]' '[ "digest" ]' '[ "basic", "nobody" ]' '[ ]' '[ 1 ]' 'true' '[ true ]' \
		'( "basic", 7 )'; do
		with_policy "$words"
		run -1 est_admin check
		assert_output --regexp "odd\\.conf:$line: "
	done
	# A worker with such a file answers nobody, not everybody.
	with_policy '[ "nothing" ]'
	ask_for pump-1.example
	cgi_post basic/simpleenroll ask.b64 "$(basic)"
	assert_regex "$CODE" '^50[03]$'
	cgi GET /basic/cacerts </dev/null
	assert_regex "$CODE" '^50[03]$'
	assert_equal "$(header Content-Type)" 'text/plain; charset=utf-8'
}

@test "T-13 the setting twice is an error as well" {
	with_policy '[ "basic" ]; authenticate = [ "certificate" ]'
	run -1 est_admin check
	assert_output --regexp "odd\\.conf:$line: "
}
