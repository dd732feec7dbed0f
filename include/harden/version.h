/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program of ours says of itself: version, commit, and the static libraries in it. Made at the build
 * by tools/version and linked into the three programs alone, so that a commit relinks nothing else.
 *
 * The wrapper's --version is the runtime's, byte for byte: engines parse it. So the same stands in each
 * program as an ELF note of the kind that distributions use (".note.package", JSON), which `hardenctl
 * version` reads, and readelf --notes and systemd's tools as well.
 */
#ifndef HARDEN_VERSION_H
#define HARDEN_VERSION_H

#define VERSION_NOTE_OWNER "FDO"
#define VERSION_NOTE_TYPE 0xcafe1a7eU

/* "0.1.0", then lines "commit: ..." and "libraries: ...", without a newline at the end. */
extern const char version_text[];

#endif
