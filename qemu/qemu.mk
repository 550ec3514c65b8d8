# Boards run ipcbox on other architectures and kernels; qemu/targets lists them.
#
## make qemu ARCH=arm64 [KERNEL=16k]   boot a board of qemu/targets, run pipetest there; or KERNEL=vmlinuz
## make qemu-user ARCH=arm64           run pipetest under qemu-user, on this machine's kernel
## make gvisor RUNSC=runsc.xz          run pipetest under the kernel of gVisor (as root)
## make gvisor-tests RUNSC=runsc.xz    run tests of the six other applets under gVisor: 15 minutes
## make sandbox                        run pipetest under a filter of system calls, as a container has
## make qemu-tests ARCH=arm64          boot a board with a busybox and run tests/*/*.t there
## make qemu-all [JOBS=2]              run all of these: a table, obj/boards.json, obj/boards.html
## make cross ARCH=arm64               a static binary: obj/arm64/ipcbox
## make initramfs ARCH=arm64           obj/arm64/initramfs.cpio.gz: ipcbox as /init; make cpio: to add to another
## make judge LOG=console.txt         the verdict on a captured console log
## make farms                         run packaging/labgrid and packaging/lava here, with QEMU (make deps farms)
## make twice ARCH=arm64               build both archives twice, and compare their bytes

ARCH ?= $(shell dpkg --print-architecture)
JOBS ?= 2
cross = $(obj)/$(ARCH)

cross:
	$(say) CROSS $(ARCH)
	$(Q)mkdir -p $(cross) && cmp -s $(O)/.config $(cross)/.config || cp $(O)/.config $(cross)
	$(Q)tools=$$(qemu/cross.sh $(ARCH)) && eval "$(MAKE) --no-print-directory O=$(cross) $$tools all" $(if $(V),,>/dev/null)

# cpio.sh takes these words: for cpio the other names of the box; for the image of tests the
# architecture, whose busybox it holds, and the tests, but for those that need the source, that the
# other image makes needless, or that kill by the hundred.
in_cpio = $(APPLETS)
here := build/% examples/% missing/% box/readme box/init qemu/% pipetest/% power/% fifo/kill fifo/format board/golden
in_tests-image = $(ARCH) tests/tap.sh tests/pcopy/pcopy.sh $(filter-out $(here:%=tests/%.t),$(wildcard tests/*/*.t))

initramfs cpio tests-image: cross
	$(Q)qemu/cpio.sh $(@:-image=) $(cross)/ipcbox $(cross)/$(@:-image=).cpio.gz $(in_$@)
	$(say) CPIO $(cross)/$(@:-image=).cpio.gz

# The second build is in another directory, with another umask.
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
	$(Q)OUT=$(obj) FOLLOW=y qemu/boot.sh $(ARCH) $(KERNEL)

qemu-user: cross
	$(Q)OUT=$(obj) qemu/user.sh $(ARCH)

gvisor gvisor-tests sandbox: cross
	$(Q)OUT=$(obj) RUNSC='$(RUNSC)' qemu/user.sh $@

# A console that was captured elsewhere gets the same verdict.
judge:
	$(Q)qemu/judge.sh '$(or $(LOG),$(error make judge LOG=console.txt))'

qemu-all:
	$(Q)OUT=$(obj) RUNSC='$(RUNSC)' MAKE='$(MAKE)' qemu/all.sh $(JOBS)

farms: ARCH := amd64
farms: initramfs
	$(Q)OUT=$(obj) qemu/farms.sh labgrid
	$(Q)OUT=$(obj) qemu/farms.sh lava

.PHONY: farms judge gvisor gvisor-tests sandbox cross initramfs cpio tests-image twice qemu qemu-tests qemu-user qemu-all
