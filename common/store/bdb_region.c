#include "common/store/bdb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/file.h"

/*
 * Berkeley DB's shared memory is files with holes that are mapped and grow: where the disk is full,
 * filling a hole is a SIGBUS and no error. So whoever makes them looks first whether there is room,
 * and then takes all the space that they will ever want. DB_REGION_INIT, which is said to do so,
 * does it for their first size only.
 */
enum { REGIONS = 9, NAME = sizeof("/__db.001") };

static void region_name(char name[static NAME], unsigned number)
{
	(void)snprintf(name, NAME, "/__db.%03u", number % 1000);
}

static char *region_path(const struct bdb *bdb, unsigned number)
{
	char name[NAME];

	region_name(name, number);
	return file_path(bdb->directory, name + 1);
}

/* What regions of before give back. Nobody else may have them mapped. */
static uint64_t reclaimable(const struct bdb *bdb)
{
	uint64_t octets = 0;

	if (gate_figures(bdb->gate).processes > 1)
		return 0;
	for (unsigned i = 1; i <= REGIONS; i++) {
		char *path = region_path(bdb, i);
		struct stat status;
		if (stat(path, &status) == 0)
			octets += (uint64_t)status.st_blocks * 512;
		free(path);
	}
	return octets;
}

int bdb_region_room(struct bdb *bdb)
{
	const uint64_t fixed = 24 << 20; /* locks, transactions and mutexes, and a log file */
	struct statvfs disk;
	uint64_t wanted = bdb->cache + bdb->cache / 3 + fixed;

	if (statvfs(bdb->directory, &disk) != 0)
		return errno;
	if ((uint64_t)disk.f_bavail * disk.f_frsize + reclaimable(bdb) >= wanted)
		return 0;
	(void)snprintf(bdb->message, sizeof(bdb->message), "%llu MB are needed to open it",
	    (unsigned long long)(wanted >> 20));
	return ENOSPC;
}

/* How much of a region our process has mapped, which is as large as it can become. */
static size_t mapped_size(FILE *maps, unsigned number)
{
	char name[NAME], line[4096];

	region_name(name, number);
	rewind(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long start, end;
		size_t len = strcspn(line, "\n");
		if (len > NAME && strncmp(line + len - (NAME - 1), name, NAME - 1) == 0 &&
		    sscanf(line, "%lx-%lx", &start, &end) == 2)
			return end - start;
	}
	return 0;
}

static int take_space(const char *path, size_t size)
{
	int error = 0;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return errno;
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) != 0 && errno != EOPNOTSUPP)
		error = errno;
	(void)close(fd);
	return error;
}

int bdb_region_reserve(struct bdb *bdb)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int error = maps == NULL ? errno : 0;

	for (unsigned i = 1; i <= REGIONS && error == 0; i++) {
		size_t size = mapped_size(maps, i);
		char *path = region_path(bdb, i);
		if (size > 0)
			error = take_space(path, size);
		free(path);
	}
	if (maps != NULL)
		(void)fclose(maps);
	return error;
}
