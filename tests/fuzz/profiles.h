/*
 * profiles.h - a configuration in memory with profiles between the strictest and the most
 * permissive.
 */
#ifndef EST_FUZZ_PROFILES_H
#define EST_FUZZ_PROFILES_H

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/pki/profile.h"

enum { STRICT, PERMISSIVE, SERVER, BARE, RULED, GIVEN, EDGE, PROFILES };

/* The second grants all that the first does, and all else that there is. */
static const char profiles_text[] =
    "state = \"state\";\n"
    "ca = ( { name = \"ca\"; certificate = \"ca.pem\"; key = \"ca.key\"; } );\n"
    "profile = (\n"
    "{ name = \"strict\"; },\n"
    "{ name = \"permissive\"; names = \"permissive\"; rsa_exponents = \"any\"; empty_subject = "
    "true;\n"
    "  validity = \"36500d\";\n"
    "  key_usage = [ \"digitalSignature\", \"nonRepudiation\", \"keyEncipherment\",\n"
    "    \"dataEncipherment\", \"keyAgreement\", \"encipherOnly\", \"decipherOnly\" ];\n"
    "  extended_key_usage = [ \"clientAuth\", \"emailProtection\", \"1.3.6.1.5.5.7.3.17\" ];\n"
    "  subject = [ \"CN\", \"serialNumber\", \"C\", \"L\", \"ST\", \"street\", \"O\", \"OU\", "
    "\"title\",\n"
    "    \"postalCode\", \"SN\", \"GN\", \"dnQualifier\", \"pseudonym\", "
    "\"organizationIdentifier\",\n"
    "    \"emailAddress\", \"UID\", \"DC\" ];\n"
    "  subject_alt_names = [ \"dns\", \"ip\", \"email\", \"uri\" ]; },\n"
    "{ name = \"server\"; extended_key_usage = [ \"serverAuth\", \"clientAuth\" ]; required = [ "
    "\"dns\" ];\n"
    "  empty_subject = true; },\n"
    "{ name = \"bare\"; key_usage = [ \"digitalSignature\" ]; extended_key_usage = [ ];\n"
    "  empty_subject = true; subject_alt_names = [ \"uri\", \"email\" ]; },\n"
    "{ name = \"ruled\"; subject = [ \"CN\", \"OU\" ]; subject_patterns = [ \"CN=**\", "
    "\"OU=*\" ];\n"
    "  subject_fixed = [ \"O=Pump Works\" ]; subject_alt_names = [ \"dns\", \"ip\", \"uri\" ];\n"
    "  san_patterns = [ \"dns:*.example\", \"dns:**\", \"ip:10.0.0.0/8\", \"ip:192.0.2.0/24\", "
    "\"ip:2001:db8::/32\" ];\n"
    "  san_fixed = [ \"uri:urn:plant:7\" ]; policies = [ \"1.2.3\" ]; must_staple = true;\n"
    "  crl_urls = [ \"http://a.example/crl\" ]; extensions = [ \"1.2.3.4 critical 0500\" ]; },\n"
    "{ name = \"given\"; subject_from = \"identity\"; san_from = \"cn\"; names = \"permissive\";\n"
    "  extended_key_usage = [ \"serverAuth\", \"clientAuth\" ]; required = [ \"CN\" ];\n"
    "  subject_alt_names = [ \"dns\", \"ip\", \"email\", \"uri\" ]; },\n"
    "{ name = \"edge\"; ca = true; path_length = \"1\"; extended_key_usage = [ ];\n"
    "  key_usage = [ \"keyCertSign\", \"cRLSign\", \"digitalSignature\" ]; } );\n"
    "label = ( { name = \"\"; ca = \"ca\"; profile = \"strict\"; } );\n";

/* Made once; they live as long as the process. */
static inline const struct profile *profiles_of(size_t which)
{
	static struct config *config;
	static struct profile *profiles[PROFILES];
	char path[64];
	int file;

	if (config != NULL)
		return profiles[which];
	file = memfd_create("est.conf", 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	must(write(file, profiles_text, strlen(profiles_text)) == (ssize_t)strlen(profiles_text));
	must(config_load(path, &config) == EST_OK);
	(void)close(file);
	must(config->profile_count == PROFILES);
	for (size_t i = 0; i < PROFILES; i++)
		must(profile_make("est.conf", &config->profiles[i], &profiles[i]) == EST_OK);
	return profiles[which];
}

#endif
