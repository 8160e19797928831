# SPDX-License-Identifier: GPL-2.0-or-later
#
# The whole build in one graph; `make help` lists what can be asked for.
#
#   bpf/*.bpf.c -> O/bpf/*.bpf.o -> O/bpf/ringfence.bpf.o -> O/bpf/ringfence.skel.h
#   user/DIR/*.c -> V/user/DIR/*.o -> V/librf-DIR.a -> V/ringfenced, V/ringfence
#   user/helper/gpu/*.c -> V/ringfence-gpu
#   tests/unit/DIR/test_*.c + the archives that DIR may see -> V/tests/unit/DIR/test_*
#
# O is the build directory. V is O itself, or O/asan and O/fuzz for the same
# sources built another way (FLAVOUR=asan, FLAVOUR=fuzz); what configure found
# and the BPF objects are shared between them.

O ?= build
FLAVOUR ?=
override O := $(patsubst %/,%,$(O))
V := $(O)$(FLAVOUR:%=/%)
VERSION := $(shell cat VERSION)

# Guest root images and kernels of the vm tests; outside the tree, so that `make clean` keeps them.
RF_CACHE ?= /var/cache/ringfence
# 1: the vm tests boot every kernel of the matrix; 0: one.
RF_MATRIX ?= 1
KERNEL ?=
# Seconds each fuzzer runs.
FUZZ_TIME ?= 25
KDIR ?= /lib/modules/$(shell uname -r)/build
DESTDIR ?=

export O RF_CACHE RF_MATRIX FUZZ_TIME

.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

.PHONY: help
help: ## list the targets
	@echo 'Ringfence $(VERSION). Targets:'
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | while IFS='|' read -r name text; do \
		printf '  %-12s %s\n' $$name "$$text"; done
	@echo 'Variables: O=DIR CC=COMPILER KERNEL=VERSION KDIR=DIR FUZZ_TIME=SECONDS VMLINUX_BTF=FILE'
	@echo '           PREFIX=$(or $(PREFIX),/usr/local) DESTDIR=DIR RF_CACHE=$(RF_CACHE) RF_MATRIX=0|1'

.DEFAULT_GOAL := all

# These run on a machine where nothing is installed yet.
BARE := help deps check demo clean debug-kernel dmem-kernel dkms-deb dkms-test format lint-format lint-style lint-layers lint-shell
ifneq ($(filter-out $(BARE),$(or $(MAKECMDGOALS),all)),)
include $(O)/config.mk
endif

$(O)/config.mk: configure
	@O=$(O) ./configure
	@touch $@

# ---- flags ----------------------------------------------------------------------------------------------------------

ifeq ($(origin CC),default)
CC := $(RF_CC)
endif
WARN := -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wstrict-prototypes
# The generated skeletons are included as system headers: their warnings are not ours.
CPPFLAGS_RF := -I. -Iinclude -isystem $(O) -isystem $(O)/bpf -D_GNU_SOURCE -DRF_VERSION='"$(VERSION)"'
CFLAGS_RF := -std=gnu11 -g $(WARN) -fno-common -fno-strict-aliasing -ffunction-sections -fdata-sections
LDFLAGS_RF := -Wl,--gc-sections
LIBS := -lbpf -lelf -lz -lsystemd -lyaml -ljson-c -lmicrohttpd -lmaxminddb -lsqlite3 -lm

ifeq ($(FLAVOUR),)
CFLAGS_RF += -O2 $(HARDEN_CFLAGS) -fPIE
LDFLAGS_RF += $(HARDEN_LDFLAGS) -pie
else
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
CFLAGS_RF += -O1 $(SANITIZE) -fno-omit-frame-pointer
LDFLAGS_RF += $(SANITIZE)
endif
ifeq ($(FLAVOUR),fuzz)
CC := $(CLANG)
CFLAGS_RF += -fsanitize=fuzzer-no-link -DRF_FUZZING
endif

# Everything that was compiled with other flags is compiled again.
FLAGS := $(CC) $(CPPFLAGS_RF) $(CPPFLAGS) $(CFLAGS_RF) $(CFLAGS)
$(V)/flags: FORCE | $(O)/config.mk
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || echo '$(subst ','\'',$(FLAGS))' > $@
.PHONY: FORCE
FORCE:

