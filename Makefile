# Rejoinder. `make help` lists the targets.
# Everything is built below $(BUILD); another compiler or flag set takes another folder:
#   make BUILD=build/clang CC=clang

BUILD   ?= build
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
PORT    ?= 8080
WERROR  ?=
OPTIMISE ?= -O2 -g
SANITISE ?=
PACKAGES := libseccomp libsodium jansson libutf8proc libidn2 libconfuse sqlite3 expat libcurl md4c fcgi

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
  -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual -Wcast-align -Wwrite-strings \
  -Wundef -Wvla -Wformat=2 -Wnull-dereference -Wdouble-promotion -Wimplicit-fallthrough
ifneq (,$(findstring gcc,$(CC)))
WARNINGS += -Wlogical-op -Wduplicated-cond -Wduplicated-branches
endif
HARDENING := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
ifeq (,$(SANITISE)$(filter -O0,$(OPTIMISE)))
HARDENING += -D_FORTIFY_SOURCE=2
endif
# Numbers in the store are a stranger's: a sum with one that overflows is a wrong number, and nothing worse.
ifeq (,$(SANITISE))
HARDENING += -fwrapv
endif

VERSION  := $(shell sed -n 's/^\#define VERSION "\(.*\)"/\1/p' src/version.h)
CFLAGS   ?= $(OPTIMISE)
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -pthread $(CFLAGS) $(HARDENING) $(SANITISE) $(WARNINGS) $(WERROR) \
  -Isrc -I$(BUILD)/gen -MMD -MP
ALL_LDFLAGS = -pthread -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITISE) $(LDFLAGS)
# pkg-config runs when a program is linked: `make help` and `make demo` must work before it is there.
LIBS     = $(shell pkg-config --libs $(filter-out md4c fcgi,$(PACKAGES))) -lmd4c -lfcgi

BIN      := $(BUILD)/bin
GEN      := $(BUILD)/gen
OBJ      := $(BUILD)/obj

