################################################################################
#
# ipcbox
#
################################################################################

IPCBOX_VERSION = 1.0.0
IPCBOX_SITE = https://ipcbox.invalid/ipcbox
IPCBOX_LICENSE = 0BSD
IPCBOX_LICENSE_FILES = LICENSE

ifeq ($(call qstrip,$(BR2_PACKAGE_IPCBOX_CONFIG)),)
IPCBOX_KCONFIG_DEFCONFIG = defconfig
else
IPCBOX_KCONFIG_FILE = $(call qstrip,$(BR2_PACKAGE_IPCBOX_CONFIG))
endif
IPCBOX_KCONFIG_FRAGMENT_FILES = $(call qstrip,$(BR2_PACKAGE_IPCBOX_FRAGMENTS))
IPCBOX_KCONFIG_EDITORS = menuconfig
# Buildroot strips what it installs.
IPCBOX_MAKE_OPTS = $(TARGET_CONFIGURE_OPTS) KCONF= SKIP_STRIP=y
IPCBOX_KCONFIG_OPTS = $(IPCBOX_MAKE_OPTS)

ifeq ($(BR2_STATIC_LIBS),y)
define IPCBOX_KCONFIG_FIXUP_CMDS
	$(call KCONFIG_ENABLE_OPT,CONFIG_STATIC)
endef
else
define IPCBOX_KCONFIG_FIXUP_CMDS
	$(call KCONFIG_DISABLE_OPT,CONFIG_STATIC)
endef
endif

define IPCBOX_BUILD_CMDS
	$(TARGET_MAKE_ENV) $(MAKE) $(IPCBOX_MAKE_OPTS) -C $(@D)
endef

define IPCBOX_INSTALL_TARGET_CMDS
	$(TARGET_MAKE_ENV) $(MAKE) $(IPCBOX_MAKE_OPTS) -C $(@D) \
		DESTDIR=$(TARGET_DIR) prefix=/usr install
endef

$(eval $(kconfig-package))