# `make W=1` shows the commands.
Q := $(if $(W),,@)
say = @printf '  %-8s %s\n' '$(1)' '$(patsubst $(O)/%,%,$@)'

# ---- BPF ------------------------------------------------------------------------------------------------------------

# The object that defines the maps goes first: the linker of libbpf 1.1 misplaces a map that was extern before.
BPF_MAPS := bpf/identity.bpf.c
# Objects of their own: what the host can is tried before, and what belongs to modules comes when they do.
BPF_APART := bpf/probe.bpf.c bpf/accel_drm.bpf.c bpf/calls.bpf.c
BPF_SRC := $(wildcard $(BPF_MAPS)) $(filter-out $(BPF_MAPS) $(BPF_APART),$(wildcard bpf/*.bpf.c))
BPF_OBJ := $(BPF_SRC:%.bpf.c=$(O)/%.o)
SKEL := $(if $(BPF_SRC),$(O)/bpf/ringfence.skel.h) $(patsubst %.bpf.c,$(O)/%.skel.h,$(wildcard $(BPF_APART)))
# More flags for the BPF compiler; the lifecycle test builds a variant with them.
BPF_EXTRA ?=
BPF_FLAGS := -target bpf -mcpu=v3 -g -O2 -Wall -Werror -I $(O) -I include -I . \
	-fms-extensions -Wno-microsoft-anon-tag -D__TARGET_ARCH_$(BPF_ARCH) -idirafter $(BPF_SYSTEM_INCLUDE) \
	$(BPF_EXTRA)

# Not by the time stamp of $(VMLINUX_BTF): sysfs makes a new one whenever it likes.
$(O)/vmlinux.from: FORCE | $(O)/config.mk
	@echo '$(VMLINUX_BTF)' | cmp -s - $@ || echo '$(VMLINUX_BTF)' > $@

$(O)/vmlinux.h: $(O)/vmlinux.from
	$(call say,BTF)
	$(Q)$(BPFTOOL) btf dump file $(VMLINUX_BTF) format c > $@

$(O)/bpf/%.o: bpf/%.bpf.c $(O)/vmlinux.h Makefile
	$(call say,BPF)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_FLAGS) -MMD -MP -c -o $@ $<

$(O)/bpf/ringfence.bpf.o: $(BPF_OBJ)
	$(call say,BPFLINK)
	$(Q)$(BPFTOOL) gen object $@ $^

$(O)/bpf/ringfence.skel.h: $(O)/bpf/ringfence.bpf.o
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< name ringfence_bpf > $@

$(BPF_APART:%.bpf.c=$(O)/%.skel.h): $(O)/bpf/%.skel.h: $(O)/bpf/%.o
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen object $(O)/bpf/$*.bpf.o $<
	$(Q)$(BPFTOOL) gen skeleton $(O)/bpf/$*.bpf.o name $*_bpf > $@

# BPF programs that only a test loads: tests/bpf/x.bpf.c -> #include "tests/bpf/x.skel.h".
TEST_BPF := $(wildcard tests/*/*.bpf.c)
TEST_SKEL := $(TEST_BPF:%.bpf.c=$(O)/%.skel.h)
$(O)/tests/%.skel.h: tests/%.bpf.c $(O)/vmlinux.h Makefile
	$(call say,SKEL)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_FLAGS) -MMD -MP -MT $@ -MF $(@:.h=.d) -c -o $(@:.skel.h=.tmp.o) $<
	$(Q)$(BPFTOOL) gen object $(@:.skel.h=.bpf.o) $(@:.skel.h=.tmp.o)
	$(Q)$(BPFTOOL) gen skeleton $(@:.skel.h=.bpf.o) name $(subst -,_,$(notdir $*))_bpf > $@

# ---- user space -----------------------------------------------------------------------------------------------------

# In link order, a user before what it uses. An empty directory makes an empty archive.
LIB_DIRS := export respond detect collect store engine policy model lib
sources = $(wildcard user/$(1)/*.c user/$(1)/*/*.c)
objects = $(patsubst %.c,$(V)/%.o,$(1))
archive = $(1:%=$(V)/librf-%.a)