DATABASES := rejoinder moderators
QUERIES  := $(foreach d,$(DATABASES),$(filter-out %/schema.sql $(wildcard sql/$(d)/migrate-*.sql),$(wildcard sql/$(d)/*.sql)))
PAGES    := $(wildcard www/page/*)
GEN_SQL  := $(patsubst sql/%.sql,$(GEN)/sql/%.c,$(QUERIES)) $(DATABASES:%=$(GEN)/sql/%/database.c)
GEN_PAGE := $(foreach p,$(PAGES),$(GEN)/page/$(basename $(notdir $(p)))$(if $(filter-out .html,$(suffix $(p))),_$(subst .,,$(suffix $(p)))).c)
GEN_C    := $(GEN_SQL) $(GEN_PAGE) $(GEN)/words_list.c
SRC      := $(wildcard src/*.c)
BASE     := src/arena.c src/str.c src/out.c src/status.c src/log.c src/words_file.c
OBJECTS  := $(SRC:src/%.c=$(OBJ)/%.o) $(GEN_C:$(GEN)/%.c=$(OBJ)/gen/%.o)
PROGRAMS := $(BIN)/reader.fcgi $(BIN)/moderator.fcgi $(BIN)/rejoinder
UNIT     := $(patsubst tests/unit/%.c,$(BUILD)/test/%,$(wildcard tests/unit/test_*.c))

.PHONY: all help demo test test-unit test-gen test-package test-machine test-flow test-served test-browser test-lint test-asan test-valgrind \
  test-clang test-restart test-crash test-mutants test-mutants-short test-servers test-docs packages-build packages-demo packages-test \
  packages-servers packages-package packages-crash packages-docs packages-machine clean
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAMS) ## build the two doors and the command line into build/bin

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-20s %s\n", $$1, $$2 }' | sed 's/   */  /'

# One short line a step; V=1 shows the commands.
say      = $(if $(V),,@printf '  %-4s %s\n' $(1) $(2);)

# --- generators, and what they make ---------------------------------------------------------------

$(BIN)/sqlgen: $(wildcard src/gen/sqlgen*.c src/gen/sqlgen*.h) $(BASE)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -o $@ $(filter %.c,$^) $(ALL_LDFLAGS) -lsqlite3

$(BIN)/pagegen: $(wildcard src/gen/pagegen*.c src/gen/pagegen*.h) $(BASE)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -o $@ $(filter %.c,$^) $(ALL_LDFLAGS)

$(GEN)/sql/.done: $(BIN)/sqlgen $(wildcard sql/*/*.sql)
	@mkdir -p $(@D)
	$(call say,SQL,sql)for d in $(DATABASES); do $(BIN)/sqlgen sql/$$d $(GEN)/sql || exit 1; done
	@touch $@

$(GEN)/page/.done: $(BIN)/pagegen www/words/en.words $(PAGES)
	@mkdir -p $(@D)
	$(call say,PAGE,www/page)$(BIN)/pagegen www/words/en.words $(GEN) $(PAGES)
	@touch $@

$(GEN_SQL): $(GEN)/sql/.done ;
$(GEN_PAGE) $(GEN)/words_list.c: $(GEN)/page/.done ;

# --- programs -------------------------------------------------------------------------------------

$(OBJ)/%.o: src/%.c $(GEN)/sql/.done $(GEN)/page/.done
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(OBJ)/gen/%.o: $(GEN)/%.c $(GEN)/sql/.done $(GEN)/page/.done
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(OBJ)/cgi-bin/%.o: cgi-bin/%.c $(GEN)/sql/.done $(GEN)/page/.done
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/librejoinder.a: $(OBJECTS)
	@rm -f $@
	$(call say,AR,$@)ar rcs $@ $(OBJECTS)

$(BIN)/reader.fcgi: $(OBJ)/cgi-bin/reader.o $(BUILD)/librejoinder.a
$(BIN)/moderator.fcgi: $(OBJ)/cgi-bin/moderator.o $(BUILD)/librejoinder.a
$(BIN)/rejoinder: $(OBJ)/cgi-bin/operator.o $(BUILD)/librejoinder.a
$(PROGRAMS):
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -o $@ $^ $(ALL_LDFLAGS) $(LIBS)

-include $(wildcard $(OBJ)/*.d $(OBJ)/*/*.d $(OBJ)/*/*/*.d $(BUILD)/test/*.d)

# --- the demo -------------------------------------------------------------------------------------

packages-build packages-demo packages-test packages-servers packages-package packages-crash packages-docs packages-machine: packages-%:
	@deploy/install-packages.sh $*

demo: packages-build packages-demo ## run the sample article behind nginx on localhost (PORT=8080, FRESH=1)
	@$(MAKE) --no-print-directory -s -j$$(nproc) all
	@PORT="$(PORT)" FRESH="$(FRESH)" exec deploy/demo.sh

# --- tests ----------------------------------------------------------------------------------------

test: packages-build packages-demo packages-test ## everything that takes minutes, summed in one line
	@tests/run

$(BUILD)/test/%: tests/unit/%.c $(BUILD)/librejoinder.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) -Itests/unit -o $@ $< $(BUILD)/librejoinder.a $(ALL_LDFLAGS) $(LIBS) -lcmocka

$(BIN)/trespasser: tests/box/trespasser.c $(BUILD)/librejoinder.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) -o $@ $< $(BUILD)/librejoinder.a $(ALL_LDFLAGS) $(LIBS)

test-lint: all ## layers, banned functions, one word per thing
	@tests/lint/run

test-package: packages-build packages-package ## the Debian package: built, looked at, and in a bare Debian installed, upgraded, purged (root)
	@tests/package/run chroot

test-machine: packages-build packages-package packages-machine ## the package under a real systemd, in a machine of its own (root; qemu, many minutes)
	@tests/machine/run

test-gen: $(BIN)/sqlgen $(BIN)/pagegen ## what the generators must refuse
	@tests/gen/sqlgen_test.sh $(BIN)/sqlgen; sql=$$?; tests/gen/pagegen_test.sh $(BIN)/pagegen && exit $$sql

test-unit: $(UNIT) ## the rooms, one by one (RUNNER= goes before each program)
	@tests/run-unit $(UNIT)

# ONLY="canary.test.mjs" runs one file of these three.
test-flow: all $(BIN)/trespasser node_modules ## the doors over their sockets
	@BIN=$(BIN) tests/run-node tests/flow

test-served: all ## behind nginx, with the shipped configuration
	@BIN=$(BIN) tests/run-node tests/served

# SERVERS="nginx caddy" runs but those.
test-servers: packages-build packages-servers ## the same story behind each web server
	@$(MAKE) --no-print-directory -s all
	@BIN=$(BIN) node tests/servers/run.mjs $(SERVERS)

# DOCS="nginx apache" types but those; DOCS="nginx plain" on a machine without systemd only.
test-docs: packages-docs ## type what docs/deploy says into bare Debian machines, up to an approved reply (root)
	@node tests/docs/run.mjs $(DOCS)

test-browser: all node_modules ## the whole story in Chromium
	@BIN=$(BIN) LANES=$(or $(LANES),2) tests/run-node tests/browser

# The short form is tests/flow/life.test.mjs.
test-restart: all node_modules ## 10,000 requests and 20 restarts, 3,000 clients at once: nothing fails
	@BIN=$(BIN) RESTART_REQUESTS=10000 RESTARTS=20 ONLY=life.test.mjs tests/run-node tests/flow
	@BIN=$(BIN) LANES=1 tests/run-node tests/restart

test-crash: packages-build packages-crash ## the power is cut while replies come (CUTS=50: so often; root)
	@$(MAKE) --no-print-directory -s all
	@BIN=$(BIN) CUTS=$(or $(CUTS),2) LANES=1 tests/run-node tests/crash

node_modules: package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

test-clang: ## all of it compiles without a warning on clang, too
	@$(MAKE) BUILD=$(BUILD)/clang CC=clang WERROR=-Werror all

# What a sanitizer finds in a door would end with the door: the reports are kept, and each is a failure.
SANITISED := $(BUILD)/asan
test-asan: ## unit and flow tests with AddressSanitizer and UBSan
	@rm -rf $(SANITISED)/report && mkdir -p $(SANITISED)/report
	@ASAN_OPTIONS=log_path=$(abspath $(SANITISED))/report/at UBSAN_OPTIONS=print_stacktrace=1 \
	  $(MAKE) -k BUILD=$(SANITISED) CC=clang OPTIMISE="-O1 -g -fno-omit-frame-pointer" \
	  SANITISE="-fsanitize=address,undefined -fno-sanitize-recover=all" test-unit test-flow; \
	  tests/asan-reports $(SANITISED)/report $$?

# A child that a test ends in the middle of its work has freed nothing, and is not to say so.
test-valgrind: $(UNIT) ## unit tests under valgrind
	@RUNNER="valgrind -q --child-silent-after-fork=yes --error-exitcode=9 --leak-check=full" tests/run-unit $(UNIT)

test-mutants: all $(UNIT) ## plant faults one by one and see the tests fail
	@tests/mutants/run

test-mutants-short: all $(UNIT) ## a handful of them, the next ones with every commit
	@tests/mutants/run --short

-include tests/fuzz/fuzz.mk
-include tests/bench/bench.mk
include deploy/install.mk

clean: ## remove what was built
	rm -rf build
