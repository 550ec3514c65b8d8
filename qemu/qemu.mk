# Boards: ipcbox on other architectures and kernels. What is emulated: qemu/targets.
#
## make qemu ARCH=arm64 [KERNEL=16k]   boot a board of qemu/targets, run pipetest there; or KERNEL=vmlinuz
## make qemu-user ARCH=arm64           run pipetest under qemu-user, on this machine's kernel
## make gvisor RUNSC=runsc.xz          run pipetest under the kernel of gVisor (as root)
## make gvisor-tests RUNSC=runsc.xz    run tests/*/*.t there
## make sandbox                        run pipetest under a filter of system calls, as a container has
## make qemu-tests ARCH=arm64          boot it with a busybox and run tests/*/*.t there
## make qemu-all [JOBS=2]              all of them: a table, obj/boards.json, obj/boards.html
## make cross ARCH=arm64               a static binary: obj/arm64/ipcbox
## make initramfs ARCH=arm64           obj/arm64/initramfs.cpio.gz: ipcbox as /init; make cpio: to add to another
## make judge LOG=console.txt         the verdict on a captured console log
## make twice ARCH=arm64               builds both twice: are they the same bytes?

ARCH ?= $(shell dpkg --print-architecture)
JOBS ?= 2
cross = $(obj)/$(ARCH)

cross:
	$(say) CROSS $(ARCH)
	$(Q)mkdir -p $(cross) && cmp -s $(O)/.config $(cross)/.config || cp $(O)/.config $(cross)
	$(Q)tools=$$(qemu/cross.sh $(ARCH)) && eval "$(MAKE) --no-print-directory O=$(cross) $$tools all" $(if $(V),,>/dev/null)

# What else an archive holds: the other names of the box; the architecture, for its busybox, and
# the tests but for those of the source, of what the other image shows, and of kills by the hundred.
in_cpio = $(APPLETS)
here := build/% missing/% box/readme box/init qemu/% pipetest/% fifo/kill
in_tests-image = $(ARCH) tests/tap.sh $(filter-out $(here:%=tests/%.t),$(wildcard tests/*/*.t))

initramfs cpio tests-image: cross
	$(Q)qemu/cpio.sh $(@:-image=) $(cross)/ipcbox $(cross)/$(@:-image=).cpio.gz $(in_$@)
	$(say) CPIO $(cross)/$(@:-image=).cpio.gz

# Once more: elsewhere, with other modes.
IMAGES ?= initramfs cpio
twice: $(IMAGES)
	$(Q)rm -rf $(obj)/twice && mkdir $(obj)/twice && cp $(O)/.config $(obj)/twice
	$(Q)umask 077 && $(MAKE) O=$(obj)/twice ARCH=$(ARCH) $(IMAGES)
	$(Q)for i in $(IMAGES:-image=); do \
		cmp $(cross)/$$i.cpio.gz $(obj)/twice/obj/$(ARCH)/$$i.cpio.gz || exit; done
	$(Q)rm -rf $(obj)/twice

qemu-tests: tests-image
	$(Q)OUT=$(obj) qemu/boot.sh $(ARCH)-tests $(KERNEL)

qemu: initramfs
	$(Q)OUT=$(obj) qemu/boot.sh $(ARCH) $(KERNEL)

qemu-user: cross
	$(Q)OUT=$(obj) qemu/user.sh $(ARCH)

gvisor gvisor-tests sandbox: cross
	$(Q)OUT=$(obj) RUNSC='$(RUNSC)' qemu/user.sh $@

# A console that was captured elsewhere gets the same verdict.
judge:
	$(Q)qemu/judge.sh '$(or $(LOG),$(error make judge LOG=console.txt))'

qemu-all:
	$(Q)OUT=$(obj) RUNSC='$(RUNSC)' MAKE='$(MAKE)' qemu/all.sh $(JOBS)

.PHONY: judge gvisor gvisor-tests sandbox cross initramfs cpio tests-image twice qemu qemu-tests qemu-user qemu-all
