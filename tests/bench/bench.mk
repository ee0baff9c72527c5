# How fast, and how large: tests/bench/bench.mjs measures against references on the same machine in the
# same run; docs/performance.md says what it measures and why.  Needs nginx, sqlite3 and wrk, the load
# generator (Debian: wrk); without them the targets say so and skip.

BENCH := $(BUILD)/bench

.PHONY: bench bench-short

bench: all $(BENCH)/reference_echo $(BENCH)/reference_commit ## measure speed and memory against references (minutes)
	@BIN=$(BIN) BENCH=$(BENCH) node tests/bench/bench.mjs

# Judges no figure: it only sees that each can be measured.
bench-short: all $(BENCH)/reference_echo $(BENCH)/reference_commit ## the same in less than a minute, to see that all figures come
	@BIN=$(BIN) BENCH=$(BENCH) node tests/bench/bench.mjs --short

$(BENCH)/reference_%: tests/bench/reference_%.c tests/bench/reference.c tests/bench/reference.h
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -Itests/bench -o $@ $(filter %.c,$^) $(ALL_LDFLAGS) -lfcgi -lsqlite3
