# oci-harden: `make help` lists the targets.
# V=1 prints whole commands; BUILD=dir builds elsewhere; SAN=address,undefined builds with sanitizers, COVERAGE=1 for gcov;
# WERROR=1 makes warnings errors.
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules
.DELETE_ON_ERROR:
.SUFFIXES:
# Objects of tests are kept, so that a second run does not build them again.
.SECONDARY:

CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
AR := ar
SAN ?=
COVERAGE ?=
WERROR ?=
CFLAGS ?= -O2 -g
CPPFLAGS ?=
LDFLAGS ?=
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
DESTDIR ?=
FORCE ?=
DEB_BUILD_OPTIONS ?=
BUILD ?= build$(if $(SAN),-san)$(if $(COVERAGE),-cov)
VERSION := 0.1.0
V ?=
Q := $(if $(V),,@)

comma := ,
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
	-Wformat=2 -Wvla -Wundef -Wswitch-enum -Wimplicit-fallthrough $(if $(WERROR),-Werror)
# What a processor checks of jumps and returns has another name on each.
MACHINE := $(shell $(CC) -dumpmachine)
HARDEN := -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero \
	$(if $(filter x86_64-%,$(MACHINE)),-fcf-protection=full) $(if $(filter aarch64-%,$(MACHINE)),-mbranch-protection=standard) \
	$(if $(SAN)$(COVERAGE),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=undefined -fno-omit-frame-pointer) \
	$(if $(COVERAGE),--coverage -fprofile-update=atomic -DHARDEN_COVERAGE)
# clang 14 wants a second flag for zero-initialisation, and only the fuzzers are built by it.
ifneq ($(findstring clang,$(CC)),)
HARDEN := -fstack-protector-strong
endif
ALL_CPPFLAGS := -D_GNU_SOURCE -DHARDEN_VERSION='"$(VERSION)"' -Isrc -Iinclude $(CPPFLAGS)
ALL_CFLAGS := -std=gnu17 -fPIE -MMD -MP $(WARN) $(HARDEN) $(SANFLAGS) $(CFLAGS)
ALL_LDFLAGS := $(if $(SAN),-pie,-static-pie) -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code \
	-Wl,--gc-sections $(SANFLAGS) $(LDFLAGS)
LIBS := -lseccomp -lcap -ljansson -lnettle -lapparmor
# What hardenctl and the tests need besides: manifests are YAML.
CTL_LIBS := -lyaml -lm $(LIBS)

# What stands on the way of every call of an engine is linked with musl: glibc asks the processor for its features at
# each start, by some sixty CPUID instructions, and in a virtual machine each of them is a trip to the hypervisor. Under
# the sanitizers and gcov, which know glibc only, it is glibc there too.
MUSL_DIR := /usr/lib/$(shell $(CC) -print-multiarch | sed 's/-gnu$$/-musl/')
MUSL_INCLUDE := $(BUILD)/musl/include
MUSL_CFLAGS = -specs=$(MUSL_DIR)/musl-gcc.specs -isystem $(MUSL_INCLUDE)
crt = $(MUSL_DIR)/$(1).o
gcc_crt = $(shell $(CC) -print-file-name=$(1).o)
# What the programs say of themselves: libraries by name, each with the archive that is linked.
archive = $(shell $(CC) -print-file-name=lib$(1).a)
VERSION_LIBS = $(foreach l,$(LIBS:-l%=%),$(l)=$(call archive,$(l))) \
	$(foreach l,$(patsubst -l%,%,$(filter-out -lm $(LIBS),$(CTL_LIBS))) gcc,ctl:$(l)=$(call archive,$(l))) \
	glibc=$(call archive,c) musl=$(MUSL_DIR)/libc.a
# $(call link_musl,OUTPUT,OBJECTS): what musl-gcc does, which knows no static-pie.
link_musl = $(CC) -o $(1) -Wl,-Map=$(1).map -nostdlib -L$(MUSL_DIR) $(call crt,rcrt1) $(call crt,crti) $(call gcc_crt,crtbeginS) $(2) \
	$(ALL_LDFLAGS) $(LIBS) -Wl,--start-group -lc -lgcc -lgcc_eh -Wl,--end-group $(call gcc_crt,crtendS) $(call crt,crtn)

