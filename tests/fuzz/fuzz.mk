# The fuzzers: tests/fuzz/fuzz_NAME.c with its corpus in tests/fuzz/corpus/NAME and, where there is one,
# its dictionary tests/fuzz/NAME.dict.  They need clang and its fuzzer runtime (Debian: clang,
# libclang-rt-14-dev); without them the targets say so and skip.

FUZZ_SECONDS ?= 60
FUZZ_CC  ?= clang
FUZZ     := $(BUILD)/fuzz
FUZZERS  := $(sort $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_MAKE = $(MAKE) --no-print-directory BUILD=$(FUZZ) CC=$(FUZZ_CC) OPTIMISE="-O1 -g -fno-omit-frame-pointer" \
  SANITISE="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all"

.PHONY: fuzz test-fuzz fuzz-build fuzzers

# ONLY="page json" runs but those.
fuzz: ## fuzz each parser for FUZZ_SECONDS (60) and keep what is found in build/fuzz
	@FUZZ="$(FUZZ)" CC="$(FUZZ_CC)" MAKE="$(MAKE)" tests/fuzz/run $(FUZZ_SECONDS) $(or $(ONLY),$(FUZZERS))

test-fuzz: ## replay the fuzzers' corpora, and five seconds more of each
	@FUZZ="$(FUZZ)" CC="$(FUZZ_CC)" MAKE="$(MAKE)" tests/fuzz/run 5 $(or $(ONLY),$(FUZZERS))

fuzz-build:
	@$(FUZZ_MAKE) fuzzers

# In a build of its own, with the sanitizers' flags.
fuzzers: $(FUZZERS:%=$(BUILD)/bin/fuzz_%)

$(BUILD)/bin/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/fuzz.h tests/unit/html_oracle.h $(BUILD)/librejoinder.a
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) -Itests/unit -o $@ $< $(BUILD)/librejoinder.a $(ALL_LDFLAGS) -fsanitize=fuzzer $(LIBS)
