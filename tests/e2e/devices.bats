#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154,SC2238 # every test is a subshell of its own; head is a file
# devices.bats - devices and their one-time secrets (T-20; F12 to F15 and F20): who wins, who may ask again, who is told
# what; duplicates, blocking and deleting; est-admin device, its tables and its QR codes.

load instance

CROWD=200 # keys and requests that are made once: $E2E/crowd/N.b64, all for crowd.example

instance_config() {
	cat <<-END
		state = "state";
		log = "est.log";
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; },
		  { name = "second"; certificate = "../second/devices.pem"; key = "../second/devices.key"; } );
		profile = ( { name = "device"; } );
		label = (
		$(label '' devices device '"basic", "certificate"'),
		$(label secret devices device '"secret", "certificate"'),
		$(label other second device '"secret"'),
		$(label asked devices device '"basic"' 'otp_required = true;'),
		$(label refuse devices device '"basic", "certificate"' 'duplicates = "refuse"; operations = [ "simpleenroll", "simplereenroll", "serverkeygen" ];'),
		$(label supersede devices device '"basic", "certificate"' 'duplicates = "supersede";') );
	END
}

setup_file() {
	local i
	instance_start
	mkdir "$E2E/crowd"
	for ((i = 0; i < CROWD; i++)); do
		openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$E2E/crowd/key" \
			-subj /CN=crowd.example -out "$E2E/crowd/$i.b64" 2>/dev/null
	done
	sed -i '/^-----/d' "$E2E/crowd/"*.b64
}
teardown_file() { instance_stop; }

device() { est_admin device "$@" 2>/dev/null; }
json() { est_admin --json "$@"; }

# A new device with a secret: prints the secret.
add() { # NAME [OPTION...]
	json device add "$1" --secret "${@:2}" 2>/dev/null | jq -r .secret
}

state() { # NAME LABEL
	json device show "$1" --label "$2" | jq -r .state
}

valid() { # NAME LABEL: how many valid certificates there are
	json cert list --name "$1" --label "$2" --status valid | wc -l
}

# Posts many requests at once, each from a connection of its own, COUNT of them at a time; ./codes has their statuses and
# ./answer.N their bodies.
storm() { # PATH COUNT USER FILE...
	local path=$1 count=$2 user=$3 n=0 file
	shift 3
	for file; do
		[ $n = 0 ] || echo next
		cat <<-END
			url = "$URL/$path"
			cacert = "$TRUST"
			user = "$user"
			header = "Content-Type: application/pkcs10"
			data-binary = "@$file"
			output = "answer.$n"
			write-out = "%{http_code}\n"
			max-time = 100
			silent
		END
		n=$((n + 1))
	done >storm.conf
	timeout 120 curl --parallel --parallel-immediate --parallel-max "$count" --config storm.conf >codes
	assert_equal "$(wc -l <codes)" "$n"
}

count() { grep -c "^$1\$" codes || true; }

@test "F12 of 200 parallel uses of one secret with 200 keys exactly one wins" {
	local secret files=()
	secret=$(add crowd.example --label secret)
	for ((i = 0; i < CROWD; i++)); do files+=("$E2E/crowd/$i.b64"); done
	storm secret/simpleenroll "$CROWD" "crowd.example:$secret" "${files[@]}"
	assert_equal "$(sort codes | uniq -c | tr -s ' ')" " 1 200
 199 401"
	assert_equal "$(json cert list --name crowd.example | wc -l)" 1
	assert_equal "$(json device show crowd.example | jq -r '.state, .issued, .secret.state')" $'active\n1\nused'
	# All the others are told the same, and one line of the log says that it went well.
	assert_equal "$(cat answer.* | grep -ac '^auth:spent: ')" 199
	assert_equal "$(grep -F '"device:crowd.example"' "$LOG" | grep -c '"status":200')" 1
}

# A wrong use: 401, with a text that is the same for all of them, and a log line that tells the cause.
refused() { # USER SECRET FILE LABEL CAUSE
	local lines
	lines=$(wc -l <"$LOG")
	post "$4/simpleenroll" "$3" -u "$1:$2"
	assert_refused 401 '^auth:password: '
	[ -e text ] || cp body text
	assert_equal "$(cat body)" "$(cat text)"
	run -0 tail -n "+$((lines + 1))" "$LOG"
	assert_output --partial "\"credentials\":\"$5\""
	refute_output --partial "$2"
}

