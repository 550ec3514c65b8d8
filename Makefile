# ipcbox - the whole build.  Needs GNU make, a C compiler and a POSIX shell;
# kconfig-frontends is optional: configs/gen.sh reads the same files.
#
## Build
##   make                     ./ipcbox (configs/defconfig where there is no .config)
##   make deps                install the packages of the distribution that are missing
##   make man, completion     obj/man/*.1 and *.5; obj/completion for bash, zsh and fish
##   make clean, distclean    remove what was built; .config too
## Use
##   make run                 build, then prove this machine's kernel: pipetest
##   make bench               measure beside other tools: charts, BENCH='F1 C2' SIZE=1G BEFORE=FILE
## Test
##   make test                the built binary only: no compiler, no root, a minute at most
##   make check               all of tests/*/*.t (make deps check on a bare machine)
##   make check-long          the same with the full counts of kills, faults and fuzzing: hours
##   make check-mutants       each case must fail under some wrong kernel (ALL=1: the whole table)
##   make check-readme        README's first commands in a fresh chroot (debootstrap, root, network)
##   make check-hardening     what protects the binary (CONFIG_HARDEN=y adds to it)
##   make check-figures       pipetest -b beside bare loops in C and perf bench: within 5 %
##   make check-packaging     the recipes of packaging/; the Debian package boots (root, network; QUICK=y: no boot)
##   make coverage            which lines of libbb and the applets the tests run (gcov)
##   make baseline, bloatcheck     bytes gained or lost, by function, since the baseline
##   make sizes               bytes of each applet, of libbb, of libc and of the texts
## Configure
##   make defconfig           the usual configuration; each configs/*_defconfig is a target, too
##   make menuconfig          choose applets and options; oldconfig asks for new ones only
##   make allnoconfig, allyesconfig, randconfig, olddefconfig
##   make savedefconfig       write .config back as the shortest configs/defconfig
## Install
##   make install             ipcbox, its links, man pages and completion: DESTDIR= prefix=/usr/local
##                            bindir= mandir=; or CONFIG_PREFIX=DIR, as BusyBox: into DIR/usr
##   make install-noclobber   the same, but replace nothing that is there
##   make uninstall           remove what make install brought
##   make ipcbox.links        obj/ipcbox.links: the names
## Release
##   make dist                obj/ipcbox-VERSION.tar.gz, the same bytes each time
##   make release             obj/release: static binaries of all architectures, man pages, notices
##
## O=dir builds outside the source; V=1 shows commands; CROSS_COMPILE=prefix- or CC= choose the
## compiler; CFLAGS= CPPFLAGS= LDFLAGS= come after the Makefile's; SKIP_STRIP=y leaves the symbols;
## KCONF= does without kconfig; SOURCE_DATE_EPOCH= is the date in man pages and archives

VERSION := 1.0.0
override O := $(or $(O),.)
obj := $(O)/obj
ifneq ($(words $(O)),1)
$(error O= may not contain a space, for make takes it for two names)
endif

# Without CC= make takes musl-gcc, or else cc, which links statically where it can.
ifneq ($(filter default undefined,$(origin CC)),) # make -R has no defaults
CC := $(if $(CROSS_COMPILE),$(CROSS_COMPILE)gcc,$(if $(shell command -v musl-gcc),musl-gcc,cc))
fallback := $(filter cc,$(CC))
endif
# The compiler knows the other tools of its target: CC=aarch64-linux-musl-gcc is enough.
tool = $(if $(CROSS_COMPILE),$(CROSS_COMPILE)$(1),$(or $(shell $(CC) -print-prog-name=$(1) 2>/dev/null),$(1)))
ifneq ($(filter default undefined,$(origin AR)),)
AR := $(call tool,ar)
endif
STRIP ?= $(call tool,strip)
NM ?= $(call tool,nm)
KCONF ?= $(shell command -v kconfig-conf)
MCONF ?= $(shell command -v kconfig-mconf)

# The date in man pages and archives is SOURCE_DATE_EPOCH, or else that of the commit; in a
# release, which has no .git, it is that of the Makefile.
SOURCE_DATE_EPOCH ?= $(shell [ -e .git ] && git log -1 --format=%ct 2>/dev/null || date -r Makefile +%s)

