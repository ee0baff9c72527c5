# How fast, and how large: tests/bench/bench.mjs measures against references on the same machine in the
# same run; docs/performance.md says what it measures and why.  Needs nginx, sqlite3 and wrk, the load
# generator (Debian: wrk); without them the targets say so and skip.

BENCH := $(BUILD)/bench

.PHONY: bench bench-short bench-counts bench-doc

bench: all $(BENCH)/reference_echo $(BENCH)/reference_commit ## measure speed and memory against references (three to five minutes)
	@BIN=$(BIN) BENCH=$(BENCH) node tests/bench/bench.mjs

bench-doc: ## write the tables of docs/performance.md from the last `make bench`
	@BENCH=$(BENCH) node tests/bench/doc.mjs

# Judges no figure: it only sees that each can be measured.
bench-short: all $(BENCH)/reference_echo $(BENCH)/reference_commit ## the same in half a minute, to see that all figures come
	@BIN=$(BIN) BENCH=$(BENCH) node tests/bench/bench.mjs --short

# System calls, syncs, instructions: what a loaded machine does not change (perf and valgrind, where they are).
bench-counts: all $(BENCH)/no_filter.so ## what one reply costs, in things that can be counted (BINS=old:new compares)
	@BIN=$(BIN) BENCH=$(BENCH) node tests/bench/counts.mjs

$(BENCH)/no_filter.so: tests/bench/no_filter.c
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP -fPIE,$(ALL_CFLAGS)) -fPIC -shared -o $@ $< $(filter-out -pie,$(ALL_LDFLAGS))

$(BENCH)/reference_%: tests/bench/reference_%.c tests/bench/reference.c tests/bench/reference.h
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -Itests/bench -o $@ $(filter %.c,$^) $(ALL_LDFLAGS) -lfcgi -lsqlite3