@test "F13 a secret that expired, is another device's or label's, or is off by a character gets the same 401" {
	local secret other late last
	secret=$(add pump-1.example --label secret)
	other=$(add pump-2.example --label secret)
	late=$(add pump-3.example --label secret --expires 1s)
	request pump-1
	request pump-3
	refused pump-1.example "$other" pump-1.b64 secret 'wrong one-time secret'
	refused pump-1.example "$secret" pump-1.b64 other 'one-time secret of another label'
	last=$(tr 0-9a-z 1-9a-z0 <<<"${secret: -1}")
	refused pump-1.example "${secret%?}$last" pump-1.b64 secret 'wrong one-time secret'
	refused pump-1.example "${secret^^}" pump-1.b64 secret 'wrong one-time secret'
	refused pump-1.example "${secret}0" pump-1.b64 secret 'wrong one-time secret'
	refused nobody.example "$secret" pump-1.b64 secret 'no such device'
	sleep 2
	refused pump-3.example "$late" pump-3.b64 secret 'one-time secret has expired'
	# None of that has used it up, and a user's label takes no secret.
	post simpleenroll pump-1.b64 -u "pump-1.example:$secret"
	assert_refused 401 '^auth:password: '
	post secret/simpleenroll pump-3.b64 -u "pump-1.example:$secret"
	assert_refused 403 '^auth:name: '
	post secret/simpleenroll pump-1.b64 -u "PUMP-1.Example:$secret"
	assert_issued pump-1.key
}

@test "F14 a lost answer can be fetched again with the same key, and with no other" {
	local secret first
	secret=$(add pump-4.example --label secret)
	request pump-4
	post secret/simpleenroll pump-4.b64 -u "pump-4.example:$secret"
	assert_issued pump-4.key
	first=$(serial issued.pem)
	post secret/simpleenroll pump-4.b64 -u "pump-4.example:$secret"
	assert_issued pump-4.key
	assert_equal "$(serial issued.pem)" "$first"
	cp pump-4.b64 before.b64
	request pump-4
	post secret/simpleenroll pump-4.b64 -u "pump-4.example:$secret"
	assert_refused 401 '^auth:spent: '
	assert_equal "$(valid pump-4.example secret)" 1
	# Beyond the window nobody gets it any more.
	at_time +61m
	cgi_post secret/simpleenroll before.b64 "HTTP_AUTHORIZATION=Basic $(printf 'pump-4.example:%s' "$secret" | base64 -w 0)"
	assert_refused 401 '^auth:spent: '
	at_time now
	cgi_post secret/simpleenroll before.b64 "HTTP_AUTHORIZATION=Basic $(printf 'pump-4.example:%s' "$secret" | base64 -w 0)"
	assert_equal "$CODE" 200
	assert_equal "$(valid pump-4.example secret)" 1
}

@test "F15 of 50 parallel identical enrollments all get the same certificate" {
	local files=() i secret
	secret=$(add pump-6.example --label secret)
	request pump-6
	for ((i = 0; i < 50; i++)); do files+=(pump-6.b64); done
	storm secret/simpleenroll 50 "pump-6.example:$secret" "${files[@]}"
	assert_equal "$(count 200)" 50
	assert_equal "$(sha256sum answer.* | cut -d ' ' -f 1 | sort -u | wc -l)" 1
	assert_equal "$(json cert list --name pump-6.example | wc -l)" 1
	rm answer.*
	storm simpleenroll 50 "any:$PASSWORD" "${files[@]}"
	assert_equal "$(count 200)" 50
	assert_equal "$(sha256sum answer.* | cut -d ' ' -f 1 | sort -u | wc -l)" 1
}