ifeq ($(V),1)
say := @:
else ifneq ($(findstring s,$(firstword -$(MAKEFLAGS))),) # make -s
Q := @
quiet := y
say := @:
else
Q := @
say := @printf '  %-7s %s\n'
endif

# make -f PATH/Makefile does what make -C PATH does.
folder := $(strip $(patsubst %/Makefile,%/,$(MAKEFILE_LIST)))
ifneq ($(filter-out ./,$(filter %/,$(folder))),)
.PHONY: $(MAKECMDGOALS) all there
$(or $(MAKECMDGOALS),all): there ; @:
there:
	$(Q)$(MAKE) --no-print-directory -C '$(folder)' $(MAKECMDGOALS)
else

# Goals that install tools, change .config or remove files do not mix with others: make runs
# them one after the other, each in a make of its own.
apart := deps clean distclean help %config
ifneq ($(and $(word 2,$(MAKECMDGOALS)),$(filter $(apart),$(MAKECMDGOALS))),)
.NOTPARALLEL:
.PHONY: $(MAKECMDGOALS)
$(sort $(MAKECMDGOALS)):
	$(Q)$(MAKE) --no-print-directory $@ $(if $(filter deps,$@),FOR='$(MAKECMDGOALS)')
else

all: $(O)/ipcbox

# Where the clock has gone back, what was built before it is newer than any change: remove it.
$(if $(wildcard $(obj)),$(shell touch -d @$$(($$(date +%s) + 10)) $(obj)/future && find $(obj) -newer $(obj)/future ! -type d -delete))

# --- configuration: applets + Config.in -> .config -> config.h, applets.h ------------