USER_LIBS := $(call archive,$(LIB_DIRS))
DAEMON_LIB := $(call archive,daemon)
CLI_LIB := $(call archive,cli)
USER_SRC := $(foreach dir,daemon cli helper $(LIB_DIRS),$(call sources,$(dir)))
USER_OBJ := $(call objects,$(USER_SRC))

# -MD, not -MMD: the skeletons count as system headers, and a changed one must be compiled in.
$(V)/%.o: %.c $(V)/flags | $(SKEL) $(TEST_SKEL)
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_RF) $(CPPFLAGS) $(CFLAGS_RF) $(CFLAGS) -MD -MP -c -o $@ $<

# main.c stays out of the archives, so that tests can link them.
define library
$(call archive,$(1)): $(call objects,$(filter-out user/$(1)/main.c,$(call sources,$(1)))) $(O)/config.mk
	$$(call say,AR)
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@ && ar rcD $$@ $$(filter %.o,$$^)
endef
$(foreach dir,daemon cli $(LIB_DIRS),$(eval $(call library,$(dir))))

link = $(CC) $(CFLAGS_RF) $(CFLAGS) $(LDFLAGS_RF) $(LDFLAGS) -o $@ $(filter %.o,$^) \
	-Wl,--start-group $(filter %.a,$^) -Wl,--end-group

$(V)/ringfenced: $(V)/user/daemon/main.o $(DAEMON_LIB) $(USER_LIBS)
	$(call say,LD)
	$(Q)$(link) $(LIBS)

$(V)/ringfence: $(V)/user/cli/main.o $(CLI_LIB) $(call archive,policy model lib)
	$(call say,LD)
	$(Q)$(link) -lyaml -ljson-c -lm

# NVIDIA's library is loaded by name: there is nothing to link.
$(V)/ringfence-gpu: $(call objects,$(call sources,helper/gpu)) $(call archive,model lib)
	$(call say,LD)
	$(Q)$(link) -lm

PROGRAMS := $(V)/ringfence-gpu $(if $(wildcard user/daemon/main.c),$(V)/ringfenced) $(if $(wildcard user/cli/main.c),$(V)/ringfence)

.PHONY: all
all: $(SKEL) $(USER_LIBS) $(PROGRAMS) ## build ringfenced, ringfence and ringfence-gpu (the default)

# ---- tests ----------------------------------------------------------------------------------------------------------