@test "F20 a secret is shown once, and is in no file, log or answer" {
	local secret
	run -0 --separate-stderr est_admin device add pump-7.example --label secret --secret --expires 12h
	secret=$(sed -n 's/^secret *//p' <<<"$output")
	assert_regex "$secret" '^[0-9a-hjkmnp-tv-z]{32}$'
	request pump-7
	post secret/simpleenroll pump-7.b64 -u "pump-7.example:$secret"
	assert_issued pump-7.key
	post other/simpleenroll pump-7.b64 -u "pump-7.example:$secret"
	assert_refused 401
	est_admin store checkpoint
	run -1 grep -rlaF "$secret" "$E2E/est" "$LOG" "$E2E/log" head body
	for command in 'device list' 'device show pump-7.example' 'secret list' 'device list --csv'; do
		for form in '' --json; do
			[[ "$command$form" != *csv*json* ]] || continue
			# shellcheck disable=SC2086 # words
			run -0 est_admin $form $command
			refute_output --partial "$secret"
			assert_output --partial pump-7.example
		done
	done
}

@test "a living device that enrolls anew: refused, allowed, or it supersedes" {
	local label
	request pump-8
	cp pump-8.b64 first.b64
	request pump-8
	for label in '' refuse supersede; do
		enroll first.b64 "$label"
		assert_equal "$label: $CODE" "$label: 200"
		certificate "first-${label:-allow}.pem"
	done
	sleep 1.1
	enroll pump-8.b64
	assert_issued pump-8.key
	assert_equal "$(valid pump-8.example -)" 2
	enroll pump-8.b64 refuse
	assert_refused 409 '^device:exists: '
	refute_regex "$(cat body)" '--label|est-admin' # what the operator can do is none of the device's business
	assert_equal "$(valid pump-8.example refuse)" 1
	enroll first.b64 refuse # the answer of before
	assert_equal "$CODE" 200
	certificate again.pem
	assert_equal "$(serial again.pem)" "$(serial first-refuse.pem)"
	enroll pump-8.b64 supersede
	assert_issued pump-8.key
	assert_equal "$(json cert show "$(serial first-supersede.pem)" | jq -r '.status + " " + .reason')" 'revoked superseded'
	assert_equal "$(json cert list --name pump-8.example --label supersede --status valid | jq -r .serial)" "$(serial issued.pem)"
	# Another label's certificates of that name are another device's.
	assert_equal "$(valid pump-8.example -)" 2
}

@test "a device whose certificate was revoked, or that renews, is no duplicate" {
	request pump-9
	enroll pump-9.b64 refuse
	certificate pump-9.pem
	# The old key renews: that is no first enrollment.
	post refuse/simplereenroll pump-9.b64 --cert pump-9.pem --key pump-9.key
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
	certificate renewed.pem
	est_admin cert revoke "$(serial pump-9.pem)"
	[ "$(serial renewed.pem)" = "$(serial pump-9.pem)" ] || est_admin cert revoke "$(serial renewed.pem)"
	assert_equal "$(state pump-9.example refuse)" inactive
	request pump-9
	enroll pump-9.b64 refuse
	assert_issued pump-9.key
}

@test "duplicates by 50 parallel first enrollments of one name with 50 keys" {
	local files=() i
	for ((i = 0; i < 50; i++)); do files+=("$E2E/crowd/$i.b64"); done
	storm refuse/simpleenroll 50 "any:$PASSWORD" "${files[@]}"
	assert_equal "$(sort codes | uniq -c | tr -s ' ')" " 1 200
 49 409"
	assert_equal "$(json cert list --name crowd.example --label refuse | wc -l)" 1
	storm supersede/simpleenroll 50 "any:$PASSWORD" "${files[@]}"
	assert_equal "$(count 200)" 50
	assert_equal "$(json cert list --name crowd.example --label supersede | wc -l)" 50
	assert_equal "$(valid crowd.example supersede)" 1
	run -0 est_admin store check
}

