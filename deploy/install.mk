# install.mk - make install, uninstall, dist and distcheck.
#
#   make install PREFIX=/usr/local DESTDIR=
#
# Programs, static files, units, samples and man pages go below PREFIX, and the paths that units and
# samples name follow it.  Configuration and data have their places whatever PREFIX is: /etc/rejoinder,
# /var/lib/rejoinder, /var/lib/rejoinder-moderators, /run/rejoinder.

PREFIX   ?= /usr/local
BINDIR   ?= $(PREFIX)/bin
LIBEXEC  ?= $(PREFIX)/lib/rejoinder
SHARE    ?= $(PREFIX)/share/rejoinder
MANDIR   ?= $(PREFIX)/share/man
BASHDIR  ?= $(PREFIX)/share/bash-completion/completions
UNITDIR  ?= $(PREFIX)/lib/systemd/system
USERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPDIR_D ?= $(PREFIX)/lib/tmpfiles.d
CONFDIR  ?= /etc/rejoinder

# A unit that runs a command of `rejoinder` is there when the command is.
COMMANDS := $(shell sed -n 's/^    {"\([a-z]*\)", .*operator_.*/\1/p' cgi-bin/operator.c)
JOBS     := $(filter $(COMMANDS),work mail)
UNITS    := $(foreach d,reader moderator,rejoinder-$d.service rejoinder-$d.socket) \
  $(foreach j,$(JOBS),rejoinder-$j.service rejoinder-$j.timer)

# FROM:TO, and the mode is 755 for programs, 644 for all else.
INSTALLED_PROGRAMS := $(BIN)/rejoinder:$(BINDIR)/rejoinder \
  $(BIN)/reader.fcgi:$(LIBEXEC)/reader.fcgi $(BIN)/moderator.fcgi:$(LIBEXEC)/moderator.fcgi
INSTALLED_FILES := $(foreach f,$(wildcard www/static/*),$f:$(SHARE)/static/$(notdir $f)) \
  $(foreach f,$(wildcard man/*),$f:$(MANDIR)/man$(subst .,,$(suffix $f))/$(notdir $f)) \
  $(foreach u,$(UNITS),deploy/systemd/$u:$(UNITDIR)/$u) \
  deploy/systemd/rejoinder.sysusers:$(USERSDIR)/rejoinder.conf \
  deploy/systemd/rejoinder.tmpfiles:$(TMPDIR_D)/rejoinder.conf \
  completions/rejoinder:$(BASHDIR)/rejoinder \
  $(foreach f,$(wildcard deploy/cgi/*),$f:$(LIBEXEC)/cgi/$(notdir $f)) \
  $(foreach s,nginx apache lighttpd caddy,$(foreach f,$(wildcard deploy/$s/*),$f:$(CONFDIR)/$s/$(notdir $f)))
INSTALLED := $(INSTALLED_PROGRAMS) $(INSTALLED_FILES)

# What samples and units name, as it is in the checkout, and where it will be.
RELOCATE := sed -e 's|/usr/local/bin/rejoinder|$(BINDIR)/rejoinder|g' -e 's|/usr/local/lib/rejoinder|$(LIBEXEC)|g' \
  -e 's|/usr/lib/rejoinder|$(LIBEXEC)|g' -e 's|/usr/share/rejoinder|$(SHARE)|g' -e 's|/etc/rejoinder|$(CONFDIR)|g'

.PHONY: install install-users uninstall dist distcheck
install: all ## copy all that runs below PREFIX (/usr/local); DESTDIR= for packagers
	@for one in $(INSTALLED_PROGRAMS); do install -D -m 755 "$${one%%:*}" "$(DESTDIR)$${one#*:}" || exit 1; done
	@set -e; for one in $(INSTALLED_FILES); do from=$${one%%:*} to=$(DESTDIR)$${one#*:}; mkdir -p "$${to%/*}"; \
	  case $$from in deploy/*) $(RELOCATE) "$$from" >"$$to" ;; *) cat "$$from" >"$$to" ;; esac; chmod 644 "$$to"; done
	@# What a web server runs itself.
	@for one in $(DESTDIR)$(LIBEXEC)/cgi/*; do case $$(head -c 2 "$$one" 2>/dev/null) in '#!') chmod 755 "$$one" ;; esac; done
	@[ -n "$(DESTDIR)" ] || echo "Next: make install-users, and rejoinder init --help"

install-users: ## make the two users that the programs run as, where they are missing (root)
	@deploy/users.sh

# Folders that are ours are removed when nothing is left in them.
uninstall: ## remove what make install copied (with the same PREFIX and DESTDIR)
	@rm -f $(foreach i,$(INSTALLED),"$(DESTDIR)$(lastword $(subst :, ,$i))")
	@for folder in $(sort $(foreach i,$(INSTALLED),$(dir $(lastword $(subst :, ,$i))))); do \
	  case $$folder in *rejoinder*) rmdir -p --ignore-fail-on-non-empty "$(DESTDIR)$$folder" 2>/dev/null || : ;; esac; done

# The same tree gives the same bytes: names in order, the commit's time, nobody's name.
DIST := rejoinder-$(VERSION)
EPOCH = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y src/version.h))
dist: ## pack the sources into build/rejoinder-VERSION.tar.gz, the same bytes each time
	@mkdir -p $(BUILD)
	@if git rev-parse -q --verify HEAD >/dev/null 2>&1; then git ls-files -z; \
	  else find . -type f -not -path './build/*' -not -path './node_modules/*' -printf '%P\0'; fi | sort -z | \
	  tar --null --no-recursion --verbatim-files-from --files-from=- --mtime=@$(EPOCH) --owner=0 --group=0 --numeric-owner \
	  --mode=u+rw,go=u-w --format=ustar --transform='flags=r;s|^|$(DIST)/|' -cf - | gzip -9n >$(BUILD)/$(DIST).tar.gz
	@echo $(BUILD)/$(DIST).tar.gz

distcheck: dist ## unpack it, build, test a little, install, uninstall: nothing is left
	@tests/package/distcheck $(BUILD)/$(DIST).tar.gz
