# Boards: ipcbox on other architectures and kernels. What is emulated: qemu/targets.
#
## make qemu ARCH=arm64 [KERNEL=16k]   boot a board of qemu/targets, run pipetest there; or KERNEL=vmlinuz
## make qemu-user ARCH=arm64           run pipetest under qemu-user, on this machine's kernel
## make qemu-tests ARCH=arm64          boot it with a busybox and run tests/*.t there
## make qemu-all [JOBS=2]              all of them: a table, obj/boards.json, obj/boards.html
## make cross ARCH=arm64               a static binary: obj/arm64/ipcbox
## make initramfs ARCH=arm64           obj/arm64/initramfs.cpio.gz: ipcbox as /init; make cpio: to add to another

ARCH ?= $(shell dpkg --print-architecture)
JOBS ?= 2
cross = $(obj)/$(ARCH)

cross:
	$(say) CROSS $(ARCH)
	$(Q)tools=$$(qemu/cross.sh $(ARCH)) && eval "$(MAKE) --no-print-directory O=$(cross) $$tools all" $(if $(V),,>/dev/null)

initramfs cpio: cross
	$(Q)qemu/cpio.sh $@ $(cross)/ipcbox $(cross)/$@.cpio.gz $(if $(filter cpio,$@),$(NAMES))
	$(say) CPIO $(cross)/$@.cpio.gz

# The distribution's busybox for that architecture, and the tests that need no compiler.
tests-image: cross
	$(Q)busybox=$$(qemu/fetch.sh $$(. qemu/lib.sh; here=qemu; set_arch $(ARCH); echo $${musl#+}) $(ARCH) busybox-static) && \
		qemu/cpio.sh tests $(cross)/ipcbox $(cross)/tests.cpio.gz $$busybox/bin/busybox \
			tests/tap.sh $(filter-out $(addprefix tests/,build.t source.t qemu.t),$(wildcard tests/*.t))

qemu-tests: tests-image
	$(Q)OUT=$(obj) IMAGE=tests qemu/boot.sh $(ARCH) $(KERNEL)

qemu: initramfs
	$(Q)OUT=$(obj) qemu/boot.sh $(ARCH) $(KERNEL)

qemu-user: cross
	$(Q)OUT=$(obj) qemu/user.sh $(ARCH)

qemu-all:
	$(Q)OUT=$(obj) MAKE='$(MAKE)' qemu/all.sh $(JOBS)

.PHONY: cross initramfs cpio tests-image qemu qemu-tests qemu-user qemu-all