@test "a blocked device gets no certificate, and everything else stays as it is" {
	local secret
	request pump-10
	enroll pump-10.b64
	assert_issued pump-10.key
	secret=$(add pump-11.example --label secret)
	request pump-11
	device block pump-10.example --reason 'stolen from the yard'
	device block pump-11.example
	assert_equal "$(json device show pump-10.example | jq -r '.state, .reason')" $'blocked\nstolen from the yard'
	request pump-10
	enroll pump-10.b64
	assert_refused 403 '^device:blocked: '
	request pump-11
	post secret/simpleenroll pump-11.b64 -u "pump-11.example:$secret"
	assert_refused 403 '^device:blocked: '
	# Its certificate is not revoked, another label's device of that name is another one, and the secret is as it was.
	assert_equal "$(valid pump-10.example -)" 1
	enroll pump-10.b64 supersede
	assert_issued pump-10.key
	device unblock pump-11.example
	post secret/simpleenroll pump-11.b64 -u "pump-11.example:$secret"
	assert_issued pump-11.key
	run -3 est_admin device block nobody.example
}

@test "a blocked device cannot renew, until that ends" {
	request pump-12
	enroll pump-12.b64
	certificate pump-12.pem
	device block pump-12.example
	post simplereenroll pump-12.b64 --cert pump-12.pem --key pump-12.key
	assert_refused 403 '^device:blocked: '
	http cacerts
	assert_equal "$CODE" 200
	device unblock pump-12.example
	post simplereenroll pump-12.b64 --cert pump-12.pem --key pump-12.key
	assert_equal "$CODE: $(cat body)" "200: $(cat body)"
}

@test "deleting a device frees its name, takes its secret, and revokes only where asked" {
	local secret
	request pump-13
	enroll pump-13.b64 refuse
	certificate first.pem
	request pump-13
	enroll pump-13.b64 refuse
	assert_refused 409
	sleep 1.1 # what is issued in the second of the deletion counts as issued behind it
	device delete pump-13.example
	run -3 est_admin device show pump-13.example
	run -0 est_admin device list
	refute_output --partial pump-13.example
	assert_equal "$(json cert show "$(serial first.pem)" | jq -r .status)" valid
	enroll pump-13.b64 refuse
	assert_issued pump-13.key
	assert_equal "$(json device show pump-13.example | jq -r '.state, .issued, (.certificates | length)')" $'active\n1\n1'
	run -2 est_admin device delete pump-13.example --reason superseded
	device delete pump-13.example --revoke --reason keyCompromise
	assert_equal "$(json cert show "$(serial issued.pem)" | jq -r '.status + " " + .reason')" 'revoked keyCompromise'
	# It was another device's before.
	assert_equal "$(json cert show "$(serial first.pem)" | jq -r .status)" valid

	secret=$(add pump-14.example --label secret)
	device delete pump-14.example
	request pump-14
	post secret/simpleenroll pump-14.b64 -u "pump-14.example:$secret"
	assert_refused 401 '^auth:password: '
	device add pump-14.example --label secret
	device delete pump-14.example
	secret=$(add pump-14.example --label secret)
	post secret/simpleenroll pump-14.b64 -u "pump-14.example:$secret"
	assert_issued pump-14.key
}

@test "device: what is there already, several labels, and options that contradict" {
	local secret
	device add pump-15.example --label secret
	run -1 est_admin device add PUMP-15.example --label secret
	assert_output --partial 'known already'
	secret=$(add pump-15.example --label secret --replace)
	run -1 est_admin device add pump-15.example --secret --label other
	assert_output --partial 'one-time secret already that is good, of the label secret,'
	run -1 est_admin secret add pump-15.example --label other
	assert_output --partial 'one-time secret already that is good, of the label secret,'
	run -3 est_admin device show pump-15.example --label other
	device add pump-15.example --label other
	for command in show delete block unblock; do
		run -2 est_admin device "$command" pump-15.example
		assert_output --partial '--label'
	done
	device delete pump-15.example --label other
	# That did not take the secret of the other label's device.
	assert_equal "$(json device show pump-15.example | jq -r .secret.state)" unused
	request pump-15
	post secret/simpleenroll pump-15.b64 -u "pump-15.example:$secret"
	assert_issued pump-15.key
	for arguments in '' 'x --csv /dev/null' 'x -o y' 'x --dry-run' 'x --qr a.png' 'x --url https://h' 'x --replace' 'x --expires 1d' \
		'x --secret --qr a.gif' '--csv /dev/null --qr a.png --secret' 'x --secret --url http://h' 'x --secret --url https://' \
		'x --secret --url https://u:p@h' 'x --secret --url https://h?q' 'x --secret --expires 0s' 'x --secret --qr - --json'; do
		# shellcheck disable=SC2086 # words
		run -2 est_admin device add $arguments
	done
	assert_not_exists a.png
	assert_not_exists y
	run -3 est_admin device add x --label nowhere
	run -1 est_admin device add $'a\tb'
	run -1 est_admin device add ''
	run -1 est_admin device block pump-15.example --reason $'a\nb'
}