# A file of applets/, or of a folder there, is an applet if its header comment says "config NAME".
folders := $(patsubst applets/%/,%,$(sort $(wildcard applets/*/)))
applets := $(shell grep -l '^config ' applets/*.c applets/*/*.c 2>/dev/null | awk -F/ '{ print $$NF, $$0 }' | LC_ALL=C sort | cut -d' ' -f2)
gen := configs/gen.sh
headers := $(obj)/config.h $(obj)/applets.h $(obj)/texts.h
kconfig := Config.in $(obj)/Config.applets

# kconfig runs in obj/, where Config.applets is, and finds Config.in through srctree.
# gen.sh has the last word in either case, so that both ways write the same .config.
kconf = cd $(obj) && srctree='$(CURDIR)' KCONFIG_CONFIG='$(abspath $(obj)/.config)' $(1) Config.in
settle = $(gen) config $(obj)/.config $(kconfig) >$(obj)/.config.new && mv $(obj)/.config.new $(O)/.config
ask = cat $(O)/.config >$(obj)/.config && ($(call kconf,$(1))) && $(settle)

# applets/ itself is a prerequisite: its mtime moves when a file comes or goes.
$(obj)/Config.applets: applets $(folders:%=applets/%) $(applets) $(gen)
	@mkdir -p $(obj)
	$(Q)$(gen) kconfig $(applets) >$@

$(O)/.config: | $(obj)/Config.applets
	$(say) CONF configs/defconfig
	$(Q)cat configs/defconfig >$(obj)/.config && $(settle)

defconfigs := $(notdir $(wildcard configs/*defconfig))
$(defconfigs): $(obj)/Config.applets
	$(say) CONF configs/$@
	$(Q)cat configs/$@ >$(obj)/.config $(if $(KCONF),&& ($(call kconf,$(KCONF) --olddefconfig)) >/dev/null) && $(settle)

allnoconfig allyesconfig randconfig: $(obj)/Config.applets
	$(Q)$(if $(KCONF),($(call kconf,$(KCONF) --$@)) >/dev/null, \
		$(gen) all $(or $(filter random,$(@:randconfig=random)),$(if $(filter ally%,$@),y,n)) \
			$(kconfig) >$(obj)/.config) && $(settle)

oldconfig olddefconfig: $(O)/.config $(obj)/Config.applets
	$(Q)$(if $(KCONF),$(call ask,$(KCONF) --$@),cat $(O)/.config >$(obj)/.config && $(settle))

savedefconfig: $(O)/.config $(obj)/Config.applets
	$(Q)$(gen) diff $(O)/.config $(kconfig) >$(obj)/defconfig && cat $(obj)/defconfig >configs/defconfig

menuconfig: $(O)/.config $(obj)/Config.applets
	$(if $(MCONF),,$(error menuconfig needs kconfig-frontends: make deps))
	@[ -t 0 ] && [ -t 1 ] || { echo 'menuconfig needs a terminal; without one: make oldconfig' >&2; exit 1; }
	$(Q)$(call ask,$(MCONF))

# Settle .config first: a new applet takes its default.  The headers are replaced
# only when their text changes, so that most edits recompile one file.
$(obj)/config.mk: $(O)/.config $(kconfig) $(gen)
	$(Q)cat $(O)/.config >$(obj)/.config && $(settle)
	$(Q)$(gen) header $(O)/.config $(kconfig) >$(obj)/config.h.new
	$(Q)$(gen) applets $(O)/.config $(applets) >$(obj)/applets.h.new
	$(Q)$(gen) text-numbers $(O)/.config $(applets) >$(obj)/texts.h.new
	$(Q)for h in $(headers); do \
		if cmp -s $$h.new $$h; then rm $$h.new; else mv $$h.new $$h; fi; done
	$(Q)$(gen) make $(O)/.config $(applets) >$@
# make reads config.mk, so that the headers are there before any file that needs them. A header that
# kept its text is older than config.mk, and need not be made again.
$(headers): | $(obj)/config.mk ; @:

# How many rows each file of cases has, as gen.sh reads them: the compiler asserts the number.
$(obj)/rows.stamp: $(obj)/config.mk $(wildcard applets/*/*.h applets/*/cases/*.c)
	$(Q)$(gen) rows $(O)/.config $(applets) >$(obj)/rows.h.new
	$(Q)cd $(obj) && if cmp -s rows.h.new rows.h; then rm rows.h.new; else mv rows.h.new rows.h; fi
	@touch $@
$(obj)/rows.h: | $(obj)/rows.stamp ; @:

# The texts of --help and of pipetest --explain are read seldom: the binary holds them deflated.
$(obj)/texts.z.h: $(obj)/config.mk libbb/help.txt $(wildcard applets/*.c applets/*/* applets/*/*/*.c)
	$(Q)$(gen) texts $(O)/.config $(applets) >$(obj)/texts.new
	$(Q)tr '\001' '\000' <$(obj)/texts.new >$(obj)/texts
	$(Q){ echo "enum { TEXTS_SIZE = $$(wc -c <$(obj)/texts) };"; \
		echo "static const uint8_t deflated[] = {"; \
		gzip -9n <$(obj)/texts | od -An -v -tu1 | sed 's/  */,/g; s/,//; s/$$/,/'; echo "};"; } >$@
$(obj)/libbb/texts.o: $(obj)/texts.z.h

# gen.sh writes $(sharp) for a # in a string of .config.
sharp := \#
ifeq ($(filter $(apart),$(MAKECMDGOALS)),)
include $(obj)/config.mk $(obj)/rows.stamp
endif

# --- compile and link ---------------------------------------------------------------

on = $(filter y,$(CONFIG_$(1)))
is_static := $(if $(fallback),$(shell mkdir -p $(obj) && echo 'int main(void) { return 0; }' >$(obj)/try.c && \
	$(CC) -static -o $(obj)/try $(obj)/try.c 2>/dev/null && echo y),y)
is_static := $(if $(call on,STATIC),$(is_static))
sanitize := $(if $(call on,SANITIZE),-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=undefined)
# A static binary has a fixed address: position-independent code would only be longer. It needs
# -no-pie where -static alone means static-pie, as on Alpine. CONFIG_HARDEN and -pie or -static-pie
# in LDFLAGS ask for a random address.
asks_pie := $(filter -pie -static-pie,$(LDFLAGS))
is_pie := $(or $(call on,HARDEN),$(if $(is_static),$(asks_pie)))
position := $(if $(is_pie),-fPIE,$(if $(is_static),-fno-pie))
CPPFLAGS_ALL = -I$(obj) -Ilibbb -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -DVERSION='"$(VERSION)"' $(call one_line,$(CPPFLAGS))
# Flags of several lines, as some recipes have them, would end the command of a step too early.
define newline


endef
one_line = $(subst $(newline), ,$(1))
# known FLAG...: the flags that this compiler has, and has a use for on its machine
known = $(shell for f in $(1); do $(CC) -Werror $$f -S -o /dev/null -x c /dev/null 2>/dev/null && echo $$f; done)
small := $(or $(call known,-Oz),-Os)
# The price of a default build: 3 KB. No variable has what another function left on the stack, and
# no stack grows over its guard page.
safe := $(call known,-ftrivial-auto-var-init=zero -fstack-clash-protection $(if $(call on,HARDEN),-fstack-protector-strong))
CFLAGS_ALL = -std=gnu11 $(if $(call on,DEBUG),-Og -g,$(small)) \
	-Wall -Wextra -Wshadow -Wundef -Wvla -Wwrite-strings -Wformat=2 \
	-Wstrict-prototypes -Wmissing-prototypes $(if $(call on,WERROR),-Werror) \
	-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables $(position) $(safe) \
	-ffile-prefix-map='$(CURDIR)'=. -ffile-prefix-map=$(obj)=obj $(sanitize) $(call one_line,$(CFLAGS))
# In a static binary the data follows the text in the same page of the file: the linker pads
# nothing to a page. A shared or hardened binary stays as the distribution's linker makes it.
comma := ,
packed := $(if $(is_pie),,$(is_static))
links := $(if $(packed),-static -no-pie -Wl$(comma)-z$(comma)noseparate-code -Wl$(comma)-z$(comma)norelro \
	-Wl$(comma)-z$(comma)common-page-size=64 -Wl$(comma)--build-id=none,-Wl$(comma)--build-id)
# The specs of musl-gcc know no -static-pie: it gets the words that gcc would give to the linker. The
# code that relocates a static-pie is rcrt1.o, which stands beside the crt1.o of the same libc.
ifneq ($(and $(is_pie),$(is_static)),)
crt := $(shell $(CC) -\#\#\# -static-pie -x c /dev/null 2>&1 | tr ' ' '\n' | tr -d '"' | grep 'crt1\.o$$')
libc := $(dir $(crt))
own := $(if $(filter %/rcrt1.o,$(crt)),,y)
$(if $(and $(own),$(if $(wildcard $(libc)rcrt1.o),,y)),$(error $(CC) cannot link a static-pie: there is no '$(libc)rcrt1.o'))
links += $(if $(own),-static -nostartfiles $(libc)rcrt1.o $(libc)crti.o $(libc)crtn.o -Wl$(comma)-pie$(comma)--no-dynamic-linker$(comma)-z$(comma)text,-static-pie)
else
links += $(if $(is_pie),-pie)
endif
# gcc's code for some machines calls __stack_chk_fail_local, which musl does not have.
links += $(if $(call on,HARDEN),-Wl$(comma)-z$(comma)relro$(comma)-z$(comma)now$(comma)--defsym=__stack_chk_fail_local=__stack_chk_fail)
LDFLAGS_ALL = -Wl,--gc-sections $(links) $(sanitize) $(call one_line,$(if $(is_pie),$(filter-out $(asks_pie),$(LDFLAGS)),$(LDFLAGS)))
# The notes of a static binary are of no use. In another they hold the build-id, and strip(1) loses
# GNU_RELRO without them.
strip := $(if $(or $(SKIP_STRIP),$(call on,DEBUG)),,$(STRIP) -s $(if $(packed),-R .comment -R '.note*'))

# libbb is an archive: the linker does not look at a file that no applet needs.
lib := $(patsubst %.c,$(obj)/%.o,$(sort $(wildcard libbb/*.c)))
# If one applet of a folder is on, all files of the folder are compiled, but for the applets that
# are off.
on_files = $(filter $(APPLETS:%=%.c) $(foreach a,$(APPLETS),%/$(a).c),$(applets))
sources = $(filter-out $(applets),$(wildcard $(foreach d,$(filter-out applets/,$(sort $(dir $(on_files)))),$(d)*.c $(d)*/*.c))) $(on_files)
objs := $(patsubst %.c,$(obj)/%.o,$(sort $(sources)))

# Flags are prerequisites: $(obj)/NAME.flags holds the words that a step is made of, in < and >,
# and is written when they differ. The first line of --version tells two compilers of one name
# apart. What follows the > is not compared: GNU make 4.3 keeps the newline now and then.
compile.flags := $(shell $(CC) --version 2>/dev/null | head -n 1) $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL)
ar.flags := $(AR) $(lib)
man.flags := $(VERSION) $(SOURCE_DATE_EPOCH)
link.flags := $(CC) $(LDFLAGS_ALL) $(objs)
strip.flags := $(strip)
flags := compile.flags ar.flags link.flags strip.flags man.flags
stale := $(foreach f,$(flags),$(if $(findstring <$($f)>,$(file <$(obj)/$f)),,$(obj)/$f))
$(stale): FORCE
$(flags:%=$(obj)/%): | $(obj)/config.mk
	@$(file >$@,<$($(@F))>)$(if $(and $(fallback),$(filter compile.flags,$(@F))),$(tell_fallback),:)
tell_fallback = echo 'no musl-gcc here ("make deps" brings it): \
	$(CC) builds a $(if $(is_static),static,shared) binary' >&2

$(obj)/%.o: %.c $(headers) $(obj)/rows.h $(obj)/compile.flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(obj)/libbb.a: $(lib) $(obj)/ar.flags
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcD $@ $(lib)

$(obj)/ipcbox: $(objs) $(obj)/libbb.a $(obj)/link.flags
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(objs) $(obj)/libbb.a

# The copy comes before strip, so that STRIP=true leaves a whole file with its symbols.
$(obj)/stripped: $(obj)/ipcbox $(obj)/strip.flags
	$(say) $(if $(strip),STRIP,COPY) $@
	$(Q)cp $< $@ $(if $(strip),&& $(strip) $@)

# A ./ipcbox that differs from the result, of another build or damaged, is replaced.
$(O)/ipcbox: $(obj)/stripped $(if $(shell cmp $(obj)/stripped $(O)/ipcbox 2>&1),FORCE)
	$(Q)rm -f $@.new && cp $< $@.new && mv -fT $@.new $@

-include $(objs:.o=.d) $(lib:.o=.d)

# --- use and upkeep -----------------------------------------------------------------

BUILD_DEPS := gcc make musl-tools kconfig-frontends-nox
CHECK_DEPS := bash bindfs btrfs-progs build-essential busybox-static chromium-headless-shell clang cpio \
	debhelper dpkg-dev e2fsprogs encfs exfat-fuse exfatprogs fakeroot file fish fuse3 g++ \
	gcc-aarch64-linux-gnu libc6-dev libc6-dev-arm64-cross \
	libclang-rt-14-dev libnbd-bin lintian mandoc nbdkit nbdkit-plugin-python ntfs-3g perl procps \
	python3 python3-jsonschema python3-tap shellcheck spin squashfs-tools strace util-linux xfsprogs zsh
PACKAGING_DEPS := autopkgtest bash build-essential cpio debhelper dpkg-dev lintian mmdebstrap qemu-system-x86 rpm rpmlint
BENCH_DEPS := btrfs-progs busybox-static mbuffer pv socat toybox xfsprogs
FARM_DEPS := lava-dispatcher python3-labgrid python3-pytest qemu-system-x86 socat
# "make deps run" installs less than "make deps check"; "make deps" alone installs all packages.
wants = $(if $(FOR),$(filter $(1),$(FOR)),all)
# CROSS_COMPILE of a line of qemu/targets needs a compiler and its libc.
cross_deps = $(shell awk -v c='$(CROSS_COMPILE)' '$$1 == "arch" && $$3 == c { \
	gsub(/_/, "-", c); print "gcc-" substr(c, 1, length(c) - 1), "libc6-dev-" $$2 "-cross" }' qemu/targets)
packages = $(BUILD_DEPS) $(shell qemu/deps.sh '$(ARCH)' $(FOR)) $(if $(CROSS_COMPILE),$(cross_deps)) \
	$(if $(call wants,check),$(CHECK_DEPS)) $(if $(call wants,bench),$(BENCH_DEPS)) \
	$(if $(filter check-packaging,$(FOR)),$(PACKAGING_DEPS)) \
	$(if $(call wants,farms),$(FARM_DEPS)) $(if $(call wants,check-readme),debootstrap)

# apt-get is not called where no package is missing, so that make deps also works offline.
deps:
	$(Q)missing=; for p in $(sort $(packages)); do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q ' installed' || missing="$$missing $$p"; \
	done; [ -z "$$missing" ] && exit; \
	[ "$$(id -u)" = 0 ] && sudo= || sudo=sudo; \
	$$sudo apt-get update; \
	DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y --no-install-recommends $$missing

run: $(O)/ipcbox
	$(Q)'$(abspath $<)' pipetest

# Package builds call make test: it runs as any user and needs no package of CHECK_DEPS.
test: $(O)/ipcbox
	$(Q)tests/build/test.sh '$(abspath $<)'

check: $(O)/ipcbox
	$(Q)IPCBOX='$(abspath $<)' prove -r tests

# Ten thousand writers die, each system call fails once, each parser is fuzzed for an hour.
check-long: $(O)/ipcbox
	$(Q)ARCHES='$(ARCHES)' READS=1000000000 CUTS=10000 KILLS=10000 KILL_LIMIT=7200 LONG=36000 MIXTURES=10000 FAULTS=all FUZZ_SECONDS=3600 \
		IPCBOX='$(abspath $<)' prove -r tests

check-mutants: $(O)/ipcbox
	$(Q)IPCBOX='$(abspath $<)' tests/pipetest/mutants.sh $(obj)

bench: $(O)/ipcbox
	$(Q)IPCBOX='$(abspath $<)' MAKE='$(MAKE)' tests/bench/bench.sh $(obj)

# README's first commands in a fresh Debian: as root, with a network and debootstrap.
check-readme:
	$(Q)tests/build/readme.sh

check-figures: $(O)/ipcbox
	$(Q)IPCBOX='$(abspath $<)' tests/bench/figures.sh

check-hardening: $(O)/ipcbox
	$(Q)READELF='$(call tool,readelf)' tests/build/hardening.sh $(O)/ipcbox $(obj)

check-packaging: $(O)/ipcbox dist
	$(Q)packaging/check.sh '$(abspath $<)' '$(abspath $(obj)/$(name).tar.gz)' '$(VERSION)'

coverage:
	$(Q)MAKE='$(MAKE)' tests/build/coverage.sh $(obj)/coverage

include qemu/qemu.mk

# --- man pages and completion ----------------------------------------------------

parts := $(gen) $(wildcard configs/*.awk configs/*.bash libbb/help.txt libbb/*.1 applets/*.1 applets/*/*.[15]) $(applets)

man: $(obj)/man/ipcbox.1
$(obj)/man/ipcbox.1: $(parts) $(obj)/config.mk $(obj)/man.flags
	$(say) MAN $(@D)
	$(Q)rm -rf $(@D) && mkdir -p $(@D)
	$(Q)VERSION='$(VERSION)' DATE=$$(date -u -d @$(SOURCE_DATE_EPOCH) +%Y-%m-%d) $(gen) pages $(@D) $(O)/.config $(applets)

completion: $(obj)/completion/ipcbox.bash $(obj)/completion/_ipcbox $(obj)/completion/ipcbox.fish
$(obj)/completion/%: $(parts) $(obj)/config.mk
	@mkdir -p $(@D)
	$(Q)$(gen) completion $(if $(filter _%,$*),zsh,$(patsubst ipcbox.%,%,$*)) $(O)/.config $(applets) >$@

# --- release --------------------------------------------------------------------

# The archive holds the files that git has; in a release, all files that no build made. Order,
# owner, modes and times are fixed, so that the bytes are the same each time.
name := ipcbox-$(VERSION)
dist: $(obj)/$(name).tar.gz
$(obj)/$(name).tar.gz: FORCE
	$(Q)mkdir -p $(obj) && { if [ -e .git ]; then git ls-files; else \
		find . -type f ! -path './obj/*' ! -path './_install/*' ! -path ./ipcbox ! -path './.config*' | sed 's|^\./||'; fi; } | \
		LC_ALL=C sort >$(obj)/dist.files
	$(Q)tar -cf - --format=ustar --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime=@$(SOURCE_DATE_EPOCH) \
		--transform='s|^|$(name)/|' -T $(obj)/dist.files | gzip -9n >$@
	$(say) DIST $@

# make release builds each architecture of qemu/targets as make cross does.
ARCHES ?= $(shell awk '$$1 == "arch" { print $$2 }' qemu/targets)
release: dist man
	$(Q)rm -rf $(obj)/release && mkdir -p $(obj)/release
	$(Q)for arch in $(ARCHES); do \
		$(MAKE) --no-print-directory cross ARCH=$$arch && cp $(obj)/$$arch/ipcbox $(obj)/release/$(name)-$$arch || exit; \
	done
	$(Q)qemu/notice.sh $(ARCHES) >$(obj)/release/NOTICE
	$(Q)cp $(obj)/$(name).tar.gz $(obj)/man/* $(obj)/release
	$(Q)cd $(obj)/release && sha256sum * >../SHA256SUMS && mv ../SHA256SUMS .
	$(say) RELEASE $(obj)/release

# --- install ------------------------------------------------------------------------

# CONFIG_PREFIX, on the command line or in .config, means what it means to BusyBox: the directory
# that has usr/bin in it.
root = $(or $(CONFIG_PREFIX),$(DESTDIR))
# A path may hold any character, and the shell runs none of it.
quoted = '$(subst ','\'',$(1))'
prefix ?= $(if $(CONFIG_PREFIX),/usr,/usr/local)
bindir ?= $(prefix)/bin
datadir ?= $(prefix)/share
mandir ?= $(datadir)/man
bashcompdir ?= $(datadir)/bash-completion/completions
zshcompdir ?= $(datadir)/zsh/site-functions
fishcompdir ?= $(datadir)/fish/vendor_completions.d

install install-noclobber: $(O)/ipcbox
install install-noclobber uninstall: man completion
	$(Q)box=$(call quoted,$(O)/ipcbox) obj=$(call quoted,$(obj)) root=$(call quoted,$(root)) kind=$(call quoted,$(CONFIG_INSTALL)) \
		names='$(APPLETS)' all_names='$(ALL_NAMES)' formats='$(wildcard applets/*/*.5)' \
		bindir=$(call quoted,$(bindir)) mandir=$(call quoted,$(mandir)) bashdir=$(call quoted,$(bashcompdir)) \
		zshdir=$(call quoted,$(zshcompdir)) fishdir=$(call quoted,$(fishcompdir)) sharedir=$(call quoted,$(datadir)/ipcbox) \
		quiet='$(quiet)' packaging/install.sh $@

# The list of names is that of BusyBox's busybox.links. make writes it each time, for bindir may
# have changed.
ipcbox.links: $(obj)/ipcbox.links
$(obj)/ipcbox.links: $(obj)/config.mk FORCE
	$(Q)for name in $(APPLETS); do printf '%s/%s\n' $(call quoted,$(bindir)) $$name; done >$@

baseline: $(obj)/ipcbox
	$(Q)cp $< $<.old

bloatcheck: $(obj)/ipcbox
	$(Q)NM=$(NM) tests/build/bloat.sh $<.old $<

# The map of the linker says from which object each section comes.
sizes: $(obj)/ipcbox
	$(Q)$(CC) $(LDFLAGS_ALL) -Wl,-Map=$(obj)/ipcbox.map -o $(obj)/ipcbox.mapped $(objs) $(obj)/libbb.a
	$(Q)awk -f tests/build/sizes.awk $(obj)/ipcbox.map && rm $(obj)/ipcbox.mapped

clean:
	$(Q)rm -rf $(obj) $(O)/ipcbox
distclean: clean
	$(Q)rm -f $(O)/.config $(O)/.config.old

help:
	@sed -n 's/^## \{0,1\}//p' Makefile | sed '/^$$/,$$d'
	@echo Boards
	@sed -n 's/^## \{0,1\}/  /p' qemu/qemu.mk
	@sed -n 's/^## \{0,1\}//p' Makefile | sed -n '/^$$/,$$p'

FORCE:
.DELETE_ON_ERROR:
.PHONY: FORCE all test dist release man completion ipcbox.links install-noclobber bench check-readme check-packaging check-figures check-hardening check-long check-mutants \
	coverage deps run install uninstall check baseline bloatcheck sizes clean \
	distclean help allnoconfig allyesconfig randconfig oldconfig olddefconfig savedefconfig menuconfig \
	$(defconfigs)
endif
endif