# A test is a C program tests/SUITE/test_*.c that is built here, or a script tests/SUITE/test_*.sh.
c_tests = $(filter-out %.bpf.c,$(wildcard tests/$(1)/test_*.c tests/$(1)/*/test_*.c))
sh_tests = $(wildcard tests/$(1)/test_*.sh tests/$(1)/*/test_*.sh)
built = $(patsubst %.c,$(V)/%,$(1))

UNIT := $(call built,$(call c_tests,unit))
SUITES := golden bpf e2e
SUITE_TESTS := $(call built,$(foreach suite,$(SUITES),$(call c_tests,$(suite))))

# Programs that the scripts among the tests call: every other tests/SUITE/*.c.
TOOLS := $(call built,$(filter-out %.bpf.c,$(foreach suite,$(SUITES) kmod gpu,\
	$(filter-out tests/$(suite)/test_%,$(wildcard tests/$(suite)/*.c)))))

# The one of several files: the probes of tests/boundary.
BOUNDARY := $(V)/tests/boundary/boundary_probe
$(BOUNDARY): $(call objects,$(wildcard tests/boundary/probe/*.c))
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS_RF) $(CFLAGS) $(LDFLAGS_RF) $(LDFLAGS) -o $@ $^ -lpthread -lrt

# Libraries that a test's program opens as a user's would: tests/library/libx.c -> tests/library/libx.so.1
TEST_LIBRARIES := $(patsubst %.c,$(V)/%.so.1,$(wildcard tests/library/lib*.c))
$(TEST_LIBRARIES): $(V)/%.so.1: %.c $(wildcard tests/library/*.h) $(V)/flags
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O1 -g $(WARN) -fPIC -shared -fvisibility=hidden -Wl,-soname,$(@F) -o $@ $<

# What ringfence-gpu is tested with in NVIDIA's place, one of before there were limits of memory, and one that is too old.
NVML := $(addprefix $(V)/tests/e2e/nvml/,libnvidia-ml.so.1 libnvidia-ml-r610.so.1 libnvidia-ml-old.so.1)
$(NVML): tests/e2e/nvml/stand_in.c user/helper/gpu/nvml.h tests/library/cuda_device.h $(V)/flags
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_RF) -std=gnu11 -g -O1 $(WARN) -fPIC -shared $(if $(findstring -old,$@),-DRF_OLD) \
		$(if $(findstring -r610,$@),-DRF_R610) -o $@ $<

# A unit test of DIR links what DIR may see: a colleague's half-written file elsewhere does not stop it.
UNIT_FAR := export respond detect collect store engine
define unit
$(V)/tests/unit/$(1)/test_%: $(V)/tests/unit/$(1)/test_%.o $(call archive,$(1) $(2))
	$$(call say,LD)
	$$(Q)$$(link) -lcmocka $$(LIBS)
endef
$(eval $(call unit,lib))
$(eval $(call unit,model,lib))
$(eval $(call unit,policy,model lib))
$(foreach dir,$(UNIT_FAR),$(eval $(call unit,$(dir),policy model lib)))
$(eval $(call unit,daemon,$(LIB_DIRS)))
$(eval $(call unit,cli,policy model lib))

$(SUITE_TESTS) $(TOOLS): $(V)/%: $(V)/%.o $(DAEMON_LIB) $(USER_LIBS)
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(link) -lcmocka -lresolv $(LIBS)

.PHONY: tests check demo unit asan bpf-test gpu-test $(SUITES)
tests: $(UNIT) $(SUITE_TESTS) $(TOOLS) $(TEST_LIBRARIES) $(NVML) $(BOUNDARY) # every test program, not run

check: ## everything that must hold, from an empty machine to "N passed, N failed"
	@scripts/check.sh

demo: ## show what it does, on this machine, in a minute
	@scripts/deps.sh demo
	@$(MAKE) --no-print-directory all
	@scripts/demo.sh

run = @scripts/run-tests.sh $(1) $(2) && scripts/tally.sh $(TALLY) $(O)/results/$(1)

unit: $(UNIT) ## unit tests
	$(call run,$(if $(FLAVOUR),$(FLAVOUR)-)unit,$(UNIT))

asan: ## everything built again in O/asan with the address and undefined sanitizers, unit tests run
	@$(MAKE) --no-print-directory FLAVOUR=asan all unit

golden: $(PROGRAMS) $(call built,$(call c_tests,golden)) $(filter $(V)/tests/golden/%,$(TOOLS)) ## output compared with what was reviewed
	$(call run,$@,$(call sh_tests,$@) $(call built,$(call c_tests,$@)))

bpf-test: bpf e2e ## BPF programs and the whole agent, on this kernel (root)

bpf e2e: %: all $(SUITE_TESTS) $(TOOLS) $(TEST_LIBRARIES) $(NVML)
	$(call run,$@,$(call sh_tests,$@) $(call built,$(call c_tests,$@)))

# What it measured is in the log, so that is shown.
gpu-test: all $(TOOLS) $(TEST_LIBRARIES) $(NVML) ## what is told of CUDA programs, beside what they know, on a real GPU (root)
	@TEST_TIMEOUT=600 scripts/run-tests.sh gpu $(call sh_tests,gpu)
	@cat $(O)/results/gpu/*.log
	@scripts/tally.sh $(TALLY) $(O)/results/gpu

# ---- fuzzing --------------------------------------------------------------------------------------------------------

FUZZERS := $(patsubst tests/fuzz/%.c,$(O)/fuzz/bin/%,$(wildcard tests/fuzz/fuzz_*.c))
$(O)/fuzz/bin/%: $(V)/tests/fuzz/%.o $(DAEMON_LIB) $(USER_LIBS)
	$(call say,LD)
	@mkdir -p $(@D)
	$(Q)$(link) -fsanitize=fuzzer $(LIBS)

.PHONY: fuzz fuzzers
fuzz: ## each fuzzer for FUZZ_TIME seconds, two at a time
ifeq ($(FLAVOUR),fuzz)
fuzz: fuzzers
	@scripts/fuzz.sh $(FUZZERS) && scripts/tally.sh $(TALLY) $(O)/results/fuzz
fuzzers: $(FUZZERS)
else
fuzz fuzzers:
	@$(MAKE) --no-print-directory FLAVOUR=fuzz $@
endif

# ---- kernel module and guests ---------------------------------------------------------------------------------------

# Built from a copy, one a kernel: Kbuild writes beside its sources.
.PHONY: kmod dkms-deb dkms-test vm-test debug-kernel dmem-kernel bench bench-growth
kmod: ## the kernel module, against KDIR
	@scripts/kmod.sh $(KDIR)

dkms-deb: ## the module as a package of sources that DKMS builds, in O
	@scripts/dkms-deb.sh

dkms-test: dkms-deb ## that package on Debian 13: built, signed, loaded, refused (network, root)
	@scripts/dkms-test.sh

vm-test: ## the tests in guests: KERNEL=6.1|6.12|7.2, without it the whole matrix
	@TALLY=$(TALLY) scripts/vm-test.sh $(KERNEL)

debug-kernel: ## the module's tests on a kernel that watches itself, built here: ROUNDS=1000
	@scripts/own-kernel.sh debug

dmem-kernel: ## quotas of memory on a kernel with the controller of device memory, built here
	@scripts/own-kernel.sh dmem

bench: all ## what a verdict costs
	@scripts/bench.sh
	@tests/bench/compile.sh
	@tests/bench/change.sh
	@tests/bench/clients.sh

bench-growth: ## what a verdict costs as workloads and rules grow
	@tests/bench/growth.sh

# ---- source checks --------------------------------------------------------------------------------------------------

C_FILES := $(wildcard $(foreach dir,include/ringfence bpf kmod user tests,\
	$(foreach ext,c h,$(dir)/*.$(ext) $(dir)/*/*.$(ext) $(dir)/*/*/*.$(ext) $(dir)/*/*/*/*.$(ext))))
CLANG_FORMAT ?= clang-format-19
CLANG_TIDY ?= clang-tidy-19
LINT := lint-format lint-tidy lint-shell lint-style lint-layers lint-sparse

.PHONY: format lint $(LINT)
format: ## rewrite the C files in the house style
	@$(CLANG_FORMAT) -i $(C_FILES)

lint: $(LINT) ## format, clang-tidy, shellcheck, checkstyle, layers, sparse

lint-format:
	@$(CLANG_FORMAT) --dry-run -Werror $(C_FILES)

lint-shell:
	@shellcheck -S warning $(shell grep -lE '^#!/bin/(ba|da)?sh' -r configure .ci scripts tests packaging 2>/dev/null)

lint-style:
	@scripts/checkstyle.sh

lint-layers:
	@scripts/check-layers.sh

lint-sparse:
	@scripts/kmod.sh --sparse $(KDIR)

# A file is looked at again when its object is: that knows the headers.
TIDY := $(USER_SRC:%.c=$(O)/lint/%.tidy)
lint-tidy: $(TIDY)
$(O)/lint/%.tidy: %.c $(O)/%.o .clang-tidy
	$(call say,TIDY)
	@mkdir -p $(@D)
	$(Q)$(CLANG_TIDY) --quiet --warnings-as-errors='*' $< -- $(CPPFLAGS_RF) -std=gnu11 > $@.log 2>&1 || \
		{ cat $@.log; exit 1; }
	@mv $@.log $@

# ---- installing -----------------------------------------------------------------------------------------------------

.PHONY: install uninstall clean deps
install: all ## install below DESTDIR/PREFIX
	@DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) SYSTEMD_VERSION=$(SYSTEMD_VERSION) scripts/install.sh install

uninstall: ## remove what install put there; policies and state stay
	@DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) scripts/install.sh uninstall

clean: ## remove the build directory
	@scripts/clean.sh $(O)

deps: ## install what building and testing need (Debian)
	@scripts/deps.sh all

-include $(shell find $(O) -name '*.d' 2>/dev/null)