NOT_LIB := src/runtime/main.c src/runtime/memory.c src/runtime/fortify.c src/runtime/copy.c src/ctl/main.c
LIB_SRC := $(sort $(filter-out $(NOT_LIB),$(wildcard src/*/*.c)))
WRAPPER_SRC := $(filter-out src/ctl/% src/manifest/% src/install/% src/posture/% src/idmap/probe.c,$(LIB_SRC) $(NOT_LIB))
GEN := builtin policies
WRAPPER_OBJ := $(WRAPPER_SRC:%.c=$(BUILD)/musl/%.o) $(GEN:%=$(BUILD)/musl/gen/%.o)
HOOK_SRC := $(sort $(wildcard hooks/*.c))
HOOK_OBJ := $(HOOK_SRC:%.c=$(BUILD)/musl/%.o) $(filter-out $(BUILD)/musl/src/runtime/main.o,$(WRAPPER_OBJ))
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o) $(GEN:%=$(BUILD)/gen/%.o)
# What of the hook's own has tests of its own.
HOOK_LIB := $(BUILD)/hooks/state.o
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/%)
PROGRAMS := $(patsubst src/%/main.c,%,$(wildcard src/*/main.c))
BIN := $(addprefix $(BUILD)/,$(patsubst runtime,oci-harden,$(patsubst ctl,hardenctl,$(PROGRAMS))) oci-harden-hook)

FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/fuzz/%)

.PHONY: all
all: $(BIN) ## build the programs into build/

# A stamp changes only when its content does, so that new flags or a deleted file rebuild what they must.
define stamp
$(BUILD)/$(1): FORCE
	@mkdir -p $$(@D)
	@printf '%s\n' '$(subst ','\'',$(2))' | cmp -s - $$@ || printf '%s\n' '$(subst ','\'',$(2))' > $$@
endef
.PHONY: FORCE
FORCE:
$(eval $(call stamp,.version,$(VERSION) $(shell tools/version commit)))
$(eval $(call stamp,.flags,$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(CTL_LIBS) $(MUSL_DIR)))
$(eval $(call stamp,.sources,$(LIB_SRC) $(HOOK_SRC)))

$(BUILD)/%.o: %.c $(BUILD)/.flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