# Makes an image of the QR code's forms that zbarimg cannot read itself: a PGM of so many pixels a module.
picture() { # svg|text FILE
	python3 - "$@" <<-'END' >picture.pgm
		import re, sys
		import xml.etree.ElementTree as tree
		form, name = sys.argv[1:]
		if form == "svg":
		    root = tree.parse(name).getroot()
		    width = int(root.get("viewBox").split()[2])
		    path = root.find("{http://www.w3.org/2000/svg}path").get("d")
		    rows = [[1] * width for _ in range(width)]
		    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1H\1z", path):
		        for at in range(int(x), int(x) + int(run)):
		            rows[int(y)][at] = 0
		    assert len(re.sub(r"M(\d+) (\d+)h(\d+)v1H\1z", "", path)) == 0
		else:
		    lines = [line for line in open(name, encoding="utf-8").read().split("\n") if "\u2588" in line]
		    rows = []
		    for line in lines:
		        rows.append([c in "\u2580\u2588" for c in line])
		        rows.append([c in "\u2584\u2588" for c in line])
		width, scale = len(rows[0]), 6
		print("P2", width * scale, len(rows) * scale, 255)
		for row in rows:
		    for _ in range(scale):
		        print(" ".join(str(255 * int(pixel)) for pixel in row for _ in range(scale)))
	END
}

scan() { zbarimg --quiet --raw -Sdisable -Sqrcode.enable "$1" 2>/dev/null; }

assert_code() { # TEXT NAME URL
	assert_equal "$(jq -r '.est, .name, .url, .sha256' <<<"$1")" "1
$2
$3
$(openssl x509 -in "$E2E/est/root.pem" -outform DER | sha256sum | cut -d ' ' -f 1)"
	assert_equal "$(jq -r 'keys_unsorted | join(" ")' <<<"$1")" 'est url sha256 name secret'
}

@test "the QR code has URL, fingerprint, name and secret, as PNG, SVG and text" {
	local text
	run -0 --separate-stderr est_admin device add pump-16.example --label secret --secret --url https://est.example --qr code.png
	text=$(scan code.png)
	assert_code "$text" pump-16.example https://est.example/.well-known/est/secret
	assert_equal "$(jq -r .secret <<<"$text")" "$(sed -n 's/^secret *//p' <<<"$output")"
	assert_equal "$(stat -c %a code.png)" 600
	run -1 est_admin device add pump-17.example --label secret --secret --qr code.png
	assert_output --partial 'exists already'
	run -3 est_admin device show pump-17.example # nothing came of that
	device add 'pömp "17"' --label secret --secret --url https://est.example:8443/prefix/ --qr code.SVG >text
	picture svg code.SVG
	text=$(scan picture.pgm)
	assert_code "$text" 'pömp "17"' https://est.example:8443/prefix/secret
	assert_equal "$(jq -r .secret <<<"$text")" "$(sed -n 's/^secret *//p' text)"
	device add pump-18.example --secret --url https://est.example/ --qr - >text
	picture text text
	text=$(scan picture.pgm)
	assert_code "$text" pump-18.example https://est.example/.well-known/est
	assert_equal "$(jq -r .secret <<<"$text")" "$(sed -n 's/^secret *//p' text)"
	# Another prefix of the URLs is that of est.conf.
	sed 's|^state = |prefix = "/est-7"; &|' "$EST_CONFIG" >"$E2E/est/prefix.conf"
	chmod --reference="$EST_CONFIG" "$E2E/est/prefix.conf"
	chown --reference="$EST_CONFIG" "$E2E/est/prefix.conf"
	run -0 --separate-stderr est_admin -c "$E2E/est/prefix.conf" --json device add pump-22.example --label secret --secret --url https://est.example
	assert_equal "$(jq -r '.code | fromjson | .url' <<<"$output")" https://est.example/est-7/secret
	# Without a URL there is none, and that is said.
	run -0 --separate-stderr est_admin device add pump-19.example --secret --qr code2.png
	assert_regex "$stderr" '--url'
	assert_equal "$(scan code2.png | jq 'has("url")')" false
	# The fingerprint is that of the last one of /cacerts.
	http secret/cacerts
	certificates >cacerts.pem
	assert grep -qF "$(sed -n 3p "$E2E/est/root.pem")" cacerts.pem
	device add pump-20.example --label other --secret --qr code3.png
	assert_equal "$(scan code3.png | jq -r .sha256)" \
		"$(openssl x509 -in "$E2E/second/root.pem" -outform DER | sha256sum | cut -d ' ' -f 1)"
}

