# gate.bash - an instance for tests of the gate: labels that differ in what a request may hold.
# shellcheck shell=bash

MAKE_HOSTILE=$EST_BUILD/tests/hostile/make_hostile # where make puts it
[ -x "$MAKE_HOSTILE" ] || MAKE_HOSTILE=$EST_BUILD/make_hostile

ALL_KEYS='"P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096", "Ed25519", "Ed448"'
ALL_SUBJECT='"CN", "serialNumber", "C", "ST", "L", "O", "OU", "UID", "DC", "emailAddress"'

# The list of blocked keys, which has to be there before anything reads est.conf: where a test file has set DENIED, a
# port that nobody may connect to, make_hostile's, with all its requests in $E2E/hostile; else an empty one.
blocked_keys() {
	mkdir "$E2E/hostile"
	: >"$E2E/hostile/blocked.keys"
	[ -z "${DENIED-}" ] || "$MAKE_HOSTILE" -u "http://127.0.0.1:$DENIED/" -t "$E2E" "$E2E/hostile"
	chmod -R a+rX "$E2E/hostile"
}

# Takes the place of instance.bash's.
instance_config() {
	local either='"basic", "certificate"'
	blocked_keys
	cat <<-END
		state = "state";
		log = "est.log";
		blocked_keys = [ "../hostile/blocked.keys" ];
		server_certificates = [ "server.pem" ];
		ca = ( { name = "devices"; certificate = "devices.pem"; key = "devices.key"; },
		  { name = "second"; certificate = "../second/devices.pem"; key = "../second/devices.key"; } );
		profile = ( { name = "device"; },
		  { name = "server"; extended_key_usage = [ "serverAuth", "clientAuth" ];
		    subject_alt_names = [ "dns", "ip", "email", "uri" ]; },
		  { name = "permissive"; names = "permissive"; subject = [ $ALL_SUBJECT ]; },
		  { name = "exponents"; rsa_exponents = "any"; },
		  { name = "required"; required = [ "serialNumber", "dns" ]; },
		  { name = "nosubject"; empty_subject = true; },
		  { name = "keys"; keys = [ $ALL_KEYS ]; },
		  { name = "rekey"; key_reuse = false; } );
		label = (
		$(label '' devices device "$either"),
		$(label strict devices device "$either" 'encodings = [ "base64" ];'),
		$(label server devices server "$either"),
		$(label permissive devices permissive "$either"),
		$(label exponents devices exponents "$either"),
		$(label required devices required "$either"),
		$(label nosubject devices nosubject "$either"),
		$(label keys devices keys "$either"),
		$(label rekey devices rekey "$either"),
		$(label second second device "$either") );
	END
}