BUILTIN := $(sort $(wildcard profiles/policies/*.json profiles/seccomp/*.json))
BUILTIN_TEXTS := $(sort $(wildcard profiles/apparmor/*))
$(BUILD)/gen/builtin.c: tools/gen-builtin $(BUILTIN) $(BUILTIN_TEXTS) $(BUILD)/.flags
	@mkdir -p $(@D)
	@tools/gen-builtin $(BUILTIN) > $@

# The built-in policies decoded: by a program of the tree's own, which reads the texts above.
PACK := $(BUILD)/gen/pack-policies
$(PACK): $(BUILD)/tools/pack-policies.o $(filter-out $(BUILD)/gen/policies.o,$(LIB_OBJ))
	@echo "  CC $@"
	$(Q)$(CC) -o $@ $^ -pie $(SANFLAGS) $(LDFLAGS) $(CTL_LIBS)
$(BUILD)/gen/policies.c: $(PACK)
	@$(PACK) > $@

$(BUILD)/gen/version.c: tools/version $(BUILD)/.version $(BUILD)/.flags
	@mkdir -p $(@D)
	@tools/version source $$(cat $(BUILD)/.version) $(VERSION_LIBS) > $@

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/.flags
	@echo "  CC $@"
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

# musl's headers, and of the system's only the kernel's and those of the libraries.
$(MUSL_INCLUDE)/.made: $(BUILD)/.flags
	@mkdir -p $(@D)/sys
	$(Q)cd $(@D) && ln -sfn /usr/include/linux /usr/include/asm-generic /usr/include/jansson.h \
	  /usr/include/jansson_config.h /usr/include/seccomp.h /usr/include/seccomp-syscalls.h /usr/include/nettle . && \
	  ln -sfn /usr/include/$$($(CC) -print-multiarch)/asm asm && \
	  ln -sfn /usr/include/sys/capability.h /usr/include/sys/apparmor.h sys/
	@touch $@

$(BUILD)/musl/%.o: %.c $(BUILD)/.flags $(MUSL_INCLUDE)/.made
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(MUSL_CFLAGS) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/musl/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/.flags $(MUSL_INCLUDE)/.made
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(MUSL_CFLAGS) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/libharden.a: $(LIB_OBJ) $(BUILD)/.sources
	@rm -f $@
	@echo "  AR $@"
	$(Q)$(AR) rcs $@ $(LIB_OBJ)

ifeq ($(SAN)$(COVERAGE),)
$(BUILD)/oci-harden: $(WRAPPER_OBJ) $(BUILD)/musl/gen/version.o $(BUILD)/.sources
	@echo "  CC $@"
	$(Q)$(call link_musl,$@,$(filter %.o,$^))
$(BUILD)/oci-harden-hook: $(HOOK_OBJ) $(BUILD)/musl/gen/version.o $(BUILD)/.sources
	@echo "  CC $@"
	$(Q)$(call link_musl,$@,$(filter %.o,$^))
else
$(BUILD)/oci-harden: $(BUILD)/src/runtime/main.o $(BUILD)/gen/version.o $(BUILD)/libharden.a
	@echo "  CC $@"
	$(Q)$(CC) -o $@ $(filter %.o,$^) $(BUILD)/libharden.a $(ALL_LDFLAGS) $(LIBS)
$(BUILD)/oci-harden-hook: $(HOOK_SRC:%.c=$(BUILD)/%.o) $(BUILD)/gen/version.o $(BUILD)/libharden.a
	@echo "  CC $@"
	$(Q)$(CC) -o $@ $(filter %.o,$^) $(BUILD)/libharden.a $(ALL_LDFLAGS) $(LIBS)
endif
$(BUILD)/hardenctl: $(BUILD)/src/ctl/main.o $(BUILD)/gen/version.o $(BUILD)/libharden.a
	@echo "  CC $@"
	$(Q)$(CC) -o $@ -Wl,-Map=$@.map $(filter %.o,$^) $(BUILD)/libharden.a $(ALL_LDFLAGS) $(CTL_LIBS)

# Unit tests are dynamic: Criterion has no static form that is worth its while.
$(BUILD)/tests/test_hook_state: $(HOOK_LIB)
$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(BUILD)/libharden.a
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) -o $@ $(filter %.o,$^) $(BUILD)/libharden.a -pie $(SANFLAGS) $(LDFLAGS) -lcriterion $(CTL_LIBS)

$(BUILD)/tests/unit/%.o: tests/unit/%.c $(BUILD)/.flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) -c -o $@ $<

# Fuzz targets need clang: they are built in a tree of their own by `make fuzz`.
$(BUILD)/fuzz/%: tests/fuzz/%.c $(BUILD)/libharden.a $(BUILD)/.flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) -fsanitize=fuzzer -o $@ $< $(BUILD)/libharden.a $(CTL_LIBS)

.PHONY: fuzz-build
fuzz-build: $(FUZZ_BIN)

# Targets that install what is missing build by a second make, which then finds the compiler; on all processors, unless -j says else.
SUB = $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: demo
demo: ## run one container under runc alone and under oci-harden, side by side
	@tools/install-deps build demo
	@+$(SUB) all $(BUILD)/helpers/filter-dump
	@tools/demo $(BUILD)

.PHONY: check
check: ## all tests: unit, golden, property, integration with real runtimes and engines
	@tools/install-deps build check deb kubernetes
	@+$(SUB) all
	@+$(SUB) check-unit
	@+$(SUB) check-integration
	@+$(SUB) check-engines

.PHONY: check-unit
check-unit: $(UNIT_BIN) $(BIN) ## unit, golden and property tests
	@tools/run-unit $(UNIT_BIN)

# Static, so that they run in any container.
HELPERS := $(addprefix $(BUILD)/helpers/,filter-dump compat-call argv-echo pause standing probe load through weak-runtime vm-end \
	idmapped attributes toml-dump manifest-dump)
# Run as other users in containers, where gcov cannot write, and says so among their words.
$(BUILD)/helpers/attributes: private ALL_CFLAGS := $(filter-out --coverage,$(ALL_CFLAGS))
$(BUILD)/helpers/attributes: private ALL_LDFLAGS := $(filter-out --coverage,$(ALL_LDFLAGS))
$(BUILD)/helpers/%: tests/integration/%.c $(BUILD)/libharden.a $(BUILD)/.flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -o $@ $< $(BUILD)/libharden.a $(ALL_LDFLAGS) $(CTL_LIBS)

PROBE_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/attack/*.c)))
$(eval $(call stamp,.probe,$(PROBE_OBJ)))
$(BUILD)/helpers/probe: $(PROBE_OBJ) $(BUILD)/.probe
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) -o $@ $(PROBE_OBJ) $(ALL_LDFLAGS)

$(BUILD)/helpers/vm-end: $(BUILD)/tests/vm/end.o
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS)

# tests/load/: the driver, and what stands between the wrapper and the runtime meanwhile.
$(BUILD)/helpers/load: $(BUILD)/tests/load/judge.o
$(BUILD)/helpers/load $(BUILD)/helpers/through: $(BUILD)/helpers/%: $(BUILD)/tests/load/%.o
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS)

# The runtime of these tests is started by every one of their thousands of runs.
FAULTS := $(addprefix $(BUILD)/fault/,walk runtime oci-harden) $(addprefix $(BUILD)/agreement/,agree inside)
$(BUILD)/fault/walk: $(addprefix $(BUILD)/tests/fault/,walk.o trace.o tree.o) $(BUILD)/libharden.a
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) -o $@ $(filter %.o,$^) $(BUILD)/libharden.a $(ALL_LDFLAGS) $(LIBS)
$(BUILD)/agreement/agree: $(addprefix $(BUILD)/tests/agreement/,agree.o hostile.o) $(BUILD)/libharden.a
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) -o $@ $(filter %.o,$^) $(BUILD)/libharden.a $(ALL_LDFLAGS) $(LIBS)
$(BUILD)/agreement/inside: $(BUILD)/tests/agreement/inside.o
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS)
# The wrapper itself, with an allocator that fails when it is told to.
FAULT_OBJ := $(filter-out %/memory.o,$(WRAPPER_OBJ)) $(BUILD)/musl/tests/fault/alloc.o
$(BUILD)/musl/tests/fault/alloc.o: ALL_CPPFLAGS += -Itests
$(BUILD)/fault/oci-harden: $(FAULT_OBJ) $(BUILD)/.sources
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(call link_musl,$@,$(FAULT_OBJ))
$(BUILD)/fault/runtime: $(BUILD)/tests/fault/runtime.o
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS)
$(BUILD)/tests/agreement/%.o: tests/agreement/%.c $(BUILD)/.flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) -c -o $@ $<
$(BUILD)/tests/fault/%.o: tests/fault/%.c $(BUILD)/.flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) -c -o $@ $<

.PHONY: check-integration
check-integration: $(BIN) $(HELPERS) $(FAULTS) ## the programs with real runc and crun; needs root
	@BUILD=$(BUILD) tests/integration/run

$(BUILD)/services.tar: tests/engines/services-rootfs
	@mkdir -p $(@D)
	@echo "  GET $@"
	$(Q)tests/engines/services-rootfs $@

.PHONY: check-engines
check-engines: $(BIN) $(HELPERS) $(BUILD)/services.tar ## containers of real containerd (ctr and CRI), dockerd and podman, and their table; needs root
	@tools/install-deps build check
	@BUILD=$(BUILD) tests/engines/run

.PHONY: check-attack
check-attack: $(BIN) $(HELPERS) ## the attack battery in real containers and staged escapes, and its table; needs root
	@tools/install-deps build check
	@BUILD=$(BUILD) tests/integration/run tests/integration/attacks.bats tests/integration/escapes.bats \
	  tests/integration/battery.bats
	@cat $(BUILD)/attack/table.txt

.PHONY: check-image
check-image: $(BIN) ## the cluster installer's image built by its Dockerfile and run against a scratch node; minutes; needs root and Debian's archive
	@tools/install-deps build check kubernetes image
	@BUILD=$(BUILD) SUITE=image tests/integration/run tests/kubernetes/image.bats

VM ?=
ONLY ?=
.PHONY: check-lsm
check-lsm: ## tests in machines of another kernel, with AppArmor and with SELinux, by QEMU; VM=apparmor ONLY="FILE..." for a part
	@tools/install-deps build vm
	@+$(SUB) -s all $(HELPERS)
	@BUILD=$(BUILD) VM='$(VM)' ONLY='$(ONLY)' tests/vm/run

COUNT ?= 1000
SEED ?=
.PHONY: check-load
check-load: $(BIN) $(HELPERS) ## COUNT containers (1000), 16 at a time, under random SIGKILL; needs root. SEED repeats a run
	@tools/install-deps build check
	@COUNT=$(COUNT) SEED=$(SEED) BUILD=$(BUILD) tests/integration/run tests/integration/load.bats

.PHONY: check-san
check-san: ## unit, golden and property tests under ASan and UBSan
	@tools/install-deps build check san
	@+$(SUB) SAN=address,undefined CFLAGS='-O1 -g' BUILD=build-san check-unit

.PHONY: coverage
coverage: ## line coverage of src/ by all tests but those that such a build would fail; needs root
	@tools/install-deps build check cov
	@+$(SUB) COVERAGE=1 CFLAGS='-O1 -g' BUILD=build-cov coverage-run

# A program that counts its lines makes other system calls, is linked with glibc, and can count for root alone.
COVERAGE_CANNOT := $(addprefix tests/,integration/faults.bats integration/faults-start.bats \
	integration/install.bats engines/rootless.bats)
.PHONY: coverage-run
coverage-run: $(BIN) $(UNIT_BIN) $(HELPERS) $(filter-out $(BUILD)/fault/%,$(FAULTS)) $(BUILD)/services.tar
	@find $(BUILD) -name '*.gcda' -delete
	@tools/run-unit $(UNIT_BIN)
	@BUILD=$(BUILD) tests/integration/run $(filter-out $(COVERAGE_CANNOT),$(wildcard tests/integration/*.bats tests/engines/*.bats))
	@gcovr --root . --object-directory $(BUILD) --filter src/ $(BUILD)

TIME ?= 60
BRIEF ?=
.PHONY: fuzz
fuzz: ## every fuzz target for TIME seconds (60), those of BRIEF="NAME..." for a quarter of it
	@tools/install-deps build fuzz
	@+$(SUB) WERROR= CC=clang SAN=fuzzer-no-link,address,undefined BUILD=build-fuzz CFLAGS='-O1 -g' fuzz-build
	@BRIEF='$(BRIEF)' tools/run-fuzz $(TIME) build-fuzz/fuzz

.PHONY: bench
bench: ## paired timings against the bare runtimes; needs root and a quiet machine
	@tools/install-deps build bench
	@+$(SUB) all $(BUILD)/bench/pair $(BUILD)/bench/nop
	@tools/bench $(BUILD)

$(BUILD)/bench/%: tests/bench/%.c $(BUILD)/.flags
	@mkdir -p $(@D)
	@echo "  CC $@"
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -static-pie -o $@ $<

.PHONY: lint
lint: ## layers, purity of controls, clang-format, clang-tidy, cppcheck, -fanalyzer, shellcheck
	@tools/install-deps build lint
	@+$(SUB) WERROR=1 all
	@+MAKE='$(SUB)' BUILD=$(BUILD) tools/lint

# Stamps of what clang-tidy and gcc's analyser found in order: a file is looked at again when it, a header that it
# includes, or the settings change. tools/lint names them.
LINT_FLAGS = -std=gnu17 $(ALL_CPPFLAGS) -Itests
$(BUILD)/lint/%.tidy: %.c .clang-tidy tests/.clang-tidy Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(LINT_FLAGS) -MM -MP -MT $@ -MF $@.d $<
	$(Q)clang-tidy --quiet $< -- $(LINT_FLAGS)
	@touch $@

# gcc 12 takes a growing array for a leak, and what a loop or a callee has set for uninitialised: leaks are
# LeakSanitizer's to find (make check-san), the rest clang-tidy's.
$(BUILD)/lint/%.analyzer: %.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(LINT_FLAGS) -O2 -fanalyzer -Wno-analyzer-malloc-leak -Wno-analyzer-use-of-uninitialized-value \
	  -fdiagnostics-path-format=none -Werror -MMD -MP -MT $@ -MF $@.d -c -o /dev/null $<
	@touch $@

# What `hardenctl` prints from its own tables, and the tree keeps; tests/integration/generated.bats compares.
.PHONY: generate
generate: $(BIN) ## write the generated manual pages, schemas, completion and list of rules anew
	@tools/generate $(BUILD) .

.PHONY: format
format: ## reformat every C file
	clang-format -i $$(git ls-files '*.c' '*.h')

MAN := $(wildcard docs/man/*.[158])
# One name a policy, for engines that give a runtime no arguments.
LINKS := privileged baseline restricted strict
.PHONY: install
install: $(BIN) ## install below DESTDIR and PREFIX (/usr/local)
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 755 $(BUILD)/oci-harden $(BUILD)/oci-harden-hook $(BUILD)/hardenctl $(DESTDIR)$(PREFIX)/sbin/
	install -d $(DESTDIR)$(PREFIX)/share/containers/oci/hooks.d $(DESTDIR)$(PREFIX)/share/oci-harden
	sed 's|@SBINDIR@|$(PREFIX)/sbin|' hooks/oci-harden.json \
	  > $(DESTDIR)$(PREFIX)/share/containers/oci/hooks.d/oci-harden.json
	sed 's|@SBINDIR@|$(PREFIX)/sbin|' hooks/oci-harden-always.json \
	  > $(DESTDIR)$(PREFIX)/share/oci-harden/oci-harden-always.json
	for p in $(LINKS); do \
	  ln -sf oci-harden $(DESTDIR)$(PREFIX)/sbin/oci-harden-$$p || exit 1; done
	for m in $(MAN); do install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man$${m##*.} $$m || exit 1; done
	for p in $(LINKS); do ln -sf oci-harden.8 $(DESTDIR)$(PREFIX)/share/man/man8/oci-harden-$$p.8 || exit 1; done
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/oci-harden/selinux profiles/selinux/*.cil
	install -m 644 tools/hardenctl.bash-completion $(DESTDIR)$(PREFIX)/share/bash-completion/completions/hardenctl
	install -d $(DESTDIR)$(UNITDIR)
	sed 's|@SBINDIR@|$(PREFIX)/sbin|' deploy/system/oci-harden-apparmor.service \
	  > $(DESTDIR)$(UNITDIR)/oci-harden-apparmor.service
	install -D -m 644 deploy/system/oci-harden.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/oci-harden.conf
	install -D -m 644 deploy/system/oci-harden.logrotate $(DESTDIR)$(SYSCONFDIR)/logrotate.d/oci-harden
# For the kernel that runs here, which a DESTDIR is not for.
	if [ -z "$(DESTDIR)" ] && [ -e /sys/kernel/security/apparmor/features ]; then \
	  $(PREFIX)/sbin/hardenctl apparmor compile || echo 'install: mend that, then run hardenctl apparmor compile'; fi

# An engine that calls a program which is gone can neither start containers nor stop those that run.
.PHONY: uninstall
uninstall: ## remove what install put there; /etc/oci-harden and /run/oci-harden stay. FORCE=1 though engines or containers need it
	@if [ -z "$(DESTDIR)$(FORCE)" ] && [ -x $(PREFIX)/sbin/hardenctl ] && ! $(PREFIX)/sbin/hardenctl status --needed; then \
	  echo 'uninstall: run hardenctl uninstall first, and remove those containers; or go on with FORCE=1' >&2; exit 1; fi
	cd $(DESTDIR)$(PREFIX)/sbin && rm -f oci-harden oci-harden-hook hardenctl $(LINKS:%=oci-harden-%)
	rm -f $(LINKS:%=$(DESTDIR)$(PREFIX)/share/man/man8/oci-harden-%.8)
	rm -f $(DESTDIR)$(PREFIX)/share/containers/oci/hooks.d/oci-harden.json
	rm -rf $(DESTDIR)$(PREFIX)/share/oci-harden
	for m in $(notdir $(MAN)); do rm -f $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$$m; done
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/hardenctl
	rm -f $(DESTDIR)$(UNITDIR)/oci-harden-apparmor.service
	rm -f $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/oci-harden.conf $(DESTDIR)$(SYSCONFDIR)/logrotate.d/oci-harden
	[ -n "$(DESTDIR)" ] || rm -rf /var/cache/oci-harden

.PHONY: dist
dist: ## the release's tarball with SHA256SUMS, of the commit that is checked out: the same bytes wherever it is made
	@tools/dist $(VERSION) $(BUILD)/dist

.PHONY: deb
deb: ## Debian packages below build/deb, judged by lintian
	@tools/install-deps build deb $(if $(findstring nocheck,$(DEB_BUILD_OPTIONS)),,unit)
	@tools/deb $(VERSION) $(BUILD)/deb

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build build-san build-cov build-fuzz

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

# Not those of the tree that `make deb` builds in, nor a directory like logrotate.d.
-include $(shell find $(BUILD) -path $(BUILD)/deb -prune -o -type f -name '*.d' -print 2>/dev/null)