@test "a name has one secret, whatever the labels, and --replace says whose it takes the place of" {
	local secret
	est_admin secret add one-1.example 2>/dev/null
	run -1 est_admin device add one-1.example --label secret --secret
	assert_output --partial 'good, of the label all,'
	run -3 est_admin device show one-1.example --label secret
	run -0 --separate-stderr est_admin device add one-1.example --label secret --secret --replace
	assert_regex "$stderr" 'place of a good one of the label all'
	run -0 --separate-stderr est_admin device add one-1.example --label secret --secret --replace
	refute_regex "$stderr" 'place of'
	run -0 --separate-stderr est_admin --json device add one-1.example --label other --secret --replace
	assert_regex "$stderr" 'place of a good one of the label secret'
	secret=$(jq -r .secret <<<"$output")
	request one-1
	post secret/simpleenroll one-1.b64 -u "one-1.example:$secret"
	assert_refused 401 '^auth:password: '
	post other/simpleenroll one-1.b64 -u "one-1.example:$secret"
	assert_equal "$CODE" 200
	# A used one is in nobody's way, and its label is none to speak of.
	run -0 --separate-stderr est_admin device add one-1.example --label asked --secret
	refute_regex "$stderr" 'place of'
	run -1 --separate-stderr est_admin device add --csv <(printf 'name\none-1.example\none-2.example') --label supersede --secret
	assert_regex "$stderr" 'line 2 is left out: .*good, of the label asked,'
	assert_regex "$stderr" '1 added, 1 left out'
}

@test "a label that asks for no secrets is told" {
	local label
	for label in - refuse; do
		run -0 --separate-stderr est_admin device add "quiet-$label.example" --label "$label" --secret
		assert_regex "$stderr" "the label $label does not ask for one-time secrets"
		run -0 --separate-stderr est_admin secret add "quiet2-$label.example" --label "$label"
		assert_regex "$stderr" "the label $label does not ask for one-time secrets"
	done
	for label in secret asked; do
		run -0 --separate-stderr est_admin device add "asking-$label.example" --label "$label" --secret
		refute_regex "$stderr" 'does not ask'
		run -0 --separate-stderr est_admin secret add "asking2-$label.example" --label "$label"
		refute_regex "$stderr" 'does not ask'
	done
	run -0 --separate-stderr est_admin secret add asking-all.example
	refute_regex "$stderr" 'ask'
	run -0 --separate-stderr est_admin device add quiet-3.example
	refute_regex "$stderr" 'ask'
	# Of a table once.
	run -0 --separate-stderr est_admin device add --csv <(printf 'name,label\nmany-1,\nmany-2,refuse\nmany-3,\nmany-4,secret') --secret
	assert_equal "$(grep -c 'does not ask' <<<"$stderr")" 2
	run -0 --separate-stderr est_admin device add --csv <(printf 'name,label\nmany-5,\n')
	refute_regex "$stderr" 'ask'
}

