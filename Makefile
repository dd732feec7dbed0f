# oci-harden: `make help` lists the targets.
# BUILD=dir builds elsewhere; SAN=address,undefined builds with sanitizers; WERROR=1 makes warnings errors.
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules
.DELETE_ON_ERROR:
.SUFFIXES:

CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
AR := ar
SAN ?=
WERROR ?=
CFLAGS ?= -O2 -g
CPPFLAGS ?=
LDFLAGS ?=
PREFIX ?= /usr/local
DESTDIR ?=
BUILD ?= build$(if $(SAN),-san)
VERSION := 0.1.0

comma := ,
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
	-Wformat=2 -Wvla -Wundef -Wswitch-enum -Wimplicit-fallthrough $(if $(WERROR),-Werror)
HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
	-ftrivial-auto-var-init=zero $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
ALL_CPPFLAGS := -D_GNU_SOURCE -DHARDEN_VERSION='"$(VERSION)"' -Isrc -Iinclude $(CPPFLAGS)
ALL_CFLAGS := -std=gnu17 -fPIE -MMD -MP $(WARN) $(HARDEN) $(SANFLAGS) $(CFLAGS)
ALL_LDFLAGS := $(if $(SAN),-pie,-static-pie) -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code \
	-Wl,--gc-sections $(SANFLAGS) $(LDFLAGS)
LIBS := -lseccomp -lcap -ljansson -lmd

LIB_SRC := $(sort $(filter-out src/runtime/main.c src/ctl/main.c,$(wildcard src/*/*.c)))
GEN_SRC := $(BUILD)/gen/builtin.c
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o) $(BUILD)/gen/builtin.o
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/%)
PROGRAMS := $(patsubst src/%/main.c,%,$(wildcard src/*/main.c))
BIN := $(addprefix $(BUILD)/,$(patsubst runtime,oci-harden,$(patsubst ctl,hardenctl,$(PROGRAMS))))

.PHONY: all
all: $(BIN)

# A stamp changes only when its content does, so that new flags or a deleted file rebuild what they must.
define stamp
$(BUILD)/$(1): FORCE
	@mkdir -p $$(@D)
	@printf '%s\n' '$(subst ','\'',$(2))' | cmp -s - $$@ || printf '%s\n' '$(subst ','\'',$(2))' > $$@
endef
.PHONY: FORCE
FORCE:
$(eval $(call stamp,.flags,$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(LIBS)))
$(eval $(call stamp,.sources,$(LIB_SRC)))

$(BUILD)/%.o: %.c $(BUILD)/.flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

BUILTIN := $(sort $(wildcard profiles/policies/*.json profiles/seccomp/*.json))
$(GEN_SRC): tools/gen-builtin $(BUILTIN) $(BUILD)/.flags
	@mkdir -p $(@D)
	tools/gen-builtin $(BUILTIN) > $@
$(BUILD)/gen/builtin.o: $(GEN_SRC) $(BUILD)/.flags
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/libharden.a: $(LIB_OBJ) $(BUILD)/.sources
	@rm -f $@
	$(AR) rcs $@ $(LIB_OBJ)

$(BUILD)/oci-harden: $(BUILD)/src/runtime/main.o $(BUILD)/libharden.a
	$(CC) -o $@ $(filter %.o,$^) $(BUILD)/libharden.a $(ALL_LDFLAGS) $(LIBS)
$(BUILD)/hardenctl: $(BUILD)/src/ctl/main.o $(BUILD)/libharden.a
	$(CC) -o $@ $(filter %.o,$^) $(BUILD)/libharden.a $(ALL_LDFLAGS) $(LIBS)

# Unit tests are dynamic: Criterion has no static form that is worth its while.
$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(BUILD)/libharden.a
	@mkdir -p $(@D)
	$(CC) -o $@ $< $(BUILD)/libharden.a -pie $(SANFLAGS) $(LDFLAGS) -lcriterion $(LIBS)

$(BUILD)/tests/unit/%.o: tests/unit/%.c $(BUILD)/.flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) -c -o $@ $<

.PHONY: check-unit
check-unit: $(UNIT_BIN)
	tools/run-unit $(UNIT_BIN)

.PHONY: clean
clean:
	rm -rf build build-san

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