@test "names that no request has, or that HTTP Basic cannot carry, are refused" {
	local name
	for name in ' a' 'a ' 'a  b' ' '; do
		run -1 est_admin device add "$name" --label asked
		assert_output --partial blanks
		run -1 est_admin device add "$name" --label secret --secret
		run -1 est_admin secret add "$name"
		run -1 --separate-stderr est_admin device add --csv <(printf 'name\n"%s"\n' "$name") --label asked
		assert_regex "$stderr" 'line 2 is left out: .*blanks'
	done
	run -0 est_admin device add 'one blank' --label asked
	for name in 00:11:22:aa:bb:cc urn:pump:7; do
		run -1 est_admin device add "$name" --label secret --secret
		assert_output --partial colon
		run -1 est_admin secret add "$name" --label secret
		assert_output --partial colon
		run -1 --separate-stderr est_admin device add --csv <(printf 'name\n%s\n' "$name") --label secret --secret
		assert_regex "$stderr" 'line 2 is left out: .*colon'
		run -3 est_admin device show "$name" --label secret
		# Without a secret, or where it is to stand in the request, a name is a name.
		run -0 est_admin device add "$name" --label secret
		run -0 est_admin device add "$name" --label asked --secret
		run -0 est_admin secret add "$name" --replace
	done
}

@test "a table of devices: what is right is added, what is wrong is told by its line" {
	local secret line
	printf '\xef\xbb\xbfLabel,NAME,expires\r\nsecret,bulk-1.example,12h\r\nother,"bulk-2.example",\r\n' >table.csv
	printf '%s\r\n' 'secret,BULK-1.example,' 'nowhere,bulk-4.example,' 'secret,bulk-5.example,soon' 'secret,bulk-6.example' \
		'secret,bulk"7,' 'secret,"two' 'lines",' '' 'secret,=bulk-8,' 'secret,"bulk ""9""",1d' 'secret,,' >>table.csv
	run -1 --separate-stderr est_admin device add --csv table.csv --secret --dry-run
	assert_equal "$output" ''
	assert_regex "$stderr" '4 could be added, 7 left out'
	run -3 est_admin device show bulk-1.example
	run -1 --separate-stderr est_admin device add --csv table.csv --secret --url https://est.example -o table.out
	for line in 4 5 6 7 8 9 14; do
		assert_regex "$stderr" "line $line is left out: "
	done
	assert_regex "$stderr" '4 added, 7 left out'
	assert_equal "$(stat -c %a table.out)" 600
	run -0 python3 - <<-'END'
		import csv, json
		octets = open("table.out", "rb").read()
		assert octets.count(b"\r\n") == octets.count(b"\n") == 5
		rows = list(csv.DictReader(open("table.out", newline="", encoding="utf-8")))
		assert [row["name"] for row in rows] == ["bulk-1.example", "bulk-2.example", "'=bulk-8", 'bulk "9"'], rows
		assert [row["label"] for row in rows] == ["secret", "other", "secret", "secret"]
		for row in rows:
		    code = json.loads(row["code"])
		    assert code["secret"] == row["secret"] and code["name"] == row["name"].lstrip("'")
		    assert code["url"] == "https://est.example/.well-known/est/" + row["label"]
		print(rows[0]["secret"], rows[0]["expires_at"])
	END
	secret=${output% *}
	assert [ "$(date -d "${output#* }" +%s)" -le "$(($(date +%s) + 43200))" ]
	request bulk-1
	post secret/simpleenroll bulk-1.b64 -u "bulk-1.example:$secret"
	assert_issued bulk-1.key
	# Another time they are known, and what came then stays in its file.
	run -1 est_admin device add --csv table.csv --secret -o table.out
	assert_output --partial 'exists already'
	run -1 --separate-stderr est_admin device add --csv - --secret <table.csv
	assert_regex "$stderr" '0 added, 11 left out'
	for line in 'nome' 'name,label,name' 'name;label' 'label' 'name,expires' ''; do
		run -1 est_admin device add --csv <(printf '%s\nx,y\n' "$line")
	done
	# JSON Lines, and without secrets.
	run -0 --separate-stderr est_admin --json device add --csv <(printf 'name\nbulk-10.example\nbulk-11.example') --label other
	assert_equal "$(jq -r '.name + " " + .label + " " + (has("secret") | tostring)' <<<"$output")" $'bulk-10.example other false\nbulk-11.example other false'
}

@test "a table that is stopped, or cannot be printed: what is printed is stored, and nothing else is" {
	local i pid
	for ((i = 0; i < 2000; i++)); do echo "stop-$i.example"; done | sed '1i name' >table.csv
	run -5 est_admin device add --csv table.csv --secret -o /dev/full
	assert_output --partial '0 added'
	run -5 est_admin device add stop-0.example --secret --qr "$E2E/nowhere/code.png"
	run -0 est_admin secret list
	refute_output --partial stop-
	# The pipe's reader takes five lines and goes.
	est_admin device add --csv table.csv --label secret --secret 2>/dev/null | head -5 >five || true
	assert_equal "$(wc -l <five)" 5
	assert [ "$(json device list --label secret | grep -c '"stop-')" -lt 2000 ]
	"$EST_BUILD/est-admin" -c "$EST_CONFIG" device add --csv table.csv --label other --secret -o out.csv 2>err &
	pid=$!
	for ((i = 0; i < 200; i++)); do
		[ "$(wc -l <out.csv 2>/dev/null || echo 0)" -lt 20 ] || break
		sleep 0.05
	done
	kill -INT "$pid"
	wait "$pid" || true
	python3 - <<-'END' | sort >printed
		import csv
		for row in csv.DictReader(open("out.csv", newline="")):
		    assert len(row["secret"]) == 32 and row["code"].endswith("}")
		    print(row["name"])
	END
	assert [ "$(wc -l <printed)" -ge 19 ]
	json device list --label other | jq -r .name | grep '^stop-' | sort >stored
	json secret list | jq -r 'select(.label == "other") | .name' | grep '^stop-' | sort >secrets
	run -0 diff printed stored
	run -0 diff printed secrets
	assert_regex "$(cat err)" 'stopped before line'
}

@test "lists are in the order of labels and names, in every form" {
	local i
	for i in 30 4 11 20 9 1 25 16; do
		device add "Order-$i.example" --label refuse
		device add "order-$i.example" --label other
		device add "order-$i.example"
	done
	device add ORDER-17.example --label refuse
	json device list | jq -r '.label + "|" + (.name | ascii_downcase)' >listed
	run -0 diff listed <(LC_ALL=C sort -t '|' -k 1,1 -k 2 listed)
	assert [ "$(grep -c '^refuse|order-' listed)" = 9 ]
	est_admin device list --csv >list.csv
	run -0 diff listed <(python3 -c 'import csv
for row in csv.DictReader(open("list.csv", newline="")): print(row["label"] + "|" + row["name"].lstrip("\x27").lower())')
	est_admin device list --label refuse | sed 1d | sed 's/  .*//' | tr '[:upper:]' '[:lower:]' >names
	run -0 diff <(sed -n 's/^refuse|//p' listed) names
	assert grep -q order-17 names
}

@test "lists: by state and label, and names that mean something to a terminal or a spreadsheet" {
	device add '=cmd|x!A1' --label other
	device add $'\u202egnp.example' --label other || true # a direction override is no name
	device add '<b>&' --label other
	run -0 est_admin device list --csv --label other --state new
	assert_output --partial "'=cmd|x!A1"
	refute_output --partial $'\u202e'
	run -0 est_admin device list --label other --state active
	refute_output --partial cmd
	run -2 est_admin device list --state nonsense
	run -2 est_admin device list --csv --json
	json device list --label other --state new | jq -se 'any(.name == "<b>&" and .issued == 0 and .valid == 0)' >/dev/null
	device block '<b>&' --label other
	assert_equal "$(json device list --state blocked --label other | jq -r .name)" '<b>&'
	request pump-21
	enroll pump-21.b64
	run -0 est_admin device show pump-21.example
	assert_line --regexp '^state +active$'
	assert_line --regexp '^certificate +[0-9a-f]+ +valid +until 20'
	est_admin cert revoke "$(json device show pump-21.example | jq -r .serial)" >/dev/null
	assert_equal "$(json device list --state inactive | jq -r 'select(.name == "pump-21.example") | .state')" inactive
}
